"""Pixels that were never observed: filled where a method needs numbers, hatched where a person looks."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.fill import fill as push_pull

Mask = NDArray[np.bool_]

HATCH_LIGHT = (250, 226, 250)
HATCH_DARK = (219, 142, 226)
"""Two lilacs: lighter than shadow and hair, and not a colour of walls, wood, skin, plants or sky."""
HATCHES_ACROSS = 80
"""Stripes along the longer side, so that they are seen at any size of picture."""
AT_ONCE_PIXELS = 1024 * 1024
"""A larger picture's channels are filled one after the other, in a third of the memory."""
_NOTHING_OBSERVED = 127.5


def fill(image: NDArray[Any], observed: Mask) -> NDArray[Any]:
    """Replace unobserved pixels by a smooth continuation of the observed ones around them.

    Push-pull, see :mod:`vbtools.ops.fill`, for pictures of any dtype.
    What is stored in unobserved pixels, NaN included, has no influence.

    Args:
        image: ``(H, W)`` or ``(H, W, C)``, uint8 or floating, any range.
        observed: ``(H, W)`` bool.

    Returns:
        The same shape and dtype; observed pixels are unchanged. Mid-grey (127.5, in uint8 128) where nothing at all is
        observed.

    Raises:
        ValueError: the shapes do not fit.
    """
    _check(image, observed)
    if observed.all():
        return image.copy()
    filled, unobserved = image.copy(), ~observed
    planes = filled[..., None] if image.ndim == 2 else filled

    def fill_channel(channel: int) -> None:
        plane = planes[..., channel]
        np.copyto(plane, _continuation(plane, observed), where=unobserved)

    at_once = planes.shape[2] if observed.size <= AT_ONCE_PIXELS else 1
    with ThreadPoolExecutor(at_once, thread_name_prefix="fill") as pool:
        for _ in pool.map(fill_channel, range(planes.shape[2])):
            pass
    return filled


def _continuation(plane: NDArray[Any], observed: Mask) -> NDArray[Any]:
    """One channel ``(H, W)`` of :func:`fill`, right where it is not observed."""
    smooth: NDArray[Any] = np.full(plane.shape, _NOTHING_OBSERVED, np.float32)
    if observed.any():
        smooth = push_pull(plane.astype(np.float32), observed)
    if np.issubdtype(plane.dtype, np.integer):
        smooth = np.clip(np.rint(smooth), 0, np.iinfo(plane.dtype).max)
    return smooth.astype(plane.dtype)


def show_unobserved(image: NDArray[np.uint8], observed: Mask) -> NDArray[np.uint8]:
    """Draw unobserved pixels as a light two-tone diagonal hatch.

    Args:
        image: ``(H, W, 3)`` uint8, RGB, 0-255.
        observed: ``(H, W)`` bool.

    Returns:
        ``(H, W, 3)`` uint8; observed pixels are unchanged.

    Raises:
        ValueError: the shapes do not fit.
    """
    _check(image, observed)
    return np.where(observed[..., None], image, hatch(*observed.shape))


def hatch(height: int, width: int) -> NDArray[np.uint8]:
    """The pattern that stands for "never observed", ``(height, width, 3)`` uint8 RGB."""
    period = max(6, round(max(height, width) / HATCHES_ACROSS))
    rows = np.arange(height)[:, None]
    columns = np.arange(width)[None, :]
    stripe = (rows + columns) % period < 0.45 * period
    return np.where(stripe[..., None], np.array(HATCH_DARK, np.uint8), np.array(HATCH_LIGHT, np.uint8))


def share_observed(observed: Mask, x: float, y: float, w: float, h: float) -> float:
    """Share of a box's pixels that were observed, 0-1.

    Args:
        observed: ``(H, W)`` bool.
        x, y, w, h: left, top, width and height, px; every pixel that the box touches counts.

    Returns:
        0 for a box without area or wholly outside. The part of a box beyond the picture counts as unobserved.
    """
    if w <= 0 or h <= 0:
        return 0.0
    left, top, right, bottom = math.floor(x), math.floor(y), math.ceil(x + w), math.ceil(y + h)
    inside = observed[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    return float(np.count_nonzero(inside)) / ((right - left) * (bottom - top))


def resize_observed(observed: Mask, height: int, width: int) -> Mask:
    """The mask for a picture of another size; nearest neighbour, so that nothing becomes observed by blending."""
    if observed.shape == (height, width):
        return observed
    resized = cv2.resize(observed.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return resized.astype(np.bool_)


def _check(image: NDArray[Any], observed: Mask) -> None:
    if image.ndim not in (2, 3) or image.shape[:2] != observed.shape:
        raise ValueError(f"a picture {image.shape} needs a mask of its height and width, not {observed.shape}")
    if observed.dtype != np.bool_:
        raise ValueError(f"observed must be bool, not {observed.dtype}")
