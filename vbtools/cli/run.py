"""``vbtools run``: a recipe, from the recording to the findings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vbtools.cli import console
from vbtools.cli.options import json_option
from vbtools.errors import UsageError
from vbtools.evidence import all_with_evidence

if TYPE_CHECKING:
    from vbtools.pipeline import Decision, Task

KNOWN = tuple(s.name for s in all_with_evidence())
STAGE = click.Choice(KNOWN)


@click.command("run", short_help="run a recipe: all stages, skipping what is fresh")
@click.argument("recipe", required=False)
@click.option("--video", type=click.Path(path_type=Path), help="The recording; instead of the recipe's.")
@click.option("-p", "--project", type=click.Path(path_type=Path), help="The project file; instead of the recipe's.")
@click.option("--set", "settings", multiple=True, metavar="STAGE.KEY=VALUE", help="Change a value; may be repeated.")
@click.option("--from", "first", type=STAGE, help="Begin with this stage; take the ones before as they are stored.")
@click.option("--until", "last", type=STAGE, help="End with this stage, also where the recipe has none such.")
@click.option("--force", multiple=True, type=STAGE, help="Run this stage although it is fresh; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Only tell what would run, and why.")
@click.option("--list", "list_recipes", is_flag=True, help="List the recipes that come with vbtools.")
@click.option("--schema", is_flag=True, help="Print the JSON schema of recipes.")
@json_option
def command(
    recipe: str | None,
    video: Path | None,
    project: Path | None,
    settings: tuple[str, ...],
    first: str | None,
    last: str | None,
    force: tuple[str, ...],
    dry_run: bool,
    list_recipes: bool,
    schema: bool,
    as_json: bool,
) -> None:
    """Run a recipe's stages in order, skipping what is fresh and saying why.

    RECIPE is a YAML file, or the name of a recipe that comes with vbtools.

    \b
    Example:
      vbtools run recipes/quick.yaml --video call.mp4 -p study.h5 --set extract.fps=10
    """
    from vbtools.pipeline.recipes import built_in, find, recipe_schema

    if schema:
        console.emit_json(recipe_schema(all_with_evidence()))
        return
    if list_recipes:
        console.table(("recipe", "what for"), [(name, about) for name, about in built_in().items()])
        return
    if recipe is None:
        raise UsageError("run needs a recipe", "For example: vbtools run quick --video call.mp4")
    from vbtools.config.recipe import load
    from vbtools.pipeline import tasks_from

    read = load(find(recipe), KNOWN)
    for option in settings:
        read.set(option, KNOWN)
    tasks = tasks_from(read, first, last, all_with_evidence())
    place = project or (Path(read.project) if read.project else Path("project.h5"))
    recording = video or (Path(read.video) if read.video else None)
    unlisted = [name for name in force if name not in {t.stage.name for t in tasks}]
    if unlisted:
        raise UsageError(f"--force {unlisted[0]}: that stage is not part of this run", "Add it to the recipe")
    if not tasks:
        raise UsageError("Nothing to run: the recipe has no stage in that range", "Check --from and --until")
    for (stage, _), option in read.overrides.items():
        if first and KNOWN.index(stage) < KNOWN.index(first):
            raise UsageError(f"--set {option}: {stage} is not part of this run", f"Begin with it: --from {stage}")
    if dry_run:
        _tell_plan(place, tasks, recording, force, as_json)
        return
    _run(place, tasks, recording, force, as_json)


def _tell_plan(place: Path, tasks: list[Task], recording: Path | None, force: tuple[str, ...], as_json: bool) -> None:
    from vbtools.pipeline import make_plan

    plan = make_plan(place, tasks, recording, force, all_with_evidence())
    if as_json:
        console.emit_json(plan.to_json())
        return
    console.table(
        ("stage", "action", "why"),
        [(d.task.stage.name, "run" if d.run else "skip", d.reason + _unbuilt(d)) for d in plan.decisions],
    )


def _unbuilt(decision: Decision) -> str:
    rows = decision.task.stage.backends(decision.task.params)
    names = [b.name for b in rows if not b.is_built]
    return f" (cannot run: {', '.join(names)} not built in this version)" if names else ""


def _run(place: Path, tasks: list[Task], recording: Path | None, force: tuple[str, ...], as_json: bool) -> None:
    from vbtools.cli.reporting import execute_telling

    outcome = execute_telling(place, tasks, recording, force)
    if as_json:
        console.emit_json({**outcome.plan.to_json(), "notes": outcome.notes})
        return
    if outcome.notes:
        console.say(f"{place}: ran {', '.join(outcome.notes)}")
        console.say(f"See the pictures: vbtools export -p {place} -o {place.with_suffix('')}-pictures")
    else:
        console.say(f"{place}: everything is fresh; nothing was run")
    if any(task.stage.name == "verdict" for task in tasks):
        _say_verdict(place)


def _say_verdict(place: Path) -> None:
    from vbtools.evidence.answer import said, stored_answer
    from vbtools.store import Reader

    with Reader(place) as reader:
        told = stored_answer(reader)
    console.say(f"Verdict: {said(told)}")
    console.say(f"Read it: vbtools report -p {place} -o {place.with_suffix('.html')}")
