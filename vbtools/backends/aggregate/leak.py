"""What the sharp fringe at the person's edge shows of the room: its detail at its contrast, and what to believe of it.

Four readings of the clip: the plate and a few frames for the halo; the room's opacity by distance to the mask; the sums
of each passage of the edge; how strongly single frames show the detail that was found. The numbers are in
:mod:`vbtools.ops.halo`, :mod:`vbtools.ops.fringe`, :mod:`vbtools.ops.leak` and :mod:`vbtools.ops.confidence`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.backends.aggregate.blur import identified, write_blur
from vbtools.backends.aggregate.observations import Frames, Observations
from vbtools.backends.aggregate.tiles import write
from vbtools.ops import fringe, halo, leak
from vbtools.ops.blur_kind import Blur, family_of
from vbtools.ops.blur_presence import edge_widths, is_sharp
from vbtools.ops.confidence import MOST_UNSUPPORTED, Evidence, centre_of, confidence, features, objection, of_blocks
from vbtools.ops.deconvolution import best_of_both, channel
from vbtools.ops.detail import scaled
from vbtools.ops.fill import fill
from vbtools.ops.masks import level
from vbtools.ops.overlays import overlays, shines_through
from vbtools.ops.steadiness import dips

if TYPE_CHECKING:
    from vbtools.backends.aggregate.tiles import AggregateJob

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
T = TypeVar("T")

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
MASKS = 256
"""Masks that are looked at at once."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


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
        if found.lost:
            job.notes.append(f"{found.lost} frames are left out: their masks have lost part of the person")
        if found.overlays.any():
            percent = 100 * found.overlays.mean()
            job.notes.append(f"something still and sharp is drawn over {percent:.2g} % of the picture: it is left out")
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
        given: (F, rows, columns) float32: what the confidence of each block was made of.
        blur: what is known of the product's blur.
        halo: the blur, as the person's halo shows it.
        opacity: (BINS,) float32: the room's opacity by distance, against the strongest.
        sharp: the background is not blurred.
        objection: why nothing here can be taken for a leak; empty if there is no such reason.
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
    given: F32
    blur: Blur
    halo: halo.Halo
    opacity: F32
    sharp: bool
    objection: str
    lost: int


def recover(job: AggregateJob) -> Recovered:
    """Read the clip and find what the edge gives away; writes nothing."""
    time = np.asarray(job.inputs.array("extract", "time"), np.float64)
    lost = dips(_areas(job), time)
    with Observations(job.inputs, job.params.threshold, job.params.dilate, lost) as seen:
        job.progress.start(4 * seen.count, "frames")
        clip = _Clip(job, seen, time)
        plate = _plate(clip)
        opacity, nearness = _opacity(clip, plate)
        sums = _passages(clip, plate, opacity, nearness)
        room = leak.combine(sums.total, sums.weight, clip.unit)
        views = _views(clip, plate, room)
    grid, size = _grid(clip), clip.seen.size
    scale = leak.enlarged(leak.scales(views.best, views.clear, EVERY_PX), grid, size)
    best = cv2.GaussianBlur(views.best, (0, 0), 1.0)
    shown = np.maximum(leak.enlarged(best, grid, size), sums.strongest) / scale
    free = np.where(plate.overlays, 0, plate.count / max(clip.seen.count, 1)).astype(np.float32)
    near_far, centre = leak.near_far(sums.total, sums.weight), centre_of(opacity)
    unhaloed = plate.count > 0
    known = unhaloed & ~plate.overlays
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
        through, blur.sigma, joined,
    )  # fmt: skip
    given = of_blocks(features(evidence), grid, size)
    against = objection(opacity, plate.sharp, float(lost.mean()))
    judged = ((sums.support > 0) | (plate.count > 0)) & ~plate.overlays
    return Recovered(
        picture=np.clip(plate.picture + (joined - plate.luma)[..., None], 0, 255),
        blurred=plate.picture,
        unhaloed=unhaloed,
        leak=detail,
        exposure=np.where(sums.strongest > 0, np.clip(shown, 0, 1), 0).astype(np.float32),
        confidence=_believed(confidence(given), judged, against),
        coverage=plate.count + sums.support,
        support=sums.support,
        passages=sums.passages,
        overlays=plate.overlays,
        given=given,
        blur=blur,
        halo=plate.halo,
        opacity=opacity,
        sharp=plate.sharp,
        objection=against,
        lost=int(lost.sum()),
    )


def _areas(job: AggregateJob) -> NDArray[np.float64]:
    """Share of each frame that is taken for the person, (T,)."""
    person, limit = job.inputs.dataset("segment", "person"), level(job.params.threshold)
    parts = (person[at : at + MASKS] for at in range(0, len(person), MASKS))
    return np.concatenate([(part >= limit).mean(axis=(1, 2)) for part in parts])


def _believed(p: F32, judged: Mask, against: str) -> F32:
    """The confidence (H, W) float32 from that of the blocks, where there is anything to judge; bounded where the clip
    as a whole speaks against a leak: then nothing tells a room behind a blur from a blurred picture in its place."""
    height, width = judged.shape
    side = scaled(height)[0]
    whole = np.minimum(p, MOST_UNSUPPORTED if against else 1).repeat(side, 0).repeat(side, 1)[:height, :width]
    return (whole * judged).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Clip:
    """The clip that is read, again and again."""

    job: AggregateJob
    seen: Observations
    time: NDArray[np.float64]

    @property
    def unit(self) -> float:
        """Rows / 720: lengths scale with the frame."""
        return self.seen.size[0] / 720

    def each(self, work: Callable[[_Frame], T]) -> Iterator[tuple[_Frame, T]]:
        """Every frame with what ``work`` makes of it, in order of time; worked on in threads, two frames ahead."""
        limit = level(self.job.params.threshold)
        at = 0
        with ThreadPoolExecutor(2, thread_name_prefix="leak") as pool:
            for block in self.seen.whole_frames():
                frames = [_frame(block, row, at + row, self.time, limit) for row in range(len(block.rows))]
                at += len(frames)
                for frame, made in zip(frames, pool.map(work, frames), strict=True):
                    yield frame, made
                    self.job.progress.advance()


@dataclass(frozen=True, slots=True)
class _Frame:
    """One frame: its number among those used, time (s), pixels, person probability, mask, what lies in the frame."""

    number: int
    time_s: float
    pixels: U8
    probability: U8
    person: U8
    seen: Mask | None


def _frame(block: Frames, row: int, number: int, time: NDArray[np.float64], limit: int) -> _Frame:
    probability = block.person[row]
    person = (probability >= limit).astype(np.uint8)
    seen = None if block.seen is None else block.seen[row]
    return _Frame(number, float(time[block.rows[row]]), block.frames[row], probability, person, seen)


@dataclass(frozen=True, slots=True)
class _Plate:
    """The blurred background without the person's halo.

    Attributes:
        picture: (H, W, 3) float32, filled where it was never seen.
        luma: (H, W) float32.
        detail: (H, W) float32 of the luma.
        count: (H, W) uint32 observations.
        small: (h, w, 3) float32, shrunk.
        halo: the blur, as the halo shows it.
        overlays: (H, W) bool; none in a plate that is sharp.
        sharp: it is not blurred at all.
    """

    picture: F32
    luma: F32
    detail: F32
    count: NDArray[np.uint32]
    small: F32
    halo: halo.Halo
    overlays: Mask
    sharp: bool


def _plate(clip: _Clip) -> _Plate:
    size, unit = clip.seen.size, clip.unit
    total = np.zeros((*size, 3), np.uint32)
    whole, away = _Moments(size), _Moments(size)
    count = np.zeros(size, np.uint32)
    chosen, portraits = (_spread(clip.seen.count, most) for most in (SAMPLES, PERSONS))
    samples: list[tuple[F32, F32, F32]] = []
    persons: list[F32] = []

    def look(frame: _Frame) -> tuple[U8, F32 | None, tuple[F32, F32, F32] | None]:
        distance = _distance(frame.person, size)
        far = distance > max(FAR_PX * unit, clip.job.params.dilate)
        if frame.seen is not None:
            far &= frame.seen
        own = _person_edges(frame, distance < -WITHIN_PX * unit) if frame.number in portraits else None
        if frame.number not in chosen:
            return far.view(np.uint8), own, None
        if frame.seen is not None:
            distance = np.where(frame.seen, distance, np.float32(-1e3))
        small = (halo.shrunk(frame.pixels), halo.shrunk(frame.probability), halo.shrunk(distance))
        return far.view(np.uint8), own, small

    for frame, (far, own, sample) in clip.each(look):
        total += cv2.bitwise_and(frame.pixels, frame.pixels, mask=far)
        count += far
        gray = cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY)
        whole.add(gray, None if frame.seen is None else frame.seen.view(np.uint8))
        away.add(gray, far)
        if own is not None:
            persons.append(own)
        if sample is not None:
            samples.append(sample)
    mean = (total / np.maximum(count, 1)[..., None]).astype(np.float32)
    frames, probability, distance = (np.stack(part) for part in zip(*samples, strict=True))
    blur, small, shift = halo.fit(frames, probability, distance, size[0])
    sharp = is_sharp(edge_widths(mean @ LUMA, count > 0), np.stack(persons))
    if sharp:  # nothing spreads from the person where nothing is blurred
        blur, shift = halo.NO_HALO, np.zeros_like(shift)
    picture = fill(mean - halo.enlarged(shift, size), count > 0)
    luma = picture @ LUMA
    often = count > OFTEN * clip.seen.count
    drawn = np.zeros(size, np.bool_)
    if not sharp:
        behind, known = whole.without(away)
        through = shines_through(luma, away.deviation(), behind, known, unit)
        drawn = overlays(luma, whole.deviation(), often, unit, through)
    return _Plate(picture, luma, fringe.detail(luma, unit), count, small, blur, drawn, sharp)


def _person_edges(frame: _Frame, within: Mask) -> F32:
    """How wide the edges inside the person are; see :func:`vbtools.ops.blur_presence.edge_widths`."""
    if frame.seen is not None:
        within = within & frame.seen
    return edge_widths(np.asarray(cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY), np.float32), within)


class _Moments:
    """Mean and spread of the luminance over frames, whatever they show."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._sum, self._squares = np.zeros(size), np.zeros(size)
        self._count = np.zeros(size, np.uint32)

    def add(self, gray: U8, mask: U8 | None) -> None:
        """Add a frame (H, W), where a mask is not 0."""
        cv2.accumulate(gray, self._sum, mask=mask)
        cv2.accumulateSquare(gray, self._squares, mask=mask)
        self._count += np.uint32(1) if mask is None else (mask > 0)

    def deviation(self) -> F32:
        """(H, W) float32, grey levels."""
        count = np.maximum(self._count, 1)
        return np.sqrt(np.maximum(self._squares / count - (self._sum / count) ** 2, 0)).astype(np.float32)

    def without(self, part: _Moments) -> tuple[F32, Mask]:
        """The mean (H, W) float32 of the frames that are not in a part of these, and where they are enough."""
        count = self._count - part._count
        mean = (self._sum - part._sum) / np.maximum(count, 1)
        return mean.astype(np.float32), count >= ENOUGH_BEHIND


@dataclass(frozen=True, slots=True)
class _Edge:
    """The surroundings of the person in one frame: where they lie, distance to the mask, its bins, and the detail."""

    box: fringe.Box
    distance: F32
    bins: U8
    detail: F32


def _edge(clip: _Clip, plate: _Plate) -> Callable[[_Frame], _Edge | None]:
    """What makes of a frame its :class:`_Edge`; None where there is no person, or nothing else."""
    unit = clip.unit
    edges = np.array(fringe.EDGES_PX, np.float32)
    margin = int(np.ceil((fringe.EDGES_PX[-1] + 3 * fringe.DETAIL_PX) * unit)) + 1

    def look(frame: _Frame) -> _Edge | None:
        box = fringe.box_around(frame.person, margin)
        if box is None or frame.person.all():
            return None
        cut = box.slices
        own = halo.of_frame(frame.pixels, frame.probability, plate.small, plate.halo) @ LUMA
        gray = np.asarray(cv2.cvtColor(frame.pixels[cut], cv2.COLOR_RGB2GRAY), np.float32)
        detail = fringe.detail(gray - plate.luma[cut] - halo.enlarged(own, clip.seen.size)[cut], unit)
        distance = _distance(frame.person[cut], detail.shape)
        bins = np.empty(detail.shape, np.uint8)
        fringe.bins_of(distance, np.float32(unit), edges, bins)
        bins[plate.overlays[cut]] = fringe.OUTSIDE
        if frame.seen is not None:
            bins[~_inner(frame.seen[cut], unit)] = fringe.OUTSIDE
        return _Edge(box, distance, bins, detail)

    return look


def _inner(seen: Mask, unit: float) -> Mask:
    """Where the detail needs nothing from beyond the frame."""
    side = 2 * round(2 * fringe.DETAIL_PX * unit) + 1
    return np.asarray(cv2.erode(seen.view(np.uint8), np.ones((side, side), np.uint8), borderValue=0)) > 0


def _distance(person: U8, size: tuple[int, ...]) -> F32:
    """Signed distance to the person; everywhere far from one who is not there, everywhere in one who is everywhere."""
    if not person.any():
        return np.full(size, 1e4, np.float32)
    if person.all():
        return np.full(size, -1e4, np.float32)
    return fringe.signed_distance(person)


def _opacity(clip: _Clip, plate: _Plate) -> tuple[F32, NDArray[np.int64]]:
    """The room's opacity by distance, 1 at its strongest, and the group of distances, both (BINS,)."""
    height, width = clip.seen.size
    step = max(1, height // LEARNING_ROWS)
    shape = (LEARNING_GROUPS, fringe.BINS, -(-height // step), width)
    total, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for frame, edge in clip.each(_edge(clip, plate)):
        if edge is not None:
            group = int(frame.time_s // LEARNING_S) % LEARNING_GROUPS
            fringe.add_to_bins(edge.detail, edge.bins, edge.box.y0, edge.box.x0, step, total[group], count[group])
    opacity = leak.opacities(total, count, np.ascontiguousarray(plate.detail[::step]))
    return opacity, fringe.nearness(opacity, count.sum(axis=(0, 2, 3), dtype=np.float64), NEARNESS)


@dataclass(frozen=True, slots=True)
class _Passages:
    """The sums over all passages; see :func:`vbtools.ops.fringe.add_to_passages`."""

    total: F32
    weight: F32
    passages: NDArray[np.uint16]
    support: NDArray[np.uint32]
    strongest: F32


def _passages(clip: _Clip, plate: _Plate, opacity: F32, nearness: NDArray[np.int64]) -> _Passages:
    size, unit = clip.seen.size, clip.unit
    found = _Passages(
        np.zeros((PASSAGES, NEARNESS, *size), np.float32), np.zeros((PASSAGES, NEARNESS, *size), np.float32),
        np.zeros(size, np.uint16), np.zeros(size, np.uint32), np.zeros(size, np.float32),
    )  # fmt: skip
    state = np.full((2, *size), -np.inf, np.float32)
    rule = np.array([AWAY_S, MOVED_PX * unit, IN_FRINGE], np.float32)
    for frame, edge in clip.each(_edge(clip, plate)):
        if edge is not None:
            fringe.add_to_passages(
                edge.detail, edge.distance, edge.bins, edge.box.y0, edge.box.x0, opacity, nearness, frame.time_s, rule,
                state, found.total, found.weight, found.passages, found.support, found.strongest,
            )  # fmt: skip
    leak.uncover(found.total, found.weight, plate.detail, unit)
    return found


def _views(clip: _Clip, plate: _Plate, room: leak.Detail) -> leak.Views:
    """What single frames show of the room's detail, on a grid of every :data:`EVERY_PX`."""
    size, grid = clip.seen.size, _grid(clip)
    known = np.where(room.share > BELIEVED, room.plain, np.float32(0))
    chosen = _spread(clip.seen.count, VIEWS)
    look_at = _edge(clip, plate)
    found = leak.Views.none((-(-size[0] // grid), -(-size[1] // grid)))

    def look(frame: _Frame) -> tuple[tuple[slice, slice], F32, F32, F32] | None:
        edge = look_at(frame) if frame.number in chosen else None
        if edge is None:
            return None
        y, x = -(-edge.box.y0 // grid), -(-edge.box.x0 // grid)
        cut = slice(y * grid - edge.box.y0, None, grid), slice(x * grid - edge.box.x0, None, grid)
        ratio, r = leak.agreement(edge.detail, known[edge.box.slices], clip.unit)
        distance = np.where(edge.bins == fringe.OUTSIDE, np.nan, edge.distance)[cut].astype(np.float32)
        where = slice(y, y + distance.shape[0]), slice(x, x + distance.shape[1])
        return where, ratio[cut], r[cut], distance

    for _, seen in clip.each(look):
        if seen is not None:
            found.add(*seen)
    return found


def _grid(clip: _Clip) -> int:
    return max(1, round(EVERY_PX * clip.unit))


def _spread(count: int, most: int) -> frozenset[int]:
    """At most so many of ``count`` numbers, evenly over them."""
    return frozenset(np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist())
