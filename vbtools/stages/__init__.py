"""The stages of the pipeline, in order. A new stage is one file and one entry in :data:`STAGES`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from vbtools.errors import UsageError, nearest
from vbtools.stages.base import Job, Progress, Silent, Stage

STAGES: tuple[str, ...] = (
    "vbtools.stages.extract:Extract",
    "vbtools.stages.segment:Segment",
    "vbtools.stages.align:Align",
    "vbtools.stages.aggregate:Aggregate",
    "vbtools.stages.enhance:Enhance",
    "vbtools.stages.inspect:Inspect",
)


@cache
def all_stages() -> tuple[Stage[Any], ...]:
    """One object a stage, in pipeline order. Light: loads no image library."""
    made = []
    for entry in STAGES:
        module, _, attribute = entry.partition(":")
        made.append(getattr(import_module(module), attribute)())
    return tuple(made)


def stage_names() -> tuple[str, ...]:
    """The names of all stages, in pipeline order."""
    return tuple(s.name for s in all_stages())


def stage(name: str) -> Stage[Any]:
    """Find a stage by name.

    Raises:
        UsageError: for a name that is not a stage.
    """
    for one in all_stages():
        if one.name == name:
            return one
    raise UsageError(f"There is no stage '{name}'", nearest(name, stage_names()))


__all__ = ["STAGES", "Job", "Progress", "Silent", "Stage", "all_stages", "stage", "stage_names"]
