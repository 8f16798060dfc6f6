"""Bring a frame into the reference frame's coordinates.

All motion here is a *backward* map: reference pixel x shows the frame's pixel ``A(x)`` (a transform) or ``x + flow(x)``
(a flow), which is what looking a pixel up needs. A forward map used backwards moves everything the wrong way, by
twice the motion; ``tests/ops/test_warp.py`` would fail.

Positions are whole numbers of 1/32 px, the resolution at which flow is stored and at which OpenCV's own ``remap``
interpolates 8-bit pictures. So a pixel is the same whichever region it is computed in. The kernel is ours and not
``cv2.remap`` because validity must be exact: one invalid neighbour of weight 1/1024 makes a pixel invalid, which
8-bit interpolation of a mask rounds away.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbtools.ops.compiled import njit
from vbtools.ops.grid import Region, interpolate, samples_for, whole

U8 = NDArray[np.uint8]
I16 = NDArray[np.int16]
I32 = NDArray[np.int32]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

FLOW_STEPS = 32
"""Stored flow is in whole numbers of 1/32 px."""
FLOW_RANGE = (-1024.0, 32767 / FLOW_STEPS)
"""px: what int16 holds at that step, -1024 to +1023.97; larger motion is stored as the nearest of these."""
IDENTITY: F64 = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
IDENTITY.flags.writeable = False

_LEAST_DEPTH = 1e-6
_FAR = 1 << 24  # px: farther than any picture, near enough for int32 at 1/32 px


def encode_flow(flow: NDArray[np.floating[Any]]) -> I16:
    """Flow in px, any shape, as int16 in 1/32 px, rounded half to even, saturating at :data:`FLOW_RANGE`.

    Raises:
        ValueError: a value that is not finite.
    """
    if not np.isfinite(flow).all():
        raise ValueError("flow has values that are not finite")
    steps = np.rint(np.asarray(flow, np.float64) * FLOW_STEPS)
    encoded: I16 = np.clip(steps, -32768, 32767).astype(np.int16)
    return encoded


def decode_flow(stored: I16) -> F32:
    """Stored flow, any shape, int16 in 1/32 px, as float32 in px."""
    decoded: F32 = stored.astype(np.float32) / np.float32(FLOW_STEPS)
    return decoded


def is_identity(transform: F64) -> bool:
    """Whether a (2, 3) transform moves nothing at all."""
    return bool(np.array_equal(transform, IDENTITY))


def transform_positions(transform: F64, region: Region) -> I32:
    """Where the pixels of a region lie in the frame, by a map from reference to frame coordinates.

    Args:
        transform: (2, 3) float64: ``(x, y, 1) -> (x', y')``, px; or a homography (3, 3), ``(x, y, 1) -> (x' w, y' w,
            w)``: what it sends behind the camera lies nowhere near.
        region: pixels of the reference.

    Returns:
        (region.height, region.width, 2) int32: x and y in the frame, in 1/32 px.

    Raises:
        ValueError: wrong shape, or a value that is not finite.
    """
    if transform.shape not in ((2, 3), (3, 3)) or not np.isfinite(transform).all():
        raise ValueError(f"the transform {transform!r} is not 2x3 or 3x3 finite numbers")
    x = np.arange(region.x0, region.x1, dtype=np.float64)[None, :]
    y = np.arange(region.y0, region.y1, dtype=np.float64)[:, None]
    positions = np.empty((region.height, region.width, 2), np.int32)
    depth = _depth(transform[2, 0] * x + transform[2, 1] * y + transform[2, 2]) if len(transform) == 3 else None
    for axis in (0, 1):
        a, b, c = transform[axis]
        moved = a * x + b * y + c
        moved = np.clip(moved if depth is None else moved / depth, -_FAR, _FAR)
        positions[..., axis] = np.rint(moved * FLOW_STEPS)
    return positions


def _depth(w: F64) -> F64:
    """The homogeneous coordinate, kept from zero, so that what is behind the camera goes far away."""
    return np.where(w < _LEAST_DEPTH, 1 / _FAR**2, w)


def flow_positions(stored: I16, held: Region, grid: tuple[int, int], size: tuple[int, int], region: Region) -> I32:
    """Where the pixels of a region lie in the frame, by a flow on a grid of its own.

    Args:
        stored: (h', w', 2) int16, (dx, dy) in 1/32 px of the frame, whatever the grid: the part ``held`` of it.
        held: which samples of the grid those are; at least :func:`vbtools.ops.grid.samples_for` of the region.
        grid: (gh, gw) of the whole flow.
        size: (H, W) of the frame.
        region: pixels of the reference.

    Returns:
        (region.height, region.width, 2) int32: x and y in the frame, in 1/32 px.

    Raises:
        ValueError: as :func:`vbtools.ops.grid.interpolate`.
    """
    positions = interpolate(stored, held, grid, size, region)
    positions[..., 0] += np.arange(region.x0, region.x1, dtype=np.int32)[None, :] * FLOW_STEPS
    positions[..., 1] += np.arange(region.y0, region.y1, dtype=np.int32)[:, None] * FLOW_STEPS
    return positions


def transform_reach(transforms: F64, region: Region) -> Region:
    """The frame's pixels that a region can show under any of the transforms (t, 2, 3) or homographies (t, 3, 3).

    May reach outside the frame; is everything where a homography sends a corner behind the camera.
    """
    corners = np.array(
        [(x, y, 1.0) for x in (region.x0, region.x1 - 1) for y in (region.y0, region.y1 - 1)], np.float64
    )
    moved = np.einsum("tij,cj->tci", transforms, corners)
    if transforms.shape[1] == 3:
        if moved[..., 2].min() < _LEAST_DEPTH:
            return Region(-_FAR, _FAR, -_FAR, _FAR)
        moved = moved[..., :2] / moved[..., 2:]
    moved = np.clip(moved, -_FAR, _FAR)
    low, high = moved.min(axis=(0, 1)), moved.max(axis=(0, 1))
    return Region(math.floor(low[1]) - 1, math.ceil(high[1]) + 3, math.floor(low[0]) - 1, math.ceil(high[0]) + 3)


def flow_reach(stored: I16, region: Region) -> Region:
    """The frame's pixels that a region can show under stored flows (t, h', w', 2); may reach outside the frame."""
    left, up = (int(v) // FLOW_STEPS for v in stored.min(axis=(0, 1, 2)))
    right, down = (-(int(v) // -FLOW_STEPS) for v in stored.max(axis=(0, 1, 2)))
    return Region(region.y0 + up, region.y1 + down, region.x0 + left, region.x1 + right)


def look_up(frame: U8, valid: Mask, held: Region, positions: I32) -> tuple[U8, Mask]:
    """The frame's pixels at given positions, bilinear, and which of them may be believed.

    Args:
        frame: (h', w', C) uint8: the part ``held`` of the frame.
        valid: (h', w') bool, True where the frame's pixel counts.
        held: which pixels those are; a pixel outside it is taken as outside the frame.
        positions: (h, w, 2) int32: x and y in the frame, in 1/32 px.

    Returns:
        picture: (h, w, C) uint8; 0 where it is not valid.
        seen: (h, w) bool: every pixel that contributes lies inside and is valid.

    Raises:
        ValueError: wrong shape or dtype.
    """
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[:2] != (held.height, held.width):
        raise ValueError(f"the frame is {frame.dtype} {frame.shape}; give uint8 ({held.height}, {held.width}, C)")
    if valid.dtype != np.bool_ or valid.shape != frame.shape[:2]:
        raise ValueError(f"valid is {valid.dtype} {valid.shape}; give bool {frame.shape[:2]}")
    height, width = positions.shape[:2]
    picture = np.zeros((height, width, frame.shape[2]), np.uint8)
    seen = np.zeros((height, width), np.bool_)
    if frame.size:
        _look_up(np.ascontiguousarray(frame), np.ascontiguousarray(valid), positions, held.x0, held.y0, picture, seen)
    return picture, seen


def warp_by_transform(frame: U8, valid: Mask, transform: F64) -> tuple[U8, Mask]:
    """A whole frame (H, W, C) in reference coordinates; as :func:`look_up` at :func:`transform_positions`."""
    region = whole((frame.shape[0], frame.shape[1]))
    return look_up(frame, valid, region, transform_positions(transform, region))


def warp_by_flow(frame: U8, valid: Mask, flow: F32) -> tuple[U8, Mask]:
    """A whole frame (H, W, C) in reference coordinates, by a flow (h, w, 2) float32 in px of the frame, on any grid."""
    size, grid = (frame.shape[0], frame.shape[1]), (flow.shape[0], flow.shape[1])
    region = whole(size)
    held = samples_for(region, grid, size)
    positions = flow_positions(encode_flow(flow)[held.slices], held, grid, size, region)
    return look_up(frame, valid, region, positions)


def upscale_flow(flow: F32, size: tuple[int, int]) -> F32:
    """A flow (h, w, 2) float32 at every pixel of a frame of ``size`` (H, W); values stay as they are, px of the frame.

    To within the 1/32 px of storage.
    """
    grid = (flow.shape[0], flow.shape[1])
    return decode_flow(interpolate(encode_flow(flow), whole(grid), grid, size, whole(size)).astype(np.int16))


@njit(nogil=True, cache=True)
def _look_up(frame, valid, positions, x0, y0, picture, seen):
    height, width, channels = frame.shape
    for i in range(picture.shape[0]):
        for j in range(picture.shape[1]):
            u, v = positions[i, j, 0], positions[i, j, 1]
            left, top = (u >> 5) - x0, (v >> 5) - y0
            fu, fv = u & 31, v & 31
            right, bottom = left + (fu > 0), top + (fv > 0)
            if left < 0 or top < 0 or right >= width or bottom >= height:
                continue
            if not (valid[top, left] and valid[top, right] and valid[bottom, left] and valid[bottom, right]):
                continue
            seen[i, j] = True
            for c in range(channels):
                upper = frame[top, left, c] * (32 - fu) + frame[top, right, c] * fu
                lower = frame[bottom, left, c] * (32 - fu) + frame[bottom, right, c] * fu
                picture[i, j, c] = (upper * (32 - fv) + lower * fv + 512) >> 10
