"""control: what comes back although the room is another one is no leak; each finding's rate against that."""

from __future__ import annotations

from dataclasses import dataclass

from vbtools.config.element import Column, Element, table
from vbtools.config.params import param
from vbtools.stages.base import Job, Stage


@dataclass(frozen=True)
class ControlParams:
    """Parameters of control."""

    confidence: float = param(0.8, "confidence from which a place counts as a finding", minimum=0.0, maximum=1.0)


class Control(Stage[ControlParams]):
    """Compare every finding with what the same place shows when the room behind it is exchanged."""

    name = "control"
    version = 2
    summary = "findings against the same call before other rooms"
    example = "vbtools run leak --video call.mp4 --until control"
    Params = ControlParams
    elements = (
        Element("follows", "uint8", ("H", "W"), "1 where detail is believed and does not come back in other rooms"),
        table(
            "findings",
            "connected places of believed detail, and words and objects of inspect, each with its rate in other rooms",
            Column("kind", "str", "place, word or object"),
            Column("what", "str", "the text or label; empty for a place"),
            Column("x", "float64", "left edge of the box, in the plate's pixels", "px"),
            Column("y", "float64", "top edge", "px"),
            Column("width", "float64", "of the box", "px"),
            Column("height", "float64", "of the box", "px"),
            Column("confidence", "float64", "that the detail is the room's, mean under the box, 0-1"),
            Column("exposure", "float64", "mean under the box, 0-1"),
            Column("passages", "int64", "disjoint passages of the edge, median under the box"),
            Column("first", "float64", "when the edge first showed it; NaN unknown", "s"),
            Column("last", "float64", "when it last did; NaN unknown", "s"),
            Column("rooms", "int64", "replays that it was compared with"),
            Column("returned", "int64", "those in which the same detail came back"),
            Column("likeness", "float64", "largest correlation with what a replay shows there"),
            Column("follows", "uint8", "1: it follows the room; 0: it came back, or cannot be told"),
        ),
    )

    def requires(self, params: ControlParams) -> tuple[str, ...]:
        return ("extract", "segment", "align", "aggregate", "inspect", "replay")

    def run(self, job: Job[ControlParams]) -> None:
        """Write which places follow the room, and one row a finding."""
        from vbtools.evidence.following import Following

        following = Following.of(job.inputs, job.params.confidence)
        job.output.write("follows", following.follows())
        rows = following.findings()
        job.output.rows("findings", rows)
        told = sum(row["follows"] for row in rows)
        job.notes.append(
            f"{told} of {len(rows)} findings follow the room; compared with {following.count} other rooms"
            if following.count
            else "no replay: whether anything follows the room cannot be told"
        )
