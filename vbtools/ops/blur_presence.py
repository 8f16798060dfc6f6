"""Whether the background is blurred at all: how wide its edges are, against the person's.

Behind a Gaussian of sigma s no edge is narrower than s, whatever the room is like; before it, a camera's own edges are
of 0.5 to 1 px, and of more where the call was enlarged or the lens is soft. The person is never blurred, and comes
through the same lens and codec. So the background is taken for sharp if most of its cells with any contrast have edges
as narrow as a camera's, or as the person's, and that in most regions of the picture: a label or a clock is sharp over a
blur too, but lies in few of them.
(The width from the slopes after two Gaussians: Zhuo and Sim, "Defocus map estimation from a single image", Pattern
Recognition 44, 2011.)
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.cells import means

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

FINE_PX, COARSE_PX = 1.0, 2.0
"""Sigmas of the two Gaussians, px; of the picture itself, since a camera's edges are so wide at any size."""
LEAST_SLOPE = 6.0
"""Grey levels a px after the fine Gaussian: of a step of 15, which codecs keep."""
ROWS, COLUMNS = 24, 42
"""The cells."""
REGIONS = (4, 6)
"""Rows and columns of regions, each of 6 x 7 cells."""
LEAST_CONTRAST = 4.0
"""Grey levels, standard deviation within a cell; a flatter one shows no edge, sharp or not."""
LEAST_SEEN = 0.7
"""Share of a cell that must have been seen."""
LEAST_LENGTH = 0.01
"""Share of a cell's pixels that are the crests of edges: a third of its side, at 720 rows."""
CAMERA_PX = 1.0
"""px. A picture without blur has it in most cells; behind a blur of sigma 2 px, the weakest that was tried, thin lines
have 1 to 1.4 px, everything else more (bench/presence.py)."""
AS_SHARP = 1.25
"""How much wider than the person's edges the background's may be and count as sharp, where the call was enlarged."""
LARGEST_PX = 2.0
"""px: of a person whose edges are wider still there is no telling."""
SHARP_SHARE = 0.4
"""Of a region's cells with contrast, in half of the regions (bench/presence.py)."""
LEAST_CELLS = 3
"""Cells with contrast below which a region says nothing."""
LEAST_REGIONS = 6
"""Fewer regions with contrast tell nothing: a wall, or a wall with a label and a clock."""
LEAST_PERSON = 20
"""Cells of the person, of all frames, below which the person says nothing."""

NOBODY = np.zeros((0, ROWS, COLUMNS), np.float32)
"""The person's edges where there is no person."""


def edge_widths(luma: F32, seen: Mask) -> F32:
    """How wide each cell's edges are, (ROWS, COLUMNS) float32, px; inf: none is steep; NaN: not seen, or no contrast.

    Args:
        luma: (H, W) float32, 0-255; away from what was seen anything finite.
        seen: (H, W) bool.
    """
    inner = cv2.erode(seen.astype(np.uint8), np.ones((9, 9), np.uint8), borderValue=0)
    slopes = [_slope(luma, sigma) for sigma in (FINE_PX, COARSE_PX)]
    fine, coarse = (cv2.magnitude(*slope) for slope in slopes)
    y, x = np.nonzero((fine > LEAST_SLOPE) & (inner > 0))
    crest = _is_crest(slopes[0], fine, y, x)
    y, x = y[crest], x[crest]
    ratio = np.clip((fine[y, x] / np.maximum(coarse[y, x], 1e-3)) ** 2, 1.0001, (COARSE_PX / FINE_PX) ** 2)
    width = np.sqrt((COARSE_PX**2 - ratio * FINE_PX**2) / (ratio - 1))
    height, columns = luma.shape
    cell = (y * ROWS // height) * COLUMNS + x * COLUMNS // columns
    share = means(inner.astype(np.float32), (COLUMNS, ROWS))
    level, power = (_within(plane, inner, share) for plane in (luma, luma * luma))
    counts = (share >= LEAST_SEEN) & (power - level * level > LEAST_CONTRAST**2)
    least = LEAST_LENGTH * height * columns / (ROWS * COLUMNS)
    return np.where(counts, _medians(width.astype(np.float32), cell, least), np.float32(np.nan))


def is_sharp(background: F32, person: F32) -> bool:
    """Whether a background with such edges is not blurred.

    Args:
        background: as :func:`edge_widths` gives them, of where no person is.
        person: the same of the person's inside, of any number of frames, (n, ROWS, COLUMNS).
    """
    clear = person[np.isfinite(person)]
    own = AS_SHARP * float(np.median(clear)) if len(clear) >= LEAST_PERSON else 0.0
    shares = region_shares(background, min(max(CAMERA_PX, own), LARGEST_PX))
    return len(shares) >= LEAST_REGIONS and float(np.median(shares)) > SHARP_SHARE


def region_shares(background: F32, limit: float) -> F32:
    """Share of the cells with contrast whose edges are narrower than a limit, in each region that has some, (n,)."""
    down, across = REGIONS
    cells = background.reshape(down, ROWS // down, across, COLUMNS // across)
    regions = cells.swapaxes(1, 2).reshape(down * across, -1)
    known = (~np.isnan(regions)).sum(axis=1)
    sharp = (regions < limit).sum(axis=1)
    return np.asarray((sharp / np.maximum(known, 1))[known >= LEAST_CELLS], np.float32)


def _slope(plane: F32, sigma: float) -> tuple[F32, F32]:
    smooth = cv2.GaussianBlur(plane, (0, 0), sigma)
    across, down = (cv2.Scharr(smooth, cv2.CV_32F, *order, scale=1 / 32) for order in ((1, 0), (0, 1)))
    return across, down


def _is_crest(slope: tuple[F32, F32], steepness: F32, y: NDArray[np.int64], x: NDArray[np.int64]) -> Mask:
    """Whether the slope is steepest there along its own direction, (n,)."""
    if not len(y):
        return np.zeros(0, np.bool_)
    here = steepness[y, x]
    dx, dy = (part[y, x] / here for part in slope)
    sides = []
    for way in (1, -1):
        at = np.rint(np.stack([y + way * dy, x + way * dx])).astype(np.int64)
        at = np.clip(at, 0, np.array(steepness.shape)[:, None] - 1)
        sides.append(steepness[at[0], at[1]])
    return np.asarray((here > sides[0]) & (here >= sides[1]))


def _within(plane: F32, inner: NDArray[np.uint8], share: F32) -> F32:
    """Means of a plane over what was seen of each cell."""
    return np.asarray(means(plane * inner, (COLUMNS, ROWS)) / np.maximum(share, np.float32(1e-3)), np.float32)


def _medians(width: F32, cell: NDArray[np.int64], least: float) -> F32:
    """The median width in each cell, (ROWS, COLUMNS); inf in those that have fewer than ``least``."""
    order = np.argsort(cell, kind="stable")
    width, cell = width[order], cell[order]
    bounds = np.searchsorted(cell, np.arange(ROWS * COLUMNS + 1))
    found = [np.median(width[a:b]) if b - a >= max(least, 1) else np.inf for a, b in pairwise(bounds)]
    return np.array(found, np.float32).reshape(ROWS, COLUMNS)
