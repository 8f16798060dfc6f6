"""The one place that prints. Answers go to stdout; progress, reasons and errors to stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from vbtools.errors import VbtoolsError

QUIET_INTERVAL_S = 10.0
"""Where stderr is not a terminal (a CI log), progress is told this often."""


def say(text: str = "") -> None:
    """Print a line of the answer."""
    click.echo(_printable(text))


def note(text: str) -> None:
    """Print a line about what is being done."""
    click.echo(_printable(text), err=True)


def emit_json(value: Any) -> None:
    """Print the answer as JSON for a script."""
    click.echo(_printable(json.dumps(value, indent=2, ensure_ascii=False, default=str)))


def error(problem: VbtoolsError) -> None:
    """Print an error: the fact, and what to do."""
    click.echo(click.style("error: ", fg="red", bold=True) + _printable(str(problem)), err=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows under headings; whole lines when the output is not a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    drawn = Table(*columns, box=SIMPLE_HEAD, pad_edge=False, highlight=False)
    for row in rows:
        drawn.add_row(*(_cell(value) for value in row))
    wide = None if sys.stdout.isatty() else 240
    Console(width=wide, markup=False, emoji=False).print(drawn)


class Bar:
    """Counts work; drawn with rate and time left on a terminal, told now and then elsewhere.

    Args:
        description: what is being done.
        check: called at every count; may raise to stop the work.
    """

    def __init__(self, description: str, check: Callable[[], None] | None = None) -> None:
        self.description = description
        self._check = check
        self._total: int | None = None
        self._unit = ""
        self._done = 0
        self._begun = self._told = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def start(self, total: int | None, unit: str) -> None:
        """Begin counting ``total`` units; None if it cannot be known."""
        if self._check is not None:
            self._check()
        self._total, self._unit, self._done = total, unit, 0
        self._begun = self._told = time.monotonic()
        self.close()  # a bar that goes on being drawn beside the next would write into the answer
        if sys.stderr.isatty():
            self._draw()

    def advance(self, done: int = 1) -> None:
        """Count units as done."""
        self.update(self._done + done)

    def update(self, done: int, total: int | None = None) -> None:
        """Set the count, and the total if it has become known."""
        if self._check is not None:
            self._check()
        self._done = done
        self._total = total if total is not None else self._total
        if self._bar is None and sys.stderr.isatty():
            self._draw()
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=self._total, rate=self._rate())
        elif time.monotonic() - self._told >= QUIET_INTERVAL_S:
            self._told = time.monotonic()
            note(f"{self.description}: {self._in_words()}")

    def say(self, text: str) -> None:
        """Tell one line while the bar is drawn."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            note(text)

    def close(self) -> None:
        """Take the bar off the screen."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _rate(self) -> str:
        passed = time.monotonic() - self._begun
        return f"{self._done / passed:.1f} {self._unit}/s" if passed > 0 and self._done else ""

    def _in_words(self) -> str:
        of = f"/{self._total}" if self._total else ""
        alone = (self._total or self._done) == 1
        counted = f"{self._done}{of} {self._unit.removesuffix('s') if alone else self._unit}".strip()
        words = ", ".join(filter(None, (counted, self._rate())))
        passed = time.monotonic() - self._begun
        if self._total and self._done:
            words += f", {passed / self._done * max(self._total - self._done, 0):.0f} s left"
        return words

    def _draw(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(), console=Console(stderr=True), transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task(self.description, total=self._total, rate="")
        self._bar.start()


@contextmanager
def progress(
    description: str, total: int | None = None, check: Callable[[], None] | None = None
) -> Iterator[Bar]:
    """A :class:`Bar` from entering to leaving."""
    bar = Bar(description, check)
    if total is not None:
        bar.start(total, "")
    try:
        yield bar
    finally:
        bar.close()


def _cell(value: Any) -> str:
    return "" if value is None else _printable(str(value))


def _printable(text: str) -> str:
    """A file's name need not be UTF-8; what is no text is shown escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
