"""advice: the same call under other settings, and how much less of the room each would have shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vbtools.config.element import Column, table
from vbtools.config.params import param
from vbtools.stages.base import Job, Stage

ROOMS, ROWS, QUICK_ROWS = 1, 360, 270
"""Rooms that each setting is played before; rows of the picture at most. Below 270 rows the fringe is a px wide."""


@dataclass(frozen=True)
class AdviceParams:
    """Parameters of advice."""

    quick: bool = param(False, "fewer settings, at a smaller size")
    seed: int = param(0, "chooses the room", minimum=0)


class Advice(Stage[AdviceParams]):
    """Replay the call under other settings of the blur, and count what each would have shown."""

    name = "advice"
    version = 3
    summary = "which setting would have shown how much less"
    example = "vbtools run leak --video call.mp4 --until advice"
    Params = AdviceParams
    elements = (
        table(
            "settings",
            "one row a setting, the call's own first",
            Column("setting", "str", "in words: as it is, a blur twice as wide, a tighter mask, ..."),
            Column("shown", "float64", "share of the room's detail that was recovered, 0-1"),
            Column("low", "float64", "lower end of its 95 % interval"),
            Column("high", "float64", "upper end"),
            Column("reduction", "float64", "1 - shown / that of the call's own setting; negative: it shows more"),
            Column("reduction_low", "float64", "lower end of its 95 % interval; NaN if the own shows nothing"),
            Column("reduction_high", "float64", "upper end"),
        ),
        table(
            "trail", "one row: how the call's own mask trails the person; not measured where it must be quick",
            Column("delay", "float64", "on average; NaN: not known", "frames"),
            Column("low", "float64", "lower end of its 95 % interval", "frames"),
            Column("high", "float64", "upper end", "frames"),
            Column("late", "int64", "by how many the mask is late; -1: not known", "frames"),
            Column("keep", "float64", "weight of the mask before in the next, 0-1"),
            Column("explained", "float64", "share of the edge's detail that is foretold in frames left out of the fit"),
            Column("trails", "int64", "1 where it does beyond doubt, and no smoothing over time was tried"),
            Column("told", "str", "the same in words"),
            optional=True,
        ),
    )

    def requires(self, params: AdviceParams) -> tuple[str, ...]:
        return ("extract", "segment", "align", "aggregate")

    def preload(self, params: AdviceParams) -> None:
        """As :meth:`Stage.preload`: what the pipeline needs."""
        from vbtools.evidence.again import preload

        preload()

    def run(self, job: Job[AdviceParams]) -> None:
        """Write the table, and say in the notes what would help most.

        Raises:
            MissingDependencyError: scikit-image, or a model, is not installed.
        """
        from vbtools.evidence.advised import advised
        from vbtools.evidence.again import learned

        if not learned(job.inputs):
            job.notes.append("aggregate's method is not leak: there is nothing to advise on; run it with method: leak")
            job.output.rows("settings", [])
            return
        size, trail = QUICK_ROWS if job.params.quick else ROWS, None
        if not job.params.quick:
            from vbtools.evidence.trail import trail_of

            trail = trail_of(job.inputs, job.params.seed, job.progress)
            job.output.rows("trail", [trail.row()])
        rows = advised(job.inputs, ROOMS, size, job.params.quick, job.params.seed, job.progress, trail)
        job.output.rows("settings", rows)
        job.notes += _notes(rows)
        if trail is not None:
            job.notes.append(trail.sentence())


def _notes(rows: list[dict[str, Any]]) -> list[str]:
    if not rows or rows[0]["shown"] <= 0:
        return ["replayed as it is, the call shows nothing of a room: no setting could show less"]
    notes = [f"as it is, {rows[0]['shown']:.1%} of a room's detail is shown"]
    for row in sorted(rows[1:], key=lambda row: -row["reduction"]):
        low, high = row["reduction_low"], row["reduction_high"]
        more = row["reduction"] < 0
        span = f"{-high:.0%} to {-low:.0%}" if more else f"{low:.0%} to {high:.0%}"
        sure = low > 0 or high < 0
        told = f"{abs(row['reduction']):.0%} {'more' if more else 'less'} ({span})"
        notes.append(f"{row['setting']}: {told}{'' if sure else '; may be chance'}")
    return notes
