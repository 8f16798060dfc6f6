"""Where the person's edge lay in each frame, as the leak aggregator sees it; at a reduced size, without pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops import fringe
from vbtools.ops.masks import level
from vbtools.ops.warp import decode_flow

if TYPE_CHECKING:
    from vbtools.store.reader import Reader

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

ROWS = 360
"""Rows that are looked at: 2 px at 720 rows, as fine as the bins of distance, and finer than the segmenter's masks."""
BLOCK = 16
"""Frames that are read at a time: a stored chunk."""
NEAR = fringe.EDGES_PX[-1]


@dataclass(frozen=True, slots=True)
class Edge:
    """One frame.

    Attributes:
        row: of the project's frames.
        time_s: s.
        bins: (h, w) uint8: the bin of distance to the person (:mod:`vbtools.ops.fringe`); OUTSIDE where in none.
        free: (h, w) bool: within the frame and not the person's.
    """

    row: int
    time_s: float
    bins: U8
    free: Mask


class Edges:
    """All frames that align could use, in order of time; each iteration reads the masks anew.

    Args:
        inputs: a project with extract, segment and align.
        threshold: person probability, 0-1, from which a pixel is the person's; aggregate's.
    """

    def __init__(self, inputs: Reader, threshold: float) -> None:
        self._person: Any = inputs.dataset("segment", "person")
        self._flow: Any = inputs.dataset("align", "flow") if inputs.has("align", "flow") else None
        motion = "homography" if inputs.has("align", "homography") else "transform"
        self._motion = np.asarray(inputs.array("align", motion), np.float64)
        self._used = np.asarray(inputs.array("align", "used")) != 0
        self._time = np.asarray(inputs.array("extract", "time"), np.float64)
        height, width = (int(side) for side in inputs.dataset("extract", "frames").shape[1:3])
        scale = min(1.0, ROWS / height)
        self.full = (height, width)
        self.size = (max(1, round(height * scale)), max(1, round(width * scale)))
        self._level = level(threshold)

    @property
    def count(self) -> int:
        """How many frames are used."""
        return int(self._used.sum())

    def __iter__(self) -> Iterator[Edge]:
        for start in range(0, len(self._used), BLOCK):
            used = self._used[start : start + BLOCK]
            if used.any():
                block = np.asarray(self._person[start : start + BLOCK])
                yield from (self._edge(start + int(row), block[row]) for row in np.flatnonzero(used))

    def shrunk(self, plane: NDArray[Any]) -> F32:
        """A plane (H, W) of the plate at the reduced size, float32, each pixel a mean."""
        return np.asarray(cv2.resize(plane.astype(np.float32), self.size[::-1], interpolation=cv2.INTER_AREA))

    def _edge(self, row: int, probability: U8) -> Edge:
        small = cv2.resize(probability, self.size[::-1], interpolation=cv2.INTER_LINEAR)
        warped, seen = self._on_plate(row, small)
        person = ((warped >= self._level) & seen).astype(np.uint8)
        return Edge(row, float(self._time[row]), self._bins(person, seen), (person == 0) & seen)

    def _bins(self, person: U8, seen: Mask) -> U8:
        bins = np.full(self.size, fringe.OUTSIDE, np.uint8)
        unit = self.size[0] / 720
        box = fringe.box_around(person, int(np.ceil(NEAR * unit)) + 1)
        if box is None or person.all():
            return bins
        distance = fringe.signed_distance(np.ascontiguousarray(person[box.slices]))
        part = np.empty(distance.shape, np.uint8)
        fringe.bins_of(distance, np.float32(unit), np.array(fringe.EDGES_PX, np.float32), part)
        bins[box.slices] = part
        bins[~seen] = fringe.OUTSIDE
        return bins

    def _on_plate(self, row: int, small: U8) -> tuple[U8, Mask]:
        """A frame's plane in the plate's coordinates, and where the frame reaches."""
        if self._flow is None and np.array_equal(self._motion[row], np.eye(*self._motion.shape[1:])):
            return small, np.ones(self.size, np.bool_)
        x, y = self._positions(row)
        height, width = self.size
        seen = (x >= -0.5) & (y >= -0.5) & (x <= width - 0.5) & (y <= height - 0.5)
        return np.asarray(cv2.remap(small, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8), seen

    def _positions(self, row: int) -> tuple[F32, F32]:
        """Where the plate's pixels lie in a frame, both at the reduced size, (h, w) float32 each."""
        height, width = self.size
        across, down = self.full[1] / width, self.full[0] / height
        x, y = np.meshgrid((np.arange(width) + 0.5) * across - 0.5, (np.arange(height) + 0.5) * down - 0.5)
        if self._flow is not None:
            flow = cv2.resize(decode_flow(np.asarray(self._flow[row])), (width, height))
            to_x, to_y = x + flow[..., 0], y + flow[..., 1]
        else:
            to_x, to_y = _moved(self._motion[row], x, y)
        return ((to_x + 0.5) / across - 0.5).astype(np.float32), ((to_y + 0.5) / down - 0.5).astype(np.float32)


def _moved(motion: F64, x: F64, y: F64) -> tuple[F64, F64]:
    """Points through a (2, 3) transform or a (3, 3) homography; far away where they lie behind the camera."""
    to_x, to_y = (line[0] * x + line[1] * y + line[2] for line in motion[:2])
    if len(motion) == 2:
        return to_x, to_y
    depth = motion[2, 0] * x + motion[2, 1] * y + motion[2, 2]
    depth = np.where(depth > 1e-6, depth, 1e-9)
    return np.clip(to_x / depth, -1e6, 1e6), np.clip(to_y / depth, -1e6, 1e6)
