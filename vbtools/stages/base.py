"""What a stage is: a name, what it reads, its parameters, what it stores, and how it runs.

Stage modules import nothing heavy at the top: the command line reads their parameters to print its help.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from vbtools.config.params import Spec, build, specs
from vbtools.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vbtools.backends import Backend
    from vbtools.config.element import Element
    from vbtools.store.reader import Reader
    from vbtools.store.writer import StageOutput

P = TypeVar("P")


class Progress(Protocol):
    """Where a stage says how far it is; the command line draws it."""

    def start(self, total: int | None, unit: str) -> None:
        """Begin counting: ``total`` units of work, or None if that cannot be known."""

    def advance(self, done: int = 1) -> None:
        """Count units as done."""

    def say(self, text: str) -> None:
        """Tell the user one line that matters while the stage runs."""


class Silent:
    """A :class:`Progress` that shows nothing; for use from Python."""

    def start(self, total: int | None, unit: str) -> None:
        """Ignore the total."""

    def advance(self, done: int = 1) -> None:
        """Ignore the count."""

    def say(self, text: str) -> None:
        """Ignore the text."""


@dataclass(slots=True)
class Job(Generic[P]):
    """One run of a stage.

    Attributes:
        params: the stage's parameters, checked.
        inputs: the project as it was when the run began.
        output: where the stage's elements go.
        source: the recording; given to extract only.
        progress: where to say how far it is.
        notes: one-line facts about this run that the user should read; stored with the stage.
    """

    params: P
    inputs: Reader
    output: StageOutput
    source: Path | None = None
    progress: Progress = field(default_factory=Silent)
    notes: list[str] = field(default_factory=list)


class Stage(ABC, Generic[P]):
    """Base of all stages. A subclass is one file and one entry in ``vbtools.stages.STAGES``."""

    name: ClassVar[str]
    version: ClassVar[int]
    summary: ClassVar[str]
    example: ClassVar[str]
    elements: ClassVar[tuple[Element, ...]]
    Params: ClassVar[type]
    reads_video: ClassVar[bool] = False
    follows: ClassVar[tuple[str, str] | None] = None
    """Stage and element whose rows this stage can take one by one, each by itself, while that stage still makes them;
    such a stage has :meth:`follow`."""

    @classmethod
    def specs(cls) -> tuple[Spec, ...]:
        """The stage's parameters, in order."""
        return specs(cls.Params)

    @classmethod
    def parameters(cls, values: Mapping[str, Any]) -> P:
        """Check given values and fill in the defaults.

        Raises:
            ParameterError: as :func:`vbtools.config.params.build`.
        """
        made: P = build(cls.Params, values, cls.name)
        return made

    def requires(self, params: P) -> tuple[str, ...]:
        """The stages whose results this one reads, with these parameters."""
        return ()

    def backends(self, params: P) -> tuple[Backend, ...]:
        """The rows of the backend table that a run with these parameters uses."""
        return ()

    def models(self, params: P) -> tuple[str, ...]:
        """The catalog's models that a run with these parameters loads."""
        return ()

    def weight_files(self, params: P) -> tuple[str, ...]:
        """Files of weights, named by the user, that a run with these parameters loads."""
        return ()

    def check(self, params: P) -> None:
        """Raise, before anything is touched, what would stop a run: a missing extra, model, file or program."""
        from vbtools.models import resolve

        for row in self.backends(params):
            row.check()
        for file in self.weight_files(params):
            if not Path(file).is_file():
                raise InputError(f"{self.name}: there is no weights file '{file}'", "Check the path")
        for name in self.models(params):
            resolve(name)

    def preload(self, params: P) -> None:
        """Import what a run needs, so that it can be done while an earlier stage works."""
        for row in self.backends(params):
            row.preload()

    def can_follow(self, params: P) -> bool:
        """Whether a run with these parameters should begin while the followed stage still works."""
        return self.follows is not None

    def follow(self, job: Job[P], rows: Iterable[NDArray[Any]]) -> None:
        """Do the work of :meth:`run` on rows that come in one by one; only for a stage that :attr:`follows` another."""
        raise TypeError(f"{self.name} follows no stage")

    @abstractmethod
    def run(self, job: Job[P]) -> None:
        """Do the work: read ``job.inputs``, write ``job.output``."""
