"""Simulate a call and write it with its truth."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools import models
from vbtools.backends.picture import write_picture
from vbtools.errors import InputError, StorageError
from vbtools.simulate import call, chart, truth
from vbtools.simulate.camera import Sensor
from vbtools.simulate.overlays import Overlays
from vbtools.simulate.product import Product
from vbtools.simulate.settings import CODECS, CallFrame, Settings, call_frames, within
from vbtools.simulate.stage import Stage, check_call, set_stage
from vbtools.stages.base import Progress, Silent

__all__ = ["FILES", "Settings", "simulate", "write_chart"]

U8 = NDArray[np.uint8]

BLURRED, CLEAN, ALPHA, BACKGROUND = "blurred.mp4", "clean.mkv", "alpha.mkv", "background.png"
MASK, LEAK = "mask.mkv", "leak.mkv"
KNOWN = "known.png"
FILES = (BLURRED, CLEAN, ALPHA, MASK, LEAK, BACKGROUND)
SOMETIMES = (KNOWN, *(f"blurred{suffix}" for suffix in sorted(set(CODECS.values())) if suffix != ".mp4"))
"""Files of some calls: where the background of a clip is known, and the recording of a codec that MP4 cannot hold."""


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
        InputError: ``folder`` holds files of these names that are not from a simulation, or is a file; or a recording
            or picture cannot be used.
        MissingDependencyError: mediapipe, scikit-image or a model is not installed.
        StorageError: the disk is full or refused a write; what was in the folder is untouched.
    """
    settings = settings or Settings()
    settings.check()
    chosen = settings.chosen_profile()
    _check_folder(folder, force=force)
    with ExitStack() as stack:
        stage = set_stage(settings, stack)
        product = stack.enter_context(Product(chosen.scheme, stage.size[1]))
        overlays = Overlays(settings.call.overlays, settings.call.size or stage.size)
        sent = call_frames(stage.count, stage.fps, settings, overlays.title_s)
        check_call(stage, sum(frame.source is not None for frame in sent))
        with _storage(folder), _workplace(folder) as work:
            told = {
                "format": truth.FORMAT, "version": truth.VERSION, "seed": settings.seed, "profile": chosen.values(),
                "fps": stage.fps, "frames": stage.count, "size": list(stage.size),
            }  # fmt: skip
            exposure, shown = _Film(work, settings, stage, product, overlays, sent).shoot(progress or Silent())
            write_picture(work / BACKGROUND, stage.scene.background)
            if stage.known is not None:
                write_picture(work / KNOWN, np.where(stage.known, np.uint8(255), np.uint8(0)))
            told |= _truth(settings, stage, overlays, sent, exposure) | shown
            names = sorted(path.name for path in work.iterdir())
            told["files"] = {name: truth.describe_file(work / name) for name in names}
            used = sorted(stage.models | {chosen.scheme.model})
            told["models"] = {name: models.sha256_of(models.resolve(name)) for name in used}
            told["software"] = truth.software()
            truth.dump(work / truth.NAME, told)
            _publish(work, folder, names)
    return told


def write_chart(folder: Path, seed: int, *, force: bool = False) -> dict[str, Any]:
    """Write the test chart as a page to print, ``chart.pdf`` and ``chart.png``, with ``chart.json``: what is on it.

    Args:
        folder: made where it is missing.
        seed: chooses words and gaps.
        force: overwrite files of these names.

    Raises:
        InputError: a file of one of these names is there.
        MissingDependencyError: scikit-image (with Pillow) is not installed.
        StorageError: the disk is full or refused a write.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"'{folder}' is a file, not a folder", "Give another folder with -o")
    names = ("chart.pdf", "chart.png", "chart.json")
    there = [name for name in names if (folder / name).exists()]
    if there and not force:
        raise InputError(f"'{folder / there[0]}' is there", "Give another folder with -o, or --force")
    page, told = chart.render_page(seed)
    with _storage(folder), _workplace(folder) as work:
        chart.write_page(work / names[0], page)
        write_picture(work / names[1], page)
        told = {"seed": seed} | told
        truth.dump(work / names[2], told)
        for name in names:
            (work / name).replace(folder / name)
    return told


class _Film:
    """The recordings of one call, made frame by frame."""

    def __init__(
        self, work: Path, settings: Settings, stage: Stage, product: Product, overlays: Overlays, sent: list[CallFrame]
    ) -> None:
        self._work, self._settings, self._stage = work, settings, stage
        self._product, self._overlays = product, overlays
        self._title = [frame.time_s for frame in sent if frame.source is None]
        self._times = {frame.source: frame.time_s for frame in sent if frame.source is not None}
        self._variable = not is_plain(stage, sent)
        self._sensor = Sensor(stage.size, settings.noise, settings.drift, settings.seed)

    def shoot(self, progress: Progress) -> tuple[truth.Exposure, dict[str, Any]]:
        """Write the recordings; says where the person was, and how person and camera moved."""
        stage, settings = self._stage, self._settings
        exposure = truth.Exposure(stage.size[1], stage.size[0])
        low, high = np.full(4, np.inf), np.full(4, -np.inf)
        progress.start(stage.count, "frames")
        with ExitStack() as stack:
            blurred = stack.enter_context(self._call_lane())
            clean = stack.enter_context(call.lossless(self._work / CLEAN, stage.size, stage.fps))
            alphas, masks, leaks = (
                stack.enter_context(call.gray(self._work / name, stage.size, stage.fps)) for name in (ALPHA, MASK, LEAK)
            )
            self._send_title(blurred)
            was_muted = False
            for index in range(stage.count):
                time_s = index / stage.fps
                frame, alpha = stage.scene.frame(time_s)
                frame = self._sensor.see(frame, index, time_s)
                muted = within(time_s, settings.muted)
                if was_muted and not muted:
                    self._product.restart()
                was_muted = muted
                mask = np.zeros_like(alpha)
                if not muted:
                    shown, mask = self._product(frame, fails=within(time_s, settings.fails))
                    self._send(blurred, shown, index)
                clean.write(frame)
                alphas.write(alpha)
                masks.write(mask)
                leaks.write(truth.leak_weight(mask, alpha))
                exposure.add(alpha)
                if stage.path is not None:
                    pose = astuple(stage.path.pose(time_s))
                    low, high = np.minimum(low, pose), np.maximum(high, pose)
                progress.advance(1)
        return exposure, self._moved(low, high)

    def _call_lane(self) -> call.Lane:
        stage, asked = self._stage, self._settings.call
        path = self._work / f"blurred{CODECS[asked.codec]}"
        fps = min(asked.fps or stage.fps, stage.fps)
        size = asked.size or stage.size
        return call.call(path, size, fps, codec=asked.codec, bit_rate=asked.bit_rate, variable=self._variable)

    def _send_title(self, lane: call.Lane) -> None:
        for time_s in self._title:
            lane.write(self._overlays.title(), time_s)

    def _send(self, lane: call.Lane, shown: U8, index: int) -> None:
        if index not in self._times:
            return
        size = self._settings.call.size
        if size is not None and size != self._stage.size:
            smaller = size[0] < self._stage.size[0]
            how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
            shown = np.asarray(cv2.resize(shown, size, interpolation=how), np.uint8)
        time_s = self._times[index]
        lane.write(self._overlays.draw(shown, time_s), time_s if self._variable else None)

    def _moved(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> dict[str, Any]:
        """What is told of person and camera."""
        stage, settings = self._stage, self._settings
        camera: dict[str, Any] = {"name": settings.camera, "noise": settings.noise, "drift": settings.drift}
        if stage.camera is not None:
            placed = (stage.camera.transform(index / stage.fps) for index in range(stage.count))
            camera["transforms"] = [[round(float(v), 5) for v in matrix.ravel()] for matrix in placed]
        motion: dict[str, Any] = {"name": stage.path.name if stage.path else None, "camera": settings.camera}
        if stage.path is not None:
            motion["range_at_720_rows"] = {
                name: [round(float(least), 3), round(float(most), 3)]
                for name, least, most in zip(("x_px", "y_px", "degrees", "scale"), low, high, strict=True)
            }
        return {"motion": motion, "camera": camera}


def is_plain(stage: Stage, sent: list[CallFrame]) -> bool:
    """Whether the call shows every frame of the camera, one after the other, and nothing else."""
    return [frame.source for frame in sent] == list(range(stage.count))


def _truth(
    settings: Settings, stage: Stage, overlays: Overlays, sent: list[CallFrame], exposure: truth.Exposure
) -> dict[str, Any]:
    asked = settings.call
    return {
        "text": [exposure.of_text(line) for line in stage.texts],
        "objects": [truth.of_thing(thing) for thing in stage.things],
        **exposure.summary(),
        **stage.told,
        "call": {
            "file": f"blurred{CODECS[asked.codec]}",
            "codec": asked.codec,
            "size": list(asked.size or stage.size),
            "fps": min(asked.fps or stage.fps, stage.fps),
            "frames": [frame.source for frame in sent],
            "times_s": [round(frame.time_s, 5) for frame in sent],
            "overlays": overlays.told(),
            "muted_s": [list(span) for span in settings.muted],
            "model_fails_s": [list(span) for span in settings.fails],
        },
    }


def _check_folder(folder: Path, *, force: bool) -> None:
    """Refuse to overwrite what no simulation made."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"'{folder}' is a file, not a folder", "Give another folder with -o")
    if force:
        return
    recorded = truth.recorded_files(folder)
    for name in (*FILES, *SOMETIMES, truth.NAME):
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


def _publish(work: Path, folder: Path, names: list[str]) -> None:
    """Move the whole files into place, the truth last; while they move there is no truth that would not fit them."""
    for name in (*names, truth.NAME):
        descriptor = os.open(work / name, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for name in (truth.NAME, *(name for name in (*FILES, *SOMETIMES) if name not in names)):
        (folder / name).unlink(missing_ok=True)
    for name in (*names, truth.NAME):
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
