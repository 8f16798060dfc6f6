"""Stand-ins for the store: a project in memory, with the reader's and the stage output's methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbtools.config.element import Element
from vbtools.stages.base import Job, Stage


class FakeReader:
    """A project as ``vbtools.store.Reader`` shows it: ``{stage: {name: array}}``."""

    def __init__(self, stages: dict[str, dict[str, Any]]) -> None:
        self.stages = stages
        self.reads: list[str] = []

    def missing_bulk(self, stage: str) -> str:
        """Nothing is missing."""
        return ""

    def has(self, stage: str, name: str) -> bool:
        return name in self.stages.get(stage, {})

    def dataset(self, stage: str, name: str) -> Any:
        return _Dataset(self, f"{stage}/{name}", self.stages[stage][name])

    def array(self, stage: str, name: str) -> NDArray[Any]:
        return np.array(self.stages[stage][name])

    def table(self, stage: str, name: str) -> list[dict[str, Any]]:
        return list(self.stages[stage][name])

    def blocks(self, stage: str, name: str, rows: int = 16) -> Iterator[NDArray[Any]]:
        data = self.dataset(stage, name)
        for start in range(0, len(data), rows):
            yield data[start : start + rows]

    def record(self, stage: str) -> None:
        return None


class _Dataset:
    """Slices copy, as HDF5's do; every read is noted."""

    def __init__(self, reader: FakeReader, name: str, data: NDArray[Any]) -> None:
        self._reader, self._name, self._data = reader, name, data
        self.shape, self.dtype = data.shape, data.dtype

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        self._reader.reads.append(self._name)
        return np.array(self._data[index])


class FakeOutput:
    """Collects what a stage writes, checked against its elements as ``vbtools.store.StageOutput`` does."""

    def __init__(self, elements: Sequence[Element]) -> None:
        self._elements = {e.name: e for e in elements}
        self._parts: dict[str, list[NDArray[Any]]] = {}
        self._whole: dict[str, Any] = {}

    def append(self, name: str, array: NDArray[Any]) -> None:
        self._check(name, array)
        self._parts.setdefault(name, []).append(array.copy())

    def write(self, name: str, array: NDArray[Any]) -> None:
        self._check(name, array)
        self._whole[name] = array.copy()

    def rows(self, name: str, rows: list[dict[str, Any]]) -> None:
        columns = {c.name for c in self._elements[name].columns}
        for row in rows:
            if set(row) != columns:
                raise ValueError(f"{name} has columns {columns}, got {set(row)}")
        self._whole[name] = list(rows)

    def stored(self) -> dict[str, Any]:
        """Everything written; raises if an element that is not optional is missing."""
        found = dict(self._whole) | {name: np.concatenate(parts) for name, parts in self._parts.items()}
        missing = [e.name for e in self._elements.values() if not e.optional and e.name not in found]
        if missing:
            raise ValueError(f"not written: {missing}")
        return found

    def _check(self, name: str, array: NDArray[Any]) -> None:
        element = self._elements[name]
        if array.dtype != np.dtype(element.dtype):
            raise TypeError(f"{name} is {array.dtype}, not {element.dtype}")
        if array.ndim != len(element.dims):
            raise ValueError(f"{name} has {array.ndim} axes, not {element.dims}")
        for length, axis in zip(array.shape, element.dims, strict=True):
            if axis.isdigit() and length != int(axis):
                raise ValueError(f"{name} is {array.shape}, not {element.dims}")


class CountingProgress:
    """A progress that remembers what it was told."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0

    def start(self, total: int | None, unit: str) -> None:
        self.total = total

    def advance(self, done: int = 1) -> None:
        self.done += done

    def say(self, text: str) -> None:
        raise AssertionError(f"nothing is to be said here: {text}")


def run_stage(stage: Stage[Any], stages: dict[str, dict[str, Any]], **values: Any) -> tuple[dict[str, Any], Job[Any]]:
    """Run a stage over arrays; returns what it stored, and its job (notes, progress, inputs)."""
    output = FakeOutput(stage.elements)
    job: Job[Any] = Job(
        params=stage.parameters(values),
        inputs=FakeReader(stages),  # type: ignore[arg-type]
        output=output,  # type: ignore[arg-type]
        progress=CountingProgress(),
    )
    stage.run(job)
    return output.stored(), job
