"""What the mask steps of ``steps`` compute. Masks are (h, w) float32, 0 background to 1 person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops import along_edges, soften
from vbtools.simulate import steps

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


@dataclass(slots=True)
class Seen:
    """What a mask step has besides the mask.

    Attributes:
        frame: (H, W, 3) uint8 RGB.
        kept_out: set by the step ``keep_out``: the mask by which the blur keeps the person out, (H, W) float32.
    """

    frame: U8
    kept_out: F32 | None = None


MaskStep = Callable[[F32, Seen], F32]


def decide(options: steps.Decide) -> MaskStep:
    """See :class:`steps.Decide`."""
    return lambda mask, seen: (mask > np.float32(options.above)).astype(np.float32)


def smoothstep(options: steps.Smoothstep) -> MaskStep:
    """See :class:`steps.Smoothstep`."""
    return lambda mask, seen: soften.smoothstep(mask, options.low, options.high)


def enlarge(options: steps.Enlarge) -> MaskStep:
    """See :class:`steps.Enlarge`; pixel centres are mapped as textures and ``cv2.resize`` map them."""
    how = {"linear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST}[options.how]

    def run(mask: F32, seen: Seen) -> F32:
        return np.asarray(cv2.resize(mask, seen.frame.shape[1::-1], interpolation=how), np.float32)

    return run


def feather(options: steps.Feather) -> MaskStep:
    """See :class:`steps.Feather`."""
    return lambda mask, seen: soften.gaussian(mask, options.sigma or 0.0, options.kernel, options.border)


def box(options: steps.Box) -> MaskStep:
    """See :class:`steps.Box`."""
    return lambda mask, seen: soften.box(mask, options.size, options.border)


def dilate(options: steps.Dilate) -> MaskStep:
    """See :class:`steps.Dilate`."""
    square = np.ones((options.size, options.size), np.uint8)
    return lambda mask, seen: np.asarray(cv2.dilate(mask, square), np.float32)


class Average:
    """See :class:`steps.Average`; the first mask is taken as it is."""

    def __init__(self, options: steps.Average) -> None:
        self._keep = np.float32(options.keep)
        self._before: F32 | None = None

    def __call__(self, mask: F32, seen: Seen) -> F32:
        """Blend with what went before."""
        if self._before is not None:
            mask = self._keep * self._before + (1 - self._keep) * mask
        self._before = mask
        return mask


class Hysteresis:
    """See :class:`steps.Hysteresis`; of the first mask, what lies between stays as it is."""

    def __init__(self, options: steps.Hysteresis) -> None:
        self._options = options
        self._before: F32 | None = None

    def __call__(self, mask: F32, seen: Seen) -> F32:
        """Hold what lies between the thresholds."""
        held = mask if self._before is None else self._before
        self._before = soften.hysteresis(mask, held, self._options.low, self._options.high)
        return self._before


def edge(options: steps.SharpenedEdge) -> MaskStep:
    """See :class:`steps.SharpenedEdge`."""
    return lambda mask, seen: soften.sharpened_edge(mask, options.softness)


def keep_out(options: steps.KeepOut) -> MaskStep:
    """See :class:`steps.KeepOut`."""

    def run(mask: F32, seen: Seen) -> F32:
        seen.kept_out = mask
        return mask

    return run


def snap(options: steps.Snap) -> MaskStep:
    """See :class:`steps.Snap`."""
    return lambda mask, seen: along_edges.snapped(mask, seen.frame, options.reach, options.low, options.high)


def joint_bilateral(options: steps.JointBilateral) -> MaskStep:
    """See :class:`steps.JointBilateral`."""
    return lambda mask, seen: along_edges.joint_bilateral(mask, seen.frame, options.sigma_space, options.sigma_color)


def two_pass_bilateral(options: steps.TwoPassBilateral) -> MaskStep:
    """See :class:`steps.TwoPassBilateral`."""
    return lambda mask, seen: along_edges.two_pass_bilateral(mask, seen.frame, options.sigma_space, options.sigma_color)


def guided(options: steps.Guided) -> MaskStep:
    """See :class:`steps.Guided`."""
    return lambda mask, seen: along_edges.guided(mask, seen.frame, options.shrink, options.size, options.eps)


def gamma(options: steps.Gamma) -> MaskStep:
    """See :class:`steps.Gamma`."""
    return lambda mask, seen: np.power(mask, np.float32(options.power))


class Decay:
    """See :class:`steps.Decay`; before the first mask everything is the person."""

    def __init__(self, options: steps.Decay) -> None:
        self._background: U8 | None = None

    def __call__(self, mask: F32, seen: Seen) -> F32:
        """Three bits of now, three of before, two of before that."""
        new = np.where(mask > 0.5, np.uint8(0), np.uint8(0xE0))
        before = np.zeros_like(new) if self._background is None else self._background
        self._background = new | (before >> 3)
        return np.asarray(1 - self._background.astype(np.float32) / 255, np.float32)


def contours(options: steps.Contours) -> MaskStep:
    """See :class:`steps.Contours`."""

    def run(mask: F32, seen: Seen) -> F32:
        background = (np.rint((1 - mask) * 255) > 0).astype(np.uint8)
        outlines, _ = cv2.findContours(background, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        large = [outline for outline in outlines if cv2.contourArea(outline) > options.least * mask.size]
        filled = cv2.drawContours(np.zeros_like(background), large, -1, 1, -1)
        return np.asarray(1 - filled, np.float32)

    return run


def stack(options: steps.StackMask) -> MaskStep:
    """See :class:`steps.StackMask`."""
    return lambda mask, seen: np.asarray(cv2.stackBlur(mask, (options.size, options.size)), np.float32)


MAKERS: dict[str, Callable[[Any], MaskStep]] = {
    "decide": decide,
    "smoothstep": smoothstep,
    "enlarge": enlarge,
    "feather": feather,
    "box": box,
    "dilate": dilate,
    "average": Average,
    "hysteresis": Hysteresis,
    "edge": edge,
    "keep_out": keep_out,
    "snap": snap,
    "joint_bilateral": joint_bilateral,
    "two_pass_bilateral": two_pass_bilateral,
    "guided": guided,
    "gamma": gamma,
    "decay": Decay,
    "contours": contours,
    "stack": stack,
}
"""Step name -> what makes it from its options, anew for every call: a step may remember."""
