"""Masked temporal maximum, channel by channel, in one reading of the clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from vbtools.backends.aggregate.tiles import CHANNELS, Plan, Reduced, TileView, over_tiles

if TYPE_CHECKING:
    from vbtools.backends.aggregate.tiles import AggregateJob

LARGEST_TILE = 1024
"""px; a tile then takes 3 MB, however large a tile is asked for."""


class TemporalMaximum:
    """The largest value that each channel of a pixel ever had; ``TemporalMaximum()(job)``.

    It keeps what was bright only once (a glint, a screen), and with it the noise's upper end: the more frames, the
    brighter. The three channels of a pixel need not come from the same frame.
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
    """The maximum of a tile: plate (h, w, 3) float32 0-255, NaN where never seen, and coverage (h, w) uint32."""
    most = np.zeros((view.height, view.width, CHANNELS), np.uint8)
    coverage = np.zeros(most.shape[:2], np.uint32)
    for block in view.blocks():
        for frame, valid in zip(block.frames, block.valid, strict=True):
            np.maximum(most, cv2.bitwise_and(frame, frame, mask=valid.view(np.uint8)), out=most)
        coverage += block.valid.sum(axis=0, dtype=np.uint32)
    plate = most.astype(np.float32)
    plate[coverage == 0] = np.nan
    return plate, coverage
