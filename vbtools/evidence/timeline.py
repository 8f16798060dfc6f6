"""timeline: how much of the room had been shown sharp after so many seconds, and how it would go on."""

from __future__ import annotations

from dataclasses import dataclass

from vbtools.config.element import Column, table
from vbtools.config.params import param
from vbtools.stages.base import Job, Stage


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
            Column("share", "float64", "of the picture outside the person, 0-1"),
            Column("low", "float64", "lower end of the 95 % interval, 0-1; equals share where it was measured"),
            Column("high", "float64", "upper end, 0-1"),
            Column("measured", "uint8", "1 measured, 0 extrapolated beyond the clip's end"),
        ),
    )

    def requires(self, params: TimelineParams) -> tuple[str, ...]:
        return ("extract", "segment", "align", "aggregate")

    def run(self, job: Job[TimelineParams]) -> None:
        raise NotImplementedError
