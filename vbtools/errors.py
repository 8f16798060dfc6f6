"""The one exception tree, and the exit codes that the command line gives for it.

Every message states the fact, the value, and what to do. ``vbtools.cli.main`` is the only place that catches
:class:`VbtoolsError`; everything below raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import ClassVar


class VbtoolsError(Exception):
    """Base of everything that a user, a file or a machine can cause.

    Args:
        fact: what is the case, with the value that matters.
        hint: what to do about it: a command, or the nearest valid name.
    """

    exit_code: ClassVar[int] = 1
    meaning: ClassVar[str] = "something else went wrong"

    def __init__(self, fact: str, hint: str = "") -> None:
        super().__init__(fact)
        self.fact = fact
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.fact}. {self.hint}" if self.hint else self.fact


class UsageError(VbtoolsError):
    """An option, parameter or combination of them that makes no sense."""

    exit_code = 2
    meaning = "bad usage: an unknown option, name or value"


class RecipeError(UsageError):
    """A recipe or ``--set`` that cannot be understood; the text shows where."""

    exit_code = 3
    meaning = "bad recipe: the message shows file, line and column"


class InputError(VbtoolsError):
    """A recording or picture that is missing, unreadable or holds nothing usable."""

    exit_code = 4
    meaning = "bad input: the recording or picture cannot be used"


class ProjectError(VbtoolsError):
    """A project file that is missing, foreign, newer, damaged, or cannot be written."""

    exit_code = 5
    meaning = "bad project: not ours, newer, damaged, read-only, or bulk data is missing"


class BulkMissingError(ProjectError):
    """A stage's bulk file beside the project is gone, cut short or not the one that was written."""


class StageMissingError(ProjectError):
    """A stage was asked for before the stage that it reads."""

    exit_code = 6
    meaning = "a stage that is needed first has not been run"


class LockedError(ProjectError):
    """Another process is writing to the project."""

    exit_code = 7
    meaning = "the project is locked by another writer"


class MissingDependencyError(VbtoolsError):
    """An extra, a program or a model is not installed; the hint is the command that mends it."""

    exit_code = 8
    meaning = "an optional package, program or model is missing"


class ModelError(VbtoolsError):
    """A model file or a download of one is wrong: bad checksum, refused, unreachable."""

    exit_code = 9
    meaning = "a model could not be fetched or is not what it should be"


class StorageError(ProjectError):
    """The disk is full or the operating system refused a write; nothing stored was touched."""

    exit_code = 12
    meaning = "the disk is full or refused a write"


class NotBuiltError(VbtoolsError):
    """A registered name whose implementation is not in this version."""

    exit_code = 13
    meaning = "registered, but not built in this version"


class InterruptedRun(VbtoolsError):
    """Ctrl-C: everything that had finished is stored."""

    exit_code = 130
    meaning = "interrupted (Ctrl-C)"


VERDICT_EXIT_CODES = {10: "verdict: leak shown", 11: "verdict: inconclusive"}


def nearest(name: str, valid: Sequence[str]) -> str:
    """One phrase that helps with a mistyped ``name``: the nearest valid one, else all of them."""
    match = get_close_matches(str(name), list(valid), n=1, cutoff=0.5)
    if match:
        return f"Did you mean '{match[0]}'?"
    return "Valid: " + ", ".join(valid) if valid else "Nothing is valid here"
