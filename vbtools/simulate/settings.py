"""What is to be simulated: the scene, the camera, the product, the call. Nothing heavy is imported here."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from pathlib import Path

from vbtools.errors import UsageError, nearest
from vbtools.simulate.motion import MOTIONS
from vbtools.simulate.profile import Profile, profile

CAMERAS = ("fixed", "handheld")
CODECS = {"h264": ".mp4", "vp8": ".webm", "vp9": ".mp4"}
"""The call's codecs, and the suffix of its file: an MP4 file cannot hold VP8."""
OVERLAYS = ("label", "clock", "watermark", "title")
DEFAULT_SIZE, DEFAULT_FPS, DEFAULT_SECONDS, DEFAULT_MOTION = (1280, 720), 25.0, 10.0, "sway"
SMALLEST, LARGEST = 64, 4096  # px, each side
FASTEST = 120.0  # frames a second
LOUDEST, WIDEST_DRIFT, MOST_DROPPED = 30.0, 0.5, 0.9


@dataclass(frozen=True, slots=True)
class CallSettings:
    """How the call is sent.

    Attributes:
        codec: a key of :data:`CODECS`.
        bit_rate: bit/s; by the size, 1.2 Mbit/s at 720p, where it is not given.
        size: width and height of the call, px, both even; the camera's where it is not given.
        fps: frames a second, at most the camera's; the camera's where it is not given.
        dropped: share of the frames that do not arrive.
        overlays: what is drawn over it, names of :data:`OVERLAYS`.
    """

    codec: str = "h264"
    bit_rate: int | None = None
    size: tuple[int, int] | None = None
    fps: float | None = None
    dropped: float = 0.0
    overlays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """What is to be simulated.

    Attributes:
        profile: a name of ``vbtools.simulate.profile.PROFILES``, or a profile.
        seed: decides about room, seat, movement, noise and drops; 0 or more.
        seconds: length of the call; 10 s, or the whole of a clip, where it is not given.
        size: width and height of the camera's frames, px, both even; 1280x720, or a clip's own, where it is not given.
        fps: frames a second of the camera; 25, or a clip's own, where it is not given.
        motion: a name of ``vbtools.simulate.motion.MOTIONS``; sway, or still for a person who moves by itself.
        clip: a clean recording of a person before a fixed camera, instead of person, background and motion.
        person: a green-screen clip, a clip before a plain wall, or a cut-out; the photographed person where not given.
        background: a photograph of a room; a rendered room where it is not given.
        chart: whether the rendered room is the test chart.
        camera: a name of :data:`CAMERAS`.
        noise: standard deviation of the camera's noise, levels of 255.
        drift: largest relative change of the camera's exposure.
        call: how the call is sent.
        muted: (from, to) in s: the camera is off, nothing is sent, and the product begins anew afterwards.
        fails: (from, to) in s: the segmentation model gives no answer.
    """

    profile: str | Profile = "gaussian"
    seed: int = 0
    seconds: float | None = None
    size: tuple[int, int] | None = None
    fps: float | None = None
    motion: str | None = None
    clip: Path | None = None
    person: Path | None = None
    background: Path | None = None
    chart: bool = False
    camera: str = "fixed"
    noise: float = 0.0
    drift: float = 0.0
    call: CallSettings = field(default_factory=CallSettings)
    muted: tuple[tuple[float, float], ...] = ()
    fails: tuple[tuple[float, float], ...] = ()

    def check(self) -> None:
        """Raise UsageError for what makes no sense."""
        self.chosen_profile()
        self._check_numbers()
        self._check_names()
        if self.clip is not None:
            for name in ("motion", "person", "background"):
                if getattr(self, name) is not None:
                    raise UsageError(f"--{name} cannot be given with --clip", "The clip holds all of the scene")
            if self.chart or self.camera != "fixed":
                raise UsageError("--chart and --camera cannot be given with --clip", "The clip holds all of the scene")
        if self.chart and self.background is not None:
            raise UsageError("--chart and --background exclude each other", "Give one of them")
        for name in ("muted", "fails"):
            for begin, end in getattr(self, name):
                if not 0 <= begin < end:
                    raise UsageError(f"--{name} cannot be {begin:g}-{end:g}", "Give seconds from and to: 2-3.5")

    def chosen_profile(self) -> Profile:
        """The profile.

        Raises:
            UsageError: there is no such profile.
        """
        return profile(self.profile) if isinstance(self.profile, str) else self.profile

    def _check_numbers(self) -> None:
        if self.seconds is not None and not (math.isfinite(self.seconds) and self.seconds > 0):
            raise UsageError(f"simulate cannot make a call of {self.seconds:g} seconds", "Give more than 0")
        for fps in (self.fps, self.call.fps):
            if fps is not None and not (math.isfinite(fps) and 0 < fps <= FASTEST):
                raise UsageError(f"simulate cannot make {fps:g} frames a second", f"Give at most {FASTEST:g}")
        for size in (self.size, self.call.size):
            if size is not None and any(side % 2 or not SMALLEST <= side <= LARGEST for side in size):
                raise UsageError(
                    f"simulate cannot make frames of {size[0]}x{size[1]}",
                    f"Both sides must be even, from {SMALLEST} to {LARGEST}: --size 1280x720",
                )
        if self.seed < 0:
            raise UsageError(f"simulate cannot use the seed {self.seed}", "Give 0 or more")
        limits = {
            "--noise": (self.noise, LOUDEST), "--drift": (self.drift, WIDEST_DRIFT),
            "--dropped": (self.call.dropped, MOST_DROPPED),
        }  # fmt: skip
        for option, (value, most) in limits.items():
            if not 0 <= value <= most:
                raise UsageError(f"{option} cannot be {value:g}", f"Give 0 to {most:g}")
        if self.call.bit_rate is not None and self.call.bit_rate < 1000:
            raise UsageError(f"--bitrate cannot be {self.call.bit_rate / 1000:g} kbit/s", "Give at least 1")

    def _check_names(self) -> None:
        given = [("motion", self.motion, MOTIONS), ("camera", self.camera, CAMERAS), ("codec", self.call.codec, CODECS)]
        given += [("overlay", name, OVERLAYS) for name in self.call.overlays]
        for what, name, valid in given:
            if name is not None and name not in valid:
                raise UsageError(f"simulate has no {what} '{name}'", nearest(name, tuple(valid)))


@dataclass(frozen=True, slots=True)
class CallFrame:
    """One frame of the call: which of the camera's frames it shows (None: none of them), and when, s."""

    source: int | None
    time_s: float


def call_frames(count: int, fps: float, settings: Settings, title_s: float) -> list[CallFrame]:
    """Which of the camera's frames the call shows, in order.

    Args:
        count: how many frames the camera gives.
        fps: of the camera.
        settings: the call's frame rate, drops and mutes.
        title_s: how long a title card is shown before the first.
    """
    rate = min(settings.call.fps or fps, fps)
    chance = random.Random(f"drops {settings.seed}")
    shown = [CallFrame(None, index / rate) for index in range(round(title_s * rate))]
    for index in range(max(1, math.ceil(count * rate / fps - 1e-9))):
        source = math.floor(index * fps / rate + 1e-6)
        dropped = chance.random() < settings.call.dropped
        if source >= count or within(source / fps, settings.muted) or (dropped and index):
            continue
        shown.append(CallFrame(source, title_s + source / fps))
    return shown


def within(time_s: float, spans: tuple[tuple[float, float], ...]) -> bool:
    """Whether an instant lies in one of some spans (from, to), the end exclusive."""
    return any(begin <= time_s < end for begin, end in spans)
