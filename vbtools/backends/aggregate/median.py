"""Masked temporal median, exact, in bounded memory."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from vbtools.backends.aggregate.tiles import CHANNELS, Plan, Reduced, TileView, over_tiles
from vbtools.ops.median import StreamingMedian, masked_median

if TYPE_CHECKING:
    from vbtools.backends.aggregate.tiles import AggregateJob

STACK_BYTES = 24 * 1024 * 1024
"""A tile's frames over the whole clip, with their masks, are held at once if they fit in this; small against the
libraries' own 300 MB, so that memory does not show how long a clip is (bench/memory.py)."""
CHUNK_SIDE = 64
"""px: the side of the stored chunks, ``vbtools.store.layout.CHUNK_SIDE``; tiles end where chunks end."""
SMALLEST_SIDE = 128
"""px: below this the many small reads cost more than reading larger tiles twice."""
STREAM_BYTES_PER_PIXEL = 70 * CHANNELS
"""What :class:`vbtools.ops.median.StreamingMedian` holds: 3.4 MB for a tile of :data:`SMALLEST_SIDE`."""


class TemporalMedian:
    """The median over time of what each pixel shows of the background; ``TemporalMedian()(job)``."""

    @staticmethod
    def preload() -> None:
        """Load the compiled functions."""
        from vbtools.ops.compiled import warm_up

        warm_up()

    def __call__(self, job: AggregateJob) -> None:
        """Run the stage: write ``plate``, ``background`` and ``coverage``.

        Raises:
            InputError: not one pixel of the background was ever seen.
        """
        over_tiles(job, partial(plan, job.params.tile))


def plan(tile: int, count: int) -> Plan:
    """Choose the way that keeps a tile's memory below :data:`STACK_BYTES`.

    A short clip is held tile by tile. A longer one is held in tiles down to :data:`SMALLEST_SIDE`. One that is longer
    still (384 frames with the values above) is read twice and counted.

    Args:
        tile: largest side asked for, px.
        count: used frames.
    """
    side = min(tile, math.isqrt(STACK_BYTES // (count * (CHANNELS + 1))))
    if side == tile or side >= SMALLEST_SIDE:
        return Plan(_whole_chunks(side, tile), 1, held)
    side = min(tile, SMALLEST_SIDE)
    return Plan(_whole_chunks(side, tile), 2, streamed)


def held(view: TileView) -> Reduced:
    """The median of a tile whose frames are all held at once."""
    frames = np.empty((view.count, view.height, view.width, CHANNELS), np.uint8)
    valid = np.empty(frames.shape[:3], np.bool_)
    at = 0
    for block in view.blocks():
        end = at + len(block.frames)
        frames[at:end], valid[at:end] = block.frames, block.valid
        at = end
    return masked_median(frames, valid)


def streamed(view: TileView) -> Reduced:
    """The same, from two readings of the tile and none of its frames kept."""
    median = StreamingMedian(view.height, view.width, CHANNELS)
    for block in view.blocks():
        median.add_coarse(block.frames, block.valid)
    median.end_coarse()
    for block in view.blocks():
        median.add_fine(block.frames, block.valid)
    return median.result()


def _whole_chunks(side: int, asked: int) -> int:
    """A side that had to be made smaller than asked ends where a chunk ends."""
    return side if side == asked or side < CHUNK_SIDE else side // CHUNK_SIDE * CHUNK_SIDE
