"""The JSON schema of recipes agrees with what ``run`` accepts, and every recipe that is shipped can be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from vbtools.config.recipe import load, plain
from vbtools.errors import RecipeError
from vbtools.pipeline import tasks_from
from vbtools.pipeline.recipes import built_in, find, recipe_schema
from vbtools.stages import all_stages, stage_names

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "recipes").glob("*.yaml"))


def errors(recipe: Any) -> list[str]:
    validator = jsonschema.Draft202012Validator(recipe_schema())
    return [e.message for e in validator.iter_errors(recipe)]


def test_the_schema_is_a_schema() -> None:  # that the shipped one is generated from it: tests/test_docs.py
    jsonschema.Draft202012Validator.check_schema(recipe_schema())


def test_the_recipes_of_the_design_are_shipped() -> None:
    assert {"quick", "demo", "cpu", "gpu"} <= set(built_in())
    assert all(built_in().values())


@pytest.mark.parametrize("file", SHIPPED, ids=lambda f: f.stem)
def test_a_shipped_recipe_is_valid_and_can_be_read(file: Path) -> None:
    assert errors(plain(YAML(typ="safe").load(file))) == []
    recipe = load(file, stage_names())
    assert [t.stage.name for t in tasks_from(recipe)] == list(stage_names())
    assert find(file.stem) == file


GOOD: dict[str, Any] = {"version": 1, "stages": {"extract": {"fps": 15}}}
BAD: dict[str, Any] = {
    "no version": {"stages": {"extract": {}}},
    "newer": GOOD | {"version": 2},
    "no stages": {"version": 1},
    "empty stages": {"version": 1, "stages": {}},
    "unknown key": GOOD | {"vidoe": "a.mp4"},
    "video is a number": GOOD | {"video": 3},
    "unknown stage": {"version": 1, "stages": {"extrct": {}}},
    "stage is a list": {"version": 1, "stages": {"extract": [1]}},
    "unknown parameter": {"version": 1, "stages": {"extract": {"fsp": 3}}},
    "wrong type": {"version": 1, "stages": {"extract": {"fps": "fast"}}},
    "a bool for a number": {"version": 1, "stages": {"extract": {"sample_every": True}}},
    "null for what must be given": {"version": 1, "stages": {"extract": {"sample_every": None}}},
    "out of bounds": {"version": 1, "stages": {"extract": {"resize_long": 3}}},
    "bad choice": {"version": 1, "stages": {"align": {"method": "magic"}}},
    "bad step": {"version": 1, "stages": {"enhance": {"steps": ["clahee"]}}},
    "bad step option": {"version": 1, "stages": {"enhance": {"steps": [{"clahe": {"limit": 3}}]}}},
    "two steps in one": {"version": 1, "stages": {"enhance": {"steps": [{"clahe": {}, "denoise": {}}]}}},
}
MORE_GOOD: dict[str, Any] = {
    "defaults": {"version": 1, "stages": {"extract": None}},
    "null where it may be": {"version": 1, "video": None, "stages": {"extract": {"fps": None}}},
    "no steps": {"version": 1, "stages": {"enhance": {"steps": []}}},
    "a step with options": {"version": 1, "stages": {"enhance": {"steps": ["clahe", {"clahe": {"clip_limit": 3}}]}}},
    "a step with null options": {"version": 1, "stages": {"enhance": {"steps": [{"clahe": None}]}}},
}


def accepted(recipe: Any, folder: Path) -> bool:
    file = folder / "r.yaml"
    file.write_text(json.dumps(recipe))  # JSON is YAML
    try:
        tasks_from(load(file, stage_names()))
    except RecipeError:
        return False
    return True


@pytest.mark.parametrize("case", BAD)
def test_schema_and_run_refuse_the_same(case: str, tmp_path: Path) -> None:
    assert errors(BAD[case])
    assert not accepted(BAD[case], tmp_path)


@pytest.mark.parametrize("case", MORE_GOOD)
def test_schema_and_run_accept_the_same(case: str, tmp_path: Path) -> None:
    assert errors(MORE_GOOD[case]) == []
    assert accepted(MORE_GOOD[case], tmp_path)


def test_the_schemas_defaults_and_bounds_are_the_parameters_own() -> None:
    stages = recipe_schema()["properties"]["stages"]["properties"]
    assert list(stages) == list(stage_names())
    for stage in all_stages():
        properties = stages[stage.name]["properties"]
        assert list(properties) == [s.name for s in stage.specs()]
        made = stage.parameters({})
        again = stage.parameters({name: p["default"] for name, p in properties.items() if p["default"] is not None})
        assert made == again
        for spec in stage.specs():
            found = properties[spec.name]
            assert (found.get("minimum"), found.get("maximum")) == (spec.minimum, spec.maximum)
            assert found["description"].startswith(spec.help)
            if spec.kind != "steps":
                jsonschema.validate(found["default"], found)


def test_a_folder_of_the_same_name_does_not_hide_a_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("quick").mkdir()
    assert find("quick").name == "quick.yaml"


def test_an_unknown_recipe_is_said_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        find("qick")
    assert str(caught.value) == (
        "There is no recipe 'qick'. Did you mean 'quick'? (built-in ones: vbtools run --list)"
    )
    with pytest.raises(RecipeError, match="There is no recipe"):
        find(str(tmp_path))
