"""A handful of the calls of bench/verdict.py, smaller and shorter: what gives nothing away, and what does."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from vbtools import models
from vbtools.errors import VbtoolsError
from vbtools.evidence.verdict import LEAK

BENCH = Path(__file__).parents[2] / "bench" / "verdict.py"
SIZE, SECONDS, SEED = (480, 270), 4.0, 5900


@pytest.fixture(scope="module")
def bench() -> Any:
    pytest.importorskip("skimage")
    try:
        models.resolve("selfie-landscape")
    except VbtoolsError as error:
        pytest.skip(str(error))
    spec = importlib.util.spec_from_file_location("bench_verdict", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.SIZE, module.SECONDS = SIZE, SECONDS
    module.PARAMETERS["inspect"] = {"ocr": False}
    return module


def examined(bench: Any, kind: str, profile: str, motion: str, *overrides: str) -> dict[str, Any]:
    row: dict[str, Any] = bench.run(bench.Spec(kind, SEED, profile, overrides, motion))
    return row


def test_a_leaking_fringe_is_a_leak_shown(bench: Any):
    row = examined(bench, "planted", "jitsi", "walk")
    assert row["answer"] == LEAK, row["sentence"]
    assert row["right"] >= 0.8 * row["believed"] > 0


def test_a_mask_within_the_person_is_not_accused(bench: Any):
    row = examined(bench, "tight", "gaussian", "sway", bench.TIGHT)
    assert row["answer"] != LEAK, row["sentence"]
