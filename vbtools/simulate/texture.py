"""Surfaces with fine structure, and the one formula by which a thing lies over another."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Color = tuple[int, int, int]
Texture = Callable[[int, int, float], NDArray[np.float32]]
"""Makes (rows, columns, 3) float32, 0-255, for rows, columns and pixels per reference pixel."""


def over(top: NDArray[np.uint8], bottom: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Blend ``top`` over ``bottom``: round((alpha top + (255 - alpha) bottom) / 255), exactly.

    Where ``alpha`` is 0 the result is ``bottom`` to the bit, where it is 255 ``top``.

    Args:
        top, bottom: (H, W, 3) uint8.
        alpha: (H, W) uint8.

    Returns:
        (H, W, 3) uint8, a new array. Costs about 5 ns per value and 4 bytes per value of passing memory.
    """
    weight = cv2.merge((alpha, alpha, alpha)).astype(np.uint16)
    total = weight * top
    np.subtract(255, weight, out=weight)
    weight *= bottom
    total += weight
    total += 128  # x / 255 rounded is ((x + 128) + ((x + 128) >> 8)) >> 8 for every x up to 65025
    np.right_shift(total, 8, out=weight)
    total += weight
    total >>= 8
    return total.astype(np.uint8)


def noise(rng: np.random.Generator, rows: int, columns: int, cell: tuple[float, float]) -> NDArray[np.float32]:
    """Smooth noise of mean 0 and standard deviation about 1; ``cell`` is the size of its grains (rows, columns)."""
    grid = (max(2, round(rows / cell[0]) + 2), max(2, round(columns / cell[1]) + 2))
    values = rng.standard_normal(grid).astype(np.float32)
    return np.asarray(cv2.resize(values, (columns, rows), interpolation=cv2.INTER_CUBIC), np.float32)


def plaster(rng: np.random.Generator, color: Color) -> Texture:
    """A painted wall: clouds, roller marks and grain."""

    def make(rows: int, columns: int, scale: float) -> NDArray[np.float32]:
        height = 2.5 * noise(rng, rows, columns, (160 * scale, 220 * scale))
        height += 1.2 * noise(rng, rows, columns, (14 * scale, 14 * scale))
        height += 2.2 * noise(rng, rows, columns, (2.2 * scale, 2.2 * scale))
        height += 1.8 * noise(rng, rows, columns, (1.1 * scale, 1.1 * scale))
        return np.array(color, np.float32) + height[..., None]

    return make


def wood(rng: np.random.Generator, color: Color, *, upright: bool = False, contrast: float = 1.0) -> Texture:
    """Planed wood, its grain along the rows or, ``upright``, along the columns."""

    def make(rows: int, columns: int, scale: float) -> NDArray[np.float32]:
        h, w = (columns, rows) if upright else (rows, columns)
        bend = noise(rng, h, w, (40 * scale, 200 * scale)) * 3 * scale
        across = np.arange(h, dtype=np.float32)[:, None] + bend
        rings = np.sin(across / (2.6 * scale)) + 0.6 * np.sin(across / (1.1 * scale) + 1)
        fibres = noise(rng, h, w, (0.8 * scale, 30 * scale))
        tone = contrast * (4.5 * rings + 6.0 * fibres + 7.0 * noise(rng, h, w, (18 * scale, 160 * scale)))
        if upright:
            tone = tone.T
        return np.array(color, np.float32) * (1 + tone[..., None] / 140.0)

    return make


def paper(rng: np.random.Generator, color: Color) -> Texture:
    """Paper: nearly flat, with a slight curl of light."""

    def make(rows: int, columns: int, scale: float) -> NDArray[np.float32]:
        fibre = 1.3 * noise(rng, rows, columns, (1.5 * scale, 1.5 * scale))
        curl = np.linspace(3.0, -5.0, rows, dtype=np.float32)[:, None]
        return np.array(color, np.float32) + (fibre + curl)[..., None]

    return make


def cloth(rng: np.random.Generator, color: Color) -> Texture:
    """Book cloth: a weave, worn a little."""

    def make(rows: int, columns: int, scale: float) -> NDArray[np.float32]:
        weave = 3.0 * noise(rng, rows, columns, (0.7 * scale, 0.7 * scale))
        worn = 5.0 * noise(rng, rows, columns, (30 * scale, 8 * scale))
        return np.array(color, np.float32) + (weave + worn)[..., None]

    return make


def daylight(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """How a room is lit: a window out of the picture throws a patch of light, corners are darker.

    Returns:
        (height, width, 3) float32 factors of 0.5 to 1.15, warmer where the lamp shines.
    """
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    side = float(rng.choice([-1.0, 1.0]))
    fall = 0.94 + 0.07 * side * x - 0.05 * y - 0.09 * (x * x + y * y) / 2
    lamp = np.exp(-(((x - 0.5) / 0.33) ** 2 + ((y + 0.9) / 0.8) ** 2)) * 0.16
    slope = 0.35 * side
    patch = _band(x + slope * y, -0.78 * side, 0.26) * _band(y + 0.12 * x, -0.35, 0.42)
    bars = 1 - 0.6 * _band(x + slope * y, -0.78 * side, 0.012)
    light = fall + 0.10 * patch * bars
    return np.asarray(light[..., None] + lamp[..., None] * np.array([1.0, 0.86, 0.62], np.float32), np.float32)


def _band(value: NDArray[np.float32], middle: float, half: float) -> NDArray[np.float32]:
    """1 within ``half`` of ``middle``, 0 outside, with soft edges."""
    return np.asarray(0.5 - 0.5 * np.tanh((np.abs(value - middle) - half) / 0.016), np.float32)
