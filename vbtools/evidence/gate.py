"""gate: whether what an enhancement adds is supported by what was seen, or invented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vbtools.config.element import Column, Element, table
from vbtools.config.params import param
from vbtools.stages.base import Job, Stage

if TYPE_CHECKING:
    from vbtools.store.reader import Reader

TABLES = {"word": ("ocr", "text"), "object": ("detections", "label")}
"""Kind of finding -> inspect's table and the column that names it."""
NAMED = 8
"""So many findings are spelled out in a note."""


@dataclass(frozen=True)
class GateParams:
    """Parameters of gate."""

    noise: float = param(2.0, "residual, in noise levels, up to which a detail reproduces what was seen", minimum=0.0)
    replays: bool = param(True, "also ask whether it comes back before other rooms; needs replay")


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
            Column("signal", "float64", "its detail that survives the blur, in noise levels; NaN: blur not known"),
            Column(
                "residual",
                "float64",
                "what it leaves of what was seen, in noise levels, the kernel's error counted in",
            ),
            Column("leak", "float64", "correlation with the leak's own detail there; NaN where there is none"),
            Column("supported", "uint8", "1 supported, 0 invented"),
            Column("why", "str", "the reason, in words"),
        ),
    )

    def requires(self, params: GateParams) -> tuple[str, ...]:
        return ("aggregate", "enhance", "inspect", *(("replay",) if params.replays else ()))

    def run(self, job: Job[GateParams]) -> None:
        """Write the verdict on each finding, and the picture that shows it."""
        from vbtools.evidence.supported import Judge

        if not job.inputs.has("enhance", "image"):
            job.notes.append("enhance had no steps: there is nothing to judge")
            job.output.write("reblurred", job.inputs.array("aggregate", "background"))
            job.output.rows("findings", [])
            return
        judge = Judge.of(job.inputs, job.params.noise, replays=job.params.replays)
        job.output.write("reblurred", judge.reblurred)
        found = _found(job.inputs)
        job.progress.start(len(found), "findings")
        rows = []
        for row in judge.all(found):
            rows.append(row)
            job.progress.advance()
        job.output.rows("findings", rows)
        job.notes += _notes(rows, judge.blur is not None, looked_at(job.inputs))


def _found(inputs: Reader) -> list[dict[str, Any]]:
    """What inspect found on the enhanced picture: ``kind``, ``what``, the box, ``overlay``."""
    found = []
    for kind, (name, key) in TABLES.items():
        for one in inputs.table("inspect", name):
            if one["image"] == "enhanced":
                box = {side: float(one[side]) for side in ("x", "y", "width", "height")}
                found.append({"kind": kind, "what": one[key], **box, "overlay": int(one.get("overlay", 0))})
    return found


def looked_at(inputs: Reader) -> bool:
    """Whether inspect was told to look at the enhanced picture."""
    record = inputs.record("inspect")
    return record is None or record.parameters.get("on") != "raw"


def _notes(rows: Sequence[Mapping[str, Any]], known: bool, looked: bool) -> list[str]:
    if not looked:
        return ["inspect did not look at the enhanced picture: there is nothing to judge (inspect --on both does)"]
    notes = [] if known else ["the blur is not known: nothing can be supported through it"]
    if not rows:
        return [*notes, "nothing was found on the enhanced picture"]
    kept = [row["what"] for row in rows if row["supported"]]
    told = f": {', '.join(repr(what) for what in kept[:NAMED])}" if kept else ""
    more = f" and {len(kept) - NAMED} more" if len(kept) > NAMED else ""
    return [*notes, f"{len(kept)} of {len(rows)} findings on the enhanced picture are supported{told}{more}"]
