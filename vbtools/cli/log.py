"""``vbtools log``: the history of a project."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vbtools.cli import console
from vbtools.cli.options import json_option, project_option


@click.command("log", short_help="who made what, when, with which parameters")
@project_option
@json_option
def command(project: Path, as_json: bool) -> None:
    """List every run of a stage that was ever stored, oldest first: who, when, parameters, weights, how long.

    \b
    Example:
      vbtools log -p study.h5
    """
    from vbtools.store import Reader

    with Reader(project) as reader:
        history = reader.log()
    if as_json:
        console.emit_json(history)
        return
    for entry in history:
        when = entry["started"][:19].replace("T", " ")
        console.say(f"{when} UTC  {entry['stage']}  {entry['duration']:.1f} s  by {entry['user']}@{entry['host']}")
        console.say(f"  {entry['command']}")
        backend = f"  backend {', '.join(entry['backend'])}" if entry["backend"] else ""
        console.say(f"  version {entry['version']}{backend}  fingerprint {entry['fingerprint'][:16]}")
        console.say(f"  parameters {json.dumps(entry['parameters'], ensure_ascii=False)}")
        for name, sha in entry["weights"].items():
            console.say(f"  weights {name} sha256 {sha[:16]}")
        for text in entry["notes"]:
            console.say(f"  note: {text}")
