"""``vbtools pack``: one file that holds everything."""

from __future__ import annotations

from pathlib import Path

import click

from vbtools.cli import console
from vbtools.cli.options import json_option, project_option


@click.command("pack", short_help="one self-contained project file")
@click.argument("out", type=click.Path(path_type=Path))
@project_option
@click.option("--force", is_flag=True, help="Replace OUT if it exists.")
@json_option
def command(out: Path, project: Path, force: bool, as_json: bool) -> None:
    """Write the project and its bulk into one file, OUT, which is a project itself.

    \b
    Example:
      vbtools pack to-mail.h5 -p study.h5
    """
    from vbtools.store import pack

    size = pack(project, out, force=force)
    if as_json:
        console.emit_json({"file": str(out), "bytes": size})
    else:
        console.say(f"{out}: {size / 1e6:.1f} MB, self-contained")
