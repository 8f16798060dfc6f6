"""``vbtools status``: what a project holds, and whether it is up to date."""

from __future__ import annotations

from pathlib import Path

import click

from vbtools.cli import console
from vbtools.cli.options import json_option, project_option


@click.command("status", short_help="which stages are fresh, stale or missing, and why")
@project_option
@json_option
def command(project: Path, as_json: bool) -> None:
    """Tell of each stage whether it is fresh, stale or missing, and why.

    \b
    Example:
      vbtools status -p study.h5
    """
    from vbtools.evidence import all_with_evidence
    from vbtools.pipeline import assess_stored
    from vbtools.store import Reader

    with Reader(project) as reader:
        found = assess_stored(reader, all_with_evidence())
    if as_json:
        stages = [
            {
                "stage": a.stage,
                "state": str(a.state),
                "reasons": list(a.reasons),
                "record": a.record.to_json() if a.record else None,
            }
            for a in found
        ]
        console.emit_json({"project": str(project), "stages": stages})
        return
    rows = []
    for a in found:
        record = a.record
        made = f"{record.started[:19].replace('T', ' ')}, {record.duration:.1f} s" if record else ""
        rows.append((a.stage, a.state, ", ".join(record.backend) if record else "", made, "; ".join(a.reasons)))
    console.table(("stage", "state", "backend", "made (UTC)", "why"), rows)
