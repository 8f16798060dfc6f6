"""A second segmenter looks where the first one misses what is sharp.

The two selfie models fail on different frames, and a frame whose person was not seen is worse than none: the person
gets into the plate, and the person's own detail is taken for the room's. The second model takes two to three times as
long as the first, so it is asked only where something sharp lies beside the first one's mask, and there only when there
is reason to: at the first such frame and every :data:`EVERY` of them, as long as it finds something, and where the
first one's mask has suddenly become smaller.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    U8 = NDArray[np.uint8]

EVERY = 25
"""Frames: a second."""
SHRUNK = 0.85
"""Of the mask's area at the last look; people move slower than that."""


class SecondLook:
    """Person probability for frames in their order, by two segmenters.

    Args:
        first: a segmenter as :class:`vbtools.backends.segment.mediapipe.MediaPipeSegmenter`.
        second: opens another one, when it is first needed. Both are closed with this one.

    Attributes:
        grid: (h, w) of the first.
        added: frames in which the second saw a person whom the first did not.
    """

    def __init__(self, first: Any, second: Callable[[], Any]) -> None:
        self.grid: tuple[int, int] | None = first.grid
        self.added = 0
        self._first, self._open = first, second
        self._second: Any = None
        self._since, self._area, self._helped = EVERY, 0.0, False

    def __call__(self, frame: U8, whole: Callable[[tuple[int, int] | None], U8] | None = None) -> U8:
        """Where the person is in the next frame.

        Args:
            frame: (h, w, 3) uint8, RGB, at the first segmenter's size.
            whole: gives the same frame at another segmenter's size (h, w); the given one where it is missing.

        Returns:
            (h, w) uint8: person probability x 255; of both, the larger, where the second saw what the first missed.
        """
        import cv2
        import numpy as np

        from vbtools.ops.missed import NOTICED, PERSON, Sharp

        person: U8 = self._first(frame)
        self._since += 1
        if not self._has_reason(person):
            return person
        sharp = Sharp.of(frame)
        if sharp.beside(person) < NOTICED:
            return person
        self._since = 0
        if self._second is None:
            self._second = self._open()
        other = self._second(frame if whole is None else whole(self._second.grid))
        other = np.asarray(cv2.resize(other, person.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
        self._helped = sharp.speaks_for(person, other)
        if self._helped:
            self.added += 1
            person = np.maximum(person, other)
        self._area = float((person >= PERSON).mean())
        return person

    def _has_reason(self, person: U8) -> bool:
        from vbtools.ops.missed import PERSON

        return self._helped or self._since >= EVERY or float((person >= PERSON).mean()) < SHRUNK * self._area

    def close(self) -> None:
        """Free both models."""
        with ExitStack() as stack:
            stack.callback(self._first.close)
            if self._second is not None:
                stack.callback(self._second.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
