"""The person before the room: clean frames with their true alpha."""

from __future__ import annotations

import math
import random
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.simulate.canvas import STAGE
from vbtools.simulate.motion import Path, Pose
from vbtools.simulate.person import Person
from vbtools.simulate.room import Room
from vbtools.simulate.texture import over

U8 = NDArray[np.uint8]

PERSON_SCALE = 1.25  # of the photograph in a 720-row frame: head and chest fill it as on a webcam
SUNK_PX = 50.0  # the photograph's lower edge lies this far below the frame's, so that it never shows
ASIDE_PX = 14.0  # the seed seats the person at most this far from the middle


class Scene(Protocol):
    """What can be filmed: frames before a background that is known."""

    @property
    def background(self) -> U8:
        """The empty scene, (H, W, 3) uint8 RGB."""

    def frame(self, time_s: float) -> tuple[U8, U8]:
        """The clean frame (H, W, 3) uint8 RGB and the true alpha (H, W) uint8 of what stands before the background."""


class PersonInRoom:
    """A cut-out person, moved as a whole, before a fixed camera's room; stands on the frame's lower edge.

    Args:
        person: at the photograph's own size.
        room: of the frame's size.
        path: the movement.
        seed: where the person sits.
    """

    def __init__(self, person: Person, room: Room, path: Path, seed: int) -> None:
        self.background = room.background
        height, width = room.background.shape[:2]
        self._unit = min(width / STAGE[0], height / STAGE[1])
        self._person = person.resized(PERSON_SCALE * self._unit)
        self._path = path
        self._aside = random.Random(f"seat {seed}").uniform(-ASIDE_PX, ASIDE_PX)

    def frame(self, time_s: float) -> tuple[U8, U8]:
        """The clean frame and the true alpha; see :class:`Scene`. About 15 ms at 720p on one core.

        The frame is exactly ``over(person, background, alpha)``: where alpha is 0 it is the background to the bit.
        """
        placed = self.placement(self._path.pose(time_s))
        clean, alpha = self.background.copy(), np.zeros(self.background.shape[:2], np.uint8)
        x0, y0, x1, y1 = self._extent(placed)
        if x1 <= x0 or y1 <= y0:
            return clean, alpha
        placed[:, 2] -= (x0, y0)
        size = (x1 - x0, y1 - y0)
        rgb = cv2.warpAffine(self._person.rgb, placed, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        shape = cv2.warpAffine(self._person.alpha, placed, size, flags=cv2.INTER_LINEAR)
        alpha[y0:y1, x0:x1] = shape
        clean[y0:y1, x0:x1] = over(rgb, clean[y0:y1, x0:x1], shape)
        return clean, alpha

    def placement(self, pose: Pose) -> NDArray[np.float64]:
        """The affine map (2, 3) from the resized cut-out's pixels to the frame's, anchored to the lower edge."""
        height, width = self.background.shape[:2]
        rows, columns = self._person.alpha.shape
        cos, sin = (pose.scale * f(math.radians(pose.degrees)) for f in (math.cos, math.sin))
        turn = np.array([[cos, sin], [-sin, cos]])
        pivot = np.array([columns / 2, rows - SUNK_PX * self._unit])  # on the frame's lower edge when at rest
        seat = np.array([width / 2 + (self._aside + pose.x) * self._unit, height + pose.y * self._unit])
        shift = seat - turn @ pivot
        corners = turn @ np.array([[0, columns], [rows - 1, rows - 1]]) + shift[:, None]
        shift[1] += max(0.0, height - float(corners[1].min()))
        return np.hstack([turn, shift[:, None]])

    def _extent(self, placed: NDArray[np.float64]) -> tuple[int, int, int, int]:
        """The part of the frame that the cut-out can touch."""
        height, width = self.background.shape[:2]
        rows, columns = self._person.alpha.shape
        corners = placed @ np.array([[0, columns, 0, columns], [0, 0, rows, rows], [1, 1, 1, 1]])
        x0, y0 = np.floor(corners.min(axis=1)).astype(int) - 1
        x1, y1 = np.ceil(corners.max(axis=1)).astype(int) + 2
        return max(0, int(x0)), max(0, int(y0)), min(width, int(x1)), min(height, int(y1))
