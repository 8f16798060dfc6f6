"""A stage that takes frames one by one begins while the stage before it still makes them.

Decoding leaves half a core idle, and frames that are at hand need not be read back. What the follower writes goes to
its own unfinished file; its results are stored in its own turn, after those of the stage that it follows. If it fails,
what it wrote is thrown away and the stage runs as usual in its turn, which then says what is wrong.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

from vbtools.stages import Job

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vbtools.pipeline.plan import Decision
    from vbtools.store import Writer
    from vbtools.store.writer import StageOutput

WAITING = 4
"""Rows that may wait for the follower: memory does not grow with the clip."""


class Ahead:
    """One stage at work in a thread of its own, on rows that another one makes.

    Attributes:
        decision: that the stage is to run.
        output: where it writes.
        notes: what the stage said of its run.
        started: when it began.
        seconds: how long it worked, without waiting for rows.
    """

    def __init__(self, decision: Decision, output: StageOutput) -> None:
        self.decision = decision
        self.output = output
        self.notes: list[str] = []
        self.started = datetime.now(UTC)
        self.seconds = 0.0
        self._rows: Queue[NDArray[Any] | None] = Queue(WAITING)
        self._kept: Sequence[int] | None = None
        self._failed = False
        self._cancelled = False
        self._over = False
        self._thread = Thread(target=self._work, name=f"{decision.task.stage.name}-ahead", daemon=True)
        self._thread.start()

    def take(self, name: str, rows: NDArray[Any]) -> None:
        """Pass on rows of the element that is followed; waits while :data:`WAITING` of them are unread."""
        follows = self.decision.task.stage.follows
        if follows is None or name != follows[1]:
            return
        for row in rows:
            self._rows.put(row)

    def end(self, made: StageOutput) -> None:
        """No more rows will come; ``made`` says which of them were kept."""
        self._rows.put(None)
        if self.decision.task.stage.follows is not None:
            self._kept = made.kept.get(self.decision.task.stage.follows[1])

    def finish(self) -> bool:
        """Wait for the last row and keep what the followed stage kept; False if it has to be done again."""
        self._thread.join()
        if self._failed:
            self.output.bulk.discard()  # its file has the name that the next try takes
            return False
        if self._kept is not None:
            for name in self.output.bulk.names:
                self.output.reorder(name, self._kept)
        return True

    def cancel(self) -> None:
        """Stop; nothing of it is stored."""
        self._cancelled = True
        while self._thread.is_alive():
            if self._rows.empty():
                self._rows.put(None)
            self._thread.join(0.05)

    def _work(self) -> None:
        begun, job = time.monotonic(), Job(self.decision.task.params, None, self.output, notes=self.notes)  # type: ignore[arg-type]
        try:
            self.decision.task.stage.follow(job, self._arriving())
        except Exception:  # noqa: BLE001 - the stage runs again in its turn, and says it there
            self._failed = True
            for _ in self._arriving():
                pass
        self.seconds += time.monotonic() - begun

    def _arriving(self) -> Iterator[NDArray[Any]]:
        while not self._over:
            waits = time.monotonic()
            row = self._rows.get()
            self.seconds -= time.monotonic() - waits
            self._over = row is None
            if row is None or self._cancelled:
                return
            yield row


def begin_ahead(writer: Writer, held: ExitStack, decisions: Sequence[Decision], place: int) -> Ahead | None:
    """Begin with the stage after ``decisions[place]``, if both are to run and it can follow.

    Args:
        held: what it writes is thrown away when this is left, unless it was stored before.
    """
    now, following = decisions[place], decisions[place + 1 : place + 2]
    if not following or not (now.run and following[0].run):
        return None
    stage = following[0].task.stage
    if stage.follows is None or stage.follows[0] != now.task.stage.name:
        return None
    if not stage.can_follow(following[0].task.params):
        return None
    wanted = following[0].assessment.wanted
    begun = Ahead(following[0], held.enter_context(writer.output(stage.name, stage.elements, wanted.fingerprint)))
    held.callback(begun.cancel)
    return begun
