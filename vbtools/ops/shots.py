"""Shots of a recording, and which of them show the same background.

A cut is where too little of one frame's thumbnail agrees with the one before and the camera has not merely moved.
A shot that ends is compared with the scenes seen so far; it joins one whose background it shares, or founds a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from vbtools.ops.thumbnail import agreement, moved

U8 = NDArray[np.uint8]

# On the sample clips consecutive frames of a shot agree in 86 % of the (weighted) area or more, with gestures that
# cover the picture; across cuts in 47 % or less, where the same person sits before another background.
CUT = 0.55
SAME_BACKGROUND = 0.6  # within one shot a frame and any later one agree in 60 % or more; different rooms in 36 %
REFERENCES = 6  # thumbnails kept of a shot and of a scene, spread over its time
COMPARED = 24  # scenes, of those seen longest: a call has a few, and a film must not take for ever
# A shown card changes from frame to frame by coding errors alone: up to 3 grey levels in any 20x20 px when x264 refines
# it at a low bit rate. People change by more, if not in every frame.
STILL = 3  # grey levels
STILL_SHARE = 0.95  # of a shot's frames


@dataclass(slots=True)
class Shot:
    """An uncut run of frames, black ones inside of it not counted.

    Attributes:
        scene: number of the scene that it belongs to.
        frames: how many frames it has.
        still: how many of them hardly differ from the one before (the first always counts).
    """

    scene: int = -1
    frames: int = 0
    still: int = 0

    @property
    def is_static(self) -> bool:
        """Whether nothing moves in it."""
        return self.still >= STILL_SHARE * self.frames


@dataclass(slots=True)
class _References:
    """A few thumbnails spread evenly over all that were offered."""

    thumbnails: list[U8] = field(default_factory=list)
    offered: int = 0
    stride: int = 1

    def offer(self, thumbnail: U8) -> None:
        if self.offered % self.stride == 0:
            self.thumbnails.append(thumbnail)
            if len(self.thumbnails) > REFERENCES:
                del self.thumbnails[1::2]
                self.stride *= 2
        self.offered += 1

    def join(self, other: _References) -> None:
        both = [*self.thumbnails, *other.thumbnails]
        places = np.unique(np.linspace(0, len(both) - 1, min(REFERENCES, len(both))).round().astype(int))
        self.thumbnails = [both[i] for i in places]
        self.offered += other.offered


class ShotFinder:
    """Finds cuts as frames come, and groups the shots between them.

    Memory: six thumbnails (1.7 kB each) a scene, and three numbers a shot, whatever the length.
    """

    def __init__(self) -> None:
        self.shots: list[Shot] = []
        self._scenes: list[_References] = []
        self._current = _References()
        self._last: U8 | None = None

    def add(self, thumbnail: U8, motion: int) -> int:
        """Take the next frame that is not black.

        Args:
            thumbnail: as :func:`vbtools.ops.thumbnail.make` gives it.
            motion: largest change of any small region since the frame before, in grey levels.

        Returns:
            the number of the shot it belongs to, from 0.
        """
        if self._last is None or self._is_cut(self._last, thumbnail):
            self._end_shot()
            self.shots.append(Shot())
            motion = 0
        shot = self.shots[-1]
        shot.frames += 1
        shot.still += motion <= STILL
        self._current.offer(thumbnail)
        self._last = thumbnail
        return len(self.shots) - 1

    def finish(self) -> list[Shot]:
        """End the last shot; all shots then know their scene."""
        self._end_shot()
        return self.shots

    def _is_cut(self, before: U8, after: U8) -> bool:
        return agreement(before, after) < CUT and not moved(before, after)

    def _end_shot(self) -> None:
        if not self._current.offered:
            return
        ended, self._current = self._current, _References()
        self.shots[-1].scene = self._scene_of(ended)

    def _scene_of(self, shot: _References) -> int:
        by_length = sorted(range(len(self._scenes)), key=lambda i: -self._scenes[i].offered)
        for number in by_length[:COMPARED]:
            pairs = product(self._scenes[number].thumbnails, shot.thumbnails)
            if any(agreement(a, b) >= SAME_BACKGROUND for a, b in pairs):
                self._scenes[number].join(shot)
                return number
        self._scenes.append(shot)
        return len(self._scenes) - 1
