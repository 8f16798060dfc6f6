"""What the sharp fringe at the person's edge shows of the room: its detail at its contrast, and what to believe of it.

The clip is read for the plate and a few frames for the halo, and the person's edge in its frames three times
(:mod:`vbtools.backends.aggregate.edge`): for the room's opacity by distance to the mask; for the sums of each passage
of the edge; for how strongly single frames show the detail that was found. The numbers are in
:mod:`vbtools.ops.halo`, :mod:`vbtools.ops.fringe`, :mod:`vbtools.ops.leak` and :mod:`vbtools.ops.confidence`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.backends.aggregate.blur import identified, write_blur
from vbtools.backends.aggregate.edge import Clip, Edge, Edges, Frame, Plate
from vbtools.backends.aggregate.observations import Observations
from vbtools.backends.aggregate.tiles import write
from vbtools.ops import fringe, halo, leak
from vbtools.ops.blur_kind import Blur, family_of
from vbtools.ops.blur_presence import edge_widths, is_sharp
from vbtools.ops.confidence import (
    FEW,
    MOST_UNSUPPORTED,
    SURE,
    UNBLURRED,
    Evidence,
    centre_of,
    confidence,
    features,
    moved_over,
    objection,
)
from vbtools.ops.deconvolution import best_of_both, channel
from vbtools.ops.detail import LUMA, block_means, scaled
from vbtools.ops.fill import fill
from vbtools.ops.masks import level
from vbtools.ops.moments import Sums
from vbtools.ops.overlays import overlays, shines_through, unblurred
from vbtools.ops.pairs import pairs
from vbtools.ops.steadiness import dips

if TYPE_CHECKING:
    from vbtools.backends.aggregate.tiles import AggregateJob

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

FAR_PX = 20.0
"""px at 720 rows from the mask beyond which a pixel belongs to the plate: twice what a fringe is wide in the median."""
OFTEN = 0.1
"""Share of the frames in which a pixel must have been far from the person for an overlay to be looked for in it."""
ENOUGH_BEHIND = 5
"""Frames with the person behind a place, for an overlay through which the person is seen to be looked for in it."""
SAMPLES = 48
"""Frames from which the halo is found, evenly over the clip."""
PERSONS = 12
"""Frames in which the person's own edges are measured, evenly over the clip."""
WITHIN_PX = 12.0
"""px at 720 rows within the mask from which on only the person is seen: a product's mask ends farther out."""
LEARNING_GROUPS, LEARNING_S = 4, 1.0
"""Opacities are learned between alternate seconds, in so many groups."""
LEARNING_ROWS = 240
"""Rows of the picture that the opacities are learned from; every row says the same."""
PASSAGES = 4
"""Passages that are kept apart; the fifth joins the first, and so on, so that memory does not grow with the clip."""
NEARNESS = 2
"""Groups of distances that are kept apart within a passage."""
AWAY_S = 0.5
"""s; H.264 repeats a block for no longer than the next change over it."""
MOVED_PX = 8.0
"""px at 720 rows, twice the detail's sigma: what the person showed here before now lies elsewhere."""
IN_FRINGE = 0.15
"""Opacity against the strongest from which a frame supports a pixel."""
VIEWS = 256
"""Frames that are compared with the detail found, evenly over the clip."""
BELIEVED = 0.25
"""Share of signal from which single frames are compared with the detail."""
EVERY_PX = 12.0
"""px at 720 rows between the windows in which frames are compared with the detail: they touch."""
MOSTLY = 0.5
"""Share of a block that has to be judged for it to count."""
ENOUGH_SHARP = 0.25
"""Share of a block that has to be unblurred for what it shows to be: edges, and what lies next to them."""
MASKS = 256
"""Masks that are looked at at once."""


class Leak:
    """The room behind a blurred call, from the person's edge; ``Leak()(job)``."""

    def __call__(self, job: AggregateJob) -> None:
        """Run the stage: write ``plate``, ``background``, ``coverage``, and what is told of the leak.

        Raises:
            InputError: not one pixel of the background was ever seen.
        """
        found = recover(job)
        job.output.write("exposure", found.exposure)
        job.output.write("confidence", found.confidence)
        job.output.write("overlays", found.overlays.astype(np.uint8))
        job.output.write("unblurred", found.unblurred.astype(np.uint8))
        job.output.write("support", found.support)
        job.output.write("passages", found.passages)
        job.output.write("opacity", found.opacity)
        # Where nothing was seen the picture's surroundings go on, so that no edge arises.
        whole = np.rint(found.picture).astype(np.uint8)
        plate = np.where((found.coverage > 0)[..., None], found.blurred, np.float32(np.nan))
        write(job, plate, found.coverage, whole)
        job.output.write("leak", found.leak)
        write_blur(job, found.blur)
        if found.objection:
            job.notes.append(f"no detail is believed: {found.objection}")
        elif 0 < found.sure < FEW:
            job.notes.append(
                f"no detail is believed: only {found.sure} of {FEW} blocks that it takes look like the room's,"
                " and chance gives as many"
            )
        if found.lost:
            job.notes.append(f"{found.lost} frames are left out: their masks have lost part of the person")
        if found.overlays.any():
            percent = 100 * found.overlays.mean()
            job.notes.append(f"something still and sharp is drawn over {percent:.2g} % of the picture: it is left out")
        if found.unblurred.any():
            percent = 100 * found.unblurred.mean()
            job.notes.append(
                f"{percent:.2g} % of the picture is sharp and still, and lies behind the person: the blur leaves out a"
                " piece of the room, or a picture is shown there"
            )
        if found.sharp:
            job.notes.append("what is drawn over a picture that is sharp itself cannot be told from it: no overlays")


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the edge gives away, planes (H, W).

    Attributes:
        picture: (H, W, 3) float32, 0-255: the plate, undone as far as its kernel is known, and the leak's detail where
            that carries more; filled where never seen.
        blurred: (H, W, 3) float32, 0-255: the plate alone, without halo; filled where it was never seen.
        unhaloed: bool: where the plate was seen.
        leak: float32, grey levels: the leak's detail at its contrast; 0 where the background is not blurred.
        exposure, confidence: float32, 0-1.
        coverage, support: uint32.
        passages: uint16.
        overlays: bool.
        unblurred: bool: sharp and still as an overlay, but behind the person.
        given: (F, rows, columns) float32: what the confidence of each block was made of.
        blur: what is known of the product's blur.
        halo: the blur, as the person's halo shows it.
        opacity: (BINS,) float32: the room's opacity by distance, against the strongest.
        sharp: the background is not blurred.
        objection: why nothing here can be taken for a leak; empty if there is no such reason.
        sure: blocks whose detail looks like the room's with a confidence of :data:`vbtools.ops.confidence.SURE`.
        lost: frames left out because their masks have lost part of the person.
    """

    picture: F32
    blurred: F32
    unhaloed: Mask
    leak: F32
    exposure: F32
    confidence: F32
    coverage: NDArray[np.uint32]
    support: NDArray[np.uint32]
    passages: NDArray[np.uint16]
    overlays: Mask
    unblurred: Mask
    given: F32
    blur: Blur
    halo: halo.Halo
    opacity: F32
    sharp: bool
    objection: str
    sure: int
    lost: int


def recover(job: AggregateJob) -> Recovered:
    """Read the clip and find what the edge gives away; writes nothing."""
    time = np.asarray(job.inputs.array("extract", "time"), np.float64)
    lost = dips(_areas(job), time)
    with Observations(job.inputs, job.params.threshold, job.params.dilate, lost) as seen:
        job.progress.start(4 * seen.count, "frames")
        clip = Clip(job, seen, time)
        plate = _plate(clip)
        edges = Edges(clip, plate)
        opacity, nearness = _opacity(clip, plate, edges)
        sums = _passages(clip, plate, edges, opacity, nearness)
        room = leak.combine(sums.total, sums.weight, clip.unit)
        views = _views(clip, edges, room)
    grid, size = _grid(clip), clip.seen.size
    scale = leak.enlarged(leak.scales(views.best, views.clear, EVERY_PX), grid, size)
    best = cv2.GaussianBlur(views.best, (0, 0), 1.0)
    shown = np.maximum(leak.enlarged(best, grid, size), sums.strongest) / scale
    free = np.where(plate.blurred, plate.count / max(clip.seen.count, 1), 0).astype(np.float32)
    near_far, centre = leak.near_far(sums.total, sums.weight), centre_of(opacity)
    alike = pairs(sums.total, sums.weight, scaled(size[0])[0])
    unhaloed = plate.count > 0
    known = unhaloed & plate.blurred
    blur = identified(job, plate.luma, known, opacity, sharp=plate.sharp)
    through = channel(plate.luma, family_of(blur), blur.sigma, known, fringe.DETAIL_PX * clip.unit)
    # Behind no blur the plate is the room itself, and what the edge adds is the person's rim.
    detail = np.zeros_like(plate.luma) if plate.sharp else np.asarray(room.best * scale, np.float32)
    joined = plate.luma + detail
    if through.carried:
        joined = best_of_both(
            through.undone, plate.luma, detail, np.sqrt(room.share), through.carried, fringe.DETAIL_PX * clip.unit
        )
    evidence = Evidence(
        room, views, near_far, sums.support, free, plate.luma, scale, centre, grid, clip.unit,
        through, blur.sigma, joined, alike,
    )  # fmt: skip
    given = features(evidence)
    moved = moved_over((plate.count / max(clip.seen.count, 1)).astype(np.float32))
    against = objection(opacity, plate.sharp, moved)
    judged = ((sums.support > 0) | (plate.count > 0)) & ~plate.overlays
    shown[plate.unblurred] = 1
    trusted, sure = believed(confidence(given), judged, plate.unblurred, against)
    return Recovered(
        picture=np.clip(plate.picture + (joined - plate.luma)[..., None], 0, 255),
        blurred=plate.picture,
        unhaloed=unhaloed,
        leak=detail,
        exposure=np.where((sums.strongest > 0) | plate.unblurred, np.clip(shown, 0, 1), 0).astype(np.float32),
        confidence=trusted,
        coverage=plate.count + sums.support,
        support=sums.support,
        passages=sums.passages,
        overlays=plate.overlays,
        unblurred=plate.unblurred,
        given=given,
        blur=blur,
        halo=plate.halo,
        opacity=opacity,
        sharp=plate.sharp,
        objection=against,
        sure=sure,
        lost=int(lost.sum()),
    )


def _areas(job: AggregateJob) -> NDArray[np.float64]:
    """Share of each frame that is taken for the person, (T,)."""
    person, limit = job.inputs.dataset("segment", "person"), level(job.params.threshold)
    parts = (person[at : at + MASKS] for at in range(0, len(person), MASKS))
    return np.concatenate([(part >= limit).mean(axis=(1, 2)) for part in parts])


def believed(p: F32, judged: Mask, sharp: Mask, against: str) -> tuple[F32, int]:
    """The confidence (H, W) float32 from that of the blocks, and how many of these are sure.

    It is bounded where the clip as a whole speaks against a leak: then nothing tells a room behind a blur from a
    blurred picture in its place; and where so few blocks are sure that chance gives as many.

    Args:
        p: (rows, columns) float32, 0-1, of the blocks.
        judged: (H, W) bool: where there is anything to judge.
        sharp: (H, W) bool: what is not blurred at all.
        against: what speaks against the clip.
    """
    height, width = judged.shape
    side = scaled(height)[0]
    sure = int(np.count_nonzero(p[_share(judged, side) > MOSTLY] >= SURE))
    told = np.minimum(p, MOST_UNSUPPORTED if against or sure < FEW else 1)
    plain = _share(sharp, side) > ENOUGH_SHARP
    told = np.where(plain, np.maximum(told, MOST_UNSUPPORTED if against else UNBLURRED), told)
    whole = told.repeat(side, 0).repeat(side, 1)[:height, :width]
    return (whole * judged).astype(np.float32), sure


def _share(mask: Mask, side: int) -> F32:
    """Share of each block, those at the lower and right borders as if they went on."""
    over = 0, -mask.shape[0] % side, 0, -mask.shape[1] % side
    return block_means(cv2.copyMakeBorder(mask.astype(np.float32), *over, cv2.BORDER_REPLICATE), side)


def _plate(clip: Clip) -> Plate:
    size, unit = clip.seen.size, clip.unit
    least = max(FAR_PX * unit, clip.job.params.dilate)
    sums = Sums(size)
    chosen, portraits = (_spread(clip.seen.count, most) for most in (SAMPLES, PERSONS))
    samples: list[tuple[F32, F32, F32]] = []
    persons: list[F32] = []

    deep = 2 * round(WITHIN_PX * unit) + 1
    taken = np.zeros(size, np.uint16)

    def look(frame: Frame) -> tuple[U8, U8, F32 | None, tuple[F32, F32, F32] | None]:
        far = fringe.apart(frame.person, least)
        within = np.asarray(cv2.erode(frame.person, np.ones((deep, deep), np.uint8)), np.uint8)
        if frame.seen is not None:
            far &= frame.seen
            within &= frame.seen.view(np.uint8)
        widths = _person_edges(frame, unit) if frame.number in portraits else None
        return far.view(np.uint8), within, widths, _sample(frame) if frame.number in chosen else None

    for frame, (far, within, widths, small) in clip.each(look):
        gray = np.asarray(cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
        sums.add(frame.pixels, gray, None if frame.seen is None else frame.seen.view(np.uint8), far)
        np.add(taken, within, out=taken, where=taken < ENOUGH_BEHIND)
        if widths is not None:
            persons.append(widths)
        if small is not None:
            samples.append(small)
    count = sums.away.count
    mean = (sums.total / np.maximum(count, 1)[..., None]).astype(np.float32)
    frames, probability, distance = (np.stack(part) for part in zip(*samples, strict=True))
    blur, coarse, shift = halo.fit(frames, probability, distance, size[0])
    sharp = is_sharp(edge_widths(mean @ LUMA, count > 0), np.stack(persons))
    if sharp:  # nothing spreads from the person where nothing is blurred
        blur, shift = halo.NO_HALO, np.zeros_like(shift)
    picture = fill(mean - halo.enlarged(shift, size), count > 0)
    luma = picture @ LUMA
    often = count > OFTEN * clip.seen.count
    drawn = left = np.zeros(size, np.bool_)
    if not sharp:
        behind, known = sums.whole.without(sums.away, ENOUGH_BEHIND)
        away, deviation = sums.away.deviation(), sums.whole.deviation()
        through = shines_through(luma, away, behind, known, unit)
        left = unblurred(luma, away, deviation, behind, known, taken >= ENOUGH_BEHIND, often, unit)
        drawn = overlays(luma, deviation, often, unit, through) & ~left
    return Plate(picture, luma, fringe.detail(luma, unit), count, coarse, blur, drawn, left, sharp)


def _person_edges(frame: Frame, unit: float) -> F32:
    """How wide the edges inside the person are; see :func:`vbtools.ops.blur_presence.edge_widths`."""
    within = fringe.signed_distance(frame.person) < -WITHIN_PX * unit
    if frame.seen is not None:
        within &= frame.seen
    return edge_widths(np.asarray(cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY), np.float32), within)


def _sample(frame: Frame) -> tuple[F32, F32, F32]:
    """The frame as the halo is found from it: its pixels, the person's probability, and the distance to the person."""
    distance = fringe.signed_distance(frame.person)
    if frame.seen is not None:
        distance = np.where(frame.seen, distance, np.float32(-1e3))
    return halo.shrunk(frame.pixels), halo.shrunk(frame.probability), halo.shrunk(distance)


def _opacity(clip: Clip, plate: Plate, edges: Edges) -> tuple[F32, NDArray[np.int64]]:
    """The room's opacity by distance, 1 at its strongest, and the group of distances, both (BINS,)."""
    height, width = clip.seen.size
    step = max(1, height // LEARNING_ROWS)
    shape = (LEARNING_GROUPS, fringe.BINS, -(-height // step), width)
    total, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for edge in edges.each(_itself):
        group = int(edge.time_s // LEARNING_S) % LEARNING_GROUPS
        fringe.add_to_bins(edge.detail, edge.bins, edge.box.y0, edge.box.x0, step, total[group], count[group])
    opacity = leak.opacities(total, count, np.ascontiguousarray(plate.detail[::step]))
    return opacity, fringe.nearness(opacity, count.sum(axis=(0, 2, 3), dtype=np.float64), NEARNESS)


def _itself(edge: Edge) -> Edge:
    return edge


@dataclass(frozen=True, slots=True)
class _Passages:
    """The sums over all passages; see :func:`vbtools.ops.fringe.add_to_passages`."""

    total: F32
    weight: F32
    passages: NDArray[np.uint16]
    support: NDArray[np.uint32]
    strongest: F32


def _passages(
    clip: Clip, plate: Plate, edges: Edges, opacity: F32, nearness: NDArray[np.int64]
) -> _Passages:
    size, unit = clip.seen.size, clip.unit
    found = _Passages(
        np.zeros((PASSAGES, NEARNESS, *size), np.float32), np.zeros((PASSAGES, NEARNESS, *size), np.float32),
        np.zeros(size, np.uint16), np.zeros(size, np.uint32), np.zeros(size, np.float32),
    )  # fmt: skip
    state = np.full((2, *size), -np.inf, np.float32)
    rule = np.array([AWAY_S, MOVED_PX * unit, IN_FRINGE], np.float32)
    for edge in edges.each(_itself):
        fringe.add_to_passages(
            edge.detail, edge.distance, edge.bins, edge.box.y0, edge.box.x0, opacity, nearness, edge.time_s, rule,
            state, found.total, found.weight, found.passages, found.support, found.strongest,
        )  # fmt: skip
    leak.uncover(found.total, found.weight, plate.detail, unit)
    return found


def _views(clip: Clip, edges: Edges, room: leak.Detail) -> leak.Views:
    """What single frames show of the room's detail, on a grid of every :data:`EVERY_PX`."""
    size, grid = clip.seen.size, _grid(clip)
    known = np.where(room.share > BELIEVED, room.plain, np.float32(0))
    found = leak.Views.none((-(-size[0] // grid), -(-size[1] // grid)))

    def look(edge: Edge) -> tuple[tuple[slice, slice], F32, F32, F32]:
        y, x = -(-edge.box.y0 // grid), -(-edge.box.x0 // grid)
        cut = slice(y * grid - edge.box.y0, None, grid), slice(x * grid - edge.box.x0, None, grid)
        ratio, r = leak.agreement(edge.detail, known[edge.box.slices], clip.unit, cut)
        distance = np.where(edge.bins[cut] == fringe.OUTSIDE, np.nan, edge.distance[cut]).astype(np.float32)
        return (slice(y, y + distance.shape[0]), slice(x, x + distance.shape[1])), ratio, r, distance

    for where, ratio, r, distance in edges.each(look, _spread(clip.seen.count, VIEWS)):
        found.add(where, ratio, r, distance)
    return found


def _grid(clip: Clip) -> int:
    return max(1, round(EVERY_PX * clip.unit))


def _spread(count: int, most: int) -> frozenset[int]:
    """At most so many of ``count`` numbers, evenly over them."""
    return frozenset(np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist())
