"""Frames of a recording made smaller by a whole factor, each pixel the mean of those that it covers.

OpenCV's area interpolation sums up one value after another, and for a picture in colour it needs all of the large one
converted to RGB first, of which most is thrown away again.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.compiled import njit

U8 = NDArray[np.uint8]

BT601 = (104597, 132201, 25675, 53279)
BT709 = (117489, 138438, 13975, 34925)
"""What red chroma adds to red, blue chroma to blue, and what blue and red chroma take from green, in 1/65536, for Y of
16..235: from ITU-R BT.601 and BT.709, as FFmpeg rounds them."""
_LUMA = 76309
"""255/219 in 1/65536."""


def third(plane: U8) -> U8:
    """A plane at a third of both sides, ``(H // 3, W // 3)`` uint8: just what area interpolation gives.

    A ninth is never half way between two grey levels, so that both round alike.

    Args:
        plane: ``(H, W)`` uint8; rows and columns beyond a multiple of three are left out.
    """
    small = np.empty((plane.shape[0] // 3, plane.shape[1] // 3), np.uint8)
    _third(plane, small)
    return small


def half_rgb(luma: U8, blue: U8, red: U8, matrix: tuple[int, int, int, int], *, full: bool) -> U8:
    """A 4:2:0 picture at half of both sides, ``(h, w, 3)`` uint8 RGB, 0..255.

    The same as swscale's RGB of the large one after area interpolation, in a quarter of the time: the large one is
    never written. swscale computes in 16 bits here, each product rounded down, so that all is 1 level too dark; that is
    done alike, since other sizes go through swscale.

    Args:
        luma: ``(2 h, 2 w)`` uint8 Y.
        blue, red: ``(h, w)`` uint8 U and V.
        matrix: :data:`BT601` or :data:`BT709`.
        full: Y, U and V are 0..255, not 16..235 and 16..240.

    Raises:
        ValueError: shapes that do not fit.
    """
    if luma.shape != (2 * blue.shape[0], 2 * blue.shape[1]) or blue.shape != red.shape:
        raise ValueError(f"luma {luma.shape} needs chroma of half its sides, not {blue.shape} and {red.shape}")
    wide = [1 << 16, *(part * 224 // 255 for part in matrix)] if full else [_LUMA, *matrix]
    factors = np.array([(part + 4) >> 3 for part in wide], np.int16)
    planes = np.empty((3, *blue.shape), np.uint8)
    _half_rgb(luma, blue, red, factors, np.int16(0 if full else 8 * 16), planes)
    return np.asarray(cv2.merge(list(planes)), np.uint8)


def warm_up() -> None:
    """Load the kernels, or compile them where they never were."""
    whole = np.full((8, 8), 128, np.uint8)
    for luma, chroma in ((whole, whole[:4, :4].copy()), (whole[:4, :4], whole[:2, :2])):  # with and without padding
        third(luma)
        half_rgb(luma, chroma, chroma, BT601, full=True)


@njit(nogil=True, cache=True)
def _third(plane: Any, small: Any) -> None:
    height, width = small.shape
    sums = np.empty(3 * width, np.uint16)
    for y in range(height):
        above, at, below = plane[3 * y], plane[3 * y + 1], plane[3 * y + 2]
        for x in range(3 * width):
            sums[x] = np.uint16(np.uint16(above[x]) + np.uint16(at[x]) + np.uint16(below[x]))
        for x in range(width):
            whole = np.uint32(sums[3 * x]) + np.uint32(sums[3 * x + 1]) + np.uint32(sums[3 * x + 2])
            small[y, x] = (whole + np.uint32(4)) // np.uint32(9)


@njit(nogil=True, cache=True)
def _product(eighths: Any, factor: Any) -> Any:
    """Upper half of the product of two 16-bit numbers."""
    return np.int16((np.int32(eighths) * np.int32(factor)) >> 16)


@njit(nogil=True, cache=True)
def _mean_of_four(four: Any, added: Any, mean: Any) -> None:
    """Four rows (4, w) with the same added to each, within 0..255, and their mean (w,)."""
    for x in range(len(added)):
        total = np.int16(2)
        for k in range(4):
            total = np.int16(total + min(max(np.int16(four[k, x] + added[x]), np.int16(0)), np.int16(255)))
        mean[x] = np.uint16(total) >> np.uint16(2)


@njit(nogil=True, cache=True)
def _half_rgb(luma: Any, blue: Any, red: Any, factors: Any, black: Any, planes: Any) -> None:
    """``black``: the luma of black, in eighths; ``planes``: (3, h, w) uint8, R, G and B."""
    height, width = blue.shape
    four = np.empty((4, width), np.int16)
    added = np.empty((3, width), np.int16)
    for y in range(height):
        for k in range(4):
            row, left = luma[2 * y + k // 2], k % 2
            for x in range(width):
                four[k, x] = _product(np.int16(np.int16(row[2 * x + left]) * 8 - black), factors[0])
        for x in range(width):
            u = np.int16(np.int16(blue[y, x]) * 8 - 1024)
            v = np.int16(np.int16(red[y, x]) * 8 - 1024)
            added[0, x] = _product(v, factors[1])
            added[1, x] = _product(u, np.int16(-factors[3])) + _product(v, np.int16(-factors[4]))
            added[2, x] = _product(u, factors[2])
        for channel in range(3):
            _mean_of_four(four, added[channel], planes[channel, y])
