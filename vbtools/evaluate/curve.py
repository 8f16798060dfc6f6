"""What a shorter call would have given: the project's own method on its first frames."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from vbtools.errors import StageMissingError
from vbtools.evaluate.pictures import PLATE, Estimate, estimate
from vbtools.stages import Job, stage
from vbtools.store import Reader, StageOutput

FRACTIONS = (0.25, 0.5)
"""Of the project's frames, besides all of them."""
FEWEST_FRAMES = 4
"""A shorter call is not tried."""
QUICK_S = 6.0
"""The curve is made unasked while the stored run of aggregate took at most so long: it takes three quarters of that."""


def lengths_of(count: int) -> tuple[int, ...]:
    """The numbers of first frames that the curve is made for, besides all ``count``."""
    return tuple(sorted({n for f in FRACTIONS if FEWEST_FRAMES <= (n := math.ceil(f * count)) < count}))


def seconds_of(time_s: NDArray[np.float64], count: int) -> float:
    """How long the first ``count`` frames are, s: the last one is shown for the usual interval."""
    usual = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 0.0
    return float(time_s[count - 1] - time_s[0]) + usual


def is_quick(reader: Reader) -> bool:
    """Whether running aggregate again takes little time."""
    record = reader.record("aggregate")
    return record is not None and record.duration <= QUICK_S


def background_of_first(reader: Reader, count: int, size: tuple[int, int]) -> Estimate:
    """Run aggregate, with the parameters that it was run with, on the project's first ``count`` frames.

    Masks and motion are taken as they are stored; nothing is written.

    Raises:
        VbtoolsError: aggregate cannot use these frames, or the frames are gone.
    """
    record = reader.record("aggregate")
    if record is None:
        raise StageMissingError(f"'{reader.path}' has no aggregate yet", f"Run: vbtools aggregate -p {reader.path}")
    one = stage("aggregate")
    held = Held()
    one.run(Job(one.parameters(record.parameters), cast(Reader, FirstFrames(reader, count)), cast(StageOutput, held)))
    background, coverage = held.arrays[PLATE[1]], held.arrays["coverage"]
    return estimate(f"/{'/'.join(PLATE)}, first {count} frames", background, coverage > 0, size)


class FirstFrames:
    """A project as if the call had ended after its first frames: every element with one row a frame is cut short.

    Args:
        reader: the open project.
        count: how many frames.
    """

    def __init__(self, reader: Reader, count: int) -> None:
        self._reader = reader
        self._count = count

    def dataset(self, stage_name: str, name: str) -> Any:
        """An element, cut short where its first axis is the frames."""
        data = self._reader.dataset(stage_name, name)
        element = next((e for e in stage(stage_name).elements if e.name == name), None)
        return FirstRows(data, self._count) if element is not None and element.dims[:1] == ("T",) else data

    def array(self, stage_name: str, name: str) -> NDArray[Any]:
        """A whole element in memory."""
        return np.asarray(self.dataset(stage_name, name)[()])

    def blocks(self, stage_name: str, name: str, rows: int = 16) -> Any:
        """An element in consecutive blocks of at most ``rows``."""
        data = self.dataset(stage_name, name)
        return (data[start : start + rows] for start in range(0, len(data), rows))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


class FirstRows:
    """The first rows of a dataset, sliced as the dataset is."""

    def __init__(self, data: Any, count: int) -> None:
        self._data = data
        self._count = min(count, len(data))
        self.shape = (self._count, *data.shape[1:])
        self.dtype = data.dtype
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, key: Any) -> Any:
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) and key else (key, ())
        if isinstance(first, slice):
            return self._data[(slice(*first.indices(self._count)), *rest)]
        if isinstance(first, int | np.integer):
            row = int(first) + (self._count if first < 0 else 0)
            if not 0 <= row < self._count:
                raise IndexError(f"row {first} of {self._count}")
            return self._data[(row, *rest)]
        return self._data[: self._count][key]


class Held:
    """A stage's output, kept in memory.

    Attributes:
        arrays: element -> array.
        tables: element -> rows.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}
        self.tables: dict[str, list[Mapping[str, Any]]] = {}

    def write(self, name: str, data: NDArray[Any]) -> None:
        """Keep a whole element."""
        self.arrays[name] = np.asarray(data)

    def append(self, name: str, rows: NDArray[Any]) -> None:
        """Add rows to an element."""
        before = self.arrays.get(name)
        self.arrays[name] = np.asarray(rows) if before is None else np.concatenate([before, rows])

    def rows(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep a table."""
        self.tables[name] = list(rows)
