"""From a soft person probability to the pixels that count as the person."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.compiled import njit
from vbtools.ops.grid import at_least, whole

U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_MOST_RUNS = 16  # a row, on average; a mask with more holes than that is grown pixel by pixel
_EIGHT_TRUE = np.uint64(0x0101010101010101)


def person_mask(probability: U8, size: tuple[int, int], threshold: float, dilate: int) -> Mask:
    """The pixels of a frame that are taken as the person.

    Args:
        probability: (h, w) uint8, person probability x 255, on any grid that covers the frame.
        size: (H, W) of the frame, px.
        threshold: probability, 0..1, from which (inclusive) a pixel is the person's; probability 0 never is.
        dilate: radius, px of the frame, by which the person is grown: an ellipse as OpenCV draws it.

    Returns:
        (H, W) bool, True on the person.

    Raises:
        ValueError: wrong shape or dtype, a threshold outside 0..1, or a negative radius.
    """
    if probability.ndim != 2 or probability.dtype != np.uint8:
        raise ValueError(f"probability is {probability.dtype} {probability.shape}; give uint8 (h, w)")
    least = level(threshold)
    if probability.shape == size:
        return dilated(probability >= least, dilate)
    grid = probability.shape[0], probability.shape[1]
    return dilated(at_least(probability[None], whole(grid), grid, size, whole(size), least)[0], dilate)


def level(threshold: float) -> int:
    """The least stored value, 1..255, that a threshold of 0..1 takes as the person.

    Raises:
        ValueError: a threshold outside 0..1.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}; give 0 to 1")
    return max(1, math.ceil(round(threshold * 255, 6)))


def dilated(person: Mask, radius: int) -> Mask:
    """Grow a mask (h, w) bool by a radius in px, with an ellipse; beyond the border there is no person.

    A stack of masks (t, h, w) is grown each by itself, in one call of compiled code.

    Raises:
        ValueError: a negative radius.
    """
    if radius < 0:
        raise ValueError(f"the radius is {radius}; give at least 0 px")
    if radius == 0 or not person.size:
        return person
    height, width = person.shape[-2:]
    rows = person.reshape(-1, width).view(np.uint8)
    if width % 8 or not rows.flags.c_contiguous:
        padded = np.zeros((len(rows), -(-width // 8) * 8), np.uint8)
        padded[:, :width] = rows
        rows = padded
    begins, ends, first = _runs(rows, rows.view(np.uint64), _MOST_RUNS * len(rows))
    if first[-1] < 0:
        masks = person.reshape(-1, height, width).view(np.uint8)
        return np.stack([_dilate(mask, radius) for mask in masks]).reshape(person.shape).astype(bool)
    painted = np.zeros((len(rows), width), np.bool_)
    _paint(begins, ends, first, _half_widths(radius), height, painted)
    return painted.reshape(person.shape)


def _dilate(person: U8, radius: int) -> U8:
    return np.asarray(cv2.dilate(person, _ellipse(radius), borderType=cv2.BORDER_CONSTANT, borderValue=0))


@cache
def _ellipse(radius: int) -> Any:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


@cache
def _half_widths(radius: int) -> NDArray[np.int64]:
    """How far each row of the ellipse, from top to bottom, reaches to either side of its middle, px."""
    widths: NDArray[np.int64] = (np.asarray(_ellipse(radius)).sum(axis=1, dtype=np.int64) - 1) // 2
    return widths


@njit(nogil=True, cache=True)
def _runs(person, eights, most):
    """The runs of each row: where they begin and end (exclusive), and the first of each row; -1 last if too many.

    ``eights`` are the same bytes as ``person``, eight at a time.
    """
    height, width = person.shape
    begins, ends = np.empty(most, np.int64), np.empty(most, np.int64)
    first = np.empty(height + 1, np.int64)
    count = 0
    for y in range(height):
        first[y] = count
        row, eight = person[y], eights[y]
        x = 0
        while x < width:
            while x < width and not row[x]:
                x += 8 if x % 8 == 0 and eight[x // 8] == 0 else 1
            if x == width:
                break
            if count == most:
                first[height] = -1
                return begins, ends, first
            begins[count] = x
            while x < width and row[x]:
                x += 8 if x % 8 == 0 and eight[x // 8] == _EIGHT_TRUE else 1
            ends[count] = x
            count += 1
    first[height] = count
    return begins, ends, first


@njit(nogil=True, cache=True)
def _paint(begins, ends, first, half_widths, height, painted):
    """Paint, row by row, the union of what the ellipse's rows make of the runs around it.

    ``height``: so many rows are one mask; the next ones are another.
    """
    rows, width = painted.shape
    radius = len(half_widths) // 2
    lows, highs = np.empty(len(begins), np.int64), np.empty(len(begins), np.int64)
    for y in range(rows):
        count, top = 0, y - y % height
        for row in range(max(top, y - radius), min(top + height, y + radius + 1)):
            reach = half_widths[row - y + radius]
            for run in range(first[row], first[row + 1]):
                low, high = max(0, begins[run] - reach), min(width, ends[run] + reach)
                at = 0  # into the first stretch that it touches; what follows and is touched too is taken in
                while at < count and highs[at] < low:
                    at += 1
                if at < count and lows[at] <= high:
                    lows[at], highs[at] = min(lows[at], low), max(highs[at], high)
                    while at + 1 < count and lows[at + 1] <= highs[at]:
                        highs[at] = max(highs[at], highs[at + 1])
                        for later in range(at + 1, count - 1):
                            lows[later], highs[later] = lows[later + 1], highs[later + 1]
                        count -= 1
                    continue
                for later in range(count, at, -1):
                    lows[later], highs[later] = lows[later - 1], highs[later - 1]
                lows[at], highs[at] = low, high
                count += 1
        for at in range(count):
            painted[y, lows[at] : highs[at]] = True
