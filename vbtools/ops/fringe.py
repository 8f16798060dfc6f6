"""What a frame shows at the person's edge: distance to the mask, the detail there, and sums of it over many frames.

Image formation: with the product's mask m and its blurred frame P, a call shows ``C = m F + (1 - m) P``. Beside the
person F is the room x, so ``C - P = m (x - P)``: the room's detail at the opacity m. Here P is the clip's plate and the
frame's halo (:mod:`vbtools.ops.halo`), and detail is what a Gaussian of :data:`DETAIL_PX` takes away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.compiled import njit

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

DETAIL_PX = 4.0
"""Sigma, px at 720 rows, of the Gaussian whose rest is the detail; that of the measure (:mod:`vbtools.ops.detail`)."""
EDGES_PX = (-16.0, -12.0, -9.0, -6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 11.0, 14.0, 18.0, 22.0, 28.0)
"""Bounds of the bins of distance from the mask, px at 720 rows, negative in it: products' fringes are 5-20 px wide and
our mask lies within a few px of the person."""
BINS = len(EDGES_PX) - 1
OUTSIDE = 255
"""The bin of pixels that are in none."""
FAR_AWAY = 1e4
"""px: a distance of which no more is known than that it is far."""
ACROSS = 0.955
"""What OpenCV's distance of 3x3 counts for a step along a row or column."""


@dataclass(frozen=True, slots=True)
class Box:
    """Rows ``y0:y1`` and columns ``x0:x1`` of a frame."""

    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its index into an array."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)


def box_around(person: U8, margin: int) -> Box | None:
    """The box of a mask (H, W) uint8, grown by a margin in px and cut to the frame; None where there is no person."""
    x, y, width, height = cv2.boundingRect(person)
    if width == 0:
        return None
    rows, columns = person.shape
    return Box(max(0, y - margin), min(rows, y + height + margin), max(0, x - margin), min(columns, x + width + margin))


def signed_distance(person: U8, reach: float | None = None) -> F32:
    """px to the person's outline, (H, W) float32: positive outside, negative inside.

    It is :data:`FAR_AWAY` from one who is not there, and minus that in one who is everywhere.

    Args:
        person: (H, W) uint8, 1 on the person, 0 elsewhere.
        reach: px outside up to which it must be known; beyond it may be :data:`FAR_AWAY`. Much of a frame is.
    """
    pixels = cv2.countNonZero(person)
    if pixels in {0, person.size}:
        return np.full(person.shape, -FAR_AWAY if pixels else FAR_AWAY, np.float32)
    box = None if reach is None else box_around(person, int(np.ceil(reach / ACROSS)) + 1)
    if box is None:
        outside = cv2.distanceTransform(1 - person, cv2.DIST_L2, 3)
        return np.asarray(outside - cv2.distanceTransform(person, cv2.DIST_L2, 3), np.float32)
    found = np.full(person.shape, FAR_AWAY, np.float32)
    found[box.slices] = signed_distance(np.ascontiguousarray(person[box.slices]))
    return found


def apart(person: U8, least: float) -> NDArray[np.bool_]:
    """What lies more than ``least`` px, 0 or more, away from the person, (H, W) bool; all of it where there is none.

    Args:
        person: (H, W) uint8, 1 on the person, 0 elsewhere.
        least: px.
    """
    found = np.ones(person.shape, np.bool_)
    box = box_around(person, int(np.ceil(least / ACROSS)) + 1)
    if box is not None:
        found[box.slices] = cv2.distanceTransform(1 - person[box.slices], cv2.DIST_L2, 3) > least
    return found


def detail(plane: F32, unit: float) -> F32:
    """What a Gaussian of :data:`DETAIL_PX` (at ``unit`` = rows / 720) takes away from a plane (h, w) float32."""
    sigma = DETAIL_PX * unit
    side = 2 * max(1, round(3 * sigma)) + 1
    return np.asarray(plane - cv2.GaussianBlur(plane, (side, side), sigma), np.float32)


@njit(nogil=True, cache=True)
def bins_of(distance: Any, unit: Any, edges: Any, out: Any) -> None:
    """The bin of every pixel.

    Args:
        distance: (h, w) float32, px.
        unit: rows / 720.
        edges: (BINS + 1,) float32, growing; bin b holds ``edges[b] <= distance / unit < edges[b + 1]``.
        out: (h, w) uint8, written; :data:`OUTSIDE` where there is no bin.
    """
    last = len(edges) - 1
    for y in range(distance.shape[0]):
        for x in range(distance.shape[1]):
            d = distance[y, x] / unit
            b = 255
            if edges[0] <= d < edges[last]:
                b = 0
                while d >= edges[b + 1]:
                    b += 1
            out[y, x] = b


@njit(nogil=True, cache=True)
def add_to_bins(detail: Any, bins: Any, y0: Any, x0: Any, step: Any, total: Any, count: Any) -> None:
    """Add one frame's detail to the sums of its bins, on every ``step``-th row of the frame.

    Args:
        detail: (h, w) float32.
        bins: (h, w) uint8.
        y0, x0: of the box in the frame.
        step: rows of the sums lie this far apart.
        total: (BINS, ceil(H / step), W) float32, added to.
        count: as ``total``: of how many frames.
    """
    first = (step - y0 % step) % step
    for y in range(first, detail.shape[0], step):
        row = (y + y0) // step
        for x in range(detail.shape[1]):
            b = bins[y, x]
            if b != 255:
                total[b, row, x + x0] += detail[y, x]
                count[b, row, x + x0] += 1


def nearness(opacity: F32, count: NDArray[Any], groups: int) -> NDArray[np.int64]:
    """Groups of distances that hold about the same weight each, nearest first.

    Args:
        opacity: (BINS,) float32, the room's mean opacity.
        count: (BINS,): pixels of all frames in each bin.
        groups: how many.

    Returns:
        (BINS,) int64, 0 to ``groups`` - 1.
    """
    weight = opacity.astype(np.float64) ** 2 * count
    middle = np.cumsum(weight) - weight / 2
    return np.minimum(groups * middle / max(float(weight.sum()), 1e-12), groups - 1).astype(np.int64)


@njit(nogil=True, cache=True)
def add_to_passages(  # noqa: PLR0913, PLR0917 (numba takes arrays and numbers, no object that would hold them)
    detail: Any, distance: Any, bins: Any, y0: Any, x0: Any, opacity: Any, nearness: Any, time: Any, rule: Any,
    state: Any, total: Any, weight: Any, passages: Any, support: Any, strongest: Any,
) -> None:  # fmt: skip
    """Add one frame's detail to the sums of the passage that each pixel is in.

    A passage is a stretch of time in which the fringe lies over a pixel at about one distance. It ends when the fringe
    has been away for a while, or lies otherwise over the pixel by more than the detail's own size: only then can what
    is seen twice be the room, and not the person, or a block that the codec repeats. What was seen nearer to the mask
    and farther from it is kept apart: a person who comes back to a pose shows the same again, at the same distance.

    Args:
        detail, distance: (h, w) float32.
        bins: (h, w) uint8.
        y0, x0: of the box in the frame.
        opacity: (BINS,) float32, the room's mean opacity by distance, 1 at its strongest.
        nearness: (BINS,) int64: the group of distances that a bin belongs to, from 0.
        time: of the frame, s.
        rule: (3,) float32: s for which the fringe must have been away, px by which it must have moved, and the opacity
            from which a pixel counts as in the fringe.
        state: (2, H, W) float32: when the fringe was last here (s, -inf: never) and at which distance it came.
        total, weight: (P, G, H, W) float32, added to: opacity times detail, and opacity squared, of passage n mod P and
            group of distances.
        passages: (H, W) uint16, counted up.
        support: (H, W) uint32: frames in the fringe.
        strongest: (H, W) float32: the largest opacity so far.
    """
    groups = total.shape[0]
    for y in range(detail.shape[0]):
        for x in range(detail.shape[1]):
            b = bins[y, x]
            if b == 255:
                continue
            a = opacity[b]
            if a <= 0:
                continue
            Y, X = y + y0, x + x0
            if a >= rule[2]:
                if time - state[0, Y, X] > rule[0] or abs(distance[y, x] - state[1, Y, X]) > rule[1]:
                    if passages[Y, X] < 65535:
                        passages[Y, X] += 1
                    state[1, Y, X] = distance[y, x]
                state[0, Y, X] = time
                support[Y, X] += 1
            if passages[Y, X] == 0:
                continue
            k = (passages[Y, X] - 1) % groups
            total[k, nearness[b], Y, X] += a * detail[y, x]
            weight[k, nearness[b], Y, X] += a * a
            strongest[Y, X] = max(strongest[Y, X], a)
