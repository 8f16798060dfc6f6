"""From a soft person probability to the pixels that count as the person."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.grid import interpolate, whole

U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def person_mask(probability: U8, size: tuple[int, int], threshold: float, dilate: int) -> Mask:
    """The pixels of a frame that are taken as the person.

    Args:
        probability: (h, w) uint8, person probability x 255, on any grid that covers the frame.
        size: (H, W) of the frame, px.
        threshold: probability, 0..1, from which (inclusive) a pixel is the person's; probability 0 never is.
        dilate: radius, px of the frame, by which the person is grown: an ellipse as OpenCV draws it.

    Returns:
        (H, W) bool, True on the person.

    Raises:
        ValueError: wrong shape or dtype, a threshold outside 0..1, or a negative radius.
    """
    if probability.ndim != 2 or probability.dtype != np.uint8:
        raise ValueError(f"probability is {probability.dtype} {probability.shape}; give uint8 (h, w)")
    return dilated(at_size(probability, size) >= level(threshold), dilate)


def at_size(probability: U8, size: tuple[int, int]) -> U8:
    """Probability (h, w) uint8 brought to a frame's size (H, W), bilinear; returned as it is where it has that size."""
    if probability.shape == size:
        return probability
    grid = probability.shape[0], probability.shape[1]
    return interpolate(probability[..., None], whole(grid), grid, size, whole(size))[..., 0].astype(np.uint8)


def level(threshold: float) -> int:
    """The least stored value, 1..255, that a threshold of 0..1 takes as the person.

    Raises:
        ValueError: a threshold outside 0..1.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}; give 0 to 1")
    return max(1, math.ceil(round(threshold * 255, 6)))


def dilated(person: Mask, radius: int) -> Mask:
    """Grow a mask (h, w) bool by a radius in px, with an ellipse; beyond the border there is no person.

    Raises:
        ValueError: a negative radius.
    """
    if radius < 0:
        raise ValueError(f"the radius is {radius}; give at least 0 px")
    if radius == 0 or not person.any() or person.all():
        return person
    grown = cv2.dilate(person.view(np.uint8), _ellipse(radius), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(grown).astype(bool)


@cache
def _ellipse(radius: int) -> Any:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
