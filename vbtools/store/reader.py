"""Reading a project: what is stored, how it was made, and the data themselves."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from vbtools.errors import BulkMissingError, ProjectError, StageMissingError
from vbtools.store.layout import CHUNK_ROWS, LOG, RESTORE, damaged, open_project
from vbtools.store.record import Record

TRIES = 10
"""A project that is replaced while it is opened is opened again, at most so often."""


class Reader:
    """A project as it was at the moment it was opened; later writers don't disturb it.

    Raises:
        ProjectError: missing, foreign, newer or damaged (on entering).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._folder = path.parent
        self._file: h5py.File | None = None
        self._bulk: dict[str, h5py.File] = {}

    def __enter__(self) -> Reader:
        for _ in range(TRIES):
            self._file = open_project(self.path)
            self._folder = self.path.resolve().parent
            try:
                is_current = os.path.samestat(os.fstat(self._file.id.get_vfd_handle()), self._hold_bulk())
            except BaseException:
                self._close()
                raise
            if is_current:
                break
            self._close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        broken = None
        if isinstance(error, (OSError, RuntimeError, LookupError, ValueError)) and _is_from_hdf5(error):
            broken = self._damaged_bulk() or damaged(self.path, error)
        self._close()
        if broken is not None:
            raise broken from error

    def _damaged_bulk(self) -> ProjectError | None:
        """The error for the first stage whose bulk cannot be unpacked; None if all can. Reads everything."""
        for name in self.stages():
            for element, place in self._record(name).bulk.items():
                file = self._bulk.get(place["file"])
                if file is not None and not _unpacks(file[element]):
                    video = " VIDEO" if name == "extract" else ""
                    return BulkMissingError(
                        f"/{name}/{element} is damaged ('{self._folder / place['file']}')",
                        f"Make it again: vbtools {name}{video} -p {self.path} --force",
                    )
        return None

    def _hold_bulk(self) -> os.stat_result:
        """Open all bulk that is there, so that it can be read after a writer has removed it; then look at the path."""
        for name in self.file:
            if isinstance(self.file.get(name), h5py.Group):
                with suppress(ProjectError):
                    for place in {place["file"] for place in self._record(name).bulk.values()}:
                        if not self.missing_bulk(name):
                            self._bulk[place] = h5py.File(self._folder / place, "r")
        return self.path.stat()

    def _close(self) -> None:
        for file in self._bulk.values():
            file.close()
        self._bulk.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def file(self) -> h5py.File:
        """The open HDF5 file."""
        if self._file is None:
            raise ProjectError(f"'{self.path}' is not open", "Use it as a context manager: with Reader(path) as reader")
        return self._file

    def stages(self) -> tuple[str, ...]:
        """Names of the stored stages, in the order of their upstream."""
        found = [self._record(name) for name in self.file if isinstance(self.file.get(name), h5py.Group)]
        return tuple(r.stage for r in sorted(found, key=lambda r: (len(r.provenance), r.started)))

    def record(self, stage: str) -> Record | None:
        """How a stage was made; None if it is not stored."""
        return self._record(stage) if stage in self.file else None

    def log(self) -> list[dict[str, Any]]:
        """Every stage that was ever stored here, oldest first, replaced ones included."""
        if LOG not in self.file:
            return []
        try:
            return [json.loads(line) for line in self.file[LOG].asstr()[()]]
        except ValueError as error:
            raise damaged(self.path, error) from error

    def has(self, stage: str, name: str) -> bool:
        """Whether a stage has an element (also where its bulk file is gone)."""
        return stage in self.file and self.file[stage].get(name, getlink=True) is not None

    def names(self, stage: str) -> tuple[str, ...]:
        """The elements that a stage has stored."""
        return tuple(self._group(stage))

    def dataset(self, stage: str, name: str) -> h5py.Dataset:
        """An element to be sliced along its first axis.

        Raises:
            StageMissingError: the stage has not been run.
            BulkMissingError: its bulk file is gone, cut short or another one.
            ProjectError: the stage has no such element.
        """
        group = self._group(stage)
        if not self.has(stage, name):
            raise ProjectError(
                f"'{self.path}' holds no /{stage}/{name}", f"Run: vbtools {stage} -p {self.path} --force"
            )
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            return self._open_bulk(stage, name)[link.path]
        return group[name]

    def array(self, stage: str, name: str) -> NDArray[Any]:
        """A whole element in memory."""
        return np.asarray(self.dataset(stage, name)[()])

    def blocks(self, stage: str, name: str, rows: int = 16) -> Iterator[NDArray[Any]]:
        """An element in consecutive blocks of at most ``rows`` along the first axis; one block is read ahead."""
        data = self.dataset(stage, name)
        with ThreadPoolExecutor(1, thread_name_prefix="blocks") as reading:
            ahead = reading.submit(data.__getitem__, slice(0, rows))
            for start in range(0, len(data), rows):
                block = ahead.result()
                ahead = reading.submit(data.__getitem__, slice(start + rows, start + 2 * rows))
                yield block

    def table(self, stage: str, name: str) -> list[dict[str, Any]]:
        """A table as a list of rows of plain Python values."""
        data = self.array(stage, name)
        columns = data.dtype.names or ()
        return [{c: _plain(row[c]) for c in columns} for row in data]

    def missing_bulk(self, stage: str) -> str:
        """Why a stage's bulk cannot be used; empty if it can."""
        record = self._record(stage)
        for element, place in record.bulk.items():
            path = self._folder / place["file"]
            if not path.exists():
                return f"/{stage}/{element} is gone ('{path}')"
            if path.stat().st_size != place["bytes"]:
                return f"/{stage}/{element} has {path.stat().st_size} bytes instead of {place['bytes']} ('{path}')"
            try:
                with h5py.File(path, "r") as file:
                    theirs = file.attrs.get("fingerprint")
            except OSError as error:
                return f"/{stage}/{element} cannot be opened ('{path}': {error})"
            if theirs != record.fingerprint:
                return f"/{stage}/{element} belongs to another run ('{path}')"
        return ""

    def _open_bulk(self, stage: str, name: str) -> h5py.File:
        record = self._record(stage)
        place = record.bulk[name]["file"]
        if place not in self._bulk:
            trouble = self.missing_bulk(stage)
            if trouble:
                source = record.source or self._record("extract").source
                known = f" (its source '{source.path}' has sha256 {source.sha256})" if source else ""
                raise BulkMissingError(f"Bulk data is missing: {trouble}", f"Run {stage} again to get it back{known}")
            self._bulk[place] = h5py.File(self._folder / place, "r")
        return self._bulk[place]

    def _group(self, stage: str) -> h5py.Group:
        if stage not in self.file:
            raise StageMissingError(
                f"'{self.path}' has no {stage} yet", f"Run: vbtools {stage} -p {self.path}"
            )
        return self.file[stage]

    def _record(self, stage: str) -> Record:
        try:
            return Record.read_from(self.file[stage])
        except (OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise ProjectError(
                f"'{self.path}': the attributes of /{stage} cannot be understood ({error})", RESTORE
            ) from error


def _is_from_hdf5(error: BaseException) -> bool:
    """Whether h5py raised it, and not somebody who uses a reader."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__", "")).startswith("h5py.")


def _unpacks(data: h5py.Dataset) -> bool:
    try:
        for start in range(0, len(data), CHUNK_ROWS):
            data[start : start + CHUNK_ROWS]
    except (OSError, RuntimeError):
        return False
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if isinstance(value, np.generic) else value
