"""What the blur steps of ``steps`` compute, on (H, W, 3) uint8 RGB frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbtools.ops import soften
from vbtools.simulate import steps

U8 = NDArray[np.uint8]
BlurStep = Callable[[U8], U8]


def canvas(options: steps.CanvasBlur, strength: float) -> BlurStep:
    """See :class:`steps.CanvasBlur`; against Chromium's own blur(15px) it agrees to 48.8 dB, borders included."""
    sigma = options.sigma or strength
    return lambda frame: soften.gaussian(frame, sigma, 0, "transparent") if sigma else frame


def gaussian(options: steps.GaussianBlur, strength: float) -> BlurStep:
    """See :class:`steps.GaussianBlur`; in OpenCV's bit-exact integer path, the same on every machine."""
    sigma = options.sigma or (0.0 if options.kernel else strength)
    if not (sigma or options.kernel):
        return lambda frame: frame
    return lambda frame: soften.gaussian(frame, sigma, options.kernel, options.border)


def taps(options: steps.TapsBlur, strength: float) -> BlurStep:
    """See :class:`steps.TapsBlur`; LiveKit's ``setBlurRadius`` and blur shader."""
    radius = options.radius or strength
    sigma = max(1, int(radius // options.shrink))
    taps_used = min(options.most, sigma)
    return lambda frame: soften.shrunken_taps(frame, options.shrink, sigma, taps_used) if radius else frame


def kernels(options: steps.KernelBlur, strength: float) -> BlurStep:
    """See :class:`steps.KernelBlur`; bit for bit what lfbw.py makes of a frame."""
    setting = int(strength)
    kernel = _odd(setting or options.unset)

    def run(frame: U8) -> U8:
        blurred = soften.gaussian(frame, kernel / 3, kernel, "mirror")
        if setting:
            blurred = soften.gaussian(blurred, 0.0, _odd(int(min(setting, 100) / 100 * 99) + 1), "mirror")
        return blurred

    return run


def _odd(number: int) -> int:
    return number + 1 - number % 2


MAKERS: dict[str, Callable[[Any, float], BlurStep]] = {
    "canvas": canvas,
    "gaussian": gaussian,
    "taps": taps,
    "kernels": kernels,
}
"""Step name -> what makes it from its options and the profile's strength."""
