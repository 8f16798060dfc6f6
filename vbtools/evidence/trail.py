"""The trailing of a call's own mask, measured on its frames."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.detail import LUMA
from vbtools.ops.fringe import detail
from vbtools.ops.trailing import Trail, Trailing
from vbtools.stages.base import Silent

if TYPE_CHECKING:
    from vbtools.evidence.forward import Clip, Setting
    from vbtools.stages.base import Progress
    from vbtools.store import Reader

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

BELIEVED = 0.6
"""Confidence from which a place's detail is taken for the room's: it need not be certain, only many must be."""
LEAST_DETAIL = 2.0
"""Grey levels of the room's detail below which a place says nothing of an opacity."""
ENOUGH, MOST = 200, 4000
"""Places without which nothing is measured, and that are looked at."""
ROWS = 720
"""Rows of the picture at which it is looked at, at most: smaller, a delay of one frame of a calm person is lost."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of how a call's mask trails the person.

    Attributes:
        trail: as measured; None where it could not be.
        why: why not; else empty.
    """

    trail: Trail | None
    why: str = ""

    @property
    def trails(self) -> bool:
        """The mask trails beyond doubt."""
        return self.trail is not None and self.trail.trails

    def row(self) -> dict[str, Any]:
        """The row of ``/advice/trail``."""
        one = self.trail
        if one is None:
            return dict.fromkeys(("delay", "low", "high", "keep", "explained"), float("nan")) | {
                "late": -1, "trails": 0, "told": self.sentence()
            }  # fmt: skip
        return {
            "delay": one.delay, "low": one.low, "high": one.high, "late": one.late, "keep": one.keep,
            "explained": one.explained, "trails": int(one.trails), "told": self.sentence(),
        }  # fmt: skip

    def sentence(self) -> str:
        """The same in words."""
        one = self.trail
        if one is None:
            return f"whether the mask is smoothed over time is not known: {self.why}"
        span = f"{one.delay:.1f} frames ({one.low:.1f} to {one.high:.1f})"
        if not one.trails:
            return f"no smoothing over time that could be left out was found: the mask trails the person by {span}"
        late = [f"late by {one.late}"] if one.late else []
        averaged = [f"averaged with {one.keep:.0%} of the mask before"] if one.keep else []
        return f"the mask trails the person by {span}, as if {' and '.join(late + averaged)}"

    def of(self, setting: Setting) -> Setting:
        """A setting with the trailing that was measured."""
        one = self.trail
        if one is None or not one.trails:
            return setting
        peak = min(1.0, setting.peak * one.strongest)
        return setting.other(lag=one.late, keep=one.keep, relative=one.relative, peak=peak)


def trail_of(inputs: Reader, seed: int = 0, progress: Progress | None = None) -> Told:
    """How the mask of a project's call trails the person.

    Args:
        inputs: a project with extract, segment, align and an aggregate of method leak.
        seed: chooses among the places that are looked at, and draws the interval.
        progress: counts frames.
    """
    from vbtools.evidence.forward import Clip

    clip = Clip.of(inputs, ROWS)
    if clip.moves:
        return Told(None, "of a moving camera it is not measured")
    room, places = _places(clip, seed)
    if len(room) < ENOUGH:
        return Told(None, "too little of the room is believed to measure it by")
    found, told = Trailing(room, clip.count), progress or Silent()
    told.start(clip.count, "frames")
    for shown, distance in _frames(clip, places):
        found.add(shown, distance)
        told.advance()
    trail = found.told(seed)
    return Told(trail) if trail.known else Told(None, "what the edge shows does not say")


def _places(clip: Clip, seed: int) -> tuple[F32, tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """The room's detail at places that are believed, (N,), and these (rows, columns)."""
    shape = clip.size[::-1]
    leak = np.asarray(cv2.resize(clip.inputs.array("aggregate", "leak"), shape, interpolation=cv2.INTER_AREA))
    believed = cv2.resize(clip.inputs.array("aggregate", "confidence"), shape, interpolation=cv2.INTER_AREA) >= BELIEVED
    believed &= clip.overlays == 0
    strength = np.abs(leak)
    if not believed.any():
        return np.zeros(0, np.float32), (np.zeros(0, np.intp), np.zeros(0, np.intp))
    rows, columns = np.nonzero(believed & (strength >= max(LEAST_DETAIL, float(np.median(strength[believed])))))
    if len(rows) > MOST:
        chosen = np.sort(np.random.default_rng(seed).choice(len(rows), MOST, replace=False))
        rows, columns = rows[chosen], columns[chosen]
    return leak[rows, columns], (rows, columns)


def _frames(clip: Clip, places: tuple[NDArray[np.intp], NDArray[np.intp]]) -> Iterator[tuple[F32, F32]]:
    """Of every frame the detail at the places, grey levels, and their distance to the mask, px at 720 rows."""
    plate = np.nan_to_num(clip.inputs.array("aggregate", "plate")) @ LUMA
    plate = np.asarray(cv2.resize(plate, clip.size[::-1], interpolation=cv2.INTER_AREA), np.float32)
    blocks = zip(clip.inputs.blocks("extract", "frames"), clip.inputs.blocks("segment", "person"), strict=True)
    with ThreadPoolExecutor(2, thread_name_prefix="trail") as pool:
        for frames, people in blocks:
            yield from pool.map(_looked_at, repeat(clip), frames, people, repeat(plate), repeat(places))


def _looked_at(
    clip: Clip, frame: U8, probability: U8, plate: F32, places: tuple[NDArray[np.intp], NDArray[np.intp]]
) -> tuple[F32, F32]:
    from vbtools.evidence.forward import at_size, mask_distance

    unit = clip.size[0] / 720
    shown = detail(np.asarray(at_size(frame, clip.size) @ LUMA, np.float32) - plate, unit)
    return shown[places], mask_distance(probability, clip.size, clip.threshold)[places] / np.float32(unit)
