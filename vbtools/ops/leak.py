"""From the fringe's sums to the room's detail: opacity, detail, its strength, all without knowing the product.

The detail h of a pixel in frame t is ``a_t H + noise``, with the room's detail H and the opacity a_t, which depends on the
distance to the mask. One pixel seen at several distances gives ratios of opacities, many pixels together give them
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

F32 = NDArray[np.float32]

WINDOW_PX = 13.0
"""Side, px at 720 rows, of the windows in which one frame's opacity is measured: some letters."""
AGREES = 0.6
"""Correlation from which a frame is said to show the room's detail in a window."""
LEAST_POWER = 0.5
"""Grey levels squared of the room's detail, unscaled, below which a window says nothing."""
BEST_SHOWN = 0.4
"""Opacity at which the frame that shows a place best does so: a little less than at the middle of a feathered edge."""
ENOUGH_FRAMES = 4
"""Frames that clearly show a place, for the best of them to count fully."""
SCALE_PX = 12.0
"""Sigma, px at 720 rows, over which scales are averaged."""
PRIOR = 0.03
"""Weight of the clip's usual scale against a place's own, in samples at full weight."""
USUAL_SCALE = 3.0
LARGEST_SCALE = 8.0
ROUNDS = 8
"""Of the factorisation; the opacities then change by less than 0.01."""
RIDGE = 0.3
"""Added to the summed squared opacity, so that what was hardly seen says little."""
POOL_PX = 10.0
"""Sigma, px at 720 rows, over which powers are averaged: a few letters, about as wide as a fringe."""
HALF_PASSAGE = 1.0
"""Summed squared opacity at which a passage counts half; it has frames enough, and only its own error stays."""
APART_PRIOR = 0.02
"""Added to the weight of pairs at different distances: where there are hardly any, nothing is known to agree."""
NOISE_FLOOR = 0.25
"""Least variance of a passage's error, grey levels squared: 8-bit rounding and coding after a second's mean."""


@dataclass(frozen=True, slots=True)
class Detail:
    """The room's detail, before its scale is known.

    Attributes:
        plain: (H, W) float32: weighted mean over passages.
        best: (H, W) float32: the same, weakened so far that its power is the signal's.
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

    Where the person covers a plate that has detail of its own, ``C - P`` holds minus that detail, the same in all frames;
    what a bin holds of it beyond nothing is put back first.

    Args:
        total: (K, B, h, w) float32: sums of detail by group of time and distance.
        count: as ``total``: of how many frames.
        plate_detail: (h, w) float32.
    """
    groups, bins = total.shape[:2]
    opacity = np.full(bins, RIDGE, np.float32)
    covered = [_covered(total[:, b], count[:, b], plate_detail) for b in range(bins)]
    for _ in range(ROUNDS):
        summed = np.zeros((groups, *total.shape[2:]), np.float32)
        weight = np.zeros_like(summed)
        for b in range(bins):
            for k in range(groups):
                summed[k] += opacity[b] * (total[k, b] + covered[b] * count[k, b] * plate_detail)
                weight[k] += opacity[b] ** 2 * count[k, b]
        all_summed, all_weight = summed.sum(axis=0), weight.sum(axis=0)
        cross, own = np.zeros(bins), np.zeros(bins)
        for k in range(groups):
            others = (all_summed - summed[k]) / (all_weight - weight[k] + np.float32(RIDGE))
            power = others * others
            for b in range(bins):
                cross[b] += float(np.vdot(total[k, b] + covered[b] * count[k, b] * plate_detail, others))
                own[b] += float(np.vdot(count[k, b], power))
        opacity = np.maximum(cross / np.maximum(own, 1e-6), 0).astype(np.float32)
        strongest = float(opacity.max())
        if strongest <= 0:
            return np.zeros(bins, np.float32)
        opacity /= np.float32(strongest)
    return opacity


def _covered(total: F32, count: F32, plate_detail: F32) -> np.float32:
    """Share of a bin's frames that hid the plate's own detail, 0-1."""
    seen = count.sum(axis=0)
    power = float(np.vdot(seen * plate_detail, plate_detail))
    missing = -float(np.vdot(total.sum(axis=0), plate_detail))
    return np.float32(np.clip(missing / max(power, 1e-3), 0, 1))


def uncover(total: F32, weight: F32, plate_detail: F32, unit: float) -> None:
    """Put the plate's own detail back where the person's covering took it out of the sums; in place.

    A leak adds to what the plate shows and never weakens it: what the sums hold, locally, of minus the plate's detail is
    the person's doing.

    Args:
        total, weight: (P, G, H, W) float32, as :func:`vbtools.ops.fringe.add_to_passages` makes them.
        plate_detail: (H, W) float32.
        unit: rows / 720.
    """
    cross = _pooled(total.sum(axis=(0, 1)) * plate_detail, unit)
    own = _pooled(weight.sum(axis=(0, 1)) * plate_detail * plate_detail, unit)
    missing = np.minimum(cross / np.maximum(own, np.float32(1e-3)), 0)
    for one, its_weight in zip(total, weight, strict=True):
        one -= missing * its_weight * plate_detail


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
    return replace(found, best=plain * np.sqrt(found.share))  # a Wiener filter's root: contrast is kept, not lessened


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


def exposures(detail: F32, room: F32, believed: NDArray[np.bool_], unit: float) -> tuple[F32, NDArray[np.bool_]]:
    """How strongly one frame shows the room's detail, window by window, where it clearly does.

    Args:
        detail: (h, w) float32 of the frame.
        room: (h, w) float32, the room's detail at some scale.
        believed: (h, w) bool: where that is known.
        unit: rows / 720.

    Returns:
        Their ratio (h, w) float32, by least squares over a window of :data:`WINDOW_PX`; and where the two agree well
        enough (:data:`AGREES`) for it to mean an opacity.
    """
    side = 2 * round(WINDOW_PX * unit / 2) + 1
    room = np.where(believed, room, np.float32(0))

    def mean(plane: F32) -> F32:
        return np.asarray(cv2.boxFilter(plane, -1, (side, side)), np.float32)

    cross, own, shown = mean(detail * room), mean(room * room), mean(detail * detail)
    clear = believed & (own > LEAST_POWER) & (cross > AGREES * np.sqrt(np.maximum(own * shown, 0)))
    return np.asarray(cross / np.maximum(own, LEAST_POWER), np.float32), clear


def scales(best: F32, clear: F32, spacing: float) -> F32:
    """What the detail must be multiplied with to have its true contrast, place by place.

    Where the fringe lies, part of the frames show the person instead, and how many differs from place to place: the
    detail, a mean, is too small by as much. The frame that shows a place best does so nearly wholly
    (:data:`BEST_SHOWN`), so the largest ratio of a frame's detail to the mean is the scale, but for that.

    Args:
        best: (h, w) float32: the largest ratio over the frames, from :func:`exposures`.
        clear: (h, w) float32: in how many frames there was one.
        spacing: px at 720 rows between the samples.

    Returns:
        (h, w) float32, within 1 and :data:`LARGEST_SCALE`; smooth; of its neighbours where nothing was clear, and
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
    return np.clip(np.exp(smooth), 1, LARGEST_SCALE).astype(np.float32)
