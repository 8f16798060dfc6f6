"""Running a plan: one stage after the other, each stored whole before the next begins."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from vbtools.errors import InputError, ProjectError, StageMissingError
from vbtools.pipeline.freshness import State, assess_stored
from vbtools.pipeline.plan import Decision, Plan, Task, make_plan
from vbtools.stages import Job, Progress, Silent
from vbtools.store import Reader, Record, Writer
from vbtools.store.record import software_versions, who


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
) -> Outcome:
    """Bring a project up to date.

    Everything that can be checked is checked before anything is written. If nothing has to run, no file is touched.

    Raises:
        VbtoolsError: of any kind; what had finished before is stored.
    """
    listener = listener or Quiet()
    plan = make_plan(project, tasks, video, force)
    _check(plan)
    if not plan.to_run:
        for decision in plan.decisions:
            listener.decided(decision)
        return Outcome(plan, {})
    _make_folder(project.parent)
    command = "vbtools " + shlex.join(sys.argv[1:])
    notes: dict[str, list[str]] = {}
    with Writer(project, command) as writer:
        plan = make_plan(project, tasks, video, force)  # again: somebody may have finished writing meanwhile
        writer.create()
        with _preloading(plan):
            for decision in plan.decisions:
                listener.decided(decision)
                if decision.run:
                    notes[decision.task.stage.name] = _run_stage(writer, plan, decision, listener, command)
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
    """Import what later stages need while the first one works; an import that fails, fails again where it is needed."""
    with ThreadPoolExecutor(1, thread_name_prefix="preload") as pool:
        for decision in plan.to_run[1:]:
            pool.submit(decision.task.stage.preload, decision.task.params)
        yield


def _check(plan: Plan) -> None:
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
        stored = {a.stage: a for a in assess_stored(reader)}
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
            f"Run: vbtools {name} -p {project}",
        )


def _run_stage(writer: Writer, plan: Plan, decision: Decision, listener: Listener, command: str) -> list[str]:
    stage, params, wanted = decision.task.stage, decision.task.params, decision.assessment.wanted
    started, clock = datetime.now(UTC), time.monotonic()
    notes: list[str] = []
    with writer.output(stage.name, stage.elements, wanted.fingerprint) as output:
        with writer.reader() as inputs, listener.working(decision) as progress:
            source = Path(plan.source.path) if plan.source and stage.reads_video else None
            stage.run(Job(params, inputs, output, source, progress, notes))
        user, host = who()
        duration = time.monotonic() - clock
        record = Record(
            stage=stage.name, version=stage.version, fingerprint=wanted.fingerprint, parameters=wanted.parameters,
            backend=list(wanted.backend), weights=wanted.weights, upstream=wanted.upstream,
            provenance=decision.provenance, software=software_versions(), seed=int(getattr(params, "seed", 0)),
            started=started.isoformat(timespec="milliseconds"), duration=round(duration, 3), user=user, host=host,
            command=command, source=wanted.source, notes=notes,
        )  # fmt: skip
        writer.commit(output, record)
    listener.finished(decision, duration, notes)
    return notes
