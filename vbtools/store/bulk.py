"""Write-once files of bulk data, one a run of a stage, named by the run's fingerprint."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from vbtools.config.element import Element
from vbtools.store.layout import CHUNK_ROWS, CHUNK_SIDE, PART, bulk_filter, describe, put_in_place
from vbtools.store.newfile import NewFile

BLOCKS = 2
"""Of rows that wait: one is filled while the other is written."""


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
        self._file: NewFile | None = None
        self._lengths: dict[str, int] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._waiting: dict[str, _Rows] = {}
        # Packing takes about as long as decoding or segmenting what is packed, and needs no Python: one thread does it.
        self._packer = ThreadPoolExecutor(1, thread_name_prefix="bulk")
        self._packing: Future[None] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The datasets that were written."""
        return tuple(self._lengths)

    def append(self, element: Element, rows: NDArray[Any]) -> None:
        """Add rows (n, ...) to a dataset; a chunk's depth of them is packed and written while the next come together.

        Raises:
            ValueError: rows of another shape than the first ones.
            OSError: the disk refused, these rows or those before.
        """
        if element.name not in self._lengths:
            self._lengths[element.name] = 0
            self._waiting[element.name] = _Rows()
            _create(self._open().hdf5, element, rows.shape[1:], rows.dtype)
            self._shapes[element.name] = rows.shape[1:]
        if rows.shape[1:] != self._shapes[element.name]:
            before = self._shapes[element.name]
            raise ValueError(f"{element.name} had rows of the shape {before} before, and now {rows.shape[1:]}")
        self._lengths[element.name] += len(rows)
        waiting = self._waiting[element.name]
        for row in rows:
            waiting.add(row)
            if waiting.count == CHUNK_ROWS:
                self._settle()
                self._packing = self._packer.submit(self._write, element.name, waiting.take())

    def reorder(self, element: Element, order: Sequence[int]) -> None:
        """Keep these rows of a dataset, in this order. The file is written anew only if something changes.

        Raises:
            IndexError: a row that was not appended.
        """
        name = element.name
        if list(order) == list(range(self._lengths[name])):
            return
        self._flush()
        file = self._open()
        old = file.hdf5
        compact = NewFile(self._part.with_name(self._part.name + "2"))
        try:
            new = compact.hdf5
            self._mark(new)
            for other in old:
                if other != name:
                    old.copy(old[other], new, name=other)
            _create(new, element, old[name].shape[1:], old[name].dtype)
            _copy_rows(old[name], new[name], order)
            compact.check()
            compact.path.replace(self._part)
        except BaseException:
            compact.abandon()
            raise
        self._file = compact
        self._lengths[name] = len(order)
        file.abandon()

    def finish(self) -> None:
        """Write what waits, flush to disk and move to the final name; does nothing when nothing was written."""
        if self._file is None:
            return
        self._flush()
        self._waiting.clear()
        file, self._file = self._file, None
        file.close()
        put_in_place(self._part, self.path)

    def discard(self) -> None:
        """Remove what was not finished."""
        file, self._file = self._file, None
        try:
            if self._packing is not None:
                self._packing.exception()  # only wait: what is given up may have failed
            self._packer.shutdown()
            if file is not None:
                file.abandon()
        finally:
            for leftover in (self._part, self._part.with_name(self._part.name + "2")):
                leftover.unlink(missing_ok=True)

    def _open(self) -> NewFile:
        if self._file is None:
            self._file = NewFile(self._part)
            self._mark(self._file.hdf5)
        return self._file

    def _settle(self) -> None:
        """Wait for what is being written, and raise what went wrong with it."""
        packing, self._packing = self._packing, None
        if packing is not None:
            packing.result()

    def _flush(self) -> None:
        self._settle()
        for name, waiting in self._waiting.items():
            if waiting.count:
                self._write(name, waiting.take())

    def _write(self, name: str, rows: NDArray[Any]) -> None:
        file = self._open()
        dataset = file.hdf5[name]
        start = len(dataset)
        dataset.resize(start + len(rows), axis=0)
        dataset[start:] = rows
        file.check()

    def _mark(self, file: h5py.File) -> None:
        file.attrs["stage"] = self._stage
        file.attrs["fingerprint"] = self._fingerprint


class _Rows:
    """Copies of rows that wait until there are as many as a chunk is deep.

    Two blocks take turns, one being filled while the other is written: memory that is asked for anew has to be cleared
    first, which takes longer than the copy.
    """

    def __init__(self) -> None:
        self.count = 0
        self._blocks: list[NDArray[Any]] = []

    def add(self, row: NDArray[Any]) -> None:
        if not self.count and len(self._blocks) < BLOCKS:
            self._blocks.insert(0, np.empty((CHUNK_ROWS, *row.shape), row.dtype))
        self._blocks[0][self.count] = row
        self.count += 1

    def take(self) -> NDArray[Any]:
        """All that wait; none do afterwards. They stay as they are until :data:`BLOCKS` - 1 more have been taken."""
        count, self.count = self.count, 0
        if not count:
            return np.empty(0)
        self._blocks.append(self._blocks.pop(0))
        return self._blocks[-1][:count]


def _create(file: h5py.File, element: Element, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    chunk = (CHUNK_ROWS, *(min(n, CHUNK_SIDE) for n in shape[:2]), *shape[2:])
    dataset = file.create_dataset(
        element.name, shape=(0, *shape), maxshape=(None, *shape), dtype=dtype, chunks=chunk,
        **bulk_filter(chunk, dtype),
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
