"""Non-local means of uint8 planes, the same bytes as OpenCV's ``fastNlMeansDenoising`` in a third of its time.

Buades, Coll, Morel, "Non-Local Means Denoising", Image Processing On Line 1, 2011. A pixel becomes the average of those
in a window around it, each weighed by how alike the surroundings of both are. Two pixels are as alike from either side:
each pair is compared once and counts for both. OpenCV compares it twice, and one value at a time.

What is OpenCV's own, and kept to give the same bytes: borders that are mirrored, weights in fixed point, and a division
of the distance by the next power of two above the number of pixels compared, for which the weights' table makes up.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.compiled import njit

U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]

BAND_ROWS = 64
"""Rows that a thread works on at a time: their sums stay near the processor."""
LEAST_WEIGHT = 0.001
"""Of the largest; less counts as nothing."""
_MOST = 2**31 - 1
_WHITE = 255


def denoised(planes: U8, strength: float, template: int, search: int) -> U8:
    """All planes together: pixels are alike if they are in all of them.

    Args:
        planes: ``(C, H, W)`` uint8.
        strength: how far surroundings may differ and count, grey levels, 0 or more.
        template: side of the surroundings that are compared, px, odd, 31 at most.
        search: side of the window that is searched, px, odd, 101 at most.

    Returns:
        ``(C, H, W)`` uint8.

    Memory beyond the result: a copy with borders of ``template // 2 + search // 2`` px, and for each thread
    ``4 + 4 C`` bytes a pixel of :data:`BAND_ROWS` rows.
    """
    height = planes.shape[1]
    around, away = template // 2, search // 2
    side = around + away
    mirrored = np.stack([cv2.copyMakeBorder(plane, side, side, side, side, cv2.BORDER_REFLECT_101) for plane in planes])
    weights, shift = _weights(strength, template, search, len(planes))
    clean = np.empty(planes.shape, np.uint8)

    def work(top: int) -> None:
        _band(mirrored, weights, shift, around, away, top, min(top + BAND_ROWS, height), clean)

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(cores, thread_name_prefix="denoise") as pool:
        for _ in pool.map(work, range(0, height, BAND_ROWS)):
            pass
    return clean


def _weights(strength: float, template: int, search: int, channels: int) -> tuple[U32, int]:
    """The weight of each sum of squared differences, and by how many bits the sum is shifted before it is looked up."""
    largest = _MOST // (search * search * _WHITE)
    compared = template * template
    shift = (compared - 1).bit_length()
    step = (1 << shift) / compared
    scale = float(np.float32(strength) * np.float32(strength) * np.float32(channels))
    weights = np.zeros(int(_WHITE * _WHITE * channels / step + 1), np.uint32)
    for place in range(len(weights)):
        weight = round(largest * math.exp(-place * step / scale)) if scale else largest * (place == 0)
        if weight < LEAST_WEIGHT * largest:
            break  # and so is every weight from here on
        weights[place] = weight
    return weights, shift


def warm_up() -> None:
    """Load the compiled functions."""
    denoised(np.zeros((1, 1, 1), np.uint8), 1.0, 1, 3)


# Numbers of 64 bits would halve what the processor does at once, and NumPy's rules make them of two of 32 bits: hence
# the many conversions. Unsigned ones need no look whether an index is negative. And only of the last axis of a whole
# array does numba know that neighbours are neighbours: so rows are cut out where they are used.


@njit(nogil=True, cache=True, error_model="numpy")
def _add(columns: Any, mirrored: Any, y: int, begin: int, down: int, right: int) -> None:
    """Add the squared differences of a row, from ``begin`` on, and the one so far from it."""
    for c in range(len(mirrored)):
        one = mirrored[c, y, begin : begin + len(columns)]
        other = mirrored[c, y + down, begin + right : begin + right + len(columns)]
        for x in range(len(columns)):
            difference = np.int32(one[x]) - np.int32(other[x])
            columns[x] += np.uint32(difference * difference)


@njit(nogil=True, cache=True, error_model="numpy")
def _take_off(columns: Any, mirrored: Any, y: int, begin: int, down: int, right: int) -> None:
    """Undo :func:`_add`."""
    for c in range(len(mirrored)):
        one = mirrored[c, y, begin : begin + len(columns)]
        other = mirrored[c, y + down, begin + right : begin + right + len(columns)]
        for x in range(len(columns)):
            difference = np.int32(one[x]) - np.int32(other[x])
            columns[x] -= np.uint32(difference * difference)


@njit(nogil=True, cache=True, error_model="numpy")
def _look_up(found: Any, columns: Any, template: int, shift: int, weights: Any) -> None:
    """The weight of each pixel, from the sums of so many columns around it."""
    if template == 7:
        for x in range(len(found)):
            found[x] = np.uint32(
                columns[x]
                + columns[x + 1]
                + columns[x + 2]
                + columns[x + 3]
                + columns[x + 4]
                + columns[x + 5]
                + columns[x + 6]
            ) >> np.uint32(shift)
    else:
        found[:] = 0
        for column in range(template):
            part = columns[column : column + len(found)]
            for x in range(len(found)):
                found[x] += part[x]
        for x in range(len(found)):
            found[x] = found[x] >> np.uint32(shift)
    for x in range(len(found)):
        found[x] = weights[found[x]]


@njit(nogil=True, cache=True, error_model="numpy")
def _weigh(counts: Any, sums: Any, row: int, place: int, found: Any, mirrored: Any, y: int, left: int) -> None:
    """Add weights to a row of counts, from ``place`` on, and what they weigh, from ``left`` on, to that of sums."""
    count = counts[row, place : place + len(found)]
    for x in range(len(found)):
        count[x] += found[x]
    for c in range(len(mirrored)):
        weighed, value = sums[c, row, place : place + len(found)], mirrored[c, y, left : left + len(found)]
        for x in range(len(found)):
            weighed[x] += found[x] * np.uint32(value[x])


@njit(nogil=True, cache=True, error_model="numpy")
def _divide(counts: Any, sums: Any, away: int, own: Any, mirrored: Any, top: int, border: int, clean: Any) -> None:
    """The result's rows from ``top`` on; a pixel counts itself with its own weight, and half is rounded up."""
    for c in range(len(sums)):
        for y in range(len(counts)):
            for x in range(clean.shape[2]):
                count = np.uint32(counts[y, x + away] + own)
                itself = own * np.uint32(mirrored[c, top + y + border, x + border])
                clean[c, top + y, x] = np.uint8(
                    (np.uint32(sums[c, y, x + away] + itself) + count // np.uint32(2)) // count
                )


@njit(nogil=True, cache=True, error_model="numpy")
def _band(mirrored: Any, weights: Any, shift: int, around: int, away: int, top: int, bottom: int, clean: Any) -> None:
    """Rows ``top:bottom`` of the result.

    For each shift by (down, right), half of the window, and each pixel of which it or the one so far from it is in the
    band: ``left`` and ``width`` are where these pixels are in a mirrored row.
    """
    channels, across, rows = clean.shape[0], clean.shape[2], bottom - top
    border, template = around + away, 2 * around + 1
    sums = np.zeros((channels, rows, across + 2 * away), np.uint32)
    counts = np.zeros((rows, across + 2 * away), np.uint32)
    all_columns = np.empty(across + away + 2 * around, np.uint32)
    all_found = np.empty(across + away, np.uint32)
    for down in range(away + 1):
        for right in range(1 if down == 0 else -away, away + 1):
            left, width = border - max(0, right), across + abs(right)
            columns, found = all_columns[: width + 2 * around], all_found[:width]
            begin = left - around
            columns[:] = 0
            for y in range(top - down + away, top - down + away + template - 1):
                _add(columns, mirrored, y, begin, down, right)
            for y in range(top - down, bottom):
                _add(columns, mirrored, y + away + template - 1, begin, down, right)
                _look_up(found, columns, template, shift, weights)
                if y >= top:
                    _weigh(counts, sums, y - top, begin, found, mirrored, y + border + down, left + right)
                if y + down < bottom:
                    _weigh(counts, sums, y + down - top, begin + right, found, mirrored, y + border, left)
                _take_off(columns, mirrored, y + away, begin, down, right)
    _divide(counts, sums, away, weights[0], mirrored, top, border, clean)
