"""How a run looks on the terminal: each decision with its reason, progress, and what the stage has to say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vbtools.cli import console
from vbtools.cli.console import Bar
from vbtools.cli.interrupts import Interrupts
from vbtools.pipeline import Decision, Outcome, Task, execute


def execute_telling(
    project: Path, tasks: list[Task], video: Path | None = None, force: tuple[str, ...] = ()
) -> Outcome:
    """:func:`vbtools.pipeline.execute`, told on stderr, and stopped by Ctrl-C without losing anything."""
    from vbtools.evidence import all_with_evidence

    interrupts = Interrupts()
    with interrupts.watching():
        outcome = execute(project, tasks, video, force, TerminalListener(interrupts), all_with_evidence())
    for warning in outcome.plan.warnings:
        console.note(f"warning: {warning}")
    return outcome


class TerminalListener:
    """Tells on stderr what is decided, how far it is, and what came of it."""

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts = interrupts

    def decided(self, decision: Decision) -> None:
        """``align: stale: method none -> farneback``."""
        self._interrupts.check()
        console.note(str(decision) + ("" if decision.run else "; skipped"))

    @contextmanager
    def working(self, decision: Decision) -> Iterator[Bar]:
        """A progress bar named after the stage."""
        with console.progress(decision.task.stage.name, check=self._interrupts.check) as bar:
            yield bar

    def finished(self, decision: Decision, seconds: float, notes: list[str]) -> None:
        """The stage's notes, and how long it took."""
        for text in notes:
            console.note(f"  {text}")
        console.note(f"  {decision.task.stage.name} took {seconds:.1f} s")
