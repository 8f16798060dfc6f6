"""Regions, and grids read at the picture's pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vbtools.ops.grid import Region, at_least, interpolate, samples_for, whole


def test_a_region_is_clipped_to_the_picture_and_found_within_a_larger_one() -> None:
    region = Region(2, 6, 3, 9).grown(4)
    assert region == Region(-2, 10, -1, 13)
    assert region.clipped((8, 20)) == Region(0, 8, 0, 13)
    assert Region(30, 40, 0, 5).clipped((8, 20)).pixels == 0
    assert Region(-9, -3, 0, 5).clipped((8, 20)).pixels == 0
    assert Region(4, 6, 5, 8).within(Region(3, 10, 2, 12)) == (slice(1, 3), slice(3, 6))


@pytest.mark.parametrize("size", [(54, 96), (27, 48), (31, 50), (13, 17)])
def test_interpolation_has_the_convention_of_opencv(size: tuple[int, int]) -> None:
    grid = (27, 48)
    samples = np.random.default_rng(0).integers(-3000, 3000, (*grid, 2)).astype(np.int16)
    found = interpolate(samples, whole(grid), grid, size, whole(size))
    expected = cv2.resize(samples.astype(np.float32), (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    steps = 6000 / 128  # the weights' resolution
    assert np.abs(found - expected).max() <= steps


def test_a_grid_of_the_pictures_size_is_the_picture() -> None:
    samples = np.random.default_rng(0).integers(0, 256, (9, 14, 1)).astype(np.uint8)
    assert np.array_equal(interpolate(samples, whole((9, 14)), (9, 14), (9, 14), whole((9, 14))), samples)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_pixel_has_the_same_value_in_every_region(data: st.DataObject) -> None:
    side = st.integers(1, 40)
    grid, size = (data.draw(side), data.draw(side)), (data.draw(side), data.draw(side))
    samples = np.random.default_rng(1).integers(-32768, 32768, (*grid, 2)).astype(np.int16)
    y0, x0 = data.draw(st.integers(0, size[0] - 1)), data.draw(st.integers(0, size[1] - 1))
    region = Region(y0, data.draw(st.integers(y0 + 1, size[0])), x0, data.draw(st.integers(x0 + 1, size[1])))
    held = samples_for(region, grid, size)
    part = interpolate(samples[held.slices], held, grid, size, region)
    assert np.array_equal(part, interpolate(samples, whole(grid), grid, size, whole(size))[region.slices])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_at_least_is_interpolation_compared_with_the_level(data: st.DataObject) -> None:
    side = st.integers(1, 40)
    grid, size = (data.draw(side), data.draw(side)), (data.draw(side), data.draw(side))
    samples = np.random.default_rng(2).choice(np.array([0, 70, 76, 77, 78, 255], np.uint8), (2, *grid))
    y0, x0 = data.draw(st.integers(0, size[0] - 1)), data.draw(st.integers(0, size[1] - 1))
    region = Region(y0, data.draw(st.integers(y0 + 1, size[0])), x0, data.draw(st.integers(x0 + 1, size[1])))
    held, least = samples_for(region, grid, size), data.draw(st.sampled_from([1, 77, 255]))
    found = at_least(samples[(slice(None), *held.slices)], held, grid, size, region, least)
    for one, plane in zip(found, samples, strict=True):
        values = interpolate(plane[held.slices][..., None], held, grid, size, region)[..., 0]
        assert np.array_equal(one, values >= least)


def test_what_does_not_fit_is_refused() -> None:
    region, size, grid = whole((8, 8)), (8, 8), (4, 4)
    samples = np.zeros((4, 4, 1), np.int16)
    with pytest.raises(ValueError, match="do not reach"):
        interpolate(samples[:2], Region(0, 2, 0, 4), grid, size, region)
    with pytest.raises(ValueError, match="give uint8 or int16"):
        interpolate(samples.astype(np.float32), whole(grid), grid, size, region)
    with pytest.raises(ValueError, match="samples are"):
        interpolate(samples, Region(0, 3, 0, 4), grid, size, region)
