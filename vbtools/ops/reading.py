"""Versions of a leak image that are easier to read than the image: even contrast, several sizes, both polarities.

What the person's edge showed of a room has the room's detail, but on a plate that is blurred, at a contrast that
changes from place to place with how much was ever shown, and with ridges where passages of the edge end. A person's eye
evens that out; a reader of words does not. So each version is divided by its own local contrast, weighted by the
exposure, and what was never exposed is plain grey. No one version is best: they differ in how fine the evening is, in
smoothing, in whether only what is darker than around it is shown (bright ridges then are gone), in whether what is not
believed is left out, in polarity and in size. (bench/words.py counts words.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

EXPOSED = 0.05  # exposure from which a place is worth looking at
FULLY = 0.15  # exposure at which it counts in full
BELIEVED = 0.3  # confidence at which it counts in full, where confidence is asked for
MARGIN = 20  # px around what is exposed
SCALES = (1.0, 1.5, 2.0, 3.0)  # Tesseract reads letters of 20 to 40 px best; those of a room have 10 to 90
LARGER = 1.5  # for the last of the few
LARGEST = 4096  # px; no version has a longer side
FINE, COARSE = 16.0, 32.0  # px: sigma over which contrast is evened; about a letter, and a line of them
SMOOTH = 1.0  # px: sigma that takes the ridges of passages
CALM, CALM_WINDOWS = 25.0, (5, 15)  # grey levels, px: non-local means, for ridges that are no strokes
GREY = 150.0  # level of the mean
CONTRAST = 60.0  # grey levels a local standard deviation is given
NOISE = 3.0  # grey levels; below this local contrast is not raised to the full
EDGE = 2.0  # px: sigma with which the weight ends


@dataclass(frozen=True, slots=True)
class Version:
    """A part of the picture, made readable.

    Attributes:
        picture: ``(h, w, 3)`` uint8 RGB.
        left, top: where its first pixel lies in the picture, px.
        scale: its pixels per pixel of the picture.
    """

    picture: U8
    left: int
    top: int
    scale: float


def versions(background: U8, exposure: F32, confidence: F32) -> Iterator[Version]:
    """Make the versions, one at a time: nine, each at every scale. None where nothing was exposed.

    Args:
        background: ``(H, W, 3)`` uint8 RGB.
        exposure: ``(H, W)`` float32, 0-1.
        confidence: ``(H, W)`` float32, 0-1, that the detail is the room's.
    """
    cut = _exposed_part(background, exposure)
    if cut is None:
        return
    part, luma, weight = cut
    top, left = part[0].start, part[1].start
    fine, coarse = evened(luma, weight, FINE), evened(luma, weight, COARSE)
    believed = evened(luma, weight * np.clip(confidence[part] / BELIEVED, 0, 1), FINE)
    smooth = cv2.GaussianBlur(fine, (0, 0), SMOOTH)
    calm = cv2.fastNlMeansDenoising(fine, None, CALM, *CALM_WINDOWS)
    ink = np.minimum(fine, np.uint8(GREY))
    pictures = (luma, fine, _negative(fine), smooth, calm, ink, believed, coarse, _negative(coarse))
    for picture in pictures:
        for scale in SCALES:
            if scale == 1 or scale * max(picture.shape) <= LARGEST:
                larger = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
                yield Version(cv2.cvtColor(larger, cv2.COLOR_GRAY2RGB), left, top, scale)


def few_versions(background: U8, exposure: F32) -> Iterator[Version]:
    """Three versions, for a reader that needs no more: as it is, and evened finely and, larger, coarsely.

    Args:
        background, exposure: as of :func:`versions`. None where nothing was exposed.
    """
    cut = _exposed_part(background, exposure)
    if cut is None:
        return
    part, luma, weight = cut
    fine, coarse = evened(luma, weight, FINE), evened(luma, weight, COARSE)
    for picture, scale in ((background[part], 1.0), (fine, 1.0), (coarse, LARGER)):
        larger = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        shown = larger if larger.ndim == 3 else cv2.cvtColor(larger, cv2.COLOR_GRAY2RGB)
        yield Version(np.ascontiguousarray(shown), part[1].start, part[0].start, scale)


def _exposed_part(background: U8, exposure: F32) -> tuple[tuple[slice, slice], U8, F32] | None:
    """Where anything was exposed, with a margin; its luma, and how much each pixel counts. None where nothing was."""
    rows, columns = np.flatnonzero((exposure > EXPOSED).any(axis=1)), np.flatnonzero((exposure > EXPOSED).any(axis=0))
    if not rows.size:
        return None
    top, left = max(0, int(rows[0]) - MARGIN), max(0, int(columns[0]) - MARGIN)
    part = np.s_[top : int(rows[-1]) + MARGIN, left : int(columns[-1]) + MARGIN]
    luma = np.asarray(cv2.cvtColor(background[part], cv2.COLOR_RGB2GRAY), np.uint8)
    return part, luma, np.clip(exposure[part] / FULLY, 0, 1)


def evened(luma: U8, weight: F32, sigma: float) -> U8:
    """Luma with its local contrast made even where there is weight, plain grey where there is none.

    Args:
        luma: ``(h, w)`` uint8.
        weight: ``(h, w)`` float32, 0-1.
        sigma: of the Gaussian over which mean and contrast are taken, px.
    """
    weight = cv2.GaussianBlur(weight.astype(np.float32), (0, 0), EDGE)
    floor = weight + 1e-3
    total = cv2.GaussianBlur(floor, (0, 0), sigma)
    high = luma - cv2.GaussianBlur(luma * floor, (0, 0), sigma) / total
    contrast = np.sqrt(cv2.GaussianBlur(high * high * floor, (0, 0), sigma) / total)
    return np.clip(GREY + CONTRAST * weight * high / (contrast + NOISE), 0, 255).astype(np.uint8)


def _negative(picture: U8) -> U8:
    return np.clip(2 * GREY - picture, 0, 255).astype(np.uint8)
