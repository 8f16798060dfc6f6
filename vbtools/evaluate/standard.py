"""The standard measures, over observed pixels only: PSNR, SSIM, MS-SSIM, CIEDE2000, and LPIPS where it is installed."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.errors import MissingDependencyError
from vbtools.ops.detail import luminance
from vbtools.ops.exposures import LEAST_LEAK

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

RANGE = 255.0
BEST_PSNR = 100.0
"""dB; equal pictures have no noise at all, and an infinite score is no JSON."""
SIGMA = 1.5
"""Of SSIM's Gaussian window, px, as Wang et al. 2004 have it (with scikit-image's radius, 5 px: 11 x 11)."""
WINDOW = 11
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of MS-SSIM's five scales, finest first: Wang, Simoncelli and Bovik 2003."""
NO_LUMINANCE = 1e6
"""SSIM's K1 with which its luminance factor is 1, so that contrast and structure are left: what MS-SSIM takes from all
scales but the coarsest."""
SAME_COLOUR = 4.0
"""CIEDE2000 below which VADER (2025) takes a pixel as recovered."""


def psnr(estimate: U8, truth: U8, observed: Mask) -> float | None:
    """Peak signal-to-noise ratio over the observed pixels' three channels, dB, at most :data:`BEST_PSNR`; None where
    none is observed."""
    difference = estimate[observed].astype(np.float32) - truth[observed]
    if not difference.size:
        return None
    square = float(np.mean(difference * difference, dtype=np.float64))
    return min(BEST_PSNR, float(10 * np.log10(RANGE**2 / square))) if square > 0 else BEST_PSNR


def ssim(estimate: U8, truth: U8, observed: Mask) -> float | None:
    """Structural similarity of the luminance (Wang et al. 2004), mean over observed pixels; None where none is."""
    if min(truth.shape[:2]) < WINDOW:
        return None
    mine, true = (luminance(picture) for picture in (_with_truth(estimate, truth, observed), truth))
    return _mean_inside(_ssim_map(mine, true), observed)


def ms_ssim(estimate: U8, truth: U8, observed: Mask) -> float | None:
    """Multi-scale structural similarity of the luminance (Wang et al. 2003), over observed pixels.

    None where no pixel is observed, or the coarsest of the five scales would be smaller than the window (176 px).
    """
    if min(truth.shape[:2]) < WINDOW << (len(SCALES) - 1):
        return None
    mine, true = (luminance(picture) for picture in (_with_truth(estimate, truth, observed), truth))
    seen, product = observed, 1.0
    for scale, exponent in enumerate(SCALES):
        if scale:
            mine, true = (_halved(plane) for plane in (mine, true))
            seen = _halved(seen.astype(np.float32)) > 1 - 1e-4
        coarsest = scale == len(SCALES) - 1
        values = _ssim_map(mine, true) if coarsest else _ssim_map(mine, true, K1=NO_LUMINANCE)
        mean = _mean_inside(values, seen)
        if mean is None:
            return None
        product *= max(0.0, mean) ** exponent
    return product


def same_colour(estimate: U8, truth: U8, observed: Mask, weight: F32) -> dict[str, float | None]:
    """VADER's measure: of all that leaked, how much is recovered in its true colour.

    Args:
        weight: (H, W), 0-1: each pixel's largest leak weight; by it pixels are weighted, and below :data:`LEAST_LEAK`
            they do not count.

    Returns:
        ``share``: weight of the observed pixels with CIEDE2000 < :data:`SAME_COLOUR`, over that of all observed ones;
        ``observed_share``: weight of the observed pixels over that of all; None where there is no such weight.
    """
    from skimage.color import deltaE_ciede2000, rgb2lab

    leaks = weight >= LEAST_LEAK
    total = float(weight[leaks].sum(dtype=np.float64))
    scored = observed & leaks
    leaked = float(weight[scored].sum(dtype=np.float64))
    if not leaked:
        return {"share": None, "observed_share": 0.0 if total else None}
    lab = [rgb2lab(picture[scored].astype(np.float32) / 255) for picture in (estimate, truth)]
    right = deltaE_ciede2000(*lab) < SAME_COLOUR
    return {"share": float(weight[scored][right].sum(dtype=np.float64)) / leaked, "observed_share": leaked / total}


def check() -> None:
    """Raise what says how to install what these measures need.

    Raises:
        MissingDependencyError: scikit-image is not installed.
    """
    from importlib import util

    if util.find_spec("skimage") is None:
        raise MissingDependencyError(
            "evaluate needs the Python package 'skimage', which is not installed",
            "Run: pip install 'vbtools[evaluate]'",
        )


def _with_truth(estimate: U8, truth: U8, observed: Mask) -> U8:
    """The estimate, and the truth where it was not observed, so that windows at the rim of a hole see no guess."""
    return estimate if observed.all() else np.where(observed[..., None], estimate, truth)


def _ssim_map(mine: F32, true: F32, **settings: Any) -> NDArray[Any]:
    from skimage.metrics import structural_similarity

    _, values = structural_similarity(
        mine, true, data_range=RANGE, gaussian_weights=True, sigma=SIGMA, use_sample_covariance=False, full=True,
        **settings,
    )  # fmt: skip
    return values


def _mean_inside(values: NDArray[Any], observed: Mask) -> float | None:
    """Mean over observed pixels whose window lies wholly in the picture, as scikit-image takes it; None without one."""
    edge = WINDOW // 2
    inner = (slice(edge, -edge), slice(edge, -edge))
    scored = values[inner][observed[inner]]
    return float(scored.mean(dtype=np.float64)) if scored.size else None


def _halved(plane: F32) -> F32:
    """Means of 2 x 2 pixels; an odd last row or column is left out."""
    h, w = (side - side % 2 for side in plane.shape)
    return cv2.resize(plane[:h, :w], (w // 2, h // 2), interpolation=cv2.INTER_AREA)
