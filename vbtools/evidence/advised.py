"""The call made again under other settings before rooms that are known, and what of their detail came back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.evidence.again import examined, made_rooms, side_by_side
from vbtools.evidence.forward import Clip, Forward, Setting, record
from vbtools.ops.detail import detail
from vbtools.ops.masks import level
from vbtools.store import Reader

if TYPE_CHECKING:
    from vbtools.evidence.boxes import Box
    from vbtools.evidence.rooms import OtherRoom
    from vbtools.evidence.trail import Told
    from vbtools.stages.base import Progress

U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]
F64 = NDArray[np.float64]

WIDER = 2.0
TIGHTER_PX = 8.0
"""px at 720 rows: about what the fringe of a product measures in the median."""
HARD = 0.5
"""Opacity below which a hard mask shows nothing."""
LATER = 3
"""Frames by which more smoothing over time makes a mask late."""
GREY = (128, 128, 128)
CLUSTER = 4
"""Blocks to a side that are drawn together: what the edge shows comes in stretches, not block by block."""
DRAWS = 400
INTERVAL = (2.5, 97.5)
MISS = 0.05
"""Probability with which what was shown nowhere may have been missed by chance."""


@dataclass(frozen=True, slots=True)
class Change:
    """A setting and what it is in words."""

    told: str
    setting: Setting


def changes(clip: Clip, quick: bool, trail: Told | None = None) -> list[Change]:
    """The call's own setting, and what might show less; three of these where it must be quick.

    Where the mask was found to trail the person, its own setting does too, and one that does not is among the others.

    Where the clip has unprotected frames, those alone show the room: the other changes then are told on top of a
    product that fails closed.
    """
    own = trail.of(clip.setting) if trail is not None else clip.setting
    found = [Change("as it is", own)]
    base, also = own, ""
    if clip.unprotected:
        base, also = own.other(fail_closed=True), "blurred until there is a mask, and "
        found.append(Change("blurred until there is a mask, and whenever it fails", base))
    tried = [
        Change(also + f"a tighter mask, drawn in by {TIGHTER_PX:g} px of 720 rows", base.other(tighter_px=TIGHTER_PX)),
        Change(also + f"a blur {WIDER:g} times as wide", base.other(sigma=WIDER * base.sigma)),
        Change(also + "a solid colour instead of the blur", base.other(solid=GREY)),
        Change(also + f"a hard mask that shows nothing below {HARD:.0%}", base.other(hardness=HARD)),
        Change(
            also + "a tighter and hard mask", base.other(tighter_px=TIGHTER_PX, hardness=HARD)
        ),
        Change(also + f"more smoothing over time, a mask {LATER} frames later", base.other(lag=base.lag + LATER)),
    ]  # fmt: skip
    if base.lag or base.keep:
        tried.append(Change(also + "no smoothing over time, a mask that is never late", base.other(lag=0, keep=0.0)))
    if own.replaced:  # there is no blur to change
        tried = [one for one in tried if one.setting.sigma == base.sigma and one.setting.solid is None]
    return [*found, *tried][: 4 if quick else None]


def advised(
    inputs: Reader, rooms: int, rows: int, quick: bool, seed: int, progress: Progress, trail: Told | None = None
) -> list[dict[str, Any]]:
    """Rows of ``/advice/settings``.

    Args:
        inputs: a project with extract, segment, align and an aggregate of method leak.
        rooms: before how many rooms each setting is played.
        rows: of the picture, at most.
        quick: fewer settings.
        seed: of the rooms.
        progress: counts frames, recorded for all settings and examined for each.
        trail: how the mask trails the person, where that was measured.

    Raises:
        MissingDependencyError: scikit-image, or a model, is not installed.
    """
    clip = Clip.of(inputs, rows)
    made = made_rooms(clip, rooms, seed)
    tried = changes(clip, quick, trail)
    blocks = _played(clip, made, [change.setting for change in tried], progress)
    counted = np.concatenate([b.counted for b in blocks[0]])  # what counts is the same for all
    shown = [np.concatenate([b.shown for b in one]) & counted for one in blocks]
    cluster = np.concatenate([b.cluster + 1_000_000 * number for number, b in enumerate(blocks[0])])
    return told(tried, shown, counted, cluster, seed)


@dataclass(frozen=True, slots=True)
class _Blocks:
    """The blocks of one room, (N,): whether each counts, whether its detail was shown, which go together."""

    counted: Mask
    shown: Mask
    cluster: NDArray[np.int64]


def _played(clip: Clip, rooms: list[OtherRoom], settings: list[Setting], progress: Progress) -> list[list[_Blocks]]:
    """The blocks of each setting, one :class:`_Blocks` a room."""
    pairs = [(setting, room) for setting in settings for room in rooms]
    progress.start(clip.count + len(pairs) * clip.count, "frames")
    with TemporaryDirectory(prefix="vbtools-advice-") as folder:
        paths = [[Path(folder) / f"{at}-{number}.mp4" for number in range(len(rooms))] for at in range(len(settings))]
        forwards = [Forward(clip, [room.picture for room in rooms], setting) for setting in settings]
        record(forwards, paths, progress.advance)
        free, opened = _ever_free(clip), open_in(clip)

        def blocks(pair: tuple[Setting, OtherRoom], path: Path) -> _Blocks:
            return _blocks(examined(clip, path), pair[1], pair[0], free, opened)

        each = [path for of_rooms in paths for path in of_rooms]
        found = side_by_side(blocks, pairs, each, done=lambda: progress.advance(clip.count))
    return [found[at : at + len(rooms)] for at in range(0, len(found), len(rooms))]


def _blocks(project: Path, room: OtherRoom, setting: Setting, ever_free: Mask, opened: Mask) -> _Blocks:
    with Reader(project) as reader:
        background, covered = reader.array("aggregate", "background"), reader.array("aggregate", "coverage") > 0
    score = detail(background, room.picture, covered)
    shown = score.structure
    if not setting.fail_closed:
        shown = shown | (detail(room.picture, room.picture, opened).structure & score.textured)
    free = detail(room.picture, room.picture, ever_free).observed
    down, across = np.indices(shown.shape)
    cluster = (down // CLUSTER) * 10_000 + across // CLUSTER
    return _Blocks((score.textured & free).ravel(), shown.ravel(), cluster.ravel())


def open_in(clip: Clip) -> Mask:
    """What unprotected frames show of the room, (H, W) bool: all that the person does not hide in their boxes."""
    return _free(clip, sorted(clip.unprotected), clip.unprotected)


def _ever_free(clip: Clip) -> Mask:
    """Where the person left the room free at some time."""
    return _free(clip, range(clip.count))


def _free(clip: Clip, rows: Iterable[int], within: Mapping[int, Sequence[Box]] | None = None) -> Mask:
    """What the person leaves free in some of these frames, in the room's coordinates; within their boxes, if given."""
    height, width = clip.size
    found = np.zeros((height, width), np.bool_)
    people: Any = clip.inputs.dataset("segment", "person")
    for row in rows:
        person = cv2.resize(np.asarray(people[row]), (width, height), interpolation=cv2.INTER_LINEAR)
        if within is not None:
            person = _only(person, within[row])
        if clip.moves:
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            person = cv2.warpAffine(person, clip.transform[row], (width, height), flags=flags, borderValue=255)
        found |= person < level(clip.threshold)
    return found


def _only(person: U8, boxes: Sequence[Box]) -> U8:
    """A mask that hides everything but the boxes."""
    found = np.full_like(person, 255)
    for box in boxes:
        found[box] = person[box]
    return found


def told(
    tried: list[Change], shown: list[Mask], counted: Mask, cluster: NDArray[np.int64], seed: int
) -> list[dict[str, Any]]:
    """The table: shares with intervals over clusters of blocks, and reductions over the same draws.

    Args:
        tried: the settings, the call's own first.
        shown: of each, (N,) bool: the block's detail was shown.
        counted: (N,) bool: the block has detail, and the person left it free.
        cluster: (N,) int64.
        seed: of the draws.
    """
    _, group = np.unique(cluster[counted], return_inverse=True)
    groups = int(group.max()) + 1 if len(group) else 0
    if not groups:
        return []
    size = np.bincount(group, minlength=groups).astype(np.float64)
    chosen = np.random.default_rng(seed).integers(0, groups, (DRAWS, groups))
    sums = [np.bincount(group, weights=one[counted], minlength=groups) for one in shown]
    drawn = [one[chosen].sum(axis=1) / size[chosen].sum(axis=1) for one in sums]
    shares = [float(one.sum() / size.sum()) for one in sums]
    missed = 1 - MISS ** (1 / groups)
    rows = []
    for change, share, draws in zip(tried, shares, drawn, strict=True):
        low, high = (float(v) for v in np.percentile(draws, INTERVAL))
        less = _reductions(draws, drawn[0])
        rows.append({
            "setting": change.told, "shown": share, "low": low, "high": max(high, missed) if share == 0 else high,
            "reduction": 1 - share / shares[0] if shares[0] > 0 else float("nan"),
            "reduction_low": less[0], "reduction_high": less[1],
        })  # fmt: skip
    return rows


def _reductions(draws: F64, own: F64) -> tuple[float, float]:
    """Interval of the reduction; NaN where the call's own setting shows nothing in most draws."""
    some = own > 0
    if some.mean() < 0.5:
        return float("nan"), float("nan")
    low, high = np.percentile(1 - draws[some] / own[some], INTERVAL)
    return float(low), float(high)
