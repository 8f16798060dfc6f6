"""What every row of the backend table promises: a new backend is tested the day it is registered."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import is_dataclass, replace
from importlib import util
from pathlib import Path

import pytest

from vbtools.backends import BACKENDS, Backend, backend, names, of_stage
from vbtools.config.params import build, specs
from vbtools.errors import MissingDependencyError, NotBuiltError, UsageError
from vbtools.models import CATALOG
from vbtools.stages import all_stages, stage_names

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
BUILT = [b for b in BACKENDS if b.is_built]
UNBUILT = [b for b in BACKENDS if not b.is_built]


def label(row: Backend) -> str:
    return f"{row.stage}-{row.name}"


def command_count(text: str) -> int:
    return len(re.findall(r"Run: |Use one of: |Update ", text))


def test_no_name_is_registered_twice() -> None:
    assert [key for key, n in Counter((b.stage, b.name) for b in BACKENDS).items() if n > 1] == []


@pytest.mark.parametrize("row", BACKENDS, ids=label)
def test_a_row_says_what_it_is(row: Backend) -> None:
    assert row.stage in stage_names()
    assert re.fullmatch(r"[a-z][a-z0-9_]*", row.name)
    assert row.summary
    assert row.summary[-1] != "."
    assert bool(row.packages) == bool(row.extra)
    if row.extra:
        assert row.extra in EXTRAS
    for model in row.models:
        assert row.stage in " ".join(CATALOG[model].used_by)
    assert backend(row.stage, row.name) is row
    assert row in of_stage(row.stage)


@pytest.mark.parametrize("row", BACKENDS, ids=label)
def test_a_stage_can_choose_it(row: Backend) -> None:
    stage = next(s for s in all_stages() if s.name == row.stage)
    choices = {choice for spec in stage.specs() for choice in spec.choices}
    switches = {spec.name for spec in stage.specs() if spec.kind == "bool"}
    assert row.name in choices | switches


def test_every_model_of_the_table_and_of_the_stages_is_in_the_catalog() -> None:
    used = {model for row in BACKENDS for model in row.models}
    for stage in all_stages():
        used |= set(stage.models(stage.parameters({})))
    assert used <= set(CATALOG)


@pytest.mark.parametrize("row", BUILT, ids=label)
def test_a_built_one_can_be_imported(row: Backend) -> None:
    missing = [p for p in row.packages if util.find_spec(p) is None]
    if missing:
        pytest.skip(f"needs {missing[0]}: pip install 'vbtools[{row.extra}]'")
    assert callable(row.load())


@pytest.mark.parametrize("row", [b for b in BUILT if b.stage == "enhance"], ids=label)
def test_a_built_step_declares_its_options_without_its_packages(row: Backend) -> None:
    params = row.parameters()
    assert is_dataclass(params)
    assert build(params, {}, row.name) == params()
    assert all(spec.help for spec in specs(params))


@pytest.mark.parametrize("row", UNBUILT or [replace(row, target="") for row in BUILT], ids=label)
def test_an_unbuilt_one_says_the_one_command_that_mends_it(row: Backend) -> None:
    with pytest.raises((NotBuiltError, MissingDependencyError)) as caught:
        row.load()
    assert row.name in caught.value.fact
    assert command_count(str(caught.value)) == 1
    if isinstance(caught.value, NotBuiltError):
        built = [b.name for b in of_stage(row.stage) if b.is_built]
        assert caught.value.hint == f"Use one of: {', '.join(built)}"
        assert caught.value.exit_code == 13


@pytest.mark.parametrize("row", [b for b in BACKENDS if b.packages], ids=label)
def test_a_missing_package_is_said_with_its_extra(row: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vbtools.backends.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError) as caught:
        row.check()
    assert str(caught.value) == (
        f"{row.stage}: {row.name} needs the Python package '{row.packages[0]}', which is not installed. "
        f"Run: pip install 'vbtools[{row.extra}]'"
    )
    assert caught.value.exit_code == 8


def test_an_unknown_backend_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"align has no backend 'farnback'\. Did you mean 'farneback'"):
        backend("align", "farnback")
    assert names("inspect") == ("ocr", "rapidocr", "yolo")
