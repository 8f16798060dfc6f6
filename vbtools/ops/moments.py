"""Sums of the picture over frames: what lies far from the person, and how the luminance varies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbtools.ops.compiled import njit

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Moments:
    """Mean and spread of the luminance over frames, of each pixel.

    Sums are whole numbers, so that nothing depends on the order; they hold 16 million frames.

    Args:
        size: (H, W), px.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.sum, self.count = np.zeros(size, np.uint32), np.zeros(size, np.uint32)
        self.squares = np.zeros(size, np.uint64)

    def deviation(self) -> F32:
        """(H, W) float32, grey levels."""
        count = np.maximum(self.count, 1)
        return np.sqrt(np.maximum(self.squares / count - (self.sum / count) ** 2, 0)).astype(np.float32)

    def without(self, part: Moments, enough: int) -> tuple[F32, Mask]:
        """The mean (H, W) float32 of the frames that are not in a part of these, and where they are enough."""
        count = self.count - part.count
        mean = (self.sum - part.sum) / np.maximum(count, 1)
        return mean.astype(np.float32), count >= enough


class Sums:
    """What the frames show, all of it and far from the person.

    Attributes:
        total: (H, W, 3) uint32: the colours far from the person.
        whole, away: moments of the luminance of all that was seen, and of what is far from the person.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.total = np.zeros((*size, 3), np.uint32)
        self.whole, self.away = Moments(size), Moments(size)

    def add(self, pixels: U8, gray: U8, seen: U8 | None, far: U8) -> None:
        """Add a frame.

        Args:
            pixels: (H, W, 3) uint8 RGB.
            gray: (H, W) uint8, its luminance.
            seen: (H, W) uint8, 1 where the frame reaches; None: everywhere.
            far: (H, W) uint8, 1 far from the person, and seen.
        """
        whole, away = self.whole, self.away
        if seen is None:
            whole.count += np.uint32(1)
            _add(gray, whole.sum, whole.squares)
        else:
            _add_where(gray, seen, whole.sum, whole.squares, whole.count)
        _add_colours(pixels, far, self.total)
        _add_where(gray, far, away.sum, away.squares, away.count)


@njit(nogil=True, cache=True)
def _add(gray: Any, total: Any, squares: Any) -> None:
    for y in range(gray.shape[0]):
        for x in range(gray.shape[1]):
            value = np.uint32(gray[y, x])
            total[y, x] += value
            squares[y, x] += value * value


@njit(nogil=True, cache=True)
def _add_where(gray: Any, mask: Any, total: Any, squares: Any, count: Any) -> None:
    for y in range(gray.shape[0]):
        for x in range(gray.shape[1]):
            value = np.uint32(gray[y, x]) * np.uint32(mask[y, x])
            total[y, x] += value
            squares[y, x] += value * value
            count[y, x] += np.uint32(mask[y, x])


@njit(nogil=True, cache=True)
def _add_colours(pixels: Any, mask: Any, total: Any) -> None:
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            if mask[y, x]:
                for c in range(3):
                    total[y, x, c] += pixels[y, x, c]
