"""A small project of the store's own making, for the tests of the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from small_records import record

from vbtools.config.element import Column, Element, table
from vbtools.store import StageOutput, Writer

FRAMES = Element("frames", "uint8", ("T", "H", "W", "3"), "frames", "0-255", bulk=True)
FLOW = Element("flow", "int16", ("T", "h", "w", "2"), "motion", bulk=True, optional=True)
TIME = Element("time", "float64", ("T",), "when", "s", optional=True)
STEP = Element("<step>", "uint8", ("H", "W", "3"), "a picture", optional=True)
WORDS = table(
    "words", "words read",
    Column("text", "str", "the word"), Column("x", "float64", "left", "px"), Column("n", "int64", "count"),
    Column("sure", "uint8", "0/1"), optional=True,
)  # fmt: skip
ELEMENTS = (FRAMES, FLOW, TIME, STEP, WORDS)
A, B, C = "a" * 64, "b" * 64, "c" * 64


def pictures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 5, 7, 3), dtype=np.uint8)


@contextmanager
def writing(project: Path, print_: str = A, stage: str = "extract") -> Iterator[tuple[Writer, StageOutput]]:
    with Writer(project, "vbtools test") as writer, writer.output(stage, ELEMENTS, print_) as output:
        yield writer, output


def store(
    project: Path, print_: str = A, stage: str = "extract", count: int = 20, seed: int = 0, **changes: Any
) -> None:
    """Store one stage with bulk, a small element and a table."""
    with writing(project, print_, stage) as (writer, output):
        output.append("frames", pictures(count, seed))
        output.write("time", np.arange(float(count)))
        output.rows("words", [{"text": "Zürich", "x": 1.5, "n": 2, "sure": 1}])
        writer.commit(output, record(stage, print_, **changes))


def bulk(project: Path) -> set[str]:
    return {f.name for f in project.with_suffix(".data").iterdir()}
