"""The loop that aggregators share: over tiles, each reduced from its blocks of time to one picture and its coverage."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from vbtools.backends.aggregate.observations import Block, Observations
from vbtools.errors import InputError
from vbtools.ops.grid import Region
from vbtools.ops.median import to_picture

if TYPE_CHECKING:
    from vbtools.store.reader import Reader
    from vbtools.store.writer import StageOutput

Reduced = tuple[NDArray[np.float32], NDArray[np.uint32]]

CHANNELS = 3
AT_ONCE = 2
"""Tiles: one is read while another is reduced. More would only take memory."""


class AggregateParams(Protocol):
    """What is read here of the stage's own ``AggregateParams``."""

    @property
    def tile(self) -> int:
        """Largest side of a tile, px."""

    @property
    def threshold(self) -> float:
        """Person probability, 0..1, from which a pixel is not background."""

    @property
    def dilate(self) -> int:
        """How far the person is grown, px."""


class Progress(Protocol):
    """The part of ``vbtools.stages.base.Progress`` that is used here."""

    def start(self, total: int | None, unit: str) -> None:
        """Begin counting."""

    def advance(self, done: int = 1) -> None:
        """Count units as done."""


class AggregateJob(Protocol):
    """The part of ``vbtools.stages.base.Job`` that is used here."""

    @property
    def params(self) -> AggregateParams:
        """The stage's parameters."""

    @property
    def inputs(self) -> Reader:
        """A project with extract, segment and align."""

    @property
    def output(self) -> StageOutput:
        """Where plate, coverage and background go."""

    @property
    def progress(self) -> Progress:
        """Where to say how far it is."""

    @property
    def notes(self) -> list[str]:
        """Facts about this run for the user."""


@dataclass(frozen=True, slots=True)
class TileView:
    """One tile, for the function that reduces it.

    Attributes:
        height, width: of the tile, px.
        count: used frames of the clip; all blocks together have so many.
        blocks: call it for the blocks of time, as often as there are passes.
    """

    height: int
    width: int
    count: int
    blocks: Callable[[], Iterator[Block]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How an aggregator goes over the clip.

    Attributes:
        side: of the tiles, px.
        passes: how often it reads the blocks of a tile.
        reduce: from a tile to plate (h, w, 3) float32, NaN where unseen, and coverage (h, w) uint32.
    """

    side: int
    passes: int
    reduce: Callable[[TileView], Reduced]


def tiles(size: tuple[int, int], side: int) -> list[Region]:
    """Cut a picture of ``size`` (H, W) into tiles of at most ``side`` px, row by row."""
    height, width = size
    return [
        Region(y, min(y + side, height), x, min(x + side, width))
        for y in range(0, height, side)
        for x in range(0, width, side)
    ]


def over_tiles(job: AggregateJob, plan_for: Callable[[int], Plan]) -> None:
    """Reduce all tiles and write ``plate``, ``coverage`` and ``background``.

    Args:
        job: of the aggregate stage.
        plan_for: called with the number of used frames.

    Raises:
        InputError: not one pixel of the background was ever seen, or align could use no frame.
    """
    params = job.params
    with Observations(job.inputs, params.threshold, params.dilate) as observations:
        plan = plan_for(observations.count)
        cut = tiles(observations.size, plan.side)
        plate = np.empty((*observations.size, CHANNELS), np.float32)
        coverage = np.empty(observations.size, np.uint32)
        job.progress.start(sum(observations.block_count(tile) for tile in cut) * plan.passes, "blocks")
        counting = Lock()

        def reduced(tile: Region) -> Reduced:
            blocks = partial(_counted, job, counting, observations, tile)
            return plan.reduce(TileView(tile.height, tile.width, observations.count, blocks))

        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="tiles") as pool:
            for tile, found in zip(cut, pool.map(reduced, cut), strict=True):
                plate[tile.slices], coverage[tile.slices] = found
    write(job, plate, coverage)


def _counted(job: AggregateJob, counting: Lock, observations: Observations, tile: Region) -> Iterator[Block]:
    for block in observations.blocks(tile):
        yield block
        with counting:
            job.progress.advance()


def write(
    job: AggregateJob,
    plate: NDArray[np.float32],
    coverage: NDArray[np.uint32],
    picture: NDArray[np.uint8] | None = None,
) -> None:
    """Write ``plate`` (H, W, 3), ``coverage`` (H, W) and ``background``, and say how much was observed.

    Args:
        job: of the aggregate stage.
        plate: (H, W, 3) float32, 0-255, NaN where coverage is 0.
        coverage: (H, W) uint32.
        picture: (H, W, 3) uint8, the background; the plate, rounded, and 0 where nothing was seen if not given.

    Raises:
        InputError: not one pixel of the background was ever seen.
    """
    share = np.count_nonzero(coverage) / coverage.size
    if not share:
        raise InputError(
            f"a person covers every pixel of every frame (threshold {job.params.threshold:g}, dilate "
            f"{job.params.dilate} px): there is no background to show",
            "Lower --dilate or raise --threshold",
        )
    job.output.write("plate", plate)
    job.output.write("background", to_picture(plate, coverage) if picture is None else picture)
    job.output.write("coverage", coverage)
    percent = math.floor(share * 1000) / 10  # rounded down: 100 % means every pixel
    job.notes.append(f"observed {percent:g} % of the picture" if percent else "observed less than 0.1 % of the picture")
