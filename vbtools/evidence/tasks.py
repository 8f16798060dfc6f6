"""Which parts of the evidence a project needs, and with which parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vbtools.config.params import ParameterError
from vbtools.errors import StageMissingError
from vbtools.evidence import all_parts, all_with_evidence
from vbtools.pipeline import State, Task, assess_stored
from vbtools.stages import Stage, all_stages

if TYPE_CHECKING:
    from vbtools.pipeline import Assessment
    from vbtools.store import Reader, Record

FIRST = "vbtools run leak --video VIDEO -p"
"""What makes everything that the evidence reads."""


def evidence_tasks(reader: Reader, quick: bool | None = None) -> list[Task]:
    """Every part that the project's stages allow, in order, for :func:`vbtools.pipeline.execute`.

    A part that was run before keeps its parameters, a recipe's thresholds among them. What is judged of the enhanced
    picture (gate) is left out where nothing was enhanced.

    Args:
        reader: the open project.
        quick: True makes the parts that can quick, but for one that is stored whole and fresh; False makes them whole;
            None leaves them as they were.

    Raises:
        StageMissingError: a stage of the pipeline that the evidence reads has not been run.
    """
    stored = {one.stage: one for one in assess_stored(reader, all_with_evidence())}
    has_enhanced = reader.record("enhance") is not None and reader.has("enhance", "image")
    tasks = []
    for part in all_parts():
        params = _parameters(part, stored[part.name], quick)
        if part.name == "verdict":
            params = replace(params, gate=has_enhanced and (params.gate or _older_than_enhance(reader)))
        if part.name != "gate" or has_enhanced:
            tasks.append(Task(part, params))
    _refuse_missing(reader, tasks)
    return tasks


def without_gate(tasks: list[Task]) -> bool:
    """Whether the enhanced picture is not judged."""
    return all(task.stage.name != "gate" for task in tasks)


def _parameters(part: Stage[Any], stored: Assessment, quick: bool | None) -> Any:
    params = _stored_parameters(part, stored.record)
    if quick is None or not hasattr(params, "quick"):
        return params
    is_whole = stored.state is State.FRESH and not params.quick
    return replace(params, quick=quick and not is_whole)


def _stored_parameters(part: Stage[Any], record: Record | None) -> Any:
    """Those of the last run; the defaults where there was none, or one of a version with other parameters."""
    try:
        return part.parameters(record.parameters if record else {})
    except ParameterError:
        return part.parameters({})


def _older_than_enhance(reader: Reader) -> bool:
    """Whether the stored verdict was made when there was no enhanced picture yet, and could not judge it."""
    verdict, enhance = reader.record("verdict"), reader.record("enhance")
    return verdict is not None and enhance is not None and verdict.started < enhance.started


def _refuse_missing(reader: Reader, tasks: list[Task]) -> None:
    needed = {name for task in tasks for name in task.stage.requires(task.params)}
    missing = [s.name for s in all_stages() if s.name in needed and reader.record(s.name) is None]
    if missing:
        verb = "has" if len(missing) == 1 else "have"
        raise StageMissingError(
            f"A verdict reads {', '.join(missing)}, which {verb} not been run on '{reader.path}'",
            f"Run: {FIRST} {reader.path}",
        )
