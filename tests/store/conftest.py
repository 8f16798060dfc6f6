"""The small stages in the place of the real ones, and a place for a project in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_chain import install


@pytest.fixture(autouse=True)
def small_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan and run with the small stages."""
    install(monkeypatch)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    return folder / "study.h5"
