"""How a run looks on the terminal: each decision with its reason, progress, and what the stage has to say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vbtools.cli import console
from vbtools.cli.console import Bar
from vbtools.pipeline import Decision


class TerminalListener:
    """Tells on stderr what is decided, how far it is, and what came of it."""

    def decided(self, decision: Decision) -> None:
        """``align: stale: method none -> farneback``."""
        console.note(str(decision) + ("" if decision.run else "; skipped"))

    @contextmanager
    def working(self, decision: Decision) -> Iterator[Bar]:
        """A progress bar named after the stage."""
        with console.progress(decision.task.stage.name) as bar:
            yield bar

    def finished(self, decision: Decision, seconds: float, notes: list[str]) -> None:
        """The stage's notes, and how long it took."""
        for text in notes:
            console.note(f"  {text}")
        console.note(f"  {decision.task.stage.name} took {seconds:.1f} s")
