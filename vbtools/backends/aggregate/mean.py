"""Masked temporal mean, from exact integer sums, in one reading of the clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from vbtools.backends.aggregate.tiles import CHANNELS, Plan, Reduced, TileView, over_tiles

if TYPE_CHECKING:
    from vbtools.backends.aggregate.tiles import AggregateJob

LARGEST_TILE = 1024
"""px; a tile's sums then take 12 MB, however large a tile is asked for."""


class TemporalMean:
    """The mean over time of what each pixel shows of the background; ``TemporalMean()(job)``.

    A passer-by or a flicker that the median would ignore moves it; so it is smoother, and wrong more often.
    """

    def __call__(self, job: AggregateJob) -> None:
        """Run the stage: write ``plate``, ``background`` and ``coverage``.

        Raises:
            InputError: not one pixel of the background was ever seen.
        """
        over_tiles(job, lambda _: plan(job.params.tile))


def plan(tile: int) -> Plan:
    """One pass, in tiles of at most ``tile`` px and :data:`LARGEST_TILE`."""
    return Plan(min(tile, LARGEST_TILE), 1, reduced)


def reduced(view: TileView) -> Reduced:
    """The mean of a tile: plate (h, w, 3) float32 0-255, NaN where never seen, and coverage (h, w) uint32.

    The sums are uint32, exact for 16.8 million frames; the quotient is rounded once to float64 and once to float32.
    """
    total = np.zeros((view.height, view.width, CHANNELS), np.uint32)
    coverage = np.zeros(total.shape[:2], np.uint32)
    for block in view.blocks():
        for frame, valid in zip(block.frames, block.valid, strict=True):
            total += cv2.bitwise_and(frame, frame, mask=valid.view(np.uint8))
        coverage += block.valid.sum(axis=0, dtype=np.uint32)
    plate = np.full(total.shape, np.nan, np.float32)
    seen = coverage > 0
    plate[seen] = total[seen] / coverage[seen][:, None]
    return plate, coverage
