"""Regions of a picture, and grids coarser (or finer) than the picture, read at the picture's own pixels.

A grid of ``gh x gw`` samples covers the whole ``H x W`` picture: sample ``i`` lies at pixel ``(i + 0.5) W / gw - 0.5``
(the convention of ``cv2.resize``). Interpolation is bilinear in whole numbers, so that a pixel gets the same value
whichever region it is computed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbtools.ops.compiled import njit

I32 = NDArray[np.int32]

_WEIGHT = 128  # steps between two samples: finer than a flow or a mask resolves, and 16 bits times its square fit in 31
_SHIFT = 14  # _WEIGHT * _WEIGHT == 1 << _SHIFT


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of pixels: rows ``y0 <= y < y1``, columns ``x0 <= x < x1``."""

    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def height(self) -> int:
        """Rows, px."""
        return self.y1 - self.y0

    @property
    def width(self) -> int:
        """Columns, px."""
        return self.x1 - self.x0

    @property
    def pixels(self) -> int:
        """Area, px; 0 where it is empty."""
        return max(self.height, 0) * max(self.width, 0)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns as an index."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def grown(self, margin: int) -> Region:
        """The region with ``margin`` px more on each side; may reach outside the picture."""
        return Region(self.y0 - margin, self.y1 + margin, self.x0 - margin, self.x1 + margin)

    def clipped(self, size: tuple[int, int]) -> Region:
        """The part within a picture of ``size`` (H, W); ``pixels`` is 0 where nothing is."""
        height, width = size
        y0, x0 = min(max(self.y0, 0), height), min(max(self.x0, 0), width)
        return Region(y0, max(y0, min(self.y1, height)), x0, max(x0, min(self.x1, width)))

    def within(self, outer: Region) -> tuple[slice, slice]:
        """Where this region lies in an array that holds ``outer``."""
        return (
            slice(self.y0 - outer.y0, self.y1 - outer.y0),
            slice(self.x0 - outer.x0, self.x1 - outer.x0),
        )


def whole(size: tuple[int, int]) -> Region:
    """The region that is the whole picture of ``size`` (H, W)."""
    return Region(0, size[0], 0, size[1])


def samples_for(region: Region, grid: tuple[int, int], size: tuple[int, int]) -> Region:
    """The samples of a grid that :func:`interpolate` needs for a region of the picture.

    Args:
        region: pixels, within the picture.
        grid: (gh, gw) samples.
        size: (H, W) of the picture, px.
    """
    rows = _axis(region.y0, region.y1, grid[0], size[0])
    columns = _axis(region.x0, region.x1, grid[1], size[1])
    return Region(int(rows[0].min()), int(rows[1].max()) + 1, int(columns[0].min()), int(columns[1].max()) + 1)


def interpolate(
    samples: NDArray[Any], held: Region, grid: tuple[int, int], size: tuple[int, int], region: Region
) -> I32:
    """Bilinear values of a grid at the pixels of a region; the border sample is repeated outwards.

    Args:
        samples: (h', w', C) uint8 or int16: the part ``held`` of the grid.
        held: which samples those are; at least :func:`samples_for` of the region.
        grid: (gh, gw) of the whole grid.
        size: (H, W) of the picture that the grid covers.
        region: the pixels wanted.

    Returns:
        (region.height, region.width, C) int32, in the samples' unit, rounded half up.

    Raises:
        ValueError: wrong shape or dtype, or ``held`` leaves out a sample that is needed.
    """
    if samples.ndim != 3 or samples.shape[:2] != (held.height, held.width):
        raise ValueError(f"samples are {samples.shape}; give ({held.height}, {held.width}, C)")
    if samples.dtype not in (np.dtype(np.uint8), np.dtype(np.int16)):
        raise ValueError(f"samples are {samples.dtype}; give uint8 or int16")
    rows = _axis(region.y0, region.y1, grid[0], size[0])
    columns = _axis(region.x0, region.x1, grid[1], size[1])
    for (low, high, _), first, last in ((rows, held.y0, held.y1), (columns, held.x0, held.x1)):
        if low.min() < first or high.max() >= last:
            raise ValueError(f"samples {held} do not reach {region} of a {grid} grid over {size}")
    out = np.empty((region.height, region.width, samples.shape[2]), np.int32)
    _bilinear(
        np.ascontiguousarray(samples),
        rows[0] - held.y0, rows[1] - held.y0, rows[2], columns[0] - held.x0, columns[1] - held.x0, columns[2], out,
    )  # fmt: skip
    return out


def at_least(
    samples: NDArray[np.uint8], held: Region, grid: tuple[int, int], size: tuple[int, int], region: Region, level: int
) -> NDArray[np.bool_]:
    """Where :func:`interpolate` gives at least ``level``, for a stack of grids, in a tenth of the time.

    Args:
        samples: (t, h', w') uint8: the part ``held`` of each grid.
        held, grid, size, region: as there.
        level: 0..256.

    Returns:
        (t, region.height, region.width) bool.
    """
    rows, columns = _axis(region.y0, region.y1, grid[0], size[0]), _axis(region.x0, region.x1, grid[1], size[1])
    out = np.empty((len(samples), region.height, region.width), np.bool_)
    vertical = rows[0] - np.int32(held.y0), rows[1] - np.int32(held.y0), rows[2]
    horizontal = columns[0] - np.int32(held.x0), columns[1] - np.int32(held.x0), columns[2]
    spans = _spans(region.x0, region.x1, grid[1], size[1])
    _at_least(np.ascontiguousarray(samples), vertical, horizontal, spans, level, out)
    return out


@lru_cache(maxsize=512)
def _axis(start: int, stop: int, samples: int, pixels: int) -> tuple[I32, I32, I32]:
    """Lower sample, upper sample and the upper one's weight (0.._WEIGHT) of pixels ``start:stop`` along one axis."""
    position = (2 * np.arange(start, stop, dtype=np.int64) + 1) * samples - pixels  # in units of 1 / (2 pixels)
    low = position // (2 * pixels)
    weight = ((position - low * 2 * pixels) * _WEIGHT + pixels) // (2 * pixels)
    bounded = [np.clip(index, 0, samples - 1).astype(np.int32) for index in (low, low + 1)]
    return bounded[0], bounded[1], weight.astype(np.int32)


@lru_cache(maxsize=512)
def _spans(start: int, stop: int, samples: int, pixels: int) -> I32:
    """Where along pixels ``start:stop`` another pair of samples begins, counted from ``start``; the end comes last."""
    low, high, _ = _axis(start, stop, samples, pixels)
    changes = np.flatnonzero(np.diff(low) | np.diff(high)) + 1
    return np.concatenate([[0], changes, [stop - start]]).astype(np.int32)


@njit(nogil=True, cache=True)
def _at_least(samples, rows, columns, spans, level, out):
    """Compare with ``level`` what :func:`_bilinear` would give; between two samples that agree, all pixels do."""
    (top, bottom, down), (left, right, along) = rows, columns
    one, half = np.int32(_WEIGHT), np.int32(1 << (_SHIFT - 1))
    width, count = samples.shape[2], len(spans) - 1
    row = np.empty(width, np.int32)
    beyond = np.empty(width, np.bool_)
    for t in range(len(samples)):
        for y in range(out.shape[1]):
            upper, lower, v = samples[t, top[y]], samples[t, bottom[y]], down[y]
            any_beyond = False
            for x in range(width):
                row[x] = np.int32(upper[x]) * (one - v) + np.int32(lower[x]) * v
                beyond[x] = (row[x] * one + half) >> _SHIFT >= level
                any_beyond |= beyond[x]
            line = out[t, y]
            line[:] = False  # most of most pictures is
            span = 0 if any_beyond else count
            while span < count:
                before, after = beyond[left[spans[span]]], beyond[right[spans[span]]]
                begin = spans[span]
                span += 1
                if before and after:
                    while span < count and beyond[left[spans[span]]] and beyond[right[spans[span]]]:
                        span += 1  # painted at once
                    line[begin : spans[span]] = True
                elif before or after:
                    for x in range(begin, spans[span]):
                        u = along[x]
                        line[x] = (row[left[x]] * (one - u) + row[right[x]] * u + half) >> _SHIFT >= level


@njit(nogil=True, cache=True)
def _bilinear(samples, top, bottom, down, left, right, along, out):
    """Fill ``out (h, w, C)``: the four samples around each pixel, weighted in whole numbers; rows first."""
    one, half = np.int32(_WEIGHT), np.int32(1 << (_SHIFT - 1))
    columns, channels = samples.shape[1], samples.shape[2]
    row = np.empty((columns, channels), np.int32)
    for y in range(out.shape[0]):
        upper, lower, v = samples[top[y]], samples[bottom[y]], down[y]
        for x in range(columns):
            for c in range(channels):
                row[x, c] = np.int32(upper[x, c]) * (one - v) + np.int32(lower[x, c]) * v
        line = out[y]
        for x in range(out.shape[1]):
            u, before, after = along[x], left[x], right[x]
            for c in range(channels):
                line[x, c] = (row[before, c] * (one - u) + row[after, c] * u + half) >> _SHIFT
