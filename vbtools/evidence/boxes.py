"""Where frames show the room as it is, as parts of arrays of one's own size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Box = tuple[slice, slice]
"""Rows and columns."""


def boxes_by_row(
    regions: Iterable[Mapping[str, Any]], full: tuple[int, int], size: tuple[int, int]
) -> dict[int, list[Box]]:
    """By ``row``, each region's part of an array of another size.

    Args:
        regions: ``row``, and ``x``, ``y``, ``width``, ``height`` in px.
        full: (H, W) of what they are regions of, px.
        size: (H, W) of the array.
    """
    down, across = (small / whole for small, whole in zip(size, full, strict=True))
    boxes: dict[int, list[Box]] = {}
    for one in regions:
        rows = slice(round(one["y"] * down), round((one["y"] + one["height"]) * down))
        columns = slice(round(one["x"] * across), round((one["x"] + one["width"]) * across))
        boxes.setdefault(one["row"], []).append((rows, columns))
    return boxes
