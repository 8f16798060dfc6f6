"""Options that several commands share, and those that derive from a stage's parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vbtools.config.params import KIND_WORDS, Spec, Step, bounds
from vbtools.config.recipe import parse_value
from vbtools.errors import UsageError

project_option = click.option(
    "-p", "--project", type=click.Path(path_type=Path), default=Path("project.h5"), show_default=True,
    help="The project file.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


def parameter_options(specs: tuple[Spec, ...]) -> list[click.Option]:
    """One option for each parameter of a stage; what is not given is not passed on."""
    return [_option(spec) for spec in specs]


def given_parameters(values: dict[str, Any], specs: tuple[Spec, ...]) -> dict[str, Any]:
    """Of a command's values, the parameters that were given on the command line."""
    context = click.get_current_context()
    given = {}
    for spec in specs:
        source = context.get_parameter_source(spec.name)
        if source is click.core.ParameterSource.COMMANDLINE:
            value = values[spec.name]
            given[spec.name] = _parse_steps(value) if spec.kind == "steps" else value
    return given


def _option(spec: Spec) -> click.Option:
    words = spec.help[0].upper() + spec.help[1:]
    if spec.minimum is not None or spec.maximum is not None:
        words += f"; {bounds(spec)}"
    if spec.unit:
        words += f" [{spec.unit}]"
    words += f". [default: {_default(spec)}]" if spec.default is not None else "."
    flags = [spec.option]
    kind: Any = {"int": int, "float": float, "str": str, "path": str, "steps": str}.get(spec.kind)
    if spec.kind == "bool":
        flags = [f"{spec.option}/--no-{spec.option[2:]}"]
        return click.Option(flags, default=spec.default, help=words)
    if spec.kind == "str" and spec.choices:
        kind = click.Choice(spec.choices)
    if spec.kind == "steps":
        words += f" Steps: {', '.join(spec.choices)}; options as YAML: '[clahe, {{name: {{option: value}}}}]'."
    return click.Option(flags, type=kind, default=None, help=words, metavar=_metavar(spec))


def _metavar(spec: Spec) -> str | None:
    return {"path": "FILE", "steps": "STEP,..."}.get(spec.kind)


def _default(spec: Spec) -> str:
    if spec.kind == "steps":
        return ",".join(s.name if isinstance(s, Step) else str(s) for s in spec.default)
    if spec.kind == "bool":
        return spec.option[2:] if spec.default else f"no-{spec.option[2:]}"
    return f"{spec.default:g}" if isinstance(spec.default, float) else str(spec.default)


def _parse_steps(text: str) -> Any:
    """Steps as a comma-separated list, or as a YAML list when it begins with a bracket."""
    if not text.lstrip().startswith("["):
        return text
    try:
        return parse_value(text)
    except ValueError as error:
        raise UsageError(f"--steps {text}: not YAML ({error})", f"It must be {KIND_WORDS['steps']}") from error
