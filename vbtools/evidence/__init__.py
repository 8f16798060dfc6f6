"""What the findings are worth: controls, power, and the verdict. Each part is a stage after those of the pipeline.

A new part is one file and one entry in :data:`PARTS`. Like stages, their modules import nothing heavy at the top.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from vbtools.stages import Stage, all_stages

PARTS: tuple[str, ...] = (
    "vbtools.evidence.timeline:Timeline",
    "vbtools.evidence.replay:Replay",
    "vbtools.evidence.control:Control",
    "vbtools.evidence.power:Power",
    "vbtools.evidence.gate:Gate",
    "vbtools.evidence.advice:Advice",
    "vbtools.evidence.verdict:Verdict",
)


@cache
def all_parts() -> tuple[Stage[Any], ...]:
    """One object a part, in order. Light: loads no image library."""
    made = []
    for entry in PARTS:
        module, _, attribute = entry.partition(":")
        made.append(getattr(import_module(module), attribute)())
    return tuple(made)


@cache
def all_with_evidence() -> tuple[Stage[Any], ...]:
    """The pipeline's stages and the parts of the evidence, in order."""
    return (*all_stages(), *all_parts())


__all__ = ["PARTS", "all_parts", "all_with_evidence"]
