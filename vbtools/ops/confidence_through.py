"""What the plate tells of each block of how far detail comes through the blur, for :mod:`vbtools.ops.confidence`.

Where no edge went, the plate alone tells of the room, and the blur has taken the finer part of it. What kind of detail
that was shows in what is left: how steeply it falls off towards the cut-off, how far it stays the same when it is
blurred again, and whether it has one direction. Scales are in sigmas of the blur, so that one bound holds for all.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.confidence_blocks import Blocks
from vbtools.ops.detail import high_pass
from vbtools.ops.fringe import DETAIL_PX

if TYPE_CHECKING:
    from vbtools.ops.confidence import Evidence

F32 = NDArray[np.float32]

THROUGH = (
    "undone like itself blurred", "undone at the blur's scale", "undone at half of it over that",
    "undone's straightness", "sigmas from the border",
)  # fmt: skip
RISING = (0, 0, 0, 0, 0)
"""As that of :mod:`vbtools.ops.confidence`."""
NARROWEST_KNOWN_PX, WIDEST_KNOWN_PX = 2.0, 30.0
"""px at 720 rows: sigmas between which blurs are told apart, and the wider one of a blur that is not identified."""
SCALES = (0.25, 0.5, 1.0)
"""Of the blur's sigma: those of the Gaussians whose differences are the bands of the undone plate."""
AGAIN = 1 / 3
"""Of the blur's sigma: that by which the undone plate is blurred again."""
STEEP = 0.02
"""Power of the slopes, of Sobel's filter, below which they have no direction."""
FARTHEST = 6.0
"""Sigmas from the border beyond which it does not matter; those of :data:`vbtools.ops.deconvolution.BORDER_SIGMAS`."""


def through(seen: Evidence) -> F32:
    """(len(THROUGH), rows, columns) float32; blocks cut off at the right and lower borders are included."""
    unit, blocks = seen.unit, Blocks(seen.picture.shape)
    sigma, detail, undone = told_sigma(seen.sigma, unit), DETAIL_PX * unit, seen.channel.undone
    again = high_pass(_blurred(undone, AGAIN * sigma), detail)
    smooth = [_blurred(undone, scale * sigma) for scale in SCALES]
    fine, coarse = (blocks.around(finer - coarser) + np.float32(0.1) for finer, coarser in pairwise(smooth))
    found = (
        blocks.alike(high_pass(undone, detail), again), np.log(coarse), np.log(fine / coarse),
        blocks.straightness(smooth[0], STEEP), blocks.mean(_from_border(seen.picture.shape, sigma)),
    )  # fmt: skip
    return np.stack(found).astype(np.float32)


def told_sigma(sigma: float, unit: float) -> float:
    """:func:`known_sigma` within the bounds between which blurs are told apart."""
    return float(np.clip(known_sigma(sigma, unit), NARROWEST_KNOWN_PX * unit, WIDEST_KNOWN_PX * unit))


def known_sigma(sigma: float, unit: float) -> float:
    """px of a blur as identified, or of the widest one where it is not (NaN, 0).

    Args:
        sigma: px.
        unit: rows / 720.
    """
    return sigma if np.isfinite(sigma) and sigma > 0 else WIDEST_KNOWN_PX * unit


def _blurred(plane: F32, sigma: float) -> F32:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)


def _from_border(size: tuple[int, ...], sigma: float) -> F32:
    """Sigmas from the frame's border, (H, W) float32, at most :data:`FARTHEST`."""
    down, along = (np.minimum(np.arange(n), np.arange(n)[::-1]) for n in size)
    return np.minimum(np.minimum.outer(down, along) / sigma, FARTHEST).astype(np.float32)
