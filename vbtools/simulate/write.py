"""Simulate a call and write it with its truth."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vbtools import models
from vbtools.backends import backend
from vbtools.backends.picture import write_picture
from vbtools.errors import InputError, StorageError, UsageError
from vbtools.simulate import call, truth
from vbtools.simulate.motion import Path as MotionPath
from vbtools.simulate.person import MODEL, Person, cut_out, photograph
from vbtools.simulate.product import Product
from vbtools.simulate.profile import Profile, profile
from vbtools.simulate.room import Room, render_room
from vbtools.simulate.scene import PersonInRoom
from vbtools.stages.base import Progress, Silent

BLURRED, CLEAN, ALPHA, BACKGROUND = "blurred.mp4", "clean.mkv", "alpha.mkv", "background.png"
MASK, LEAK = "mask.mkv", "leak.mkv"
FILES = (BLURRED, CLEAN, ALPHA, MASK, LEAK, BACKGROUND)
SMALLEST, LARGEST = 64, 4096  # px, each side
FASTEST = 120.0  # frames a second


@dataclass(frozen=True, slots=True)
class Settings:
    """What is to be simulated.

    Attributes:
        profile: a name of ``vbtools.simulate.profile.PROFILES``, or a profile.
        seed: decides about room, seat and movement; 0 or more.
        seconds: length of the call.
        size: width and height, px, both even.
        fps: frames a second.
        motion: a name of ``vbtools.simulate.motion.MOTIONS``.
    """

    profile: str | Profile = "gaussian"
    seed: int = 0
    seconds: float = 10.0
    size: tuple[int, int] = (1280, 720)
    fps: float = 25.0
    motion: str = "sway"

    @property
    def frames(self) -> int:
        """How many frames that is, at least one."""
        return max(1, round(self.seconds * self.fps))

    def check(self) -> None:
        """Raise UsageError for what makes no sense."""
        if not (math.isfinite(self.seconds) and self.seconds > 0):
            raise UsageError(f"simulate cannot make a call of {self.seconds:g} seconds", "Give more than 0")
        if not (math.isfinite(self.fps) and 0 < self.fps <= FASTEST):
            raise UsageError(f"simulate cannot make {self.fps:g} frames a second", f"Give at most {FASTEST:g}")
        if any(side % 2 or not SMALLEST <= side <= LARGEST for side in self.size):
            raise UsageError(
                f"simulate cannot make frames of {self.size[0]}x{self.size[1]}",
                f"Both sides must be even, from {SMALLEST} to {LARGEST}: --size 1280x720",
            )
        if self.seed < 0:
            raise UsageError(f"simulate cannot use the seed {self.seed}", "Give 0 or more")


def simulate(
    folder: Path, settings: Settings | None = None, *, force: bool = False, progress: Progress | None = None
) -> dict[str, Any]:
    """Make a call and write :data:`FILES` and ``truth.json``.

    Streams: memory does not depend on the length. The files appear in ``folder`` when all of them are whole, the
    truth last. The same settings and software give the same bytes. 10 s of 720p take about 30 s on two cores.

    Args:
        folder: made where it is missing; other files in it stay.
        settings: what to simulate.
        force: overwrite files of these names that an earlier simulation did not make.
        progress: where to say how far it is.

    Returns:
        What ``truth.json`` holds.

    Raises:
        UsageError: settings that make no sense.
        InputError: ``folder`` holds files of these names that are not from a simulation, or is a file.
        MissingDependencyError: mediapipe, scikit-image or a model is not installed.
        StorageError: the disk is full or refused a write; what was in the folder is untouched.
    """
    settings = settings or Settings()
    settings.check()
    chosen = profile(settings.profile) if isinstance(settings.profile, str) else settings.profile
    path = MotionPath(settings.motion, settings.seed)
    _check_folder(folder, force=force)
    with ExitStack() as stack:
        product = stack.enter_context(Product(chosen.scheme, settings.size[1]))
        person = _person()
        room = render_room(*settings.size, settings.seed)
        scene = PersonInRoom(person, room, path, settings.seed)
        with _storage(folder), _workplace(folder) as work:
            exposure, moved = _film(work, settings, scene, product, path, progress or Silent())
            write_picture(work / BACKGROUND, room.background)
            told = _truth(work, settings, chosen, product, room, exposure) | {"motion": moved}
            truth.dump(work / truth.NAME, told)
            _publish(work, folder)
    return told


def _person() -> Person:
    photo = photograph()
    with backend("segment", "mediapipe").load()(models.resolve(MODEL)) as segmenter:
        return cut_out(photo, segmenter)


def _film(
    work: Path, settings: Settings, scene: PersonInRoom, product: Product, path: MotionPath, progress: Progress
) -> tuple[truth.Exposure, dict[str, Any]]:
    """Write the recordings; says where the person was and how far it moved."""
    width, height = settings.size
    exposure = truth.Exposure(height, width)
    low, high = np.full(4, np.inf), np.full(4, -np.inf)
    progress.start(settings.frames, "frames")
    with ExitStack() as stack:
        blurred = stack.enter_context(call.call(work / BLURRED, settings.size, settings.fps))
        clean = stack.enter_context(call.lossless(work / CLEAN, settings.size, settings.fps))
        alphas, masks, leaks = (
            stack.enter_context(call.gray(work / name, settings.size, settings.fps)) for name in (ALPHA, MASK, LEAK)
        )
        for index in range(settings.frames):
            time_s = index / settings.fps
            frame, alpha = scene.frame(time_s)
            clean.write(frame)
            alphas.write(alpha)
            sent, mask = product(frame)
            blurred.write(sent)
            masks.write(mask)
            leaks.write(truth.leak_weight(mask, alpha))
            exposure.add(alpha)
            pose = astuple(path.pose(time_s))
            low, high = np.minimum(low, pose), np.maximum(high, pose)
            progress.advance(1)
    moved = {
        name: [round(float(least), 3), round(float(most), 3)]
        for name, least, most in zip(("x_px", "y_px", "degrees", "scale"), low, high, strict=True)
    }
    return exposure, {"name": path.name, "camera": "fixed", "range_at_720_rows": moved}


def _truth(
    work: Path, settings: Settings, chosen: Profile, product: Product, room: Room, exposure: truth.Exposure
) -> dict[str, Any]:
    return {
        "format": truth.FORMAT,
        "version": truth.VERSION,
        "seed": settings.seed,
        "profile": chosen.values(),
        "fps": settings.fps,
        "frames": settings.frames,
        "size": list(settings.size),
        "text": [exposure.of_text(line) for line in room.texts],
        "objects": [truth.of_thing(thing) for thing in room.things],
        **exposure.summary(),
        "files": {name: truth.describe_file(work / name) for name in FILES},
        "models": {name: models.sha256_of(models.resolve(name)) for name in sorted({MODEL, product.scheme.model})},
        "software": truth.software(),
    }


def _check_folder(folder: Path, *, force: bool) -> None:
    """Refuse to overwrite what no simulation made."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"'{folder}' is a file, not a folder", "Give another folder with -o")
    if force:
        return
    recorded = truth.recorded_files(folder)
    for name in (*FILES, truth.NAME):
        path = folder / name
        if not path.exists() or (name == truth.NAME and recorded):
            continue
        if name not in recorded or truth.describe_file(path) != recorded[name]:
            raise InputError(
                f"'{path}' is there and is not from a simulation, or was changed since",
                "Give another folder with -o, or overwrite it with --force",
            )


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """A hidden folder inside of ``folder``; gone afterwards, with ``folder`` itself if that came to nothing."""
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".simulate-", dir=folder))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if made and not any(folder.iterdir()):
            folder.rmdir()


def _publish(work: Path, folder: Path) -> None:
    """Move the whole files into place, the truth last; while they move there is no truth that would not fit them."""
    for name in (*FILES, truth.NAME):
        descriptor = os.open(work / name, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    (folder / truth.NAME).unlink(missing_ok=True)
    for name in (*FILES, truth.NAME):
        (work / name).replace(folder / name)


@contextmanager
def _storage(folder: Path) -> Iterator[None]:
    """Turn what the operating system refuses into a StorageError that names the folder."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"'{folder}' cannot be written: {error.strerror or error}",
            "Free some space, or give another folder with -o",
        ) from error
