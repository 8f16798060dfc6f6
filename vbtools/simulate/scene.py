"""The person before the room: clean frames with their true alpha."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.simulate.camera import Handheld
from vbtools.simulate.canvas import STAGE
from vbtools.simulate.hand import SIZE as HAND_SIZE
from vbtools.simulate.hand import forearm
from vbtools.simulate.motion import Hand, Path, Pose
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


@dataclass(frozen=True, slots=True)
class Stand:
    """How a cut-out stands in the frame.

    Attributes:
        scale: of its pixels in a 720-row frame.
        sunk_px: its lower edge lies this far below the frame's, px of a 720-row frame.
        aside_px: the seed seats the person at most this far from the middle, px of a 720-row frame.
    """

    scale: float = PERSON_SCALE
    sunk_px: float = SUNK_PX
    aside_px: float = ASIDE_PX


PHOTOGRAPHED = Stand()


class PersonInRoom:
    """A cut-out person, moved as a whole, before a fixed camera's room; stands on the frame's lower edge.

    Args:
        person: at its own size; or what gives it for an instant, if it moves by itself.
        room: of the frame's size.
        path: the movement.
        seed: where the person sits, and its gestures.
        stand: how it stands.
    """

    def __init__(
        self, person: Person | Callable[[float], Person], room: Room, path: Path, seed: int,
        stand: Stand = PHOTOGRAPHED,
    ) -> None:  # fmt: skip
        self.background = room.background
        height, width = room.background.shape[:2]
        self._unit = min(width / STAGE[0], height / STAGE[1])
        self._path = path
        self._stand = stand
        scale = stand.scale * self._unit
        if isinstance(person, Person):
            resized = person.resized(scale)
            self._at: Callable[[float], Person] = lambda _: resized
        else:
            moving = person
            self._at = lambda time_s: moving(time_s).resized(scale)
        self._aside = random.Random(f"seat {seed}").uniform(-stand.aside_px, stand.aside_px)
        self._hand = Hand(seed) if path.motion.hands else None
        self._forearm = forearm(self._unit) if path.motion.hands else None

    def cut_out(self, time_s: float) -> Person:
        """The person at one instant, at its size in the frame."""
        return self._at(time_s)

    def frame(self, time_s: float) -> tuple[U8, U8]:
        """The clean frame and the true alpha; see :class:`Scene`. About 15 ms at 720p on one core.

        The frame is exactly ``over(person, background, alpha)``: where alpha is 0 it is the background to the bit.
        """
        person = self._at(time_s)
        clean, alpha = self.background.copy(), np.zeros(self.background.shape[:2], np.uint8)
        _lay(clean, alpha, person, self.placement(self._path.pose(time_s), person))
        if self._hand is not None and self._forearm is not None:
            up, across, degrees = self._hand.at(time_s)
            if up > 0:
                _lay(clean, alpha, self._forearm, self._reach(up, across, degrees))
        return clean, alpha

    def placement(self, pose: Pose, person: Person) -> NDArray[np.float64]:
        """The affine map (2, 3) from the resized cut-out's pixels to the frame's, anchored to the lower edge."""
        height, width = self.background.shape[:2]
        rows, columns = person.alpha.shape
        cos, sin = (pose.scale * f(math.radians(pose.degrees)) for f in (math.cos, math.sin))
        turn = np.array([[cos, sin], [-sin, cos]])
        pivot = np.array([columns / 2, rows - self._stand.sunk_px * self._unit])  # at rest: on the frame's edge
        seat = np.array([width / 2 + (self._aside + pose.x) * self._unit, height + pose.y * self._unit])
        shift = seat - turn @ pivot
        corners = turn @ np.array([[0, columns], [rows - 1, rows - 1]]) + shift[:, None]
        shift[1] += max(0.0, height - float(corners[1].min()))
        return np.hstack([turn, shift[:, None]])

    def _reach(self, up: float, across: float, degrees: float) -> NDArray[np.float64]:
        """The affine map (2, 3) of the forearm, turned about its elbow below the frame."""
        height, width = self.background.shape[:2]
        wide, tall = (side * self._unit for side in HAND_SIZE)
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        turn = np.array([[cos, sin], [-sin, cos]])
        elbow = np.array([wide / 2, tall])
        seat = np.array([width / 2 + (self._aside + across) * self._unit, height + tall * (1 - up)])
        return np.hstack([turn, (seat - turn @ elbow)[:, None]])


class HandheldScene:
    """A scene seen by a hand-held camera.

    Args:
        wide: the scene, with the camera's margin on every side.
        camera: the shake.
    """

    def __init__(self, wide: Scene, camera: Handheld) -> None:
        self._wide, self._camera = wide, camera
        x, y = camera.margin
        self.background = np.ascontiguousarray(wide.background[y:-y, x:-x])

    def frame(self, time_s: float) -> tuple[U8, U8]:
        """See :class:`Scene`; the background is where ``camera.transform(time_s)`` puts it."""
        clean, alpha = self._wide.frame(time_s)
        return self._camera.see(clean, time_s), self._camera.see(alpha, time_s)


def _lay(clean: U8, alpha: U8, cut_out: Person, placed: NDArray[np.float64]) -> None:
    """Lay a cut-out over a frame, and add it to what stands before the background; both arrays are changed."""
    x0, y0, x1, y1 = _extent(cut_out.alpha.shape, placed, alpha.shape)
    if x1 <= x0 or y1 <= y0:
        return
    placed = placed.copy()
    placed[:, 2] -= (x0, y0)
    size = (x1 - x0, y1 - y0)
    rgb = cv2.warpAffine(cut_out.rgb, placed, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    shape = np.asarray(cv2.warpAffine(cut_out.alpha, placed, size, flags=cv2.INTER_LINEAR), np.uint8)
    part = np.s_[y0:y1, x0:x1]
    clean[part] = over(np.asarray(rgb, np.uint8), clean[part], shape)
    under = (255 - alpha[part].astype(np.uint16)) * (255 - shape)
    alpha[part] = (255 - (under + 127) // 255).astype(np.uint8)


def _extent(
    shape: tuple[int, ...], placed: NDArray[np.float64], frame: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """The part of a frame that a cut-out can touch."""
    rows, columns = shape[:2]
    corners = placed @ np.array([[0, columns, 0, columns], [0, 0, rows, rows], [1, 1, 1, 1]])
    x0, y0 = np.floor(corners.min(axis=1)).astype(int) - 1
    x1, y1 = np.ceil(corners.max(axis=1)).astype(int) + 2
    return max(0, int(x0)), max(0, int(y0)), min(frame[1], int(x1)), min(frame[0], int(y1))
