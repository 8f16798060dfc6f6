"""The frames as a recording, with what was taken as the person drawn in: to see whether the masks can be believed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vbtools.errors import StorageError
from vbtools.stages import Progress, Silent, stage
from vbtools.stages.unprotected import regions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.store import Reader

BLOCK = 16
"""Frames that are read and drawn at a time, as many as a stored chunk is deep; two blocks are held."""
CRF, PRESET = 23.0, "veryfast"
"""x264's own default quality. Of 82 frames of a call at 960x540 veryfast took 8.7 ms each (ultrafast 11.1, with five
times the bytes, superfast 7.5, with three times)."""
USUAL_FPS = 25.0
"""For the encoder's rate control where there is one frame only."""


def write_film(reader: Reader, path: Path, progress: Progress | None = None) -> Path:
    """Write an MP4 of the stored frames at their own times.

    The person (probability from aggregate's threshold) is tinted; a line surrounds what is left out with it
    (aggregate's ``dilate``). Each frame tells its number in the recording and its time; one at which the blur was off,
    and one that align left out, say so. A side of an odd length grows by one px: the format needs even ones.

    Memory does not grow with the clip. A frame of 960x540 takes 13 ms of processor time, spread over two threads.

    Args:
        reader: a project with extract and segment, their bulk present.
        path: ends in ``.mp4``; written whole or not at all.
        progress: where to say how far it is.

    Raises:
        StorageError: the file cannot be written.
        ProjectError: a stage or its bulk is missing.
    """
    from vbtools.backends.video import VideoWriter

    progress = progress or Silent()
    time = reader.array("extract", "time")
    _, height, width, _ = reader.dataset("extract", "frames").shape
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    progress.start(len(time), "frames")
    try:
        with VideoWriter(
            temporary, width + width % 2, height + height % 2, _fps(time), crf=CRF, variable=True,
            options={"preset": PRESET},
        ) as film:  # fmt: skip
            for row, picture in enumerate(_drawn(reader)):
                film.write(picture, float(time[row] - time[0]))
                progress.advance()
        temporary.replace(path)
    except OSError as error:  # PyAV's errors are OSErrors too
        if error.errno is None:  # HDF5 could not read: the reader says what is damaged
            raise
        raise StorageError(
            f"'{path}' cannot be written ({error.strerror})", "Make room, or leave it out with --no-video"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _drawn(reader: Reader) -> Iterator[NDArray[np.uint8]]:
    """Every frame with its mask and labels; one block is drawn while the one before is encoded."""
    draw = _drawing(reader)
    total = len(reader.dataset("extract", "frames"))
    waiting: deque[Future[list[NDArray[np.uint8]]]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="film") as pool:
        for start in range(0, total, BLOCK):
            waiting.append(pool.submit(draw, start, min(start + BLOCK, total)))
            if len(waiting) > 1:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _drawing(reader: Reader) -> Callable[[int, int], list[NDArray[np.uint8]]]:
    """A function that draws the frames of rows ``start:stop``."""
    import cv2

    from vbtools.ops.draw import labelled, person_marked
    from vbtools.ops.masks import dilated, person_mask

    frames, person = reader.dataset("extract", "frames"), reader.dataset("segment", "person")
    height, width = frames.shape[1:3]
    threshold, margin = _mask_parameters(reader)
    labels = _labels(reader)

    def draw(start: int, stop: int) -> list[NDArray[np.uint8]]:
        drawn = []
        for row, frame, probability in zip(
            range(start, stop), frames[start:stop], person[start:stop], strict=True
        ):
            mask = person_mask(probability, (height, width), threshold, 0)
            picture = labelled(person_marked(frame, mask, dilated(mask, margin)), labels(row))
            if height % 2 or width % 2:
                picture = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
            drawn.append(picture)
        return drawn

    return draw


def _labels(reader: Reader) -> Callable[[int], list[tuple[str, tuple[int, int, int]]]]:
    """A function from a row to its labels: which frame, and what is the matter with it."""
    from vbtools.ops.draw import BLUE, INK, ORANGE

    index, time = reader.array("extract", "index"), reader.array("extract", "time")
    sharpness: dict[int, float] = {}
    for one in regions(reader):
        sharpness[one["row"]] = max(one["sharpness"], sharpness.get(one["row"], 0.0))
    left_out = _left_out(reader)

    def labels(row: int) -> list[tuple[str, tuple[int, int, int]]]:
        lines = [(f"frame {index[row]}   {time[row]:.2f} s", INK)]
        if row in sharpness:
            lines.append((f"UNPROTECTED: {sharpness[row]:.1f} times as sharp as usual", ORANGE))
        if row in left_out:
            lines.append((f"LEFT OUT: {left_out[row]}", BLUE))
        return lines

    return labels


def _left_out(reader: Reader) -> dict[int, str]:
    """Row -> why align left it out."""
    if reader.record("align") is None:
        return {}
    used = reader.array("align", "used")
    why = {int(one["row"]): str(one["reason"]) for one in reader.table("align", "left_out")}
    return {int(row): why.get(int(row), "not aligned") for row in (used == 0).nonzero()[0]}


def _mask_parameters(reader: Reader) -> tuple[float, int]:
    """Threshold and margin (px) with which the background was made, or would be."""
    record = reader.record("aggregate")
    defaults = stage("aggregate").parameters({})
    given: Any = record.parameters if record else {}
    return float(given.get("threshold", defaults.threshold)), int(given.get("dilate", defaults.dilate))


def _fps(time: NDArray[np.float64]) -> float:
    """Frames a second, for the encoder's rate control."""
    import numpy as np

    steps = np.diff(time)
    return float(1.0 / np.median(steps)) if len(steps) and np.median(steps) > 0 else USUAL_FPS
