"""The call as the attacker has it: the recording that a project was made from, or what the project kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.evaluate.truth import frames_of
from vbtools.store import Reader

U8 = NDArray[np.uint8]

BLOCK_ROWS = 8
"""Stored frames are read so many at once."""


class Call:
    """Frames of a call, numbered as in the recording.

    Args:
        reader: the open project.
        size: (H, W) that the frames are brought to, px.

    Attributes:
        used: (T,) int64: numbers of the frames that the project uses, in growing order.
        recording: the recording; None where it is gone or has changed, and the project's own frames stand in for it.
    """

    def __init__(self, reader: Reader, size: tuple[int, int]) -> None:
        self._reader = reader
        self._size = size
        self.used: NDArray[np.int64] = reader.array("extract", "index")
        record = reader.record("extract")
        source = record.source if record is not None else None
        here = source is not None and Path(source.path).is_file() and Path(source.path).stat().st_size == source.size
        self.recording = Path(source.path) if source is not None and here else None

    def frames(self) -> Iterator[tuple[int, U8]]:
        """Number and picture, (H, W, 3) uint8 RGB, of each frame that is there, in order."""
        if self.recording is not None:
            numbered: Iterator[tuple[int, U8]] = enumerate(frames_of(self.recording))
        else:
            blocks = self._reader.blocks("extract", "frames", BLOCK_ROWS)
            numbered = zip(self.used.tolist(), (frame for block in blocks for frame in block), strict=True)
        for number, frame in numbered:
            yield number, self._at_size(frame)

    def _at_size(self, frame: U8) -> U8:
        if frame.shape[:2] == self._size:
            return frame
        method = cv2.INTER_AREA if frame.shape[0] > self._size[0] else cv2.INTER_CUBIC
        return cv2.resize(frame, self._size[::-1], interpolation=method)
