"""The room that the person's edge had shown by each moment of a call; see :mod:`vbtools.evidence.timeline`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vbtools.evidence.boxes import Box, boxes_by_row
from vbtools.evidence.edges import Edge, Edges
from vbtools.ops.fringe import BINS
from vbtools.ops.growth import Growth, Incidence
from vbtools.ops.showing import fringe_of, needed, opacity_by_bin, opacity_of
from vbtools.stages.aggregate import AggregateParams
from vbtools.stages.unprotected import unprotected_frames

if TYPE_CHECKING:
    from vbtools.stages.base import Progress
    from vbtools.store.reader import Reader

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

SEGMENT_S = 1.0
"""s of a segment of the call: a head's sway takes longer, a codec's repetition does not."""
MARKS_S = (1.0, 5.0, 10.0, 30.0, 60.0)
"""s after which everyone is told the share."""
POINTS = 40
"""Of the measured curve, evenly over the call."""
BELIEVED = 0.8
"""Confidence from which a place's detail is taken for the room's."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How much had been shown when.

    Attributes:
        seconds: s, the call's length, its last frame's own time included.
        measured: (s, share) of the room that the person ever left free, in order of time; the last is at the end.
        growth: what the call's segments of :data:`SEGMENT_S` saw.
        unprotected: frames that show the room as it is.
        believed: somewhere the detail is taken for the room's.
    """

    seconds: float
    measured: list[tuple[float, float]]
    growth: Growth
    unprotected: int
    believed: bool


def shown(inputs: Reader, least: float, progress: Progress) -> Shown:
    """Count what the edge had shown by when, at a reduced size; reads the masks twice.

    Args:
        inputs: a project with extract, segment, align and an aggregate of method leak.
        least: exposure, 0-1, from which a pixel counts as shown.
        progress: counts frames.
    """
    edges = Edges(inputs, _threshold(inputs))
    progress.start(2 * edges.count, "frames")
    counts, room = _counted(edges, progress)
    room &= edges.shrunk(inputs.array("aggregate", "overlays") > 0) < 0.5
    exposure = np.clip(edges.shrunk(inputs.array("aggregate", "exposure")), 0, 1)
    fringe = fringe_of(edges.shrunk(inputs.array("aggregate", "support")), counts)
    opacity = opacity_of(exposure, counts, fringe)
    needs = needed(exposure, counts, opacity, least)
    times = np.asarray(inputs.array("extract", "time"), np.float64)
    start, step = float(times[0]), float(np.median(np.diff(times))) if len(times) > 1 else SEGMENT_S
    length = float(times[-1]) - start + step
    open_boxes, rows = _open_boxes(inputs, edges)
    table, seen, curve = opacity_by_bin(opacity), Incidence(room, SEGMENT_S), _Curve(length)
    for edge in edges:
        now = edge.time_s - start
        curve.until(now, seen)
        seen.add((table[edge.bins] >= needs) | _unprotected(edge, open_boxes), now)
        progress.advance()
    curve.until(np.inf, seen)
    believed = bool((inputs.array("aggregate", "confidence") >= BELIEVED).any())
    return Shown(length, curve.points, seen.growth(length), rows, believed)


class _Curve:
    """The share at moments evenly over the call, and at the marks that lie within it."""

    def __init__(self, length: float) -> None:
        moments = {*np.linspace(0, length, POINTS + 1)[1:-1].tolist(), *(m for m in MARKS_S if m < length), length}
        self._left = sorted(moments)
        self.points: list[tuple[float, float]] = []

    def until(self, now: float, seen: Incidence) -> None:
        """Note the share at every moment that a frame at ``now`` s is not part of any more."""
        while self._left and self._left[0] <= now + 1e-9:
            self.points.append((float(self._left.pop(0)), seen.share()))


def _counted(edges: Edges, progress: Progress) -> tuple[NDArray[np.uint32], Mask]:
    """In how many frames each pixel lay at each distance, (BINS, h, w), and where the person ever left it free."""
    counts = np.zeros((BINS, *edges.size), np.uint32)
    free = np.zeros(edges.size, np.bool_)
    for edge in edges:
        y, x = np.nonzero(edge.bins < BINS)
        counts[edge.bins[y, x], y, x] += 1
        free |= edge.free
        progress.advance()
    return counts, free


def _open_boxes(inputs: Reader, edges: Edges) -> tuple[dict[int, list[Box]], int]:
    """By row, the regions that frames show as they are, at the reduced size; and how many such frames there are."""
    if not inputs.has("extract", "unprotected"):
        return {}, 0
    boxes = boxes_by_row(unprotected_frames(inputs), edges.full, edges.size)
    return boxes, len(boxes)


def _unprotected(edge: Edge, boxes: dict[int, list[Box]]) -> Mask:
    """Where a frame shows the room as it is, (h, w) bool."""
    found = np.zeros(edge.free.shape, np.bool_)
    for box in boxes.get(edge.row, ()):
        found[box] = edge.free[box]
    return found


def _threshold(inputs: Reader) -> float:
    """Person probability from which aggregate took a pixel for the person's."""
    record = inputs.record("aggregate")
    return float((record.parameters if record else {}).get("threshold", AggregateParams().threshold))
