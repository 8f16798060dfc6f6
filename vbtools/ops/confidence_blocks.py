"""What is measured of each block by itself, for the confidence (:mod:`vbtools.ops.confidence`).

A block is right or wrong by its own pixels; what is pooled over a few letters says less of it the more its surroundings
differ. How strong the picture's detail is there, whether it is an edge or a texture, how it falls off from coarse to
fine, and how far passages, leak and plate agree is asked here of nothing but the block.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.detail import block_means, high_pass, scaled
from vbtools.ops.fringe import DETAIL_PX

if TYPE_CHECKING:
    from vbtools.ops.confidence import Evidence

F32 = NDArray[np.float32]

MEASURES = (
    "block's strength", "block's strength over its neighbours'", "neighbours' strength", "block's straightness",
    "block's fineness", "finest over fine", "fine over middling", "middling over coarse",
    "undone strength", "undone strength over noise", "picture like the undone", "picture like the leak",
    "leak's strength", "leak's fineness", "passages alike", "passages at other distances alike", "near and far alike",
    "passages of neighbours alike", "passages alike in the clip", "leak's fineness in the clip",
)  # fmt: skip
RISING = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0)
"""As that of :mod:`vbtools.ops.confidence`."""
FINE_PX = 1.5
"""Sigma, px at 720 rows, of the Gaussian whose rest is fine."""
BANDS_PX = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Sigmas, px at 720 rows, of the Gaussians whose differences are the bands of detail."""
ENOUGH_PAIRS = 0.1
"""Mean weight of a block's pairs of passages from which it tells of the clip."""
ALIKE = 0.1
"""How alike a block's passages are from which it tells of the clip."""
USUAL_FINENESS, USUAL = -1.0, 5.0
"""How fine the leak is of a clip that shows little, and how many blocks that are wholly alike this counts as. A soft
room comes through a blur better than a sharp one."""
ALIKE_FLOOR = 0.05
"""Grey levels to the fourth, added to the product of two powers."""


def measures(seen: Evidence) -> F32:
    """(len(MEASURES), rows, columns) float32; blocks cut off at the right and lower borders are included."""
    unit, blocks = seen.unit, Blocks(seen.picture.shape)
    shown = seen.room.best * seen.scale
    sigma = DETAIL_PX * unit
    picture, undone = high_pass(seen.picture, sigma), high_pass(seen.channel.undone, sigma)
    strength, undone_strength, leak_strength = (blocks.deviation(plane) for plane in (picture, undone, shown))
    fine, leak_fine = high_pass(seen.picture, FINE_PX * unit), high_pass(seen.room.best, FINE_PX * unit) * seen.scale
    bands = [blocks.strength(band) + np.float32(0.1) for band in _bands(seen.picture, unit)]
    around = np.sqrt(_of_neighbours(strength * strength))
    pairs = seen.pairs
    in_clip = _mean(pairs.passages, pairs.seen * (pairs.seen > ENOUGH_PAIRS))
    leak_fineness = np.log((blocks.strength(leak_fine) + 0.1) / (leak_strength + 0.3))
    fineness = of_clip(leak_fineness, pairs.passages, USUAL_FINENESS)
    near_by = _smooth(pairs.passages * pairs.seen) / np.maximum(_smooth(pairs.seen), np.float32(1e-3))
    found = (
        np.log(strength + 0.5), np.log((strength + 0.5) / (around + 0.5)), np.log(around + 0.3),
        blocks.straightness(cv2.GaussianBlur(seen.picture, (0, 0), unit), 1.0),
        np.log((blocks.strength(fine) + 0.1) / (strength + 0.3)),
        *(np.log(finer / coarser) for finer, coarser in pairwise(bands)),
        np.log(undone_strength + 0.3), np.log(undone_strength / seen.channel.noise + 0.1),
        blocks.alike(picture, undone), blocks.alike(picture, shown),
        np.log(leak_strength + 0.3), leak_fineness,
        pairs.passages, pairs.apart, pairs.near_far, near_by, in_clip * (pairs.passages != 0),
        np.full(strength.shape, fineness),
    )  # fmt: skip
    return np.stack(found).astype(np.float32)


def of_clip(values: F32, alike: F32, usual: float) -> float:
    """The mean of a measure over the blocks whose passages are alike, or what is usual where there are few of them.

    Args:
        values: (rows, columns) float32.
        alike: (rows, columns) float32, -1 to 1.
        usual: what a clip has that shows little.
    """
    sure = np.maximum(alike - np.float32(ALIKE), 0)
    return (float((sure * values).sum()) + USUAL * usual) / (float(sure.sum()) + USUAL)


class Blocks:
    """Means over the blocks of a picture of a size (H, W), those at the borders over what there is of them."""

    def __init__(self, size: tuple[int, ...]) -> None:
        self._side = scaled(size[0])[0]
        self._over = -size[0] % self._side, -size[1] % self._side
        self._share = self._sums(np.ones(size, np.float32))

    def _sums(self, plane: F32) -> F32:
        down, along = self._over
        return block_means(cv2.copyMakeBorder(plane, 0, down, 0, along, cv2.BORDER_CONSTANT, value=0), self._side)

    def mean(self, plane: F32) -> F32:
        return np.asarray(self._sums(plane) / self._share, np.float32)

    def strength(self, plane: F32) -> F32:
        """Root of the mean square."""
        return np.asarray(np.sqrt(self.mean(plane * plane)), np.float32)

    def variance(self, plane: F32) -> F32:
        return np.asarray(np.maximum(self.mean(plane * plane) - self.mean(plane) ** 2, 0), np.float32)

    def deviation(self, plane: F32) -> F32:
        return np.asarray(np.sqrt(self.variance(plane)), np.float32)

    def around(self, plane: F32) -> F32:
        """Root of the mean square of a block and the eight around it."""
        return np.asarray(np.sqrt(_of_neighbours(self.strength(plane) ** 2)), np.float32)

    def straightness(self, plane: F32, floor: float) -> F32:
        """How far the slopes of a block have one direction, 0-1: of an edge 1, of a texture 0.

        Args:
            plane: (H, W) float32, smooth.
            floor: added to the power of the slopes (of Sobel's filter): what is weaker has no direction.
        """
        along, down = (cv2.Sobel(plane, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
        apart, aslant = self.mean(along * along - down * down), self.mean(2 * along * down)
        return np.asarray(np.hypot(apart, aslant) / (self.mean(along * along + down * down) + floor), np.float32)

    def alike(self, one: F32, other: F32) -> F32:
        """Correlation, small where either is weak."""
        both = self.mean(one * other) - self.mean(one) * self.mean(other)
        return np.asarray(both / np.sqrt(self.variance(one) * self.variance(other) + ALIKE_FLOOR), np.float32)


def _bands(plane: F32, unit: float) -> list[F32]:
    smooth = [cv2.GaussianBlur(plane, (0, 0), sigma * unit) for sigma in BANDS_PX]
    return [np.asarray(fine - coarse, np.float32) for fine, coarse in pairwise(smooth)]


def _of_neighbours(plane: F32) -> F32:
    """Mean of a block and the eight around it."""
    return np.asarray(cv2.blur(plane, (3, 3)), np.float32)


def _smooth(plane: F32) -> F32:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), 1.0), np.float32)


def _mean(values: F32, weight: F32) -> float:
    whole = float(weight.sum())
    return float((values * weight).sum()) / whole if whole > 0 else 0.0
