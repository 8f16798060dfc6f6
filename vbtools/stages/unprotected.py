"""Where frames show the room as it is: extract's regions, told in the plate's pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vbtools.store.reader import Reader

WHOLE_FROM = 0.5
"""A region of this share of the picture is told as the picture: what it leaves out shows the person, or nothing."""
_BOX = ("x", "y", "width", "height")


def regions(project: Reader) -> list[dict[str, Any]]:
    """The regions of all unprotected frames: ``row``, ``x, y, width, height`` in px of the frames, ``sharpness``.

    A frame of which extract stored no region is one region as a whole.

    Raises:
        StageMissingError: extract has not been run.
    """
    stored = project.table("extract", "regions") if project.has("extract", "regions") else []
    told = {one["row"] for one in stored}
    marked, sharpness = project.array("extract", "unprotected"), project.array("extract", "sharpness")
    rest = [row for row in marked.nonzero()[0].tolist() if row not in told]
    if not rest:
        return stored
    height, width = _size(project)
    box = {"x": 0.0, "y": 0.0, "width": float(width), "height": float(height)}
    return [*stored, *({"row": row, **box, "sharpness": float(sharpness[row])} for row in rest)]


def unprotected_frames(project: Reader) -> list[dict[str, Any]]:
    """Every region of every unprotected frame, sharpest first.

    Returns:
        ``row``, ``index``, ``time`` (s), ``sharpness`` (ratio), the box in the plate's pixels, and ``whole``, 1 where
        the region is most of the picture. The camera's motion is followed as far as an affine map tells it; a frame
        that align left out keeps its own coordinates.

    Raises:
        StageMissingError: extract has not been run.
    """
    found = regions(project)
    if not found:
        return []
    time, index = project.array("extract", "time"), project.array("extract", "index")
    height, width = _size(project)
    maps = project.array("align", "transform") if project.has("align", "transform") else None
    rows = []
    for one in found:
        row = one["row"]
        box = tuple(one[side] for side in _BOX)
        if maps is not None and row < len(maps):
            box = _on_plate(box, maps[row], height, width)
        share = box[2] * box[3] / (height * width)
        rows.append({
            "row": row, "index": int(index[row]), "time": float(time[row]), "sharpness": one["sharpness"],
            **dict(zip(_BOX, box, strict=True)), "whole": int(share >= WHOLE_FROM),
        })  # fmt: skip
    return sorted(rows, key=lambda row: -row["sharpness"])


def _on_plate(box: tuple[float, ...], to_frame: Any, height: int, width: int) -> tuple[float, ...]:
    """The box around what a frame's box shows, in the plate's pixels; the same where the map is not known."""
    import numpy as np

    if not np.isfinite(to_frame).all():
        return box
    x, y, w, h = box
    corners = np.array([[x, y], [x + w, y], [x, y + h], [x + w, y + h]])
    on_plate = (corners - to_frame[:, 2]) @ np.linalg.inv(to_frame[:, :2]).T
    low, high = on_plate.min(axis=0).clip(0, (width, height)), on_plate.max(axis=0).clip(0, (width, height))
    return tuple(float(v) for v in (*low, *(high - low)))


def _size(project: Reader) -> tuple[int, int]:
    """Height and width of the frames, px; the plate has the same."""
    if project.has("aggregate", "coverage"):
        height, width = project.dataset("aggregate", "coverage").shape
    else:
        height, width = project.dataset("extract", "frames").shape[1:3]
    return int(height), int(width)
