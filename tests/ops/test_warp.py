"""Warping goes the right way, is exact about validity, and does not depend on the region."""

from __future__ import annotations

import cv2
import moving_room
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vbtools.ops.grid import Region, samples_for, whole
from vbtools.ops.warp import (
    IDENTITY,
    decode_flow,
    encode_flow,
    flow_positions,
    flow_reach,
    is_identity,
    look_up,
    transform_positions,
    transform_reach,
    upscale_flow,
    warp_by_flow,
    warp_by_transform,
)

SIZE = (40, 56)


@pytest.fixture
def frame() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def everywhere() -> np.ndarray:
    return np.ones(SIZE, bool)


def test_a_reference_pixel_shows_what_lies_at_x_plus_flow(frame: np.ndarray) -> None:
    flow = np.zeros((*SIZE, 2), np.float32)
    flow[...] = (5, -3)  # dx, dy
    picture, seen = warp_by_flow(frame, everywhere(), flow)
    assert np.array_equal(picture[3:, :-5], frame[:-3, 5:])
    assert seen[3:, :-5].all()
    assert seen.sum() == (SIZE[0] - 3) * (SIZE[1] - 5)  # what lies outside the frame is not seen
    assert not picture[~seen].any()


def test_a_reference_pixel_shows_what_lies_at_the_transformed_place(frame: np.ndarray) -> None:
    picture, seen = warp_by_transform(frame, everywhere(), np.array([[1.0, 0, 5], [0, 1, -3]]))
    assert np.array_equal(picture[3:, :-5], frame[:-3, 5:])
    assert seen.sum() == (SIZE[0] - 3) * (SIZE[1] - 5)


def test_a_known_camera_motion_is_undone_and_the_opposite_one_is_not() -> None:
    motion = moving_room.moves(135, 240, (6, -4), 1.0)
    clip = moving_room.make([motion], 135, 240)
    free = np.ones((135, 240), bool)

    def error(transform: np.ndarray) -> float:
        picture, seen = warp_by_transform(clip.frames[0], free, transform)
        background = seen & (clip.person[0] == 0)
        background[40:] = False  # the person stands below
        return float(np.abs(picture[background].astype(float) - clip.room[background]).mean())

    backwards = cv2.invertAffineTransform(motion)
    assert error(motion) < 4
    assert error(backwards) > 4 * error(motion)
    assert error(IDENTITY) > 3 * error(motion)


def test_interpolation_equals_a_slow_reference_and_opencv(frame: np.ndarray) -> None:
    rng = np.random.default_rng(5)
    flow = encode_flow(rng.uniform(-4, 4, (*SIZE, 2)))
    valid = rng.random(SIZE) > 0.1
    picture, seen = warp_by_flow(frame, valid, decode_flow(flow))
    expected, expected_seen = slow(frame, valid, decode_flow(flow))
    assert np.array_equal(seen, expected_seen)
    assert np.abs(picture[seen].astype(float) - expected[seen]).max() <= 0.5
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    theirs = cv2.remap(frame, x + decode_flow(flow)[..., 0], y + decode_flow(flow)[..., 1], cv2.INTER_LINEAR)
    assert np.abs(picture[seen].astype(int) - theirs[seen].astype(int)).max() <= 1


def slow(frame: np.ndarray, valid: np.ndarray, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bilinear look-up, one pixel after the other, from the definition."""
    height, width = valid.shape
    picture, seen = np.zeros(frame.shape), np.zeros(valid.shape, bool)
    for i in range(height):
        for j in range(width):
            x, y = j + float(flow[i, j, 0]), i + float(flow[i, j, 1])
            total, believed = np.zeros(3), True
            for yy in (int(np.floor(y)), int(np.floor(y)) + 1):
                for xx in (int(np.floor(x)), int(np.floor(x)) + 1):
                    weight = (1 - abs(x - xx)) * (1 - abs(y - yy))
                    if weight <= 0:
                        continue
                    inside = 0 <= xx < width and 0 <= yy < height
                    believed = believed and inside and bool(valid[yy, xx])
                    total += weight * frame[yy, xx] if inside else 0
            picture[i, j], seen[i, j] = total, believed
    return picture, seen


def test_one_invalid_neighbour_of_the_least_weight_makes_a_pixel_invalid(frame: np.ndarray) -> None:
    valid = everywhere()
    valid[10, 11] = False
    flow = np.zeros((*SIZE, 2), np.float32)
    flow[...] = 1 / 32
    _, seen = warp_by_flow(frame, valid, flow)
    assert not seen[10, 10]  # the invalid pixel has a share of 31/1024
    assert not seen[9, 10]  # and here of 1/1024
    assert not seen[9, 11]
    assert not seen[10, 11]
    assert seen[11, 11]
    assert seen[10, 12]


def test_the_border_is_seen_where_nothing_outside_contributes(frame: np.ndarray) -> None:
    picture, seen = warp_by_transform(frame, everywhere(), IDENTITY)
    assert seen.all()
    assert np.array_equal(picture, frame)
    assert is_identity(IDENTITY)
    assert not is_identity(np.array([[1.0, 0, 0], [0, 1, 1e-9]]))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_tile_read_with_its_reach_is_that_part_of_the_whole_picture(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    frame = rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    valid = rng.random(SIZE) > 0.05
    y0, x0 = data.draw(st.integers(0, SIZE[0] - 1)), data.draw(st.integers(0, SIZE[1] - 1))
    tile = Region(y0, data.draw(st.integers(y0 + 1, SIZE[0])), x0, data.draw(st.integers(x0 + 1, SIZE[1])))
    if data.draw(st.booleans()):
        grid = (data.draw(st.integers(1, 60)), data.draw(st.integers(1, 60)))
        flow = rng.uniform(-15, 15, (*grid, 2)).astype(np.float32) + rng.uniform(-60, 60, 2).astype(np.float32)
        held = samples_for(tile, grid, SIZE)
        stored = encode_flow(flow)[held.slices]
        positions, reach = flow_positions(stored, held, grid, SIZE, tile), flow_reach(stored[None], tile)
        expected = warp_by_flow(frame, valid, flow)
    else:
        transform = moving_room.moves(*SIZE, tuple(rng.uniform(-60, 60, 2)), float(rng.uniform(-30, 30)))
        positions, reach = transform_positions(transform, tile), transform_reach(transform[None], tile)
        expected = warp_by_transform(frame, valid, transform)
    source = reach.clipped(SIZE)
    picture, seen = look_up(frame[source.slices], valid[source.slices], source, positions)
    assert np.array_equal(picture, expected[0][tile.slices])
    assert np.array_equal(seen, expected[1][tile.slices])


@pytest.mark.parametrize(("flow", "before", "after"), [(0.0, 0, 0), (2.0, 2, 2), (2.5, 2, 3), (-2.5, -3, -2)])
def test_the_reach_of_a_constant_flow_is_what_it_shows_and_no_more(flow: float, before: int, after: int) -> None:
    stored = encode_flow(np.full((1, 4, 4, 2), flow))
    assert flow_reach(stored, Region(10, 20, 30, 35)) == Region(10 + before, 20 + after, 30 + before, 35 + after)


def test_stored_flow_keeps_a_thirtysecond_pixel_and_saturates() -> None:
    flow = np.array([0.0, 1.5, -1.5, 1 / 64, 3 / 64, 1023.9, -1024, 5000, -5000], np.float32)
    stored = encode_flow(flow)
    assert stored.dtype == np.int16
    assert stored.tolist() == [0, 48, -48, 0, 2, 32765, -32768, 32767, -32768]
    values = np.random.default_rng(0).uniform(-1000, 1000, 1000)
    assert np.abs(decode_flow(encode_flow(values)) - values).max() <= 1 / 64 + 1e-4


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_motion_that_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        encode_flow(np.array([bad]))
    with pytest.raises(ValueError, match="finite"):
        transform_positions(np.array([[1, 0, bad], [0, 1, 0]]), whole(SIZE))


def test_flow_on_a_grid_is_in_pixels_of_the_frame() -> None:
    flow = np.full((10, 14, 2), (3.0, -2.0), np.float32)
    assert np.array_equal(upscale_flow(flow, SIZE), np.full((*SIZE, 2), (3.0, -2.0), np.float32))


def test_an_affine_motion_survives_its_grid() -> None:
    motion = moving_room.moves(200, 300, (4, -7), 1.5)
    full = moving_room.displacement(motion, 200, 300).astype(np.float32)
    grid = cv2.resize(full, (150, 100), interpolation=cv2.INTER_AREA)  # samples lie between pixels
    error = np.abs(upscale_flow(grid, (200, 300)) - full)[2:-2, 2:-2]
    assert error.max() < 0.05


def test_arrays_that_do_not_fit_are_refused(frame: np.ndarray) -> None:
    positions = transform_positions(IDENTITY, whole(SIZE))
    with pytest.raises(ValueError, match="the frame is"):
        look_up(frame[:5], everywhere(), whole(SIZE), positions)
    with pytest.raises(ValueError, match="valid is"):
        look_up(frame, everywhere().astype(np.uint8), whole(SIZE), positions)  # type: ignore[arg-type]
