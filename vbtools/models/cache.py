"""Where model files lie, and that they are what the catalog says.

The cache directory holds each model under its catalog file name and nothing half-written: a file is checked, synced
and renamed into place. Beside an unpinned model lies ``FILE.sha256`` (the format of ``sha256sum``), written when it
was installed. ``.NAME.lock`` keeps two processes from installing the same model at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from vbtools.errors import InputError, MissingDependencyError, ModelError, StorageError
from vbtools.models.catalog import CATALOG, Model, NcnnInWheel, model

ENVIRONMENT = "VBTOOLS_MODELS"
_BLOCK = 1 << 20

_hashes: dict[tuple[str, int, int, int, int], str] = {}


def directory() -> Path:
    """The cache directory: ``$VBTOOLS_MODELS`` where that is set, else the platform's user cache. May not exist."""
    override = os.environ.get(ENVIRONMENT)
    if override:
        return Path(override).expanduser().absolute()
    return Path(platformdirs.user_cache_dir("vbtools")) / "models"


def path_of(entry: Model) -> Path:
    """Where the model lies once it is installed."""
    return directory() / entry.file


def sha256_of(path: Path) -> str:
    """sha256 of a file, 64 lower-case hex digits.

    The file is read once per process; it is read again when its inode, size or change time differs.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with path.open("rb") as handle:
            stat = os.fstat(handle.fileno())
            key = (str(path.absolute()), stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            if key not in _hashes:
                digest = hashlib.sha256()
                while block := handle.read(_BLOCK):
                    digest.update(block)
                _hashes[key] = digest.hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "Give a file that you may read") from error
    return _hashes[key]


def installed(name: str) -> Path | None:
    """The path of an installed model, unchecked; None where it is not installed.

    Raises:
        UsageError: the catalog has no such model.
    """
    path = path_of(model(name))
    return path if path.is_file() else None


def resolve(name: str) -> Path:
    """The path of an installed model whose size and sha256 are right (hashed once per process).

    Raises:
        UsageError: the catalog has no such model.
        MissingDependencyError: it is not installed; the hint is the command that installs it.
        ModelError: the file is not the one that was pinned or installed.
    """
    entry = model(name)
    path = path_of(entry)
    if not path.is_file():
        raise MissingDependencyError(f"The model '{name}' is not installed in {path.parent}", entry.how_to_get)
    _check_installed(entry, path)
    return path


def add(name: str, file: Path) -> Path:
    """Install ``file`` (copied) as the model ``name``: the way for models without an automatic source, and offline.

    A pinned model takes only the pinned bytes. Adding an unpinned model replaces what was recorded for it.

    Raises:
        UsageError: the catalog has no such model.
        InputError: ``file`` is missing or unreadable.
        ModelError: ``file`` is not that model.
        StorageError: the cache directory cannot be written.
    """
    entry = model(name)
    try:
        regular = file.is_file()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}", "Give a file that you may read") from error
    if not regular:
        raise InputError(f"{file} is not a file", f"Run: vbtools models add {name} FILE")
    check_catalog(entry, file)
    with locked(entry):
        copy = directory() / f".{entry.file}.adding"
        with storage(copy):
            try:
                shutil.copyfile(file, copy)
                check_catalog(entry, copy)
                return install(entry, copy)
            finally:
                copy.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Check:
    """What :func:`verify` found for one model; ``sha256`` is the file's own, None where there is no file."""

    name: str
    state: Literal["ok", "damaged", "absent"]
    path: Path
    sha256: str | None
    detail: str


def verify() -> list[Check]:
    """Check every model of the catalog, in the catalog's order, reading each installed file in full."""
    _hashes.clear()
    checks = []
    for entry in CATALOG.values():
        path = path_of(entry)
        if not path.is_file():
            checks.append(Check(entry.name, "absent", path, None, entry.how_to_get))
            continue
        try:
            _check_installed(entry, path)
        except ModelError as error:
            checks.append(Check(entry.name, "damaged", path, sha256_of(path), str(error)))
        else:
            pinned = "as pinned" if entry.sha256 else "unpinned; as first installed"
            copy = converted_from(entry, path)
            detail = f"{pinned}: converted from {copy}" if copy else pinned
            checks.append(Check(entry.name, "ok", path, sha256_of(path), detail))
    return checks


def converted_from(entry: Model, path: Path) -> NcnnInWheel | None:
    """The copy that a model's file was converted from; None where it is the makers' own file."""
    return next((source for source in entry.converted if source.sha256 == sha256_of(path)), None)


def is_good(entry: Model) -> bool:
    """Whether the model is installed and passes its checks."""
    path = path_of(entry)
    if not path.is_file():
        return False
    try:
        _check_installed(entry, path)
    except ModelError:
        return False
    return True


def check_catalog(entry: Model, path: Path) -> None:
    """Check a file against the catalog: size, sha256, and the hash prefix that the file name carries.

    Raises:
        ModelError: it is another file; the message gives both values.
    """
    size = path.stat().st_size
    other = f"Use another model's file as it is with --weights {path}"
    if entry.sizes and size not in entry.sizes:
        known = " or ".join(map(str, entry.sizes))
        raise ModelError(f"{path} is not '{entry.name}': it has {size} bytes, the catalog says {known}", other)
    if size == 0:
        raise ModelError(f"{path} is not '{entry.name}': it is empty", entry.how_to_get)
    actual = sha256_of(path)
    expected = entry.sha256s or (entry.name_prefix or "",)
    if not actual.startswith(expected):
        known = " or ".join(expected)
        raise ModelError(f"{path} is not '{entry.name}': its sha256 is {actual}, the catalog says {known}", other)


def check_download(entry: Model, path: Path) -> None:
    """Check a fetched file: against the catalog, and for an unpinned model against what was installed before.

    Raises:
        ModelError: it is another file; the message gives both values.
    """
    check_catalog(entry, path)
    before = _recorded(entry)
    actual = sha256_of(path)
    if entry.sha256 is None and before is not None and before != actual:
        raise ModelError(
            f"The source's '{entry.name}' has changed: its sha256 is {actual}, first installed was {before}",
            f"If you trust the new one, download it yourself and run: vbtools models add {entry.name} FILE",
        )


def install(entry: Model, temporary: Path) -> Path:
    """Move a checked file, which lies in the cache directory, into its place; call it with :func:`locked` held.

    At any instant the model is absent, or there with all its bytes and its record.
    """
    path = path_of(entry)
    with storage(path):
        _sync(temporary)
        if entry.sha256 is None:
            sha256 = sha256_of(temporary)
            if _recorded(entry) != sha256:
                path.unlink(missing_ok=True)
                _write_record(entry, sha256)
        temporary.replace(path)
        _sync(path.parent)
    return path


@contextlib.contextmanager
def locked(entry: Model) -> Iterator[None]:
    """Hold the model's lock; waits for another process that is installing the same model."""
    path = directory() / f".{entry.name}.lock"
    with storage(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("w", encoding="utf-8")
    with handle:
        with storage(path):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turn what the file system refuses below this line into a :class:`StorageError` that names ``path``."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror}",
            f"Free some space, or set {ENVIRONMENT} to a directory that you may write",
        ) from error


def _check_installed(entry: Model, path: Path) -> None:
    size = path.stat().st_size
    fact = f"The model file {path} is damaged or was replaced"
    if entry.sizes and size not in entry.sizes:
        known = " or ".join(map(str, entry.sizes))
        raise ModelError(f"{fact}: it has {size} bytes, '{entry.name}' has {known}", entry.how_to_get)
    recorded = _recorded(entry)
    expected = entry.sha256s or (() if recorded is None else (recorded,))
    if not expected:
        raise ModelError(
            f"The model file {path} was not installed by vbtools: there is no {_record_path(entry).name} beside it",
            f"Run: vbtools models add {entry.name} {path}",
        )
    actual = sha256_of(path)
    if actual not in expected:
        known = " or ".join(expected)
        raise ModelError(f"{fact}: its sha256 is {actual}, '{entry.name}' has {known}", entry.how_to_get)


def _record_path(entry: Model) -> Path:
    return directory() / f"{entry.file}.sha256"


def _recorded(entry: Model) -> str | None:
    """The sha256 recorded when an unpinned model was installed; None without a record."""
    path = _record_path(entry)
    if entry.sha256 is not None or not path.is_file():
        return None
    words = path.read_text(encoding="utf-8", errors="replace").split()
    return words[0] if words else ""


def _write_record(entry: Model, sha256: str) -> None:
    path = _record_path(entry)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(f"{sha256}  {entry.file}\n", encoding="utf-8")
    _sync(temporary)
    temporary.replace(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
