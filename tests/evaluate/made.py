"""A small call with its whole truth, and a project of it, made up without any model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from stored_project import Project

from vbtools.backends.picture import write_picture
from vbtools.backends.video import VideoWriter
from vbtools.store import Source

SIZE = (270, 480)
FRAMES = 24
FPS = 10.0
WALL_ROWS = 108  # of whole blocks of 9 px
LINES = (("OFFICE hours", 24.0, (20, 30)), ("Flight 4381", 24.0, (270, 60)))


@dataclass(frozen=True)
class Made:
    """Everything that is known of the call.

    Attributes:
        folder: background.png, alpha.mkv, leak.mkv, truth.json and blurred.mp4.
        room: (H, W, 3) uint8.
        plate: the blurred room, (H, W, 3) uint8.
        alpha, leak: (T, H, W) uint8.
        calls: (T, H, W, 3) uint8, before the codec.
    """

    folder: Path
    room: np.ndarray
    plate: np.ndarray
    alpha: np.ndarray
    leak: np.ndarray
    calls: np.ndarray


def room(seed: int = 5) -> np.ndarray:
    """Two lines of text on a plain wall, and texture below."""
    noise = np.random.default_rng(seed).normal(size=(*SIZE, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    picture = np.clip(128 + 30 * smooth / smooth.std(), 30, 220).astype(np.uint8)
    picture[:WALL_ROWS] = 235
    for text, _, (x, y) in LINES:
        cv2.putText(picture, text, (x, y + 24), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (10, 10, 10), 2, cv2.LINE_AA)
    return picture


def call() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Room, plate, alpha, leak weight and the call's frames: a person who sways, with a fringe of 12 px shown sharp."""
    clean = room()
    plate = cv2.GaussianBlur(clean, (0, 0), 8)
    alphas, leaks, calls = [], [], []
    for number in range(FRAMES):
        alpha, product = (np.zeros(SIZE, np.uint8) for _ in range(2))
        centre = (240 + round(120 * np.sin(2 * np.pi * number / FRAMES)), 270)
        cv2.ellipse(alpha, centre, (60, 190), 0, 0, 360, 255, -1)
        cv2.ellipse(product, centre, (72, 202), 0, 0, 360, 255, -1)
        weight = (product > alpha) * np.float32(0.8)
        a, w = alpha[..., None] / 255.0, weight[..., None]
        mixed = w * clean + (1 - w) * plate
        calls.append(np.rint(a * np.array([90, 60, 50]) + (1 - a) * mixed).astype(np.uint8))
        alphas.append(alpha)
        leaks.append(np.rint(255 * weight).astype(np.uint8))
    return clean, plate, np.stack(alphas), np.stack(leaks), np.stack(calls)


def write(folder: Path, *, leak: bool = True) -> Made:
    """Write the truth's folder; without leak.mkv it is as data/vendor/scene_books."""
    clean, plate, alpha, leaks, calls = call()
    folder.mkdir(parents=True)
    write_picture(folder / "background.png", clean)
    gray(folder / "alpha.mkv", alpha)
    if leak:
        gray(folder / "leak.mkv", leaks)
    film(folder / "blurred.mp4", calls)
    lines = [
        {"text": text, "cap_px": cap, "box": [x, y, x + 185, y + 26], "in_swept_band": 1.0}
        for text, cap, (x, y) in LINES
    ]
    facts = {"fps": FPS, "frames": FRAMES, "size": [SIZE[1], SIZE[0]], "text": lines, "objects": []}
    (folder / "truth.json").write_text(json.dumps(facts), encoding="utf-8")
    return Made(folder, clean, plate, alpha, leaks, calls)


def project(
    path: Path, made: Made, background: np.ndarray | None = None, coverage: np.ndarray | None = None,
    steps: dict[str, np.ndarray] | None = None, rows: np.ndarray | None = None,
) -> Project:  # fmt: skip
    """A project of the call, with every second frame; with aggregate's own mean where no background is given."""
    recording = made.folder / "blurred.mp4"
    rows = np.arange(0, FRAMES, 2) if rows is None else rows
    one = Project(path)
    there = recording.stat()
    digest = hashlib.sha256(recording.read_bytes()).hexdigest()
    one.source = Source(str(recording), digest, there.st_size, there.st_mtime_ns)
    one.store(
        "extract", {"fps": FPS / 2}, frames=made.calls[rows], time=rows / FPS, index=rows,
        unprotected=np.zeros(len(rows), np.uint8), sharpness=np.ones(len(rows), np.float32), dropped=[],
    )
    one.store("segment", {}, person=made.alpha[rows])
    still = np.tile(np.eye(2, 3), (len(rows), 1, 1))
    one.store("align", {"method": "none"}, transform=still, used=np.ones(len(rows), np.uint8), left_out=[])
    if background is None:
        one.store("aggregate", {"method": "mean", "dilate": 14}, run=True)
    else:
        seen = np.ones(background.shape[:2], np.uint32) if coverage is None else coverage
        plate = np.where(seen[..., None] > 0, background, np.nan).astype(np.float32)
        one.store("aggregate", {"method": "mean"}, background=background, coverage=seen, plate=plate)
    if steps is not None:
        names = [name.partition("-")[0] for name in steps]
        one.store("enhance", {"steps": names}, **steps, image=list(steps.values())[-1])
    return one


def film(path: Path, frames: Sequence[np.ndarray]) -> None:
    """Write the call's recording."""
    with VideoWriter(path, SIZE[1], SIZE[0], FPS, codec="libx264", crf=12) as writer:
        for frame in frames:
            writer.write(frame)


def gray(path: Path, planes: np.ndarray) -> None:
    """Write (T, H, W) uint8 planes without loss."""
    with VideoWriter(path, SIZE[1], SIZE[0], FPS, codec="ffv1", pixel_format="gray") as writer:
        for plane in planes:
            writer.write(plane)
