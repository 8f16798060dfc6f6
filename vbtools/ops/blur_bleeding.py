"""How far and how strongly the person's colours bleed over a blurred background: whole-frame or person-excluded, how
wide.

A product that blurs the whole frame F and draws the person over it shows, beyond the person's alpha A, ``G*(A (F -
B))`` more than the plate B: the colours bleed, with a strength of 1, as far as G reaches. One that keeps the person out
shows nothing of them; what is left of the room around a pixel is then weighted anew, which gives ``(B G*A - G*(B A)) /
(1 - G*A)``. Both move with the person. How wide a blur is shows in each pixel against itself at other times only: the
room's own detail, the plate's errors and what is drawn over the picture fall out. Which of the two it is shows so too
where the blur is wide; a narrow one's bleeding lies nearer to the person, and shows against the plate. There the fringe
shows the room's detail, and the mask's errors the person's; both are large where they are at all, so little is made of
large differences.

How far the colours reach is a third question, with another answer where a mask misses the person's rim. Of a person
beside whom a whole frame was blurred there is, at a distance d, a share of ``Phi(-d / sigma)``; a rim of a few px,
which is all that the other kind of product blurs of the person, has next to nothing two sigmas away, nor a small part
of the colours of what lies deeper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

SIGMAS = np.array([3.0, 3.6, 4.3, 5.2, 6.2, 7.5, 9.0, 10.8, 13.0, 15.5, 18.6, 22.3, 26.8, 32.0, 38.0])
"""px: a quarter octave apart."""
NEAR_PX, FAR_PX = 8.0, 90.0
"""px at 720 rows from the mask, between which the bleeding is looked for: beyond most of the fringe, within a wide
blur."""
NEAREST_PX, NEAREST_SIGMAS, BAND_SIGMAS = 4.0, 0.7, 2.5
"""px at 720 rows and sigmas from the mask from which on, and over how many sigmas, the two kinds are compared."""
WIDE_PX = 10.0
"""px at 720 rows: a wider blur's bleeding reaches all that the plate was averaged from, so its frames are compared with
each other."""
TUNING = 2.0
"""Robust standard deviations at which a difference has half its weight (Cauchy's)."""
LARGEST = 20.0
"""Grey levels, of what a model leaves: a larger rest is no worse."""
FAR = 1e4
"""px: farther than any picture is wide."""
ROUNDS = 6
OUTLIER = 40.0
"""Grey levels; what differs more from the plate is a part of the person that the mask missed."""
WITHIN_PX = 6.0
"""px at 720 rows inside the mask from where on the person's own colours are sure."""
OWN_PX = 16.0
"""Sigma, px at 720 rows, of the mean of those that lie nearest to a place."""
BEYOND_PX = 2.3
"""px at 720 rows by which the mask lies outside the person's outline (MediaPipe's, behind any of 15 products: the
person's share is one half 2 to 2.5 px within it)."""
REACH_PX, REACH_SIGMAS, REACH_BINS = (4.0, 10.0), (0.5, 2.0), 6
"""Between which distances the reach is measured, and in how many bins: px at 720 rows at least, and sigmas."""
LEAST_OWN = 12.0
"""Grey levels between the person's colours and the plate below which a place says nothing of their share."""
FILLED_PX = 20.0
"""px at 720 rows from the mask up to which the reach takes the plate's surroundings where the plate was never seen:
beside a person who hardly moves there is nothing else."""
LEAST_IN_BIN = 300
"""Pixels."""
LEAST_FRAMES = 4
"""Frames in which a pixel must lie beside the person, to be compared with itself."""
LEAST_PIXELS = 2000
"""Pixels, of all frames on the small grid, below which nothing is said."""


@dataclass(frozen=True, slots=True)
class Bleeding:
    """What the person's surroundings show.

    Attributes:
        explained: (len(SIGMAS),) float64: share of the variance beside the person that bleeding of strength 1 takes
            away; negative where it adds.
        noise: standard deviation beside the person, grey levels.
        pixels: how many, of all frames together; 0: nothing is known.
    """

    explained: F64
    noise: float
    pixels: int


@dataclass(frozen=True, slots=True)
class Kind:
    """Whole-frame against person-excluded, for one sigma.

    Attributes:
        strength: of the bleeding: 1 behind a whole-frame blur, 0 where the person is kept out.
        anew: of the weighting anew: the other way round. Both together, by robust least squares.
        whole, excluded: share of the mean difference that is left by either model, 1 for one that explains nothing.
        contrast: of the expected bleeding, standard deviation in grey levels.
        pixels: as in :class:`Bleeding`.
        reach: the share of the person's colours half a sigma to two sigmas away, against a whole-frame blur's; NaN
            where the person has the background's colours.
    """

    strength: float
    anew: float
    whole: float
    excluded: float
    contrast: float
    pixels: int
    reach: float = float("nan")


UNSEEN = Kind(0.0, 0.0, 1.0, 1.0, 0.0, 0)


class Samples:
    """Some frames, shrunk, with the plate and the distance to the person; luminance 0-255.

    Args:
        frames: (n, H, W, 3) uint8 RGB.
        persons: (n, H, W) uint8, 1 on the person.
        plate: (H, W) float32, luminance.
        seen: (H, W) bool: where the plate was observed and nothing is drawn over it.
    """

    def __init__(self, frames: U8, persons: U8, plate: F32, seen: Mask) -> None:
        height, width = plate.shape
        self.shrink = 2 if height < 600 else 3
        self.unit = height / 720
        self._size = (width // self.shrink, height // self.shrink)
        self.plate = self._small(plate)
        self.seen = self._small(seen.astype(np.float32)) > 0.99
        useful = [(f, p) for f, p in zip(frames, persons, strict=True) if p.any() and not p.all()]
        self.frames = [self._small(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)) for frame, _ in useful]
        self.distance = [self._distance(person) for _, person in useful]
        self.alpha = [np.clip(0.5 - d / self.shrink, 0, 1).astype(np.float32) for d in self.distance]

    def bleeding(self) -> Bleeding:
        """Try every sigma at strength 1, in one and the same ring around the person."""
        beside = self._ring(NEAR_PX * self.unit, FAR_PX * self.unit)
        beside = beside & (beside.sum(axis=0) >= LEAST_FRAMES)
        pixels = int(beside.sum()) if len(beside) else 0
        if pixels < LEAST_PIXELS:
            return Bleeding(np.zeros(len(SIGMAS)), 0.0, 0)
        differences = np.clip(self._differences(), -OUTLIER, OUTLIER)
        shown = _against_itself(differences, beside)
        power = float(np.vdot(shown, shown))
        explained = []
        for sigma in SIGMAS:
            rest = shown - _against_itself(self._bled(float(sigma)), beside)
            explained.append(1 - float(np.vdot(rest, rest)) / max(power, 1e-6))
        return Bleeding(np.array(explained), float(np.sqrt(power / pixels)), pixels)

    def kind(self, sigma: float) -> Kind:
        """Compare both kinds of blur in the band beside the person that a blur of this sigma reaches."""
        near = max(NEAREST_PX * self.unit, NEAREST_SIGMAS * sigma)
        beside = self._ring(near, near + BAND_SIGMAS * sigma)
        pixels = int(beside.sum()) if len(beside) else 0
        if pixels < LEAST_PIXELS:
            return UNSEEN
        planes = [self._differences(), self._bled(sigma), self._weighted_anew(sigma)]
        if sigma > WIDE_PX * self.unit:
            beside = beside & (beside.sum(axis=0) >= LEAST_FRAMES)
            planes = [_against_itself(plane, beside) for plane in planes]
        shown, *models = (plane[beside] for plane in planes)
        if len(shown) < LEAST_PIXELS:
            return UNSEEN
        strength, anew = _robust(np.stack(models), shown)
        own = _left(shown)
        whole, excluded = (_left(shown - model) / max(own, 1e-6) for model in models)
        return Kind(strength, anew, whole, excluded, float(models[0].std()), pixels, self._reach(sigma))

    def _reach(self, sigma: float) -> float:
        """See :class:`Kind`."""
        low, high = (max(px * self.unit, n * sigma) for px, n in zip(REACH_PX, REACH_SIGMAS, strict=True))
        bounds = np.linspace(low, high, REACH_BINS + 1)
        expected = np.array([_tail((d + BEYOND_PX * self.unit) / sigma) for d in (bounds[1:] + bounds[:-1]) / 2])
        own, shown, index = self._shares(bounds)
        found, count = np.zeros(REACH_BINS), np.bincount(index, minlength=REACH_BINS)
        count[count < LEAST_IN_BIN] = 0
        for at in np.flatnonzero(count):
            found[at] = _robust_share(own[index == at], shown[index == at])
        power = float((count * expected * expected).sum())
        return float((count * expected * found).sum()) / power if power > 0 else float("nan")

    def _shares(self, bounds: F64) -> tuple[F32, F32, NDArray[np.int64]]:
        """What the nearest of the person's colours and what the frame differ by from the plate, (n,) each, and in which
        bin of distances that is."""
        parts = []
        for frame, distance in zip(self.frames, self.distance, strict=True):
            core = (distance < -WITHIN_PX * self.unit).astype(np.float32)
            near = self._blur(core, OWN_PX * self.unit)
            own = self._blur(core * frame, OWN_PX * self.unit) / np.maximum(near, np.float32(1e-3)) - self.plate
            counts = (near > 1e-3) & (distance >= bounds[0]) & (distance < bounds[-1])
            counts &= (self.seen | (distance < FILLED_PX * self.unit)) & (np.abs(own) > LEAST_OWN)
            parts.append((own[counts], (frame - self.plate)[counts], distance[counts]))
        own, shown, away = (np.concatenate(part) for part in zip(*parts, strict=True))
        index = np.asarray(np.searchsorted(bounds, away, side="right") - 1, np.int64)
        return np.asarray(own, np.float32), np.asarray(shown, np.float32), index

    def _small(self, plane: NDArray[np.generic]) -> F32:
        return np.asarray(cv2.resize(plane, self._size, interpolation=cv2.INTER_AREA), np.float32)

    def _distance(self, person: U8) -> F32:
        """px to the person's outline, negative on the person; on the small grid. At most FAR where there is none."""
        small = (self._small(person * np.uint8(255)) > 127).astype(np.uint8)
        outside = cv2.distanceTransform(1 - small, cv2.DIST_L2, 5) - cv2.distanceTransform(small, cv2.DIST_L2, 5)
        return np.asarray(np.clip(outside, -FAR, FAR) * np.float32(self.shrink), np.float32)

    def _ring(self, near: float, far: float) -> Mask:
        if not self.distance:
            return np.zeros((0, 1, 1), np.bool_)
        return np.stack([self.seen & (d > near) & (d < far) for d in self.distance])

    def _differences(self) -> F32:
        return np.stack([frame - self.plate for frame in self.frames])

    def _bled(self, sigma: float) -> F32:
        sources = [alpha * (frame - self.plate) for alpha, frame in zip(self.alpha, self.frames, strict=True)]
        return np.stack([self._blur(source, sigma) for source in sources])

    def _weighted_anew(self, sigma: float) -> F32:
        made = []
        for alpha in self.alpha:
            covered = self._blur(alpha, sigma)
            lost = self.plate * covered - self._blur(self.plate * alpha, sigma)
            made.append(lost / np.maximum(1 - covered, np.float32(0.05)))
        return np.stack(made)

    def _blur(self, plane: F32, sigma: float) -> F32:
        small = float(np.sqrt(max((sigma / self.shrink) ** 2 - 1 / 6, 0.1)))  # the shrinking itself blurs a little
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), small, borderType=cv2.BORDER_REPLICATE), np.float32)


def _against_itself(values: F32, beside: Mask) -> F32:
    """(n, h, w): each pixel less its own mean over the frames in which it counts; 0 elsewhere."""
    count = np.maximum(beside.sum(axis=0), 1).astype(np.float32)
    mean = (values * beside).sum(axis=0) / count
    return np.asarray((values - mean) * beside, np.float32)


def _robust(models: F32, shown: F32) -> tuple[float, float]:
    """The strengths of two models (2, n) in what is shown (n,), by least squares with Cauchy's weights."""
    design, target = models.T.astype(np.float64), shown.astype(np.float64)
    weight = np.ones(len(target))
    found: F64 = np.zeros(2)
    for _ in range(ROUNDS):
        weighted = design * weight[:, None]
        found = np.asarray(np.linalg.solve(design.T @ weighted + 1e-6 * np.eye(2), weighted.T @ target), np.float64)
        rest = target - design @ found
        deviation = 1.4826 * float(np.median(np.abs(rest))) + 0.3  # of the rounding to whole levels
        weight = 1.0 / (1 + (rest / (TUNING * deviation)) ** 2)
    return float(found[0]), float(found[1])


def _robust_share(own: F32, shown: F32) -> float:
    """The strength of one model (n,) in what is shown (n,), as in :func:`_robust`."""
    return _robust(np.stack([own, np.zeros_like(own)]), shown)[0]


def _tail(z: float) -> float:
    """Share of a Gaussian above z of its sigmas."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def _left(rest: F32) -> float:
    return float(np.minimum(np.abs(rest), LARGEST).mean())
