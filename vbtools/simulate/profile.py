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
    shrink: str = param("linear", "how the frame is shrunk for the model", choices=("linear", "area"))
    every: int = param(1, "the model runs on every n-th frame", minimum=1, maximum=100)
    delay: int = param(0, "frames by which the mask is late", minimum=0, maximum=100)
    mask: Steps = param((), "from the model's probability to the mask, in order", choices=tuple(MASK_STEPS))
    strength: float = param(0.0, "the blur, in the product's own unit", minimum=0, maximum=1000)
    blur: Steps = param((), "from the frame to its blurred copy, in order", choices=tuple(BLUR_STEPS))
    person: str = param(
        "whole", "whether the whole frame is blurred, or the person is kept out of it", choices=("whole", "excluded")
    )
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
        strength=25, mask=_CANVAS_MASK, blur=["canvas"],
        not_modelled="the timer of 30 ticks a second, which repeats or skips frames of another rate",
    ),
    _row(
        "jitsi-slight", "as jitsi, canvas blur 8",
        "Jitsi Meet, first engine, 'slight blur': JitsiStreamBackgroundEffect.ts (blurValue 8)",
        "blurValue, canvas px",
        strength=8, mask=_CANVAS_MASK, blur=["canvas"],
        not_modelled="the timer of 30 ticks a second, which repeats or skips frames of another rate",
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
        not_modelled="StackBlur, which stands in for the canvas filter in Safari",
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
