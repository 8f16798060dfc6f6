"""A model's licence in a sentence, and whether the user has been told it."""

from __future__ import annotations

import contextlib

from vbtools.errors import StorageError
from vbtools.models import cache
from vbtools.models.catalog import Model, model


def licence_words(entry: Model) -> str:
    """``yolov8n: AGPL-3.0, https://... Who offers ...``."""
    return " ".join(filter(None, (f"{entry.name}: {entry.licence}, {entry.homepage}.", entry.licence_note)))


def first_use(name: str) -> str | None:
    """What to tell a user who uses a model for the first time: its licence, where that restricts anything.

    What was told is remembered in the cache directory; where that cannot be written, it is told every time.

    Raises:
        UsageError: the catalog has no such model.
    """
    entry = model(name)
    mark = cache.directory() / f".{entry.name}.told"
    if not entry.licence_note or mark.exists():
        return None
    with contextlib.suppress(StorageError), cache.storage(mark):
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(f"{entry.licence}\n", encoding="utf-8")
    return licence_words(entry)
