"""``vbtools gc``: remove what nothing refers to."""

from __future__ import annotations

from pathlib import Path

import click

from vbtools.cli import console
from vbtools.cli.options import json_option, project_option


@click.command("gc", short_help="remove bulk that nothing refers to any more")
@project_option
@json_option
def command(project: Path, as_json: bool) -> None:
    """Remove bulk files that no project in the same folder refers to, and what killed runs have left.

    \b
    Example:
      vbtools gc -p study.h5
    """
    from vbtools.store import collect_garbage

    removed = collect_garbage(project)
    if as_json:
        console.emit_json([{"file": str(file), "bytes": size} for file, size in removed])
        return
    for file, size in removed:
        console.say(f"removed {file} ({size / 1e6:.1f} MB)")
    console.say(f"{len(removed)} files, {sum(size for _, size in removed) / 1e6:.1f} MB freed")
