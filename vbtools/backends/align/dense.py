"""What the aligners share: pictures at a working size, and pictures that differ in nothing but the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from vbtools.errors import InputError
from vbtools.ops.fill import fill

if TYPE_CHECKING:
    from numpy.typing import NDArray

    U8 = NDArray[np.uint8]
    F32 = NDArray[np.float32]
    F64 = NDArray[np.float64]
    Mask = NDArray[np.bool_]

LEAST_SIDE = 16
"""px: below this, flow has nothing to work with."""
LEAST_COMMON = 0.01
"""Share of the picture that has to be background in both frames."""
NO_BACKGROUND = "no background visible"


def need_background(person: Mask) -> None:
    """Refuse a reference frame (H, W) that shows nothing but the person.

    Raises:
        InputError: it does.
    """
    if person.all():
        raise InputError(
            "align: a person covers all of the reference frame",
            "Choose another with --reference, or raise --threshold, or lower --dilate",
        )


def within(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    """Sides (h, w) of a picture of ``size`` (H, W) shrunk to a longest side, px; never larger, never 0."""
    scale = min(1.0, long_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """Sides of a picture at a scale, not below the least side (or the picture's own)."""
    height, width = (max(min(side, LEAST_SIDE), round(side * scale)) for side in size)
    return height, width


def shrink(frame: U8, person: Mask, grid: tuple[int, int]) -> tuple[F32, Mask]:
    """A frame in gray and its background on the flow's grid; a sample with any of the person in it is none."""
    gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return reduce(gray, ~person, grid)


def reduce(gray: F32, background: Mask, grid: tuple[int, int]) -> tuple[F32, Mask]:
    """Gray and background on a smaller grid, by area."""
    if gray.shape == grid:
        return gray, background
    sides = (grid[1], grid[0])
    share = cv2.resize(background.astype(np.float32), sides, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(gray, sides, interpolation=cv2.INTER_AREA)), np.asarray(share) > 0.999


def bring(gray: F32, background: Mask, transform: F64) -> tuple[F32, Mask]:
    """A frame and its background in reference coordinates, by a backward map (2, 3)."""
    sides = (gray.shape[1], gray.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(gray, transform, sides, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.warpAffine(background.astype(np.float32), transform, sides, flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(moved), np.asarray(share) > 0.999


def made_alike(reference: F32, reference_known: Mask, frame: F32, frame_known: Mask) -> tuple[F32, F32]:
    """Both pictures, each with the other's pixels where only that shows background; alike where neither does."""
    one = np.where(reference_known, reference, frame)
    other = np.where(frame_known, frame, reference)
    either = reference_known | frame_known
    one = fill(one, either)
    return one, np.where(either, other, one)


def brought_by_flow(gray: F32, background: Mask, flow: F32) -> tuple[F32, Mask]:
    """A frame (h, w) and its background in reference coordinates, by a flow (h, w, 2) in px of the same grid."""
    y, x = np.mgrid[: gray.shape[0], : gray.shape[1]].astype(np.float32)
    at = (x + flow[..., 0], y + flow[..., 1])
    moved = cv2.remap(gray, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.remap(background.astype(np.float32), *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(moved), np.asarray(share) > 0.999
