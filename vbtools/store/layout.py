"""Where things lie: format name and version, groups, the folder of bulk, and the safe way to put a file in place."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

from vbtools.config.element import Element
from vbtools.errors import ProjectError, StorageError

FORMAT = "vbtools-project"
FORMAT_VERSION = 1
LOG = "log"
CHUNK_ROWS = 16
CHUNK_SIDE = 64
"""A chunk of bulk is 16 frames deep and 64 px wide and high: H.264 repeats most of a background exactly, so what is
stored of 206 frames of 960x540 falls from 227 MB (chunks of one frame) to 73 MB, and a reader of tiles reads whole
chunks. Measured on data/vendor by bench/bulk.py."""
PART = ".part"
RESTORE = "Restore it from a copy, or make it again with vbtools run"
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_FULL = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "Your share of the disk is used up",
    errno.EFBIG: "The system allows no larger file",
}
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def bulk_filter(chunk: tuple[int, ...], dtype: np.dtype[Any]) -> dict[str, Any]:
    """How a chunk is packed: all of it at once, so that repeats from frame to frame are found.

    Bytes by LZ4, which reads them back twice as fast as with bitshuffle before it, in a tenth more space
    (bench/bulk.py); wider numbers by bitshuffle and LZ4.
    """
    if dtype.itemsize == 1:
        return dict(hdf5plugin.LZ4())
    elements = math.prod(chunk)
    return dict(hdf5plugin.Bitshuffle(nelems=elements - elements % 8, cname="lz4"))


def data_folder(project: Path) -> Path:
    """The folder of a project's bulk: ``study.data`` for ``study.h5``, else the whole name with ``.data``."""
    return project.with_suffix(".data") if project.suffix == ".h5" else project.with_name(project.name + ".data")


def open_project(path: Path) -> h5py.File:
    """Open a project for reading and make sure that it is one.

    Raises:
        ProjectError: missing, foreign, newer, unreadable or damaged; the message says which and what to do.
    """
    _refuse_unreadable(path)
    try:
        is_hdf5 = h5py.is_hdf5(path)
        file = h5py.File(path, "r") if is_hdf5 else None
    except OSError as error:
        raise ProjectError(
            f"'{path}' is damaged: HDF5 cannot open it ({_first_line(error)})", RESTORE
        ) from error
    if file is None:
        raise ProjectError(f"'{path}' is not a vbtools project: it is not an HDF5 file", "Name another file with -p")
    try:
        check_format(file, path)
    except ProjectError:
        file.close()
        raise
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        file.close()
        raise damaged(path, error) from error
    return file


def damaged(path: Path, error: BaseException) -> ProjectError:
    """The error for a project that HDF5 opens, but whose content makes no sense."""
    return ProjectError(f"'{path}' is damaged ({_first_line(error)})", RESTORE)


def _refuse_unreadable(path: Path) -> None:
    """HDF5 takes a file that it may not read for one that is not HDF5; ask the operating system first."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
        is_folder = path.is_dir()
    except (FileNotFoundError, NotADirectoryError):
        raise ProjectError(f"There is no project '{path}'", f"Make one: vbtools extract VIDEO -p {path}") from None
    except OSError as error:
        raise ProjectError(f"'{path}' may not be read ({error.strerror})", "Ask its owner") from error
    if is_folder:
        raise ProjectError(f"'{path}' is a folder, not a project", "Name the project file, for example study.h5")


def check_format(file: h5py.File, path: Path) -> None:
    """Refuse an HDF5 file that is not ours, or that a newer vbtools wrote."""
    if file.attrs.get("format") != FORMAT:
        raise ProjectError(
            f"'{path}' is an HDF5 file, but not a vbtools project (no format '{FORMAT}')", "Name another file with -p"
        )
    version = int(file.attrs["format_version"])
    if version > FORMAT_VERSION:
        raise ProjectError(
            f"'{path}' has format version {version}; this vbtools reads up to {FORMAT_VERSION}",
            "Update vbtools to open it",
        )


def describe(dataset: h5py.Dataset, element: Element) -> None:
    """Say in the file itself what a dataset holds."""
    dataset.attrs["description"] = element.description
    dataset.attrs["axes"] = ", ".join(element.dims)
    if element.unit:
        dataset.attrs["unit"] = element.unit
    for column in element.columns:
        dataset.attrs[f"column {column.name}"] = column.description + (f" [{column.unit}]" if column.unit else "")


def sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put_in_place(temporary: Path, final: Path) -> None:
    """Move a finished file to its name so that at every instant the old or the new one is there, whole."""
    sync(temporary)
    temporary.replace(final)
    sync(final.parent)


@contextmanager
def storage_errors(what: Path) -> Iterator[None]:
    """Turn the operating system's and HDF5's refusals to write into one clear error."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = getattr(error, "errno", None)
        text = str(error)
        full = next((words for code, words in _FULL.items() if number == code or os.strerror(code) in text), None)
        if full is not None:
            raise StorageError(
                f"{full}: '{what}' could not be written ({_free(what)} free)",
                "Free some space and run the same command again; nothing that was stored is lost",
            ) from error
        if number in _REFUSED or any(os.strerror(code) in text for code in _REFUSED):
            raise StorageError(
                f"'{what}' may not be written here ({os.strerror(number) if number else _first_line(error)})",
                "Make its folder writable, or name another project with -p",
            ) from error
        raise


def _free(path: Path) -> str:
    folder = path if path.is_dir() else path.parent
    stat = os.statvfs(folder)
    return f"{stat.f_bavail * stat.f_frsize / 1e6:.1f} MB"


def make_private_folder(path: Path) -> None:
    """Make a folder that only its owner can enter (mode 0700, whatever the umask); one that exists is left alone."""
    if not path.is_dir():
        path.mkdir(mode=PRIVATE_FOLDER)
        path.chmod(PRIVATE_FOLDER)


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
