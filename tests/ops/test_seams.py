"""Tiles: they cover, they stay in their bounds, and where they meet nothing shows."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vbtools.ops.seams import BLENDED, OVERLAP, fades, in_tiles, side_for, spans


def blurred(image: np.ndarray, reach: int = 20) -> np.ndarray:
    """A function that looks ``reach`` px far, and knows nothing beyond the border."""
    return cv2.blur(image, (2 * reach + 1, 2 * reach + 1), borderType=cv2.BORDER_CONSTANT)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).random((height, width, 3), np.float32)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 3000), st.integers(65, 600))
def test_spans_cover_and_overlap_and_are_no_longer_than_allowed(length: int, most: int) -> None:
    found = spans(length, most, 32)
    assert found[0][0] == 0
    assert found[-1][1] == length
    assert all(stop - start <= max(most, 1) for start, stop in found)
    assert len({stop - start for start, stop in found}) == 1
    for (_, end), (start, _) in pairwise(found):
        assert end - start >= 2 * 32


def test_spans_that_leave_nothing_between_overlaps_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot overlap"):
        spans(200, 64, 32)


@pytest.mark.parametrize(
    ("size", "tile"), [((150, 330), (128, 128)), ((150, 90), (128, 128)), ((400, 400), (150, 200))]
)
def test_what_looks_less_far_than_its_tiles_overlap_is_exact(size: tuple[int, int], tile: tuple[int, int]) -> None:
    image = noise(*size)
    tiled = in_tiles(image, blurred, tile)
    assert np.abs(tiled - blurred(image)).max() < 1e-6


def test_what_looks_farther_is_not() -> None:
    image = noise(150, 330)
    assert np.abs(in_tiles(image, lambda part: blurred(part, 32), (128, 128)) - blurred(image, 32)).max() > 1e-3
    assert OVERLAP * (1 - BLENDED) == 20


def test_an_enlarging_function_is_exact_too() -> None:
    image = noise(140, 260)

    def thrice(part: np.ndarray) -> np.ndarray:
        return np.kron(blurred(part), np.ones((3, 3, 1), np.float32))

    assert np.abs(in_tiles(image, thrice, (128, 128), scale=3) - thrice(image)).max() < 1e-6


def test_tiles_that_differ_fade_without_a_step() -> None:
    """As a network that looks at all of its picture would: each tile comes out at another level."""
    calls: list[int] = []

    def level(part: np.ndarray) -> np.ndarray:
        calls.append(1)
        return np.full_like(part, len(calls) % 2)

    tiled = in_tiles(noise(60, 400), level, (128, 128))[30, :, 0]
    assert len(calls) > 3
    assert np.ptp(tiled) == 1.0
    assert np.abs(np.diff(tiled)).max() < 1.6 / (2 * BLENDED * OVERLAP)


def test_every_pixel_is_of_one_tile_alone_outside_of_the_fades() -> None:
    ranges = spans(400, 128)
    seen = np.zeros(400)
    for start, stop in fades(ranges):
        assert 0 < stop - start <= 2 * BLENDED * OVERLAP + 4
        seen[start:stop] += 1
    assert seen.max() == 1


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 2200), st.integers(1, 2200), st.integers(30_000, 2_000_000))
def test_tiles_fit_the_memory_and_cover(height: int, width: int, pixels: int) -> None:
    tile = side_for(height, width, pixels)
    if tile is None:
        assert height * width <= pixels
        return
    rows, columns = spans(height, tile[0]), spans(width, tile[1])
    assert tile[0] * tile[1] <= pixels
    assert rows[-1][1] == height
    assert columns[-1][1] == width


def test_the_tiles_are_those_of_least_work() -> None:
    assert side_for(540, 960, 200_000) == (540, 363)  # 3 by 1: 1.13 times the picture, 2 by 2 would be 1.19
    assert side_for(540, 960, 600_000) is None
    assert side_for(4000, 4000, 10) == (128, 128), "there is no smaller sensible way"
