"""What an enhanced picture claims, against what was seen: blurred again, place by place, in the band that matters.

Letters of height h differ in frequencies above about 1 / h cycles/px; what lies below is layout, which every blur
leaves and every enhancement keeps. So both pictures are compared above that, under one box.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Box = tuple[float, float, float, float]

BAND = 0.19
"""Sigma of the Gaussian whose rest is compared, in heights of a letter: it halves what has 1 / h cycles/px."""
MODEL_ERROR = 0.25
"""Of the detail seen: what a sigma that is 10 % off changes in it at 2 / h cycles/px, where h is 8 sigma: by
4 pi^2 sigma^2 f^2 of its relative error. Identified sigmas are as far off in the median of their intervals."""
GAIN = (0.25, 4.0)
"""Bounds of the contrast by which an enhancement may differ: CLAHE raises it, no one knows by how much."""
PASSED = 0.38
"""Sigmas: the rest of this Gaussian is what a Gaussian blur passes less than 1 % of: noise, of sensor and codec. Its
deviation is 0.6 to 1.4 times that of the plate's error in the band compared (medians over rooms coded with H.264)."""
MAD = 1.4826
"""Standard deviation over median absolute deviation, of normal noise."""
ROUNDING = 0.29
"""Standard deviation of rounding to whole grey levels."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One box, grey levels.

    Attributes:
        noise: standard deviation of the plate's noise there.
        signal: standard deviation of the claim's detail, blurred again.
        seen: standard deviation of the detail that was seen.
        residual: standard deviation of what the claim, at its best contrast, leaves of that.
        adds: what the enhanced picture shows beyond the plate at another contrast, the same way, without blurring.
    """

    noise: float
    signal: float
    seen: float
    residual: float
    adds: float

    @property
    def doubt(self) -> float:
        """One noise level: that of the plate, and what the kernel's error may make of its detail."""
        return float(np.hypot(self.noise, MODEL_ERROR * self.seen))


def compared(seen: F32, claimed: F32, reblurred: F32, box: Box, sigma: float, size: float) -> Compared:
    """Compare an enhanced picture with the plate under a box.

    Args:
        seen: (H, W) float32, luminance of the blurred plate.
        claimed: (H, W) float32, of the enhanced picture at the plate's size.
        reblurred: (H, W) float32, the same through the blur.
        box: x, y, width, height, px.
        sigma: of the blur, px.
        size: height of what is told apart, px: of letters, or an object's parts.
    """
    height = max(size, 4.0)
    outer, inner = window(seen.shape, box, height)
    planes = [_band(plane[outer], BAND * height)[inner] for plane in (seen, reblurred, claimed)]
    return Compared(
        noise=noise_under(seen, box, sigma),
        signal=float(planes[1].std()),
        seen=float(planes[0].std()),
        residual=_left(planes[0], planes[1]),
        adds=_left(planes[0], planes[2]),
    )


def noise_under(seen: F32, box: Box, sigma: float) -> float:
    """Standard deviation of the plate's noise under a box, grey levels; from one picture.

    What the kernel leaves nothing of is noise: H.264 repeats its error from frame to frame, so that the frames agree on
    it, and time tells nothing.
    """
    outer, inner = window(seen.shape, box, 4 * sigma)
    rest = _band(seen[outer], PASSED * sigma)[inner]
    return max(ROUNDING, float(MAD * np.median(np.abs(rest - np.median(rest)))))


def correlation(one: F32, other: F32, box: Box, believed: Mask, sigma: float, least: float) -> float:
    """Pearson r of the detail of two pictures where one is believed; NaN where less of the box is than ``least``.

    Args:
        one, other: (H, W) float32.
        box: x, y, width, height, px.
        believed: (H, W) bool.
        sigma: of the Gaussian that is taken away, px.
        least: share of the box, 0-1.
    """
    outer, inner = window(one.shape, box, 4 * sigma)
    told = believed[outer][inner]
    if not told.size or told.mean() < least:
        return float("nan")
    a, b = (_band(plane[outer], sigma)[inner][told] for plane in (one, other))
    if a.std() < ROUNDING or b.std() < ROUNDING:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def window(shape: tuple[int, ...], box: Box, margin: float) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of a box with a margin, and of the box within that; both within the picture, at least 1 px."""
    rows, columns = shape[:2]
    x, y, width, height = box
    x0, y0 = min(max(0, int(x)), columns - 1), min(max(0, int(y)), rows - 1)
    x1, y1 = max(x0 + 1, min(columns, round(x + width))), max(y0 + 1, min(rows, round(y + height)))
    more = int(np.ceil(margin))
    left, top = max(0, x0 - more), max(0, y0 - more)
    outer = slice(top, min(rows, y1 + more)), slice(left, min(columns, x1 + more))
    return outer, (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def _band(plane: F32, sigma: float) -> F32:
    return np.asarray(plane - cv2.GaussianBlur(plane, (0, 0), max(sigma, 0.5)), np.float32)


def _left(seen: F32, claim: F32) -> float:
    """Standard deviation of what a claim leaves of what was seen, its contrast free within :data:`GAIN`."""
    a, b = seen - seen.mean(), claim - claim.mean()
    gain = np.clip(float((a * b).mean()) / max(float((b * b).mean()), 1e-6), *GAIN)
    return float((a - gain * b).std())
