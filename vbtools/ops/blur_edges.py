"""How wide a blur is, from the edges of a picture behind it.

Furniture, screens, doors and print have edges much sharper than any blur, so behind a blur each is the kernel's own
step response. A step of height A through a kernel of sigma s and then a Gaussian t has the slope ``A p(t / s) / s``
with a p that the kernel's family gives (for a Gaussian: ``A / sqrt(2 pi (s^2 + t^2))``). Five values of t tell A and s
apart and leave three equations over, which only an edge with nothing near it satisfies. (The re-blur idea: Zhuo and
Sim, "Defocus map estimation from a single image", Pattern Recognition 44, 2011; the test for a lone edge and the vote
are ours.)

Edges that are soft by themselves, or have another of the same direction beside them, vote for wider blurs, each for
another; edges of a bar, whose other side is near, vote for narrower ones. In rooms the second are more: the blur lies
above the middle of the votes (:data:`QUANTILE`).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

SCALES = (2.5, 3.3, 4.3, 5.6, 7.3, 9.5, 12.4, 16.0, 21.0, 27.0, 35.0)
"""px: the blurs around which edges are tried; each takes those within 15 %."""
REBLURS = np.array([0.5, 0.8, 1.15, 1.6, 2.2])
"""The five Gaussians, against the scale."""
WITHIN = 0.14
"""Largest logarithm between an edge's sigma and the scale at which it was measured."""
FINEST_PX = 3.2
"""px: a scale is measured on a picture that is shrunk so far that it is not less than this."""
LEAST_HEIGHT = 10.0
"""Grey levels of the step; a lower one is as likely a block of the codec."""
LARGEST_HEIGHT = 60.0
"""Grey levels beyond which a step says no more."""
LONE = 0.02
"""Largest standard deviation of the five logarithms of slope from a lone edge's."""
ERROR = 0.008
"""The same at which an edge counts 0.6: 8-bit codecs leave this much on a step of 30 levels."""
PARALLEL = 0.97
"""Least cosine between the edge's directions at the finest and the coarsest Gaussian: it is straight."""
GRID = np.exp(np.arange(np.log(2.0), np.log(42.0), 0.02))
"""px: where the votes are counted."""
BANDWIDTH = 0.06
"""Of a vote, in logarithm."""
AROUND = 0.6
"""Logarithm: how far from the most voted sigma a vote may lie and count."""
QUANTILE = 0.75
"""Of the votes. At one half the answer is too small in four of five clips; at this quantile it lies on both sides of
the truth alike, of 45 simulated clips (every profile without a cut kernel, rooms rendered and photographed) and of the
four real ones."""
LEAST_LENGTH = 40.0
"""px of lone edges below which they say nothing."""
LEAST_AGREEING = 0.3
"""Share of the votes within 15 % of the answer below which it is only a guess."""


@dataclass(frozen=True, slots=True)
class Width:
    """An effective sigma from edges.

    Attributes:
        sigma: px, of a bell; NaN where there are too few edges. Too large by 5 to 25 % if the kernel is cut off.
        agreeing: share of votes within 15 % of the sigma.
        length: px of lone edges.
    """

    sigma: float
    agreeing: float
    length: float

    @property
    def is_clear(self) -> bool:
        """Whether enough votes agree; if not, the sigma is only where to begin."""
        return bool(np.isfinite(self.sigma)) and self.agreeing >= LEAST_AGREEING


UNKNOWN = Width(float("nan"), 0.0, 0.0)


def width(plate: F32, seen: Mask) -> Width:
    """The effective sigma of the blur that a picture lies behind; 1 s at 720p.

    Args:
        plate, seen: as in :func:`votes`.
    """
    found = votes(plate, seen)
    if found.length < LEAST_LENGTH:
        return UNKNOWN
    sigma = _answer(found.density)
    agreeing = float(found.density[np.abs(np.log(GRID / sigma)) < np.log(1.15)].sum())
    return Width(sigma, agreeing, found.length)


def _answer(density: F64) -> float:
    near = np.where(np.abs(np.log(GRID / GRID[density.argmax()])) < AROUND, density, 0)
    below = np.cumsum(near) / near.sum()
    return float(np.exp(np.interp(QUANTILE, below, np.log(GRID))))


@dataclass(frozen=True, slots=True)
class Votes:
    """What the edges say.

    Attributes:
        density: (len(GRID),) float64: votes by logarithm of sigma; sums to 1, or all 0 where there are no edges.
        length: of the edges, px, each weighted by how lone and how high it is.
    """

    density: F64
    length: float


def votes(plate: F32, seen: Mask) -> Votes:
    """Let the edges of a blurred picture vote for its effective sigma, 2 to 40 px.

    Args:
        plate: (H, W) float32, luminance 0-255.
        seen: (H, W) bool: where it shows the blurred background; an edge needs twice its sigma of it around.
    """
    inside = np.pad(seen.astype(np.uint8), 1)  # beyond the picture nothing is seen
    room = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
    total = np.zeros(len(GRID))
    length = 0.0
    for scale in SCALES:
        sigma, weight = _edges(plate, room, scale)
        length += float(weight.sum())
        spread = np.exp(-0.5 * ((np.log(GRID)[:, None] - np.log(sigma)[None]) / BANDWIDTH) ** 2)
        total += spread @ weight
    return Votes(total / max(float(total.sum()), 1e-12), length)


def _edges(plate: F32, room: F32, scale: float) -> tuple[F64, F64]:
    """Sigmas (n,), px, of the lone edges near a scale, and their weights (n,): px of edge."""
    shrink = max(1, int(scale // FINEST_PX))
    height, width = plate.shape
    if min(height, width) // shrink < 16:
        return np.ones(0), np.ones(0)
    size = (width // shrink, height // shrink)
    small = cv2.resize(plate, size, interpolation=cv2.INTER_AREA) if shrink > 1 else plate
    near = cv2.resize(room, size, interpolation=cv2.INTER_NEAREST) if shrink > 1 else room
    reblurs = scale / shrink * REBLURS
    slopes = [_gradient(small, float(t)) for t in reblurs]
    steepness = [cv2.magnitude(*slope) for slope in slopes]
    finest = steepness[0]
    is_edge = _ridge(slopes[0], finest, 0.4 * scale / shrink) & (near > 2.2 * scale)
    is_edge &= finest * (2.5 * scale / shrink) > LEAST_HEIGHT
    rows, columns = np.nonzero(is_edge)
    if not len(rows):
        return np.ones(0), np.ones(0)
    (ax, ay), (bx, by) = slopes[0], slopes[-1]
    same = (ax * bx + ay * by)[rows, columns] > PARALLEL * (finest * steepness[-1])[rows, columns]
    logs = np.log(np.maximum(np.stack([s[rows, columns] for s in steepness]), 1e-3)).astype(np.float64)[:, same]
    tried = scale / shrink * np.exp(np.arange(-0.24, 0.25, 0.02))
    off = np.stack([np.std(logs - _log_slope(reblurs / s)[:, None], axis=0) for s in tried])
    best = off.argmin(axis=0)
    error, sigma = off.min(axis=0), tried[best]
    level = np.exp(logs[0] - _log_slope(reblurs[0] / sigma)) * sigma  # the step's height
    kept = (error < LONE) & (np.abs(np.log(sigma * shrink / scale)) < WITHIN)
    weight = np.minimum(level, LARGEST_HEIGHT) / LARGEST_HEIGHT * np.exp(-0.5 * (error / ERROR) ** 2) * shrink
    grown = np.sqrt(
        np.maximum((sigma * shrink) ** 2 - (shrink * shrink - 1) / 12, 0.5)
    )  # less the shrinking's own blur
    return np.asarray(grown[kept], np.float64), np.asarray(weight[kept], np.float64)


def _log_slope(ratio: F64) -> F64:
    """Logarithm of the slope of a step of height 1 behind a Gaussian of sigma 1 and a second one of so many times
    that."""
    return np.asarray(-0.5 * np.log(2 * np.pi * (1 + ratio * ratio)), np.float64)


def _gradient(plane: F32, sigma: float) -> tuple[F32, F32]:
    smooth = cv2.GaussianBlur(plane, (0, 0), sigma)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3, scale=0.125) for order in ((1, 0), (0, 1)))
    return across, down


def _ridge(slope: tuple[F32, F32], steepness: F32, step: float) -> Mask:
    """Where the slope is steepest along its own direction, and falls alike to both sides."""
    height, width = steepness.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    dx, dy = (part * (step / np.maximum(steepness, 1e-6)) for part in slope)
    ahead = cv2.remap(steepness, x + dx, y + dy, cv2.INTER_LINEAR)
    behind = cv2.remap(steepness, x - dx, y - dy, cv2.INTER_LINEAR)
    return (steepness > ahead) & (steepness >= behind) & (np.abs(ahead - behind) < 0.1 * steepness)
