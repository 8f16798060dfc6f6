"""How many threads OpenCV may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2


@contextmanager
def opencv_threads(count: int) -> Iterator[None]:
    """Limit OpenCV's own threads, of this process, from entering to leaving.

    Where frames are worked on side by side, one each is best: sharing out a small frame costs more than it saves.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(count)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
