"""Which kernel it was, by trying: undone with the right one, a room's edges are sharp and nothing rings.

A plate deconvolved with too narrow a kernel keeps soft edges, with too wide a one, or one of another family, it rings.
Both make its gradients less sparse, so their mean over their root mean square has a minimum in sigma at the right
kernel, and the minimum is deepest for the right family. (The measure: Krishnan, Tay, Fergus, "Blind deconvolution using
a normalized sparsity measure", CVPR 2011; the comparison of depths is ours. The measure itself cannot be compared
between families, since a bell that is too wide undoes little and rings little.)
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from vbtools.ops.blur_kernel import CUTS, transfer

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

STEPS = np.exp(np.linspace(np.log(0.62), np.log(1.5), 12))
"""Sigmas that are tried, against the first guess."""
REACH = 2
"""Steps to either side (17 %) over which a minimum's depth is measured."""
NOISE_TO_SIGNAL = 0.01
"""Of the Wiener filter: what is passed on at less than a tenth of its height is not brought back."""
WORKING_PX = 6.0
"""px: a wider blur is tried on a smaller picture, where it has at least this."""
LARGEST = (416, 640)
"""Rows and columns of the window that is tried: the one with the most detail in it."""
MARGIN = 3.0
"""Sigmas at the window's borders that say nothing: what lies beyond is not known."""
LEAST_DEPTH = 0.016
"""Against the measure; a shallower minimum is chance, or that of a bell, which is always shallow. Measured on 17
clips."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The best kernel that was tried.

    Attributes:
        family: one of :data:`vbtools.ops.blur_kernel.CUTS`; empty where no minimum is deep enough.
        sigma: effective, px; NaN then.
        depth: of the minimum, relative.
        runner_up: depth of the next family's.
    """

    family: str
    sigma: float
    depth: float
    runner_up: float


NOTHING = Trial("", float("nan"), 0.0, 0.0)


def trial(plate: F32, seen: Mask, sigma: float, families: tuple[str, ...] = tuple(CUTS)) -> Trial:
    """Try kernels around a first guess; 1 s.

    Args:
        plate: (H, W) float32, luminance 0-255; filled where not seen.
        seen: (H, W) bool: where it shows the blurred background and nothing else.
        sigma: first guess of the effective sigma, px.
        families: to be tried.
    """
    shrink = max(1, int(sigma // WORKING_PX))
    size = (plate.shape[1] // shrink, plate.shape[0] // shrink)
    if min(size) < 48:
        return NOTHING
    small = np.asarray(cv2.resize(plate, size, interpolation=cv2.INTER_AREA), np.float32)
    valid = cv2.resize(seen.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    margin = round(MARGIN * sigma / shrink)
    side = 2 * margin + 1
    valid = cv2.erode(np.pad(valid, 1), np.ones((side, side), np.uint8), borderValue=0)[1:-1, 1:-1]
    window = _window(small, valid)
    small, counts = small[window], valid[window] > 0
    if counts.sum() < LARGEST[0] * LARGEST[1] / 16:
        return NOTHING
    padded = np.pad(small, margin, mode="reflect")
    spectrum = scipy.fft.rfft2(padded, workers=2)
    inside = (slice(margin, margin + small.shape[0]), slice(margin, margin + small.shape[1]))
    tried = sigma / shrink * STEPS
    found = []
    for family in families:
        dense = np.array([_density(spectrum, padded.shape, family, float(s), inside, counts) for s in tried])
        found.append((*_deepest(dense, tried), family))
    found.sort(reverse=True)
    depth, best, family = found[0]
    if depth < LEAST_DEPTH:
        return NOTHING
    return Trial(family, best * shrink, depth, found[1][0] if len(found) > 1 else 0.0)


def undone(spectrum: NDArray[np.complex64], shape: tuple[int, int], family: str, sigma: float, ratio: float) -> F32:
    """A Wiener filter with one ratio of noise to signal: (h, w) float32 from an ``rfft2``."""
    along = transfer(family, sigma, scipy.fft.fftfreq(shape[0]))[:, None]
    kernel = (along * transfer(family, sigma, scipy.fft.rfftfreq(shape[1]))[None]).astype(np.float32)
    filtered = spectrum * (kernel / (kernel * kernel + np.float32(ratio)))
    return np.asarray(scipy.fft.irfft2(filtered, s=shape, workers=2), np.float32)


def _density(
    spectrum: NDArray[np.complex64], shape: tuple[int, int], family: str, sigma: float, inside: tuple[slice, slice],
    counts: Mask,
) -> float:  # fmt: skip
    """Mean over root mean square of the gradients: small where they are sparse."""
    sharp = undone(spectrum, shape, family, sigma, NOISE_TO_SIGNAL)[inside]
    steep = np.hypot(np.diff(sharp, axis=1)[:-1], np.diff(sharp, axis=0)[:, :-1])[counts[:-1, :-1]]
    return float(steep.mean() / max(float(np.sqrt((steep * steep).mean())), 1e-6))


def _deepest(dense: F64, tried: F64) -> tuple[float, float]:
    """Depth, relative, and place of the deepest minimum that has higher values on both sides."""
    best = (0.0, float("nan"))
    for at in range(1, len(dense) - 1):
        left, right = dense[max(0, at - REACH) : at].max(), dense[at + 1 : at + 1 + REACH].max()
        if dense[at] > min(dense[at - 1], dense[at + 1]):
            continue
        depth = float(min(left, right) / dense[at] - 1)
        if depth > best[0]:
            a, b, c = dense[at - 1 : at + 2]
            shift = 0.5 * (a - c) / max(a - 2 * b + c, 1e-9)
            best = (depth, float(tried[at] * (STEPS[1] / STEPS[0]) ** np.clip(shift, -0.5, 0.5)))
    return best


def _window(plane: F32, valid: NDArray[np.uint8]) -> tuple[slice, slice]:
    """The window of at most :data:`LARGEST` with the most gradient."""
    height, width = (min(a, b) for a, b in zip(plane.shape, LARGEST, strict=True))
    steep = np.hypot(cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1)) * valid
    whole = cv2.integral(np.minimum(steep, 100.0).astype(np.float32))
    sums = whole[height:, width:] - whole[:-height, width:] - whole[height:, :-width] + whole[:-height, :-width]
    y, x = np.unravel_index(int(sums.argmax()), sums.shape)
    return slice(int(y), int(y) + height), slice(int(x), int(x) + width)
