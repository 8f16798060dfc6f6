"""HDF5 files while they are written: a disk that refuses a write is an exception, never a crash."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py

from vbtools.store.layout import PRIVATE_FILE


class NewFile:
    """A private HDF5 file (mode 0600, whatever the umask) that this process makes and writes.

    HDF5 keeps what it could not write and tries again when the file is closed, and at the end of the process; on a
    full disk both crash (segmentation fault in H5_term_library, seen with HDF5 1.14 and 2.0). So HDF5 is never told:
    from the first refusal on, its writes go to memory, and :meth:`check` and :meth:`close` raise what happened.

    Args:
        path: made anew; what was there is cut to nothing.

    Raises:
        OSError: the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._disk = _Disk(path)
        try:
            self.hdf5 = h5py.File(self._disk, "w", libver=("v110", "latest"))
            self.check()
        except BaseException:
            self._disk.close()
            raise

    def check(self) -> None:
        """Raise the first refusal, if there was one.

        Raises:
            OSError: as the operating system gave it.
        """
        if self._disk.refusal is not None:
            raise self._disk.refusal

    def close(self) -> None:
        """Write everything and close; does nothing the second time.

        Raises:
            OSError: something could not be written, now or before; the file is of no use.
        """
        self.abandon()
        self.check()

    def abandon(self) -> None:
        """Close without a word about what could not be written, because the file will be removed."""
        try:
            self.hdf5.close()
        finally:
            self._disk.close()

    def __enter__(self) -> NewFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abandon()


class _Disk:
    """The file object that h5py writes to; it never raises, and reads back whatever was written to it."""

    def __init__(self, path: Path) -> None:
        self.refusal: OSError | None = None
        self._path = path
        self._handle = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_CLOEXEC, PRIVATE_FILE)
        os.fchmod(self._handle, PRIVATE_FILE)
        self._position = 0
        self._kept: list[tuple[int, bytes]] = []
        self._end = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset if whence == os.SEEK_SET else self._end + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        at, self._position = self._position, self._position + len(view)
        self._end = max(self._end, self._position)
        written = 0
        try:
            while self.refusal is None and written < len(view):
                written += os.pwrite(self._handle, view[written:], at + written)
        except OSError as error:
            self._refuse(error)
        if written < len(view):
            self._kept.append((at + written, bytes(view[written:])))
        return len(view)

    def read(self, size: int) -> bytes:
        buffer = bytearray(size)
        self.readinto(buffer)
        return bytes(buffer)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        at, self._position = self._position, self._position + len(view)
        view[:] = bytes(len(view))
        done = 0
        try:
            while done < len(view) and (step := os.preadv(self._handle, [view[done:]], at + done)):
                done += step
        except OSError as error:
            self._refuse(error)
        for start, data in self._kept:
            low, high = max(start, at), min(start + len(data), at + len(view))
            if low < high:
                view[low - at : high - at] = data[low - start : high - start]
        return len(view)

    def truncate(self, size: int) -> int:
        self._end = size
        try:
            if self.refusal is None:
                os.ftruncate(self._handle, size)
        except OSError as error:
            self._refuse(error)
        return size

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        handle, self._handle = self._handle, -1
        if handle < 0:
            return
        self._kept.clear()
        try:
            os.close(handle)
        except OSError as error:  # network file systems tell here that the disk is full
            self._refuse(error)

    def _refuse(self, error: OSError) -> None:
        if self.refusal is None:
            self.refusal = OSError(error.errno, error.strerror, str(self._path))
