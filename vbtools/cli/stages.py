"""One command for each stage, made from the stage's own parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vbtools.cli import console
from vbtools.cli.options import given_parameters, json_option, parameter_options, project_option
from vbtools.errors import UsageError
from vbtools.stages import Stage, stage


def stage_command(name: str) -> click.Command:
    """Build the command of a stage: its parameters as options, and ``-p``, ``--force``, ``--json``."""
    one = stage(name)
    options: list[click.Parameter] = []
    if one.reads_video:
        options.append(click.Argument(["video"], type=click.Path(path_type=Path)))
    if name == "enhance":
        options += [
            click.Option(["--image"], type=click.Path(path_type=Path), help="A single picture, without a project."),
            click.Option(["--output"], type=click.Path(path_type=Path), help="Where the single picture goes."),
        ]
    options += parameter_options(one.specs())
    options.append(click.Option(["--force"], is_flag=True, help="Run although nothing has changed."))
    return click.command(
        name, params=options, short_help=one.summary,
        help=f"{(type(one).__doc__ or one.summary).strip()}\n\n\b\nExample:\n  {one.example}",
    )(project_option(json_option(_callback(one))))  # fmt: skip


def _callback(one: Stage[Any]) -> Any:
    def run(**values: Any) -> None:
        params = one.parameters(given_parameters(values, one.specs()))
        if values.get("image") or values.get("output"):
            _single_image(values, params)
            return
        from vbtools.cli.reporting import execute_telling
        from vbtools.pipeline import Task

        force = (one.name,) if values["force"] else ()
        outcome = execute_telling(values["project"], [Task(one, params)], values.get("video"), force)
        if values["as_json"]:
            answer = {**outcome.plan.to_json(), "notes": outcome.notes, one.name: _tables(one, values["project"])}
            console.emit_json(answer)

    return run


def _tables(one: Stage[Any], project: Path) -> dict[str, Any]:
    """Everything in the stage's group that a script can read as rows: words, objects, dropped frames."""
    from vbtools.store import Reader

    with Reader(project) as reader:
        names = [e.name for e in one.elements if e.columns and reader.has(one.name, e.name)]
        return {name: reader.table(one.name, name) for name in names}


def _single_image(values: dict[str, Any], params: Any) -> None:
    """``vbtools enhance --image IN --output OUT``."""
    source, target = values["image"], values["output"]
    if source is None or target is None:
        raise UsageError("enhance: --image and --output go together", "Give both, or neither for a project")
    from vbtools.backends.picture import read_picture, write_picture
    from vbtools.stages.enhance import enhance_image

    stage("enhance").check(params)
    with console.progress("enhance") as bar:
        picture = enhance_image(read_picture(source), params, bar)
    write_picture(target, picture)
    console.say(str(target))
