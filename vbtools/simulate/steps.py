"""The steps from which a product's mask and blur are put together: their parameters. Nothing heavy is imported here.

A mask step turns the model's person probability into the opacity by which the frame lies over its blurred copy; a blur
step turns the frame into that copy. What they compute is in ``masks`` and ``blurs``, one entry for each class here.
"""

from __future__ import annotations

from dataclasses import dataclass

from vbtools.config.params import param

PX = "px"
"""Unit of lengths that scale with the frame where a profile has ``rows``."""

BORDERS = ("clamp", "transparent", "mirror")
_SIGMA = "standard deviation; the profile's strength where it is not given"
_BORDER = "what lies outside the picture: its border pixels, nothing (0), or its mirror image"


@dataclass(frozen=True)
class Decide:
    """Person (1) where the probability is above a threshold, else background (0)."""

    above: float = param(0.5, "the threshold", minimum=0, maximum=1)


@dataclass(frozen=True)
class Smoothstep:
    """0 below ``low``, 1 above ``high``, a smooth cubic between (GLSL's ``smoothstep``)."""

    low: float = param(0.0, "at and below this: background", minimum=0, maximum=1)
    high: float = param(1.0, "at and above this: person", minimum=0, maximum=1)


@dataclass(frozen=True)
class Enlarge:
    """Bring the mask to the frame's size. Steps before it run when the model runs, those after it with every frame."""

    how: str = param("linear", "interpolation", choices=("linear", "nearest"))


@dataclass(frozen=True)
class Feather:
    """Soften with a Gaussian."""

    sigma: float | None = param(None, "standard deviation; by OpenCV's formula from the kernel", minimum=0.1, unit=PX)
    kernel: int = param(0, "width of the kernel, odd; 0: as wide as the sigma needs", minimum=0, maximum=301)
    border: str = param("mirror", _BORDER, choices=BORDERS)


@dataclass(frozen=True)
class Box:
    """Soften with a moving average."""

    size: int = param(5, "width and height of the window", minimum=1, maximum=301)
    border: str = param("mirror", _BORDER, choices=BORDERS)


@dataclass(frozen=True)
class Dilate:
    """Grow the person by a square."""

    size: int = param(5, "width and height of the square", minimum=1, maximum=101)


@dataclass(frozen=True)
class Average:
    """Exponential moving average over time: ``keep`` x the mask before + (1 - ``keep``) x the new one."""

    keep: float = param(0.5, "weight of the mask before", minimum=0, maximum=0.999)


@dataclass(frozen=True)
class Hysteresis:
    """Person above ``high``, background below ``low``; between them what the pixel was before."""

    low: float = param(0.3, "below this: background", minimum=0, maximum=1)
    high: float = param(0.7, "above this: person", minimum=0, maximum=1)


@dataclass(frozen=True)
class SharpenedEdge:
    """Find the mask's edge at 0.5 and redraw it a few pixels wide, by the mask's own screen-space gradient."""

    softness: float = param(2.0, "half the width of the edge, in pixels at a straight edge", minimum=0.1, maximum=50)


MASK_STEPS: dict[str, type] = {
    "decide": Decide,
    "smoothstep": Smoothstep,
    "enlarge": Enlarge,
    "feather": Feather,
    "box": Box,
    "dilate": Dilate,
    "average": Average,
    "hysteresis": Hysteresis,
    "edge": SharpenedEdge,
}


@dataclass(frozen=True)
class CanvasBlur:
    """CSS and canvas ``blur(N px)``: a Gaussian of sigma N; what lies outside the frame is transparent.

    The page behind the canvas is black, or the canvas is opaque: towards its borders the blurred frame darkens.
    """

    sigma: float | None = param(None, _SIGMA, minimum=0.1, unit=PX)


@dataclass(frozen=True)
class GaussianBlur:
    """OpenCV's GaussianBlur."""

    sigma: float | None = param(None, _SIGMA, minimum=0.1, unit=PX)
    kernel: int = param(0, "width of the kernel, odd; 0: as wide as the sigma needs", minimum=0, maximum=301)
    border: str = param("mirror", _BORDER, choices=BORDERS)


@dataclass(frozen=True)
class TapsBlur:
    """A shader's Gaussian of few taps on a shrunken copy, enlarged bilinearly.

    The copy is sampled, not averaged; sigma is the whole part of radius / shrink, and the kernel ends at one sigma or
    at ``most`` taps to each side.
    """

    radius: float | None = param(None, "the profile's strength where it is not given", minimum=1, unit=PX)
    shrink: int = param(4, "how many times smaller the copy is, each side", minimum=1, maximum=16)
    most: int = param(16, "most taps to each side", minimum=1, maximum=64)


@dataclass(frozen=True)
class KernelBlur:
    """Linux-Fake-Background-Webcam's two blurs, from its own setting.

    Not set (strength 0): kernel 21, sigma a third of it. Set to N: the next odd kernel from N, sigma a third of it, and
    then its blur effect of N % of 99 + 1, made odd, sigma by OpenCV's formula.
    """

    unset: int = param(21, "the kernel while the setting is 0", minimum=1, maximum=101)


BLUR_STEPS: dict[str, type] = {
    "canvas": CanvasBlur,
    "gaussian": GaussianBlur,
    "taps": TapsBlur,
    "kernels": KernelBlur,
}
