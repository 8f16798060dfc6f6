"""How far the detail of a leak can be believed: the probability that it is the room's, calibrated on known scenes.

A logistic model on a coarse grid. What it is given says, each in its own way, whether the same was seen at another
time, at another distance from the mask, and in single frames. The weights were fitted by the method of
``bench/confidence.py`` on its six composites and six simulated calls, on features computed with
:data:`vbtools.ops.leak.BEST_SHOWN` at 0.45; no clip of data/vendor was among them, but which features to use was
decided with those clips in view. Run the script again, and replace the weights, when what they are given changes.
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
    "frames for against frames against", "frames for", "span of distances", "farthest distance",
)  # fmt: skip
WEIGHTS = np.array([-1.092, 0.51, 0.1, 4.774, 0.121, 2.011, 0.918, -1.788, 0.322, 1.538])
"""Intercept, then one for each of :data:`FEATURES`; see above where they come from."""
MOST_UNSUPPORTED = np.float32(0.5)
"""Bound of the confidence where the clip as a whole speaks against a leak; see :func:`objection`."""
LEAST_BEYOND = 0.05
"""Opacity at 2-6 px beyond the mask, against the strongest; products' fringes have 0.1 to 1."""
MOST_WITHIN = 0.9
"""Opacity 9-16 px within the mask, against the strongest; of people who move 0 to 0.8."""
ENOUGH_PASSAGES = 5
"""More say no more: a wide fringe makes many of one."""
LEAST = 0.03
"""Ratio of power to error below which there is no difference any more."""


def features(
    room: Detail, views: Views, passages: NDArray[np.uint16], plate_detail: F32, scale: F32, centre: float, grid: int,
    unit: float,
) -> F32:  # fmt: skip
    """What the model is given, (len(FEATURES), h, w) float32 on the grid of ``views``.

    Args:
        room: the detail, planes (H, W).
        views: what single frames showed of it, on the grid.
        passages: (H, W) uint16.
        plate_detail: (H, W) float32, of the blurred plate.
        scale: (H, W) float32, of the detail.
        centre: px at 720 rows from the mask at which the fringe lies, from :func:`centre_of`.
        grid: px between the grid's points; the first is pixel 0.
        unit: rows / 720.
    """

    def pooled(plane: F32) -> F32:
        height, width = plane.shape
        small = cv2.resize(plane, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), POOL_PX * unit / 4)
        large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(large[::grid, ::grid], np.float32)

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
        np.log1p(np.minimum(pooled(passages.astype(np.float32)), ENOUGH_PASSAGES)),
        np.log((clear + 0.5) / (around(views.against) + 0.5)),
        np.log1p(clear),
        np.minimum(around(views.span * told) / unit, 20) / 10,
        np.clip(around(np.where(views.clear > 0, views.farthest, -10 * unit)) / unit, -10, 20) / 10 - centre / 10,
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


def centre_of(opacity: F32) -> float:
    """px at 720 rows from the mask at which the fringe shows most, from the opacity by distance (BINS,)."""
    middle = (np.array(EDGES_PX[1:]) + np.array(EDGES_PX[:-1])) / 2
    power = opacity.astype(np.float64) ** 2
    return float((power * middle).sum() / max(power.sum(), 1e-6))


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
