"""What is measured of a block by itself: of pictures whose blocks are known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from block_evidence import COLUMNS, ROWS, SIDE, SIZE, UNIT, evidence

from vbtools.ops.confidence import Evidence
from vbtools.ops.confidence_blocks import MEASURES, RISING, USUAL_FINENESS, measures
from vbtools.ops.deconvolution import Channel
from vbtools.ops.detail import block_means, high_pass


def told(seen: Evidence) -> dict[str, np.ndarray]:
    found = measures(seen)
    assert found.shape == (len(MEASURES), ROWS, COLUMNS)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    return dict(zip(MEASURES, found, strict=True))


def texture(seed: int, sigma: float = 1.0) -> np.ndarray:
    grain = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, SIZE), (0, 0), sigma)
    return 20 * grain / grain.std()


def test_every_measure_has_a_name_and_a_way() -> None:
    assert len(MEASURES) == len(RISING)
    told(evidence(np.zeros(SIZE)))  # finite of nothing, too


def test_strength_is_the_deviation_of_the_blocks_own_detail() -> None:
    picture = texture(1)
    found = told(evidence(picture))["block's strength"]
    detail = high_pass(picture.astype(np.float32), 4 * UNIT)
    own = np.sqrt(block_means(detail * detail, SIDE) - block_means(detail, SIDE) ** 2)
    np.testing.assert_allclose(np.exp(found[:-1, :-1]) - 0.5, own[: ROWS - 1, : COLUMNS - 1], rtol=1e-3)


def test_blocks_that_are_cut_off_are_told_from_what_there_is_of_them() -> None:
    found = told(evidence(texture(2)))["block's strength"]
    inside = found[5:-5, 5:-5]
    assert abs(found[-1].mean() - inside.mean()) < 0.2
    assert abs(found[:, -1].mean() - inside.mean()) < 0.3


def test_an_edge_is_straight_and_a_texture_is_not() -> None:
    down, along = np.mgrid[: SIZE[0], : SIZE[1]]
    edge = np.where(down + along < 400, 80.0, 140.0)
    found = told(evidence(edge))["block's straightness"]
    assert found[10, (400 - 10 * SIDE) // SIDE - 1] > 0.9
    assert told(evidence(texture(3)))["block's straightness"].mean() < 0.3


def test_finer_detail_is_told_from_coarser() -> None:
    fine, coarse = (told(evidence(texture(4, sigma))) for sigma in (0.6, 3.0))
    for name in ("block's fineness", "finest over fine", "fine over middling", "middling over coarse"):
        assert (fine[name] - coarse[name]).mean() > 0.3


def test_the_picture_is_like_what_it_is_made_of() -> None:
    picture = texture(5)
    same, other = told(evidence(picture, high_pass(picture, 4 * UNIT))), told(evidence(picture, texture(6)))
    assert same["picture like the leak"].mean() > 0.98
    assert abs(other["picture like the leak"].mean()) < 0.1
    assert same["picture like the undone"].mean() > 0.98
    nothing = replace(evidence(picture), channel=Channel(np.zeros(SIZE, np.float32), 0.0, 1.0))
    assert not told(nothing)["picture like the undone"].any()


def test_what_passages_say_in_the_clip_counts_where_there_are_pairs() -> None:
    seen = evidence(texture(7), agree=0.6)
    seen.pairs.passages[3] = 0
    found = told(seen)["passages alike in the clip"]
    assert found[4:] == pytest.approx(0.6 * 30 / 31)
    assert not found[3].any()  # where no pair says anything, the clip's says nothing either
    few = replace(seen.pairs, seen=np.zeros_like(seen.pairs.seen))
    assert not told(replace(seen, pairs=few))["passages alike in the clip"].any()


def test_how_fine_the_room_is_is_told_by_blocks_whose_passages_are_alike() -> None:
    name = "leak's fineness in the clip"
    fine, coarse = (told(evidence(texture(5), texture(6, sigma), agree=0.8))[name] for sigma in (0.6, 3.0))
    assert np.ptp(fine) == 0
    assert fine[0, 0] - coarse[0, 0] > 0.3
    unsure = told(evidence(texture(5), texture(6, 3.0), agree=0.05))[name]
    assert unsure[0, 0] == pytest.approx(USUAL_FINENESS)
