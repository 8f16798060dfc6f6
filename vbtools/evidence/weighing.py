"""From findings, controls and power to one answer, by rules that can be read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vbtools.evidence.replay import ENOUGH_BELIEVED
from vbtools.evidence.verdict import INCONCLUSIVE, LEAK, NONE, VerdictParams

if TYPE_CHECKING:
    from vbtools.store.reader import Reader

MOVED = 0.03
"""Share of the picture that the person sometimes covers and sometimes not, from which the edge can have shown it; one
who sits still sways by less."""
MOST_LOST = 0.05
"""Share of the frames whose masks dip, from which it does not count that nothing was found: 0 of data's clips, up to
0.05 of people who walk in; 0.06 to 0.18 where the plate shows parts of the person."""
NAMED = 3
"""Words that are named in the sentence."""
BLOCK_PX = 24.0
"""Side of a block, px at 720 rows; as in :mod:`vbtools.ops.detail`."""


@dataclass(frozen=True)
class Evidence:
    """What was found, counted.

    Attributes:
        rows: of the picture, px.
        is_leak: aggregate's method is leak.
        unprotected: frames that show the room as it is.
        blocks: 24 px blocks (of 720 rows) whose detail follows the room.
        share: of the picture, 0-1, that these are.
        places: findings that are places of believed detail, whether they follow the room or not.
        words: telling words on the raw picture that follow the room.
        supported: telling words on the enhanced picture that the gate supports.
        rooms: how many replays there are.
        believed, right: blocks of all replays together.
        fringe_px, blur_px: smallest readable cap height, px of the plate; NaN none.
        tried: channel (fringe, blur) -> how many words put into other rooms were read, and how many there were.
        moved: share of the picture that the person's edge went over, 0-1.
        shows: the edge shows the room at all, as far as aggregate could learn.
        is_sharp: the background is sharp.
        lost: share of the frames whose masks have lost part of the person, 0-1.
    """

    rows: int
    is_leak: bool
    unprotected: int
    blocks: int
    share: float
    places: int
    words: tuple[str, ...]
    supported: tuple[str, ...]
    rooms: int
    believed: int
    right: int
    fringe_px: float
    blur_px: float
    tried: Mapping[str, tuple[int, int]]
    moved: float
    shows: bool
    is_sharp: bool
    lost: float

    @classmethod
    def of(cls, inputs: Reader, *, gate: bool) -> Evidence:
        """Read a project with all that the verdict requires."""
        from vbtools.evidence.again import learned
        from vbtools.evidence.forward import own_setting
        from vbtools.stages.aggregate import is_not_blurred

        follows = inputs.array("control", "follows")
        findings = inputs.table("control", "findings")
        replays, limits = inputs.table("replay", "replays"), inputs.table("power", "limits")
        moved, lost = _moved(inputs)
        px = {row["channel"]: row["px"] for row in limits}
        is_leak = learned(inputs)
        side = BLOCK_PX * follows.shape[0] / 720
        return cls(
            rows=follows.shape[0], is_leak=is_leak,
            unprotected=len({row["row"] for row in inputs.table("inspect", "unprotected")}),
            blocks=round(float(follows.sum()) / side**2), share=float(follows.mean()),
            places=sum(row["kind"] == "place" for row in findings),
            words=_telling(row["what"] for row in findings if row["kind"] == "word" and row["follows"]),
            supported=_supported(inputs) if gate else (),
            rooms=len(replays), believed=sum(row["believed"] for row in replays),
            right=sum(row["right"] for row in replays), fringe_px=px.get("fringe", math.nan),
            blur_px=px.get("blur", math.nan), tried=_tried(inputs.table("power", "curve")), moved=moved,
            shows=is_leak and own_setting(inputs)[0].peak > 0, is_sharp=is_not_blurred(inputs),
            lost=lost,
        )  # fmt: skip

    @property
    def precision(self) -> float:
        """Share of the replays' believed blocks that are right; NaN where they are too few."""
        return self.right / self.believed if self.believed >= ENOUGH_BELIEVED else math.nan

    def at_720(self, px: float) -> float:
        """A length of the plate, px at 720 rows."""
        return px * 720 / self.rows


@dataclass(frozen=True, slots=True)
class Weighed:
    """The row of ``verdict``, and the sentences of ``reasons``."""

    row: dict[str, Any]
    reasons: tuple[str, ...]


def weigh(found: Evidence, params: VerdictParams) -> Weighed:
    """The answer, by these rules, in order.

    1. Frames that show the room as it is: leak shown.
    2. Places or a telling word whose detail follows the room, and the replays' believed detail is right often enough:
       leak shown. A telling word that the gate supports: leak shown.
    3. Neither, and letters of the asked size would have been read at the edge or through the blur, or the person moved
       and the edge showed nothing: none found at this power.
    4. Else: inconclusive.
    """
    leaks, doubts = _leaks(found, params), _doubts(found, params)
    nothing = _nothing(found, params)
    if leaks:
        answer, because = LEAK, leaks
    elif doubts or not nothing:
        answer, because = INCONCLUSIVE, doubts or [_unknown(found, params)]
    else:
        answer, because = NONE, nothing
    power = _power(found)
    sentence = f"{answer.capitalize()}: {'; '.join(because)}; {power}."
    row = {
        "answer": answer, "sentence": sentence, "power": power, "unprotected": found.unprotected,
        "blocks": found.blocks, "words": len(found.words) + len(found.supported), "fringe_px": found.fringe_px,
        "blur_px": found.blur_px,
    }  # fmt: skip
    rest = [one for one in (*doubts, *_control(found)) if one not in because]
    return Weighed(row, tuple(f"{one[0].upper()}{one[1:]}." for one in (*because, *rest, power)))


def _leaks(found: Evidence, params: VerdictParams) -> list[str]:
    """What shows a leak, each in words, the plainest first."""
    told = []
    if found.unprotected:
        told.append(f"{_count(found.unprotected, 'frame')} showed the room as it is, without blur")
    judged = found.is_leak and not found.is_sharp and found.precision >= params.precision
    if judged and (found.blocks >= params.places or found.words):
        words = f", among them {_named(found.words)}" if found.words else ""
        told.append(
            f"the person's edge showed {_count(found.blocks, 'block')} of the room ({found.share:.1%} of the"
            f" picture){words}; before {_count(found.rooms, 'other room')} the same did not come back"
        )
    if found.supported:
        told.append(f"through the blur {_named(found.supported)} can be read, and what was seen supports it")
    return told


def _doubts(found: Evidence, params: VerdictParams) -> list[str]:
    """What keeps the clip from an answer although something, or nothing, was found."""
    if not found.is_leak:
        return ["the person's edge was not examined: aggregate has to be run with method leak"]
    if found.is_sharp:
        return [
            "the background is sharp: a picture in the room's place, or no blur at all; what it shows is not judged"
        ]
    if found.lost > MOST_LOST:
        return [f"the masks lose part of the person in {found.lost:.0%} of the frames, so that the edge is not known"]
    if not found.rooms:
        return ["there is no replay, so nothing could be compared with other rooms"]
    if found.blocks < params.places and not found.words:
        return []
    if math.isnan(found.precision):
        return [f"{_count(found.blocks, 'block')} may be of the room, but the replays believed too little to tell"]
    if found.precision < params.precision:
        may_be = f"{_count(found.blocks, 'block')} may be of the room"
        return [f"{may_be}, but of what was believed in the replays only {found.precision:.0%} was right"]
    return []


def _nothing(found: Evidence, params: VerdictParams) -> list[str]:
    """Why it counts that nothing was found; empty if it does not."""
    told = []
    for px, where in ((found.fringe_px, "at the person's edge"), (found.blur_px, "through the blur")):
        if found.at_720(px) <= params.letters:
            told.append(f"letters of {px:.0f} px and more would have been read {where}, and there were none")
    if not told and found.moved >= MOVED and not found.shows:
        told.append(
            f"the person's edge went over {found.moved:.0%} of the picture and showed nothing of the room that agrees"
            " from one time to another"
        )
    return told


def _unknown(found: Evidence, params: VerdictParams) -> str:
    if found.moved < MOVED:
        return "the person hardly moved, so that the edge went over nothing and could show nothing"
    return f"nothing was found, but letters of {params.letters:.0f} px (of 720 rows) would not have been read either"


def _control(found: Evidence) -> list[str]:
    """What the replays say of the method."""
    if not found.rooms:
        return []
    if math.isnan(found.precision):
        return [f"in {_count(found.rooms, 'replay')} only {_count(found.believed, 'block')} was believed"]
    share = f"{found.right} of {found.believed} believed blocks showed the true room ({found.precision:.0%})"
    return [f"in {_count(found.rooms, 'replay')} {share}"]


def _power(found: Evidence) -> str:
    """What the clip would have shown, in words."""
    told = [
        _read(*found.tried.get(channel, (0, 0)), px, where)
        for channel, px, where in (
            ("fringe", found.fringe_px, "where the edge went"), ("blur", found.blur_px, "through the blur"),
        )
    ]  # fmt: skip
    return f"of words put into other rooms behind the same call, {told[0]}, and {told[1]}"


def _read(read: int, words: int, px: float, where: str) -> str:
    if not words:
        return f"none stood {where}" if where.startswith("where") else f"none could be tried {where}"
    size = "no size reliably" if math.isnan(px) else f"reliably from {px:.0f} px"
    return f"{read} of {words} were read {where} ({size})"


def _tried(curve: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Words read, and words tried, of each channel of power's curve."""
    channels = dict.fromkeys(row["channel"] for row in curve)
    return {
        name: (
            sum(row["read"] for row in curve if row["channel"] == name),
            sum(row["words"] for row in curve if row["channel"] == name),
        )
        for name in channels
    }


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _named(words: Sequence[str]) -> str:
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return f"the word{'' if len(words) == 1 else 's'} " + ", ".join(f"'{word}'" for word in words[:NAMED]) + more


def _telling(words: Any) -> tuple[str, ...]:
    """Words of enough letters not to be chance, each once, longest first."""
    from vbtools.evaluate.words import normal
    from vbtools.stages.inspect import TELLING_LETTERS

    told = {word for word in words if len(normal(word)) >= TELLING_LETTERS}
    return tuple(sorted(told, key=lambda word: (-len(word), word)))


def _supported(inputs: Reader) -> tuple[str, ...]:
    rows = inputs.table("gate", "findings")
    return _telling(row["what"] for row in rows if row["kind"] == "word" and row["supported"])


def _moved(inputs: Reader) -> tuple[float, float]:
    """Share of the picture that the person sometimes covers and sometimes leaves free, and of the frames whose masks
    have lost part of the person, 0-1."""
    import numpy as np

    from vbtools.ops.confidence import moved_over
    from vbtools.ops.masks import level
    from vbtools.ops.steadiness import dips

    record = inputs.record("aggregate")
    limit = level(float(record.parameters["threshold"]) if record else 0.3)
    count, areas = None, []
    for block in inputs.blocks("segment", "person"):
        person = block >= limit
        covered = person.sum(axis=0)
        count = covered if count is None else count + covered
        areas.append(person.mean(axis=(1, 2)))
    if count is None:
        return 0.0, 0.0
    area = np.concatenate(areas)
    often = count / len(area)
    lost = dips(area, np.asarray(inputs.array("extract", "time"), np.float64))
    return moved_over((1 - often).astype(np.float32)), float(lost.mean())
