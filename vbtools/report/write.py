"""Writing a report: the page and its JSON, made from what a project holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vbtools.backends.picture import write_whole
from vbtools.errors import UsageError
from vbtools.evidence import all_with_evidence
from vbtools.pipeline.pictures import Shown, make_folder
from vbtools.report.album import make_album
from vbtools.report.content import gather
from vbtools.report.page import render, to_json
from vbtools.report.plots import check
from vbtools.report.redaction import Redaction

if TYPE_CHECKING:
    from vbtools.store import Reader

PAGES = (".html", ".htm")


@dataclass(frozen=True, slots=True)
class Report:
    """What was written: the page, the JSON beside it, and the JSON's content."""

    page: Path
    data: Path
    content: dict[str, Any]


def json_beside(page: Path) -> Path:
    """Where a page's JSON goes.

    Raises:
        UsageError: the page is not named as one.
    """
    if page.suffix.lower() not in PAGES:
        raise UsageError(f"'{page}' is no name for a page", "End it with .html; the .json goes beside it")
    return page.with_suffix(".json")


def write_report(reader: Reader, page: Path, redact: Iterable[str] = ()) -> Report:
    """Write ``page`` and the JSON beside it. Runs nothing: what is not stored or stale is said to be absent.

    Args:
        reader: the open project.
        page: an ``.html`` file; its folder is made.
        redact: of :data:`vbtools.report.redaction.KINDS`: what must not be shown.

    Raises:
        UsageError: the page's name does not end with .html.
        MissingDependencyError: matplotlib or Jinja is not installed.
        StorageError: the files cannot be written.
    """
    data = json_beside(page)
    check()
    make_folder(page.parent)
    shown = Shown(reader, all_with_evidence())
    redaction = Redaction(shown, redact)
    content = gather(shown, redaction)
    album = make_album(shown, redaction, content)
    html = render(content, album, data.name)
    write_whole(data, to_json(content).encode("utf-8", "backslashreplace"))
    write_whole(page, html.encode("utf-8", "backslashreplace"))
    return Report(page, data, content)
