"""Simulated calls for ``bench/confidence.py``: those that the confidence is fitted on, those that test it, and nothing.

Profiles, rooms, persons and seeds of :data:`HELD_OUT`, :data:`SEEN` and :data:`FRESH` are in none of :data:`FITTED`;
the calls of :data:`EMPTY` and :data:`UNFOUND` show no room, or no one room. Photographs and persons come from
``../shared/data`` (see its README).
"""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from _composites import DATA, DEPTH, LIVING, OFFICE, Call, Product, coded, read, room

from vbtools.simulate.choice import choose
from vbtools.simulate.room import render_room
from vbtools.simulate.settings import CallSettings, Settings
from vbtools.simulate.write import simulate

HD, MIDDLE, SMALL, LEAST = (1280, 720), (960, 540), (640, 360), (320, 180)
BOOK, HELP, STUDENT = "intel_asl_book.mkv", "intel_asl_help.mkv", "intel_asl_student.mkv"
READ, BOARD, MENU = "easyocr_english.png", "jv_people-03.jpg", "mmocr_demo_text_det.jpg"
RENDERED = ""
MOTIONS = ("talking", "sway", "lean", "gesture", "walk")
FPS = 25
TIGHT = "mask=[enlarge, {feather: {sigma: 10}}, {smoothstep: {low: 0.85, high: 0.98}}]"
"""A mask that ends within the person: the edge shows nothing of the room, but the person's own rim, blurred."""
HARD = "mask=[{decide: {above: 0.5}}, enlarge, {feather: {sigma: 2}}]"
TRAILING = "mask=[{average: {keep: 0.7}}, enlarge, {feather: {sigma: 5}}]"
WIDE = "mask=[{decide: {above: 0.3}}, {dilate: {size: 3}}, enlarge, {feather: {sigma: 10}}]"
"""Masks of no product: cut at the person's edge; late; and wide and soft."""


@dataclass(frozen=True, slots=True)
class Known:
    """A call to simulate: profile and its strength (0: its own), seed, size, motion ("": a person's own), room
    (rendered if empty), person (the photographed one if empty), length in s; tight: see :data:`TIGHT`."""

    profile: str
    seed: int
    size: tuple[int, int]
    motion: str
    room: str = RENDERED
    person: str = ""
    strength: float = 0
    seconds: float = 9
    tight: bool = False
    near: float = 1
    mask: str = ""

    @property
    def name(self) -> str:
        """For tables and file names."""
        strength = "tight" if self.tight else self.strength or "own"
        return f"{self.profile}-{strength}-{self.seed}-{self.size[1]}"

    def settings(self) -> Settings:
        """What simulate is asked for; the room is as large as its photograph."""
        asked = [TIGHT] if self.tight else [self.mask] if self.mask else []
        chosen = choose(self.profile, [*asked, *([f"strength={self.strength:g}"] if self.strength else [])])
        return Settings(
            chosen, self.seed, self.seconds, self.size, FPS, self.motion or None,
            person=DATA / "clips" / self.person if self.person else None,
            background=DATA / "photos" / self.room if self.room else None, noise=1.0,
        )  # fmt: skip


STRENGTHS = {
    "gaussian": (4, 6, 8, 15, 25), "lfbw": (21, 30, 40), "shiguredo": (4, 8, 15), "jitsi": (0,), "jitsi-slight": (0,),
    "jitsi2": (0,), "livekit": (0,), "obs": (0, 6), "twilio-webgl": (0,),
}  # fmt: skip


def _varied(seed: int) -> Known:
    """A call whose profiles take turns, and of which all else is drawn by its seed."""
    draw = random.Random(seed)
    profile = tuple(STRENGTHS)[seed % len(STRENGTHS)]
    return Known(
        profile, seed, draw.choice((HD, MIDDLE, SMALL)), draw.choice(MOTIONS),
        draw.choice((RENDERED, RENDERED, OFFICE, LIVING, DEPTH)), draw.choice(("", HELP, STUDENT)),
        draw.choice(STRENGTHS[profile]), near=draw.choice((1, 1, 1.5, 2, 3)),
        mask=draw.choice(("", "", HARD, TRAILING, WIDE)),
    )  # fmt: skip


WEAK = ("gaussian", "shiguredo", "obs", "lfbw", "jitsi-slight", "gaussian")


def _weak(seed: int) -> Known:
    """The same behind a weak blur, through which much of the room is seen."""
    draw = random.Random(seed)
    profile = WEAK[seed % len(WEAK)]
    strength = {"lfbw": 21.0, "jitsi-slight": 0.0}.get(profile, round(draw.uniform(3, 8), 1))
    return Known(
        profile, seed, draw.choice((HD, HD, MIDDLE, SMALL)), draw.choice(MOTIONS),
        draw.choice((RENDERED, RENDERED, OFFICE, LIVING, DEPTH)), draw.choice(("", HELP, STUDENT)), strength,
        near=draw.choice((1, 1, 1.5, 2.5)), mask=draw.choice(("", "", "", TRAILING, WIDE)),
    )  # fmt: skip


def _lettered(seed: int) -> Known:
    """The same of a rendered room as it is: fine letters, of which a weak blur takes much away."""
    draw = random.Random(seed)
    return Known(
        ("gaussian", "shiguredo", "obs", "gaussian", "lfbw")[seed % 5], seed, draw.choice((MIDDLE, MIDDLE, SMALL, HD)),
        draw.choice(MOTIONS), RENDERED, draw.choice(("", HELP, STUDENT)),
        21 if seed % 5 == 4 else round(draw.uniform(3, 6), 1), seconds=6,
    )  # fmt: skip


FITTED = (
    Known("jitsi", 11, HD, "sway"),
    Known("jitsi-slight", 12, MIDDLE, "talking"),
    Known("livekit", 13, HD, "lean"),
    Known("lfbw", 14, HD, "sway"),
    Known("shiguredo", 15, MIDDLE, "gesture", OFFICE),
    Known("gaussian", 16, SMALL, "sway"),
    Known("obs", 17, MIDDLE, "sway", LIVING, HELP),
    Known("jitsi2", 18, MIDDLE, "lean", DEPTH, STUDENT),
    Known("twilio-webgl", 19, HD, "talking", DEPTH),
    Known("lfbw", 20, SMALL, "talking", OFFICE, HELP),
    Known("gaussian", 21, MIDDLE, "walk", "", "", 30),
    Known("livekit", 22, SMALL, "sway", LIVING, STUDENT),
    Known("gaussian", 23, HD, "", OFFICE, HELP, 5),
    Known("shiguredo", 24, HD, "talking", "", HELP, 8),
    Known("jitsi-slight", 25, SMALL, "lean", LIVING, STUDENT),
    Known("lfbw", 26, MIDDLE, "lean", DEPTH, HELP, 40),
    Known("jitsi", 27, MIDDLE, "", "", STUDENT),
    Known("gaussian", 28, MIDDLE, "talking", LIVING, "", 6),
    Known("obs", 29, HD, "talking"),
    Known("shiguredo", 30, SMALL, "walk", DEPTH, HELP),
    Known("jitsi2", 31, HD, "sway"),
    Known("livekit", 32, MIDDLE, "gesture", OFFICE),
    Known("gaussian", 33, MIDDLE, "sway", "", "", 3.5),
    Known("jitsi-slight", 34, MIDDLE, "talking", OFFICE, HELP, 4),
    Known("gaussian", 35, SMALL, "lean", "", STUDENT, 4.5),
    Known("shiguredo", 36, MIDDLE, "sway", LIVING, "", 3),
    Known("gaussian", 37, SMALL, "walk", tight=True, seconds=6),
    Known("jitsi", 38, SMALL, "lean", OFFICE, HELP, tight=True, seconds=6),
    Known("obs", 39, SMALL, "walk", LIVING, tight=True, seconds=6),
    Known("livekit", 40, MIDDLE, "sway", DEPTH, STUDENT, tight=True, seconds=6),
    Known("obs", 41, MIDDLE, "lean", tight=True, seconds=6),
    Known("jitsi", 42, HD, "talking", OFFICE, tight=True, seconds=6),
    Known("jitsi2", 43, SMALL, "sway", LIVING, "", tight=True, seconds=6),
    Known("gaussian", 44, MIDDLE, "lean", DEPTH, HELP, tight=True, seconds=6),
    Known("gaussian", 45, LEAST, "sway", seconds=4),
    Known("lfbw", 46, LEAST, "lean", OFFICE, HELP, seconds=4),
    Known("jitsi", 47, LEAST, "talking", LIVING, seconds=5),
    Known("livekit", 48, LEAST, "sway", DEPTH, STUDENT, seconds=4),
    Known("shiguredo", 49, LEAST, "gesture", "", HELP, seconds=3),
    Known("obs", 50, LEAST, "lean", LIVING, seconds=4),
    Known("jitsi2", 51, SMALL, "sway", OFFICE, STUDENT, seconds=3),
    Known("lfbw", 52, MIDDLE, "talking", LIVING, STUDENT, seconds=4),
    Known("gaussian", 53, HD, "sway", OFFICE, STUDENT, 5.5),
    Known("shiguredo", 54, HD, "lean", "", STUDENT, 6),
    Known("livekit", 55, HD, "talking", OFFICE, HELP),
    Known("twilio-webgl", 56, MIDDLE, "sway", LIVING, STUDENT),
    Known("lfbw", 57, HD, "sway", OFFICE, HELP, 30),
    Known("jitsi-slight", 58, HD, "sway", DEPTH, HELP),
    Known("gaussian", 59, SMALL, "gesture", OFFICE, "", 9),
    Known("obs", 60, MIDDLE, "sway", DEPTH, STUDENT),
    Known("lfbw", 70, HD, "talking", OFFICE, STUDENT),
    Known("lfbw", 71, HD, "lean", DEPTH, HELP),
    Known("lfbw", 72, HD, "sway", LIVING, ""),
    Known("gaussian", 73, HD, "sway", "", HELP, 5),
    Known("gaussian", 301, HD, "sway", OFFICE, "", 5, near=2.5),
    Known("lfbw", 302, MIDDLE, "lean", "", HELP, near=2),
    Known("gaussian", 303, MIDDLE, "talking", LIVING, STUDENT, 6, near=3),
    Known("lfbw", 304, HD, "sway", DEPTH, STUDENT, near=2.5),
    Known("gaussian", 305, HD, "lean", "", HELP, 4, near=3),
    Known("shiguredo", 306, MIDDLE, "sway", OFFICE, "", 5, near=2),
    Known("jitsi", 307, HD, "sway", "", HELP, near=2.5),
    Known("livekit", 308, MIDDLE, "lean", OFFICE, "", near=3),
    Known("obs", 309, HD, "walk", "", "", near=2),
    Known("obs", 310, MIDDLE, "lean", LIVING, HELP, near=2.5),
    Known("jitsi2", 311, HD, "talking", "", STUDENT, near=3),
    Known("shiguredo", 312, SMALL, "sway", DEPTH, HELP, near=2),
    Known("twilio-webgl", 313, HD, "lean", "", "", near=2.8),
    Known("jitsi-slight", 314, MIDDLE, "walk", OFFICE, STUDENT, near=2),
    Known("obs", 315, HD, "sway", "", STUDENT, near=3),
    Known("livekit", 316, SMALL, "talking", "", "", near=1.5),
    Known("gaussian", 317, HD, "walk", OFFICE, HELP, mask=HARD),
    Known("obs", 318, HD, "lean", DEPTH, STUDENT),
    Known("gaussian", 319, MIDDLE, "sway", LIVING, "", mask=TRAILING),
    Known("jitsi", 320, HD, "walk", "", STUDENT, mask=WIDE),
    Known("obs", 321, MIDDLE, "walk", "", HELP, 6, mask=TRAILING),
    Known("gaussian", 322, MIDDLE, "lean", "", STUDENT, 8, mask=WIDE),
    Known("livekit", 323, HD, "sway", DEPTH, HELP, mask=HARD),
    Known("gaussian", 324, HD, "talking", "", HELP, 7, mask=TRAILING),
    Known("obs", 325, SMALL, "sway", "", STUDENT, 6, mask=WIDE),
    Known("shiguredo", 326, HD, "walk", LIVING, HELP, mask=HARD),
    Known("obs", 327, HD, "talking", OFFICE, HELP, 6),
    Known("lfbw", 328, MIDDLE, "walk", "", STUDENT),
    *(_varied(seed) for seed in range(401, 441)),
    *(_weak(seed) for seed in range(501, 531)),
    *(_lettered(seed) for seed in range(541, 565)),
)
PLACES = (RENDERED, READ, BOARD, MENU)
TESTED = ("twilio", "backscrub", "bbb", "chime", "kaito", "volcomix")


def _drawn(seed: int) -> Known:
    """A call whose profiles take turns, and of which all else is drawn by its seed."""
    draw = random.Random(seed)
    return Known(
        TESTED[seed % len(TESTED)], seed, draw.choice((HD, MIDDLE, SMALL)),
        draw.choice(MOTIONS), draw.choice(PLACES), BOOK,
    )  # fmt: skip


def _each(seed: int) -> Known:
    """The same, but that of 24 such calls in a row each profile is before each room."""
    return replace(_drawn(seed), room=PLACES[seed // len(TESTED) % len(PLACES)])


HELD_OUT = (
    Known("twilio", 101, HD, "sway", "", BOOK),
    Known("backscrub", 102, HD, "talking", "", BOOK),
    Known("bbb", 103, MIDDLE, "lean", READ, BOOK),
    Known("chime", 104, MIDDLE, "talking", "", BOOK),
    Known("kaito", 105, HD, "sway", BOARD, BOOK),
    Known("volcomix", 106, MIDDLE, "sway", "", BOOK),
    Known("twilio", 107, SMALL, "talking", READ, BOOK),
    Known("backscrub", 108, MIDDLE, "sway", READ, BOOK),
    Known("kaito", 109, SMALL, "lean", "", BOOK),
    Known("bbb", 110, HD, "", "", BOOK),
    Known("volcomix", 111, SMALL, "talking", BOARD, BOOK),
    Known("chime", 112, HD, "lean", BOARD, BOOK),
    Known("volcomix", 113, SMALL, "walk", READ, BOOK, tight=True),
    Known("bbb", 114, MIDDLE, "sway", BOARD, BOOK, tight=True),
    Known("kaito", 115, SMALL, "lean", "", BOOK, tight=True),
    Known("twilio", 116, MIDDLE, "talking", READ, BOOK, tight=True),
    Known("twilio", 121, HD, "lean", MENU, BOOK),
    Known("backscrub", 122, HD, "sway", "", BOOK),
    Known("bbb", 123, HD, "talking", "", BOOK),
    Known("chime", 124, HD, "sway", MENU, BOOK),
    Known("kaito", 125, MIDDLE, "talking", "", BOOK),
    Known("volcomix", 126, HD, "lean", MENU, BOOK),
    Known("twilio", 127, MIDDLE, "sway", BOARD, BOOK),
    Known("backscrub", 128, MIDDLE, "lean", MENU, BOOK),
    Known("kaito", 129, HD, "walk", READ, BOOK),
    Known("bbb", 130, SMALL, "sway", BOARD, BOOK),
    Known("chime", 131, SMALL, "talking", "", BOOK),
    Known("volcomix", 132, MIDDLE, "walk", "", BOOK),
    *(_drawn(seed) for seed in (*range(141, 159), *range(161, 185))),
)
SEEN = tuple(_each(seed) for seed in range(600, 624))
FRESH = tuple(_each(seed) for seed in range(700, 724))
"""Each profile before each room, made only once the trees were chosen: :data:`HELD_OUT` and :data:`SEEN` were looked at
before."""


def made(known: Known) -> Call:
    """The call, and its room."""
    with tempfile.TemporaryDirectory() as folder:
        settings = known.settings()
        if known.near > 1:
            settings = replace(settings, background=_near(known, Path(folder)))
        simulate(Path(folder), settings)
        background = cv2.imread(f"{folder}/background.png")[..., ::-1]
        return Call(known.name, read(Path(folder) / "blurred.mp4"), np.ascontiguousarray(background))


def _near(known: Known, folder: Path) -> Path:
    """A piece of the call's room, enlarged to the whole, as a file."""
    if known.room:
        whole = _cut(cv2.imread(str(DATA / "photos" / known.room))[..., ::-1], HD)
    else:
        whole = render_room(*HD, known.seed).background.astype(np.float32)
    width, height = (round(side / known.near) for side in HD)
    rng = np.random.default_rng(known.seed)
    x, y = int(rng.integers(HD[0] - width + 1)), int(rng.integers(HD[1] - height + 1))
    large = cv2.resize(whole[y : y + height, x : x + width], HD, interpolation=cv2.INTER_CUBIC)
    place = folder / "room.png"
    cv2.imwrite(str(place), np.clip(np.rint(large), 0, 255).astype(np.uint8)[..., ::-1])
    return place


STILL, WALL, LABELS, PICTURE, VIRTUAL, ROOMS, NOISE = (
    "still person, excluded blur", "plain wall", "plain wall, overlays", "sharp picture", "wall, replaced",
    "another room per frame", "noise",
)  # fmt: skip
OVERLAYS = ("label", "clock", "watermark")


@dataclass(frozen=True, slots=True)
class Empty:
    """A call that shows nothing of a room, or of no one room; fields as of :class:`Known`."""

    kind: str
    profile: str
    seed: int
    size: tuple[int, int]
    motion: str
    room: str = RENDERED
    person: str = ""
    seconds: float = 7

    @property
    def name(self) -> str:
        """For tables and file names."""
        return f"{self.kind}, {self.profile}-{self.seed}-{self.size[1]}"


EMPTY = (
    Empty(STILL, "obs", 201, HD, "still"),
    Empty(STILL, "volcomix", 202, MIDDLE, "still", LIVING),
    Empty(STILL, "obs", 203, SMALL, "still", OFFICE),
    Empty(STILL, "volcomix", 204, HD, "still", READ),
    Empty(WALL, "livekit", 205, HD, "sway"),
    Empty(WALL, "jitsi", 206, SMALL, "talking", "", BOOK),
    Empty(WALL, "lfbw", 207, MIDDLE, "lean", "", HELP),
    Empty(WALL, "shiguredo", 208, HD, "", "", BOOK),
    Empty(WALL, "obs", 209, MIDDLE, "gesture"),
    Empty(LABELS, "livekit", 210, HD, "talking", "", BOOK),
    Empty(LABELS, "jitsi", 211, MIDDLE, "sway"),
    Empty(LABELS, "lfbw", 212, HD, "lean"),
    Empty(LABELS, "backscrub", 213, SMALL, "sway", "", HELP),
    Empty(LABELS, "volcomix", 214, MIDDLE, "", "", STUDENT),
    Empty(PICTURE, "gaussian", 215, HD, "sway", LIVING),
    Empty(PICTURE, "gaussian", 216, SMALL, "talking", OFFICE, BOOK),
    Empty(PICTURE, "gaussian", 217, MIDDLE, "lean", READ, HELP),
    Empty(VIRTUAL, "shiguredo", 218, HD, "sway", OFFICE, BOOK),
    Empty(VIRTUAL, "jitsi", 219, MIDDLE, "talking", LIVING),
    Empty(VIRTUAL, "twilio", 220, SMALL, "lean", DEPTH, HELP),
    Empty(ROOMS, "gaussian", 221, HD, "sway"),
    Empty(ROOMS, "gaussian", 222, MIDDLE, "talking", "", BOOK),
    Empty(ROOMS, "gaussian", 223, SMALL, "lean", "", STUDENT),
    Empty(NOISE, "gaussian", 224, SMALL, "sway"),
    Empty(NOISE, "gaussian", 225, HD, "talking", "", BOOK),
)

UNFOUND = (
    Empty(LABELS, "livekit", 61, MIDDLE, "lean", "", STUDENT),
    Empty(LABELS, "gaussian", 62, SMALL, "sway", "", HELP),
    Empty(NOISE, "gaussian", 63, MIDDLE, "lean", "", HELP),
    Empty(NOISE, "gaussian", 64, HD, "sway", "", STUDENT),
    Empty(ROOMS, "gaussian", 65, MIDDLE, "sway", "", HELP),
    Empty(VIRTUAL, "lfbw", 66, SMALL, "sway", LIVING, STUDENT),
    Empty(WALL, "obs", 67, MIDDLE, "talking", "", STUDENT),
    Empty(WALL, "obs", 68, HD, "gesture", "", HELP),
    Empty(WALL, "livekit", 69, SMALL, "sway", "", STUDENT),
    Empty(WALL, "obs", 331, MIDDLE, "gesture", "", HELP),
    Empty(WALL, "obs", 332, SMALL, "lean", "", ""),
    Empty(WALL, "shiguredo", 333, MIDDLE, "", "", STUDENT),
    Empty(WALL, "obs", 334, HD, "", "", HELP),
    Empty(LABELS, "jitsi", 335, HD, "lean", "", ""),
    Empty(LABELS, "obs", 336, MIDDLE, "sway", "", HELP),
    Empty(ROOMS, "gaussian", 337, MIDDLE, "lean", "", STUDENT),
    Empty(ROOMS, "gaussian", 338, HD, "talking", "", ""),
    Empty(ROOMS, "gaussian", 339, SMALL, "gesture", "", HELP),
    Empty(NOISE, "gaussian", 340, MIDDLE, "talking", "", STUDENT),
)
"""Calls that show nothing, of other seeds and persons than :data:`EMPTY`: the trees are fitted on these too."""


def nothing(empty: Empty) -> Call:
    """The call; its room is None."""
    rng = np.random.default_rng(empty.seed)
    walled = empty.kind in {WALL, LABELS, VIRTUAL, ROOMS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cv2.imwrite(str(folder / "wall.png"), _wall(rng)[..., ::-1])
        settings = Known(
            empty.profile, empty.seed, empty.size, empty.motion, empty.room, empty.person, seconds=empty.seconds
        ).settings()
        if walled:
            settings = replace(settings, background=folder / "wall.png")
        if empty.kind == LABELS:
            settings = replace(settings, call=CallSettings(overlays=OVERLAYS))
        simulate(folder, settings)
        if empty.kind in {STILL, WALL, LABELS}:
            return Call(empty.name, read(folder / "blurred.mp4"), None)
        clean = read(folder / "clean.mkv")
        if empty.kind == PICTURE:
            return Call(empty.name, coded(list(clean)), None)
        if empty.kind == VIRTUAL:
            mask = read(folder / "mask.mkv", "gray")[..., None] / np.float32(255)
            picture = _cut(cv2.imread(str(DATA / "photos" / empty.room))[..., ::-1], empty.size)
            replaced = [m * frame + (1 - m) * picture for m, frame in zip(mask, clean, strict=True)]
            return Call(empty.name, coded([np.rint(frame).astype(np.uint8) for frame in replaced]), None)
        alpha = read(folder / "alpha.mkv", "gray")[..., None] / np.float32(255)
        if empty.kind == NOISE:
            shown = [_noisy(frame, a, rng) for a, frame in zip(alpha, clean, strict=True)]
        else:
            wall = cv2.imread(str(folder / "background.png"))[..., ::-1].astype(np.float32)
            shown = _among_rooms(clean, alpha, wall, empty.size, rng)
        return Call(empty.name, coded(shown), None)


def _wall(rng: np.random.Generator) -> np.ndarray:
    """A wall in a light that falls off, (720, 1280, 3) uint8."""
    across = np.linspace(0, rng.uniform(-50, 50), HD[0])[None, :, None]
    down = np.linspace(0, rng.uniform(-40, 40), HD[1])[:, None, None]
    return np.clip(rng.uniform(110, 190, 3) + across + down, 0, 255).astype(np.uint8)


def _cut(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The middle of a picture at a size (width, height), float32."""
    scale = max(size[0] / picture.shape[1], size[1] / picture.shape[0])
    large = cv2.resize(picture, None, fx=scale + 1e-3, fy=scale + 1e-3, interpolation=cv2.INTER_AREA)
    y, x = (large.shape[0] - size[1]) // 2, (large.shape[1] - size[0]) // 2
    return large[y : y + size[1], x : x + size[0]].astype(np.float32)


def _noisy(frame: np.ndarray, alpha: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The person before noise, grains of some px."""
    grain = cv2.GaussianBlur(rng.normal(0, 1, frame.shape).astype(np.float32), (0, 0), 1.5)
    noise = 128 + 25 * grain / grain.std()
    return np.clip(np.rint(alpha * frame + (1 - alpha) * noise), 0, 255).astype(np.uint8)


def _among_rooms(
    clean: np.ndarray, alpha: np.ndarray, wall: np.ndarray, size: tuple[int, int], rng: np.random.Generator
) -> list[np.ndarray]:
    """The person before another room in every frame, blurred."""
    rooms = [_cut(room(photo, seed), size) for photo in (OFFICE, LIVING, DEPTH) for seed in range(4, 8)]
    product, shown = Product(15 * size[1] / 720), []
    for frame, a in zip(clean, alpha, strict=True):
        behind = np.roll(rooms[int(rng.integers(len(rooms)))], int(rng.integers(size[0])), axis=1)
        before = frame + (1 - a) * (behind - wall)
        shown.append(product(np.clip(np.rint(before), 0, 255).astype(np.uint8)))
    return shown
