"""The background's observations: frames in reference coordinates and which of their pixels count, block by block.

A block is a stretch of time of one tile. Reading it, growing the person and warping happen in worker threads, a few
blocks ahead of whoever consumes them; the order of time is kept. Memory depends on the tile and not on the clip.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.errors import InputError, ProjectError
from vbtools.ops.grid import Region, at_least, samples_for, whole
from vbtools.ops.masks import dilated, level
from vbtools.ops.warp import (
    IDENTITY,
    flow_positions,
    flow_reach,
    look_up,
    transform_positions,
    transform_reach,
)

if TYPE_CHECKING:
    from vbtools.store.reader import Reader

U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

BLOCK_PIXELS = 1024 * 1024
"""Pixels of a block, all its frames together: 4 MB with its mask, and 16 frames (the depth of a stored chunk) of a tile
of 256 px. Smaller ones cost more calls, larger ones memory."""
WHOLE_BLOCK_PIXELS = 16 * 1024 * 1024
"""Pixels of a block of whole frames: 64 MB with the person, 16 frames of 1280x720; two blocks are held."""
CHUNK_DEPTH = 16
"""Frames of a stored chunk, ``vbtools.store.layout.CHUNK_ROWS``: fewer at a time would unpack chunks twice."""
MOST_WORKERS = 4


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of time of one tile, in reference coordinates.

    Attributes:
        frames: (t, h, w, 3) uint8 RGB; meaningless where not valid.
        valid: (t, h, w) bool: background, seen, and nothing of the person in it.
    """

    frames: U8
    valid: Mask


@dataclass(frozen=True, slots=True)
class Frames:
    """A stretch of time of the whole picture, in reference coordinates, person and all.

    Attributes:
        first: number of the first of them among the used frames.
        rows: (t,) int64: which of the project's frames these are.
        frames: (t, H, W, 3) uint8 RGB; meaningless where not seen.
        person: (t, H, W) uint8, person probability x 255; meaningless where not seen.
        seen: (t, H, W) bool: within the frame; None if all is.
    """

    first: int
    rows: NDArray[np.int64]
    frames: U8
    person: U8
    seen: Mask | None


class Observations:
    """What a project's frames show of the background; a context manager that holds the worker threads.

    Args:
        inputs: a project with extract, segment and align.
        threshold: person probability, 0..1, from which a pixel is not background.
        dilate: px by which the person is grown.
        without: (T,) bool, frames to leave out; not heeded where none would be left.

    Raises:
        InputError: align could use no frame.
        ProjectError: the stages do not have the same number of frames.
    """

    def __init__(self, inputs: Reader, threshold: float, dilate: int, without: Mask | None = None) -> None:
        self._frames: Any = inputs.dataset("extract", "frames")
        self._person: Any = inputs.dataset("segment", "person")
        self._flow: Any = inputs.dataset("align", "flow") if inputs.has("align", "flow") else None
        motion = "homography" if inputs.has("align", "homography") else "transform"
        self._transform = np.asarray(inputs.array("align", motion), np.float64)
        self._used = np.asarray(inputs.array("align", "used")) != 0
        self._level, self._dilate = level(threshold), dilate
        lengths = {len(self._frames), len(self._person), len(self._transform), len(self._used)}
        if len(lengths) > 1:
            raise ProjectError(
                f"extract, segment and align differ in their number of frames: {sorted(lengths)}",
                "Run: vbtools segment, then vbtools align",
            )
        if not self._used.any():
            raise InputError("align could not use any frame", "See: vbtools status; try --method none")
        if without is not None and (self._used & ~without).any():
            self._used &= ~without
        self._workers = max(1, min(MOST_WORKERS, _cores()))

    def __enter__(self) -> Observations:
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="observations")
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the frames and of the picture to be made."""
        return int(self._frames.shape[1]), int(self._frames.shape[2])

    @property
    def count(self) -> int:
        """How many frames are used."""
        return int(self._used.sum())

    def block_count(self, tile: Region) -> int:
        """How many blocks :meth:`blocks` gives for a tile."""
        return len(self._spans(tile))

    def blocks(self, tile: Region) -> Iterator[Block]:
        """All used frames of one tile, in order of time; each call reads them anew."""
        waiting: deque[Future[Block]] = deque()
        try:
            for start, stop in self._spans(tile):
                waiting.append(self._pool.submit(self._block, tile, start, stop))
                if len(waiting) > self._workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for unwanted in waiting:
                unwanted.cancel()

    def whole_frames(self, first: int = 0) -> Iterator[Frames]:
        """All used frames, whole and with the person, in order of time; one block is read ahead.

        A block has as many frames as a stored chunk is deep, fewer where that would take more than
        :data:`WHOLE_BLOCK_PIXELS`.

        Args:
            first: number of the first used frame that is wanted; blocks before it are not read.
        """
        picture = whole(self.size)
        spans = self._spans(picture, max(1, min(CHUNK_DEPTH, WHOLE_BLOCK_PIXELS // picture.pixels)))
        spans = [(start, stop) for start, stop in spans if self._number(stop) > first]
        ahead = [self._pool.submit(self._whole, *span) for span in spans[:1]]
        for following in [*spans[1:], None] if spans else []:
            block = ahead.pop().result()
            if following is not None:
                ahead.append(self._pool.submit(self._whole, *following))
            yield block

    def stretches(self, number: int, length: int) -> Iterator[Frames]:
        """A few stretches of used frames, evenly over the clip, as :meth:`whole_frames` gives them.

        Args:
            number: of stretches.
            length: frames of each, the last one's fewer.
        """
        rows = np.flatnonzero(self._used)
        for at in np.unique(np.linspace(0, max(len(rows) - length, 0), number).round().astype(int)):
            chosen = rows[at : at + length]
            yield self._whole(int(chosen[0]), int(chosen[-1]) + 1)

    def _whole(self, start: int, stop: int) -> Frames:
        picture, used = whole(self.size), self._used[start:stop]
        rows = start + np.flatnonzero(used)
        frames = np.asarray(self._frames[start:stop])[used]
        person = self._enlarged(np.asarray(self._person[start:stop])[used])
        transforms = self._transform[start:stop][used]
        first = self._number(start)
        if self._flow is None and transforms.shape[1] == 2 and (transforms == IDENTITY).all():
            return Frames(first, rows, frames, person, None)
        seen = np.empty(person.shape, np.bool_)
        everywhere = np.ones(self.size, np.bool_)
        for at, row in enumerate(rows):
            if self._flow is not None:
                grid = (int(self._flow.shape[1]), int(self._flow.shape[2]))
                positions = flow_positions(self._flow[int(row)], whole(grid), grid, self.size, picture)
            else:
                positions = transform_positions(transforms[at], picture)
            frames[at], seen[at] = look_up(frames[at], everywhere, picture, positions)
            person[at] = look_up(person[at][..., None], everywhere, picture, positions)[0][..., 0]
        return Frames(first, rows, frames, person, seen)

    def _number(self, row: int) -> int:
        """How many used frames there are before a row."""
        return int(self._used[:row].sum())

    def _enlarged(self, probability: U8) -> U8:
        """Person probability x 255 of whole frames, (t, h, w) uint8, at the frames' size, bilinear."""
        if probability.shape[1:] == self.size:
            return probability
        planes = [cv2.resize(plane, self.size[::-1], interpolation=cv2.INTER_LINEAR) for plane in probability]
        return np.stack(planes).astype(np.uint8) if planes else np.zeros((0, *self.size), np.uint8)

    def _spans(self, tile: Region, rows: int = 0) -> list[tuple[int, int]]:
        """Rows ``start:stop`` of each block that has a used frame; of as many rows as given, or as fit."""
        rows = rows or max(1, BLOCK_PIXELS // tile.pixels)
        total = len(self._used)
        spans = [(start, min(start + rows, total)) for start in range(0, total, rows)]
        return [(start, stop) for start, stop in spans if self._used[start:stop].any()]

    def _block(self, tile: Region, start: int, stop: int) -> Block:
        used = self._used[start:stop]
        transforms = self._transform[start:stop][used]
        if self._flow is not None:
            grid = (int(self._flow.shape[1]), int(self._flow.shape[2]))
            held = samples_for(tile, grid, self.size)
            flow = self._flow[(slice(start, stop), *held.slices)][used]
            reach = flow_reach(flow, tile)
        elif transforms.shape[1] == 2 and (transforms == IDENTITY).all():
            frames, person = self._read(tile, start, stop)
            return Block(frames, ~person)
        else:
            reach = transform_reach(transforms, tile)
        source = reach.clipped(self.size)
        if stop - start > 1 and source.pixels * (stop - start) > 2 * max(BLOCK_PIXELS, tile.pixels):
            return self._halves(tile, start, stop)
        frames, person = self._read(source, start, stop)
        out = np.empty((len(frames), tile.height, tile.width, 3), np.uint8)
        valid = np.empty(out.shape[:3], np.bool_)
        for row, (frame, hidden) in enumerate(zip(frames, person, strict=True)):
            if self._flow is not None:
                positions = flow_positions(flow[row], held, grid, self.size, tile)
            else:
                positions = transform_positions(transforms[row], tile)
            out[row], valid[row] = look_up(frame, ~hidden, source, positions)
        return Block(out, valid)

    def _halves(self, tile: Region, start: int, stop: int) -> Block:
        """The same block, in two parts: one frame that moved far would make all of them large."""
        middle = (start + stop) // 2
        spans = [(a, b) for a, b in ((start, middle), (middle, stop)) if self._used[a:b].any()]
        parts = [self._block(tile, a, b) for a, b in spans]
        return Block(np.concatenate([p.frames for p in parts]), np.concatenate([p.valid for p in parts]))

    def _read(self, region: Region, start: int, stop: int) -> tuple[U8, Mask]:
        """The used ones of frames ``start:stop``, unwarped: (t, h, w, 3) uint8 and the person (t, h, w) bool."""
        used = self._used[start:stop]
        count = int(used.sum())
        if not region.pixels:
            empty = np.zeros((count, region.height, region.width, 3), np.uint8)
            return empty, np.ones(empty.shape[:3], np.bool_)
        frames = np.asarray(self._frames[(slice(start, stop), *region.slices)])
        around = region.grown(self._dilate).clipped(self.size)
        hidden = self._hidden(around, start, stop)
        if count < stop - start:
            frames, hidden = frames[used], hidden[used]
        return frames, dilated(hidden, self._dilate)[(slice(None), *region.within(around))]

    def _hidden(self, region: Region, start: int, stop: int) -> Mask:
        """Where frames ``start:stop`` show the person, not grown, (t, h, w) bool, whatever the stored masks' size."""
        grid = (int(self._person.shape[1]), int(self._person.shape[2]))
        if grid == self.size:
            return np.asarray(self._person[(slice(start, stop), *region.slices)]) >= self._level
        held = samples_for(region, grid, self.size)
        stored = np.asarray(self._person[(slice(start, stop), *held.slices)])
        return at_least(stored, held, grid, self.size, region, self._level)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
