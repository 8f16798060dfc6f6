"""The steps from which a product's mask and blur are put together: their parameters. Nothing heavy is imported here.

A mask step turns the model's person probability into the opacity by which the frame lies over its blurred copy; a blur
step turns the frame into that copy. What they compute is in ``masks`` and ``blurs``, one entry for each class here.
"""

from __future__ import annotations

from dataclasses import dataclass

from vbtools.config.params import ParameterError, param

PX = "px"
"""Unit of lengths that scale with the frame where a profile has ``rows``."""


def _check_odd(owner: str, name: str, value: int) -> None:
    if value and value % 2 == 0:
        raise ParameterError(f"{owner}.{name} cannot be {value}", "It must be odd", (name,))


def _check_order(owner: str, low: float, high: float) -> None:
    if low > high:
        raise ParameterError(f"{owner}.low cannot be {low:g}", f"It must be at most high, {high:g}", ("low",))


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

    def __post_init__(self) -> None:
        _check_order("smoothstep", self.low, self.high)


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

    def __post_init__(self) -> None:
        _check_odd("feather", "kernel", self.kernel)
        if self.sigma is None and not self.kernel:
            raise ParameterError("feather has neither sigma nor kernel", "Give one of them: {feather: {sigma: 8}}", ())


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

    def __post_init__(self) -> None:
        _check_order("hysteresis", self.low, self.high)


@dataclass(frozen=True)
class SharpenedEdge:
    """Find the mask's edge at 0.5 and redraw it a few pixels wide, by the mask's own screen-space gradient."""

    softness: float = param(2.0, "half the width of the edge, in pixels at a straight edge", minimum=0.1, maximum=50)


@dataclass(frozen=True)
class KeepOut:
    """The blur keeps out the person, as the mask says here; without this step the whole frame is blurred."""


@dataclass(frozen=True)
class Snap:
    """Enlarge the mask softened, and unsoftened where the frame has an edge (Jitsi Meet's second engine)."""

    reach: float = param(32.0, "reach of the 3x3 binomial taps, rounded to pixels of the mask", minimum=0, unit=PX)
    low: float = param(0.05, "luma gradient, 0 to 1, at which the mask begins to snap", minimum=0, maximum=1)
    high: float = param(0.2, "luma gradient from which it is not softened at all", minimum=0, maximum=1)

    def __post_init__(self) -> None:
        _check_order("snap", self.low, self.high)


@dataclass(frozen=True)
class JointBilateral:
    """Enlarge the mask along the frame's edges: MediaPipe's joint bilateral filter, as Volcomix' shader has it."""

    sigma_space: float = param(1.0, "in pixels of the mask", minimum=0.1, maximum=16)
    sigma_color: float = param(0.1, "distance of colours of 0 to 1 a channel", minimum=0.001, maximum=2)


@dataclass(frozen=True)
class TwoPassBilateral:
    """Enlarge the mask along the frame's edges in a horizontal and a vertical pass (Twilio's shader)."""

    sigma_space: float = param(8.0, "in pixels of the mask", minimum=1, maximum=16)
    sigma_color: float = param(0.1, "distance of colours of 0 to 1 a channel", minimum=0.001, maximum=2)


@dataclass(frozen=True)
class Guided:
    """Enlarge the mask by a guided filter: its coefficients from a shrunken luma, applied to the frame's own."""

    shrink: int = param(4, "how many times smaller the guide is, each side", minimum=1, maximum=16)
    size: int = param(17, "width of the box windows, px of the shrunken guide", minimum=3, maximum=101)
    eps: float = param(1e-4, "regulariser, for a guide of 0 to 1", minimum=1e-9, maximum=1)


@dataclass(frozen=True)
class Gamma:
    """Raise the mask to a power."""

    power: float = param(1.0, "above 1 the person shrinks", minimum=0.1, maximum=10)


@dataclass(frozen=True)
class Decay:
    """Remember three bits of the background: new & 0xE0 | old >> 3, of 255 for background (backscrub)."""


@dataclass(frozen=True)
class Contours:
    """Background is what its outer contours enclose, if that is much of the picture (OBS background removal)."""

    least: float = param(0.05, "share of the picture below which a region is the person's", minimum=0, maximum=1)


@dataclass(frozen=True)
class StackMask:
    """Soften with OpenCV's stackBlur."""

    size: int = param(9, "width of the kernel, odd", minimum=3, maximum=101)

    def __post_init__(self) -> None:
        _check_odd("stack", "size", self.size)


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
    "keep_out": KeepOut,
    "snap": Snap,
    "joint_bilateral": JointBilateral,
    "two_pass_bilateral": TwoPassBilateral,
    "guided": Guided,
    "gamma": Gamma,
    "decay": Decay,
    "contours": Contours,
    "stack": StackMask,
}
TO_FRAME = ("enlarge", "snap", "joint_bilateral", "two_pass_bilateral", "guided")
"""Steps that bring a mask from the model's size to the frame's."""


@dataclass(frozen=True)
class CanvasBlur:
    """CSS and canvas ``blur(N px)``: a Gaussian of sigma N; what lies outside the frame is transparent.

    So the blurred frame thins towards its borders, and what the page draws below shows through.
    """

    sigma: float | None = param(None, _SIGMA, minimum=0.1, unit=PX)
    whole: bool = param(False, "whether the sigma is rounded to a whole number")
    below: str = param(
        "black", "what shows through at the borders: a black page, a white one, nothing (colours divided by opacity)",
        choices=("black", "white", "nothing"),
    )  # fmt: skip


@dataclass(frozen=True)
class GaussianBlur:
    """OpenCV's GaussianBlur."""

    sigma: float | None = param(None, _SIGMA, minimum=0.1, unit=PX)
    kernel: int = param(0, "width of the kernel, odd; 0: as wide as the sigma needs", minimum=0, maximum=301)
    border: str = param("mirror", _BORDER, choices=BORDERS)

    def __post_init__(self) -> None:
        _check_odd("gaussian", "kernel", self.kernel)


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


@dataclass(frozen=True)
class OddKernelBlur:
    """OpenCV's GaussianBlur with sigma by its formula, 0.3 ((kernel - 1) / 2 - 1) + 0.8."""

    kernel: int = param(0, "odd; 0: the profile's strength, made odd", minimum=0, maximum=301)

    def __post_init__(self) -> None:
        _check_odd("odd_kernel", "kernel", self.kernel)


@dataclass(frozen=True)
class BoxBlur:
    """A moving average."""

    size: int = param(0, "width and height of the window; 0: the profile's strength", minimum=0, maximum=301)
    border: str = param("clamp", _BORDER, choices=BORDERS)


@dataclass(frozen=True)
class StackBlur:
    """Klingemann's StackBlur, a triangle of the radius; what stands in for the canvas filter in Safari."""

    radius: int = param(0, "0: the profile's strength", minimum=0, maximum=150)


@dataclass(frozen=True)
class NineTapsBlur:
    """Passes of a nine-tap Gaussian on a shrunken copy; kept-out pixels are replaced by the middle one (Volcomix)."""

    shrink: int = param(2, "how many times smaller the copy is, each side", minimum=1, maximum=16)
    passes: int = param(0, "vertical and horizontal passes; 0: the profile's strength", minimum=0, maximum=50)


@dataclass(frozen=True)
class KawaseBlur:
    """Kawase's blur: the i-th pass averages four samples i + 0.5 px away on both diagonals (OBS background removal).

    A kept-out sample is replaced by the middle pixel, and a pixel that is wholly kept out stays as it is.
    """

    passes: int = param(0, "0: the profile's strength", minimum=0, maximum=50)


@dataclass(frozen=True)
class DualKawaseBlur:
    """Bjorge's dual filter: down a pyramid with five taps, up again with eight."""

    levels: int = param(0, "halvings; 0: the profile's strength", minimum=0, maximum=8)


BLUR_STEPS: dict[str, type] = {
    "canvas": CanvasBlur,
    "gaussian": GaussianBlur,
    "taps": TapsBlur,
    "kernels": KernelBlur,
    "odd_kernel": OddKernelBlur,
    "box": BoxBlur,
    "stack": StackBlur,
    "nine_taps": NineTapsBlur,
    "kawase": KawaseBlur,
    "dual_kawase": DualKawaseBlur,
}
