"""How wide a blur is, and whether its kernel is cut off, from the spectrum of a picture behind it.

What a room shows is edges, and the slopes of edges have as much power at one frequency as at another. So behind a blur
the power of the picture's slopes is the kernel's own, ``|K(f)|^2``, down to the noise: a bell falls once and for all,
``exp(-(2 pi sigma f)^2)``; a kernel that is cut off passes through zero and comes back, and the place of that zero is
its sigma to 3 %. (That power falls as 1 / f^2 in pictures: Field, "Relations between the statistics of natural images
and the response properties of cortical cells", JOSA A 4, 1987. Zeros as a kernel's mark: Cannon, "Blind deconvolution
of spatially invariant image blurs with phase", IEEE ASSP 24, 1976.)

The picture's own borders, the person's, and those of what is drawn over it are softened away before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.blur_kernel import CUTS, transfer

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

LOWEST, HIGHEST, RATIO = 0.0035, 0.25, 1.094
"""Cycles/px between which power is looked at, and the ratio from bin to bin; no bin is finer than the picture's size
allows."""
SIGMAS = np.exp(np.arange(np.log(2.5), np.log(45.0), 0.03))
"""px, that are tried."""
NOISE = 10.0 ** np.arange(-6.0, -0.5, 0.2)
"""Power of the noise against the picture's, that is tried."""
TAPER_PX = 16.0
"""px from anything unseen over which the picture fades in."""
BORDER_SIGMAS, BORDER_SHARE = 2.5, 0.25
"""Over how many sigmas, at most how much of the shorter side, it fades in from its own borders: behind a canvas's blur
it darkens there, and is broken off in the middle of that slope."""
ACROSS_PX = 4.0
"""Sigma of the smoothing along an edge, px, against noise."""
LATEST_PEAK = 0.08
"""Cycles/px: the most power lies below this behind any blur of 2 px and more."""
LEAST_FALL = 2.0
"""Natural logarithm of power, from the peak to the floor or to the first zero: a fall less deep is no blur's."""
DEPTH = 4.0
"""The same, to which a bell's fall is followed at most: farther down lies what leaks out of lower frequencies."""
BEYOND_CUT, BEYOND_BELL = 2.6, 1.5
"""Times the floor's frequency up to which the families are compared, and a bell's sigma is found: where a cut kernel
comes back, and where there is only noise."""
LARGEST_REST = 1.2
"""Logarithm of power that counts at most: a pattern's own peak, or a zero's bottom."""
WORST_REST = 0.45
"""Root mean square above which it is no bell's fall: of 71 clips 0.1 to 0.32."""
ZERO = (1.7, 2.3)
"""Where the first minimum lies, in 1 / (2 pi sigma): of 22 cut kernels at 1.9 to 2.12 (by their form at 2.0)."""
LEAST_SHARE = 0.1
"""Of the picture that must have been seen."""
BETTER, MUCH_BETTER, NARROW_PX = 0.94, 0.8, 10.0
"""How much less a cut kernel must leave than a bell, and how much less from which sigma on (px): codecs leave less of a
wide bell's tail. Of 20 narrow cut kernels 0.40 to 0.87, of 46 narrow bells 0.97 and more."""
SHORTFALL, SHORTFALL_PX = (0.96, 0.88), (9.0, 13.0)
"""What the sigma of a bell comes out as, against the truth, below the one and above the other sigma (px): the codec's
noise is not white, and lies under the bell's tail. Median of 42 and 33 simulated clips."""


@dataclass(frozen=True, slots=True)
class Falloff:
    """What the spectrum says.

    Attributes:
        family: one of :data:`vbtools.ops.blur_kernel.CUTS`; empty where the spectrum says nothing.
        sigma: effective, px; NaN then.
        rest: root mean square of what that kernel leaves of the logarithm of power.
    """

    family: str
    sigma: float
    rest: float


NOTHING = Falloff("", float("nan"), float("nan"))


def falloff(plate: F32, seen: Mask) -> Falloff:
    """The kernel that a picture lies behind; 0.2 s at 720p.

    Args:
        plate: (H, W) float32, luminance 0-255; anything finite where not seen.
        seen: (H, W) bool: where it shows the blurred background and nothing else.
    """
    if seen.mean() < LEAST_SHARE:
        return NOTHING
    first = _once(plate, seen, TAPER_PX)
    border = min(BORDER_SIGMAS * first.sigma, BORDER_SHARE * min(plate.shape))
    return _once(plate, seen, border) if border > TAPER_PX else first


def _once(plate: F32, seen: Mask, border: float) -> Falloff:
    frequency, power = _spectrum(plate, seen, border)
    smooth = np.convolve(np.pad(power, 1, mode="edge"), (0.25, 0.5, 0.25), "valid")
    peak = int(np.argmax(np.where(frequency < LATEST_PEAK, smooth, -np.inf)))
    floor = _floor(smooth, peak)
    if floor is None:
        return NOTHING
    side = min(plate.shape)
    part = slice(peak, int(np.searchsorted(frequency, BEYOND_CUT * frequency[floor], side="right")))
    rest = {family: _best(power, part, side, family) for family in CUTS}
    (least, cut), family = min((rest[family], family) for family in CUTS if family != "gaussian")
    better = BETTER if cut < NARROW_PX else MUCH_BETTER
    if least < better * rest["gaussian"][0] and ZERO[0] < 2 * np.pi * cut * frequency[floor] < ZERO[1]:
        return Falloff(family, cut, least)
    part = slice(peak, int(np.searchsorted(frequency, BEYOND_BELL * frequency[floor], side="right")))
    least, bell = _best(np.logaddexp(power, smooth[peak] - DEPTH), part, side, "gaussian")
    if least > WORST_REST:
        return NOTHING
    return Falloff("gaussian", bell / float(np.interp(np.log(bell), np.log(SHORTFALL_PX), SHORTFALL)), least)


def _spectrum(plate: F32, seen: Mask, border: float) -> tuple[F64, F64]:
    """Frequencies (B,), cycles/px, and the logarithm of the slopes' power there, mean of both directions; the picture
    fades in over so many px from its borders."""
    weight = _fade(cv2.distanceTransform(seen.astype(np.uint8), cv2.DIST_L2, 3), TAPER_PX)
    rows, columns = (_fade(np.minimum(np.arange(n), np.arange(n)[::-1]) + 1.0, border) for n in plate.shape)
    weight = (weight * rows[:, None] * columns[None]).astype(np.float32)
    bounds = _bounds(min(plate.shape))
    logs = []
    for turned, share in ((plate, weight), (plate.T, weight.T)):
        line = np.ascontiguousarray(turned)
        line = cv2.GaussianBlur(line, (1, 0), sigmaX=0.0, sigmaY=ACROSS_PX)
        slope = np.diff(line, axis=1, prepend=line[:, :1]) * share
        power = (np.abs(np.fft.rfft(slope, axis=1)) ** 2).sum(axis=0) / max(float((share * share).sum()), 1.0)
        index = np.digitize(np.fft.rfftfreq(line.shape[1]), bounds) - 1
        kept = (index >= 0) & (index < len(bounds) - 1)
        count = np.bincount(index[kept], minlength=len(bounds) - 1)
        logs.append(np.log(np.bincount(index[kept], power[kept], len(bounds) - 1) / np.maximum(count, 1) + 1e-9))
    return _frequency(bounds), np.mean(logs, axis=0)


def _fade(away: NDArray[np.floating], over: float) -> NDArray[np.floating]:
    return np.sin(np.clip(away / over, 0, 1) * (np.pi / 2)) ** 2


def _bounds(side: int) -> F64:
    bounds = [LOWEST]
    while bounds[-1] < HIGHEST:
        bounds.append(max(bounds[-1] * RATIO, bounds[-1] + 1.01 / side))
    return np.array(bounds)


def _frequency(bounds: F64) -> F64:
    """The middles of bins, on a logarithmic scale."""
    return np.sqrt(bounds[1:] * bounds[:-1])


def _floor(smooth: F64, peak: int) -> int | None:
    """The first minimum that lies deep enough below the peak."""
    for at in range(peak + 1, len(smooth) - 1):
        if smooth[at] < smooth[peak] - LEAST_FALL and smooth[at - 1] >= smooth[at] <= smooth[at + 1]:
            return at
    return None


def _best(power: F64, part: slice, side: int, family: str) -> tuple[float, float]:
    """What the best kernel of a family, with the best height and noise, leaves of a part of the power of a plate whose
    shorter side is ``side`` px; and its sigma."""
    model = np.log(_passed(side, family)[:, None, part] + NOISE[None, :, None])
    rest = power[part] - model
    rest -= np.median(rest, axis=-1, keepdims=True)
    left = np.sqrt(np.minimum(rest * rest, LARGEST_REST**2).mean(axis=-1))
    at = np.unravel_index(int(left.argmin()), left.shape)
    return float(left[at]), float(SIGMAS[at[0]])


@lru_cache(maxsize=8)
def _passed(side: int, family: str) -> F64:
    """(len(SIGMAS), B): the power that each kernel passes in the bins of a plate whose shorter side is ``side`` px; a
    cut kernel's over the width of a bin, so that a zero has a bottom."""
    frequency = _frequency(_bounds(side))
    if family == "gaussian":
        power = np.exp(-((2 * np.pi * SIGMAS[:, None] * frequency) ** 2))
    else:
        within = [frequency * k for k in (0.97, 1.0, 1.03)]
        power = np.stack([np.mean([transfer(family, float(s), f) ** 2 for f in within], axis=0) for s in SIGMAS])
    power.flags.writeable = False  # it is everybody's
    return power
