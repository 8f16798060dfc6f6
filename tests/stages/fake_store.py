"""A project in memory: enough of vbtools.store's reader for one stage, and its real output."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from vbtools.stages.base import Job, Stage
from vbtools.store.writer import StageOutput


class FakeReader:
    """Elements by (stage, name), as arrays."""

    def __init__(self, stored: Mapping[tuple[str, str], Any]) -> None:
        self.tables = {key: value for key, value in stored.items() if isinstance(value, list)}
        self.stored = {key: np.asarray(value) for key, value in stored.items() if key not in self.tables}

    def has(self, stage: str, name: str) -> bool:
        return (stage, name) in self.stored or (stage, name) in self.tables

    def table(self, stage: str, name: str) -> list[dict[str, Any]]:
        return self.tables[stage, name]

    def array(self, stage: str, name: str) -> np.ndarray:
        return self.stored[stage, name].copy()

    dataset = array

    def missing_bulk(self, stage: str) -> str:
        """Nothing is missing."""
        return ""

    def record(self, stage: str) -> None:
        """Of no stage there is one."""


class Counted:
    """A Progress that remembers."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0
        self.said: list[str] = []

    def start(self, total: int | None, unit: str) -> None:
        self.total = total

    def advance(self, done: int = 1) -> None:
        self.done += done

    def say(self, text: str) -> None:
        self.said.append(text)


class Ran:
    """What one run of a stage left: notes, progress, arrays and tables."""

    def __init__(self, stage: Stage[Any], values: Mapping[str, Any], stored: Mapping[tuple[str, str], Any]) -> None:
        output = StageOutput(stage.elements, cast(Any, _NoBulk()))
        self.progress = Counted()
        job = Job(stage.parameters(values), cast(Any, FakeReader(stored)), output, progress=self.progress)
        stage.run(job)
        output.check_whole()
        self.notes = job.notes
        self.arrays = {name: data for name, (element, data) in output.small.items() if not element.columns}
        self.tables = {name: _rows(data) for name, (element, data) in output.small.items() if element.columns}


class _NoBulk:
    names: tuple[str, ...] = ()


def _rows(data: np.ndarray) -> list[dict[str, Any]]:
    return [{column: row[column] for column in data.dtype.names or ()} for row in data]
