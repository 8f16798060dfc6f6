"""power: what would have been readable, by letters that were put into the replays' rooms."""

from __future__ import annotations

from dataclasses import dataclass

from vbtools.config.element import Column, table
from vbtools.config.params import param
from vbtools.stages.base import Job, Stage


@dataclass(frozen=True)
class PowerParams:
    """Parameters of power."""

    readable: float = param(0.5, "share of words read from which a size counts as readable", minimum=0.0, maximum=1.0)


class Power(Stage[PowerParams]):
    """Tell from injected letters which sizes would have been read, at the edge and through the blur."""

    name = "power"
    version = 1
    summary = "down to which letter size this clip would have been read"
    example = "vbtools run leak --video call.mp4 --until power"
    Params = PowerParams
    elements = (
        table(
            "curve",
            "share of injected words that were read, by size and contrast",
            Column("channel", "str", "fringe (shown by the edge) or blur (never shown, through the blur)"),
            Column("cap_height", "float64", "in the plate's pixels", "px"),
            Column("contrast", "float64", "absolute, luminance", "levels"),
            Column("words", "int64", "injected so"),
            Column("read", "int64", "read with a character error of at most 0.2"),
            Column("share", "float64", "read / words"),
            Column("low", "float64", "lower end of the 95 % interval (Wilson)"),
            Column("high", "float64", "upper end"),
        ),
        table(
            "limits",
            "one row a channel",
            Column("channel", "str", "fringe or blur"),
            Column("px", "float64", "smallest cap height that is readable, and all larger ones; NaN: none", "px"),
            Column("words", "int64", "injected in all"),
            Column("decoys", "int64", "places without letters that were read for comparison"),
            Column("decoys_read", "int64", "decoys that matched a word by chance"),
        ),
    )

    def requires(self, params: PowerParams) -> tuple[str, ...]:
        return ("replay",)

    def run(self, job: Job[PowerParams]) -> None:
        raise NotImplementedError
