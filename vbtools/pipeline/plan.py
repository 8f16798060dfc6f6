"""What ``run`` decides: for every stage, run or skip, and the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vbtools.config.recipe import Recipe
from vbtools.errors import InputError, StageMissingError, UsageError
from vbtools.pipeline.freshness import (
    Assessment,
    State,
    assess,
    assess_stored,
    current_source,
    provenance_of,
    wanted_of,
)
from vbtools.stages import Stage, all_stages, stage_names
from vbtools.store import Reader, Source


@dataclass(frozen=True, slots=True)
class Task:
    """A stage with the parameters it should run with."""

    stage: Stage[Any]
    params: Any


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to one stage, and why."""

    task: Task
    assessment: Assessment
    run: bool
    reason: str
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.task.stage.name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions for a project, in pipeline order.

    Attributes:
        source: the recording, once extract is part of the plan.
        warnings: what a user should know about stages that are read but not part of the plan.
    """

    project: Path
    decisions: tuple[Decision, ...]
    source: Source | None
    warnings: tuple[str, ...] = ()

    @property
    def to_run(self) -> tuple[Decision, ...]:
        """The decisions to run."""
        return tuple(d for d in self.decisions if d.run)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, for ``--json``."""
        stages = [
            {
                "stage": d.task.stage.name,
                "action": "run" if d.run else "skip",
                "state": str(d.assessment.state),
                "reason": d.reason,
                "reasons": list(d.assessment.reasons),
                "fingerprint": d.assessment.wanted.fingerprint,
            }
            for d in self.decisions
        ]
        return {"project": str(self.project), "stages": stages, "warnings": list(self.warnings)}


def tasks_from(
    recipe: Recipe, first: str | None = None, last: str | None = None, known: Sequence[Stage[Any]] = ()
) -> list[Task]:
    """The stages of a recipe from ``first`` to ``last`` inclusive, each with checked parameters.

    A stage that a listed one reads, and that is not listed itself, comes with its defaults; so does the last, if named.

    Args:
        recipe: as read.
        first: the first stage; None for the recipe's.
        last: the last stage; None for the recipe's.
        known: all stages that a recipe may name, in order; the pipeline's where none are given.

    Raises:
        RecipeError: a value is wrong, with its place.
        UsageError: ``first`` comes after ``last``.
    """
    stages = known or all_stages()
    order = [s.name for s in stages]
    chosen = {s.name: Task(s, recipe.parameters(s.name, s.parameters)) for s in stages}
    wanted = {name for name in order if name in recipe.stages or name == last}
    for name in reversed(order):
        if name in wanted:
            wanted |= set(chosen[name].stage.requires(chosen[name].params))
    start = order.index(first) if first else 0
    stop = order.index(last) if last else len(order) - 1
    if start > stop:
        raise UsageError(f"--from {first} comes after --until {last}", f"The order is {', '.join(order)}")
    return [chosen[name] for name in order[start : stop + 1] if name in wanted]


def make_plan(
    project: Path,
    tasks: Sequence[Task],
    video: Path | None = None,
    force: Sequence[str] = (),
    known: Sequence[Stage[Any]] = (),
) -> Plan:
    """Decide for each task whether to run it. Reads the project; changes nothing.

    Args:
        project: the project file; need not exist.
        tasks: in pipeline order.
        video: the recording; where not given, the one that the project knows.
        force: names of stages to run although they are fresh.
        known: all stages that may be stored, in order; the pipeline's where none are given.

    Raises:
        InputError: there is no recording to read.
        StageMissingError: a stage that is read is neither stored nor among the tasks.
    """
    if not project.exists():
        return _plan(project, None, tasks, video, force, known)
    with Reader(project) as reader:
        return _plan(project, reader, tasks, video, force, known)


def _plan(
    project: Path,
    reader: Reader | None,
    tasks: Sequence[Task],
    video: Path | None,
    force: Sequence[str],
    known: Sequence[Stage[Any]],
) -> Plan:
    fingerprints, provenance, warnings = _stored(reader, {t.stage.name for t in tasks}, known)
    decisions: list[Decision] = []
    source: Source | None = None
    for task in tasks:
        stage = task.stage
        needs = stage.requires(task.params)
        for name in needs:
            if name not in fingerprints:
                raise StageMissingError(
                    f"{stage.name} reads {name}, which has not been run on '{project}'",
                    f"Run: {command_of(name)} -p {project}",
                )
        record = reader.record(stage.name) if reader else None
        if stage.reads_video:
            source = _source(record.source if record else None, video)
        wanted = wanted_of(
            stage, task.params, {n: fingerprints[n] for n in needs}, source if stage.reads_video else None, record
        )
        ancestors = _ancestors(needs, provenance, decisions)
        found = assess(reader, stage, wanted, ancestors)
        decisions.append(_decide(task, found, stage.name in force, ancestors))
        fingerprints[stage.name] = wanted.fingerprint
        provenance[stage.name] = wanted.provenance()
    relevant = {n for t in tasks for n in t.stage.requires(t.params)}
    return Plan(project, tuple(decisions), source, tuple(w for n, w in warnings.items() if n in relevant))


def command_of(name: str) -> str:
    """The command that runs a stage; a part of the evidence has none of its own: verdict runs what is missing."""
    return f"vbtools {name if name in stage_names() else 'verdict'}"


def _decide(task: Task, found: Assessment, forced: bool, ancestors: Mapping[str, Any]) -> Decision:
    if found.state is State.STALE:
        reason = f"stale: {'; '.join(found.reasons)}"
    elif found.state is State.MISSING:
        reason = "missing: has not been run"
    elif forced:
        reason = "forced"
    else:
        reason = "fresh: nothing has changed"
    return Decision(task, found, found.state is not State.FRESH or forced, reason, ancestors)


def _stored(
    reader: Reader | None, planned: set[str], known: Sequence[Stage[Any]]
) -> tuple[dict[str, str], dict[str, Any], dict[str, str]]:
    """Fingerprints, provenance and staleness of the stored stages that are not planned."""
    fingerprints: dict[str, str] = {}
    provenance: dict[str, Any] = {}
    warnings: dict[str, str] = {}
    if reader is None:
        return fingerprints, provenance, warnings
    for found in assess_stored(reader, known):
        if found.record is None or found.stage in planned:
            continue
        fingerprints[found.stage] = found.record.fingerprint
        provenance[found.stage] = provenance_of(found.record)
        if found.state is State.STALE:
            warnings[found.stage] = str(found)
    return fingerprints, provenance, warnings


def _ancestors(
    needs: Sequence[str], provenance: Mapping[str, Any], decisions: Sequence[Decision]
) -> dict[str, Any]:
    """Everything upstream, transitively, with its provenance as it will be."""
    by_name = {d.task.stage.name: d for d in decisions}
    found: dict[str, Any] = {}
    for name in needs:
        if name in by_name:
            found |= by_name[name].provenance
        found[name] = provenance[name]
    return found


def _source(known: Source | None, video: Path | None) -> Source:
    source = current_source(known, video)
    if source is None:
        raise InputError("There is no recording to read", "Name one: vbtools extract VIDEO, or run --video VIDEO")
    return source
