"""What a webcam adds: the shake of a hand, noise, and an exposure that drifts. Seeded; functions of the frame alone."""

from __future__ import annotations

import math
import random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]

MARGIN = 0.05  # of the frame's sides: so much more of the scene is rendered around a hand-held camera's frame
SHAKE = ((0.2, 0.014), (0.9, 0.004), (3.5, 0.0008))  # Hz and amplitude in parts of the frame's height
TURN_DEG, ZOOM = 0.6, 0.006
DRIFT_HZ = (0.03, 0.17)
NOISE_TILES = 4
NOISE_PAD = 64


class Handheld:
    """The path of a hand-held camera.

    Args:
        size: width and height of the frame, px.
        seed: same seed, same shake.
    """

    def __init__(self, size: tuple[int, int], seed: int) -> None:
        self.size = size
        self.margin = 2 * math.ceil(MARGIN * size[0] / 2), 2 * math.ceil(MARGIN * size[1] / 2)
        chance = random.Random(f"camera {seed}")
        self._phases = [[chance.uniform(0, 2 * math.pi) for _ in SHAKE] for _ in range(4)]

    def transform(self, time_s: float) -> NDArray[np.float64]:
        """The affine map (2, 3) from the background picture's px to the frame's at one instant."""
        x, y, turn, zoom = (
            sum(a * math.sin(2 * math.pi * hz * time_s + p) for (hz, a), p in zip(SHAKE, phases, strict=True))
            for phases in self._phases
        )
        width, height = self.size
        strongest = sum(amplitude for _, amplitude in SHAKE)
        degrees, scale = TURN_DEG * turn / strongest, 1 + ZOOM * zoom / strongest
        placed = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, scale)
        placed[:, 2] += (x * height, y * height)
        return np.asarray(placed, np.float64)

    def see(self, wide: U8, time_s: float) -> U8:
        """The frame of a scene that was rendered with :attr:`margin` on every side; (H, W) or (H, W, C) uint8."""
        placed = self.transform(time_s)
        placed[:, 2] -= placed[:, :2] @ np.array(self.margin, np.float64)
        how = cv2.INTER_CUBIC if wide.ndim == 3 else cv2.INTER_LINEAR
        return np.asarray(cv2.warpAffine(wide, placed, self.size, flags=how, borderMode=cv2.BORDER_REPLICATE), np.uint8)


class Sensor:
    """Noise and a drifting exposure.

    Args:
        size: width and height of the frame, px.
        noise: standard deviation of the noise, levels of 255, in every channel.
        drift: largest relative change of the exposure.
        seed: same seed, same noise and drift.
    """

    def __init__(self, size: tuple[int, int], noise: float, drift: float, seed: int) -> None:
        self._noise, self._drift, self._seed = noise, drift, seed
        chance = random.Random(f"exposure {seed}")
        self._sines = [(hz, chance.uniform(0, 2 * math.pi)) for hz in DRIFT_HZ]
        self._tiles: list[NDArray[Any]] = []
        if noise:
            rng = np.random.default_rng([seed, 7])
            shape = (size[1] + NOISE_PAD, size[0] + NOISE_PAD, 3)
            # Rendered once and shifted at random from frame to frame: drawing it anew would take 60 ms a frame.
            for _ in range(NOISE_TILES):
                tile = np.rint(rng.standard_normal(shape, np.float32) * np.float32(noise))
                self._tiles.append(tile.astype(np.int16))

    def gain(self, time_s: float) -> float:
        """The exposure at one instant, 1 without drift."""
        wave = sum(math.sin(2 * math.pi * hz * time_s + phase) for hz, phase in self._sines) / len(self._sines)
        return 1 + self._drift * wave

    def see(self, frame: U8, index: int, time_s: float) -> U8:
        """A frame (H, W, 3) uint8 RGB as the sensor gives it; the frame itself without noise and drift."""
        if self._drift:
            frame = np.asarray(cv2.convertScaleAbs(frame, alpha=self.gain(time_s)), np.uint8)
        if not self._tiles:
            return frame
        chance = random.Random(f"noise {self._seed} {index}")
        tile = chance.choice(self._tiles)
        y, x = chance.randrange(NOISE_PAD), chance.randrange(NOISE_PAD)
        part = tile[y : y + frame.shape[0], x : x + frame.shape[1]]
        return np.asarray(np.clip(frame + part, 0, 255), np.uint8)
