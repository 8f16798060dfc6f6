"""Fill what is not known of a picture smoothly from what is (push-pull).

Gortler, Grzeszczuk, Szeliski, Cohen, "The Lumigraph", SIGGRAPH 1996, section 3.4: average the known values down a
pyramid, each level weighted by how much is known, then let each coarser level fill the holes of the finer one.
"""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Plane = TypeVar("Plane", NDArray[np.float32], NDArray[np.bool_])


def fill(values: F32, known: NDArray[np.bool_]) -> F32:
    """Values with the unknown ones replaced; the known ones are kept exactly.

    Args:
        values: (h, w) or (h, w, 2..4) float32; anything, NaN too, where it is not known.
        known: (h, w) bool.

    Returns:
        As ``values``; all 0 where nothing is known.

    Raises:
        ValueError: shapes that do not fit.
    """
    if known.shape != values.shape[:2]:
        raise ValueError(f"known is {known.shape}; give {values.shape[:2]}, as the values are {values.shape}")
    if known.all():
        return values
    weight = known.astype(np.float32)
    clean = np.where(_beside(known, values), values, np.float32(0))
    return _push_pull(clean, weight)


def _push_pull(values: F32, weight: F32) -> F32:
    """Values are averages over what is known; weight is its share, 0..1."""
    height, width = weight.shape
    if weight.min() >= 1 or max(height, width) == 1:
        return values
    coarse_weight: F32 = np.asarray(cv2.pyrDown(weight), np.float32)
    total = np.asarray(cv2.pyrDown(values * _beside(weight, values)), np.float32)
    least = np.float32(1e-6)
    coarse = np.asarray(total / np.maximum(_beside(coarse_weight, values), least), np.float32)
    coarse[coarse_weight <= least] = 0
    # A pixel of the coarse level counts as known as soon as a fair part of what it covers is.
    believed = np.where(coarse_weight > least, np.minimum(coarse_weight * 4, 1), 0).astype(np.float32)
    coarse = _push_pull(coarse, believed)
    smooth = np.asarray(cv2.pyrUp(coarse, dstsize=(width, height)))
    share = _beside(weight, values)
    return np.asarray(values * share + smooth * (1 - share), np.float32)


def _beside(plane: Plane, values: F32) -> Plane:
    """A plane (h, w) shaped to be combined with values (h, w) or (h, w, C)."""
    return plane[..., None] if values.ndim == 3 else plane
