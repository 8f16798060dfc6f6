"""How products blur: one declarative row each, with the source of its values. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vbtools.config.params import ParameterError, Step, Steps, build, param, specs, to_json
from vbtools.errors import UsageError, nearest
from vbtools.simulate.steps import BLUR_STEPS, MASK_STEPS

STEP_TABLES: dict[str, dict[str, type[Any]]] = {"mask": MASK_STEPS, "blur": BLUR_STEPS}
INPUTS = {"selfie-landscape": (256, 144), "selfie-square": (256, 256)}
"""Width and height of the picture that each model takes, px."""


@dataclass(frozen=True)
class Scheme:
    """What a product does to a frame. Every value can be overridden; see ``docs/simulate.md``."""

    model: str = param("selfie-landscape", "the segmentation model, by its name in the catalog", choices=tuple(INPUTS))
    shrink: str = param("linear", "how the frame is shrunk for the model", choices=("linear", "area", "nearest"))
    view: str = param(
        "whole", "what the model sees: the whole frame, or the middle that has the model's shape",
        choices=("whole", "centre"),
    )  # fmt: skip
    denoise: bool = param(False, "whether the model's picture is calmed by a bilateral filter")
    every: int = param(1, "the model runs on every n-th frame", minimum=1, maximum=100)
    gate: float = param(
        0.0, "the model does not run while the frame is nearer than this to the last one it saw; 0: it always runs",
        minimum=0, maximum=100, unit="dB",
    )  # fmt: skip
    delay: int = param(
        0, "frames by which the mask is late; all is blurred until the first is there", minimum=0, maximum=100
    )
    mask: Steps = param((), "from the model's probability to the mask, in order", choices=tuple(MASK_STEPS))
    strength: float = param(0.0, "the blur, in the product's own unit", minimum=0, maximum=1000)
    blur: Steps = param((), "from the frame to its blurred copy, in order", choices=tuple(BLUR_STEPS))
    rows: int = param(
        0, "lengths in px are those at this height of the frame, and scale with it; 0: they do not", minimum=0
    )
    raw_frames: int = param(0, "frames that pass raw at the start and after unmuting", minimum=0, maximum=10_000)
    failing: str = param(
        "hold", "while the model fails: the mask before is held, frames pass raw, or all is blurred",
        choices=("hold", "raw", "closed"),
    )  # fmt: skip
    raw_after: int = param(0, "frames of failure after which frames pass raw; 0: never", minimum=0, maximum=10_000)


@dataclass(frozen=True)
class Profile:
    """One row of the table.

    Attributes:
        name: as the user types it.
        summary: one line for help and documents.
        source: the product, its version, and the files that the values were read in.
        setting: what the product calls its strength, and the unit; the default is the scheme's ``strength``.
        scheme: the values, every default filled in.
        not_modelled: what the product does besides; empty where nothing is known.
    """

    name: str
    summary: str
    source: str
    setting: str
    scheme: Scheme
    not_modelled: str = ""

    def values(self) -> dict[str, Any]:
        """Everything as plain JSON, in declaration order."""
        told = {"name": self.name, "summary": self.summary, "source": self.source, "setting": self.setting}
        return told | to_json(self.scheme) | {"not_modelled": self.not_modelled}


def scheme(values: Mapping[str, Any], base: Scheme | None = None) -> Scheme:
    """A scheme from given values; what is not given is as in ``base``, or has its default.

    Raises:
        ParameterError: with the path of the wrong key or value: ``("mask", position, step, option)`` for a step's.
    """
    given = build(Scheme, values, "profile")
    changed = {spec.name: getattr(given, spec.name) for spec in specs(Scheme) if spec.name in values}
    made = replace(base or Scheme(), **changed)
    return replace(made, mask=_steps("mask", made.mask), blur=_steps("blur", made.blur))


def _steps(key: str, steps: Steps) -> Steps:
    """The steps with every option checked and every default filled in."""
    found = []
    for position, step in enumerate(steps):
        try:
            options = build(STEP_TABLES[key][step.name], step.options, f"profile.{key}.{step.name}")
        except ParameterError as error:
            raise ParameterError(
                error.fact, error.hint, (key, position, step.name, *error.path), at_key=error.at_key
            ) from error
        found.append(Step(step.name, to_json(options)))
    return tuple(found)


def _row(name: str, summary: str, source: str, setting: str, *, not_modelled: str = "", **values: Any) -> Profile:
    return Profile(name, summary, source, setting, scheme(values), not_modelled)


_CANVAS_MASK = ["enlarge", {"feather": {"sigma": 8, "border": "transparent"}}]
_TIMER = "the timer of 30 ticks a second, which repeats or skips frames of another rate"
_TWILIO_MASK = [{"hysteresis": {"low": 80.5 / 255, "high": 179.5 / 255}}, "two_pass_bilateral"]
_TWILIO_FILES = (
    "Twilio video-processors 3.2.0: constants.ts (blur 15, mask blur 8, hysteresis 80 and 180),"
    " InputFrameDownscaleStage (pixelated), PostProcessingStage, SinglePassBilateralFilterStage"
)

_ROWS = (
    _row(
        "gaussian", "whole frame, Gaussian; 256x144 mask, feathered, no memory from frame to frame",
        "a plain stand-in: the scheme of Jitsi Meet's first engine with a medium blur, as in Twilio's canvas and Amazon"
        " Chime's middle strength",
        "sigma, px at 720 rows",
        strength=15, mask=["enlarge", {"feather": {"sigma": 8}}], blur=["gaussian"], rows=720,
    ),
    _row(
        "jitsi", "whole frame, canvas blur 25; mask blurred by 8 px, no memory",
        "Jitsi Meet, first engine: JitsiStreamBackgroundEffect.ts (256x144, blur(8px) on the mask, blurValue 25)",
        "blurValue, canvas px",
        strength=25, mask=_CANVAS_MASK, blur=["canvas"], not_modelled=_TIMER,
    ),
    _row(
        "jitsi-slight", "as jitsi, canvas blur 8",
        "Jitsi Meet, first engine, 'slight blur': JitsiStreamBackgroundEffect.ts (blurValue 8)",
        "blurValue, canvas px",
        strength=8, mask=_CANVAS_MASK, blur=["canvas"], not_modelled=_TIMER,
    ),
    _row(
        "jitsi2", "whole frame, canvas blur 25; mask of every 2nd frame, averaged, softened but at edges of the frame",
        "Jitsi Meet, second engine: BackgroundFrameProcessor.ts (EMA 0.75, TFLite tier: every 2nd frame, edges 0.10 to"
        " 0.50, feather 32 px; raw until the first mask and after 30 failures), WebGLCompositor.ts (3x3 taps, snapping"
        " to luma edges of 0.05 to 0.20)",
        "blurValue, canvas px",
        strength=25, every=2, raw_frames=1, raw_after=30,
        mask=[{"average": {"keep": 0.75}}, "snap", {"smoothstep": {"low": 0.1, "high": 0.5}}],
        blur=[{"canvas": {"below": "nothing"}}],
        not_modelled="how many frames pass raw while the model loads (the machine's affair; one here); the GPU tiers:"
        " every=1, mask.snap.reach=20, mask.smoothstep.low=0.28, mask.smoothstep.high=0.65",
    ),
    _row(
        "bbb", "whole frame, canvas blur 25; mask blurred by 8 px, no memory",
        "BigBlueButton: virtual-background/index.js (blur 25 px, blur(8px) on the mask, 256x144 model)",
        "canvas px",
        strength=25, mask=_CANVAS_MASK, blur=["canvas"],
        not_modelled="its own 144- and 96-row models: MediaPipe's landscape model stands in; " + _TIMER,
    ),
    _row(
        "twilio", "whole frame, canvas blur 15; hysteresis, two-pass bilateral mask",
        _TWILIO_FILES + ", GaussianBlurBackgroundProcessorPipeline (canvas filter)",
        "blurFilterRadius, canvas px",
        shrink="nearest", strength=15, mask=_TWILIO_MASK, blur=["canvas"],
        not_modelled="deferred downscaling, which makes the mask one frame late (--set delay=1); a page that"
        " keeps the colours at the borders, as Twilio's published pictures do: --set blur.canvas.edges=kept",
    ),
    _row(
        "twilio-webgl", "as twilio, Gaussian 15 cut at 15 taps (effective sigma 8.3), where the canvas has no filter",
        _TWILIO_FILES + ", SinglePassGaussianBlurFilterStage (radius 15 taps)",
        "blurFilterRadius, px",
        shrink="nearest", strength=15, mask=_TWILIO_MASK, blur=[{"taps": {"shrink": 1, "most": 64}}],
    ),
    _row(
        "livekit", "whole frame, quarter resolution, few taps; binary mask, box 17, sharpened edge",
        "LiveKit track-processors 0.7.2 and 0.8.1: BackgroundTransformer.ts (category mask of the square selfie model,"
        " first frame raw), webgl/index.ts (box radius 8, a quarter of the size), blurShader.ts (at most 16 taps),"
        " compositeShader.ts (edge softness 2); default radius 10",
        "blurRadius, px",
        model="selfie-square", strength=10, raw_frames=1,
        mask=["enlarge", "decide", {"box": {"size": 17, "border": "clamp"}}, "edge"], blur=["taps"],
    ),
    _row(
        "chime", "whole frame, canvas blur 15 at 540 rows; the model's soft mask, all blurred until it is there",
        "Amazon Chime SDK 3.20: BackgroundBlurProcessorProvided.ts (256x144, fails closed), BackgroundBlurStrength.ts"
        " (7, 15 or 30 x height / 540, rounded)",
        "blurStrength, px at 540 rows",
        strength=15, mask=["enlarge"], blur=[{"canvas": {"whole": True}}], rows=540, failing="closed",
        not_modelled="skipping the model under load (--set every=2)",
    ),
    _row(
        "volcomix", "person kept out, 3 passes of 9 taps at half size; joint bilateral mask, coverage 0.5 to 0.75",
        "Volcomix virtual-background: jointBilateralFilterStage.ts (sigma 1 and 0.1), backgroundBlurStage.ts (9 taps,"
        " scale 0.5, 3 passes, coverage 0.5-0.75)",
        "passes of nine taps at half size",
        shrink="linear", strength=3,
        mask=["joint_bilateral", "keep_out", {"smoothstep": {"low": 0.5, "high": 0.75}}], blur=["nine_taps"],
        not_modelled="Google Meet's own model: MediaPipe's landscape model stands in",
    ),
    _row(
        "obs", "person kept out, Kawase 10; mask of 0.5, 15 % of the one before, contours, stack blur, 0.5 again",
        "OBS background removal: background-filter.cpp (threshold 0.5, temporal 0.85, contour filter 5 %, smooth"
        " contour 0.5, no update while PSNR > 35 dB over 4 channels: 33.75 dB over 3), kawase_blur.effect (mask-aware);"
        " the blur is off unless set",
        "blur_background, passes",
        strength=10, gate=33.75,
        mask=[
            {"decide": {"above": 0.497}}, {"average": {"keep": 0.15}}, "contours", "stack", "enlarge",
            {"decide": {"above": 0.4975}}, "keep_out",
        ],
        blur=["kawase"],
        not_modelled="its own model file (MediaPipe's landscape model stands in); the tick of OBS, by which a mask can"
        " be a frame late",
    ),
    _row(
        "kaito", "whole frame, dual Kawase; guided filter at a quarter size, 75 % of the mask before, gamma 2.5",
        "kaito live-backgroundremoval-lite: RenderingContext.cpp, main.effect, PluginProperty.hpp (256x144, guided"
        " filter 17 and 1e-4 on a quarter size, time average 0.25, gamma 2.5, bounds -25 dB, motion threshold -40 dB)",
        "blurSize, halvings",
        strength=3, gate=40, delay=2,
        mask=[
            "guided", {"average": {"keep": 0.75}}, {"gamma": {"power": 2.5}},
            {"smoothstep": {"low": 0.0562, "high": 0.9438}},
        ],
        blur=["dual_kawase"],
        not_modelled="the weights of its dual Kawase (Bjorge's are used) and its default size; its int8 model; motion"
        " is measured on all channels and against the last frame that the model saw",
    ),
    _row(
        "backscrub", "whole frame, OpenCV kernel 25 (sigma 4.1); mask of 0.65, 3 bits of memory, box 5, one frame late",
        "backscrub: libbackscrub.cc (256x256 model on the frame's middle square, bilateral 5/100/100, threshold 0.65,"
        " val & 0xE0 | out >> 3, blur 5x5), deepseg.cc (asynchronous mask, bgblur 25)",
        "bgblur, kernel in px",
        model="selfie-square", view="centre", denoise=True, delay=1, raw_frames=1, strength=25,
        mask=[{"decide": {"above": 0.65}}, "decay", "enlarge", {"box": {"size": 5}}], blur=["odd_kernel"],
        not_modelled="ML Kit's selfie model (MediaPipe's square one stands in); a mask later than one frame on a slow"
        " machine (--set delay=2)",
    ),
    _row(
        "lfbw", "whole frame, OpenCV Gaussian of kernel 21; hard mask, dilated by 5, box 10, half trailing",
        "Linux-Fake-Background-Webcam: lfbw.py (category mask at 256 x 256 H/W, Gaussian 7, threshold 75 %, dilate 5,"
        " blur 10, mask-update-speed 50 %; blur kernel 21 where it is not set, else the kernel and the blur effect)",
        "blur=N of --background; 0: not set",
        shrink="area", strength=0,
        mask=[
            "decide", "enlarge", {"feather": {"kernel": 7}}, {"decide": {"above": 0.75}}, "dilate",
            {"box": {"size": 10}}, "average",
        ],
        blur=["kernels"],
    ),
    _row(
        "shiguredo", "whole frame, canvas blur 15; the model's soft mask as it is",
        "@shiguredo/virtual-background 2023.2.0: virtual_background.ts (selfie landscape model, source-in and"
        " destination-over on one canvas, filter blur(blurRadius px)); the blur is off unless set, 20 in its sample",
        "blurRadius, canvas px",
        strength=15, mask=["enlarge"], blur=["canvas"],
        not_modelled="Safari, where StackBlur stands in for the canvas filter (--set 'blur=[stack]')",
    ),
)  # fmt: skip

PROFILES: dict[str, Profile] = {row.name: row for row in _ROWS}
"""The one table; a new product is one row."""


def profile(name: str) -> Profile:
    """Find a row.

    Raises:
        UsageError: there is no such profile.
    """
    if name not in PROFILES:
        raise UsageError(f"simulate has no profile '{name}'", nearest(name, tuple(PROFILES)))
    return PROFILES[name]
