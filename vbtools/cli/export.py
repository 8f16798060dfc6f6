"""``vbtools export``: pictures, tables and the frames."""

from __future__ import annotations

from pathlib import Path

import click

from vbtools.cli import console
from vbtools.cli.options import json_option, project_option


@click.command("export", short_help="pictures, tables and frames: what was found")
@project_option
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder to write to.")
@click.option("--video/--no-video", default=True, show_default=True, help="Also the frames, their masks drawn in.")
@json_option
def command(project: Path, output: Path, video: bool, as_json: bool) -> None:
    """Write pictures (PNG), tables (CSV, JSON) and frames (MP4) of a project, and say in words what was found.

    \b
    Example:
      vbtools export -p study.h5 -o pictures
    """
    from vbtools.pipeline.pictures import export, findings_in_words
    from vbtools.store import Reader

    with Reader(project) as reader, console.progress("export") as bar:
        written = export(reader, output, video=video, progress=bar)
        words = findings_in_words(reader)
    if as_json:
        console.emit_json({"folder": str(output), "files": [str(f) for f in written], "findings": words})
        return
    for sentence in words:
        console.say(sentence)
    console.say()
    console.say(f"Written to {output}:")
    for file in written:
        console.say(f"  {file}")
