"""What the mask steps of ``steps`` compute. Masks are (h, w) float32, 0 background to 1 person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops import soften
from vbtools.simulate import steps

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a mask step may look at besides the mask: the frame, (H, W, 3) uint8 RGB."""

    frame: U8


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
    """See :class:`steps.Hysteresis`; before the first mask everything is background."""

    def __init__(self, options: steps.Hysteresis) -> None:
        self._options = options
        self._before: F32 | None = None

    def __call__(self, mask: F32, seen: Seen) -> F32:
        """Hold what lies between the thresholds."""
        held = np.zeros_like(mask) if self._before is None else self._before
        self._before = soften.hysteresis(mask, held, self._options.low, self._options.high)
        return self._before


def edge(options: steps.SharpenedEdge) -> MaskStep:
    """See :class:`steps.SharpenedEdge`."""
    return lambda mask, seen: soften.sharpened_edge(mask, options.softness)


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
}
"""Step name -> what makes it from its options, anew for every call: a step may remember."""
