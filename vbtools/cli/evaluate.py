"""``vbtools evaluate``: a project against the truth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from vbtools.cli import console
from vbtools.cli.interrupts import Interrupts
from vbtools.cli.options import json_option, project_option


@click.command("evaluate", short_help="score a project against the truth, and against the best possible")
@project_option
@click.option(
    "--truth", type=click.Path(path_type=Path), required=True,
    help="A folder as simulate writes it, or a picture of the empty room.",
)  # fmt: skip
@click.option(
    "--blind", type=click.Path(path_type=Path), multiple=True, metavar="PROJECT",
    help="Another project of the same call, whose pictures may raise the ceiling; may be repeated.",
)  # fmt: skip
@click.option(
    "--curve/--no-curve", default=None, help="Also score what a shorter call gives; unasked where that is quick."
)
@click.option(
    "--weights", type=click.Path(path_type=Path), metavar="FILE",
    help="A YOLO checkpoint for the objects, instead of the catalog's.",
)  # fmt: skip
@json_option
def command(
    project: Path, truth: Path, blind: tuple[Path, ...], curve: bool | None, weights: Path | None, as_json: bool
) -> None:
    """Score the background and every enhanced picture against the true room: standard measures, detail recovered,
    words, objects; and each score as a share of the best that is known to be possible. docs/evaluate.md defines them.

    \b
    Example:
      vbtools simulate -o call --seconds 10
      vbtools run quick --video call/blurred.mp4 -p study.h5
      vbtools evaluate -p study.h5 --truth call
    """
    from vbtools.evaluate.score import evaluate

    interrupts = Interrupts()
    with interrupts.watching(), console.progress("evaluate", check=interrupts.check) as bar:
        answer = evaluate(project, truth, blind=blind, curve=curve, weights=weights, progress=bar)
    if as_json:
        console.emit_json(answer)
        return
    _say_scores(answer)
    _say_curve(answer)
    for measure, reason in answer["unscored"].items():
        console.say(f"{measure}: not scored: {reason}")
    for note in answer["notes"]:
        console.say(f"note: {note}")


def _say_scores(answer: Mapping[str, Any]) -> None:
    ceiling = answer["ceiling"]
    columns = (
        "picture", "observed", "PSNR", "SSIM", "MS-SSIM", "LPIPS", "same colour", "structure", "recovered", "false",
        "in the swept band", "words",
    )  # fmt: skip
    pictures = dict(answer["pictures"]) | ({} if ceiling is None else ceiling["candidates"])
    console.table(columns, [_row(name, one) for name, one in pictures.items()])
    frame = answer["detail"]["frame"]
    console.say(
        f"Structure, recovered and false are blocks of {answer['detail']['block_px']} px, of {frame['textured']} with "
        "texture; in the swept band recovered, of those observed there."
    )
    if ceiling is None:
        return
    best, by = ceiling["detail"]["frame"]["recovered"], ceiling["by"]["detail.frame.recovered"]
    how = "estimated from call and room" if ceiling["estimated"] else "known"
    console.say(f"The best known: {best} blocks recovered, by {by} (leak weights {how}).")
    share = answer["of_ceiling"]["detail.frame.recovered"]
    if share is not None:
        console.say(f"/aggregate/background reaches {_percent(share)} of that.")


def _row(name: str, scores: Mapping[str, Any]) -> tuple[str, ...]:
    frame, swept, words = scores["detail"]["frame"], scores["detail"]["swept"], scores["words"]
    same = scores["ciede2000"]
    return (
        name, _percent(scores["coverage"]), _number(scores["psnr"], "{:.1f} dB"),
        *(_number(scores[measure], "{:.3f}") for measure in ("ssim", "ms_ssim", "lpips")),
        "" if same is None else _percent(same["share"]),
        *(str(frame[kind]) for kind in ("structure", "recovered", "false")),
        "" if swept is None else f"{swept['recovered']} of {swept['observed']}",
        "" if words is None else f"{words['read']} of {words['observed']}",
    )  # fmt: skip


def _say_curve(answer: Mapping[str, Any]) -> None:
    if answer["curve"] is None:
        return
    rows = []
    for point in answer["curve"]:
        scores, ceiling = point["scores"], point["ceiling"]
        if scores is None:
            rows.append((f"{point['seconds']:.1f} s", str(point["frames"]), "", "", ""))
            continue
        words = scores["words"]
        best = "" if ceiling is None else str(ceiling["detail"]["frame"]["recovered"])
        read = "" if words is None else str(words["read"])
        rows.append(
            (f"{point['seconds']:.1f} s", str(point["frames"]), str(scores["detail"]["frame"]["recovered"]), read, best)
        )
    console.table(("call", "frames", "recovered", "words", "ceiling: recovered"), rows)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
