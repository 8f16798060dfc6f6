"""Detail recovered: what counts as structure, as recovered, as false."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vbtools.backends.picture import read_picture
from vbtools.ops.detail import detail, high_pass, luminance, scaled

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
SIZE = (360, 640)


def texture(seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A picture with strong texture everywhere, (H, W, 3) uint8, 50-205."""
    noise = np.random.default_rng(seed).normal(size=size).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.0)
    plane = np.clip(128 + 25 * smooth / smooth.std(), 50, 205)
    return np.repeat(plane[..., None], 3, axis=2).astype(np.uint8)


TRUTH = texture()
BLOCKS = (360 // 12) * (640 // 12)


def test_the_truth_itself_is_recovered_in_every_textured_block() -> None:
    found = detail(TRUTH, TRUTH).counts()
    assert found["textured"] == found["observed"] == found["structure"] == found["recovered"] == BLOCKS
    assert found["recovered_share"] == 1.0
    assert found["false"] == found["invented"] == 0


@pytest.mark.parametrize(
    ("gain", "structure", "recovered"),
    [(1, True, True), (0.6, True, True), (0.4, True, False), (1.9, True, True), (2.2, True, False), (0, False, False)],
)
def test_contrast_cannot_be_traded_away(gain: float, structure: bool, recovered: bool) -> None:
    scaled_up = 128 + gain * (TRUTH.astype(np.float32) - 128)
    found = detail(scaled_up, TRUTH).counts()
    assert found["structure"] == (BLOCKS if structure else 0)
    assert found["recovered"] == (BLOCKS if recovered else 0)
    assert found["false"] == 0


def test_an_inverted_picture_is_false_and_a_grey_one_is_nothing() -> None:
    inverted = detail(255 - TRUTH, TRUTH).counts()
    assert (inverted["structure"], inverted["false"]) == (0, BLOCKS)
    grey = detail(np.full_like(TRUTH, 128), TRUTH).counts()
    assert (grey["structure"], grey["false"], grey["observed"]) == (0, 0, BLOCKS)


def test_another_picture_is_false_and_its_blocks_hardly_ever_structure() -> None:
    found = detail(texture(1), TRUTH).counts()
    assert found["false_share"] > 0.8
    assert found["structure_share"] < 0.02


def test_brightness_has_no_influence() -> None:
    assert detail(TRUTH // 2 + 100, TRUTH // 2).counts()["recovered"] == BLOCKS


def test_texture_on_a_plain_wall_is_invented_and_not_counted_as_false() -> None:
    wall = np.full_like(TRUTH, 128)
    found = detail(TRUTH, wall).counts()
    assert (found["textured"], found["false"], found["invented"]) == (0, 0, BLOCKS)
    assert found["recovered_share"] is None


def test_what_was_not_observed_has_no_influence_and_is_told() -> None:
    observed = np.zeros(SIZE, bool)
    observed[:, :324] = True  # 27 columns of blocks of 53
    holed = TRUTH.astype(np.float32)
    holed[~observed] = np.nan
    found = detail(holed, TRUTH, observed).counts()
    assert found["textured"] == BLOCKS
    assert found["observed"] == 30 * 27
    assert found["recovered"] >= 30 * 26  # the high-pass of the last column sees what was filled in
    assert found["observed_share"] == 30 * 27 / BLOCKS
    assert found["recovered_share"] == found["recovered"] / (30 * 27)
    holed[~observed] = 0
    assert detail(holed, TRUTH, observed).counts() == found


def test_holes_drawn_black_cost_false_blocks_where_they_are_not_declared() -> None:
    holed = TRUTH.astype(np.float32)
    observed = np.ones(SIZE, bool)
    observed[100:140, 100:300] = False
    holed[~observed] = 0
    assert detail(holed, TRUTH).counts()["structure"] < detail(holed, TRUTH, observed).counts()["structure"]
    assert detail(holed, TRUTH, observed).counts()["false"] == 0


def test_only_the_region_is_scored() -> None:
    region = np.zeros(SIZE, bool)
    region[:120, :240] = True
    whole = detail(TRUTH, TRUTH)
    assert whole.within(region).counts() == detail(TRUTH, TRUTH, region=region).counts()
    assert detail(TRUTH, TRUTH, region=region).counts()["textured"] == 10 * 20


def test_block_and_sigma_scale_with_the_height() -> None:
    assert scaled(720) == (24, 4.0)
    assert scaled(360) == (12, 2.0)
    assert scaled(1080) == (36, 6.0)


def test_each_block_is_compared_as_the_plain_formula_says() -> None:
    estimate = (0.5 * TRUTH + 0.5 * texture(1)).astype(np.float32)
    found = detail(estimate, TRUTH)
    mine, true = (high_pass(luminance(x), 2.0)[24:36, 48:60].ravel() for x in (estimate, TRUTH))
    assert found.r[2, 4] == pytest.approx(np.corrcoef(mine, true)[0, 1], abs=1e-4)
    assert found.ratio[2, 4] == pytest.approx(mine.std() / true.std(), abs=1e-4)
    assert found.estimate_std[2, 4] == pytest.approx(mine.std(), abs=1e-3)


def test_sizes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="resample"):
        detail(TRUTH[:180], TRUTH)
    with pytest.raises(ValueError, match="no block"):
        detail(TRUTH[:1], TRUTH[:1])


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the vendors' clips are not here: {SHARED}")
def test_the_vendors_scene_has_the_textured_blocks_that_it_is_known_for() -> None:
    truth = read_picture(SHARED / "vendor" / "scene_books" / "background.png")
    assert detail(truth, truth).counts()["textured"] == 1361  # bench/detail.py: 1308 of them ever free
