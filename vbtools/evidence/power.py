"""power: what would have been readable, by letters that were put into the replays' rooms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vbtools.config.element import Column, table
from vbtools.config.params import param
from vbtools.evidence.reading import READ_ERRORS
from vbtools.stages.base import Job, Stage

NORMAL_95 = 1.959964
"""The standard normal's quantile of 97.5 %."""
SHOWN, HIDDEN = 0.4, 0.05
"""Mean exposure under a word from which it is the edge's, and below which it is the blur's. An exposure of 0.5 is that
of a feathered mask's middle (:data:`vbtools.ops.leak.BEST_SHOWN`), so a mean over a word is seldom more."""
CHANNELS: Mapping[str, Callable[[float], bool]] = {
    "fringe": lambda shown: shown >= SHOWN,
    "blur": lambda shown: shown < HIDDEN,
}


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
        """Count what was read of the replays' words."""
        letters, decoys = job.inputs.table("replay", "letters"), job.inputs.table("replay", "decoys")
        scales = [row["scale"] for row in job.inputs.table("replay", "replays")]
        words = [one | {"cap_height": one["cap_height"] / scales[one["replay"]]} for one in letters]
        curve, limits = [], []
        for channel, belongs in CHANNELS.items():
            mine = [one for one in words if belongs(one["shown"])]
            others = [one for one in decoys if belongs(one["shown"])]
            curve += curve_of(mine, channel)
            limits.append({
                "channel": channel, "px": limit_of(mine, job.params.readable), "words": len(mine),
                "decoys": len(others), "decoys_read": sum(is_read(one) for one in others),
            })  # fmt: skip
        job.output.rows("curve", curve)
        job.output.rows("limits", limits)
        job.notes += [_told(row) for row in limits]


def is_read(row: Mapping[str, Any]) -> bool:
    """Whether a word, or a decoy, was read: with a character error of at most :data:`READ_ERRORS`."""
    return bool(row["errors"] <= READ_ERRORS)


def curve_of(words: Sequence[Mapping[str, Any]], channel: str) -> list[dict[str, Any]]:
    """Rows of ``curve``: by cap height (px) and contrast (levels), smallest first."""
    groups = sorted({(round(one["cap_height"], 1), abs(one["contrast"])) for one in words})
    rows = []
    for cap, contrast in groups:
        mine = [one for one in words if (round(one["cap_height"], 1), abs(one["contrast"])) == (cap, contrast)]
        read = sum(is_read(one) for one in mine)
        low, high = wilson(read, len(mine))
        rows.append({
            "channel": channel, "cap_height": cap, "contrast": contrast, "words": len(mine), "read": read,
            "share": read / len(mine), "low": low, "high": high,
        })  # fmt: skip
    return rows


def limit_of(words: Sequence[Mapping[str, Any]], readable: float) -> float:
    """The smallest cap height, px, of which so large a share was read, and of all larger ones; NaN: of none.

    Few words have each size, so the shares are first made to grow with the size, by pooling neighbours that do not
    (isotonic regression; Ayer et al., Ann. Math. Stat. 26, 1955). Contrasts are counted together.
    """
    pools: list[tuple[float, int, int]] = []  # smallest cap height, read, words
    for cap in sorted({round(one["cap_height"], 1) for one in words}):
        mine = [one for one in words if round(one["cap_height"], 1) == cap]
        pools.append((cap, sum(is_read(one) for one in mine), len(mine)))
        while len(pools) > 1 and pools[-2][1] * pools[-1][2] > pools[-1][1] * pools[-2][2]:
            _, read, count = pools.pop()
            least, before, others = pools.pop()
            pools.append((least, before + read, others + count))
    return next((cap for cap, read, count in pools if read >= readable * count), math.nan)


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (E. B. Wilson, JASA 22, 1927); 0 to 1 where nothing was counted."""
    if not count:
        return 0.0, 1.0
    share, square = hits / count, NORMAL_95**2 / count
    middle = share + square / 2
    half = NORMAL_95 * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))


def _told(row: Mapping[str, Any]) -> str:
    where = {"fringe": "at the person's edge", "blur": "through the blur"}[row["channel"]]
    if not row["words"]:
        return f"{where}: no letters lay there, so nothing is known"
    if math.isnan(row["px"]):
        return f"{where}: no size that was put in is read reliably ({row['words']} words)"
    return f"{where}: letters of {row['px']:.0f} px and more are readable ({row['words']} words put in)"
