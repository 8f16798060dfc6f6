"""Small calls whose leak is known: a box of a person sweeps over a room, blurred, with a fringe that shows the room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

SIZE = (180, 320)
FPS = 12.5
FAR_OFF = 1e9


@dataclass(frozen=True)
class Call:
    """What a project holds of a call, and its truth.

    Attributes:
        frames: (T, H, W, 3) uint8; person: (T, H, W) uint8, probability x 255; room: (H, W, 3) uint8.
        swept: (H, W) bool: the fringe was here, and the person's own place was not always.
    """

    frames: np.ndarray
    person: np.ndarray
    room: np.ndarray
    swept: np.ndarray

    def stages(self, align: dict[str, Any] | None = None) -> dict[str, dict[str, Any]]:
        """As a project before aggregate; the camera stands still unless told otherwise."""
        count = len(self.frames)
        still = {"transform": np.repeat(np.eye(2, 3)[None], count, axis=0), "used": np.ones(count, np.uint8)}
        return {
            "extract": {"frames": self.frames, "time": np.arange(count) / FPS},
            "segment": {"person": self.person},
            "align": align or still,
        }


def room(seed: int, *, flat: bool = False) -> np.ndarray:
    """Letters and boxes on a wall, (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    made = np.full((*SIZE, 3), 150, np.uint8)
    if flat:
        return made
    for _ in range(70):
        x, y = int(rng.integers(0, SIZE[1])), int(rng.integers(8, SIZE[0]))
        shade = int(rng.integers(20, 235))
        text = "".join(rng.choice(list("ABEFHKMNRTX"), 4))
        cv2.putText(made, text, (x - 20, y), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (shade,) * 3, 1, cv2.LINE_AA)
    return made


def call(
    seed: int = 0, count: int = 90, *, sigma: float = 6.0, fringe_px: float = 5.0, sway_px: float = 45.0,
    noise: float = 1.0, scene: np.ndarray | None = None, rooms: list[np.ndarray] | None = None, whole: bool = True,
    keep: float = 0.0,
) -> Call:  # fmt: skip
    """A call of a person who sways; ``fringe_px`` 0 is a mask that shows none of the room.

    Args:
        seed: of room, noise and the person's texture.
        count: frames.
        sigma: of the blur, px.
        fringe_px: how far the product's mask reaches beyond the person; it ends within as much again.
        sway_px: half the way the person goes.
        noise: standard deviation, grey levels.
        scene: the room; made from the seed if not given.
        rooms: another room for each frame, in turn.
        whole: the whole frame is blurred, not only what the person leaves free.
        keep: weight of the mask before in the product's next, 0-1.
    """
    rng = np.random.default_rng(seed)
    scene = room(seed) if scene is None else scene
    height, width = SIZE
    texture = cv2.GaussianBlur(rng.normal(0, 60, (height, 4 * width)).astype(np.float32), (0, 0), 1.5) * 2 + 80
    frames, person = np.empty((count, height, width, 3), np.uint8), np.empty((count, height, width), np.uint8)
    distances = np.empty((count, height, width), np.float32)
    trailing: np.ndarray | None = None
    for t in range(count):
        phase = 2 * np.pi * t / 37.3
        x = width / 2 + sway_px * (np.sin(phase) + 0.25 * np.sin(2.7 * phase)) + rng.uniform(-1, 1) * (sway_px > 0)
        body = np.zeros((height, width), np.uint8)
        cv2.ellipse(body, (round(x), height), (42, 110), 0, 0, 360, 1, -1)
        outside = cv2.distanceTransform(1 - body, cv2.DIST_L2, 5)
        alpha = np.clip(1 - outside, 0, 1)[..., None]
        start = round(width - x)
        inside = np.repeat(texture[:, start : start + width, None], 3, axis=2)
        background = scene if rooms is None else rooms[t % len(rooms)]
        clean = alpha * inside + (1 - alpha) * background
        mask = np.clip(2 - outside / max(fringe_px, 1e-6), 0, 1)[..., None] if fringe_px else alpha
        trailing = mask = mask if trailing is None else keep * trailing + (1 - keep) * mask
        kept = alpha if whole else np.zeros_like(alpha)
        blurred = cv2.GaussianBlur((kept * inside + (1 - kept) * background).astype(np.float32), (0, 0), sigma)
        shown = mask * clean + (1 - mask) * blurred + rng.normal(0, noise, (height, width, 1))
        frames[t] = np.clip(np.rint(shown), 0, 255)
        person[t] = np.rint(255 * np.clip(1 - outside / 4, 0, 1))
        distances[t] = outside
    fringe = (distances > 1) & (distances < 1.5 * max(fringe_px, 1))
    swept = (fringe.sum(axis=0) >= 6) & (distances.max(axis=0) > 20)
    return Call(frames, person, scene, swept)
