"""One writer at a time; whoever comes second is told who is first."""

from __future__ import annotations

import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from vbtools.errors import LockedError
from vbtools.store.layout import PRIVATE_FILE, storage_errors
from vbtools.store.record import who


class Lock:
    """An advisory lock on ``PROJECT.lock``; the kernel drops it when its holder dies, however it dies.

    Raises:
        LockedError: on entering, when another process holds it; names user, machine, process and command.
        StorageError: when the project's folder cannot be written.
    """

    def __init__(self, project: Path, command: str) -> None:
        self.path = project.with_name(project.name + ".lock")
        self._project = project
        self._command = command
        self._handle = -1

    def __enter__(self) -> Lock:
        with storage_errors(self._project):
            while not self._try_to_hold():
                pass
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.path.unlink(missing_ok=True)  # while it is still held: who waits for this file sees that it is gone
        os.close(self._handle)
        self._handle = -1

    def _try_to_hold(self) -> bool:
        """Take the lock; False if the file went away meanwhile, and another try is due."""
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 4096, 0)
            os.close(handle)
            raise LockedError(
                f"'{self._project}' is being written by {_holder(holder)}", "Wait until it has finished, or stop it"
            ) from None
        if not self._is_still(handle):
            os.close(handle)
            return False
        self._handle = handle
        try:
            self._say_who()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return True

    def _say_who(self) -> None:
        user, host = who()
        holder = {
            "pid": os.getpid(), "user": user, "host": host, "command": self._command,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }  # fmt: skip
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, json.dumps(holder).encode(), 0)

    def _is_still(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), self.path.stat())
        except FileNotFoundError:
            return False


def _holder(text: bytes) -> str:
    try:
        held = json.loads(text)
    except ValueError:
        return "another process that has just begun"
    return f"process {held['pid']} ({held['user']} on {held['host']}, '{held['command']}', since {held['since']})"
