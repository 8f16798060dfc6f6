"""What every stage promises, run over the registry: a new stage is tested the day it is registered."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections import Counter
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

from vbtools.cli.main import commands
from vbtools.cli.stages import stage_command
from vbtools.config.element import Element
from vbtools.errors import UsageError
from vbtools.stages import STAGES, Stage, all_stages, stage, stage_names

HEAVY = ("numpy", "cv2", "mediapipe", "torch", "h5py", "av", "numba", "pytesseract", "ultralytics")
every_stage = pytest.mark.parametrize("one", all_stages(), ids=lambda s: s.name)


def test_the_pipeline_is_the_designs() -> None:
    assert stage_names() == ("extract", "segment", "align", "aggregate", "enhance", "inspect")


def test_only_the_first_stage_reads_the_recording() -> None:
    assert [s.name for s in all_stages() if s.reads_video] == [all_stages()[0].name]


@every_stage
def test_a_stage_says_what_it_is(one: Stage[Any]) -> None:
    assert re.fullmatch(r"[a-z_]+", one.name)
    assert isinstance(one.version, int)
    assert one.version >= 1
    assert 0 < len(one.summary) < 80
    assert one.summary[-1] not in ".!"
    assert type(one).__doc__
    assert one.Params.__doc__
    assert stage(one.name) is one


def test_an_unknown_stage_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"There is no stage 'extrakt'\. Did you mean 'extract'"):
        stage("extrakt")


@every_stage
def test_a_stage_reads_only_stages_before_it(one: Stage[Any]) -> None:
    before = stage_names()[: stage_names().index(one.name)]
    for values in _choices(one):
        needs = one.requires(one.parameters(values))
        assert set(needs) <= set(before)
        assert len(set(needs)) == len(needs)
        assert bool(needs) != one.reads_video


def _choices(one: Stage[Any]) -> list[dict[str, Any]]:
    """Defaults, each choice of each parameter, and each switch the other way."""
    found: list[dict[str, Any]] = [{}]
    for spec in one.specs():
        if spec.kind == "steps":
            found += [{spec.name: []}, *({spec.name: [choice]} for choice in spec.choices)]
        elif spec.kind == "bool":
            found.append({spec.name: not spec.default})
        elif spec.name != "variant":  # belongs to one backend
            found += [{spec.name: choice} for choice in spec.choices]
    return found


@every_stage
def test_what_a_stage_stores_is_described(one: Stage[Any]) -> None:
    names = Counter(e.name for e in one.elements)
    assert names
    assert max(names.values()) == 1
    for element in one.elements:
        assert element.description
        assert re.fullmatch(r"[a-z_]+|<[a-z_]+>", element.name)
        if element.columns:
            assert (element.dtype, element.dims, element.bulk) == ("record", ("N",), False)
            assert max(Counter(c.name for c in element.columns).values()) == 1
            for column in element.columns:
                assert column.description
                assert column.dtype == "str" or np.dtype(column.dtype)
        else:
            assert np.dtype(element.dtype).itemsize > 0
            assert element.dims
        if element.bulk:
            _check_bulk(element)
    assert sum(e.is_pattern for e in one.elements) <= 1


def _check_bulk(element: Element) -> None:
    assert element.dims[0] == "T", "bulk grows along time"
    assert len(element.dims) >= 3
    assert not element.is_pattern


@every_stage
def test_every_parameter_has_help_and_a_default_that_passes(one: Stage[Any]) -> None:
    for spec in one.specs():
        assert spec.help
        assert spec.help[-1] != "."
        assert spec.optional == (spec.default is None)
        assert re.fullmatch(r"[a-z][a-z0-9_]*", spec.name)
        assert spec.kind == "steps" or not spec.choices or spec.default is None or spec.default in spec.choices
    assert one.parameters({}) == one.parameters({s.name: s.default for s in one.specs() if s.default is not None})


@every_stage
def test_options_are_the_recipes_keys_with_dashes(one: Stage[Any]) -> None:
    shown = CliRunner().invoke(commands, [one.name, "--help"], prog_name="vbtools")
    assert shown.exit_code == 0, shown.output
    words = " ".join(shown.output.split())
    for spec in one.specs():
        assert spec.option == "--" + spec.name.replace("_", "-")
        assert re.search(rf"{re.escape(spec.option)}[ ,/]", words), f"{spec.option} is not in --help"
    assert one.example in words
    for shared in ("--project", "--json", "--force", "--help"):
        assert shared in words
    command = stage_command(one.name)
    own = {o.name for o in command.params} - {"project", "as_json", "force", "video", "image", "output"}
    assert own == {s.name for s in one.specs()}


@every_stage
def test_the_example_is_a_command_that_can_be_parsed(one: Stage[Any]) -> None:
    words = shlex.split(one.example)
    assert words[:2] == ["vbtools", one.name]
    command = stage_command(one.name)
    context = command.make_context(one.name, words[2:])
    given = {p.name for p in command.params if context.get_parameter_source(p.name or "") is _COMMANDLINE}
    assert "project" in given
    specs = {s.name: s for s in one.specs()}
    one.parameters({name: context.params[name] for name in given & set(specs)})


_COMMANDLINE = click.core.ParameterSource.COMMANDLINE


def test_the_stages_load_nothing_heavy() -> None:
    modules = [entry.partition(":")[0] for entry in STAGES]
    code = (
        "import importlib, json, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "from vbtools.stages import all_stages\n"
        "[s.specs() for s in all_stages()]\n"
        f"print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
