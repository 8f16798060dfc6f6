"""The colours that a whole-frame blur spreads from the person over the background: the halo, found without knowing it.

A product that blurs the whole frame F and draws the person over it shows, away from the person, G*F. With the
person's alpha A and the room x that is ``G*x + G*(A (F - x))``: the plate, the same in every frame, and a halo that
moves with the person. So the frames' differences from the plate, beside the person and out of reach of the mask, are
the person's own difference from the plate seen through G, and the Gaussian that explains them best is the product's.
A product that keeps the person out of the blur has no halo.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.fill import fill

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

SHRINK = 4
"""The halo is smooth: it is fitted and made on a grid this many times coarser."""
SIGMAS = (3.0, 4.0, 5.0, 6.5, 8.0, 10.0, 12.5, 15.0, 18.0, 22.0, 27.0, 33.0, 40.0)
"""px at 720 rows; the products' range (docs: vendors' values 4 to 52), a quarter octave apart."""
NEAR_PX, REACH_PX = 22.0, 90.0
"""px at 720 rows from the mask, between which the halo is looked for: beyond the fringe of every product seen (10-20
px at the 90th percentile), within what a wide blur reaches."""
OUTLIER = 40.0
"""Grey levels; what differs more from the plate is a part of the person that the mask missed."""
ROUNDS = 4
LEAST_EXPLAINED = 0.01
"""Share of the variance below which nothing is taken for a halo."""


@dataclass(frozen=True, slots=True)
class Halo:
    """A blur, as its halo shows it.

    Attributes:
        sigma: of the Gaussian, px of the frame; 0 where there is no halo.
        strength: of the halo against a whole-frame blur's, 0-1.
        explained: share of the variance beside the person that it explains, 0-1.
    """

    sigma: float
    strength: float
    explained: float


NO_HALO = Halo(0.0, 0.0, 0.0)


def shrunk(plane: NDArray[np.uint8] | F32) -> F32:
    """(H, W[, C]) at a quarter of the size, means over cells, float32."""
    height, width = plane.shape[:2]
    size = (max(1, round(width / SHRINK)), max(1, round(height / SHRINK)))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def person_alpha(probability: F32) -> F32:
    """The person's alpha, 0-1, from a probability x 255 (any shape): a soft step about one half."""
    return np.clip((probability - 64) / 128, 0, 1).astype(np.float32)


def fit(frames: F32, probability: F32, distance: F32, rows: int) -> tuple[Halo, F32, F32]:
    """Find plate and halo from a few frames, alternately.

    Args:
        frames: (n, h, w, 3) float32, 0-255, as :func:`shrunk` gives them.
        probability: (n, h, w) float32, person probability x 255, shrunk.
        distance: (n, h, w) float32: px of the frame to the person's mask, negative in it, shrunk.
        rows: of the frames before they were shrunk.

    Returns:
        The halo; the plate (h, w, 3) without it; the mean halo (h, w, 3) over the observations that a plate of pixels
        farther than :data:`NEAR_PX` would average: subtract it from such a plate.
    """
    unit = rows / 720
    far = (distance > NEAR_PX * unit).astype(np.float32)
    beside = (far > 0) & (distance < REACH_PX * unit)
    where = [np.flatnonzero(one) for one in beside]
    alpha = person_alpha(probability)[..., None]
    halos = np.zeros_like(frames)
    plate = _mean(frames, far)
    found = NO_HALO
    for _ in range(ROUNDS):
        difference = frames - plate
        source = alpha * difference
        seen = [np.clip(_at(one, at), -OUTLIER, OUTLIER) for one, at in zip(difference, where, strict=True)]
        found = max((_explained(source, seen, where, s * unit) for s in SIGMAS), key=lambda h: h.explained)
        if found.explained < LEAST_EXPLAINED:
            return NO_HALO, _mean(frames, far), np.zeros_like(plate)
        halos = np.stack([_spread(one, found) for one in source])
        plate = _mean(frames - halos, far)
    return found, plate, _mean(halos, far)


def of_frame(frame: U8, probability: U8, plate: F32, halo: Halo) -> F32:
    """The halo of one frame, (h, w, 3) float32 in grey levels, shrunk.

    Args:
        frame: (H, W, 3) uint8 RGB.
        probability: (H, W) uint8, person probability x 255.
        plate: (h, w, 3) float32, shrunk.
        halo: as :func:`fit` found it.
    """
    if halo.sigma == 0:
        return np.zeros_like(plate)
    return _spread(person_alpha(shrunk(probability))[..., None] * (shrunk(frame) - plate), halo)


def enlarged(plane: F32, size: tuple[int, int]) -> F32:
    """A shrunk plane (h, w[, C]) at the frame's size (H, W), bilinear."""
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _spread(source: F32, halo: Halo) -> F32:
    blurred = cv2.GaussianBlur(source, (0, 0), max(halo.sigma / SHRINK, 0.3))
    return np.asarray(blurred * np.float32(halo.strength), np.float32)


def _at(plane: F32, where: NDArray[np.intp]) -> F32:
    """(m, 3): what a plane (h, w, 3) holds at some of its pixels, counted row by row."""
    return np.asarray(plane.reshape(-1, 3).take(where, axis=0), np.float32)


def _explained(source: F32, seen: list[F32], where: list[NDArray[np.intp]], sigma: float) -> Halo:
    """The halo of one sigma: its strength by least squares, kept within what a blur can do.

    Args:
        source: (n, h, w, 3) float32: what spreads.
        seen: of each frame what it shows beside the person, (m, 3) float32, without outliers.
        where: of each frame which pixels that are, (m,), counted row by row.
        sigma: px of the frame.
    """
    cross = own = total = 0.0
    for one, clipped, at in zip(source, seen, where, strict=True):
        spread = _at(np.asarray(cv2.GaussianBlur(one, (0, 0), max(sigma / SHRINK, 0.3)), np.float32), at)
        cross += float(np.vdot(spread, clipped))
        own += float(np.vdot(spread, spread))
        total += float(np.vdot(clipped, clipped))
    strength = float(np.clip(cross / max(own, 1e-3), 0, 1))
    return Halo(sigma, strength, (2 * strength * cross - strength**2 * own) / max(total, 1e-3))


def _mean(values: F32, weight: F32) -> F32:
    """(h, w, 3): weighted mean over the first axis, filled where there is no weight."""
    total = weight.sum(axis=0)
    mean = np.einsum("nyxc,nyx->yxc", values, weight) / np.maximum(total, 1e-6)[..., None]
    return fill(mean.astype(np.float32), total > 0)
