"""The image of a call, forward: person before a room, the product's mask, its blur, and one composed frame.

With the person's alpha a, the room x and the product's opacity m, the clean frame is ``F = a person + (1 - a) x`` and
the call shows ``C = m F + (1 - m) P``; P is F blurred, or the room alone blurred where the product keeps the person out
of its blur. The same model is read backwards in :mod:`vbtools.ops.fringe`.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.compiled import njit
from vbtools.ops.fringe import BINS, EDGES_PX

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

CORE_PX = 6.0
"""px at 720 rows within the mask from which a pixel shows the person alone: the edge's outer pixels show the room."""
OWN_PX = -9.0
"""px at 720 rows from the mask, within it, from which the product shows the person sharp whatever the room's opacity:
there the person hides the room, and nothing is learned of the mask."""
SOFT_PX = 1.5
"""Half the width, px at 720 rows, of the person's own edge: of cloth before a camera in focus."""
SMOOTH_PX = 6.0
"""px at 720 rows: sigma of the smoothing of colours that are gone on beyond the core."""
STEP_PX, FIRST_PX = 0.25, -24.0
"""Of the table of opacities: px at 720 rows between its entries, and where it begins."""
ENTRIES = 256
REACH_PX = FIRST_PX + STEP_PX * ENTRIES
"""px at 720 rows from the mask beyond which nothing depends on how far it is."""
COARSE = 3.0
"""A Gaussian of so many px or more is taken on a picture shrunk until it is this: its error is below
1.5 grey levels away from the border."""


def opacity_table(relative: F32, peak: float, tighter_px: float = 0.0, hardness: float = 0.0) -> F32:
    """The product's opacity by distance to the segmenter's mask.

    What is learned is how strongly the room shows; within the mask the person hides it, so there the opacity is taken
    to rise to 1 at :data:`OWN_PX` at the latest. A mask's opacity does not fall towards the person.

    Args:
        relative: (BINS,) float32: the room's opacity, 1 at its strongest; see :func:`vbtools.ops.leak.opacities`.
        peak: opacity at its strongest, 0-1.
        tighter_px: px at 720 rows by which the mask is drawn in.
        hardness: opacity below which nothing is shown, 0-1.

    Returns:
        (ENTRIES,) float32, 0-1: at ``FIRST_PX + STEP_PX * i`` px at 720 rows from the mask, negative within.
    """
    if relative.shape != (BINS,):
        raise ValueError(f"opacity is {relative.shape}; give ({BINS},)")
    middles = (np.array(EDGES_PX[1:]) + np.array(EDGES_PX[:-1])) / 2
    shown = np.maximum.accumulate((np.clip(relative, 0, 1) * peak)[::-1])[::-1]
    distance = FIRST_PX + STEP_PX * np.arange(ENTRIES) + tighter_px
    at_mask = float(np.interp(0.0, middles, shown))
    ramp = np.interp(distance, (OWN_PX, 0.0), (1.0, at_mask))
    learned = np.interp(distance, middles, shown, right=0.0)
    made = np.where(distance < 0, np.maximum(ramp, learned), learned)
    return np.where(made < hardness, 0, made).astype(np.float32)


def entries(distance: F32, unit: float) -> U8:
    """Where in an :func:`opacity_table` each pixel is, (H, W) uint8; distance in px, ``unit`` = rows / 720."""
    scaled = cv2.addWeighted(distance, 1 / (unit * STEP_PX), distance, 0.0, -FIRST_PX / STEP_PX)
    return np.asarray(np.clip(scaled, 0, ENTRIES - 1), np.uint8)


def person_alpha(distance: F32, unit: float) -> F32:
    """(H, W) float32, 0-1: the person's coverage by px to the person's outline, 1/2 on it."""
    return np.asarray(np.clip(0.5 - distance / np.float32(2 * SOFT_PX * unit), 0, 1), np.float32)


def extended(frame: U8, core: U8, smooth_px: float) -> U8:
    """The person's colours, gone on beyond the core by its nearest pixel, (H, W, 3) uint8.

    Smoothed there: nearest pixels alone make rays at right angles to the outline, a detail that no person has.

    Args:
        frame: (H, W, 3) uint8 RGB.
        core: (H, W) uint8, 1 where the frame shows the person alone.
        smooth_px: sigma of the smoothing, px.
    """
    if not core.any() or core.all():
        return frame
    _, labels = cv2.distanceTransformWithLabels(1 - core, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    gone_on = np.empty_like(frame)
    _go_on(frame, core, labels, np.empty((core.size + 1, 3), np.uint8), gone_on)
    smooth = cv2.GaussianBlur(gone_on, (0, 0), smooth_px)
    return np.asarray(cv2.copyTo(frame, core, smooth), np.uint8)


@njit(nogil=True, cache=True)
def _go_on(frame: Any, core: Any, labels: Any, colours: Any, out: Any) -> None:
    """Give every pixel the colour of its nearest pixel of the core.

    Args:
        frame: (H, W, 3) uint8.
        core: (H, W) uint8, 1 in the core.
        labels: (H, W) int32: the number of the nearest pixel of the core, from 1.
        colours: (more than H W, 3) uint8, room for the colour of each number.
        out: (H, W, 3) uint8, written.
    """
    for y in range(core.shape[0]):
        for x in range(core.shape[1]):
            if core[y, x]:
                for c in range(3):
                    colours[labels[y, x], c] = frame[y, x, c]
    for y in range(core.shape[0]):
        for x in range(core.shape[1]):
            for c in range(3):
                out[y, x, c] = colours[labels[y, x], c]


def blurred(picture: F32, sigma: float) -> F32:
    """A Gaussian of ``sigma`` px over a picture (H, W, C) or (H, W) float32; edges repeat, as a canvas does."""
    if sigma <= 0:
        return picture
    height, width = picture.shape[:2]
    factor = max(1, int(sigma / COARSE))
    if factor == 1:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)
    size = (-(-width // factor), -(-height // factor))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    left = np.sqrt(sigma**2 - (factor**2 - 1) / 12.0)  # shrinking has blurred by a box already
    small = cv2.GaussianBlur(
        small, (0, 0), left * size[0] / width, sigmaY=left * size[1] / height, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


@njit(nogil=True, cache=True)
def before(person: Any, alpha: Any, room: Any, out: Any) -> None:
    """The clean frame: the person before a room.

    Args:
        person: (H, W, 3) uint8.
        alpha: (H, W) float32, 0-1.
        room: (H, W, 3) float32.
        out: (H, W, 3) float32, written.
    """
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            a = alpha[y, x]
            for c in range(3):
                out[y, x, c] = a * person[y, x, c] + (1 - a) * room[y, x, c]


@njit(nogil=True, cache=True)
def shown(clean: Any, hidden: Any, opacity: Any, overlay: Any, drawn: Any, out: Any) -> None:
    """What the call shows: the clean frame at the product's opacity, what hides it for the rest, overlays on top.

    Args:
        clean, hidden: (H, W, 3) float32.
        opacity: (H, W) float32, 0-1.
        overlay: (H, W) uint8, 1 where something is drawn on top.
        drawn: (H, W, 3) uint8: what.
        out: (H, W, 3) uint8, written.
    """
    for y in range(opacity.shape[0]):
        for x in range(opacity.shape[1]):
            m = opacity[y, x]
            for c in range(3):
                if overlay[y, x]:
                    out[y, x, c] = drawn[y, x, c]
                else:
                    value = m * clean[y, x, c] + (1 - m) * hidden[y, x, c] + np.float32(0.5)
                    out[y, x, c] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))
