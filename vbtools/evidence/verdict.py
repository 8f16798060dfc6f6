"""verdict: leak shown, none found at this power, or inconclusive; and why."""

from __future__ import annotations

from dataclasses import dataclass

from vbtools.config.element import Column, table
from vbtools.config.params import param
from vbtools.stages.base import Job, Stage

LEAK, NONE, INCONCLUSIVE = "leak shown", "none found at this power", "inconclusive"
ANSWERS = (LEAK, NONE, INCONCLUSIVE)


@dataclass(frozen=True)
class VerdictParams:
    """Parameters of verdict: its thresholds."""

    places: int = param(4, "so many 24 px blocks (of 720 rows) that follow the room are a leak", minimum=1)
    precision: float = param(
        0.8, "share of believed blocks that must be right in the replays", minimum=0.0, maximum=1.0
    )
    letters: float = param(
        40.0,
        "none found needs the power to read letters of this size at 720 rows, else inconclusive",
        minimum=0.0,
        unit="px",
    )
    gate: bool = param(True, "also judge what the enhanced picture shows; needs enhance")


class Verdict(Stage[VerdictParams]):
    """Weigh the findings against the controls and the power; never says that a clip is safe."""

    name = "verdict"
    version = 2
    summary = "leak shown | none found at this power | inconclusive"
    example = "vbtools verdict -p study.h5"
    Params = VerdictParams
    elements = (
        table(
            "verdict",
            "one row",
            Column("answer", "str", " | ".join(ANSWERS)),
            Column("sentence", "str", "the answer, its reasons and the power, in one sentence"),
            Column("power", "str", "what this clip would have shown, in words"),
            Column("unprotected", "int64", "frames that show the room as it is"),
            Column("blocks", "int64", "24 px blocks (of 720 rows) whose detail follows the room"),
            Column("words", "int64", "words of four letters and more that follow the room"),
            Column("fringe_px", "float64", "smallest readable cap height at the edge; NaN none", "px"),
            Column("blur_px", "float64", "smallest readable cap height through the blur; NaN none", "px"),
        ),
        table("reasons", "what speaks for and against, one sentence a row", Column("reason", "str", "a sentence")),
    )

    def requires(self, params: VerdictParams) -> tuple[str, ...]:
        return (
            "extract",
            "segment",
            "aggregate",
            "inspect",
            "replay",
            "control",
            "power",
            *(("gate",) if params.gate else ()),
        )

    def run(self, job: Job[VerdictParams]) -> None:
        """Weigh what is stored; write the verdict and its reasons."""
        from vbtools.evidence.weighing import Evidence, weigh

        found = weigh(Evidence.of(job.inputs, gate=job.params.gate), job.params)
        job.output.rows("verdict", [found.row])
        job.output.rows("reasons", [{"reason": reason} for reason in found.reasons])
        job.notes.append(found.row["sentence"])
