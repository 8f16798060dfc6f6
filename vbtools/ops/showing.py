"""By which distances to the mask the room was shown, and how strongly, from what the leak aggregator stored of it.

Aggregate stores, per pixel, in how many frames the fringe lay over it and the largest opacity; not the opacity by
distance. But the frames at each distance can be counted again: the bins that make up the stored support are the fringe,
and pixels that came no nearer to the mask than one of these bins tell the opacity there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vbtools.ops.fringe import BINS, OUTSIDE

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

LEAST_PIXELS = 30
"""Fewer pixels tell nothing of an opacity."""
PART_OF_IT = 0.5
"""A bin of whose frames so many are in the stored support belongs to the fringe."""
RIDGE = 1e-3
"""Against bins that always come together, as a share of the mean square."""
ROUNDS = 200


def fringe_of(support: F32, counts: NDArray[np.uint32]) -> Mask:
    """Which bins of distance make up the fringe, (BINS,) bool.

    Args:
        support: (h, w) float32: frames in which the fringe lay over the pixel.
        counts: (BINS, h, w) uint32: frames in which it was in each bin.
    """
    near = counts.any(axis=0)
    design, seen = counts[:, near].astype(np.float64), support[near].astype(np.float64)
    if not seen.any():
        return np.zeros(BINS, np.bool_)
    square = design @ design.T
    square += RIDGE * max(np.trace(square) / BINS, 1e-9) * np.eye(BINS)
    weight, wanted = np.full(BINS, 0.5), design @ seen
    for _ in range(ROUNDS):  # coordinate descent of the least squares within 0-1
        for b in range(BINS):
            rest = wanted[b] - square[b] @ weight + square[b, b] * weight[b]
            weight[b] = np.clip(rest / square[b, b], 0, 1)
    chosen = (weight > PART_OF_IT) & counts.any(axis=(1, 2))
    if not chosen.any():
        chosen[int(np.argmax(weight))] = True
    return np.asarray(chosen)


def opacity_of(exposure: F32, counts: NDArray[np.uint32], fringe: Mask) -> F32:
    """The room's opacity by distance, (BINS,) float32; 0 outside the fringe, nowhere rising with the distance.

    A place that the person came to lie over was seen at all distances, nearest ones included, so only those that the
    edge did not come so near to tell the farther ones apart.

    Args:
        exposure: (h, w) float32, 0-1: the largest opacity of each pixel.
        counts, fringe: see :func:`fringe_of`.
    """
    bins = np.flatnonzero(fringe)
    opacity = np.zeros(BINS, np.float32)
    unclaimed = np.ones(exposure.shape, np.bool_)
    for b in bins:
        nearest = unclaimed & (counts[b] > 0)
        unclaimed &= ~nearest
        told = exposure[nearest]
        opacity[b] = told.mean() if len(told) >= LEAST_PIXELS else 0
    opacity[bins] = np.maximum.accumulate(opacity[bins][::-1])[::-1]
    if len(bins) and opacity.max() <= 0:
        opacity[bins] = exposure.max()
    return opacity


def needed(exposure: F32, counts: NDArray[np.uint32], opacity: F32, least: float) -> F32:
    """The opacity (of those by distance) at which a pixel was shown at ``least`` or more, (h, w) float32; inf: never.

    Every pixel has an exposure of its own, which its strongest frame gave it; other frames gave it as much less as
    their distances say.
    """
    strongest = np.zeros(exposure.shape, np.float32)
    for b in np.flatnonzero(opacity > 0):
        np.maximum(strongest, opacity[b] * (counts[b] > 0), out=strongest)
    shown = (exposure >= least) & (exposure > 0) & (strongest > 0)
    rounding = np.float32(1 - 1e-5)  # else a pixel at exactly the least would never be shown
    part = np.divide(np.float32(least) * strongest, exposure, out=np.zeros_like(strongest), where=shown)
    return np.where(shown, rounding * part, np.inf).astype(np.float32)


def opacity_by_bin(opacity: F32) -> F32:
    """The same as a table for every value of a bin, (256,) float32; 0 for :data:`vbtools.ops.fringe.OUTSIDE`."""
    table = np.zeros(OUTSIDE + 1, np.float32)
    table[: len(opacity)] = opacity
    return table
