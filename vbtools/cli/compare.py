"""``vbtools compare``: two projects side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vbtools.cli import console
from vbtools.cli.options import json_option

if TYPE_CHECKING:
    from vbtools.pipeline.compare import Comparison, PictureDifference

SHA_DIGITS = 8
MOST_NAMED = 20
"""So many words are spelled out; --json has them all."""


@click.command("compare", short_help="two projects: what was done differently, what came of it")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A folder for pictures and compare.json.")
@json_option
def command(a: Path, b: Path, output: Path | None, as_json: bool) -> None:
    """Tell in what two projects, A and B, differ: parameters, backends, weights and versions, the pictures, the words.

    \b
    Example:
      vbtools compare median.h5 mean.h5 -o median-against-mean
    """
    from vbtools.pipeline.compare import compare
    from vbtools.store import Reader

    with Reader(a) as reader_a, Reader(b) as reader_b:
        answer = compare(reader_a, reader_b, output)
    if as_json:
        console.emit_json(answer.to_json())
        return
    _say_differences(answer)
    _say_pictures(answer)
    _say_findings(answer)
    for text in answer.notes:
        console.say(f"note: {text}")
    for file in answer.files:
        console.say(f"written: {Path(str(output)) / file}")


def _say_differences(answer: Comparison) -> None:
    if not answer.differences:
        console.say("Nothing was done differently.")
        return
    grouped: dict[tuple[str, str, str], list[str]] = {}
    told = {one.stage for one in answer.differences if one.what != "backend" and not one.what.startswith("software ")}
    for one in answer.differences:
        if one.what == "backend" and one.stage in told:  # a parameter has named it
            continue
        grouped.setdefault((one.what, _value(one.what, one.a), _value(one.what, one.b)), []).append(one.stage)
    rows = [(", ".join(stages), what, a, b) for (what, a, b), stages in grouped.items()]
    console.table(("stage", "what", f"A: {answer.a}", f"B: {answer.b}"), rows)


def _say_pictures(answer: Comparison) -> None:
    if answer.observations_a is not None and answer.observations_b is not None:
        console.say(f"observations of a pixel, mean: A {answer.observations_a:.1f}, B {answer.observations_b:.1f}")
    if answer.pictures:
        columns = ("picture", "mean difference", "PSNR", "seen in both", "in A only", "in B only", "")
        console.table(columns, [_picture_row(one) for one in answer.pictures])


def _picture_row(one: PictureDifference) -> tuple[str, ...]:
    if one.mean_difference is None:
        return (one.picture, "", "", *(_percent(s) for s in (one.both, one.only_a, one.only_b)), one.note)
    psnr = "equal" if one.psnr is None else f"{one.psnr:.1f} dB"
    shares = (_percent(share) for share in (one.both, one.only_a, one.only_b))
    return (one.picture, f"{one.mean_difference:.2f} of 255", psnr, *shares, one.note)


def _say_findings(answer: Comparison) -> None:
    for one in answer.findings:
        console.say(f"{one.kind} on the {one.picture} picture: {one.both} in both")
        for name, only in (("A", one.only_a), ("B", one.only_b)):
            if only:
                more = f" and {len(only) - MOST_NAMED} more" if len(only) > MOST_NAMED else ""
                console.say(f"  only in {name}: " + ", ".join(f"'{word}'" for word in only[:MOST_NAMED]) + more)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _value(what: str, value: Any) -> str:
    """A value on one short line."""
    if value is None:
        return "-"
    if what == "recording" or what.startswith("weights of "):
        return f"sha256 {str(value)[:SHA_DIGITS]}"
    if what == "stored":
        return "stored" if value else "not run"
    if what == "steps" and isinstance(value, list):
        return ", ".join(_step(one) for one in value) or "none"
    if what == "backend" and isinstance(value, list):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _step(step: Mapping[str, Any]) -> str:
    """``denoise (strength 5)``: the name, and the options that are not the defaults."""
    from vbtools.backends import backend
    from vbtools.config.params import specs

    name, options = next(iter(step.items()))
    row = backend("enhance", name)
    defaults = {spec.name: spec.default for spec in specs(row.parameters())} if row.is_built else {}
    given = [f"{key} {_value(key, value)}" for key, value in options.items() if value != defaults.get(key)]
    return f"{name} ({', '.join(given)})" if given else name
