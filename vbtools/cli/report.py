"""``vbtools report``: the evidence, the verdict, and a page that shows both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vbtools.cli import console
from vbtools.cli.options import json_option, project_option
from vbtools.errors import StageMissingError

if TYPE_CHECKING:
    from vbtools.pipeline import Outcome

quick_option = click.option(
    "--quick/--whole", "quick", default=None,
    help="Fewer replays, at a smaller size, or all; as it was run before where neither is given.",
)  # fmt: skip


def gather_evidence(project: Path, quick: bool | None) -> Outcome:
    """Run the parts of the evidence that are missing or stale, telling it."""
    from vbtools.cli.reporting import execute_telling
    from vbtools.evidence.tasks import evidence_tasks, without_gate
    from vbtools.store import Reader

    with Reader(project) as reader:
        tasks = evidence_tasks(reader, quick)
    if without_gate(tasks):
        console.note("gate: nothing was enhanced; left out")
    return execute_telling(project, tasks)


def out_of_date(told: str, project: Path) -> StageMissingError:
    """Something rests on a stage of the pipeline that has to be run again."""
    return StageMissingError(told, f"Run what is out of date (vbtools status -p {project} says what), then this again")


@click.command("report", short_help="the evidence and the verdict, as a page to read offline")
@project_option
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The page, NAME.html.")
@quick_option
@click.option("--redact", default="", metavar="person,text", help="What must not be shown, so that it can be shared.")
@json_option
def command(project: Path, output: Path, quick: bool | None, redact: str, as_json: bool) -> None:
    """Run what is missing of the evidence, and write one self-contained page, and its data as JSON beside it.

    \b
    Example:
      vbtools report -p study.h5 -o report.html
      vbtools report -p study.h5 -o to-share.html --redact person,text
    """
    from vbtools.evidence.answer import said
    from vbtools.report import json_beside, write_report
    from vbtools.report.plots import check
    from vbtools.report.redaction import kinds_of
    from vbtools.store import Reader

    kinds = kinds_of(redact)
    json_beside(output)  # before minutes of work: whether the page can be named so, and drawn
    check()
    outcome = gather_evidence(project, quick)
    with Reader(project) as reader:
        written = write_report(reader, output, kinds)
    verdict = written.content["verdict"]
    if as_json:
        told = {"report": str(written.page), "data": str(written.data), "verdict": verdict}
        console.emit_json({**outcome.plan.to_json(), "notes": outcome.notes, **told})
        return
    console.say(f"Report: {written.page} (its data: {written.data})")
    if verdict is None:
        raise out_of_date(f"The page tells no verdict: {written.content['absent']['verdict']}", project)
    console.say(f"Verdict: {said(verdict)}")
