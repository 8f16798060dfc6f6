"""What the blur steps of ``steps`` compute, on (H, W, 3) uint8 RGB frames.

A step is called with the frame and with the share of each pixel that it may use, (H, W) float32 of 0..1, or None for
all of it. Where the products' own shaders keep a person out, the step does so as they do; the other steps divide the
blurred share of the frame by the blurred share.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops import kawase as passes
from vbtools.ops import soften
from vbtools.simulate import steps

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
BlurStep = Callable[[U8, F32 | None], U8]
LEAST_SHARE = 1e-3  # below this share around a pixel there is nothing to blur with: it stays as it is


def linear(blur: Callable[[Any], Any]) -> BlurStep:
    """A step from a linear blur of (H, W, 3) or (H, W) arrays, uint8 or float32."""

    def run(frame: U8, share: F32 | None) -> U8:
        if share is None:
            return np.asarray(blur(frame), np.uint8)
        used = blur(share)[..., None]
        total = blur(frame.astype(np.float32) * share[..., None])
        mean = np.where(used > LEAST_SHARE, total / np.maximum(used, LEAST_SHARE), frame)
        return np.asarray(np.clip(np.rint(mean), 0, 255), np.uint8)

    return run


def nothing(frame: U8, share: F32 | None) -> U8:
    """Leave the frame as it is: a blur of strength 0."""
    return frame


def canvas(options: steps.CanvasBlur, strength: float) -> BlurStep:
    """See :class:`steps.CanvasBlur`; against Chromium's own blur(15px) it agrees to 48.8 dB, borders included."""
    sigma = options.sigma or strength
    sigma = float(np.floor(sigma + 0.5)) if options.whole else sigma
    if not sigma:
        return nothing
    dark = linear(lambda values: soften.gaussian(values, sigma, 0, "transparent"))
    if options.below == "black":
        return dark

    @lru_cache(maxsize=1)
    def opacity(height: int, width: int) -> U8:
        return soften.gaussian(np.full((height, width), 255, np.uint8), sigma, 0, "transparent")[..., None]

    def run(frame: U8, share: F32 | None) -> U8:
        if share is not None:
            return dark(frame, share)  # divided by what was used: nothing shows through
        thick = opacity(*frame.shape[:2])
        premultiplied = dark(frame, None)
        if options.below == "white":
            return np.asarray(cv2.add(premultiplied, np.repeat(255 - thick, 3, axis=2)), np.uint8)
        return np.asarray(np.minimum(premultiplied * (255 / thick.astype(np.float32)) + 0.5, 255), np.uint8)

    return run


def gaussian(options: steps.GaussianBlur, strength: float) -> BlurStep:
    """See :class:`steps.GaussianBlur`; in OpenCV's bit-exact integer path, the same on every machine."""
    sigma = options.sigma or (0.0 if options.kernel else strength)
    if not (sigma or options.kernel):
        return nothing
    return linear(lambda values: soften.gaussian(values, sigma, options.kernel, options.border))


def taps(options: steps.TapsBlur, strength: float) -> BlurStep:
    """See :class:`steps.TapsBlur`; LiveKit's ``setBlurRadius`` and blur shader."""
    radius = options.radius or strength
    sigma = max(1, int(radius // options.shrink))
    if not radius:
        return nothing
    return linear(lambda values: soften.shrunken_taps(values, options.shrink, sigma, min(options.most, sigma)))


def kernels(options: steps.KernelBlur, strength: float) -> BlurStep:
    """See :class:`steps.KernelBlur`; bit for bit what lfbw.py makes of a frame."""
    setting = int(strength)
    kernel = _odd(setting or options.unset)

    def blur(values: Any) -> Any:
        values = soften.gaussian(values, kernel / 3, kernel, "mirror")
        if setting:
            values = soften.gaussian(values, 0.0, _odd(int(min(setting, 100) / 100 * 99) + 1), "mirror")
        return values

    return linear(blur)


def odd_kernel(options: steps.OddKernelBlur, strength: float) -> BlurStep:
    """See :class:`steps.OddKernelBlur`."""
    kernel = _odd(options.kernel or int(strength))
    return linear(lambda values: soften.gaussian(values, 0.0, kernel, "mirror")) if kernel > 1 else nothing


def box(options: steps.BoxBlur, strength: float) -> BlurStep:
    """See :class:`steps.BoxBlur`."""
    size = options.size or int(strength)
    return linear(lambda values: soften.box(values, size, options.border)) if size > 1 else nothing


def stack(options: steps.StackBlur, strength: float) -> BlurStep:
    """See :class:`steps.StackBlur`."""
    size = 2 * (options.radius or int(strength)) + 1
    return linear(lambda values: cv2.stackBlur(values, (size, size))) if size > 1 else nothing


def nine_taps(options: steps.NineTapsBlur, strength: float) -> BlurStep:
    """See :class:`steps.NineTapsBlur`."""
    number = options.passes or int(strength)
    return lambda frame, share: passes.nine_taps(frame, options.shrink, number, share) if number else frame


def kawase(options: steps.KawaseBlur, strength: float) -> BlurStep:
    """See :class:`steps.KawaseBlur`."""
    number = options.passes or int(strength)
    return lambda frame, share: passes.kawase(frame, number, share)


def dual_kawase(options: steps.DualKawaseBlur, strength: float) -> BlurStep:
    """See :class:`steps.DualKawaseBlur`."""
    levels = options.levels or int(strength)
    return linear(lambda values: passes.dual_kawase(values, levels))


def _odd(number: int) -> int:
    return number + 1 - number % 2


MAKERS: dict[str, Callable[[Any, float], BlurStep]] = {
    "canvas": canvas,
    "gaussian": gaussian,
    "taps": taps,
    "kernels": kernels,
    "odd_kernel": odd_kernel,
    "box": box,
    "stack": stack,
    "nine_taps": nine_taps,
    "kawase": kawase,
    "dual_kawase": dual_kawase,
}
"""Step name -> what makes it from its options and the profile's strength."""
