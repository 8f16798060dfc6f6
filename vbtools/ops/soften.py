"""The small kernels from which products' masks and blurs are made.

Pictures are (H, W, 3) uint8, masks (h, w) float32 of 0..1. ``border`` says what lies outside: ``clamp`` the border
pixels, ``mirror`` the mirror image without the border pixel (OpenCV's default), ``transparent`` nothing (0).
"""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Picture = TypeVar("Picture", NDArray[np.float32], NDArray[np.uint8])

BORDERS = {"clamp": cv2.BORDER_REPLICATE, "mirror": cv2.BORDER_REFLECT_101, "transparent": cv2.BORDER_CONSTANT}


def gaussian(picture: Picture, sigma: float, kernel: int, border: str) -> Picture:
    """A Gaussian blur.

    Args:
        picture: uint8 goes through OpenCV's bit-exact integer path, within 2 levels of the float one.
        sigma: px; 0: ``0.3 ((kernel - 1) / 2 - 1) + 0.8``, OpenCV's formula.
        kernel: odd width, px; 0: as wide as OpenCV finds that ``sigma`` needs (6 sigma for uint8, 8 for float32).
        border: see the module.
    """
    blurred = cv2.GaussianBlur(picture, (kernel, kernel), sigma, borderType=BORDERS[border])
    return np.asarray(blurred, picture.dtype)


def box(picture: Picture, size: int, border: str) -> Picture:
    """A moving average over ``size`` x ``size`` px; an even window reaches one pixel further up and left."""
    return np.asarray(cv2.blur(picture, (size, size), borderType=BORDERS[border]), picture.dtype)


def shrunken_taps(picture: Picture, shrink: int, sigma: float, taps: int) -> Picture:
    """A Gaussian of few taps on a copy that is ``shrink`` times smaller, enlarged bilinearly; borders are clamped.

    The copy is sampled as a linear texture is, at the middle of each of its pixels, and not averaged: detail finer than
    that aliases. A picture of uint8 has 8 bits after each of the two passes.

    Args:
        picture: (H, W, 3) or (H, W), uint8 or float32.
        shrink: 1 or more.
        sigma: px of the copy.
        taps: to each side; the kernel is cut there.
    """
    height, width = picture.shape[:2]
    size = (max(1, width // shrink), max(1, height // shrink))
    small: Picture = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    offsets = np.arange(-taps, taps + 1, dtype=np.float64)
    weights = np.exp(-(offsets**2) / (2 * sigma * sigma))
    weights /= weights.sum()
    one = np.ones(1)
    for across, down in ((weights, one), (one, weights)):
        small = cv2.sepFilter2D(small, -1, across, down, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), picture.dtype)


def smoothstep(values: F32, low: float | F32, high: float | F32) -> F32:
    """GLSL's smoothstep: 0 at and below ``low``, 1 at and above ``high``, a cubic between; a step where they meet."""
    span = np.maximum(np.subtract(high, low), np.float32(1e-6))
    t = np.clip((values - low) / span, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def hysteresis(values: F32, before: F32, low: float, high: float) -> F32:
    """1 above ``high``, 0 below ``low``, ``before`` between."""
    return np.where(values > high, np.float32(1), np.where(values < low, np.float32(0), before))


def sharpened_edge(mask: F32, softness: float) -> F32:
    """The mask's edge at 0.5, redrawn: a smoothstep over ``softness`` times the gradient to either side.

    The gradient is a fragment shader's: differences within blocks of 2x2 pixels, of a mask of 8 bits.
    """
    mask = np.asarray(np.rint(mask * 255) / 255, np.float32)
    reach = np.float32(softness) * _screen_gradient(mask)
    return smoothstep(mask, 0.5 - reach, 0.5 + reach)


def _screen_gradient(values: F32) -> F32:
    """Length of (dFdx, dFdy) as GLSL's coarse derivatives give it."""
    height, width = values.shape
    padded = np.pad(values, ((0, height % 2), (0, width % 2)), mode="edge")
    across = np.repeat(padded[:, 1::2] - padded[:, 0::2], 2, axis=1)
    down = np.repeat(padded[1::2] - padded[0::2], 2, axis=0)
    return np.asarray(np.hypot(across, down)[:height, :width], np.float32)
