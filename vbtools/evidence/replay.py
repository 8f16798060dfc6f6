"""replay: the same call in front of other rooms, whose truth is known, through the same pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from vbtools.config.element import Column, Element, table
from vbtools.config.params import param
from vbtools.stages.base import Job, Stage


@dataclass(frozen=True)
class ReplayParams:
    """Parameters of replay."""

    quick: bool = param(False, "fewer rooms, at a smaller size")
    rooms: int = param(4, "how many other rooms; 2 when quick", minimum=1, maximum=16)
    seed: int = param(0, "chooses rooms, letters and their places", minimum=0)


class Replay(Stage[ReplayParams]):
    """Play the call again in front of other rooms: same person, motion, masks, blur, codec and overlays."""

    name = "replay"
    version = 1
    summary = "the same call in front of other rooms with letters in them"
    example = "vbtools run leak --video call.mp4 --until replay"
    Params = ReplayParams
    elements = (
        Element("room", "uint8", ("K", "h", "w", "3"), "each replay's true room, RGB, letters included", "0-255"),
        Element("background", "uint8", ("K", "h", "w", "3"), "what aggregate made of the replay, RGB", "0-255"),
        Element(
            "detail", "float32", ("K", "h", "w"), "luminance of background minus that of its blurred plate", "levels"
        ),
        Element("exposure", "float32", ("K", "h", "w"), "as aggregate's, of the replay, 0-1"),
        Element("confidence", "float32", ("K", "h", "w"), "as aggregate's, of the replay, 0-1"),
        table(
            "letters",
            "words that were written into the rooms; boxes in the replay's pixels",
            Column("replay", "int64", "which replay, from 0"),
            Column("text", "str", "what is written"),
            Column("x", "float64", "left edge", "px"),
            Column("y", "float64", "top edge", "px"),
            Column("width", "float64", "of the box", "px"),
            Column("height", "float64", "of the box", "px"),
            Column("cap_height", "float64", "height of its capitals", "px"),
            Column(
                "contrast",
                "float64",
                "luminance of letters minus that of their ground; negative: dark on light",
                "levels",
            ),
            Column("shown", "float64", "exposure in the replay, mean under the box, 0-1"),
            Column("read", "str", "what was read there; empty: nothing"),
            Column("errors", "float64", "character error rate of that, 0 = right, 1 = nothing of it"),
        ),
        table(
            "replays",
            "one row a replay",
            Column("seed", "int64", "of the room and its letters"),
            Column("scale", "float64", "the replay's rows against the plate's"),
            Column("believed", "int64", "24 px blocks (of 720 rows) in which confidence is at least 0.8"),
            Column("right", "int64", "those of them that correlate with the true room above 0.5"),
            Column("textured", "int64", "blocks in which the true room has detail"),
            Column("recovered", "int64", "textured blocks that correlate above 0.5"),
        ),
    )

    def requires(self, params: ReplayParams) -> tuple[str, ...]:
        return ("extract", "segment", "align", "aggregate")

    def run(self, job: Job[ReplayParams]) -> None:
        raise NotImplementedError
