"""From the fringe's sums to the room's detail: opacity, detail, its strength, all without knowing the product.

The detail h of a pixel in frame t is ``a_t H + noise``, with the room's detail H and the opacity a_t, which depends on
the distance to the mask. One pixel seen at several distances gives ratios of opacities, many pixels together give them
well: a factorisation of rank one of the sums over [distance x pixel], in which a pixel is never compared with what was
seen of it in the same second (:func:`opacities`). Its scale is free; an opacity ends at 1, and that fixes it
(:func:`scales`).

Detail that several passages of the edge agree on is the room's; the person's own moves with the person and differs from
passage to passage. Every passage is one measurement with an error of its own, however many frames it has (a random
effect), and the estimate is the best linear one given the local power of what agrees and of what does not
(:func:`combine`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.compiled import njit

F32 = NDArray[np.float32]

WINDOW_PX = 13.0
"""Side, px at 720 rows, of the windows in which one frame's opacity is measured: some letters."""
AGREES = 0.6
"""Correlation from which a frame is said to show the room's detail in a window."""
LEAST_POWER = 0.5
"""Grey levels squared of the room's detail, unscaled, below which a window says nothing."""
BEST_SHOWN = 0.5
"""Opacity at which the frame that shows a place best does so: that of the middle of a feathered mask's edge. Measured
where the truth is known: 0.3 to 0.6 in the middle of a clip's places."""
ENOUGH_FRAMES = 4
"""Frames that clearly show a place, for the best of them to count fully."""
SCALE_PX = 12.0
"""Sigma, px at 720 rows, over which scales are averaged."""
PRIOR = 0.03
"""Weight of the clip's usual scale against a place's own, in samples at full weight."""
USUAL_SCALE = 3.0
SCALES = (0.25, 8.0)
"""Bounds; below 1 because opacities are relative to the strongest, and fewer hidden frames look like more opacity."""
ROUNDS = 8
"""Of the factorisation; the opacities then change by less than 0.01."""
RIDGE = 0.3
"""Added to the summed squared opacity, so that what was hardly seen says little."""
POOL_PX = 10.0
"""Sigma, px at 720 rows, over which powers are averaged: a few letters, about as wide as a fringe."""
HALF_PASSAGE = 1.0
"""Summed squared opacity at which a passage counts half; it has frames enough, and only its own error stays."""
SHRINKING = np.float32(0.75)
"""Power of the share of signal by which the detail is weakened: 1 is Wiener's filter, of least squared error, which
takes contrast away; 1/2 keeps the power and lets more noise through."""
CONTRAST = np.float32(1.6)
"""Gives the contrast back where half or more is signal."""
APART_PRIOR = 0.02
"""Added to the weight of pairs at different distances: where there are hardly any, nothing is known to agree."""
NOISE_FLOOR = 0.25
"""Least variance of a passage's error, grey levels squared: 8-bit rounding and coding after a second's mean."""


@dataclass(frozen=True, slots=True)
class Detail:
    """The room's detail, before its scale is known.

    Attributes:
        plain: (H, W) float32: weighted mean over passages.
        best: (H, W) float32: the same, weakened where it is little above its error.
        signal: (H, W) float32: local power of what passages agree on.
        apart: (H, W) float32: the same of passages that lay over the pixel at different distances.
        error: (H, W) float32: local power of one passage's error.
        weight: (H, W) float32: how many passages there were, those with little opacity counted in part.
    """

    plain: F32
    best: F32
    signal: F32
    apart: F32
    error: F32
    weight: F32

    @property
    def share(self) -> F32:
        """(H, W) float32, 0-1: signal over signal and error."""
        power = self.weight * np.maximum(self.signal, 0)
        return np.asarray(power / (power + self.error), np.float32)


def opacities(total: F32, count: F32, plate_detail: F32) -> F32:
    """The room's mean opacity by distance to the mask, 1 at its strongest; all 0 where nothing agrees.

    Where the person covers a plate that has detail of its own, ``C - P`` holds minus that detail, the same in all
    frames; what a bin holds of it beyond nothing is put back first, in place.

    Args:
        total: (K, B, h, w) float32: sums of detail by group of time and distance; changed.
        count: as ``total``: of how many frames.
        plate_detail: (h, w) float32.
    """
    groups, bins = total.shape[:2]
    opacity = np.full(bins, RIDGE, np.float32)
    for b in range(bins):
        covered = _covered(total[:, b], count[:, b], plate_detail)
        if covered:
            total[:, b] += covered * count[:, b] * plate_detail
    others, power = (np.empty((groups, *total.shape[2:]), np.float32) for _ in range(2))
    for _ in range(ROUNDS):
        _of_others(total, count, opacity, np.float32(RIDGE), others, power)
        cross, own = np.zeros(bins), np.zeros(bins)
        for k in range(groups):
            for b in range(bins):
                cross[b] += float(np.vdot(total[k, b], others[k]))
                own[b] += float(np.vdot(count[k, b], power[k]))
        opacity = np.maximum(cross / np.maximum(own, 1e-6), 0).astype(np.float32)
        strongest = float(opacity.max())
        if strongest <= 0:
            return np.zeros(bins, np.float32)
        opacity /= np.float32(strongest)
    return opacity


@njit(nogil=True, cache=True)
def _of_others(total: Any, count: Any, opacity: Any, ridge: Any, others: Any, power: Any) -> None:
    """The room's detail as the other groups of time show it, and its square.

    Args:
        total, count: (K, B, h, w) float32.
        opacity: (B,) float32.
        ridge: float32.
        others, power: (K, h, w) float32, written.
    """
    groups, bins, height, width = total.shape
    summed, weight = np.empty((groups, width), np.float32), np.empty((groups, width), np.float32)
    for y in range(height):
        summed[:], weight[:] = 0, 0
        for k in range(groups):
            for b in range(bins):
                a = opacity[b]
                square = a * a
                for x in range(width):
                    summed[k, x] += a * total[k, b, y, x]
                    weight[k, x] += square * count[k, b, y, x]
        for x in range(width):
            every, of_all = np.float32(0), np.float32(0)
            for k in range(groups):
                every += summed[k, x]
                of_all += weight[k, x]
            for k in range(groups):
                other = (every - summed[k, x]) / (of_all - weight[k, x] + ridge)
                others[k, y, x] = other
                power[k, y, x] = other * other


def _covered(total: F32, count: F32, plate_detail: F32) -> np.float32:
    """Share of a bin's frames that hid the plate's own detail, 0-1."""
    seen = count.sum(axis=0)
    power = float(np.vdot(seen * plate_detail, plate_detail))
    missing = -float(np.vdot(total.sum(axis=0), plate_detail))
    return np.float32(np.clip(missing / max(power, 1e-3), 0, 1))


def uncover(total: F32, weight: F32, plate_detail: F32, unit: float) -> None:
    """Put the plate's own detail back where the person's covering took it out of the sums; in place.

    A leak adds to what the plate shows and never weakens it: what the sums hold, locally, of minus the plate's detail
    is the person's doing.

    Args:
        total, weight: (P, G, H, W) float32, as :func:`vbtools.ops.fringe.add_to_passages` makes them.
        plate_detail: (H, W) float32.
        unit: rows / 720.
    """
    cross = _pooled(total.sum(axis=(0, 1)) * plate_detail, unit)
    own = _pooled(weight.sum(axis=(0, 1)) * plate_detail * plate_detail, unit)
    missing = np.minimum(cross / np.maximum(own, np.float32(1e-3)), 0)
    for p in range(len(total)):
        total[p] -= missing * weight[p] * plate_detail


def combine(total: F32, weight: F32, unit: float) -> Detail:
    """The room's detail from the passages' sums.

    Args:
        total, weight: (P, G, H, W) float32, by passage and by group of distances.
        unit: rows / 720.
    """
    passages, groups, *size = total.shape
    counts, summed, power = (np.zeros(size, np.float32) for _ in range(3))  # sums of w, w h, w h^2
    pairs, cross, squares = _Pairs(groups, size), _Pairs(groups, size), np.zeros(size, np.float32)
    for p in range(passages):
        for g in range(groups):
            half = weight[p, g] + np.float32(HALF_PASSAGE)
            w, wh = weight[p, g] / half, total[p, g] / half
            counts += w
            summed += wh
            squares += w * w
            power += wh * wh / np.maximum(w, np.float32(1e-6))
            pairs.add(w, g)
            cross.add(wh, g)
        pairs.end_passage()
        cross.end_passage()
    plain = summed / (counts + np.float32(1e-6))
    signal = _pooled(cross.passages(), unit) / (_pooled(pairs.passages(), unit) + np.float32(1e-3))
    apart = _pooled(cross.apart(), unit) / (_pooled(pairs.apart(), unit) + np.float32(APART_PRIOR))
    freedom = _pooled(np.maximum(counts - squares / (counts + np.float32(1e-6)), 0), unit)
    error = (_pooled(power - counts * plain * plain, unit) + np.float32(0.05)) / (freedom + np.float32(0.05))
    error = np.maximum(error, np.float32(NOISE_FLOOR))
    found = Detail(plain, plain, signal, apart, error, counts)
    return replace(found, best=plain * np.minimum(CONTRAST * found.share**SHRINKING, 1))


def near_far(total: F32, weight: F32) -> F32:
    """The mean detail of each group of distances, (G, H, W) float32; small where it was hardly seen.

    Args:
        total, weight: (P, G, H, W) float32, by passage and by group of distances.
    """
    summed, seen = total.sum(axis=0), weight.sum(axis=0)
    return np.asarray(summed / (seen + np.float32(0.5)) * (seen / (seen + np.float32(1))), np.float32)


class _Pairs:
    """Sums of products over pairs of sums, of different passages, without keeping them all."""

    def __init__(self, groups: int, size: list[int]) -> None:
        self._all, self._passage, self._own, self._same = (np.zeros(size, np.float32) for _ in range(4))
        self._groups = np.zeros((groups, *size), np.float32)

    def add(self, value: F32, group: int) -> None:
        self._all += value
        self._passage += value
        self._groups[group] += value
        self._own += value * value

    def end_passage(self) -> None:
        self._same += self._passage * self._passage
        self._passage[:] = 0

    def passages(self) -> F32:
        """Over pairs of different passages."""
        return np.asarray(self._all * self._all - self._same, np.float32)

    def apart(self) -> F32:
        """Over pairs of different passages and different groups of distances."""
        return np.asarray(self.passages() - (self._groups * self._groups).sum(axis=0) + self._own, np.float32)


def _pooled(plane: F32, unit: float) -> F32:
    """Mean over a neighbourhood, by a quarter of the size: the powers are smooth."""
    height, width = plane.shape
    small = cv2.resize(plane, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), POOL_PX * unit / 4)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def agreement(
    detail: F32, room: F32, unit: float, at: tuple[slice, slice] = (slice(None), slice(None))
) -> tuple[F32, F32]:
    """How strongly one frame shows the room's detail, window by window, and how well.

    Args:
        detail: (h, w) float32 of the frame.
        room: (h, w) float32, the room's detail at some scale; 0 where it is not known.
        unit: rows / 720.
        at: rows and columns of the middles of the windows that are asked for; all, if not given.

    Returns:
        Both float32, over windows of :data:`WINDOW_PX`: their ratio by least squares, and their correlation,
        -1 to 1; 0 where the room's detail has less than :data:`LEAST_POWER`.
    """
    side = 2 * round(WINDOW_PX * unit / 2) + 1

    def mean(plane: F32) -> F32:
        return np.asarray(cv2.boxFilter(plane, -1, (side, side))[at], np.float32)

    cross, own, shown = mean(detail * room), mean(room * room), mean(detail * detail)
    known = own > LEAST_POWER
    ratio = np.where(known, cross / np.maximum(own, LEAST_POWER), 0)
    r = np.where(known, cross / np.sqrt(np.maximum(own * shown, np.float32(1e-6))), 0)
    return ratio.astype(np.float32), r.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Views:
    """What single frames showed of the room's detail, on a coarse grid; :meth:`add` fills it.

    Attributes:
        best: (h, w) float32: the largest ratio of a frame's detail to the room's among the frames that clearly show it.
        clear, against: (h, w) float32: frames that clearly show it (correlation above :data:`AGREES`), and that clearly
            show its opposite, which only chance does.
        nearest, farthest: (h, w) float32: px to the mask, over the frames that clearly show it.
    """

    best: F32
    clear: F32
    against: F32
    nearest: F32
    farthest: F32

    @classmethod
    def none(cls, size: tuple[int, int]) -> Views:
        """Of no frame yet."""
        best, clear, against = (np.zeros(size, np.float32) for _ in range(3))
        return cls(best, clear, against, np.full(size, np.inf, np.float32), np.full(size, -np.inf, np.float32))

    def add(self, where: tuple[slice, slice], ratio: F32, r: F32, distance: F32) -> None:
        """Add one frame: planes of the part ``where`` of the grid; distance is NaN where the frame says nothing."""
        told = np.isfinite(distance)
        clear = told & (r > AGREES)
        np.maximum(self.best[where], np.where(clear, ratio, 0), out=self.best[where])
        self.clear[where] += clear
        self.against[where] += told & (r < -AGREES)
        np.minimum(self.nearest[where], np.where(clear, distance, np.inf), out=self.nearest[where])
        np.maximum(self.farthest[where], np.where(clear, distance, -np.inf), out=self.farthest[where])

    @property
    def span(self) -> F32:
        """(h, w) float32: px between the nearest and the farthest; 0 where nothing was clear."""
        return np.where(self.clear > 0, self.farthest - self.nearest, 0).astype(np.float32)


def scales(best: F32, clear: F32, spacing: float) -> F32:
    """What the detail must be multiplied with to have its true contrast, place by place.

    Where the fringe lies, part of the frames show the person instead, and how many differs from place to place: the
    detail, a mean, is too small by as much. The frame that shows a place best does so nearly wholly
    (:data:`BEST_SHOWN`), so the largest ratio of a frame's detail to the mean is the scale, but for that.

    Args:
        best: (h, w) float32: the largest ratio over the frames; see :class:`Views`.
        clear: (h, w) float32: in how many frames the detail was clear.
        spacing: px at 720 rows between the samples.

    Returns:
        (h, w) float32, within :data:`SCALES`; smooth; of its neighbours where nothing was clear, and
        the usual (:data:`USUAL_SCALE`) where nothing was at all.
    """
    weight = np.minimum(clear / np.float32(ENOUGH_FRAMES), 1)
    if not weight.any():
        return np.full(best.shape, USUAL_SCALE, np.float32)
    logs = np.log(np.maximum(best, np.float32(0.1)) / np.float32(BEST_SHOWN)).astype(np.float32)
    usual = np.float32(np.median(logs[weight >= min(1, weight.max())]))
    sigma = SCALE_PX / spacing
    summed = cv2.GaussianBlur(logs * weight, (0, 0), sigma) + np.float32(PRIOR) * usual
    smooth = summed / (cv2.GaussianBlur(weight, (0, 0), sigma) + np.float32(PRIOR))
    return np.clip(np.exp(smooth), *SCALES).astype(np.float32)


def enlarged(samples: F32, grid: int, size: tuple[int, int]) -> F32:
    """Samples (h, w) taken at every ``grid``-th pixel, bilinear between them, (H, W) float32.

    Args:
        size: height and width, px.
    """
    move = np.array([[1 / grid, 0, 0], [0, 1 / grid, 0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    whole = cv2.warpAffine(
        np.ascontiguousarray(samples), move, size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(whole, np.float32)
