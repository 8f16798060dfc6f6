"""Kernels with which products blur, by family and effective sigma; their taps and their transfer.

Effective sigma is the standard deviation of the kernel that really results, in px of the picture: a Gaussian of sigma
    15
that a shader cuts at 15 px has one of 8.3. All kernels here are separable and symmetric, and sum to 1.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

CUTS = {"gaussian": 4.0, "truncated": 1.5, "short": 1.0}
"""Family -> where the Gaussian ends, in its own nominal sigmas. 1.5: OpenCV's kernel 21 at sigma 7
(Linux-Fake-Background-Webcam); 1: shaders of Twilio's WebGL path and LiveKit."""
FAMILIES = (*CUTS, "box", "triangle")


@lru_cache(maxsize=256)
def taps(family: str, sigma: float) -> F32:
    """The kernel along one axis, (2 n + 1,) float32; sums to 1; read-only.

    Args:
        family: one of :data:`FAMILIES`; ``triangle`` is what StackBlur convolves with.
        sigma: effective, px, above 0.

    Raises:
        KeyError: another family.
    """
    if family == "box":
        half = sigma * np.sqrt(3.0)
        made = _shares(half)
    elif family == "triangle":
        reach = sigma * np.sqrt(6.0)
        at = np.arange(-int(np.ceil(reach)), int(np.ceil(reach)) + 1)
        made = np.clip(reach - np.abs(at), 0, None)
    else:
        made = _cut_gaussian(CUTS[family], sigma)
    made = (made / made.sum()).astype(np.float32)
    made.flags.writeable = False
    return made


def blurred(plane: F32, family: str, sigma: float) -> F32:
    """A plane (h, w[, C]) through a kernel; borders are mirrored."""
    one = taps(family, float(sigma))
    return np.asarray(cv2.sepFilter2D(plane, -1, one, one, borderType=cv2.BORDER_REFLECT), np.float32)


def transfer(family: str, sigma: float, frequency: F64) -> F64:
    """The kernel's Fourier transform along one axis, float64; 1 at frequency 0, and real, since it is symmetric.

    Args:
        family, sigma: as in :func:`taps`.
        frequency: any shape, cycles/px.
    """
    one = taps(family, float(sigma)).astype(np.float64)
    middle = len(one) // 2
    found = np.full(frequency.shape, one[middle])
    for step in range(1, middle + 1):
        found += 2 * one[middle + step] * np.cos(2 * np.pi * step * frequency)
    return found


def _shares(half: float) -> F64:
    """A box of a fractional half width: the outermost taps count in part."""
    reach = int(np.ceil(half + 0.5))
    return np.clip(half + 0.5 - np.abs(np.arange(-reach, reach + 1)), 0, 1)


def _cut_gaussian(cut: float, sigma: float) -> F64:
    """A Gaussian cut at so many of its own sigmas whose standard deviation is ``sigma``, by bisection."""
    low, high = 0.5 * sigma, 40 * sigma
    made = np.ones(1)
    for _ in range(50):
        nominal = float(np.sqrt(low * high))
        shares = _shares(cut * nominal)
        at = np.arange(len(shares)) - len(shares) // 2
        made = shares * np.exp(-0.5 * (at / nominal) ** 2)
        made /= made.sum()
        if float((made * at * at).sum()) < sigma * sigma:
            low = nominal
        else:
            high = nominal
    return made
