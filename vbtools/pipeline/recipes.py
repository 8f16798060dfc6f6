"""The recipes that come with vbtools, and the JSON schema that editors and CI check recipes with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vbtools.backends import backend
from vbtools.config.params import Spec, Step, specs
from vbtools.config.recipe import KEYS, VERSION
from vbtools.errors import RecipeError, nearest
from vbtools.stages import Stage, all_stages

_PACKAGE = Path(__file__).parents[1]
FOLDERS = (_PACKAGE / "recipes", _PACKAGE.parent / "recipes")
"""Where recipes lie in an installed package, and in a checkout."""
SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def built_in() -> dict[str, str]:
    """Name of each recipe that comes with vbtools, and its first comment line."""
    found: dict[str, str] = {}
    for folder in FOLDERS:
        for file in sorted(folder.glob("*.yaml")):
            first = file.read_text(encoding="utf-8").splitlines()[0]
            found.setdefault(file.stem, first.lstrip("# ").strip())
    return found


def find(name: str) -> Path:
    """A recipe's file, from its path or the name of a built-in one.

    Raises:
        RecipeError: there is neither.
    """
    path = Path(name)
    if path.is_file() or name not in built_in():
        if not path.is_file():
            hint = nearest(path.stem, list(built_in()))
            raise RecipeError(f"There is no recipe '{name}'", f"{hint} (built-in ones: vbtools run --list)")
        return path
    return next(folder / f"{name}.yaml" for folder in FOLDERS if (folder / f"{name}.yaml").is_file())


def recipe_schema(known: Sequence[Stage[Any]] = ()) -> dict[str, Any]:
    """The JSON schema of recipes, from the stages' own parameters.

    Args:
        known: all stages that a recipe may name; the pipeline's where none are given.
    """
    return {
        "$schema": SCHEMA_DIALECT,
        "title": "vbtools recipe",
        "type": "object",
        "required": ["version"],
        "anyOf": [{"required": ["stages"]}, {"required": ["profile"]}],
        "additionalProperties": False,
        "properties": {
            KEYS[0]: {"const": VERSION},
            KEYS[1]: {"type": ["string", "null"], "description": "the recording"},
            KEYS[2]: {"type": ["string", "null"], "description": "the project file"},
            KEYS[3]: {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": False,
                "properties": {s.name: _stage_schema(s) for s in known or all_stages()},
            },
            KEYS[4]: _profile_schema(),
        },
    }


def _profile_schema() -> dict[str, Any]:
    """A product's blur for ``vbtools simulate --profile FILE``."""
    from vbtools.simulate.profile import PROFILES, Scheme  # 0.01 s that a run does not need

    own = {
        "base": {"enum": list(PROFILES), "description": "the built-in profile that it starts from"},
        "name": {"type": "string", "description": "as it is called in truth.json"},
    }
    values = {spec.name: _profile_property(spec) for spec in specs(Scheme)}
    return {
        "type": "object",
        "description": "a product's blur, for vbtools simulate --profile FILE",
        "additionalProperties": False,
        "properties": own | values,
    }


def _profile_property(spec: Spec) -> dict[str, Any]:
    """One value of a profile; what is not given is as in ``base``."""
    if spec.kind != "steps":
        return {key: value for key, value in _property(spec, "profile").items() if key != "default"}
    from vbtools.simulate.profile import STEP_TABLES

    kinds = {
        name: {
            "type": ["object", "null"],
            "additionalProperties": False,
            "properties": {s.name: _property(s, "profile") for s in specs(kind)},
        }
        for name, kind in STEP_TABLES[spec.name].items()
    }
    with_options = [
        {"type": "object", "required": [name], "additionalProperties": False, "properties": {name: options}}
        for name, options in kinds.items()
    ]
    items = {"anyOf": [{"enum": list(kinds)}, *with_options]}
    return {"description": spec.help, "type": "array", "items": items}


def _stage_schema(stage: Stage[Any]) -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "description": stage.summary,
        "additionalProperties": False,
        "properties": {spec.name: _property(spec, stage.name) for spec in stage.specs()},
    }


def _property(spec: Spec, stage: str) -> dict[str, Any]:
    if spec.kind == "steps":
        return _steps_property(spec, stage)
    types = {"bool": "boolean", "int": "integer", "float": "number", "str": "string", "path": "string"}
    kind = types[spec.kind]
    found: dict[str, Any] = {"type": [kind, "null"] if spec.optional else kind}
    found["description"] = spec.help + (f" [{spec.unit}]" if spec.unit else "")
    found["default"] = spec.default
    if spec.choices:
        found["enum"] = [*spec.choices, *([None] if spec.optional else [])]
    limits = {"minimum": spec.minimum, "maximum": spec.maximum}
    return found | {key: bound for key, bound in limits.items() if bound is not None}


def _steps_property(spec: Spec, stage: str) -> dict[str, Any]:
    with_options = []
    for name in spec.choices:
        row = backend(stage, name)
        known = specs(row.parameters()) if row.is_built else ()
        options: dict[str, Any] = {"type": ["object", "null"]}
        if row.is_built:
            options["additionalProperties"] = False
            options["properties"] = {s.name: _property(s, stage) for s in known}
        with_options.append(
            {"type": "object", "required": [name], "additionalProperties": False, "properties": {name: options}}
        )
    return {
        "description": spec.help,
        "default": [s.name if isinstance(s, Step) else s for s in spec.default],
        "type": "array",
        "items": {"anyOf": [{"enum": list(spec.choices)}, *with_options]},
    }
