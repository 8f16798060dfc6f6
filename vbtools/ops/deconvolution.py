"""Undoing a known blur as far as the noise allows: a Wiener filter with a prior, and total variation.

``y = G x + n``. The noise's density is measured where the kernel has left nothing of the room; the room's spectrum is
taken to fall with the square of the frequency, as pictures' do (Field, "Relations between the statistics of natural
images", JOSA A 4, 1987), at a height that is measured where the kernel passes most. Both together say up to which
frequency most can be brought back; what is weaker is never raised more than 6 times (half the inverse of
:data:`KERNEL_ERROR`).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from vbtools.ops.blur_kernel import transfer
from vbtools.ops.soften import smoothstep

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

PASSED = 0.3
"""Of the kernel's height, above which the room's spectrum is measured."""
GONE = 0.01
"""Of the kernel's height, below which what is left is noise."""
LEAST_NOISE = 1 / 12
"""Grey levels squared of variance: that of rounding to 8 bits."""
KERNEL_ERROR = 0.08
"""Of the kernel's height at frequency 0: how well a kernel is known. A sigma that is 5 % off changes it by up to 0.04;
the product's rounding, its borders and the codec add to that. What the kernel passes less of is not brought back,
however little noise there is."""
MARGIN = 12.0
"""Sigmas by which the picture is mirrored outwards: the transform joins opposite borders, and what that does rings."""
BORDER_SIGMAS = 6.0
"""Sigmas from the frame's border within which a restored picture rings where the product darkened its border: what lies
outside counts for more than a hundredth up to 3, and undoing that spreads it as far again."""
UNSEEN_SIGMAS = 2.0
"""Sigmas from what was never seen, and from what is drawn over the picture, within which undoing the blur brings out
how the hole was filled."""
WEIGHTS = 2.0 ** np.arange(9)
"""Of the splitting, a round each: Wang, Yang, Yin, Zhang 2008 grow it alike, by 2 up to 256."""
LEAST_SLOPE = 0.5
"""Grey levels a px: a flatter picture has no prior to be learned from it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the noise allows.

    Attributes:
        noise: standard deviation of white noise of the density measured, grey levels.
        height: A of the room's density ``A / f^2``, grey levels squared.
        cutoff: cycles/px up to which the Wiener filter brings back at least half of the room's height; at most 0.5.
    """

    noise: float
    height: float
    cutoff: float


def limits(plate: F32, family: str, sigma: float) -> Limits:
    """Measure noise and cut-off.

    Args:
        plate: (H, W) float32, 0-255, filled where it was not observed.
        family, sigma: of the kernel, as in :func:`vbtools.ops.blur_kernel.taps`.
    """
    height, width = plate.shape
    hann = np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)
    hann /= np.sqrt(float((hann * hann).mean()))
    power = np.abs(scipy.fft.rfft2((plate - plate.mean()) * hann, workers=2)) ** 2 / plate.size
    down, across = np.abs(scipy.fft.fftfreq(height))[:, None], scipy.fft.rfftfreq(width)[None]
    frequency = np.hypot(down, across)
    kernel = np.abs(transfer(family, sigma, down) * transfer(family, sigma, across))
    gone = (kernel < GONE) & (frequency < 0.5)
    noise = float(np.median(power[gone]) / np.log(2)) if gone.sum() > 100 else LEAST_NOISE  # of an exponential's median
    noise = max(noise, LEAST_NOISE)
    passed = (kernel > PASSED) & (frequency > 4 / min(height, width))
    tall = 0.0
    if passed.any():
        tall = float(
            np.exp(np.mean(np.log(power[passed] / kernel[passed] ** 2 * frequency[passed] ** 2 + 1e-12)) + 0.577)
        )
    along = np.linspace(0.0005, 0.5, 1000)
    left = transfer(family, sigma, along) ** 2
    stands_out = (left > KERNEL_ERROR**2) & (left * tall > noise * along**2)
    first_lost = int(stands_out.argmin()) if not stands_out.all() else len(along)
    return Limits(float(np.sqrt(noise)), tall, float(along[first_lost - 1]) if first_lost else 0.0)


def restored(plate: F32, family: str, sigma: float, found: Limits, method: str) -> F32:
    """The room behind the kernel, (H, W) float32; 1.5 s at 720p with ``tv``, 0.3 s with ``wiener``.

    Args:
        plate: (H, W) float32, 0-255, filled where it was not observed.
        family, sigma: of the kernel.
        found: from :func:`limits`.
        method: ``wiener``, with the prior ``A / f^2``; or ``tv``: the least total variation that explains the plate to
            within the noise (Rudin, Osher, Fatemi 1992; by half-quadratic splitting as Wang, Yang, Yin, Zhang, "A new
            alternating minimization algorithm for total variation image reconstruction", SIAM J. Imaging Sci. 1, 2008).
            It keeps edges and does not ring.
    """
    if found.cutoff <= 0:
        return plate.copy()
    margin = min(int(np.ceil(MARGIN * sigma)), *plate.shape)
    padded = np.pad(plate, margin, mode="symmetric")
    shape = padded.shape
    down, across = scipy.fft.fftfreq(shape[0])[:, None], scipy.fft.rfftfreq(shape[1])[None]
    frequency = np.hypot(down, across)
    kernel = (transfer(family, sigma, down) * transfer(family, sigma, across)).astype(np.float32)
    spectrum = scipy.fft.rfft2(padded, workers=2)
    ratio = _ratio(found, frequency**2).astype(np.float32)
    clean = _inverse(spectrum * kernel / (kernel * kernel + ratio), shape)
    if method == "tv":
        clean = _least_variation(clean, spectrum, kernel, _fidelity(clean, found.noise))
    return np.ascontiguousarray(clean[margin:-margin, margin:-margin])


def within_borders(height: int, width: int, sigma: float) -> F32:
    """How far a restored picture counts, (H, W) float32 0-1: not at the frame's borders, wholly from 6 sigma inwards.

    What lies outside is not known, and products differ in what they take for it (a canvas takes it as transparent, so
    that the picture darkens): undoing the blur there rings.

    Args:
        height, width: of the picture, px.
        sigma: of the kernel, px.
    """
    ramps = []
    for length in (height, width):
        at = np.arange(length, dtype=np.float32)
        ramps.append(np.minimum(at, at[::-1]))
    return smoothstep(np.minimum.outer(ramps[0], ramps[1]), 0, BORDER_SIGMAS * sigma)


def away_from_holes(where: Mask, sigma: float) -> F32:
    """How far a restored picture counts, (H, W) float32 0-1: not outside ``where``, wholly from 2 sigma inwards.

    Args:
        where: (H, W) bool: the plate was seen and nothing is drawn over it.
        sigma: of the kernel, px.
    """
    distance = cv2.distanceTransform(where.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return smoothstep(np.asarray(distance, np.float32), 0, UNSEEN_SIGMAS * sigma)


@dataclass(frozen=True, slots=True)
class Channel:
    """The blurred plate as a channel beside the leak.

    Attributes:
        undone: (H, W) float32: the plate without its blur; the plate itself where nothing may be undone.
        carried: 0-1, from :func:`carried`; 0 where nothing is undone.
        noise: standard deviation of the noise in the undone detail, grey levels.
    """

    undone: F32
    carried: float
    noise: float


def channel(plate: F32, family: str, sigma: float, where: Mask, detail: float) -> Channel:
    """Undo the blur by Wiener's filter, so that what becomes of the noise is known; 0.3 s at 720p.

    Args:
        plate: (H, W) float32, 0-255, filled where it was not observed.
        family, sigma: of the kernel; a sigma that is not known, or 0, undoes nothing.
        where: (H, W) bool: the plate was seen and nothing is drawn over it.
        detail: px: detail is what a Gaussian of this sigma takes away.
    """
    if not (np.isfinite(sigma) and sigma > 0):
        return Channel(plate, 0.0, float(np.sqrt(LEAST_NOISE)))
    found = limits(plate, family, sigma)
    undone = restored(plate, family, sigma, found, "wiener")
    counts = within_borders(plate.shape[0], plate.shape[1], sigma) * away_from_holes(where, sigma)
    down, across = np.abs(scipy.fft.fftfreq(256))[:, None], scipy.fft.rfftfreq(256)[None]
    kernel, square = transfer(family, sigma, down) * transfer(family, sigma, across), down**2 + across**2
    raised = kernel / (kernel**2 + _ratio(found, square))
    passed = float(np.mean((raised * (1 - np.exp(-2 * (np.pi * detail) ** 2 * square))) ** 2))
    noise = float(found.noise * np.sqrt(passed))
    return Channel(
        np.asarray(plate + (undone - plate) * counts, np.float32), carried(family, sigma, found, detail), noise
    )


def _ratio(found: Limits, square: F64) -> F64:
    """Of noise to signal as Wiener's filter takes it, by the square of the frequency."""
    return np.asarray(found.noise**2 / max(found.height, 1e-9) * square + KERNEL_ERROR**2)


def best_of_both(undone: F32, plate: F32, leak: F32, believed: F32, carried: float, sigma: float) -> F32:
    """Take fine detail from whichever channel carries more of it there, (H, W) float32.

    Args:
        undone: (H, W) float32: the plate, deconvolved.
        plate: (H, W) float32.
        leak: (H, W) float32: detail that the leak adds to the plate, 0 where there is none.
        believed: (H, W) float32, 0-1: how far the leak's detail is believed.
        carried: 0-1: how far the deconvolved detail is (:func:`carried`).
        sigma: px of the Gaussian that parts detail from the rest, the leak's own.
    """
    more = np.clip(0.5 + (believed - np.float32(carried)) / np.float32(0.2), 0, 1).astype(np.float32)
    more = cv2.GaussianBlur(more, (0, 0), sigma)  # no contour where one takes over from the other
    fine = undone - plate
    fine -= cv2.GaussianBlur(fine, (0, 0), sigma)
    return np.asarray(undone + more * (leak - fine), np.float32)


def carried(family: str, sigma: float, found: Limits, detail: float) -> float:
    """The correlation, 0-1, to be expected between the deconvolved detail and the room's, if that falls as ``A / f^2``.

    Args:
        family, sigma: of the kernel.
        found: from :func:`limits`.
        detail: px: detail is what a Gaussian of this sigma takes away.
    """
    frequency = np.linspace(0.001, 0.5, 1000)
    density = (1 - np.exp(-2 * (np.pi * detail * frequency) ** 2)) ** 2 / frequency  # 1 / f^2 on a ring of length ~ f
    kernel = transfer(family, sigma, frequency) ** 2
    passed = kernel / (kernel + _ratio(found, frequency**2))
    power = float((passed * passed * density).sum() * density.sum())
    return float((passed * density).sum()) / max(float(np.sqrt(power)), 1e-12)


def _inverse(spectrum: NDArray[np.complex64], shape: tuple[int, ...]) -> F32:
    return np.asarray(scipy.fft.irfft2(spectrum, s=shape, workers=2), np.float32)


def _fidelity(first: F32, noise: float) -> float:
    """Weight of the data against the variation: of Laplacian gradients, their mean over the noise's variance."""
    slope = float(np.abs(np.diff(first, axis=0)).mean() + np.abs(np.diff(first, axis=1)).mean()) / 2
    return max(slope, LEAST_SLOPE) / noise**2


def _least_variation(first: F32, spectrum: NDArray[np.complex64], kernel: F32, fidelity: float) -> F32:
    """``min_x fidelity / 2 |G x - y|^2 + sum |D x|``, both directions by themselves; periodic."""
    shape = first.shape
    turn_x = np.exp(2j * np.pi * scipy.fft.rfftfreq(shape[1]))[None].astype(np.complex64) - 1
    turn_y = np.exp(2j * np.pi * scipy.fft.fftfreq(shape[0]))[:, None].astype(np.complex64) - 1
    slopes = (np.abs(turn_x) ** 2 + np.abs(turn_y) ** 2).astype(np.float32)
    data, curved = np.float32(fidelity) * kernel * spectrum, np.float32(fidelity) * kernel * kernel
    clean = first
    for weight in WEIGHTS.astype(np.float32):
        across, down = np.roll(clean, -1, 1) - clean, np.roll(clean, -1, 0) - clean
        kept_x, kept_y = (scipy.fft.rfft2(_shrunk(part, 1 / weight), workers=2) for part in (across, down))
        wanted = kept_x * np.conj(turn_x) + kept_y * np.conj(turn_y)
        clean = _inverse((weight * wanted + data) / (weight * slopes + curved), shape)
    return clean


def _shrunk(values: F32, by: np.float32) -> F32:
    return np.asarray(np.sign(values) * np.maximum(np.abs(values) - by, 0), np.float32)
