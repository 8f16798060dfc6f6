"""A clip whose motion is known: a textured room seen by a moving camera, with a still person before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

MARGIN = 64


@dataclass(frozen=True)
class Clip:
    """What was rendered.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB.
        person: (T, H, W) uint8, probability x 255.
        room: (H, W, 3) uint8: the reference's view without the person.
        motion: (T, 2, 3) float64, from reference coordinates to the frame's.
    """

    frames: NDArray[np.uint8]
    person: NDArray[np.uint8]
    room: NDArray[np.uint8]
    motion: NDArray[np.float64]

    def stages(self) -> dict[str, dict[str, NDArray[np.generic]]]:
        """The project that it gives after extract and segment."""
        return {"extract": {"frames": self.frames}, "segment": {"person": self.person}}


def moves(height: int, width: int, shift: tuple[float, float], degrees: float) -> NDArray[np.float64]:
    """Rotation about the picture's centre, then a shift (dx, dy) in px: (2, 3), reference to frame coordinates."""
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    turn[:, 2] += shift
    return np.asarray(turn, np.float64)


def displacement(motion: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """(H, W, 2): where each reference pixel goes, px; written out, so as not to test the library with itself."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    return np.stack(
        [
            motion[0, 0] * x + motion[0, 1] * y + motion[0, 2] - x,
            motion[1, 0] * x + motion[1, 1] * y + motion[1, 2] - y,
        ],
        axis=-1,
    )


def make(motions: Sequence[NDArray[np.float64]], height: int = 270, width: int = 480, seed: int = 1) -> Clip:
    """Render the room under each motion; the person is an ellipse at the bottom, the same in every frame."""
    rng = np.random.default_rng(seed)
    room = _room(rng, height + 2 * MARGIN, width + 2 * MARGIN)
    shown = np.zeros((height, width), np.float32)
    cv2.ellipse(shown, (width // 2, height), (width // 6, int(height * 0.7)), 0, 0, 360, 1.0, -1)
    alpha = cv2.GaussianBlur(shown, (0, 0), 1.5)[..., None]
    clothes = cv2.GaussianBlur(rng.uniform(0, 255, (height, width, 3)).astype(np.float32), (0, 0), 3)
    clothes = np.clip((clothes - 127) * 5 + 127, 0, 255)
    frames, to_margin = [], np.array([[1.0, 0, -MARGIN], [0, 1.0, -MARGIN], [0, 0, 1]])
    for motion in motions:
        forward = np.vstack([motion, [0, 0, 1]]) @ to_margin  # from the large room to the frame
        # A forward map, which OpenCV inverts: not the way that the library looks pixels up.
        seen = cv2.warpAffine(room, forward[:2], (width, height), flags=cv2.INTER_CUBIC)
        noisy = seen * (1 - alpha) + clothes * alpha + rng.normal(0, 1.5, seen.shape)
        frames.append(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    person = np.rint(alpha[..., 0] * 255).astype(np.uint8)
    view = room[MARGIN : MARGIN + height, MARGIN : MARGIN + width]
    return Clip(
        np.stack(frames), np.repeat(person[None], len(frames), axis=0),
        np.clip(np.rint(view), 0, 255).astype(np.uint8), np.stack(list(motions)),
    )  # fmt: skip


def _room(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """Smooth colour, shapes with edges and some writing; red, green and blue differ."""
    smooth = np.zeros((height, width, 3), np.float32)
    for sigma, strength in ((40, 60), (6, 25), (1.5, 8)):
        layer = cv2.GaussianBlur(rng.normal(size=(height, width, 3)).astype(np.float32), (0, 0), sigma)
        smooth += strength * layer / layer.std()
    room = np.clip(smooth + np.array([150, 120, 90], np.float32), 0, 255).astype(np.uint8)  # putText takes nothing else
    for _ in range(40):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        w, h = (int(v) for v in rng.integers(10, 70, 2))
        colour = tuple(float(c) for c in rng.uniform(20, 235, 3))
        cv2.rectangle(room, (x, y), (x + w, y + h), colour, -1)
        cv2.putText(room, "ROOM 42", (x, y + h), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (250, 250, 240), 1, cv2.LINE_AA)
    return cv2.GaussianBlur(room.astype(np.float32), (0, 0), 0.7)
