"""``vbtools simulate``: a blurred call whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vbtools.cli import console
from vbtools.cli.options import json_option
from vbtools.errors import UsageError
from vbtools.simulate.choice import choose
from vbtools.simulate.motion import MOTIONS
from vbtools.simulate.profile import PROFILES
from vbtools.simulate.settings import CAMERAS, CODECS, OVERLAYS, CallSettings, Settings

_FILE = click.Path(path_type=Path)


@click.command("simulate", short_help="make a blurred call whose truth is known")
@click.option("-o", "--output", type=_FILE, required=True, help="The folder to write to.")
@click.option(
    "--profile", default="gaussian", show_default=True, metavar="NAME|FILE",
    help=f"The product whose blur is simulated: {', '.join(PROFILES)}; or a YAML file with a profile.",
)  # fmt: skip
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE",
    help="Change a value of the profile: strength=20, mask.feather.sigma=4, 'blur=[stack]'. May be repeated.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Decides about all that is left to chance.")
@click.option("--seconds", type=float, default=None, help="Length of the call. [default: 10, or the whole clip]")
@click.option("--clip", type=_FILE, help="A clean recording of a person before a fixed camera: the whole scene.")
@click.option("--person", type=_FILE, help="The person: a clip before a green screen or a plain wall, or a cut-out.")
@click.option("--background", type=_FILE, help="The room: a photograph. [default: a rendered room]")
@click.option(
    "--chart", is_flag=False, flag_value="scene", type=click.Choice(("scene", "page")),
    help="The test chart: as the scene's wall, or as a page to print (chart.pdf).",
)  # fmt: skip
@click.option("--motion", type=click.Choice(tuple(MOTIONS)), help="How the person moves. [default: sway]")
@click.option("--camera", type=click.Choice(CAMERAS), default="fixed", show_default=True, help="How the camera stands.")
@click.option("--noise", type=float, default=0.0, show_default=True, help="The camera's noise, levels of 255.")
@click.option("--drift", type=float, default=0.0, show_default=True, help="Largest relative change of its exposure.")
@click.option("--size", metavar="WxH", help="Size of the frames, even sides. [default: 1280x720, or the clip's]")
@click.option("--fps", type=float, help="Frames a second. [default: 25, or the clip's]")
@click.option(
    "--codec", type=click.Choice(tuple(CODECS)), default="h264", show_default=True, help="The call's codec."
)
@click.option("--bitrate", type=float, metavar="KBIT/S", help="The call's bit rate. [default: 1200 at 720p]")
@click.option("--call-size", metavar="WxH", help="The call's size. [default: the camera's]")
@click.option("--call-fps", type=float, help="The call's frames a second. [default: the camera's]")
@click.option("--dropped", type=float, default=0.0, show_default=True, help="Share of frames that do not arrive.")
@click.option(
    "--overlay", "overlays", type=click.Choice(OVERLAYS), multiple=True,
    help="Drawn over the call, or before it. May be repeated.",
)  # fmt: skip
@click.option("--mute", "muted", multiple=True, metavar="FROM-TO", help="Seconds in which the camera is off.")
@click.option("--fail", "fails", multiple=True, metavar="FROM-TO", help="Seconds in which the model does not answer.")
@click.option("--force", is_flag=True, help="Overwrite files that no simulation made.")
@json_option
def command(
    output: Path, profile: str, overrides: tuple[str, ...], seed: int, seconds: float | None, clip: Path | None,
    person: Path | None, background: Path | None, chart: str | None, motion: str | None, camera: str, noise: float,
    drift: float, size: str | None, fps: float | None, codec: str, bitrate: float | None, call_size: str | None,
    call_fps: float | None, dropped: float, overlays: tuple[str, ...], muted: tuple[str, ...], fails: tuple[str, ...],
    force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make a call whose room is known to the pixel.

    Writes blurred.mp4 as a product would send it, clean.mkv without the blur, alpha.mkv with the person's true outline,
    mask.mkv with the product's mask, leak.mkv with how much of the clean room each pixel shows, background.png (the
    empty room) and truth.json (what is in it, and how all of it was made).

    \b
    Example:
      vbtools simulate -o call --profile jitsi --seed 1 --seconds 10
      vbtools simulate -o mine --profile shiguredo --set strength=20 --clip me_before_my_wall.mp4
      vbtools run quick --video call/blurred.mp4 -p study.h5
    """
    call = CallSettings(
        codec, None if bitrate is None else round(1000 * bitrate), _parse_size(call_size, "--call-size"), call_fps,
        dropped, overlays,
    )  # fmt: skip
    settings = Settings(
        choose(profile, overrides), seed, seconds, _parse_size(size, "--size"), fps, motion, clip, person, background,
        chart == "scene", camera, noise, drift, call, _parse_spans(muted, "--mute"), _parse_spans(fails, "--fail"),
    )  # fmt: skip
    settings.check()
    from vbtools.simulate.write import simulate, write_chart

    if chart == "page":
        _report_page(output, write_chart(output, seed, force=force), as_json)
        return
    with console.progress("simulate") as progress:
        truth = simulate(output, settings, force=force, progress=progress)
    _report(output, truth, as_json)


def _report(output: Path, truth: dict[str, Any], as_json: bool) -> None:
    if as_json:
        console.emit_json({"folder": str(output)} | truth)
        return
    width, height = truth["size"]
    motion = truth["motion"]["name"] or "a clip"
    console.say(
        f"{output}: {truth['frames']} frames of {width}x{height}, profile {truth['profile']['name']}, seed"
        f" {truth['seed']}, {motion}"
    )
    for name, facts in truth["files"].items():
        console.say(f"  {name:15} {facts['bytes'] / 1e6:8.1f} MB")
    if truth["background"]["estimated"]:
        console.say(
            f"The room behind the person was estimated from the clip: {truth['background']['known_pct']} % of it was"
            " seen (known.png). The person's outline is a segmenter's, not the truth."
        )
    if truth["text"]:
        readable = [line for line in truth["text"] if line["in_swept_band"] >= 0.5]
        console.say(
            f"{len(truth['text'])} lines of text and {len(truth['objects'])} objects are in the room; the person's edge"
            f" sweeps over {len(readable)} of the lines."
        )


def _report_page(output: Path, told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        console.emit_json({"folder": str(output)} | told)
        return
    console.say(f"{output / 'chart.pdf'}: the test chart, A4; print it at 100 % and hang it beside your head")
    console.say(f"  {len(told['text'])} words, listed with their cap heights in {output / 'chart.json'}")


def _parse_size(text: str | None, option: str) -> tuple[int, int] | None:
    if text is None:
        return None
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise UsageError(f"{option} cannot be '{text}'", f"Give width and height: {option} 1280x720")
    return int(width), int(height)


def _parse_spans(texts: tuple[str, ...], option: str) -> tuple[tuple[float, float], ...]:
    spans = []
    for text in texts:
        begin, _, end = text.partition("-")
        try:
            spans.append((float(begin), float(end)))
        except ValueError as error:
            raise UsageError(f"{option} cannot be '{text}'", f"Give seconds from and to: {option} 2-3.5") from error
    return tuple(spans)
