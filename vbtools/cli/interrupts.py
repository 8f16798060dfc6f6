"""Ctrl-C while a stage runs: taken between two units of work, never inside of a write.

An exception that Python raises at any instant can surface inside HDF5's callbacks, where it is lost or leaves the
library confused. So the first Ctrl-C is only noted, and acted on when the stage next counts its progress; a second one
stops at once, wherever the program is. Both lose nothing that had finished.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from vbtools.cli import console


class Interrupts:
    """Notes Ctrl-C; :meth:`check` raises KeyboardInterrupt once it has come."""

    def __init__(self) -> None:
        self._came = False

    def check(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C has come."""
        if self._came:
            raise KeyboardInterrupt

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Take Ctrl-C this way from entering to leaving; one that came too late for :meth:`check` counts on leaving."""
        before: Any = signal.signal(signal.SIGINT, self._take)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
        self.check()

    def _take(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        console.note("Stopping at the next frame; Ctrl-C again stops at once")
