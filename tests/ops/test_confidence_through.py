"""How far detail comes through the blur, told of rooms and blurs that are known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from block_evidence import COLUMNS, ROWS, SIDE, SIZE, UNIT
from block_evidence import evidence as nothing_but

from vbtools.ops.confidence import Evidence
from vbtools.ops.confidence_through import FARTHEST, RISING, THROUGH, WIDEST_KNOWN_PX, through, told_sigma

SIGMA = 4.0


def texture(seed: int, sigma: float = 1.0) -> np.ndarray:
    grain = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, SIZE), (0, 0), sigma)
    return (128 + 30 * grain / grain.std()).astype(np.float32)


def blurred(plane: np.ndarray, sigma: float = SIGMA) -> np.ndarray:
    return cv2.GaussianBlur(plane, (0, 0), sigma).astype(np.float32)


def evidence(undone: np.ndarray, sigma: float = SIGMA) -> Evidence:
    """A plate without its blur, beside which the edge showed nothing."""
    return replace(nothing_but(undone), sigma=sigma)


def told(seen: Evidence) -> dict[str, np.ndarray]:
    found = through(seen)
    assert found.shape == (len(THROUGH), ROWS, COLUMNS)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    return dict(zip(THROUGH, found, strict=True))


def test_every_measure_has_a_name_and_a_way_and_is_finite_of_nothing() -> None:
    assert len(THROUGH) == len(RISING)
    nothing = np.zeros(SIZE, np.float32)
    for sigma in (SIGMA, 0.0, float("nan")):
        told(evidence(nothing, sigma))


def test_a_soft_plate_stays_as_it_is_when_it_is_blurred_again_and_a_fine_one_does_not() -> None:
    name = "undone like itself blurred"
    fine, soft = (told(evidence(room))[name].mean() for room in (texture(4, 0.6), texture(4, 5.0)))
    assert soft > 0.9
    assert soft - fine > 0.2


def test_the_same_room_behind_twice_the_blur_at_twice_the_scale_is_told_the_same() -> None:
    name = "undone at half of it over that"
    small, large = (
        told(evidence(room, sigma))[name][5:-5, 5:-5].mean()
        for room, sigma in ((texture(5, 1.5), 3.0), (texture(5, 3.0), 6.0))
    )
    assert small == pytest.approx(large, abs=0.12)


def test_an_edge_of_the_undone_plate_is_straight_and_a_texture_is_not() -> None:
    down, along = np.mgrid[: SIZE[0], : SIZE[1]]
    edge = blurred(np.where(down + along < 400, 80.0, 140.0).astype(np.float32), 2.0)
    found = told(evidence(edge))["undone's straightness"]
    assert found[10, (400 - 10 * SIDE) // SIDE - 1] > 0.9
    grain = texture(6)
    assert told(evidence(grain))["undone's straightness"].mean() < 0.5


def test_the_border_is_told_in_sigmas() -> None:
    found = told(evidence(texture(8)))["sigmas from the border"]
    assert found[0, 20] < SIDE / SIGMA / 2 + 0.1
    assert found[15, 27] == FARTHEST


def test_a_blur_that_is_not_identified_is_told_as_the_widest() -> None:
    assert told_sigma(float("nan"), UNIT) == told_sigma(0, UNIT) == told_sigma(1e3, UNIT) == WIDEST_KNOWN_PX * UNIT
    assert told_sigma(5.0, UNIT) == 5.0
    seen = evidence(texture(9), float("nan"))
    np.testing.assert_array_equal(through(seen), through(replace(seen, sigma=WIDEST_KNOWN_PX * UNIT)))
