"""One project with all its evidence, and its report."""

from __future__ import annotations

from pathlib import Path

import pytest
from judged_project import judged

from vbtools.report import Report, write_report
from vbtools.store import Reader

pytest.importorskip("matplotlib", reason="needs the report extra")
pytest.importorskip("jinja2", reason="needs the report extra")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A judged project, which no test changes."""
    return judged(tmp_path_factory.mktemp("judged") / "study.h5").path


@pytest.fixture(scope="session")
def report(project: Path) -> Report:
    """Its report, nothing redacted."""
    with Reader(project) as reader:
        return write_report(reader, project.parent / "report.html")


@pytest.fixture(scope="session")
def redacted(project: Path) -> Report:
    """Its report without the person and the words."""
    with Reader(project) as reader:
        return write_report(reader, project.parent / "redacted.html", ("person", "text"))
