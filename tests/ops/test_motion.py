"""Fitting one affine motion, and moving it between grids."""

from __future__ import annotations

import moving_room
import numpy as np

from vbtools.ops.motion import affine_flow, compose, fit_affine, regrid

SIZE = (90, 160)
MOTION = moving_room.moves(*SIZE, (5, -3), 2.0)


def far(one: np.ndarray, other: np.ndarray, size: tuple[int, int] = SIZE) -> float:
    """Largest difference of two affine maps over a picture, px."""
    wrong = moving_room.displacement(one, *size) - moving_room.displacement(other, *size)
    return float(np.hypot(wrong[..., 0], wrong[..., 1]).max())


def test_the_motion_of_most_pixels_is_found_despite_others() -> None:
    flow = moving_room.displacement(MOTION, *SIZE).astype(np.float32)
    flow += np.random.default_rng(0).normal(0, 0.1, flow.shape).astype(np.float32)
    flow[30:, 60:110] = 0  # something that stands still
    fitted = fit_affine(flow, np.ones(SIZE, np.float32))
    assert fitted is not None
    assert far(fitted, MOTION) < 0.1


def test_what_has_no_weight_has_no_say() -> None:
    flow = moving_room.displacement(MOTION, *SIZE).astype(np.float32)
    weight = np.ones(SIZE, np.float32)
    flow[:, 40:] = 99
    weight[:, 40:] = 0
    fitted = fit_affine(flow, weight)
    assert fitted is not None
    assert far(fitted, MOTION) < 0.01


def test_too_little_to_tell_gives_nothing() -> None:
    weight = np.zeros(SIZE, np.float32)
    assert fit_affine(np.zeros((*SIZE, 2), np.float32), weight) is None
    weight[5] = 1  # all on a line
    assert fit_affine(np.zeros((*SIZE, 2), np.float32), weight) is None


def test_an_affine_map_and_its_flow_are_the_same_motion() -> None:
    assert np.allclose(affine_flow(MOTION, SIZE), moving_room.displacement(MOTION, *SIZE), atol=1e-4)


def test_the_inner_flow_acts_first() -> None:
    shift = np.full((*SIZE, 2), (10.0, 0.0), np.float32)
    both = compose(MOTION, shift)
    expected = MOTION[:, :2] @ [50 + 10, 20] + MOTION[:, 2] - [50, 20]
    assert np.allclose(both[20, 50], expected, atol=1e-3)


def test_a_map_on_a_half_size_grid_is_the_same_motion() -> None:
    full = regrid(MOTION, SIZE, (180, 320))
    # Sample (20, 50) lies at pixel (40.5, 100.5) of the picture twice as large.
    moved = MOTION[:, :2] @ [50, 20] + MOTION[:, 2]
    assert np.allclose(full[:, :2] @ [100.5, 40.5] + full[:, 2], moved * 2 + 0.5)
    assert far(regrid(full, (180, 320), SIZE), MOTION) < 1e-9
