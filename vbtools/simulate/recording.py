"""A recording that a simulated call is made from: looked through once, then read frame by frame at given times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.backends.video import Frame, open_video
from vbtools.errors import InputError

U8 = NDArray[np.uint8]

SAMPLES = 48  # frames kept for the plate: enough for a median, 130 MB at 720p whatever the length
USUAL_FPS = (10.0, 12.0, 12.5, 15.0, 20.0, 24_000 / 1001, 24.0, 25.0, 30_000 / 1001, 30.0, 50.0, 60_000 / 1001, 60.0)
NEAR_FPS = 0.004  # relative: containers round times to milliseconds
STILL_FPS = 25.0


class Recording:
    """What is known of a recording after one look through it.

    Args:
        path: a recording or a picture.

    Attributes:
        path: the file.
        count: how many frames it has.
        fps: frames a second, on average.
        size: width and height, px, made even by leaving out the last column and row.
        samples: (index, (H, W, 3) uint8 RGB), evenly spread, at most :data:`SAMPLES`.

    Raises:
        InputError: not a recording.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.samples: list[tuple[int, U8]] = []
        self.count, last, stride = 0, 0.0, 1
        with open_video(path) as video:
            for frame in video.frames():
                if self.count % stride == 0:
                    self.samples.append((self.count, even(frame.rgb())))
                if len(self.samples) > SAMPLES:
                    self.samples, stride = self.samples[::2], 2 * stride
                self.count, last = self.count + 1, frame.time_s
        if not self.samples:
            raise InputError(f"'{path}' holds no frame that can be decoded", "Give another recording")
        self.fps = _usual((self.count - 1) / last) if last > 0 else STILL_FPS
        self.size = (self.samples[0][1].shape[1], self.samples[0][1].shape[0])

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.count / self.fps


class Reader:
    """A recording's frames by time; times must not go back. Begins again at its end.

    Args:
        recording: which.
        size: width and height to bring them to, cropped about the middle to that shape; None leaves them.
    """

    def __init__(self, recording: Recording, size: tuple[int, int] | None = None) -> None:
        self._size = size
        self._half = 0.5 / recording.fps
        self._frames = _endless(recording)
        self._upcoming = next(self._frames, None)
        self._now: U8 | None = None
        self._path = recording.path

    def at(self, time_s: float) -> U8:
        """The frame that is shown at one instant, (H, W, 3) uint8 RGB; only what is asked for is converted."""
        shown = None
        while self._upcoming is not None and self._upcoming[0] <= time_s + self._half:
            shown = self._upcoming[1]
            self._upcoming = next(self._frames, None)
        if shown is not None:
            self._now = fitted(even(shown.rgb()), self._size)
        if self._now is None:
            raise InputError(f"'{self._path}' can no longer be read", "Give another recording")
        return self._now


def _endless(recording: Recording) -> Iterator[tuple[float, Frame]]:
    """When each frame is due, and the frame; a recording begins again at its end, a picture stays."""
    begun = 0.0
    while True:
        with open_video(recording.path) as video:
            for frame in video.frames():
                yield begun + frame.time_s, frame
        if recording.count == 1:
            return
        begun += recording.seconds


def even(picture: U8) -> U8:
    """A picture without its last row or column where their number is odd."""
    return picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]


def fitted(picture: U8, size: tuple[int, int] | None) -> U8:
    """A picture brought to a size (width, height), cropped about its middle to that shape."""
    height, width = picture.shape[:2]
    if size is None or (width, height) == size:
        return np.ascontiguousarray(picture)
    zoom = max(size[0] / width, size[1] / height)
    inner = (max(size[0], round(width * zoom)), max(size[1], round(height * zoom)))
    how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    resized = np.asarray(cv2.resize(picture, inner, interpolation=how), np.uint8)
    x, y = (inner[0] - size[0]) // 2, (inner[1] - size[1]) // 2
    return np.ascontiguousarray(resized[y : y + size[1], x : x + size[0]])


def _usual(fps: float) -> float:
    nearest = min(USUAL_FPS, key=lambda usual: abs(usual - fps))
    return nearest if abs(nearest - fps) < NEAR_FPS * nearest else round(fps, 3)
