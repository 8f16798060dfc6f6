"""Masks enlarged along a frame's edges: bilateral, guided and snapping filters, as real-time products have them.

Frames are (H, W, 3) uint8 RGB, masks (h, w) float32 of 0..1 on a coarser grid of the same picture. Textures are sampled
at pixel centres, borders are clamped.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.compiled import njit
from vbtools.ops.soften import smoothstep

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

SPARSITY = 0.66  # MediaPipe's bilateral filter calculator: taps are sqrt(sigma) times this apart
LUMA_601 = (0.299, 0.587, 0.114)
LUMA_709 = (0.2126, 0.7152, 0.0722)
_BINOMIAL = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / 16


def snapped(mask: F32, frame: U8, reach: float, low: float, high: float) -> F32:
    """Enlarge a mask linearly: softened by 3x3 binomial taps, but as it is where the frame has an edge.

    Args:
        mask: (h, w).
        frame: gives the edges: differences of luma over two pixels, across and down.
        reach: distance of the taps, px of the frame; rounded to px of the mask.
        low, high: gradients, 0..1, between which the mask goes over from softened to unsoftened.

    Returns:
        (H, W).
    """
    height, width = frame.shape[:2]
    apart = math.floor(reach * mask.shape[1] / width + 0.5)
    taps = np.zeros((2 * apart + 1, 2 * apart + 1), np.float32)
    taps[:: max(apart, 1), :: max(apart, 1)] = _BINOMIAL if apart else 1
    soft = cv2.filter2D(mask, -1, taps, borderType=cv2.BORDER_REPLICATE)
    own, soft = (cv2.resize(m, (width, height), interpolation=cv2.INTER_LINEAR) for m in (mask, soft))
    luma = _luma(frame, LUMA_601)
    kernel, one = np.array([-1, 0, 1], np.float32), np.ones(1, np.float32)
    across = cv2.sepFilter2D(luma, -1, kernel, one, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(luma, -1, one, kernel, borderType=cv2.BORDER_REPLICATE)
    share = smoothstep(np.hypot(across, down), low, high)
    return np.asarray(soft + (own - soft) * share, np.float32)


def guided(mask: F32, frame: U8, shrink: int, size: int, eps: float) -> F32:
    """Enlarge a mask by a fast guided filter (He & Sun 2015) with the frame's luma as guide.

    Args:
        mask: (h, w); brought to the shrunken guide by its nearest pixels.
        shrink: the guide of which the coefficients are computed is so many times smaller, sampled.
        size: width of the box windows on it, px, odd.
        eps: regulariser.

    Returns:
        (H, W), clipped to 0..1.
    """
    height, width = frame.shape[:2]
    small = (max(2, width // shrink // 2 * 2), max(2, height // shrink // 2 * 2))
    luma = _luma(frame, LUMA_709)
    guide = cv2.resize(luma, small, interpolation=cv2.INTER_NEAREST)
    source = cv2.resize(mask, small, interpolation=cv2.INTER_NEAREST)

    def mean(values: F32) -> F32:
        return np.asarray(cv2.blur(values, (size, size), borderType=cv2.BORDER_REPLICATE), np.float32)

    mean_guide, mean_source = mean(guide), mean(source)
    slope = (mean(guide * source) - mean_guide * mean_source) / (mean(guide * guide) - mean_guide**2 + np.float32(eps))
    offset = mean_source - slope * mean_guide
    slope, offset = (cv2.resize(v, (width, height), interpolation=cv2.INTER_LINEAR) for v in (slope, offset))
    return np.asarray(np.clip(slope * luma + offset, 0, 1), np.float32)


def joint_bilateral(mask: F32, frame: U8, sigma_space: float, sigma_color: float) -> F32:
    """Enlarge a mask by a sparse joint bilateral filter; mask and frame are sampled at their nearest pixels.

    Args:
        mask: (h, w).
        sigma_space: px of the mask; also the reach of the taps.
        sigma_color: of the distance of two colours of 0..1 a channel. Both Gaussians are twice as wide as they say.

    Returns:
        (H, W). Only pixels whose taps differ are computed; about 20 ms at 720p.
    """
    height, width = frame.shape[:2]
    sigma = sigma_space * max(width / mask.shape[1], height / mask.shape[0])
    step = max(1.0, math.sqrt(sigma) * SPARSITY)
    taps = np.arange(-sigma + (step / 2 if step > 1 else 0.0), sigma + 1e-9, step)
    nearest = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST), np.float32)
    wide = 2 * math.ceil(sigma) + 3
    window = np.ones((wide, wide), np.uint8)
    differs = cv2.dilate(nearest, window) != cv2.erode(nearest, window)
    texel = max(1 / width, 1 / height) * sigma
    return _joint_bilateral(nearest, np.ascontiguousarray(frame), differs, taps, texel, sigma_color)


@njit(nogil=True, cache=True)
def _joint_bilateral(mask, frame, differs, taps, sigma_texel, sigma_color):
    height, width = mask.shape
    found = mask.copy()
    colour = -0.5 / (sigma_color * sigma_color * 4.0 + 1e-6)
    place = -0.5 / (sigma_texel * sigma_texel * 4.0 + 1e-6)
    for y in range(height):
        for x in range(width):
            if not differs[y, x]:
                continue
            total, value = 0.0, 0.0
            for down in taps:
                v = min(max(int(np.floor(y + 0.5 + down)), 0), height - 1)
                for across in taps:
                    u = min(max(int(np.floor(x + 0.5 + across)), 0), width - 1)
                    distance = 0.0
                    for channel in range(3):
                        d = (float(frame[y, x, channel]) - float(frame[v, u, channel])) / 255.0
                        distance += d * d
                    away = (across / width) ** 2 + (down / height) ** 2
                    weight = np.exp(away * place + distance * colour)
                    total += weight
                    value += weight * mask[v, u]
            found[y, x] = value / total
    return found


def two_pass_bilateral(mask: F32, frame: U8, sigma_space: float, sigma_color: float) -> F32:
    """Enlarge a mask by a horizontal and then a vertical bilateral pass of sparse taps, 8 bits after each.

    A pixel that agrees with its neighbours one radius to the left, to the right and above is not filtered, as in the
    shader. The space weight is a Gaussian of texture coordinates, so that the horizontal one is the wider.

    Args:
        mask: (h, w).
        sigma_space: px of the mask; also the reach of the taps.
        sigma_color: of the distance of two colours of 0..1 a channel.

    Returns:
        (H, W).
    """
    height, width = frame.shape[:2]
    radius = sigma_space * max(width / mask.shape[1], height / mask.shape[0])
    step = max(1, math.floor(0.5 * radius / math.log(max(radius, 1.0001))))
    found = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST), np.float32)
    sigma_texel = max(1 / width, 1 / height) * radius
    pixels = np.ascontiguousarray(frame)
    for across, side in ((1, width), (0, height)):
        taps = np.arange(1, math.floor(radius) + 1, step)
        weights = np.exp(-0.5 * (taps / side / sigma_texel) ** 2)
        found = _one_pass(found, pixels, taps, weights, across, round(radius), sigma_color)
        found = np.asarray(np.rint(found * 255) / 255, np.float32)
    return found


@njit(nogil=True, cache=True)
def _one_pass(mask, frame, taps, weights, across, radius, sigma_color):
    height, width = mask.shape
    found = np.empty_like(mask)
    colour = np.exp(-0.5 * (np.arange(256) / 255.0 / sigma_color) ** 2)
    for y in range(height):
        above = max(y - radius, 0)
        for x in range(width):
            left, right = max(x - radius, 0), min(x + radius, width - 1)
            near = 2 * mask[y, x] + mask[y, left] + mask[y, right]
            near += mask[above, x] + mask[above, left] + mask[above, right]
            if near <= 0.0 or near >= 7.0:
                found[y, x] = near / 7.0
                continue
            total, value = 1.0, float(mask[y, x])
            for index in range(taps.size):
                for sign in (-1, 1):
                    shift = sign * taps[index]
                    u = min(max(x + across * shift, 0), width - 1)
                    v = min(max(y + (1 - across) * shift, 0), height - 1)
                    distance = 0.0
                    for channel in range(3):
                        d = float(frame[y, x, channel]) - float(frame[v, u, channel])
                        distance += d * d
                    far = int(np.sqrt(distance))
                    if far < 256:
                        weight = weights[index] * colour[far]
                        total += weight
                        value += weight * mask[v, u]
            found[y, x] = value / total
    return found


def _luma(frame: U8, weights: tuple[float, float, float]) -> F32:
    """(H, W) float32, 0..1."""
    return np.asarray(cv2.transform(frame.astype(np.float32), np.array([weights], np.float32) / 255), np.float32)
