"""The person's edge in every frame of a clip, for readings one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops import fringe, halo
from vbtools.ops.detail import LUMA
from vbtools.ops.masks import level

if TYPE_CHECKING:
    from vbtools.backends.aggregate.observations import Frames, Observations
    from vbtools.backends.aggregate.tiles import AggregateJob

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
T = TypeVar("T")

KEPT_BYTES = 128_000_000
"""Of edges that are kept from one reading to the next: 5 s of 640x360, so that longer clips need hardly more memory
(``bench/memory.py --aggregate leak``: 1.06 times from 150 to 1500 frames; 1.13 with half as much again)."""


@dataclass(frozen=True, slots=True)
class Clip:
    """The clip that is read, again and again."""

    job: AggregateJob
    seen: Observations
    time: NDArray[np.float64]

    @property
    def unit(self) -> float:
        """Rows / 720: lengths scale with the frame."""
        return self.seen.size[0] / 720

    def each(self, work: Callable[[Frame], T], first: int = 0) -> Iterator[tuple[Frame, T]]:
        """Every frame with what ``work`` makes of it, in order of time; a block of them at once, in two threads.

        Args:
            work: called with each frame.
            first: number of the first frame that is wanted.
        """
        limit = level(self.job.params.threshold)
        with ThreadPoolExecutor(2, thread_name_prefix="leak") as pool:
            for block in self.seen.whole_frames(first):
                frames = [_frame(block, row, self.time, limit) for row in range(len(block.rows))]
                wanted = [frame for frame in frames if frame.number >= first]
                for frame, made in zip(wanted, pool.map(work, wanted), strict=True):
                    yield frame, made
                    self.job.progress.advance()


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: its number among those used, time (s), pixels, person probability, mask, what lies in the frame."""

    number: int
    time_s: float
    pixels: U8
    probability: U8
    person: U8
    seen: Mask | None


def _frame(block: Frames, row: int, time: NDArray[np.float64], limit: int) -> Frame:
    probability = block.person[row]
    person = (probability >= limit).astype(np.uint8)
    seen = None if block.seen is None else block.seen[row]
    return Frame(block.first + row, float(time[block.rows[row]]), block.frames[row], probability, person, seen)


@dataclass(frozen=True, slots=True)
class Edge:
    """The surroundings of the person in one frame.

    Attributes:
        number: of the frame, among those used.
        time_s: of the frame.
        box: where they lie.
        distance: (h, w) float32: px to the mask.
        bins: (h, w) uint8; see :func:`vbtools.ops.fringe.bins_of`.
        detail: (h, w) float32, grey levels.
    """

    number: int
    time_s: float
    box: fringe.Box
    distance: F32
    bins: U8
    detail: F32

    @property
    def nbytes(self) -> int:
        """Of memory that it takes."""
        return int(self.distance.nbytes + self.bins.nbytes + self.detail.nbytes)


@dataclass(frozen=True, slots=True)
class Plate:
    """The blurred background without the person's halo.

    Attributes:
        picture: (H, W, 3) float32, filled where it was never seen.
        luma: (H, W) float32.
        detail: (H, W) float32 of the luma.
        count: (H, W) uint32 observations.
        small: (h, w, 3) float32, shrunk.
        halo: the blur, as the halo shows it.
        overlays: (H, W) bool; none in a plate that is sharp.
        unblurred: (H, W) bool: still and sharp, but behind the person; none in a plate that is sharp.
        sharp: it is not blurred at all.
    """

    picture: F32
    luma: F32
    detail: F32
    count: NDArray[np.uint32]
    small: F32
    halo: halo.Halo
    overlays: Mask
    unblurred: Mask
    sharp: bool

    @property
    def blurred(self) -> Mask:
        """(H, W) bool: neither drawn over the blur nor left out of it."""
        return ~(self.overlays | self.unblurred)


class Edges:
    """The edge in every frame; of the first ones it is kept, as far as :data:`KEPT_BYTES` go.

    Args:
        clip: is read.
        plate: its plate.
    """

    def __init__(self, clip: Clip, plate: Plate) -> None:
        self._clip, self._plate = clip, plate
        self._bins = np.array(fringe.EDGES_PX, np.float32)
        self._margin = int(np.ceil((fringe.EDGES_PX[-1] + 3 * fringe.DETAIL_PX) * clip.unit)) + 1
        self._kept: list[Edge | None] = []
        self._left = KEPT_BYTES

    def each(self, work: Callable[[Edge], T], chosen: frozenset[int] | None = None) -> Iterator[T]:
        """What ``work`` makes of every frame's edge, in order of time; worked on in threads.

        Frames without a person, or with nothing else, have no edge.

        Args:
            work: called with each edge.
            chosen: numbers of the frames that are wanted; all, if not given.
        """

        def is_wanted(number: int) -> bool:
            return chosen is None or number in chosen

        def of_kept(edge: Edge | None) -> T | None:
            return work(edge) if edge is not None and is_wanted(edge.number) else None

        def of_frame(frame: Frame) -> tuple[Edge | None, T | None]:
            edge = self._look(frame) if is_wanted(frame.number) else None
            return edge, None if edge is None else work(edge)

        kept = list(self._kept)
        with ThreadPoolExecutor(2, thread_name_prefix="leak") as pool:
            for made in pool.map(of_kept, kept):
                if made is not None:
                    yield made
                self._clip.job.progress.advance()
        for _, (edge, made) in self._clip.each(of_frame, len(kept)):
            if chosen is None:
                self._keep(edge)
            if made is not None:
                yield made

    def _keep(self, edge: Edge | None) -> None:
        """Keep the edge of the next frame, if there is room for it."""
        needed = 0 if edge is None else edge.nbytes
        self._left -= needed
        if self._left >= 0:
            self._kept.append(edge)

    def _look(self, frame: Frame) -> Edge | None:
        unit, plate = self._clip.unit, self._plate
        box = fringe.box_around(frame.person, self._margin)
        if box is None or cv2.countNonZero(frame.person) == frame.person.size:
            return None
        cut = box.slices
        own = halo.of_frame(frame.pixels, frame.probability, plate.small, plate.halo) @ LUMA
        gray = np.asarray(cv2.cvtColor(frame.pixels[cut], cv2.COLOR_RGB2GRAY), np.float32)
        detail = fringe.detail(gray - plate.luma[cut] - halo.enlarged(own, self._clip.seen.size)[cut], unit)
        distance = fringe.signed_distance(np.ascontiguousarray(frame.person[cut]))
        bins = np.empty(detail.shape, np.uint8)
        fringe.bins_of(distance, np.float32(unit), self._bins, bins)
        bins[~plate.blurred[cut]] = fringe.OUTSIDE
        if frame.seen is not None:
            bins[~_inner(frame.seen[cut], unit)] = fringe.OUTSIDE
        return Edge(frame.number, frame.time_s, box, distance, bins, detail)


def _inner(seen: Mask, unit: float) -> Mask:
    """Where the detail needs nothing from beyond the frame."""
    side = 2 * round(2 * fringe.DETAIL_PX * unit) + 1
    return np.asarray(cv2.erode(seen.view(np.uint8), np.ones((side, side), np.uint8), borderValue=0)) > 0
