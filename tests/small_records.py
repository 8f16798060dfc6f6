"""Records for the tests of the store; imports nothing but the store, because children of tests begin with it."""

from __future__ import annotations

from typing import Any

from vbtools.store import Record


def record(stage: str, print_: str, **changes: Any) -> Record:
    """A record with nothing remarkable in it."""
    values: dict[str, Any] = {
        "stage": stage, "version": 1, "fingerprint": print_, "parameters": {}, "backend": [], "weights": {},
        "upstream": {}, "provenance": {}, "software": {"vbtools": "0"}, "seed": 0,
        "started": "2026-01-02T03:04:05.000+00:00", "duration": 1.5, "user": "ann", "host": "here",
        "command": "vbtools test",
    }  # fmt: skip
    return Record(**values | changes)
