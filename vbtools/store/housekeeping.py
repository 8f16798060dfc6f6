"""Keeping a project small and portable: removing bulk that nothing refers to, and packing all into one file."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import h5py

from vbtools.errors import ProjectError, UsageError
from vbtools.store.layout import (
    FORMAT,
    PART,
    data_folder,
    open_project,
    put_in_place,
    storage_errors,
)
from vbtools.store.lock import Lock
from vbtools.store.newfile import NewFile
from vbtools.store.reader import Reader

_BULK_NAME = re.compile(rf"[a-z_]+-[0-9a-f]{{16}}(-\d+)?\.h5(\.\d+{re.escape(PART)}2?)?")
"""Only what can be ours is removed: a folder that has the name of our data folder may have been there before us."""


def collect_garbage(path: Path) -> list[tuple[Path, int]]:
    """Remove bulk of a project that no project in the same folder refers to, and what killed writers left.

    Returns:
        What was removed, with sizes in bytes.

    Raises:
        LockedError: somebody is writing.
        ProjectError: it is not a project.
    """
    path = path.resolve()
    open_project(path).close()
    with Lock(path, "vbtools gc"):
        return collect_garbage_locked(path)


def collect_garbage_locked(path: Path) -> list[tuple[Path, int]]:
    """As :func:`collect_garbage`, for who already holds the lock."""
    ours = re.compile(rf"{re.escape(path.name)}\.\d+{re.escape(PART)}")
    leftovers = [f for f in path.parent.iterdir() if ours.fullmatch(f.name)]
    folder = data_folder(path)
    bulk = [f for f in folder.iterdir() if _BULK_NAME.fullmatch(f.name) and f.is_file()] if folder.is_dir() else []
    if bulk:
        used = _referred_to(path.parent)
        if used is not None:
            leftovers += [f for f in bulk if f.resolve() not in used]
    removed = []
    for file in leftovers:
        removed.append((file, file.stat().st_size))
        file.unlink()
    return removed


def pack(path: Path, out: Path, *, force: bool = False) -> int:
    """Write one self-contained project file, bulk included.

    Returns:
        Its size in bytes.

    Raises:
        BulkMissingError: some bulk is gone, so that the copy would not be whole.
        UsageError: ``out`` exists and ``force`` is not given, or is the project itself.
        LockedError: somebody is writing to ``out``.
        StorageError: disk full or refused; ``out`` is as it was.
    """
    path, out = path.resolve(), out.resolve()
    if out == path:
        raise UsageError(f"'{out}' is the project itself", "Name another file to pack it into")
    if out.is_dir():
        raise UsageError(f"'{out}' is a folder", "Name a file to pack the project into")
    if out.exists() and not force:
        raise UsageError(f"'{out}' exists already", "Name another file, or replace it with --force")
    if not out.parent.is_dir():
        raise ProjectError(f"The folder '{out.parent}' does not exist", f"Make it: mkdir -p {out.parent}")
    temporary = out.with_name(f"{out.name}.{os.getpid()}{PART}")
    with Reader(path) as reader, storage_errors(out), Lock(out, "vbtools pack"):
        try:
            with NewFile(temporary) as new:
                for name, value in reader.file.attrs.items():
                    new.hdf5.attrs[name] = value
                for name in reader.file:
                    _copy_whole(reader, name, new.hdf5)
                    new.check()
            put_in_place(temporary, out)
        finally:
            temporary.unlink(missing_ok=True)
    return out.stat().st_size


def _copy_whole(reader: Reader, name: str, new: h5py.File) -> None:
    old: Any = reader.file[name]
    reader.file.copy(old, new, name=name, expand_external=False)
    if not isinstance(old, h5py.Group):
        return
    for element in reader.names(name):
        if isinstance(old.get(element, getlink=True), h5py.ExternalLink):
            del new[name][element]
            data = reader.dataset(name, element)
            data.file.copy(data, new[name], name=element)
    new[name].attrs["bulk"] = json.dumps({})


def _referred_to(folder: Path) -> set[Path] | None:
    """All bulk files that any project in a folder refers to.

    None if that cannot be known, because a file there may be a project that is damaged, or that we may not read: it
    can be restored, and what it refers to must stay.
    """
    used: set[Path] = set()
    for candidate in folder.iterdir():
        if not candidate.is_file() or candidate.name.endswith(PART):
            continue
        if not os.access(candidate, os.R_OK):
            return None
        if not h5py.is_hdf5(candidate):
            if candidate.suffix == ".h5":
                return None
            continue
        try:
            with h5py.File(candidate, "r") as file:
                if file.attrs.get("format") != FORMAT:
                    continue
                groups = [g for g in file.values() if isinstance(g, h5py.Group)]
                places = [p for g in groups for p in json.loads(g.attrs["bulk"]).values()]
            used |= {(folder / place["file"]).resolve() for place in places}
        except (OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError):
            return None
    return used

