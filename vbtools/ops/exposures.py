"""What an attacker who knew everything could have had: exposures of the room, gathered frame by frame.

A pixel of a call is ``C = a x + (1 - a) B``: the clean room x shown with leak weight a, over the product's blurred
background B. Who knows a can undo the mixture. Sums over the frames are enough for that, so that nothing grows with the
length of the call.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.unobserved import fill

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

OPAQUE = 242
"""Alpha, 0-255, above which (0.95) the person hides the room; so the vendors' scene has its 1308 textured blocks."""
FAR_PX = 20.0
"""Farther than this from the person, px at 720 rows, a pixel is the product's blurred background (findings.md)."""
REFERENCE_ROWS = 720
LEAST_LEAK = 0.1
"""A leak weight below this is no exposure: an estimated one is noise, a true one shows less than the codec's errors."""
NOISE = 0.02
"""Variance of a call's noise over that of what blurring takes away, about (4 / 28)^2 grey levels: it keeps small leak
weights from being divided by."""
HALO = 0.1
"""The same for what the plate B does not know: the person's blurred colours beside it. It counts by (1 - a)^2. On
shiguredo15_books (225 frames, structure / recovered / false of the sharpest exposure) 0 gives 207 / 202 / 52, 0.1
241 / 218 / 19, 0.3 242 / 186 / 9."""
WINDOW = 9
"""Side of the window, px, over which a leak weight is estimated."""
LEAST_CONTRAST = 12.0
"""Root mean square of x - B over a window, grey levels of the three channels together, below which a leak could not be
told from noise: its weight is taken as 0."""


class Regions:
    """Where the true person was, over all frames.

    Attributes:
        shown: (H, W) bool: the person left the pixel free at some time.
        swept: (H, W) bool: it lay free, within ``band_px`` of the person, at some time.
        frames: how many were added.
    """

    def __init__(self, height: int, width: int, band_px: float) -> None:
        self.shown = np.zeros((height, width), np.bool_)
        self.swept = np.zeros((height, width), np.bool_)
        self.frames = 0
        self._band, self._far = (px * height / REFERENCE_ROWS for px in (band_px, FAR_PX))

    def add(self, alpha: U8) -> tuple[Mask, Mask]:
        """Take in one frame's alpha, (H, W) uint8; which pixels are free of the person, and which are far from it."""
        self.frames += 1
        self.shown |= alpha <= OPAQUE
        free, covered = alpha == 0, alpha > 127
        if not covered.any():
            return free, free
        distance = cv2.distanceTransform((~covered).view(np.uint8), cv2.DIST_L2, 3)
        self.swept |= free & (distance <= self._band)
        return free, free & (distance > self._far)


class Plate:
    """The product's blurred background, as the mean of what is far from the person and not leaked."""

    def __init__(self, height: int, width: int) -> None:
        self._total = np.zeros((height, width, 3), np.float32)
        self._count = np.zeros((height, width), np.float32)

    def add(self, call: U8, far: Mask) -> None:
        """Take in the far pixels of a frame, (H, W, 3) uint8."""
        cv2.accumulate(call, self._total, mask=far.view(np.uint8))
        self._count += far

    @property
    def observed(self) -> Mask:
        """(H, W) bool."""
        seen: Mask = self._count > 0
        return seen

    def picture(self) -> F32:
        """(H, W, 3) float32, 0-255, smoothly filled where nothing was observed."""
        mean = self._total / np.maximum(self._count, 1)[..., None]
        return np.asarray(fill(mean, self.observed), np.float32)


class Exposures:
    """All that leaked: sums over the frames, weighted as the oracle weighs them.

    Attributes:
        largest: (H, W) float32: each pixel's largest leak weight, 0-1.
    """

    def __init__(self, height: int, width: int) -> None:
        self.largest = np.zeros((height, width), np.float32)
        self._sharpest = np.zeros((height, width, 3), np.uint8)
        # Sums of v a C, v a and v a^2, where v is the inverse of an exposure's variance over that of the codec's noise.
        self._weighted = np.zeros((height, width, 3), np.float32)
        self._weight = np.zeros((height, width), np.float32)
        self._square = np.zeros((height, width), np.float32)

    def add(self, call: U8, weight: F32) -> None:
        """Take in one frame of the call, (H, W, 3) uint8, and its leak weights, (H, W) float32 0-1.

        Weights below :data:`LEAST_LEAK` count as none.
        """
        weight = np.where(weight >= LEAST_LEAK, weight, np.float32(0))
        part = _extent(weight)
        if part is None:
            return
        pixels, a = call[part], weight[part]
        trusted = a / (1 + np.float32(HALO / NOISE) * (1 - a) ** 2)
        self._weight[part] += trusted
        self._square[part] += trusted * a
        self._weighted[part] += trusted[..., None] * pixels
        better = a > self.largest[part]
        np.copyto(self.largest[part], a, where=better)
        np.copyto(self._sharpest[part], pixels, where=better[..., None])

    def from_sharpest(self, plate: F32) -> F32:
        """The room from each pixel's sharpest exposure, (H, W, 3) float32 0-255; the plate where nothing leaked."""
        a = self.largest[..., None]
        doubt = NOISE + HALO * (1 - a) ** 2
        return np.where(a > 0, np.clip(plate + a * (self._sharpest - plate) / (a * a + doubt), 0, 255), plate)

    def from_weighted_mean(self, plate: F32) -> F32:
        """The room from all exposures, by weighted least squares over ``C - B = a (x - B)``; as the other."""
        a, squares = self._weight[..., None], self._square[..., None]
        return np.clip(plate + (self._weighted - a * plate) / (squares + NOISE), 0, 255)


class LeakEstimator:
    """Leak weights of a call whose room and blurred background are known: ``clip(<C-B, x-B> / |x-B|^2, 0, 1)``.

    Args:
        room: x, (H, W, 3), 0-255.
        plate: B, (H, W, 3) float32, 0-255.
    """

    def __init__(self, room: NDArray[Any], plate: F32) -> None:
        self._plate = plate
        self._lost = room.astype(np.float32) - plate
        energy = _windowed((self._lost * self._lost).sum(axis=2))
        self._inverse = np.where(energy >= LEAST_CONTRAST**2, 1 / np.maximum(energy, 1), 0).astype(np.float32)

    def __call__(self, call: U8, free: Mask) -> F32:
        """(H, W) float32 0-1 of one frame; 0 where the person is and where a leak could not be told from noise."""
        product = np.einsum("ijk,ijk->ij", call - self._plate, self._lost)
        inside = free.astype(np.float32)
        weight = _windowed(product * inside) / np.maximum(_windowed(inside), 1 / WINDOW**2) * self._inverse
        return np.asarray(np.clip(weight, 0, 1) * inside, np.float32)


def _windowed(plane: F32) -> F32:
    mean: F32 = cv2.blur(plane, (WINDOW, WINDOW))
    return mean


def _extent(weight: F32) -> tuple[slice, slice] | None:
    """The smallest rectangle that holds every weight above 0."""
    rows, columns = (np.flatnonzero(weight.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
