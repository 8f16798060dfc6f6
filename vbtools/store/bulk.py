"""Write-once files of bulk data, one a run of a stage, named by the run's fingerprint."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from vbtools.config.element import Element
from vbtools.store.layout import CHUNK_ROWS, CHUNK_SIDE, PART, bulk_filter, create_private, describe, put_in_place


class BulkFile:
    """A file of bulk datasets that exists under its name only when it is whole.

    Args:
        path: where it will be, in the project's data folder.
        stage: whose results it holds.
        fingerprint: of the run; stored in the file, so that a wrong file is recognised.
    """

    def __init__(self, path: Path, stage: str, fingerprint: str) -> None:
        self.path = path
        self._part = path.with_name(f"{path.name}.{os.getpid()}{PART}")
        self._stage = stage
        self._fingerprint = fingerprint
        self._file: h5py.File | None = None
        self._lengths: dict[str, int] = {}
        self._waiting: dict[str, list[NDArray[Any]]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The datasets that were written."""
        return tuple(self._lengths)

    def append(self, element: Element, rows: NDArray[Any]) -> None:
        """Add rows (n, ...) to a dataset; they are written when a chunk's depth of them has come together."""
        if element.name not in self._lengths:
            self._lengths[element.name] = 0
            self._waiting[element.name] = []
            _create(self._open(), element, rows.shape[1:], rows.dtype)
        self._lengths[element.name] += len(rows)
        waiting = self._waiting[element.name]
        waiting.extend(np.array(row) for row in rows)
        while len(waiting) >= CHUNK_ROWS:
            self._write(element.name, waiting[:CHUNK_ROWS])
            del waiting[:CHUNK_ROWS]

    def reorder(self, element: Element, order: Sequence[int]) -> None:
        """Keep these rows of a dataset, in this order. The file is written anew only if something changes.

        Raises:
            IndexError: a row that was not appended.
        """
        name = element.name
        if list(order) == list(range(self._lengths[name])):
            return
        self._flush()
        old = self._open()
        compact = self._part.with_name(self._part.name + "2")
        with create_private(compact) as new:
            self._mark(new)
            for other in old:
                if other != name:
                    old.copy(old[other], new, name=other)
            _create(new, element, old[name].shape[1:], old[name].dtype)
            _copy_rows(old[name], new[name], order)
        old.close()
        compact.replace(self._part)
        self._file = h5py.File(self._part, "r+")
        self._lengths[name] = len(order)

    def finish(self) -> None:
        """Write what waits, flush to disk and move to the final name; does nothing when nothing was written."""
        if self._file is None:
            return
        self._flush()
        file, self._file = self._file, None
        file.close()
        put_in_place(self._part, self.path)

    def discard(self) -> None:
        """Remove what was not finished."""
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
        finally:
            for leftover in (self._part, self._part.with_name(self._part.name + "2")):
                leftover.unlink(missing_ok=True)

    def _open(self) -> h5py.File:
        if self._file is None:
            self._file = create_private(self._part)
            self._mark(self._file)
        return self._file

    def _flush(self) -> None:
        for name, waiting in self._waiting.items():
            if waiting:
                self._write(name, waiting)
                waiting.clear()

    def _write(self, name: str, rows: list[NDArray[Any]]) -> None:
        dataset = self._open()[name]
        start = len(dataset)
        dataset.resize(start + len(rows), axis=0)
        dataset[start:] = np.stack(rows)

    def _mark(self, file: h5py.File) -> None:
        file.attrs["stage"] = self._stage
        file.attrs["fingerprint"] = self._fingerprint


def _create(file: h5py.File, element: Element, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    chunk = (CHUNK_ROWS, *(min(n, CHUNK_SIDE) for n in shape[:2]), *shape[2:])
    dataset = file.create_dataset(
        element.name, shape=(0, *shape), maxshape=(None, *shape), dtype=dtype, chunks=chunk, **bulk_filter(chunk)
    )
    describe(dataset, element)


def _copy_rows(old: h5py.Dataset, new: h5py.Dataset, order: Sequence[int]) -> None:
    """Write the rows in their new order, a chunk's depth at a time; neighbours are read together."""
    new.resize(len(order), axis=0)
    held, block = -1, np.empty(0)
    for start in range(0, len(order), CHUNK_ROWS):
        rows = []
        for row in order[start : start + CHUNK_ROWS]:
            if not 0 <= row < len(old):
                raise IndexError(f"there is no row {row} of {len(old)}")
            if row // CHUNK_ROWS != held:
                held = row // CHUNK_ROWS
                block = old[held * CHUNK_ROWS : (held + 1) * CHUNK_ROWS]
            rows.append(block[row % CHUNK_ROWS])
        new[start : start + len(rows)] = np.stack(rows)
