"""How far the detail of a leak can be believed: the probability that it is the room's, calibrated on known scenes.

A logistic model on a coarse grid. What it is given says, each in its own way, whether the same was seen at another
time, at another distance from the mask, in single frames, and where no person is to be expected. The weights come
from ``bench/confidence.py`` (simulated calls of two persons in many rooms, six products, and calls with nothing
to find); the clips that the figures are told for are not among them.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.fringe import EDGES_PX
from vbtools.ops.leak import POOL_PX, Detail, Views

F32 = NDArray[np.float32]

FEATURES = (
    "agreement of passages", "agreement at other distances", "agreement with the plate", "strength", "passages",
    "frames for against frames against", "frames for", "frames for beyond the mask", "span of distances",
    "farthest distance",
)  # fmt: skip
WEIGHTS = np.array([-0.827, 0.522, 0.079, 5.336, 0.243, 1.541, 1.028, -1.97, 0.069, -0.097, 1.671])
"""Intercept, then one for each of :data:`FEATURES`, as bench/confidence.py prints them."""
MOST_UNSUPPORTED = np.float32(0.5)
"""Bound of the confidence where the clip as a whole speaks against a leak; see :func:`objection`."""
LEAST_BEYOND = 0.05
"""Opacity at 2-6 px beyond the mask, against the strongest; products' fringes have 0.1 to 1."""
MOST_WITHIN = 0.9
"""Opacity 9-16 px within the mask, against the strongest; of people who move 0 to 0.8."""
LEAST = 0.03
"""Ratio of power to error below which there is no difference any more."""


def features(
    room: Detail, views: Views, passages: NDArray[np.uint16], plate_detail: F32, scale: F32, grid: int, unit: float
) -> F32:
    """What the model is given, (len(FEATURES), h, w) float32 on the grid of ``views``.

    Args:
        room: the detail, planes (H, W).
        views: what single frames showed of it, on the grid.
        passages: (H, W) uint16.
        plate_detail: (H, W) float32, of the blurred plate.
        scale: (H, W) float32, of the detail.
        grid: px between the grid's points; the first is pixel 0.
        unit: rows / 720.
    """

    def pooled(plane: F32) -> F32:
        height, width = plane.shape
        small = cv2.resize(plane, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), POOL_PX * unit / 4)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)[::grid, ::grid], np.float32)

    def around(plane: F32) -> F32:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), 1.0), np.float32)

    weight, error = pooled(room.weight), room.error[::grid, ::grid]
    shown = room.best * scale
    power, plate_power = pooled(shown * shown), pooled(plate_detail * plate_detail)
    alike = pooled(shown * plate_detail) / np.sqrt(power * plate_power + 1e-3) * plate_power / (plate_power + 4)
    clear = around(views.clear)
    told = np.minimum(views.clear / 2, 1)
    found = (
        np.log(np.maximum(weight * room.signal[::grid, ::grid] / error, LEAST)),
        np.log(np.maximum(weight * room.apart[::grid, ::grid] / error, LEAST)),
        alike,
        np.log(np.sqrt(power) + 0.5),
        np.log1p(pooled(passages.astype(np.float32))),
        np.log((clear + 0.5) / (around(views.against) + 0.5)),
        np.log1p(clear),
        np.log1p(around(views.outside)),
        np.minimum(around(views.span * told) / unit, 20) / 10,
        np.clip(around(np.where(views.clear > 0, views.farthest, -10 * unit)) / unit, -10, 20) / 10,
    )
    return np.stack(found).astype(np.float32)


def confidence(given: F32, weights: NDArray[np.float64] = WEIGHTS) -> F32:
    """The probability, (h, w) float32, 0-1.

    Args:
        given: (len(FEATURES), h, w) float32, from :func:`features`.
        weights: (len(FEATURES) + 1,) float64.
    """
    score = weights[0] + np.einsum("f,fyx->yx", weights[1:], given)
    return (1 / (1 + np.exp(-score))).astype(np.float32)


def objection(opacity: F32, sharp: bool) -> str:
    """Why nothing in a clip can be taken for a leak, as a sentence; empty if there is no such reason.

    Single places look alike whether the room or the person's own detail comes back; over the whole clip they differ.

    Args:
        opacity: (BINS,) float32: the room's opacity by distance, against the strongest.
        sharp: the background is not blurred.
    """
    if not opacity.any():
        return "nothing at the person's edge agrees from one time to another"
    if sharp:
        return "the background is sharp: a picture in its place, or no blur"
    if opacity[_between(2, 6)].mean() < LEAST_BEYOND:
        return "what agrees at the person's edge lies within the person"
    if opacity[_between(-16, -9)].mean() > MOST_WITHIN:
        return "the person does not move"
    return ""


def _between(low: float, high: float) -> slice:
    return slice(EDGES_PX.index(low), EDGES_PX.index(high))
