"""Running a plan: one stage after the other, each stored whole before the next begins."""

from __future__ import annotations

import ctypes
import gc
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from vbtools.errors import InputError, ProjectError, StageMissingError, VbtoolsError
from vbtools.pipeline.ahead import Ahead, begin_ahead
from vbtools.pipeline.freshness import State, assess_stored
from vbtools.pipeline.plan import Decision, Plan, Task, command_of, make_plan
from vbtools.stages import Job, Progress, Silent, Stage
from vbtools.store import Reader, Record, Writer
from vbtools.store.record import software_versions, who
from vbtools.store.writer import StageOutput

SWITCH_S = 0.0005
"""How long one thread may keep Python to itself while others wait for it. At Python's own 5 ms, an import that runs
beside a stage holds up each frame of it."""
GARBAGE_EVERY = 500_000
"""New objects after which Python looks for garbage while it imports. At its own 700 it looks through all of numba again
and again, a fifth of the import's time; when it goes back to that, what was imported is put out of its sight."""


_OUTERMOST = Lock()
"""Held by the run that imports ahead."""


class Listener(Protocol):
    """Who is told how a run goes; the command line draws it."""

    def decided(self, decision: Decision) -> None:
        """A stage will be run, or skipped, for this reason."""

    def working(self, decision: Decision) -> AbstractContextManager[Progress]:
        """A stage runs from entering to leaving."""

    def finished(self, decision: Decision, seconds: float, notes: list[str]) -> None:
        """A stage has been stored."""


class Quiet:
    """A :class:`Listener` that shows nothing; for use from Python."""

    def decided(self, decision: Decision) -> None:
        """Ignore it."""

    @contextmanager
    def working(self, decision: Decision) -> Iterator[Progress]:
        """Show nothing."""
        yield Silent()

    def finished(self, decision: Decision, seconds: float, notes: list[str]) -> None:
        """Ignore it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What :func:`execute` did: the plan as it was carried out, and the notes of each stage that ran."""

    plan: Plan
    notes: dict[str, list[str]]


def execute(
    project: Path,
    tasks: list[Task],
    video: Path | None = None,
    force: tuple[str, ...] = (),
    listener: Listener | None = None,
    known: Sequence[Stage[Any]] = (),
) -> Outcome:
    """Bring a project up to date.

    Everything that can be checked is checked before anything is written. If nothing has to run, no file is touched.

    Args:
        project: the project file; need not exist.
        tasks: in pipeline order.
        video: the recording; where not given, the one that the project knows.
        force: names of stages to run although they are fresh.
        listener: told of what happens.
        known: all stages that may be stored, in order; the pipeline's where none are given.

    Raises:
        VbtoolsError: of any kind; what had finished before is stored.
    """
    listener = listener or Quiet()
    plan = make_plan(project, tasks, video, force, known)
    _check(plan, known)
    if not plan.to_run:
        for decision in plan.decisions:
            listener.decided(decision)
        return Outcome(plan, {})
    _make_folder(project.parent)
    command = "vbtools " + shlex.join(sys.argv[1:])
    notes: dict[str, list[str]] = {}
    with Writer(project, command) as writer:
        plan = make_plan(project, tasks, video, force, known)  # again: somebody may have finished writing meanwhile
        writer.create()
        with _preloading(plan), ExitStack() as held:
            begun: Ahead | None = None
            for place, decision in enumerate(plan.decisions):
                listener.decided(decision)
                if decision.run:
                    done, begun = begun, begin_ahead(writer, held, plan.decisions, place)
                    run = _Run(writer, plan, decision, listener, command)
                    stored = run.take_over(done)
                    notes[decision.task.stage.name] = run.do(begun) if stored is None else stored
    return Outcome(plan, notes)


def _make_folder(folder: Path) -> None:
    """Make the folder of a new project: recipes name results/NAME.h5, and a fresh checkout has no results/."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(
            f"The folder '{folder}' cannot be made ({error.strerror})", "Name another project with -p"
        ) from error


@contextmanager
def _preloading(plan: Plan) -> Iterator[None]:
    """Import what later stages need while the first one works; an import that fails, fails again where it is needed.

    Runs within a run, as replays are, leave it to the outermost: what is set here holds for the whole process.
    """
    if not _OUTERMOST.acquire(blocking=False):
        yield
        return
    try:
        with _imported_meanwhile(plan):
            yield
    finally:
        _OUTERMOST.release()


@contextmanager
def _imported_meanwhile(plan: Plan) -> Iterator[None]:
    usual, thresholds, frozen = sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count()

    def load() -> None:
        gc.set_threshold(GARBAGE_EVERY, *thresholds[1:])
        try:
            for decision in plan.to_run[1:]:
                with suppress(ImportError, VbtoolsError):
                    decision.task.stage.preload(decision.task.params)
        finally:
            gc.freeze()
            gc.set_threshold(*thresholds)

    sys.setswitchinterval(SWITCH_S)
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="preload") as pool:
            pool.submit(load)
            yield
    finally:
        sys.setswitchinterval(usual)
        if not frozen:
            gc.unfreeze()


def _give_back_memory() -> None:
    """Let the C library return what a stage has freed, so that stages do not add up; where it can (glibc).

    It takes 0.05 s, and is worth it after those that passed bulk through many buffers.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _check(plan: Plan, known: Sequence[Stage[Any]]) -> None:
    """Find before the first stage runs what would stop a later one."""
    for decision in plan.to_run:
        if decision.task.stage.reads_video and plan.source and not Path(plan.source.path).is_file():
            raise InputError(
                f"{decision.task.stage.name} has to run ({decision.reason}), but the recording "
                f"'{plan.source.path}' is not there any more",
                f"Put it back, or name it where it is now (its sha256 is {plan.source.sha256})",
            )
        decision.task.stage.check(decision.task.params)
    if not plan.project.exists():
        return
    planned = {d.task.stage.name for d in plan.decisions}
    with Reader(plan.project) as reader:
        stored = {a.stage: a for a in assess_stored(reader, known)}
        for decision in plan.to_run:
            for name in decision.task.stage.requires(decision.task.params):
                if name not in planned:
                    _refuse_inconsistent(reader, decision.task.stage.name, name, stored, plan.project)


def _refuse_inconsistent(reader: Reader, stage: str, name: str, stored: dict[str, Any], project: Path) -> None:
    """Refuse to build on a stage that was made from another upstream than the one that is stored now."""
    found = stored[name]
    record = found.record
    if record is None or found.state is State.FRESH:
        return
    upstream = {up: reader.record(up) for up in record.upstream}
    if any(r is None or r.fingerprint != record.upstream[up] for up, r in upstream.items()):
        raise StageMissingError(
            f"{stage} reads {name}, which is stale ({'; '.join(found.reasons)})",
            f"Run: {command_of(name)} -p {project}",
        )


@dataclass(frozen=True, slots=True)
class _Run:
    """One stage's turn."""

    writer: Writer
    plan: Plan
    decision: Decision
    listener: Listener
    command: str

    def do(self, following: Ahead | None) -> list[str]:
        """Run the stage and store it; its notes. ``following`` gets its rows while they are made."""
        stage, wanted = self.decision.task.stage, self.decision.assessment.wanted
        started, clock = datetime.now(UTC), time.monotonic()
        notes: list[str] = []
        with self.writer.output(stage.name, stage.elements, wanted.fingerprint) as output:
            if following is not None:
                output.on_append = following.take
            with self.writer.reader() as inputs, self.listener.working(self.decision) as progress:
                source = Path(self.plan.source.path) if self.plan.source and stage.reads_video else None
                stage.run(Job(self.decision.task.params, inputs, output, source, progress, notes))
            if following is not None:
                following.end(output)
            self._store(output, started, time.monotonic() - clock, notes)
        return notes

    def take_over(self, done: Ahead | None) -> list[str] | None:
        """Store what was done ahead; its notes, or None where nothing was, or where it failed."""
        if done is None:
            return None
        with self.listener.working(self.decision):
            if not done.finish():
                return None
        self._store(done.output, done.started, done.seconds, done.notes)
        return done.notes

    def _store(self, output: StageOutput, started: datetime, duration: float, notes: list[str]) -> None:
        stage, params, wanted = self.decision.task.stage, self.decision.task.params, self.decision.assessment.wanted
        user, host = who()
        record = Record(
            stage=stage.name, version=stage.version, fingerprint=wanted.fingerprint, parameters=wanted.parameters,
            backend=list(wanted.backend), weights=wanted.weights, upstream=wanted.upstream,
            provenance=self.decision.provenance, software=software_versions(), seed=int(getattr(params, "seed", 0)),
            started=started.isoformat(timespec="milliseconds"), duration=round(duration, 3), user=user, host=host,
            command=self.command, source=wanted.source, notes=notes,
        )  # fmt: skip
        self.writer.commit(output, record)
        if output.bulk.names:
            _give_back_memory()
        self.listener.finished(self.decision, duration, notes)
