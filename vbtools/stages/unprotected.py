"""Where frames show the room as it is: extract's regions, told in the plate's pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vbtools.store.reader import Reader

WHOLE_FROM = 0.5
"""A region of this share of the picture is told as the picture: what it leaves out shows the person, or nothing."""
COVERED = 0.5
"""Share of a region that is the person from which it shows the person: a product that finds somebody a little late
blurs them until then, and what turns sharp is they themselves."""
MOSTLY = 0.5
"""Share of a glimpse's frames in which that must be so: just then masks fail."""
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


def open_regions(project: Reader) -> list[dict[str, Any]]:
    """Where each unprotected frame shows the room as it is: :func:`regions` but for those that show only the person.

    A region that is most of the picture is the picture: before another room, what it leaves out shows something too.

    Raises:
        StageMissingError: extract has not been run.
    """
    height, width = _size(project)
    whole = {"x": 0.0, "y": 0.0, "width": float(width), "height": float(height)}
    return [
        one | whole if one["width"] * one["height"] >= WHOLE_FROM * height * width else one
        for one in _of_the_room(project, regions(project))
    ]


def unprotected_frames(project: Reader) -> list[dict[str, Any]]:
    """Every region of every unprotected frame, sharpest first; without those that show only the person of the call.

    Returns:
        ``row``, ``index``, ``time`` (s), ``sharpness`` (ratio), the box in the plate's pixels, and ``whole``, 1 where
        the region is most of the picture. The camera's motion is followed as far as an affine map tells it; a frame
        that align left out keeps its own coordinates.

    Raises:
        StageMissingError: extract has not been run.
    """
    found = _of_the_room(project, regions(project))
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


def _of_the_room(project: Reader, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The regions but for glimpses of the person; all of them where there are no masks, or not any more."""
    if not found or not project.has("segment", "person") or project.missing_bulk("segment"):
        return found
    height, width = _size(project)
    persons = {row: _largest(project, row) for row in {one["row"] for one in found}}
    kept = []
    for glimpse in _glimpses(found):
        whole = any(one["width"] * one["height"] >= WHOLE_FROM * height * width for one in glimpse)
        covered = [_covered(persons[one["row"]], one, height, width) >= COVERED for one in glimpse]
        if whole or sum(covered) < MOSTLY * len(covered):
            kept += glimpse
    return kept


def _glimpses(found: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Regions that overlap from one frame to the next, together."""
    open_: list[list[dict[str, Any]]] = []
    all_: list[list[dict[str, Any]]] = []
    for one in sorted(found, key=lambda region: region["row"]):
        open_ = [glimpse for glimpse in open_ if glimpse[-1]["row"] >= one["row"] - 1]
        goes_on = next((g for g in open_ if g[-1]["row"] < one["row"] and _touch(g[-1], one)), None)
        if goes_on is None:
            goes_on = []
            open_.append(goes_on)
            all_.append(goes_on)
        goes_on.append(one)
    return all_


def _touch(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(
        one[at] < other[at] + other[side] and other[at] < one[at] + one[side]
        for at, side in (("x", "width"), ("y", "height"))
    )


def _largest(project: Reader, row: int) -> Any:
    """(h, w) bool: the largest piece of a frame's mask: another one may be a second person, whom nobody may see."""
    import cv2
    import numpy as np

    from vbtools.ops.masks import level

    record = project.record("aggregate")
    limit = level(float(record.parameters["threshold"]) if record else 0.3)
    person = (project.dataset("segment", "person")[row] >= limit).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(person)
    if count == 1:
        return person > 0
    return labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())


def _covered(person: Any, region: dict[str, Any], height: int, width: int) -> float:
    """Share of a region, 0-1, that the person covers."""
    rows, columns = person.shape[0] / height, person.shape[1] / width
    top, left = int(region["y"] * rows), int(region["x"] * columns)
    bottom = max(top + 1, round((region["y"] + region["height"]) * rows))
    right = max(left + 1, round((region["x"] + region["width"]) * columns))
    return float(person[top:bottom, left:right].mean())


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
