"""``vbtools verdict``: the one-sentence answer, as an exit status too."""

from __future__ import annotations

from pathlib import Path

import click

from vbtools.cli import console
from vbtools.cli.options import json_option, project_option
from vbtools.cli.report import gather_evidence, out_of_date, quick_option


@click.command("verdict", short_help="leak shown, none found at this power, or inconclusive; as exit status too")
@project_option
@click.option(
    "--fail-on", "fail_on", multiple=True, type=click.Choice(["leak", "inconclusive"]),
    help="Only this answer sets an exit status; may be repeated. Without it both do.",
)  # fmt: skip
@quick_option
@json_option
def command(project: Path, fail_on: tuple[str, ...], quick: bool | None, as_json: bool) -> int:
    """Run what is missing of the evidence, and say the verdict in one sentence.

    The exit status is 0 where none was found at this power, 10 where a leak was shown, 11 where it is inconclusive.

    \b
    Example:
      vbtools verdict -p study.h5
      vbtools verdict -p study.h5 --fail-on leak
    """
    from vbtools.evidence import all_with_evidence
    from vbtools.evidence.answer import exit_status, said, stored_answer
    from vbtools.pipeline.pictures import Shown
    from vbtools.store import Reader

    gather_evidence(project, quick)
    with Reader(project) as reader:
        why = Shown(reader, all_with_evidence()).stale.get("verdict")
        if why:
            raise out_of_date(f"The verdict is out of date ({why})", project)
        told = stored_answer(reader)
    status = exit_status(told["answer"], fail_on)
    if as_json:
        from vbtools.report.content import finite

        console.emit_json({"project": str(project), **finite(told), "exit_status": status})
    else:
        console.say(said(told))
    return status
