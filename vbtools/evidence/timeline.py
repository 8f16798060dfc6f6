"""timeline: how much of the room had been shown sharp after so many seconds, and how it would go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vbtools.config.element import Column, table
from vbtools.config.params import param
from vbtools.stages.base import Job, Stage

if TYPE_CHECKING:
    from vbtools.evidence.shown import Shown


@dataclass(frozen=True)
class TimelineParams:
    """Parameters of timeline."""

    least: float = param(0.3, "exposure from which a pixel counts as shown", minimum=0.0, maximum=1.0)
    seed: int = param(0, "of the resampling behind the interval", minimum=0)


class Timeline(Stage[TimelineParams]):
    """Count over the clip which share of the room its edge has shown, and extrapolate, with an interval."""

    name = "timeline"
    version = 1
    summary = "how much of the room was shown after 1, 5, 10, 30, 60 s"
    example = "vbtools run leak --video call.mp4 --until timeline"
    Params = TimelineParams
    elements = (
        table(
            "exposure",
            "share of the room shown sharp at least once, by the length of the call",
            Column("seconds", "float64", "length of the call", "s"),
            Column("share", "float64", "of all that the person left free, overlays left out, 0-1; NaN: cannot tell"),
            Column("low", "float64", "lower end of its 95 % interval: what was shown already; share if measured"),
            Column("high", "float64", "upper end, 0-1"),
            Column("measured", "uint8", "1 measured, 0 extrapolated beyond the clip's end"),
        ),
    )

    def requires(self, params: TimelineParams) -> tuple[str, ...]:
        return ("extract", "segment", "align", "aggregate")

    def run(self, job: Job[TimelineParams]) -> None:
        """Write the curve, and say in the notes how much was shown; nothing where aggregate's method is not leak."""
        from vbtools.evidence.shown import shown

        if not job.inputs.has("aggregate", "exposure"):
            job.notes.append("aggregate's method is not leak: what was shown is not known; run it with method: leak")
            job.output.rows("exposure", [])
            return
        found = shown(job.inputs, job.params.least, job.progress)
        job.output.rows("exposure", _rows(found, job.params.seed))
        job.notes += _notes(found)


def _rows(found: Shown, seed: int) -> list[dict[str, Any]]:
    """The measured curve, then what it foretells at the marks from the beginning, and from the end."""
    from vbtools.evidence.shown import MARKS_S, SEGMENT_S

    rows: list[dict[str, Any]] = [
        {"seconds": seconds, "share": share, "low": share, "high": share, "measured": 1}
        for seconds, share in found.measured
    ]
    length = found.seconds
    for seconds in sorted({*(length + mark for mark in MARKS_S), *(mark for mark in MARKS_S if mark > length)}):
        share, low, high = found.growth.after((seconds - length) / SEGMENT_S, seed)
        rows.append({"seconds": seconds, "share": share, "low": low, "high": high, "measured": 0})
    return rows


def _notes(found: Shown) -> list[str]:
    from vbtools.evidence.shown import MARKS_S
    from vbtools.ops.growth import LEAST_SEGMENTS

    marks = [(s, share) for s, share in found.measured if s in MARKS_S and s < found.seconds] + found.measured[-1:]
    told = ", ".join(f"{share:.1%} after {seconds:.3g} s" for seconds, share in marks)
    notes = [f"shown sharp, of all that the person ever left free: {told}"]
    if found.unprotected:
        counted = "1 unprotected frame is" if found.unprotected == 1 else f"{found.unprotected} unprotected frames are"
        notes.append(f"{counted} counted in: the room shows in them as it is")
    if not found.believed:
        notes.append("nowhere is the detail believed to be the room's: what the edge seems to show may be nothing")
    if found.growth.segments < LEAST_SEGMENTS:
        notes.append(f"{found.seconds:.2g} s are too short to foretell how it would go on")
    return notes
