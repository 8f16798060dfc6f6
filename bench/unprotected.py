"""How many planted failures of a blur are found, and how often one is claimed where there is none.

    python bench/unprotected.py [--data ../shared/data] [--seconds 600] [--only positives|negatives] [--seed N]
        [--keep DIR]

Everything is 640x360 at 30 fps and goes through H.264 at bit rates, key frame distances and noise of many kinds.

Planted: raw frames at the start and in the middle (1 to 12 of them); a mask that for some frames takes a part of the
room for the person, beside the person or away from it; a second person and a chair, blurred with the room, that the
mask takes in. Of each it is told whether one of its frames was marked with a region that lies on what was shown. What
shows nothing (a patch of plain wall) is not planted: the picture there has to differ from its blur by 6 grey levels.
``--seed`` plants the first two kinds in ten other calls: two people, five rooms, blurs from sigma 4 at 640x360 on.

Not to be claimed: real products' calls, real people who gesture, made-up calls in which somebody walks in, comes near,
waves and leaves, people who walk through the room behind, labels, clocks and watermarks.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.backends.video import VideoWriter, open_video
from vbtools.ops.call import LONG_SIDE, Call, CallFinder

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Blur = Callable[[U8], U8]

SIZE = (640, 360)
FPS = 30
VENDORS = ("shiguredo15", "livekit50", "lfbw_blur40", "lfbw21")
MASK = (256, 144)
"""Products' masks have this size (vendors.md)."""
SHOWS = 6.0
"""Grey levels of difference between the room and its blur (standard deviation) from which a patch shows something."""
ENCODES = (
    {"bit_rate": 400_000, "gop": 60}, {"bit_rate": 150_000, "gop": 30}, {"bit_rate": 800_000, "gop": 250},
    {"crf": 23, "gop": 90}, {"crf": 32, "gop": 30}, {"bit_rate": 250_000, "gop": 300},
)  # fmt: skip
HIT = 0.3
"""A region is a planted one if they share so much of the smaller one."""
SPILLED = 3
"""Frames; an encoder predicts neighbours of a raw frame from it, so that they show some of it too."""
NOISES = (0.0, 1.5, 3.0)
FURTHER: tuple[tuple[str, float | str], ...] = (
    ("sigma 4", 4.0), ("jitsi-slight", "jitsi-slight"), ("sigma 4 again", 4.0), ("twilio", "twilio"),
    ("sigma 5", 5.0), ("bbb", "bbb"), ("sigma 8", 8.0), ("obs", "obs"), ("sigma 4 too", 4.0), ("chime", "chime"),
)  # fmt: skip
"""Blurs of the calls that ``--seed`` makes: sigma in px, or a profile of simulate's."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A failure: frames ``first`` to ``last``, and the box (x, y, width, height) of what it showed."""

    kind: str
    first: int
    last: int
    box: tuple[int, int, int, int]


@dataclass(slots=True)
class Clip:
    """A call, frame by frame, and what was planted into it (complete when the frames have been taken)."""

    name: str
    frames: Iterator[U8]
    planted: list[Planted] = field(default_factory=list)


# ----------------------------------------------------------------------------------------------------------- material


@dataclass(frozen=True, slots=True)
class People:
    """Cut-out people: ``(T, 360, 640, 3)`` uint8 RGB and ``(T, 360, 640)`` uint8 alpha."""

    rgb: U8
    alpha: U8

    def at(self, t: int) -> tuple[U8, U8]:
        """Frame ``t`` of an endless there and back."""
        i = there_and_back(t, len(self.rgb))
        return self.rgb[i], self.alpha[i]


def there_and_back(t: int, length: int) -> int:
    """Place ``t`` on a way from 0 to ``length - 1`` and back, for ever."""
    t %= 2 * length - 2
    return t if t < length else 2 * length - 2 - t


def read(path: Path, *, crop: bool = False, most: int | None = None) -> U8:
    """A recording's frames at :data:`SIZE`; ``crop`` cuts 4:3 to 16:9 instead of squeezing it."""
    frames = []
    with open_video(path) as video:
        for frame in islice(video.frames(), most):
            pixels = frame.rgb()
            if crop:
                height = pixels.shape[1] * SIZE[1] // SIZE[0]
                top = (pixels.shape[0] - height) // 2
                pixels = pixels[top : top + height]
            frames.append(cv2.resize(pixels, SIZE, interpolation=cv2.INTER_AREA))
    return np.stack(frames)


def vendor_person(data: Path) -> People:
    """The person of the vendors' scene with the true alpha."""
    scene = data / "vendor" / "scene_books"
    return People(read(scene / "clean.mkv"), np.ascontiguousarray(read(scene / "alpha.mkv")[..., 0]))


def rooms(data: Path) -> list[U8]:
    """Photographs of rooms at :data:`SIZE`."""
    names = ("twilio_office", "twilio_living_room", "depthanything_demo10")
    pictures = [cv2.imread(str(data / "photos" / f"{name}.jpg"))[..., ::-1] for name in names]
    return [cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA) for picture in pictures]


def masks(frames: U8) -> U8:
    """Person alpha of real frames, by MediaPipe."""
    from vbtools.backends.segment.mediapipe import MediaPipeSegmenter
    from vbtools.models import resolve

    with MediaPipeSegmenter(resolve("selfie-landscape")) as segmenter:
        return np.stack([cv2.resize(segmenter(frame), SIZE, interpolation=cv2.INTER_LINEAR) for frame in frames])


def gaussian(sigma: float) -> Blur:
    """The whole frame blurred; sigma in px."""
    return lambda frame: cv2.GaussianBlur(frame, (0, 0), sigma)


def of_profile(name: str) -> Blur:
    """A simulated product's own blur."""
    from vbtools.simulate.product import Product as Simulated
    from vbtools.simulate.profile import profile

    return Simulated(profile(name).scheme, SIZE[1]).blurred


class Product:
    """A product: a mask at 256x144, feathered and smoothed in time, over the whole frame blurred."""

    def __init__(self, blur: float | Blur, feather: float = 1.5, hold: float = 0.4) -> None:
        self.blur = blur if callable(blur) else gaussian(blur)
        self.feather, self.hold = feather, hold
        self._mask: F32 | None = None

    def __call__(self, clean: U8, alpha: U8, shown: U8 | None = None) -> U8:
        """The frame as it is sent; ``shown`` (uint8, 255) is taken for the person at once, without smoothing."""
        mask = cv2.GaussianBlur(cv2.resize(alpha, MASK, interpolation=cv2.INTER_AREA), (0, 0), self.feather)
        mask = mask.astype(np.float32) / 255
        self._mask = mask if self._mask is None else self.hold * self._mask + (1 - self.hold) * mask
        full = cv2.resize(self._mask, SIZE, interpolation=cv2.INTER_LINEAR)
        if shown is not None:
            full = np.maximum(full, shown.astype(np.float32) / 255)
        return mixed(self.blur(clean), clean, full)


def mixed(below: U8, above: U8, alpha: F32) -> U8:
    """``above`` over ``below``; alpha 0-1."""
    a = alpha[..., None]
    return (below + a * (above.astype(np.float32) - below) + 0.5).astype(np.uint8)


def placed(person: tuple[U8, U8], dx: float, scale: float, *, flip: bool = False) -> tuple[U8, U8]:
    """The person ``dx`` px to the right, enlarged about the lower edge's middle."""
    rgb, alpha = (part[:, ::-1] for part in person) if flip else person
    w, h = SIZE
    move = np.array([[scale, 0, (1 - scale) * w / 2 + dx], [0, scale, (1 - scale) * h]], np.float32)
    rgb = cv2.warpAffine(np.ascontiguousarray(rgb), move, SIZE, borderMode=cv2.BORDER_REPLICATE)
    return rgb, cv2.warpAffine(np.ascontiguousarray(alpha), move, SIZE)


def over(room: U8, person: tuple[U8, U8]) -> U8:
    """The person before the room."""
    return mixed(room, person[0], person[1].astype(np.float32) / 255)


# ---------------------------------------------------------------------------------------------------------- positives


def blob(rng: np.random.Generator, clean: U8, blurred: U8, person: U8, beside: bool) -> U8 | None:
    """A soft-edged ellipse of 60 to 150 px that shows something, beside the person or away from them; or None."""
    w, h = SIZE
    high = np.abs(clean.astype(np.float32) - blurred).mean(axis=2)
    for _ in range(200):
        a, b = (int(v) for v in rng.integers(30, 75, 2))
        cx, cy = int(rng.integers(a, w - a)), int(rng.integers(b, h - b))
        shape = cv2.ellipse(np.zeros((h, w), np.uint8), (cx, cy), (a, b), 0, 0, 360, 255, -1)
        inside = shape > 0
        covered = float((person[inside] > 128).mean())
        if (0 < covered < 0.4) != beside or (covered > 0) != beside:
            continue
        if np.sqrt((high[inside & (person < 20)] ** 2).mean()) >= SHOWS:
            return cv2.GaussianBlur(shape, (0, 0), 3)
    return None


def box_of(shape: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Bounding box of what is true."""
    x, y, width, height = cv2.boundingRect(shape.astype(np.uint8))
    return x, y, width, height


WHOLE = (0, 0, *SIZE)


def vendor_failures(name: str, blurred: U8, clean: U8, alpha: U8, seed: int, start: bool) -> Clip:
    """A product's own call with its scene's clean frames cut in, whole and in part."""
    rng = np.random.default_rng(seed)
    clip = Clip(f"{name} {seed}", iter(()))

    def make() -> Iterator[U8]:
        at, kinds = (0 if start else 45), ["raw" if start else "unmuted", "mask", "patch", "unmuted", "mask", "patch"]
        events: dict[int, tuple[str, int]] = {}
        for kind in kinds:
            length = int(rng.choice([1, 1, 2, 4, 8, 12]))
            events[at] = (kind, length)
            at += length + int(rng.integers(40, 60))
        shape: U8 | None = None
        last = -1
        for t in range(at):
            i = there_and_back(t, len(blurred))
            if t in events:
                kind, length = events[t]
                whole = np.full(SIZE[::-1], 255, np.uint8)
                part = kind in ("mask", "patch")
                shape = blob(rng, clean[i], blurred[i], alpha[i], kind == "mask") if part else whole
                last = t + length - 1
                if shape is not None:
                    box = box_of(shape > 128)
                    clip.planted.append(Planted(kind, t, last, box))
            showing = shape if t <= last else None
            yield blurred[i] if showing is None else mixed(blurred[i], clean[i], showing.astype(np.float32) / 255)

    clip.frames = make()
    return clip


def chair(seed: int) -> tuple[U8, U8]:
    """A chair's back with a pattern, ``(130, 90)``: RGB and alpha."""
    rng = np.random.default_rng(seed)
    picture = np.empty((130, 90, 3), np.uint8)
    picture[:] = rng.integers(40, 200, 3)
    for x in range(6, 90, 12):
        cv2.line(picture, (x, 0), (x, 130), [int(v) for v in rng.integers(0, 255, 3)], 4, cv2.LINE_AA)
    alpha = np.zeros((130, 90), np.uint8)
    cv2.rectangle(alpha, (0, 0), (89, 80), 255, -1)
    for x in (5, 80):
        cv2.rectangle(alpha, (x, 80), (x + 7, 129), 255, -1)
    return picture, alpha


def second_person(people: People, room: U8, sigma: float, seed: int) -> Clip:
    """Somebody behind, blurred with the room, whom the mask takes in for some frames."""
    rng = np.random.default_rng(seed)
    clip = Clip(f"second person {seed}", iter(()))
    side, offset = (1 if rng.integers(2) else -1), int(rng.integers(200, 260))

    def make() -> Iterator[U8]:
        product = Product(sigma)
        starts = {60: int(rng.choice([1, 2, 6])), 130: int(rng.choice([3, 10, 20]))}
        until = -1
        for t in range(200):
            behind = placed(people.at(t // 2 + 70), side * offset + 0.2 * t, 0.55, flip=True)
            front = placed(people.at(t), -side * 50, 1.0)
            clean = over(over(room, behind), front)
            uncovered = cv2.subtract(behind[1], front[1])
            if t in starts:
                until = t + starts[t] - 1
                clip.planted.append(Planted("second person", t, until, box_of(uncovered > 128)))
            yield product(clean, front[1], uncovered if t <= until else None)

    clip.frames = make()
    return clip


def moved_chair(people: People, room: U8, sigma: float, seed: int) -> Clip:
    """A chair of the room that is moved, and that the mask takes in while it is."""
    rng = np.random.default_rng(seed)
    clip = Clip(f"chair {seed}", iter(()))
    picture, alpha = chair(seed)

    def make() -> Iterator[U8]:
        product = Product(sigma)
        x, top = float(rng.integers(20, 60)), SIZE[1] - 130
        step, length = float(rng.uniform(2, 6)), int(rng.integers(5, 16))
        for t in range(150):
            moving = 70 <= t < 70 + length
            x += step if moving else 0.0
            full, shape = np.zeros((*SIZE[::-1], 3), np.uint8), np.zeros(SIZE[::-1], np.uint8)
            full[top:, round(x) : round(x) + 90], shape[top:, round(x) : round(x) + 90] = picture, alpha
            front = placed(people.at(t), 110.0, 1.0)
            clean = over(over(room, (full, shape)), front)
            if t == 70:
                box = (round(x), top, 90 + round(step * length), 130)
                clip.planted.append(Planted("moved chair", t, t + length - 1, box))
            yield product(clean, front[1], cv2.subtract(shape, front[1]) if moving else None)

    clip.frames = make()
    return clip


def positives(data: Path) -> Iterator[Clip]:
    """Clips with failures."""
    people = vendor_person(data)
    for i, name in enumerate(VENDORS):
        blurred = read(data / "vendor" / f"{name}_books" / "blurred_call.mp4")
        for start in (True, False):
            yield vendor_failures(name, blurred, people.rgb, people.alpha, 10 * i + start, start)
    for i, (room, sigma) in enumerate([(r, s) for r in rooms(data) for s in (3.0, 8.0)]):
        yield second_person(people, room, sigma, i)
        yield moved_chair(people, room, sigma, i)


# ------------------------------------------------------------------------------------------------------------- further


def signer(data: Path) -> People:
    """Another real person, who signs, and their alpha by MediaPipe."""
    clips = data / "clips"
    frames = np.concatenate([read(clips / f"intel_asl_{name}.mkv", crop=True) for name in ("help", "student")])
    return People(frames, masks(frames))


def made_up_room(seed: int) -> U8:
    """A room of simulate's at :data:`SIZE`."""
    from vbtools.simulate.room import render_room

    picture = render_room(2 * SIZE[0], 2 * SIZE[1], seed).background
    return cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)


def failures(name: str, people: People, room: U8, blur: Blur, seed: int) -> Clip:
    """A call before a room with five failures: raw frames and masks that take in a part; three last one frame."""
    rng = np.random.default_rng(seed)
    clip = Clip(name, iter(()))
    dx, scale, flip = float(rng.uniform(-90, 90)), float(rng.uniform(0.8, 1.15)), bool(rng.integers(2))
    kinds = ("unmuted", "mask", "patch", "mask", "patch")
    lengths = (1, 1, 1, int(rng.choice([2, 3])), int(rng.choice([4, 12])))

    def make() -> Iterator[U8]:
        product = Product(blur)
        starts = (np.cumsum(rng.integers(30, 50, len(kinds))) + 12 * np.arange(len(kinds))).tolist()
        shape: U8 | None = None
        until = -1
        for t in range(starts[-1] + 45):
            front = placed(people.at(t), dx, scale, flip=flip)
            clean = over(room, front)
            if t in starts:
                i = starts.index(t)
                until = t + lengths[i] - 1
                if kinds[i] == "unmuted":
                    shape = np.full(SIZE[::-1], 255, np.uint8)
                else:
                    shape = blob(rng, clean, product.blur(clean), front[1], kinds[i] == "mask")
                if shape is not None:
                    clip.planted.append(Planted(kinds[i], t, until, box_of(shape > 128)))
            yield product(clean, front[1], shape if t <= until else None)

    clip.frames = make()
    return clip


def further(data: Path, seed: int) -> Iterator[Clip]:
    """Clips with failures that no threshold was set by: other people, rooms, blurs and moments for every seed."""
    rng = np.random.default_rng(1000 + seed)
    everybody = (vendor_person(data), signer(data))
    pictures = [*rooms(data), *(made_up_room(100 * seed + i) for i in range(2))]
    for i, (name, blur) in enumerate(FURTHER):
        people = everybody[int(rng.integers(2))]
        room = pictures[(i + seed) % len(pictures)][:, :: 1 if rng.integers(2) else -1]
        made = gaussian(blur) if isinstance(blur, float) else of_profile(blur)
        yield failures(f"further {seed} {name}", people, np.ascontiguousarray(room), made, 100 * seed + i)


# ---------------------------------------------------------------------------------------------------------- negatives


def looped(frames: U8, count: int) -> Iterator[U8]:
    """There and back until there are ``count``."""
    return (frames[there_and_back(t, len(frames))] for t in range(count))


def real_person(frames: U8, sigma: float, count: int) -> Iterator[U8]:
    """A real recording, blurred."""
    alpha, product = masks(frames), Product(sigma)
    for t in range(count):
        i = there_and_back(t, len(frames))
        yield product(frames[i], alpha[i])


def coming_and_going(people: People, room: U8, sigma: float, count: int, seed: int) -> Iterator[U8]:
    """Somebody walks in, sits, leans close, waves and leaves, again and again; others walk through behind, blurred."""
    rng, product = np.random.default_rng(seed), Product(sigma)
    phase = rng.uniform(0, 2 * np.pi, 3)
    for t in range(count):
        s = t / FPS
        away = 560 * max(0.0, np.sin(s / 4 + phase[0]) - 0.75) * 4  # walks out for a while, at up to 20 px a frame
        near = 1.0 + 0.35 * (1 + np.sin(s / 1.7 + phase[1])) * max(0.0, np.sin(s / 9 + phase[2]))
        front = placed(people.at(t), (1 if seed % 2 else -1) * away, near)
        passing = (s * 90) % 1400 - 700
        behind = placed(people.at(t // 2 + 40), passing, 0.6, flip=True)
        yield product(over(over(room, behind), front), front[1])


def labelled(frames: Iterator[U8]) -> Iterator[U8]:
    """With a name label, a clock that counts and a watermark."""
    for t, frame in enumerate(frames):
        drawn = frame.copy()
        cv2.rectangle(drawn, (8, 330), (130, 352), (20, 20, 20), -1)
        stamp = f"10:{t // FPS // 60:02d}:{t // FPS % 60:02d}"
        for text, place in (("Alex Person", (14, 346)), (stamp, (545, 22)), ("recorded", (560, 350))):
            cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
        yield drawn


def negatives(data: Path, seconds: float) -> Iterator[Clip]:
    """Calls in which the blur never fails, ``seconds`` of them together."""
    people = vendor_person(data)
    count = round(seconds / 12 * FPS)
    for name in VENDORS:
        yield Clip(name, looped(read(data / "vendor" / f"{name}_books" / "blurred_call.mp4"), count))
    clips = data / "clips"
    names = ("again", "brother", "help", "no", "student", "yes")
    signing = [read(clips / f"intel_asl_{name}.mkv", crop=True) for name in names]
    yield Clip("asl weak", real_person(np.concatenate(signing), 3.0, count))
    yield Clip("asl strong", labelled(real_person(np.concatenate(signing), 9.0, count)))
    yield Clip("asl book", real_person(read(clips / "intel_asl_book.mkv", crop=True), 5.0, count))
    for i, (room, sigma) in enumerate([*((r, 4.0) for r in rooms(data)), (rooms(data)[0], 12.0)]):
        yield Clip(f"coming and going {i}", coming_and_going(people, room, sigma, count, i))
    yield Clip("labelled", labelled(coming_and_going(people, rooms(data)[1], 7.0, count, 9)))


# -------------------------------------------------------------------------------------------------------------- judge


def encoded(path: Path, frames: Iterator[U8], number: int) -> int:
    """Write a clip with the encode and noise of its number; returns how many frames it has."""
    rng, noise = np.random.default_rng(number), NOISES[number % len(NOISES)]
    settings: dict[str, object] = {"options": {"preset": "veryfast"}, **ENCODES[number % len(ENCODES)]}
    grain = [rng.normal(0, noise, (SIZE[1], SIZE[0], 1)).astype(np.int8) for _ in range(7)] if noise else []
    count = 0
    with VideoWriter(path, *SIZE, FPS, **settings) as writer:  # type: ignore[arg-type]
        for frame in frames:
            grainy = np.clip(frame.astype(np.int16) + grain[count % 7], 0, 255).astype(np.uint8) if grain else frame
            writer.write(grainy)
            count += 1
    return count


def look(path: Path) -> Call:
    """What extract's first pass says of a recording."""
    finder = CallFinder()
    with open_video(path) as video:
        for frame in video.frames():
            finder.add(frame.index, frame.time_s, *frame.planes(LONG_SIDE))
    return finder.decide()


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Shared area of two boxes, as a share of the smaller one."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0.0, w) * max(0.0, h) / min(a[2] * a[3], b[2] * b[3])


def recording(folder: Path, clip: Clip, number: int) -> tuple[Path, list[Planted]]:
    """The clip as a file, made if it is not there, and what is planted in it."""
    path, told = folder / f"{clip.name.replace(' ', '_')}.mp4", folder / f"{clip.name.replace(' ', '_')}.json"
    if not told.exists():
        encoded(path, clip.frames, number)
        told.write_text(json.dumps([asdict(one) for one in clip.planted]))
    return path, [Planted(**one | {"box": tuple(one["box"])}) for one in json.loads(told.read_text())]


def main() -> int:
    """Print hits and false alarms."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--seconds", type=float, default=600.0, help="of calls without a failure")
    parser.add_argument("--only", choices=("positives", "negatives"))
    parser.add_argument("--seed", type=int, help="plant in other calls instead, drawn anew for every seed from 0 on")
    parser.add_argument("--keep", type=Path, help="keep the recordings in this folder, and use those that are there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder: Path = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        run(args.data, args.seconds, args.only, args.seed, folder)
    return 0


def run(data: Path, seconds: float, only: str | None, seed: int | None, folder: Path) -> None:
    """Make, look at and judge all clips."""
    if only != "negatives":
        found: dict[str, list[bool]] = {}
        frames = [0, 0]
        wrong = 0
        clips = positives(data) if seed is None else further(data, seed)
        for number, clip in enumerate(clips, seed or 0):
            path, planted = recording(folder, clip, number)
            marked = _marked(look(path))
            for one in planted:
                hit = {f for f, box in marked if one.first <= f <= one.last and overlap(box, one.box) > HIT}
                found.setdefault(one.kind, []).append(bool(hit))
                frames[0] += len(hit)
                frames[1] += one.last - one.first + 1
                if not hit:
                    print(f"missed: {path.name}, {one.kind}, frames {one.first} to {one.last}, box {one.box}")
            near = {f for one in planted for f in range(one.first - SPILLED, one.last + SPILLED + 1)}
            if claimed := moments([f for f, _ in marked if f not in near]):
                print(f"{clip.name}: false alarm at frames {claimed}")
            wrong += len(claimed)
        for kind, hits in found.items():
            print(f"{kind:14} {sum(hits)} of {len(hits)} found")
        every = [hit for hits in found.values() for hit in hits]
        print(
            f"{'all':14} {sum(every)} of {len(every)} found; {frames[0]} of their {frames[1]} frames; {wrong} false"
        )
    if only != "positives":
        alarms, length, spent = 0, 0.0, 0.0
        for number, clip in enumerate(negatives(data, seconds)):
            path, _ = recording(folder, clip, number)
            begun = time.perf_counter()
            call = look(path)
            spent += time.perf_counter() - begun
            claimed = moments([f for f, _ in _marked(call)])
            alarms += len(claimed)
            length += len(call.index) / FPS
            if claimed:
                print(f"{clip.name}: false alarm at frames {claimed}")
        each = 1e3 * spent / (length * FPS)
        print(f"{alarms} false alarms in {length:.0f} s; {each:.2f} ms a frame, decoding included")


def _marked(call: Call) -> list[tuple[int, tuple[float, ...]]]:
    """Number and box, px, of every region."""
    w, h = SIZE
    return [
        (int(call.index[one.frame]), (one.box[0] * w, one.box[1] * h, one.box[2] * w, one.box[3] * h))
        for one in call.regions
    ]


def moments(frames: list[int]) -> list[tuple[int, int]]:
    """First and last frame of each run; gaps of up to half a second do not end one."""
    runs: list[tuple[int, int]] = []
    for frame in sorted(set(frames)):
        if runs and frame - runs[-1][1] <= FPS // 2:
            runs[-1] = (runs[-1][0], frame)
        else:
            runs.append((frame, frame))
    return runs


if __name__ == "__main__":
    sys.exit(main())
