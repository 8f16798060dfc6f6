"""Writing a project: one writer, and a commit that is either whole or did not happen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, count
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
from vbtools.store.deflate import create_deflated
from vbtools.store.housekeeping import collect_garbage_locked
from vbtools.store.layout import (
    FORMAT,
    FORMAT_VERSION,
    LOG,
    PART,
    data_folder,
    describe,
    make_private_folder,
    open_project,
    put_in_place,
    storage_errors,
)
from vbtools.store.lock import Lock
from vbtools.store.newfile import NewFile
from vbtools.store.reader import Reader
from vbtools.store.record import Record, to_text

_OWNER_MAY_WRITE = 0o222


class StageOutput:
    """Where one run of a stage puts its elements; nothing is visible before :meth:`Writer.commit`.

    Attributes:
        on_append: called with an element's name and the rows that are added to it, for whoever works on them already.
        kept: of each element that was reordered, the rows that were kept.

    Every write is checked against the stage's declared elements: TypeError for a dtype, ValueError for a shape,
    KeyError for a name that was not declared. Those are mistakes in a stage, not a user's.
    """

    def __init__(self, elements: Sequence[Element], bulk: BulkFile) -> None:
        self._elements = {e.name: e for e in elements}
        self._pattern = next((e for e in elements if e.is_pattern), None)
        self.bulk = bulk
        self.on_append: Callable[[str, NDArray[Any]], None] | None = None
        self.kept: dict[str, Sequence[int]] = {}
        self.small: dict[str, tuple[Element, NDArray[Any]]] = {}

    def append(self, name: str, rows: NDArray[Any]) -> None:
        """Add rows along the first axis of a bulk element; they go to disk at once."""
        element = self._check(name, rows, bulk=True)
        with storage_errors(self.bulk.path):
            self.bulk.append(element, rows)
        if self.on_append is not None:
            self.on_append(name, rows)

    def reorder(self, name: str, order: Sequence[int]) -> None:
        """Keep exactly these rows of a bulk element, in this order (chunks are copied as they are)."""
        with storage_errors(self.bulk.path):
            self.bulk.reorder(self._elements[name], order)
        self.kept[name] = order

    def write(self, name: str, data: NDArray[Any]) -> None:
        """Set a whole element."""
        element = self._check(name, data, bulk=False)
        self.small[name] = (element, data)

    def rows(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Set a table from rows that have every declared column that has no default."""
        element = self._elements[name]
        kinds = [(c.name, h5py.string_dtype() if c.dtype == "str" else np.dtype(c.dtype)) for c in element.columns]
        data = np.empty(len(rows), dtype=np.dtype(kinds))
        for position, row in enumerate(rows):
            data[position] = tuple(
                row[c.name] if c.default is None else row.get(c.name, c.default) for c in element.columns
            )
        self.small[name] = (element, data)

    def check_whole(self) -> None:
        """Raise KeyError if an element that is not optional was not written."""
        written = {*self.small, *self.bulk.names}
        absent = [n for n, e in self._elements.items() if not e.optional and not e.is_pattern and n not in written]
        if absent:
            raise KeyError(f"the stage did not write {', '.join(absent)}")

    def _check(self, name: str, data: NDArray[Any], *, bulk: bool) -> Element:
        element = self._elements.get(name, self._pattern)
        if element is None:
            raise KeyError(f"'{name}' is not an element of this stage")
        if element.bulk != bulk or element.columns:
            kind = "a table" if element.columns else "bulk" if element.bulk else "not bulk"
            raise TypeError(f"{name} is {kind}")
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
        self._is_new = False

    def __enter__(self) -> Writer:
        self._refuse_bad_place()
        self._lock.__enter__()
        try:
            if self.path.exists():
                open_project(self.path).close()
            with storage_errors(self.path):
                collect_garbage_locked(self.path)
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._is_new:
                self._remove_empty()
        finally:
            self._lock.__exit__(kind, error, trace)

    def create(self) -> None:
        """Make an empty project if there is none yet, so that a stage has something to read.

        It is removed again on leaving if no stage was stored.
        """
        if not self.path.exists():
            with storage_errors(self.path):
                self._rebuild(None, None)
            self._is_new = True

    @contextmanager
    def output(self, stage: str, elements: Sequence[Element], fingerprint: str) -> Iterator[StageOutput]:
        """Open a place for a stage's results; what is not committed is removed."""
        folder = data_folder(self.path)
        bulk = BulkFile(_unused(folder, f"{stage}-{fingerprint[:16]}"), stage, fingerprint)
        try:
            if any(e.bulk for e in elements):
                with storage_errors(folder):
                    make_private_folder(folder)
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
        self._is_new = False

    def reader(self) -> Reader:
        """Read the project as it is now."""
        return Reader(self.path)

    def _remove_empty(self) -> None:
        self.path.unlink(missing_ok=True)
        folder = data_folder(self.path)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

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
            with NewFile(temporary) as new:
                self._copy_old(new.hdf5, record.stage if record else "")
                if output is not None and record is not None:
                    _write_stage(new.hdf5, output, record, self.path.parent)
                    _append_log(new.hdf5, record)
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


def _unused(folder: Path, stem: str) -> Path:
    """A name for new bulk: that of a run with the same fingerprint may be in use, by this project or by a branch."""
    numbered = (folder / f"{stem}{end}.h5" for end in chain([""], (f"-{n}" for n in count(2))))
    return next(path for path in numbered if not path.exists())


def _write_stage(new: h5py.File, output: StageOutput, record: Record, folder: Path) -> None:
    group = new.create_group(record.stage)
    for name, (element, data) in output.small.items():
        twin = next((other for other, (_, same) in output.small.items() if same is data and other in group), None)
        if twin is None:
            create_deflated(group, name, data)
        else:  # enhance's last step is its image too: packed once
            group.copy(group[twin], group, name, without_attrs=True)
        describe(group[name], element)
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
    lines = [*old, to_text(line)]
    new.create_dataset(LOG, data=np.array(lines, dtype=object), dtype=h5py.string_dtype())
