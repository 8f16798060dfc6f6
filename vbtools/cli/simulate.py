"""``vbtools simulate``: a blurred call whose truth is known."""

from __future__ import annotations

from pathlib import Path

import click

from vbtools.cli import console
from vbtools.cli.options import json_option
from vbtools.errors import UsageError
from vbtools.simulate.motion import MOTIONS
from vbtools.simulate.profile import PROFILES


@click.command("simulate", short_help="make a blurred call whose truth is known")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder to write to.")
@click.option(
    "--profile", type=click.Choice(tuple(PROFILES)), default="gaussian", show_default=True,
    help="The product whose blur is simulated.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Decides about room, seat and movement.")
@click.option("--seconds", type=float, default=10.0, show_default=True, help="Length of the call.")
@click.option("--size", default="1280x720", show_default=True, metavar="WxH", help="Size of the frames, even sides.")
@click.option("--fps", type=float, default=25.0, show_default=True, help="Frames a second.")
@click.option(
    "--motion", type=click.Choice(tuple(MOTIONS)), default="sway", show_default=True, help="How the person moves."
)
@click.option("--force", is_flag=True, help="Overwrite files that no simulation made.")
@json_option
def command(
    output: Path, profile: str, seed: int, seconds: float, size: str, fps: float, motion: str, force: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Make a call whose room is known to the pixel: blurred.mp4 as a product would send it, clean.mkv without the
    blur, alpha.mkv with the person's true outline, background.png (the empty room) and truth.json (what is in it).

    \b
    Example:
      vbtools simulate -o call --profile gaussian --seed 1 --seconds 10
      vbtools run quick --video call/blurred.mp4 -p study.h5
    """
    width, height = _parse_size(size)
    from vbtools.simulate.write import Settings, simulate

    settings = Settings(profile, seed, seconds, (width, height), fps, motion)
    with console.progress("simulate") as progress:
        truth = simulate(output, settings, force=force, progress=progress)
    if as_json:
        console.emit_json({"folder": str(output)} | truth)
        return
    readable = [line for line in truth["text"] if line["in_swept_band"] >= 0.5]
    console.say(f"{output}: {truth['frames']} frames of {width}x{height}, profile {profile}, seed {seed}, {motion}")
    for name, facts in truth["files"].items():
        console.say(f"  {name:15} {facts['bytes'] / 1e6:8.1f} MB")
    console.say(
        f"{len(truth['text'])} lines of text and {len(truth['objects'])} objects are in the room; the person's edge "
        f"sweeps over {len(readable)} of the lines."
    )


def _parse_size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise UsageError(f"--size cannot be '{text}'", "Give width and height: --size 1280x720")
    return int(width), int(height)
