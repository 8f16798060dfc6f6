"""From the settings to a scene that can be filmed: which person, before what, seen by which camera."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbtools import models
from vbtools.backends import backend
from vbtools.backends.picture import read_cut_out, read_picture
from vbtools.errors import InputError, UsageError
from vbtools.simulate.camera import Handheld
from vbtools.simulate.canvas import TextLine, Thing
from vbtools.simulate.chart import Chart, render_chart
from vbtools.simulate.matte import Screen, backing, clean_plate, from_segmenter
from vbtools.simulate.motion import Path as MotionPath
from vbtools.simulate.person import MODEL, Person, cut_out, photograph
from vbtools.simulate.recording import Reader, Recording, fitted
from vbtools.simulate.room import Room, render_room
from vbtools.simulate.scene import PHOTOGRAPHED, HandheldScene, PersonInRoom, Scene, Stand
from vbtools.simulate.settings import DEFAULT_FPS, DEFAULT_MOTION, DEFAULT_SECONDS, DEFAULT_SIZE, Settings

U8 = NDArray[np.uint8]

MATTE_MODEL = "selfie-landscape"
FRAME_ROWS = 720
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True, slots=True)
class Stage:
    """A scene with all that is known of it.

    Attributes:
        scene: gives the frames.
        size: width and height, px.
        fps: frames a second.
        count: how many frames.
        texts, things: what is in the background, in px of the frame.
        known: (H, W) bool: where the background is known; None where all of it is.
        models: which models had a part in the truth.
        told: what the truth says about scene and camera, plain JSON.
        path: how the person moves; None for a clip.
        camera: the hand-held camera, if it is one.
    """

    scene: Scene
    size: tuple[int, int]
    fps: float
    count: int
    texts: tuple[TextLine, ...] = ()
    things: tuple[Thing, ...] = ()
    known: NDArray[np.bool_] | None = None
    models: frozenset[str] = frozenset()
    told: dict[str, Any] = field(default_factory=dict)
    path: MotionPath | None = None
    camera: Handheld | None = None


class ClipScene:
    """A clean recording of a person before a fixed camera: its frames as they are, with an estimated alpha.

    Args:
        recording: the clip.
        size: width and height to bring its frames to.
        segmenter: gives (H, W) uint8 person probability x 255.
    """

    def __init__(self, recording: Recording, size: tuple[int, int], segmenter: Callable[[U8], U8]) -> None:
        plate = clean_plate([fitted(frame, size) for _, frame in recording.samples], segmenter)
        recording.samples.clear()
        self.background, self.known = plate.background, plate.known
        self._reader = Reader(recording, size)
        self._segmenter = segmenter

    def frame(self, time_s: float) -> tuple[U8, U8]:
        """See :class:`Scene`; times must not go back."""
        frame = self._reader.at(time_s)
        alpha = from_segmenter(frame, self._segmenter(frame))
        return frame, np.rint(alpha * 255).astype(np.uint8)


def set_stage(settings: Settings, stack: ExitStack) -> Stage:
    """Prepare what the settings ask for; models are closed with ``stack``.

    Raises:
        InputError: a recording or picture cannot be used.
        MissingDependencyError: mediapipe, scikit-image or a model is not installed.
    """
    if settings.clip is not None:
        return _clip_stage(settings, settings.clip, stack)
    size = settings.size or DEFAULT_SIZE
    camera = Handheld(size, settings.seed) if settings.camera == "handheld" else None
    x, y = camera.margin if camera else (0, 0)
    room, chart, where = _room(settings, (size[0] + 2 * x, size[1] + 2 * y))
    person, stand, who, fps, used = _person(settings, stack)
    motion = settings.motion or ("still" if callable(person) else DEFAULT_MOTION)
    path = MotionPath(motion, settings.seed)
    scene: Scene = PersonInRoom(person, room, path, settings.seed, stand)
    if camera is not None:
        scene = HandheldScene(scene, camera)
    texts, things = _moved(room, (x, y), size)
    fps = settings.fps or fps
    told = {"person": who, "background": where, "alpha": {"estimated": False}}
    if chart is not None:
        told["chart"] = chart.told()
    count = max(1, round((settings.seconds or DEFAULT_SECONDS) * fps))
    return Stage(scene, size, fps, count, texts, things, None, used, told, path, camera)


def _clip_stage(settings: Settings, clip: Path, stack: ExitStack) -> Stage:
    recording = Recording(clip)
    size, fps = settings.size or recording.size, settings.fps or recording.fps
    if min(size) < 2:
        raise InputError(f"'{clip}' is only {size[0]}x{size[1]} px", "Give a larger recording")
    scene = ClipScene(recording, size, _segmenter(MATTE_MODEL, stack))
    longest = max(1, round(recording.seconds * fps))
    count = longest if settings.seconds is None else min(longest, max(1, round(settings.seconds * fps)))
    told = {
        "person": {"kind": "clip", "file": clip.name},
        "background": {
            "kind": "clip", "file": clip.name, "estimated": True,
            "known_pct": round(100 * float(scene.known.mean()), 2),
        },
        "alpha": {"estimated": True, "by": MATTE_MODEL},
    }  # fmt: skip
    return Stage(scene, size, fps, count, (), (), scene.known, frozenset({MATTE_MODEL}), told)


def _room(settings: Settings, size: tuple[int, int]) -> tuple[Room, Chart | None, dict[str, Any]]:
    """The empty room: rendered, the chart, or a photograph."""
    if settings.background is not None:
        photo = fitted(read_picture(settings.background), size)
        return Room(photo, (), ()), None, {"kind": "photograph", "file": settings.background.name, "estimated": False}
    if settings.chart:
        room, chart = render_chart(*size, settings.seed)
        return room, chart, {"kind": "chart", "estimated": False}
    return render_room(*size, settings.seed), None, {"kind": "room", "estimated": False}


def _person(
    settings: Settings, stack: ExitStack
) -> tuple[Person | Callable[[float], Person], Stand, dict[str, Any], float, frozenset[str]]:
    """The person, how it stands, what is told of it, its frames a second, and the models that cut it out."""
    file = settings.person
    if file is None:
        with backend("segment", "mediapipe").load()(models.resolve(MODEL)) as segmenter:
            person = cut_out(photograph(), segmenter)
        return person, PHOTOGRAPHED, {"kind": "photograph"}, DEFAULT_FPS, frozenset({MODEL})
    if file.suffix.lower() in PICTURES:
        cut = read_cut_out(file)
        if cut is not None:
            person = _trimmed(Person(*cut), file)
            stand = Stand(scale=0.92 * FRAME_ROWS / person.alpha.shape[0], sunk_px=2)
            return person, stand, {"kind": "cut-out", "file": file.name}, DEFAULT_FPS, frozenset()
    recording = Recording(file)
    segmenter = _segmenter(MATTE_MODEL, stack)
    behind = backing([frame for _, frame in recording.samples], segmenter)
    recording.samples.clear()
    is_screen = isinstance(behind, Screen)
    reader = Reader(recording)

    def at(time_s: float) -> Person:
        frame = reader.at(time_s)
        return behind.cut_out(frame, None if is_screen else segmenter(frame))

    stand = Stand(scale=FRAME_ROWS / recording.size[1], sunk_px=0, aside_px=0)
    who = {"kind": "screen" if is_screen else "wall", "file": file.name}
    used = frozenset() if is_screen else frozenset({MATTE_MODEL})
    return at, stand, who, recording.fps, used


def _trimmed(person: Person, file: Path) -> Person:
    """A cut-out without the empty margin around it."""
    rows, columns = np.nonzero(person.alpha.max(axis=1))[0], np.nonzero(person.alpha.max(axis=0))[0]
    if not rows.size:
        raise InputError(f"'{file}' is transparent everywhere", "Give a cut-out with a person in it")
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Person(np.ascontiguousarray(person.rgb[part]), np.ascontiguousarray(person.alpha[part]))


def _segmenter(name: str, stack: ExitStack) -> Any:
    return stack.enter_context(backend("segment", "mediapipe").load()(models.resolve(name)))


def _moved(
    room: Room, margin: tuple[int, int], size: tuple[int, int]
) -> tuple[tuple[TextLine, ...], tuple[Thing, ...]]:
    """What is in a room, in px of a frame that leaves out a margin; what lies outside is left out."""
    x, y = margin

    def inside(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        x0, y0, x1, y1 = box[0] - x, box[1] - y, box[2] - x, box[3] - y
        return max(0, min(x0, size[0])), max(0, min(y0, size[1])), max(0, min(x1, size[0])), max(0, min(y1, size[1]))

    texts = (TextLine(t.text, t.cap_px, inside(t.box), t.kind, t.angle) for t in room.texts)
    things = (Thing(t.name, inside(t.box)) for t in room.things)
    return tuple(t for t in texts if _has_area(t.box)), tuple(t for t in things if _has_area(t.box))


def _has_area(box: tuple[int, int, int, int]) -> bool:
    return box[2] > box[0] and box[3] > box[1]


def check_call(stage: Stage, frames: int) -> None:
    """Refuse a call in which no frame of the camera is left.

    Raises:
        UsageError: so it is.
    """
    if not frames:
        raise UsageError(
            f"no frame of {stage.count / stage.fps:.2f} s is left to be sent", "Mute less, or give more --seconds"
        )
