"""The call as the attacker has it: the recording that a project was made from, or what the project kept of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.errors import InputError
from vbtools.evaluate.truth import frames_of
from vbtools.store import Reader

U8 = NDArray[np.uint8]

BLOCK_ROWS = 8
"""Stored frames are read so many at once."""


class Call:
    """Frames of a call, numbered as the truth's frames are.

    Args:
        reader: the open project.
        size: (H, W) that the frames are brought to, px.
        sent: of each frame of the recording the number of the truth's frame, None for none; the same number where not
            given. See :class:`vbtools.evaluate.truth.Truth`.

    Attributes:
        used: (T,) int64: numbers of the truth's frames that the project uses, in growing order.
        recording: the recording; None where it is gone or has changed, and the project's own frames stand in for it.

    Raises:
        InputError: the project uses frames that the truth does not tell of.
    """

    def __init__(self, reader: Reader, size: tuple[int, int], sent: Sequence[int | None] | None = None) -> None:
        self._reader = reader
        self._size = size
        self._sent = sent
        self._index: NDArray[np.int64] = reader.array("extract", "index")
        if sent is not None and self._index.max() >= len(sent):
            raise InputError(
                f"The project uses frame {int(self._index.max())} of its recording, but the truth tells of {len(sent)}",
                "Name the truth of this very call",
            )
        shown = [self._of_truth(number) for number in self._index.tolist()]
        self.used = np.array([number for number in shown if number is not None], np.int64)
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
            numbered = zip(self._index.tolist(), (frame for block in blocks for frame in block), strict=True)
        for number, frame in numbered:
            shown = self._of_truth(number)
            if shown is not None:
                yield shown, self._at_size(frame)

    def last_of(self, count: int) -> int:
        """The truth's last frame that the recording must show, of ``count``."""
        return count - 1 if self._sent is None else max((n for n in self._sent if n is not None), default=-1)

    def _of_truth(self, number: int) -> int | None:
        if self._sent is None:
            return number
        return self._sent[number] if number < len(self._sent) else None

    def _at_size(self, frame: U8) -> U8:
        if frame.shape[:2] == self._size:
            return frame
        method = cv2.INTER_AREA if frame.shape[0] > self._size[0] else cv2.INTER_CUBIC
        return cv2.resize(frame, self._size[::-1], interpolation=method)
