"""Small recordings that tests write, and what a command answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.backends.video import VideoWriter

Answer = Callable[..., "Outcome"]


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str


def room(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """A textured picture without a person, uint8 (height, width, 3) RGB."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 220, (height // 12 + 2, width // 12 + 2, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def write_clip(
    path: Path,
    frames: int = 8,
    width: int = 160,
    height: int = 90,
    fps: float = 10.0,
    picture: NDArray[np.uint8] | None = None,
) -> Path:
    """A small lossless recording of a picture (of a texture where none is given) with a little noise."""
    rng = np.random.default_rng(1)
    still = (room(height, width) if picture is None else picture).astype(np.int16)
    height, width = still.shape[:2]
    with VideoWriter(path, width, height, fps, codec="ffv1", pixel_format="bgr0") as writer:
        for _ in range(frames):
            writer.write(np.clip(still + rng.integers(-3, 4, still.shape), 0, 255).astype(np.uint8))
    return path
