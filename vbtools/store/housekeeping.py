"""Keeping a project small and portable: removing bulk that nothing refers to, and packing all into one file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import h5py

from vbtools.errors import ProjectError, UsageError
from vbtools.store.layout import (
    FORMAT,
    PART,
    create_private,
    data_folder,
    open_project,
    put_in_place,
    storage_errors,
)
from vbtools.store.lock import Lock
from vbtools.store.reader import Reader


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
    leftovers = list(path.parent.glob(f"{_literal(path.name)}.*{PART}"))
    folder = data_folder(path)
    if folder.is_dir():
        used = _referred_to(path.parent)
        if used is not None:
            leftovers += [f for f in folder.iterdir() if f.is_file() and f.resolve() not in used]
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
    """
    path, out = path.resolve(), out.resolve()
    if out == path:
        raise UsageError(f"'{out}' is the project itself", "Name another file to pack it into")
    if out.exists() and not force:
        raise UsageError(f"'{out}' exists already", "Name another file, or replace it with --force")
    if not out.parent.is_dir():
        raise ProjectError(f"The folder '{out.parent}' does not exist", f"Make it: mkdir -p {out.parent}")
    temporary = out.with_name(f"{out.name}.{os.getpid()}{PART}")
    with Reader(path) as reader, storage_errors(out):
        try:
            with create_private(temporary) as new:
                for name, value in reader.file.attrs.items():
                    new.attrs[name] = value
                for name in reader.file:
                    _copy_whole(reader, name, new)
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
    """All bulk files that any project in a folder refers to; None if one of the HDF5 files there cannot be read."""
    used: set[Path] = set()
    for candidate in folder.iterdir():
        if not candidate.is_file() or candidate.name.endswith(PART) or not h5py.is_hdf5(candidate):
            continue
        try:
            with h5py.File(candidate, "r") as file:
                if file.attrs.get("format") != FORMAT:
                    continue
                groups = [g for g in file.values() if isinstance(g, h5py.Group)]
                places = [p for g in groups for p in json.loads(g.attrs["bulk"]).values()]
        except OSError:  # perhaps a damaged project that can be restored: what it refers to must stay
            return None
        used |= {(folder / place["file"]).resolve() for place in places}
    return used


def _literal(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)
