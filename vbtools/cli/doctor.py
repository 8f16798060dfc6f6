"""``vbtools doctor``: what is installed, what can run, and what mends each gap."""

from __future__ import annotations

import click

from vbtools.cli import console
from vbtools.cli.options import json_option
from vbtools.errors import MissingDependencyError


@click.command("doctor", short_help="what is installed, what can run, what mends each gap")
@json_option
def command(as_json: bool) -> None:
    """Look at Python, libraries, programs, models, backends, encoders and disk; exit 8 when the light path (MediaPipe
    masks, the median, reading words) does not work.

    \b
    Example:
      vbtools doctor
    """
    from vbtools.pipeline.doctor import examine

    report = examine()
    if as_json:
        console.emit_json(report.to_json())
    else:
        columns = ("what", "name", "state", "detail", "mend with")
        console.table(columns, [(c.group, c.name, c.state, c.detail, c.mend) for c in report.checks])
    if report.stops:
        names = ", ".join(f"{check.group} {check.name}" for check in report.stops)
        first = report.stops[0]
        raise MissingDependencyError(f"The light path does not work: {names}", f"Run: {first.mend}")
    if not as_json:
        console.say("The light path works: person masks, the median of the background, and reading words.")
