"""Which frames of a recording are the call, and which of those show the room without protection, wholly or in part.

Every decoded frame is looked at once, at a bounded size, and leaves about 330 bytes behind; the decision is taken at
the end. (What :mod:`vbtools.ops.glimpses` compares is near in time, and let go after some thousand frames.) The call is
the scene (the shots that share a background) that is seen longest. What is not the call is left out with a reason. If
the evidence does not allow a decision, everything is kept and a note says so.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops import sharpness, thumbnail
from vbtools.ops.cells import means
from vbtools.ops.glimpses import WHOLE, Glimpse, GlimpseFinder
from vbtools.ops.shots import STILL, Shot, ShotFinder

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

LONG_SIDE = 640  # px at which frames are looked at: fine enough for text, and any recording costs the same
# Black is luma 16 in video range; a dark room has parts above 32 or shows noise. Cells of the thumbnail:
BLACK_LEVEL = 32
BLACK_SHARE = 0.95  # a label or a watermark may be drawn over the black
FROZEN_S = 0.5  # s; shorter stand-stills happen in every call at a low bit rate
FROZEN_DRIFT = 3  # grey levels from the first frame on; an encoder goes on refining a picture that stands
# A static picture is shown for long where a call has not begun, but a call may be a person who does not move.
STATIC_WEIGHT = 0.25  # what a second of it counts
AMBIGUOUS = 0.25  # share of the recording below which the longest scene is not called the call

KEPT, BLACK, FROZEN, TITLE, ANOTHER = range(5)
REASONS = ("", "black", "frozen lead-in", "title card", "another shot")


@dataclass(frozen=True, slots=True)
class Call:
    """The decision, for all ``T`` frames that were looked at, in their order.

    Attributes:
        index: ``(T,)`` int64 frame numbers in the source.
        time_s: ``(T,)`` float64 presentation times, in s.
        reason: ``(T,)`` uint8: 0 for a frame of the call, else the place in :data:`REASONS`.
        unprotected: ``(T,)`` bool: sharp, wholly or in part, where the call usually is not; frames of the call only.
        regions: where they are: of every unprotected frame one or more, in the order of the frames.
        sharpness: ``(T,)`` float32 ratio to the usual of the scene that the frame is in.
        notes: facts that the user should read.
    """

    index: NDArray[np.int64]
    time_s: F64
    reason: U8
    unprotected: Bools
    regions: tuple[Glimpse, ...]
    sharpness: NDArray[np.float32]
    notes: tuple[str, ...]


class CallFinder:
    """Looks at the frames of a recording one by one, then decides."""

    def __init__(self) -> None:
        self._index = array("q")
        self._time = array("d")
        self._shot = array("i")  # -1 for black frames
        self._detail = bytearray()
        self._level = bytearray()
        self._frozen = bytearray()  # 1 while a shot stands still from its first frame on
        self._shots = ShotFinder()
        self._glimpses = GlimpseFinder()
        self._last: U8 | None = None
        self._standing: U8 | None = None  # the first frame of a shot that has stood still so far

    def add(self, index: int, time_s: float, luma: U8, blue: U8, red: U8) -> None:
        """Look at the next frame.

        Args:
            index: number in the source.
            time_s: presentation time, in s.
            luma: ``(h, w)`` uint8 Y, 0..255, longest side :data:`LONG_SIDE` at most; the same shape for all frames.
            blue, red: uint8 U and V, of any size.
        """
        small = thumbnail.make(luma, blue, red)
        cells = sharpness.measure(luma)
        motion = 255 if self._last is None else _change(self._last, luma)
        self._last = luma
        is_black = float(np.mean(small[..., 0] < BLACK_LEVEL)) >= BLACK_SHARE
        shot = -1 if is_black else self._shots.add(small, motion)
        self._frozen.append(self._stands_still(luma, shot, motion))
        self._index.append(index)
        self._time.append(time_s)
        self._shot.append(shot)
        self._detail += cells.detail.tobytes()
        self._level += cells.level.tobytes()
        self._glimpses.add(cells.fine_detail, cells.fine_level, shot)

    def decide(self) -> Call:
        """Say which frames are the call. There is always at least one.

        Raises:
            ValueError: no frame was given.
        """
        if not self._index:
            raise ValueError("no frame was given")
        shots = self._shots.finish()
        index, time_s = np.array(self._index, np.int64), np.array(self._time, np.float64)
        shot = np.array(self._shot, np.int64)
        scene = np.array([s.scene for s in shots] + [-1], np.int64)[shot]  # the last entry is for black frames
        reason, notes = _reasons(shots, shot, scene, time_s)
        if not notes:
            reason[_frozen_lead_in(reason, shot, np.frombuffer(self._frozen, np.uint8), time_s)] = FROZEN
        sharper, softer, ratio = self._sharpness(scene, time_s)
        of_call = reason == KEPT
        regions = _regions(self._glimpses.finish(), sharper & of_call, of_call, ratio)
        unprotected = np.zeros(len(index), np.bool_)
        unprotected[[one.frame for one in regions]] = True
        notes += _describe(of_call, unprotected, softer & of_call, time_s)
        return Call(index, time_s, reason, unprotected, regions, ratio, tuple(notes))

    def _stands_still(self, luma: U8, shot: int, motion: int) -> bool:
        if shot >= 0 and shot not in self._shot[-1:]:
            self._standing = luma
        elif self._standing is not None:
            drift = _change(self._standing, luma)
            if shot < 0 or motion > STILL or drift > FROZEN_DRIFT:
                self._standing = None
        return self._standing is not None

    def _sharpness(self, scene: NDArray[np.int64], time_s: F64) -> tuple[Bools, Bools, NDArray[np.float32]]:
        detail = np.frombuffer(self._detail, np.uint8).reshape(-1, sharpness.CELLS)
        level = np.frombuffer(self._level, np.uint8).reshape(-1, sharpness.CELLS)
        unprotected, softer = np.zeros(len(scene), np.bool_), np.zeros(len(scene), np.bool_)
        ratio = np.ones(len(scene), np.float32)
        for number in np.unique(scene):
            here = np.flatnonzero(scene == number)
            found = sharpness.judge(detail[here], level[here], time_s[here])
            unprotected[here], softer[here], ratio[here] = found.unprotected, found.softer, found.ratio
        return unprotected, softer, ratio


def _regions(
    glimpses: list[Glimpse], sharper: Bools, of_call: Bools, ratio: NDArray[np.float32]
) -> tuple[Glimpse, ...]:
    """The glimpses of the call, and the whole of each frame that is sharper as a whole and of which no part is told."""
    told = [one for one in glimpses if of_call[one.frame]]
    without = set(np.flatnonzero(sharper).tolist()).difference(one.frame for one in told)
    return tuple(sorted([*told, *(Glimpse(frame, WHOLE, float(ratio[frame])) for frame in without)],
                        key=lambda one: (one.frame, one.box)))  # fmt: skip


def _reasons(
    shots: list[Shot], shot: NDArray[np.int64], scene: NDArray[np.int64], time_s: F64
) -> tuple[U8, list[str]]:
    """Why each frame is left out (0: it is not), and what stood against deciding."""
    reason = np.zeros(len(shot), np.uint8)
    if not shots:
        return reason, ["every frame is black: nothing was left out"]
    seconds = _shown_for(time_s)
    in_shot = np.bincount(shot[shot >= 0], weights=seconds[shot >= 0], minlength=len(shots))
    weighed = np.array([STATIC_WEIGHT if s.is_static else 1.0 for s in shots])
    scene_of_shot = np.array([s.scene for s in shots])
    length = np.bincount(scene_of_shot, weights=in_shot)
    call = int(np.argmax(np.bincount(scene_of_shot, weights=in_shot * weighed)))
    if length[call] < AMBIGUOUS * length.sum():
        longest = f"the longest for {length[call]:.2f} of {length.sum():.2f} s"
        return reason, [f"no background is seen for long ({longest}), so nothing was left out: the call is not clear"]
    static = np.array([s.is_static and s.frames > 1 for s in shots] + [False])[shot]
    reason[scene != call] = ANOTHER
    reason[(scene != call) & static] = TITLE
    reason[scene == -1] = BLACK
    return reason, []


def _shown_for(time_s: F64) -> F64:
    """How long each frame is shown, in s; the last as long as is usual."""
    gaps = np.maximum(np.diff(time_s), 0.0)
    return np.append(gaps, np.median(gaps) if len(gaps) else 1.0)


def _frozen_lead_in(reason: U8, shot: NDArray[np.int64], frozen: U8, time_s: F64) -> slice:
    """The standing picture that the call begins with, but its last frame; nothing if its first shot is nothing else."""
    first = int(np.argmax(reason == KEPT))
    end = first + 1
    while end < len(shot) and shot[end] == shot[first] and frozen[end]:
        end += 1
    is_whole = end == len(shot) or shot[end] != shot[first]
    if is_whole or time_s[end] - time_s[first] < FROZEN_S:
        return slice(first, first)
    return slice(first, end - 1)


def _change(before: U8, after: U8) -> int:
    """Largest mean change of any small region, in grey levels."""
    return int(means(cv2.absdiff(before, after), thumbnail.SIZE).max())


def left_out(reason: U8) -> str:
    """What is not of the call, in words, such as ``3 frames: 1 black, 2 title card``; empty if all is."""
    counts = [(int(np.count_nonzero(reason == code)), name) for code, name in enumerate(REASONS) if code != KEPT]
    words = [f"{count} {name}" for count, name in counts if count]
    return f"{_frames(sum(count for count, _ in counts))}: {', '.join(words)}" if words else ""


def _describe(of_call: Bools, unprotected: Bools, softer: Bools, time_s: F64) -> list[str]:
    notes = []
    if unprotected.any():
        count = int(np.count_nonzero(unprotected))
        notes.append(f"{_frames(count, 'unprotected')}: {_spans(unprotected, time_s)}")
    if softer.any():
        share = np.count_nonzero(softer) / np.count_nonzero(of_call)
        notes.append(
            f"in {share:.0%} of the call the picture is much softer than in the rest ({_spans(softer, time_s)}): "
            "the blur may have been off for most of it"
        )
    return notes


def _frames(count: int, kind: str = "") -> str:
    return f"{count} {kind}{' ' if kind else ''}frame{'' if count == 1 else 's'}"


def _spans(where: Bools, time_s: F64, most: int = 5) -> str:
    """Times of the runs of true values, such as ``0.00 s, 3.20-3.68 s``."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], where, [False]))))
    runs = [(time_s[a], time_s[b - 1]) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    words = [f"{a:.2f} s" if a == b else f"{a:.2f}-{b:.2f} s" for a, b in runs[:most]]
    return ", ".join(words) + (f" and {len(runs) - most} more" if len(runs) > most else "")


