"""replay: the same call in front of other rooms, whose truth is known, through the same pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vbtools.config.element import Column, Element, table
from vbtools.config.params import param
from vbtools.stages.base import Job, Stage

QUICK_ROOMS, QUICK_ROWS, FULL_ROWS = 2, 360, 720
"""Rooms of a quick replay, and rows of the picture at most."""
ENOUGH_BELIEVED = 10
"""Believed blocks of all rooms together, from which it is told how often they are right."""


@dataclass(frozen=True)
class ReplayParams:
    """Parameters of replay."""

    quick: bool = param(False, "fewer rooms, at a smaller size")
    rooms: int = param(
        4, "how many other rooms; 2 when quick; as many more where these believe too little", minimum=1, maximum=16
    )  # fmt: skip
    seed: int = param(0, "chooses rooms, letters and their places", minimum=0)


class Replay(Stage[ReplayParams]):
    """Play the call again in front of other rooms: same person, motion, masks, blur, codec and overlays."""

    name = "replay"
    version = 3
    summary = "the same call in front of other rooms with letters in them"
    example = "vbtools run leak --video call.mp4 --until replay"
    Params = ReplayParams
    elements = (
        Element("room", "uint8", ("K", "h", "w", "3"), "each replay's true room, RGB, letters included", "0-255"),
        Element("background", "uint8", ("K", "h", "w", "3"), "what aggregate made of the replay, RGB", "0-255"),
        Element(
            "detail", "float32", ("K", "h", "w"), "detail that the person's edge gives away, of the luminance", "levels"
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
            "decoys",
            "places without letters that were read as if there were; boxes in the replay's pixels",
            Column("replay", "int64", "which replay, from 0"),
            Column("text", "str", "the word that was looked for: one of the vocabulary that is not in the room"),
            Column("x", "float64", "left edge", "px"),
            Column("y", "float64", "top edge", "px"),
            Column("width", "float64", "of the box", "px"),
            Column("height", "float64", "of the box", "px"),
            Column("shown", "float64", "exposure in the replay, mean under the box, 0-1"),
            Column("read", "str", "what was read there; empty: nothing"),
            Column("errors", "float64", "character error rate of that against any word of the vocabulary"),
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

    def preload(self, params: ReplayParams) -> None:
        """As :meth:`Stage.preload`: what the pipeline needs."""
        from vbtools.evidence.again import preload

        preload()

    def run(self, job: Job[ReplayParams]) -> None:
        """Write the rooms, what came back of each, and the tables.

        Raises:
            MissingDependencyError: scikit-image, a model, or Tesseract is not installed.
        """
        from vbtools.evidence.again import Again, learned, played

        if not learned(job.inputs):
            job.notes.append("aggregate's method is not leak: there is nothing to replay; run it with method: leak")
            _write_nothing(job)
            return
        number = job.params.rooms if not job.params.quick else min(QUICK_ROOMS, job.params.rooms)
        rows = QUICK_ROWS if job.params.quick else FULL_ROWS
        made: list[Again] = played(job.inputs, number, rows, job.params.seed, job.progress, job.notes)
        for name in ("room", "background", "detail", "exposure", "confidence"):
            job.output.write(name, _stacked(made, name))
        job.output.rows("letters", [row | {"replay": at} for at, one in enumerate(made) for row in one.letters])
        job.output.rows("decoys", [row | {"replay": at} for at, one in enumerate(made) for row in one.decoys])
        job.output.rows("replays", [one.facts for one in made])


def _stacked(made: list[Any], name: str) -> Any:
    import numpy as np

    return np.stack([getattr(one, name) for one in made])


def _write_nothing(job: Job[ReplayParams]) -> None:
    """The elements with no replay in them."""
    import numpy as np

    height, width = job.inputs.dataset("aggregate", "coverage").shape
    for element in Replay.elements:
        if element.columns:
            job.output.rows(element.name, [])
        else:
            colours = (3,) if "3" in element.dims else ()
            job.output.write(element.name, np.zeros((0, height, width, *colours), element.dtype))
