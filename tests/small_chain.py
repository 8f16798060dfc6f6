"""Puts the small stages where the planner looks for stages, and their model into the catalog."""

from __future__ import annotations

import pytest
from small_stages import MODEL, STAGES, Small

from vbtools.models import CATALOG, Model


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the test ends."""
    for module in ("freshness", "plan"):
        monkeypatch.setattr(f"vbtools.pipeline.{module}.all_stages", lambda: STAGES)
    pin(monkeypatch, "1" * 64)
    for name in ("ran", "before", "after", "refuse", "backend_names"):
        monkeypatch.setattr(Small, name, type(getattr(Small, name))())


def pin(monkeypatch: pytest.MonkeyPatch, sha256: str) -> None:
    """Set what the catalog says of the small model."""
    row = Model(
        name=MODEL, kind="segmentation", file="small.bin", licence="MIT", licence_note="", size=3, sha256=sha256,
        sources=(), used_by=("segment",), homepage="https://example.org",
    )  # fmt: skip
    monkeypatch.setitem(CATALOG, MODEL, row)
