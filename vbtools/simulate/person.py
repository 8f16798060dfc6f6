"""The photographed person: Eileen Collins, cut out of NASA's portrait (``skimage.data.astronaut``, public domain).

The square selfie model on the raw picture says roughly where she is (the landscape model keeps the flag and punches
holes into the helmet). GrabCut (Rother et al. 2004) moves the outline onto the real edge, a guided filter (He et al.
2010) gives it the softness of the photograph, and blur fusion (Forte & Pitie 2021) takes the studio's colours out of
the edge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.errors import MissingDependencyError

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

MODEL = "selfie-square"
SURE = 230  # of 255; at 128 the model takes a strip of the flag and of the wall by the shoulder for the person
BAND_PX = 6  # the model's outline is at most this far from the edge, in px of the photograph
SOFT_PX = 4  # half width of the band in which the edge may be soft
GUIDED_EPS = 1e-4  # regulariser of the guided filter, for colours of 0 to 1
FUSION_RADII_PX = (30, 3)  # coarse, then fine; Forte & Pitie use 90 and 6 for pictures twice this size

# Scribbles on this photograph, px: the flag's shadow at the elbow is no person, the helmet's dark hinge is one.
FLAG = ((0, 380), (19, 400), (21, 430), (22, 455), (27, 480), (34, 505), (36, 511), (0, 511))
HINGE = ((484, 468), (499, 465), (505, 475), (508, 487), (508, 511), (478, 511))


@dataclass(frozen=True, slots=True)
class Person:
    """A cut-out.

    Attributes:
        rgb: (h, w, 3) uint8 RGB, not multiplied by alpha; beyond the edge it goes on in the edge's colours.
        alpha: (h, w) uint8, 255 where there is nothing but the person.
    """

    rgb: U8
    alpha: U8

    def resized(self, scale: float) -> Person:
        """The same person at another size."""
        size = (round(self.rgb.shape[1] * scale), round(self.rgb.shape[0] * scale))
        if scale < 1:
            colors, shape = (cv2.resize(a, size, interpolation=cv2.INTER_AREA) for a in (self.rgb, self.alpha))
        else:
            colors = cv2.resize(self.rgb, size, interpolation=cv2.INTER_CUBIC)
            shape = cv2.resize(self.alpha, size, interpolation=cv2.INTER_LINEAR)  # cubic would ring: specks of alpha
        return Person(np.asarray(colors, np.uint8), np.asarray(shape, np.uint8))


def photograph() -> U8:
    """The portrait, (512, 512, 3) uint8 RGB.

    Raises:
        MissingDependencyError: scikit-image, of the extra ``simulate``, is not installed.
    """
    try:
        from skimage import data
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "The Python package 'scikit-image' is not installed", "Run: pip install 'vbtools[simulate]'"
        ) from error
    return np.ascontiguousarray(data.astronaut(), np.uint8)


def cut_out(photo: U8, segmenter: Callable[[U8], U8]) -> Person:
    """Cut the person out of :func:`photograph`; about 0.5 s.

    Args:
        photo: (512, 512, 3) uint8 RGB.
        segmenter: gives (H, W) uint8 person probability x 255; the model :data:`MODEL`.
    """
    outline = _refine(photo, _largest_filled(segmenter(photo) >= SURE))
    colors = np.asarray(photo, np.float32) / np.float32(255)
    alpha = _guided(colors, outline.astype(np.float32))
    alpha = np.asarray(np.clip((alpha - 0.1) / 0.8, 0, 1), np.float32)
    alpha[_eroded(outline, SOFT_PX) > 0] = 1
    alpha[cv2.dilate(outline, _disc(SOFT_PX)) == 0] = 0
    alpha[cv2.dilate(_largest_filled(alpha > 0.5), _disc(1)) == 0] = 0  # specks that the filter left beside the edge
    own = _own_colors(colors, alpha)
    return Person(np.rint(own * 255).astype(np.uint8), np.rint(alpha * 255).astype(np.uint8))


def _largest_filled(mask: NDArray[np.bool_]) -> U8:
    """The largest part of a mask, holes filled; the lower edge of the picture closes what is open there."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    largest = (labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    walled = cv2.copyMakeBorder(largest, 1, 0, 1, 1, cv2.BORDER_CONSTANT, value=0)
    walled = cv2.copyMakeBorder(walled, 0, 1, 0, 0, cv2.BORDER_CONSTANT, value=1)
    cv2.floodFill(walled, None, (0, 0), 2)
    return (walled[1:-1, 1:-1] != 2).astype(np.uint8)


def _refine(photo: U8, outline: U8) -> U8:
    """Move the outline onto the edge in the picture, within :data:`BAND_PX`."""
    hints = np.full(outline.shape, cv2.GC_BGD, np.uint8)
    hints[cv2.dilate(outline, _disc(BAND_PX)) > 0] = cv2.GC_PR_BGD
    hints[outline > 0] = cv2.GC_PR_FGD
    hints[_eroded(outline, BAND_PX) > 0] = cv2.GC_FGD
    cv2.fillPoly(hints, [np.array(FLAG, np.int32)], cv2.GC_BGD)
    cv2.fillPoly(hints, [np.array(HINGE, np.int32)], cv2.GC_FGD)
    cv2.setRNGSeed(0)  # GrabCut begins with k-means, which draws from OpenCV's generator
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(photo[..., ::-1]), hints, None, *models, 4, cv2.GC_INIT_WITH_MASK)
    return _largest_filled((hints == cv2.GC_FGD) | (hints == cv2.GC_PR_FGD))


def _guided(guide: F32, mask: F32) -> F32:
    """Guided filter with a colour guide: the mask as a local linear function of the colours."""

    def mean(values: NDArray[Any]) -> F32:
        return np.asarray(cv2.blur(values, (2 * SOFT_PX + 1, 2 * SOFT_PX + 1)), np.float32)

    means, mask_mean = mean(guide), mean(mask)
    covariance = mean(guide * mask[..., None]) - means * mask_mean[..., None]
    spread = np.empty((*mask.shape, 3, 3), np.float32)
    for i in range(3):
        for j in range(3):
            spread[..., i, j] = mean(guide[..., i] * guide[..., j]) - means[..., i] * means[..., j]
    spread += GUIDED_EPS * np.eye(3, dtype=np.float32)
    slope = np.linalg.solve(spread, covariance[..., None])[..., 0]
    offset = mask_mean - (slope * means).sum(-1)
    return np.asarray((mean(slope) * guide).sum(-1) + mean(offset), np.float32)


def _own_colors(colors: F32, alpha: F32) -> F32:
    """The person's own colours, also where the picture holds a mixture or only the studio; (H, W, 3), 0 to 1."""
    own, studio = colors, colors
    weight = alpha[..., None]
    for radius in FUSION_RADII_PX:
        size = (2 * radius + 1, 2 * radius + 1)
        inside = cv2.blur(alpha, size)[..., None] + 1e-5
        outside = cv2.blur(1 - alpha, size)[..., None] + 1e-5
        own_mean = cv2.blur(own * weight, size) / inside
        studio = cv2.blur(studio * (1 - weight), size) / outside
        own = np.clip(own_mean + weight * (colors - weight * own_mean - (1 - weight) * studio), 0, 1)
    return np.asarray(own, np.float32)


def _disc(radius: int) -> U8:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)


def _eroded(mask: U8, radius: int) -> U8:
    """Erosion from inside only: the person goes on beyond the picture."""
    return np.asarray(cv2.erode(mask, _disc(radius), borderType=cv2.BORDER_CONSTANT, borderValue=1), np.uint8)
