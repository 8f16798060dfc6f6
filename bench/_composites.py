"""Calls whose room is known, for bench/: a keyed man before photographed rooms with words, through a model product.

Everything comes from ``../shared/data`` (see its README) and stays in memory.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from vbtools.backends.aggregate import leak
from vbtools.stages import stage
from vbtools.stages.base import Job
from vbtools.stages.segment import masks_of

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SIZE = (720, 1280)
FPS = 25
BIT_RATE = 1_200_000
WORDS = (
    "SERVER ROOM", "Budget 2031", "Gate 17 Kestrel", "PIN 4482", "Maple Street", "Invoice", "Prof. Adler",
    "wifi: blueheron", "Quarterly", "NORTHWIND", "Call Marta", "Ticket 90311", "Sensor", "Harbour view",
    "DO NOT ENTER", "calendar",
)  # fmt: skip
U8 = np.ndarray


def read(path: Path, form: str = "rgb24") -> U8:
    """All frames of a video."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format=form) for frame in container.decode(video=0)])


def coded(frames: list[U8]) -> U8:
    """The frames after H.264 at 1.2 Mbit/s."""
    held = io.BytesIO()
    with av.open(held, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.bit_rate, stream.options = "yuv420p", BIT_RATE, {"preset": "veryfast"}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    held.seek(0)
    with av.open(held) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def segmenter() -> Any:
    """MediaPipe's landscape model, and the square one where that misses the person: the default of segment."""
    from vbtools.backends.segment.mediapipe import MediaPipeSegmenter
    from vbtools.backends.segment.second_look import SecondLook
    from vbtools.models import resolve

    return SecondLook(
        MediaPipeSegmenter(resolve("selfie-landscape")), lambda: MediaPipeSegmenter(resolve("selfie-square"))
    )


def room(photo: str, seed: int) -> U8:
    """A photograph cut to the frame, with words pasted in."""
    picture = cv2.imread(str(DATA / "photos" / photo))
    height, width = SIZE
    scale = max(width / picture.shape[1], height / picture.shape[0])
    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    y, x = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    picture = picture[y : y + height, x : x + width].copy()
    rng = np.random.default_rng(seed)
    for word in rng.permutation(WORDS)[:12]:
        scale, font = float(rng.choice([0.5, 0.7, 1, 1.4, 2, 2.6])), int(rng.choice([0, 2, 3]))
        thick = max(1, int(scale * 1.6))
        (long, tall), below = cv2.getTextSize(word, font, scale, thick)
        x, y = int(rng.integers(150, max(151, width - 150 - long))), int(rng.integers(90, height - 150))
        dark = rng.random() < 0.3
        paper, ink = (rng.integers(20, 70), rng.integers(190, 250)) if dark else (220, rng.integers(10, 60))
        cv2.rectangle(picture, (x - 8, y - tall - 8), (x + long + 8, y + below + 6), (int(paper),) * 3, -1)
        cv2.putText(picture, word, (x, y), font, scale, (int(ink),) * 3, thick, cv2.LINE_AA)
    return picture[..., ::-1].copy()


@dataclass
class Product:
    """A product's blur: the mask from MediaPipe on 256x144, feathered, perhaps smoothed over time; a Gaussian."""

    sigma: float
    feather: float = 6
    ema: float = 0.0
    steps: tuple[float, float] = (0.0, 1.0)
    excluded: bool = False
    threshold: float = 0.0
    dilate: int = 0
    _mask: U8 | None = None
    _model: Any = field(default_factory=segmenter)

    def __call__(self, frame: U8) -> U8:
        mask = self._model(cv2.resize(frame, (256, 144))).astype(np.float32) / 255
        if self.threshold:
            mask = (mask > self.threshold).astype(np.float32)
        if self._mask is not None:
            mask = self.ema * self._mask + (1 - self.ema) * mask
        self._mask = mask
        mask = cv2.resize(mask, frame.shape[1::-1])
        if self.dilate:
            side = 2 * self.dilate + 1
            mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
        mask = cv2.GaussianBlur(mask, (0, 0), self.feather)
        if self.steps != (0.0, 1.0):
            step = np.clip((mask - self.steps[0]) / (self.steps[1] - self.steps[0]), 0, 1)
            mask = step * step * (3 - 2 * step)
        mask = mask[..., None]
        sharp = frame.astype(np.float32)
        kept = (1 - mask) if self.excluded else np.ones_like(mask)
        weight = cv2.GaussianBlur(kept[..., 0], (0, 0), self.sigma)[..., None]
        blurred = cv2.GaussianBlur(sharp * kept, (0, 0), self.sigma) / np.maximum(weight, 1e-2)
        return np.clip(np.rint(mask * sharp + (1 - mask) * blurred), 0, 255).astype(np.uint8)


@dataclass
class Man:
    """The keyed man of scene_books: (T, H, W, 3) frames and (T, H, W) alpha."""

    frames: U8
    alpha: U8

    @classmethod
    def load(cls) -> Man:
        books = DATA / "vendor" / "scene_books"
        return cls(read(books / "clean.mkv"), read(books / "alpha.mkv", "gray"))

    def before(
        self, background: U8, t: int, *, mirrored: bool = False, scale: float = 1.0, aside: float = 0.0,
        path: float = 0.0, tint: tuple[float, float, float] = (1, 1, 1),
    ) -> U8:  # fmt: skip
        """Frame ``t`` of him before a background (H, W, 3): (H, W, 3) float32."""
        person, alpha = self.frames[t], self.alpha[t]
        if mirrored:
            person, alpha = person[:, ::-1], alpha[:, ::-1]
        x = (1 - scale) * SIZE[1] / 2 + aside + path * np.sin(2 * np.pi * t / 97)
        y = (1 - scale) * SIZE[0] + 0.2 * path * np.sin(2 * np.pi * t / 61)
        move = np.array([[scale, 0, x], [0, scale, y]], np.float32)
        person = cv2.warpAffine(np.ascontiguousarray(person), move, SIZE[::-1], borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpAffine(np.ascontiguousarray(alpha), move, SIZE[::-1])[..., None].astype(np.float32) / 255
        person = np.clip(person * np.array(tint, np.float32), 0, 255)
        return alpha * person + (1 - alpha) * background


@dataclass
class Call:
    """A call as it arrives, and its room (None: there is nothing to find)."""

    name: str
    frames: U8
    room: U8 | None


OFFICE, LIVING, DEPTH = "twilio_office.jpg", "twilio_living_room.jpg", "depthanything_demo10.jpg"
SCENES: dict[str, tuple[str, int, dict[str, Any], dict[str, Any]]] = {
    "office, whole 25": (OFFICE, 1, {"sigma": 25, "feather": 8}, {}),
    "living room, whole 15": (
        LIVING, 2, {"sigma": 15, "feather": 4, "ema": 0.5}, {"mirrored": True, "tint": (1.25, 0.9, 0.8)},
    ),
    "hall, whole 5": (DEPTH, 3, {"sigma": 5}, {"scale": 0.9, "aside": -90}),
    "office, excluded 8": (
        OFFICE, 4, {"sigma": 8, "feather": 5, "excluded": True}, {"mirrored": True, "aside": 80, "path": 60},
    ),
    "hall, excluded 20": (
        DEPTH, 5, {"sigma": 20, "ema": 0.75, "excluded": True, "steps": (0.1, 0.5)},
        {"path": 50, "tint": (0.8, 1.1, 1.3)},
    ),
    "living room, whole 6": (
        LIVING, 6, {"sigma": 6, "threshold": 0.75, "dilate": 5, "feather": 4, "ema": 0.5}, {"path": 40, "scale": 1.1},
    ),
}  # fmt: skip
"""Room, seed, product, and how the man is put before it."""
NOTHING = (
    "still person, excluded blur", "overlays only", "replaced background", "another room per frame", "noise only",
)  # fmt: skip


def call(name: str, man: Man, frames: int = 225) -> Call:
    """One of :data:`SCENES`."""
    photo, seed, product, pose = SCENES[name]
    background, shown, rng = room(photo, seed), Product(**product), np.random.default_rng(seed)
    made = [shown(_filmed(man.before(background, t, **pose), rng)) for t in range(frames)]
    return Call(name, coded(made), background)


def nothing(name: str, man: Man, frames: int = 150) -> Call:
    """One of :data:`NOTHING`: a call that shows nothing of a room, or of no one room."""
    rng = np.random.default_rng(7)
    ramp = np.linspace(130, 180, SIZE[1])[None, :, None] + np.linspace(10, -20, SIZE[0])[:, None, None]
    wall = np.repeat(ramp, 3, axis=2).astype(np.float32)
    product = Product(15, ema=0.75, excluded=True) if name.startswith("still") else Product(15)
    many = [
        np.roll(room(photo, seed), shift, axis=1)
        for photo in (OFFICE, LIVING, DEPTH) for seed in range(4) for shift in (0, 171, 389)
    ] if name.startswith("another") else []  # fmt: skip
    background: Any = room(OFFICE, 31) if name.startswith("still") else room(DEPTH, 32) if "replaced" in name else wall
    made = []
    for t in range(frames):
        if name.startswith("noise"):
            made.append(np.clip(rng.normal(128, 25, (*SIZE, 3)), 0, 255).astype(np.uint8))
            continue
        if many:
            background = many[int(rng.integers(len(many)))]
        frame = _filmed(man.before(background, 100 if name.startswith("still") else t), rng)
        frame = frame if "replaced" in name else product(frame)
        made.append(_labelled(frame) if name.startswith("overlays") else frame)
    return Call(name, coded(made), None)


def _filmed(frame: U8, rng: np.random.Generator) -> U8:
    return np.clip(np.rint(frame + rng.normal(0, 1, frame.shape)), 0, 255).astype(np.uint8)


def _labelled(frame: U8) -> U8:
    cv2.rectangle(frame, (24, 640), (260, 690), (20, 20, 20), -1)
    for text, at in (("Anna Berg", (36, 676)), ("WEBCALL PRO", (1010, 60)), ("12:30", (600, 40))):
        cv2.putText(frame, text, at, cv2.FONT_HERSHEY_SIMPLEX, 1, (240, 240, 240), 2, cv2.LINE_AA)
    return frame


class Memory:
    """A call as a stage reads a project."""

    def __init__(self, made: Call) -> None:
        count = len(made.frames)
        with segmenter() as person:
            masks = np.concatenate(list(masks_of(person, made.frames)))
        self._held = {
            "frames": made.frames, "time": np.arange(count) / FPS, "person": masks,
            "transform": np.repeat(np.eye(2, 3)[None], count, axis=0), "used": np.ones(count, np.uint8),
        }  # fmt: skip

    def has(self, _: str, name: str) -> bool:
        """Whether there is such an element."""
        return name in self._held

    def dataset(self, _: str, name: str) -> np.ndarray:
        """An element."""
        return self._held[name]

    array = dataset


def recovered(made: Call) -> leak.Recovered:
    """What the edge gives away of a call."""
    params = stage("aggregate").parameters({"method": "leak"})
    return leak.recover(Job(params, Memory(made), None))  # type: ignore[arg-type]
