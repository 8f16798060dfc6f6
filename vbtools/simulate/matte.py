"""The person's alpha where nobody drew it: from a segmenter and the empty room, from a green screen, from a plain wall.

Mattes are (H, W) float32 of 0..1. Colours are un-mixed by ``c = a f + (1 - a) b`` with the backing's colour ``b``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops import along_edges
from vbtools.ops.fill import fill
from vbtools.ops.median import masked_median
from vbtools.ops.soften import smoothstep
from vbtools.simulate.person import Person

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Segmenter = Callable[[U8], U8]

SURELY_ROOM = 26  # of 255: 10 % person; the plate is made of what is less and lies AWAY_PX from what is more
AWAY_PX = 12.0  # at 720 rows: about what a 256x144 mask may be too small by
SCREEN_CHROMA = 28.0  # distance from grey in the chroma plane (of 255) above which a backing is a screen
CLEAR, SOLID = 0.78, 0.32  # of the backing's own chroma: as much of it, or more, is backing; as little is person
SEEN, SURE = 8.0, 34.0  # differences from the wall, levels of 255, at which the person begins and is sure
BORDER = 0.05  # of the sides: where the backing shows
CALM = (0.2, 0.8)  # a guided matte is steepened between these


@dataclass(frozen=True, slots=True)
class Plate:
    """An empty room, seen past a person who moves.

    Attributes:
        background: (H, W, 3) uint8 RGB; where it was never seen, filled smoothly from around.
        known: (H, W) bool: seen at least once.
    """

    background: U8
    known: NDArray[np.bool_]


def clean_plate(samples: Sequence[U8], segmenter: Segmenter) -> Plate:
    """The median over frames of what is surely not the person.

    Args:
        samples: (H, W, 3) uint8 RGB each, of one fixed camera.
        segmenter: gives (H, W) uint8 person probability x 255.
    """
    valid = np.stack([_surely_room(segmenter(frame)) for frame in samples])
    plate, coverage = masked_median(np.stack(samples), valid)
    known = coverage > 0
    return Plate(np.clip(np.rint(fill(plate, known)), 0, 255).astype(np.uint8), known)


def _surely_room(probability: U8) -> NDArray[np.bool_]:
    person = (probability > SURELY_ROOM).astype(np.uint8)
    reach = max(1, round(AWAY_PX * probability.shape[0] / 720))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(person, disc) == 0)


def from_segmenter(frame: U8, probability: U8) -> F32:
    """An estimate from a segmenter: its probability along the frame's edges, steepened."""
    likely = np.asarray(probability, np.float32) / np.float32(255)
    soft = along_edges.guided(likely, frame, shrink=1, size=9, eps=1e-4)
    return smoothstep(soft, *CALM)


@dataclass(frozen=True, slots=True)
class Screen:
    """A backing of one strong colour, keyed by how much of its chroma a pixel has.

    Attributes:
        color: (3,) float32, RGB.
        chroma: (2,) float32: its Cb and Cr, from grey.
    """

    color: F32
    chroma: F32

    def cut_out(self, frame: U8, probability: U8 | None = None) -> Person:
        """The person of a frame, with the screen's colour taken out of it.

        Args:
            frame: (H, W, 3) uint8 RGB.
            probability: not needed.
        """
        part = _chroma(frame) @ self.chroma / float(self.chroma @ self.chroma)
        alpha = 1 - smoothstep(np.asarray(part, np.float32), SOLID, CLEAR)
        spill = np.clip(part, 0, 1)[..., None] * (self.color - self.color.mean())
        return _unmixed(frame - spill, self.color, alpha)


@dataclass(frozen=True, slots=True)
class Wall:
    """A plain wall, keyed by the difference from it within what the segmenter leaves open.

    Attributes:
        plate: (H, W, 3) float32, RGB: the wall without the person.
    """

    plate: F32

    def cut_out(self, frame: U8, probability: U8 | None = None) -> Person:
        """The person of a frame.

        Args:
            frame: (H, W, 3) uint8 RGB.
            probability: (H, W) uint8 person probability x 255.
        """
        pixels = frame.astype(np.float32)
        differs = smoothstep(np.asarray(np.abs(pixels - self.plate).max(axis=2), np.float32), SEEN, SURE)
        likely = np.ones(frame.shape[:2], np.float32)
        if probability is not None:
            wide = cv2.GaussianBlur(probability.astype(np.float32) / 255, (0, 0), frame.shape[0] / 180)
            likely = np.asarray(wide, np.float32)
        alpha = np.maximum(smoothstep(likely, 0.6, 0.95), differs * smoothstep(likely, 0.08, 0.4))
        alpha = along_edges.guided(np.asarray(alpha, np.float32), frame, shrink=1, size=5, eps=1e-4)
        return _unmixed(pixels, self.plate, smoothstep(alpha, 0.1, 0.9))


def backing(samples: Sequence[U8], segmenter: Segmenter) -> Screen | Wall:
    """What the person of a recording stands before, found at the borders of some frames.

    Args:
        samples: (H, W, 3) uint8 RGB each.
        segmenter: gives (H, W) uint8 person probability x 255; used before a wall only.
    """
    color = np.median(np.concatenate([_border(frame) for frame in samples]), axis=0).astype(np.float32)
    chroma = _chroma(color[None, None].round().astype(np.uint8))[0, 0]
    if float(np.hypot(*chroma)) >= SCREEN_CHROMA:
        return Screen(color, chroma)
    return Wall(clean_plate(samples, segmenter).background.astype(np.float32))


def _border(frame: U8) -> U8:
    """The pixels at the upper border and at the upper halves of both sides, (n, 3)."""
    height, width = frame.shape[:2]
    rows, columns = max(1, round(BORDER * height)), max(1, round(BORDER * width))
    parts = (frame[:rows], frame[: height // 2, :columns], frame[: height // 2, -columns:])
    return np.concatenate([part.reshape(-1, 3) for part in parts])


def _chroma(frame: U8) -> F32:
    """Cb and Cr from grey, (H, W, 2) float32."""
    ycc = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2YCrCb), np.float32)
    return ycc[..., 1:] - np.float32(128)


def _unmixed(pixels: F32, backing_color: F32, alpha: F32) -> Person:
    share = np.maximum(alpha, 0.05)[..., None]
    own = (pixels - (1 - alpha[..., None]) * backing_color) / share
    own = np.where(alpha[..., None] > 0.98, pixels, own)
    return Person(np.clip(np.rint(own), 0, 255).astype(np.uint8), np.rint(alpha * 255).astype(np.uint8))
