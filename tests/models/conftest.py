"""A cache directory of its own for each test, rows for the catalog, and servers on the loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from loopback import CONTENT, SHA256, Server

from vbtools.models import CATALOG, Model, Url


@pytest.fixture
def cache_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """VBTOOLS_MODELS, empty."""
    directory = tmp_path / "models"
    monkeypatch.setenv("VBTOOLS_MODELS", str(directory))
    return directory


@pytest.fixture
def put_in_catalog(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Model]:
    """Add a row for CONTENT; keyword arguments change it."""

    def put(*addresses: str, **changes: object) -> Model:
        row = Model(
            name="test-model",
            kind="detection",
            file="test.bin",
            licence="MIT",
            licence_note="",
            size=len(CONTENT),
            sha256=SHA256,
            sources=tuple(Url(address) for address in addresses),
            used_by=("tests",),
            homepage="https://example.org",
        )
        row = replace(row, **changes)  # type: ignore[arg-type]
        monkeypatch.setitem(CATALOG, row.name, row)
        return row

    return put


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running = Server()
    yield running
    running.close()


@pytest.fixture
def second_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    running = Server()
    yield running
    running.close()
