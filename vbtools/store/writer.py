"""Writing a project: one writer, and a commit that is either whole or did not happen."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from vbtools import __version__
from vbtools.config.element import Element
from vbtools.errors import ProjectError
from vbtools.store.bulk import BulkFile
from vbtools.store.housekeeping import collect_garbage_locked
from vbtools.store.layout import (
    FORMAT,
    FORMAT_VERSION,
    LOG,
    PART,
    PRIVATE_FOLDER,
    create_private,
    data_folder,
    describe,
    open_project,
    put_in_place,
    storage_errors,
)
from vbtools.store.lock import Lock
from vbtools.store.reader import Reader
from vbtools.store.record import Record

GZIP_LEVEL = 1
_OWNER_MAY_WRITE = 0o222


class StageOutput:
    """Where one run of a stage puts its elements; nothing is visible before :meth:`Writer.commit`.

    Every write is checked against the stage's declared elements: TypeError for a dtype, ValueError for a shape,
    KeyError for a name that was not declared. Those are mistakes in a stage, not a user's.
    """

    def __init__(self, elements: Sequence[Element], bulk: BulkFile) -> None:
        self._elements = {e.name: e for e in elements}
        self._pattern = next((e for e in elements if e.is_pattern), None)
        self.bulk = bulk
        self.small: dict[str, tuple[Element, NDArray[Any]]] = {}

    def append(self, name: str, rows: NDArray[Any]) -> None:
        """Add rows along the first axis of a bulk element; they go to disk at once."""
        element = self._check(name, rows)
        with storage_errors(self.bulk.path):
            self.bulk.append(element, rows)

    def reorder(self, name: str, order: Sequence[int]) -> None:
        """Keep exactly these rows of a bulk element, in this order (chunks are copied as they are)."""
        with storage_errors(self.bulk.path):
            self.bulk.reorder(self._elements[name], order)

    def write(self, name: str, data: NDArray[Any]) -> None:
        """Set a whole element."""
        element = self._check(name, data)
        self.small[name] = (element, data)

    def rows(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Set a table from rows that have every declared column."""
        element = self._elements[name]
        kinds = [(c.name, h5py.string_dtype() if c.dtype == "str" else np.dtype(c.dtype)) for c in element.columns]
        data = np.empty(len(rows), dtype=np.dtype(kinds))
        for position, row in enumerate(rows):
            data[position] = tuple(row[c.name] for c in element.columns)
        self.small[name] = (element, data)

    def check_whole(self) -> None:
        """Raise KeyError if an element that is not optional was not written."""
        written = {*self.small, *self.bulk.names}
        absent = [n for n, e in self._elements.items() if not e.optional and not e.is_pattern and n not in written]
        if absent:
            raise KeyError(f"the stage did not write {', '.join(absent)}")

    def _check(self, name: str, data: NDArray[Any]) -> Element:
        element = self._elements.get(name, self._pattern)
        if element is None:
            raise KeyError(f"'{name}' is not an element of this stage")
        if data.dtype != np.dtype(element.dtype):
            raise TypeError(f"{name} must be {element.dtype}, not {data.dtype}")
        fixed = [(axis, int(dim)) for axis, dim in enumerate(element.dims) if dim.isdigit()]
        if data.ndim != len(element.dims) or any(data.shape[axis] != length for axis, length in fixed):
            raise ValueError(f"{name} must have the shape ({', '.join(element.dims)}), not {data.shape}")
        return element


class Writer:
    """The one writer of a project, from entering to leaving.

    Args:
        path: the project file; made if it does not exist.
        command: what is being done, for the lock and the log.

    Raises:
        LockedError: on entering, when somebody else is writing.
        ProjectError: the file is not a project of ours, or is read-only.
        StorageError: the folder cannot be written.
    """

    def __init__(self, path: Path, command: str) -> None:
        self.path = path.resolve()
        self.command = command
        self._lock = Lock(self.path, command)

    def __enter__(self) -> Writer:
        self._refuse_bad_place()
        self._lock.__enter__()
        try:
            if self.path.exists():
                open_project(self.path).close()
            collect_garbage_locked(self.path)
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.__exit__(kind, error, trace)

    def create(self) -> None:
        """Make an empty project if there is none yet, so that a stage has something to read."""
        if not self.path.exists():
            self._rebuild(None, None)

    @contextmanager
    def output(self, stage: str, elements: Sequence[Element], fingerprint: str) -> Iterator[StageOutput]:
        """Open a place for a stage's results; what is not committed is removed."""
        folder = data_folder(self.path)
        file = folder / f"{stage}-{fingerprint[:16]}.h5"
        bulk = BulkFile(file, stage, fingerprint)
        try:
            if any(e.bulk for e in elements):
                with storage_errors(folder):
                    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            yield StageOutput(elements, bulk)
        finally:
            bulk.discard()

    def commit(self, output: StageOutput, record: Record) -> None:
        """Store a finished stage: first its bulk, then the project file, each swapped in whole.

        Raises:
            StorageError: disk full or refused; the project is as it was.
        """
        output.check_whole()
        with storage_errors(self.path):
            output.bulk.finish()
            self._rebuild(output, record)

    def reader(self) -> Reader:
        """Read the project as it is now."""
        return Reader(self.path)

    def _refuse_bad_place(self) -> None:
        if not self.path.parent.is_dir():
            raise ProjectError(
                f"The folder '{self.path.parent}' does not exist", f"Make it: mkdir -p {self.path.parent}"
            )
        if self.path.exists() and not self.path.is_dir() and not self.path.stat().st_mode & _OWNER_MAY_WRITE:
            raise ProjectError(
                f"'{self.path}' is read-only", f"Make it writable (chmod u+w {self.path}), or name another with -p"
            )

    def _rebuild(self, output: StageOutput | None, record: Record | None) -> None:
        """Write the project anew beside itself, with one stage replaced, and swap it in."""
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}{PART}")
        try:
            with create_private(temporary) as new:
                self._copy_old(new, record.stage if record else "")
                if output is not None and record is not None:
                    _write_stage(new, output, record, self.path.parent)
                    _append_log(new, record)
            put_in_place(temporary, self.path)
        finally:
            temporary.unlink(missing_ok=True)

    def _copy_old(self, new: h5py.File, replaced: str) -> None:
        if not self.path.exists():
            new.attrs["format"] = FORMAT
            new.attrs["format_version"] = FORMAT_VERSION
            new.attrs["created"] = datetime.now(UTC).isoformat(timespec="seconds")
            new.attrs["generator"] = f"vbtools {__version__}"
            return
        with open_project(self.path) as old:
            for name, value in old.attrs.items():
                new.attrs[name] = value
            new.attrs["generator"] = f"vbtools {__version__}"
            for name in old:
                if name != replaced:
                    old.copy(old[name], new, name=name, expand_external=False)


def _write_stage(new: h5py.File, output: StageOutput, record: Record, folder: Path) -> None:
    group = new.create_group(record.stage)
    for name, (element, data) in output.small.items():
        compression = {"compression": "gzip", "compression_opts": GZIP_LEVEL, "shuffle": True} if data.size else {}
        dataset = group.create_dataset(name, data=data, **compression)
        describe(dataset, element)
    place = output.bulk.path.relative_to(folder)
    bulk = {name: {"file": place.as_posix(), "bytes": output.bulk.path.stat().st_size} for name in output.bulk.names}
    for name in bulk:
        group[name] = h5py.ExternalLink(place.as_posix(), f"/{name}")
    values = {name: getattr(record, name) for name in record.__slots__} | {"bulk": bulk}
    Record(**values).write_to(group)


def _append_log(new: h5py.File, record: Record) -> None:
    line = {k: v for k, v in record.to_json().items() if k != "provenance"}
    old = list(new[LOG].asstr()[()]) if LOG in new else []
    if LOG in new:
        del new[LOG]
    lines = [*old, json.dumps(line, ensure_ascii=False)]
    new.create_dataset(LOG, data=np.array(lines, dtype=object), dtype=h5py.string_dtype())
