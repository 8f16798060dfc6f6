"""Means over a grid of cells, quickly."""

from __future__ import annotations

from typing import Any

import cv2
from numpy.typing import NDArray


def means(plane: NDArray[Any], grid: tuple[int, int]) -> NDArray[Any]:
    """Mean of each cell.

    OpenCV's area interpolation is several times as fast where the sides divide evenly, so the few rows and columns
    over (less than one a cell) are left out, half at each edge.

    Args:
        plane: ``(h, w)`` uint8 or float32.
        grid: cells across and down; a plane with fewer pixels is enlarged.

    Returns:
        ``(rows, columns)`` of the plane's dtype.
    """
    h, w = plane.shape
    columns, rows = grid
    if w >= columns and h >= rows:
        top, left = h % rows, w % columns
        plane = plane[top // 2 : h - (top + 1) // 2, left // 2 : w - (left + 1) // 2]
    return cv2.resize(plane, grid, interpolation=cv2.INTER_AREA)
