"""gate: whether what an enhancement adds is supported by what was seen, or invented."""

from __future__ import annotations

from dataclasses import dataclass

from vbtools.config.element import Column, Element, table
from vbtools.config.params import param
from vbtools.stages.base import Job, Stage


@dataclass(frozen=True)
class GateParams:
    """Parameters of gate."""

    noise: float = param(2.0, "residual, in noise levels, up to which a detail reproduces what was seen", minimum=0.0)


class Gate(Stage[GateParams]):
    """Blur each step's picture again as the product did, and compare it with what was seen."""

    name = "gate"
    version = 1
    summary = "what enhancement shows: supported or invented"
    example = "vbtools run leak --video call.mp4 --until gate"
    Params = GateParams
    elements = (
        Element("reblurred", "uint8", ("H", "W", "3"), "the enhanced picture, blurred as identified, RGB", "0-255"),
        table(
            "findings",
            "words and objects that inspect found on the enhanced picture",
            Column("kind", "str", "word or object"),
            Column("what", "str", "the text or label"),
            Column("x", "float64", "left edge of the box, in the plate's pixels", "px"),
            Column("y", "float64", "top edge", "px"),
            Column("width", "float64", "of the box", "px"),
            Column("height", "float64", "of the box", "px"),
            Column("signal", "float64", "its detail that survives the blur, in noise levels"),
            Column("residual", "float64", "what is left of that against what was seen, in noise levels"),
            Column("leak", "float64", "correlation with the leak's own detail there; NaN where there is none"),
            Column("supported", "uint8", "1 supported, 0 invented"),
            Column("why", "str", "the reason, in words"),
        ),
    )

    def requires(self, params: GateParams) -> tuple[str, ...]:
        return ("aggregate", "enhance", "inspect")

    def run(self, job: Job[GateParams]) -> None:
        raise NotImplementedError
