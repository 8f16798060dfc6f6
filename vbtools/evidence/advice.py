"""advice: the same call under other settings, and how much less of the room each would have shown."""

from __future__ import annotations

from dataclasses import dataclass

from vbtools.config.element import Column, table
from vbtools.config.params import param
from vbtools.stages.base import Job, Stage


@dataclass(frozen=True)
class AdviceParams:
    """Parameters of advice."""

    quick: bool = param(False, "fewer settings, at a smaller size")
    seed: int = param(0, "chooses the room", minimum=0)


class Advice(Stage[AdviceParams]):
    """Replay the call under other settings of the blur, and count what each would have shown."""

    name = "advice"
    version = 1
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
        ),
    )

    def requires(self, params: AdviceParams) -> tuple[str, ...]:
        return ("extract", "segment", "align", "aggregate")

    def run(self, job: Job[AdviceParams]) -> None:
        raise NotImplementedError
