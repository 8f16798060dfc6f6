"""A large picture through a function that takes small ones: tiles that overlap, blended where they meet."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

OVERLAP = 32
"""px that a tile sees beyond its own part, on each side. Real-ESRGAN's animevideov3, 18 convolutions of 3x3 one after
the other, looks 18 px far, so that what is blended is exact (:data:`BLENDED`)."""
BLENDED = 3 / 8
"""Share of the overlap, on either side of a seam, over which one tile fades into the other. What fades has seen at
least 5/8 of the overlap beyond itself: 20 px of 32."""


def spans(length: int, most: int, overlap: int = OVERLAP) -> list[tuple[int, int]]:
    """The fewest ranges of equal length, at most ``most``, that cover ``length``; neighbours share ``2 * overlap``.

    Raises:
        ValueError: ``most`` leaves nothing between two overlaps.
    """
    if length <= most:
        return [(0, length)]
    own = most - 2 * overlap
    if own <= 0:
        raise ValueError(f"tiles of {most} px cannot overlap by {overlap} px on each side")
    count = math.ceil((length - 2 * overlap) / own)
    side = min(most, math.ceil((length - 2 * overlap) / count) + 2 * overlap)
    starts = [round(i * (length - side) / (count - 1)) for i in range(count)]
    return [(start, start + side) for start in starts]


def side_for(height: int, width: int, pixels: int, overlap: int = OVERLAP) -> tuple[int, int] | None:
    """Height and width of the tiles that make the least work, each of at most so many pixels.

    Returns:
        None where the whole picture has no more than that. Where not even the smallest sensible tile, four overlaps
        wide and high, has so few, that tile: there is no smaller way.
    """
    if height * width <= pixels:
        return None
    least = 4 * overlap
    found: tuple[float, int, int] = (math.inf, min(height, least), min(width, least))
    for down in range(1, math.ceil(height / (2 * overlap)) + 1):
        for across in range(1, math.ceil(width / (2 * overlap)) + 1):
            tile = (_side(height, down, overlap), _side(width, across, overlap))
            if tile[0] * tile[1] <= pixels and min(tile) >= min(least, height, width):
                found = min(found, (float(down * across * tile[0] * tile[1]), *tile))
    return found[1], found[2]


def in_tiles(
    image: Floats, run: Callable[[Floats], Floats], tile: tuple[int, int], scale: int = 1, overlap: int = OVERLAP
) -> Floats:
    """Run a function over tiles of a picture and blend what it gives.

    Exact (but for rounding) where the function looks no farther than 5/8 of the overlap.

    Args:
        image: ``(H, W, C)`` float32.
        run: takes a part of it, returns ``(h * scale, w * scale, C')``.
        tile: the largest height and width, px, that ``run`` is given.
        scale: pixels of the result per pixel of the picture.
        overlap: px that a tile sees beyond its own part, on each side.

    Returns:
        ``(H * scale, W * scale, C')`` float32.
    """
    height, width = image.shape[:2]
    rows, columns = spans(height, tile[0], overlap), spans(width, tile[1], overlap)
    if len(rows) == len(columns) == 1:
        return run(image)
    down, across = _weights(rows, height, scale), _weights(columns, width, scale)
    whole: Floats | None = None
    for (top, bottom), vertical in zip(rows, down, strict=True):
        for (left, right), horizontal in zip(columns, across, strict=True):
            part = run(np.ascontiguousarray(image[top:bottom, left:right]))
            if whole is None:
                whole = np.zeros((height * scale, width * scale, part.shape[2]), np.float32)
            place = whole[top * scale : bottom * scale, left * scale : right * scale]
            place += part * vertical[:, None, None] * horizontal[None, :, None]
    if whole is None:
        raise ValueError("a picture without pixels has no tiles")
    return whole


def fades(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Where neighbours fade into each other: from, to; between these every pixel is of one tile alone."""
    found = []
    for (_, end), (start, _) in pairwise(ranges):
        middle, half = (start + end) / 2, max(1.0, BLENDED * (end - start) / 2)
        found.append((math.ceil(middle - half), math.floor(middle + half)))
    return found


def _weights(ranges: list[tuple[int, int]], length: int, scale: int) -> list[Floats]:
    """Of each range, the weight of each of its pixels; the weights of all that cover a pixel add up to 1."""
    middles = (np.arange(length * scale, dtype=np.float64) + 0.5) / scale
    rises = []
    for start, stop in fades(ranges):
        share = np.clip((middles - start) / max(stop - start, 1), 0.0, 1.0)
        rises.append(share * share * (3.0 - 2.0 * share))  # no crease where a fade begins
    found = []
    for index, (start, stop) in enumerate(ranges):
        weight = np.ones_like(middles)
        if index > 0:
            weight *= rises[index - 1]
        if index < len(rises):
            weight *= 1.0 - rises[index]
        found.append(weight[start * scale : stop * scale].astype(np.float32))
    return found


def _side(length: int, count: int, overlap: int) -> int:
    """The side of ``count`` equal tiles over a length."""
    return length if count == 1 else math.ceil((length - 2 * overlap) / count) + 2 * overlap
