"""How far the detail of a leak can be believed: the probability that it is the room's, calibrated on known scenes.

A sum of small decision trees, asked of each block. What they are given says, each in its own way, whether the same
was seen at another time, at another distance from the mask, and in single frames; how fine it is, which the person's
smeared outline and a codec's blocks are not; and how much of the room comes through the blur itself, where that is
weak: no fringe need have been there for the plate to show the room. Part of it is pooled over a few letters, where one
block says too little; part is of the block alone (:mod:`vbtools.ops.confidence_blocks`). The trees are those of
:mod:`vbtools.ops.confidence_trees`, which ``bench/confidence.py`` fits and writes; run it again when what they are
given changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.confidence_blocks import FINE_PX, MEASURES, measures, of_clip
from vbtools.ops.confidence_blocks import RISING as RISING_MEASURES
from vbtools.ops.confidence_through import RISING as RISING_THROUGH
from vbtools.ops.confidence_through import THROUGH, WIDEST_KNOWN_PX, known_sigma, through
from vbtools.ops.confidence_trees import START, TREES
from vbtools.ops.deconvolution import Channel
from vbtools.ops.detail import block_means, high_pass, scaled
from vbtools.ops.fringe import DETAIL_PX, EDGES_PX
from vbtools.ops.leak import POOL_PX, Detail, Views, enlarged
from vbtools.ops.pairs import Pairs

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

POOLED = (
    "agreement of passages", "agreement at other distances", "near with far", "fineness", "sharpness", "strength",
    "agreement with the plate", "against the plate", "frames for", "span of distances", "farthest distance",
    "in the fringe", "left free", "plate's detail", "plate's blur", "foretold of the plate",
    "undone over noise", "carried by the plate", "blur identified", "undone like the plate", "leak like the undone",
    "blurred leak like the plate", "frames for over against", "picture's strength", "picture's fineness",
)  # fmt: skip
IN_CLIP = "against the plate in the clip"
FEATURES = (*POOLED, *MEASURES, IN_CLIP, *THROUGH)
"""What the trees are given of a block: what is pooled around it, what is measured of it by itself, how much weaker than
what the edge shows the plate is in the clip (so much the blur takes away, from what no edge went over too), and what
the plate tells of the detail that the blur took."""
RISING_POOLED = (1, 1, 1, 0, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0, -1, 1, 1, 1, -1, 1, 1, 1, 1, 0, 0)
RISING = (*RISING_POOLED, *RISING_MEASURES, 0, *RISING_THROUGH)
"""Of each feature: 1 where more of it can only speak for the room, -1 where only against it, 0 where neither is so."""
DEPTH = 3
"""Questions that a tree asks of a block, one after another."""
QUESTIONS, LEAVES = 2**DEPTH - 1, 2**DEPTH
"""That a tree has."""
MOST_UNSUPPORTED = np.float32(0.5)
"""Bound of the confidence where the clip as a whole speaks against a leak; see :func:`objection`, and :data:`FEW`."""
SURE, FEW = 0.8, 10
"""Confidence from which detail is believed, and how many blocks of a clip it takes: in clips in which fewer are as
sure, half of these are right (18 of 36, each fourth of the fitted calls by the rest). A word of five letters, 40 px
high at 720 rows, has as many."""
UNBLURRED = 0.95
"""Confidence in what is sharp and still, and covered by the person; see :func:`vbtools.ops.overlays.unblurred`. A
picture behind the person, of which a part only is sharp, would be the same."""
LEAST_MOVED = 0.015
"""Share of the picture that the person's surroundings cover at times, and leave free at times: of people who are still
0.001 to 0.008, of those who talk 0.017 and more."""
SOMETIMES = 0.05
"""Of the frames, from either end: what is covered less, or left free less, is the segmenter's wavering."""
MOST_LEVEL = 0.75
"""Opacity from 16 px within the mask to 8 px beside it, against the strongest, all of which is higher than this where
nothing moves: of people who are still 0.96 and more, of those who move up to 0.5, before a soft room up to 0.93."""
USUAL_AGAINST = 1.8
"""The same of a clip that shows little, log of the ratio."""
LEAST = 0.03
"""Ratio of power to error below which there is no difference any more."""
NARROW_PX, WIDE_PX = 1.5, 5.0
"""Sigmas, px at 720 rows, of the Gaussians whose slopes tell how wide the plate's edges are: 3 to 20 px."""
STEEP = 85
"""Percentile of the plate's slopes from which they belong to edges."""
SHARPEST = 75
"""Percentile of those edges' ratios that stands for the blur: an edge of the room can be soft, not sharper."""
LEAST_SLOPE = 0.7
"""Grey levels a px at 720 rows, below which a slope is shading."""
ENOUGH_EDGES = 200
"""Pixels of edges, for a blur to be told from them."""
WIDEST_PX = 12.0
"""px at 720 rows: what is told of a blur that leaves no edges."""
LEAST_BLUR_PX = 2.0
"""px at 720 rows, below the products' least: edges that are sharper were drawn over the blurred picture."""

NOISE_TO_SIGNAL = 1e-2
"""Of Wiener's filter (1949) by which the plate's blur is undone, to foretell what it took from each place."""
BEYOND_PX = 24.0
"""px at 720 rows that the plate is continued by, so that its borders do not meet."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is to judge by.

    Attributes:
        room: the detail, planes (H, W).
        views: what single frames showed of it, on the grid.
        near_far: (2, H, W) float32: the mean detail of the nearer and of the farther distances, weakened where it was
            hardly seen.
        support: (H, W) frames in the fringe.
        free: (H, W) float32, 0-1: share of the frames in which the place was seen away from the person, and not under
            what is drawn over the picture.
        plate: (H, W) float32: luminance of the blurred plate.
        scale: (H, W) float32, of the detail.
        centre: px at 720 rows from the mask at which the fringe lies, from :func:`centre_of`.
        grid: px between the grid's points; the first is pixel 0.
        unit: rows / 720.
        channel: the plate without its blur.
        sigma: px, of the blur as identified; NaN: it is not.
        picture: (H, W) float32: luminance of what is judged.
        pairs: how alike passages show each block.
    """

    room: Detail
    views: Views
    near_far: F32
    support: NDArray[np.uint32]
    free: F32
    plate: F32
    scale: F32
    centre: float
    grid: int
    unit: float
    channel: Channel
    sigma: float
    picture: F32
    pairs: Pairs


def features(seen: Evidence) -> F32:
    """What the trees are given of each block of :mod:`vbtools.ops.detail`, (len(FEATURES), rows, columns) float32.

    Incomplete blocks at the right and lower borders are included.
    """
    size = seen.picture.shape
    found = np.concatenate([of_blocks(pooled(seen), seen.grid, (size[0], size[1])), measures(seen)])
    alike, against = (found[FEATURES.index(name)] for name in ("passages alike", "against the plate"))
    told = of_clip(against, alike, USUAL_AGAINST)
    return np.concatenate([found, np.full((1, *alike.shape), told, np.float32), through(seen)])


def pooled(seen: Evidence) -> F32:
    """What is pooled over a few letters, (len(POOLED), h, w) float32 on the grid of ``seen.views``."""
    unit, room, views = seen.unit, seen.room, seen.views

    def pool(plane: F32) -> F32:
        height, width = plane.shape
        small = cv2.resize(plane, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), POOL_PX * unit / 4)
        large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(large[:: seen.grid, :: seen.grid], np.float32)

    def around(plane: F32) -> F32:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), 1.0), np.float32)

    weight, error = pool(room.weight), room.error[:: seen.grid, :: seen.grid]
    shown, plate_detail = room.best * seen.scale, high_pass(seen.plate, DETAIL_PX * unit)
    power, plate_power = pool(shown * shown), pool(plate_detail * plate_detail)
    fine = high_pass(room.best, FINE_PX * unit) * seen.scale
    near, far = (high_pass(plane, FINE_PX * unit) for plane in seen.near_far)
    narrow, wide = _slopes(seen.plate + shown, 1.0 * unit), _slopes(seen.plate + shown, 3.0 * unit)
    alike = pool(shown * plate_detail) / np.sqrt(power * plate_power + 1e-3) * plate_power / (plate_power + 4)
    width = blur_width(seen.plate, seen.free > 0, unit)
    undone = high_pass(_undone(seen.plate, width * unit), DETAIL_PX * unit)
    sigma = known_sigma(seen.sigma, unit)
    brought, picture = high_pass(seen.channel.undone, DETAIL_PX * unit), high_pass(seen.picture, DETAIL_PX * unit)
    again = high_pass(cv2.GaussianBlur(shown, (0, 0), sigma), DETAIL_PX * unit)
    picture_fine, picture_power = high_pass(seen.picture, FINE_PX * unit), pool(picture * picture)

    def alike_to(one: F32, other: F32) -> F32:
        return np.asarray(pool(one * other) / np.sqrt(pool(one * one) * pool(other * other) + 0.05), np.float32)

    told = np.minimum(views.clear / 2, 1)
    farthest = around(np.where(views.clear > 0, views.farthest, -10 * unit))
    found = (
        np.log(np.maximum(weight * room.signal[:: seen.grid, :: seen.grid] / error, LEAST)),
        np.log(np.maximum(weight * room.apart[:: seen.grid, :: seen.grid] / error, LEAST)),
        pool(near * far) / np.sqrt(pool(near * near) * pool(far * far) + 0.05),
        np.log((np.sqrt(pool(fine * fine)) + 0.1) / (np.sqrt(power) + 0.3)),
        np.log(pool(narrow * wide) / (pool(wide * wide) + 0.01) + 0.2),
        np.log(np.sqrt(power) + 0.5),
        alike,
        np.log((np.sqrt(power) + 0.5) / (np.sqrt(plate_power) + 0.5)),
        np.log1p(around(views.clear)),
        np.minimum(around(views.span * told) / unit, 20) / 10,
        np.clip(farthest / unit, -10, 20) / 10 - seen.centre / 10,
        pool((seen.support > 0).astype(np.float32)),
        pool(seen.free),
        np.log(np.sqrt(plate_power) + 0.3),
        np.full(weight.shape, np.log(width)),
        alike_to(undone, plate_detail),
        np.log(np.sqrt(pool(brought * brought)) / seen.channel.noise + 0.1),
        np.full(weight.shape, seen.channel.carried),
        np.full(weight.shape, np.log(min(sigma / unit, WIDEST_KNOWN_PX))),
        alike_to(brought, plate_detail),
        alike_to(shown, brought),
        alike_to(again, plate_detail),
        np.log((around(views.clear) + 1) / (around(views.against) + 1)),
        np.log(np.sqrt(picture_power) + 0.5),
        np.log((np.sqrt(pool(picture_fine * picture_fine)) + 0.1) / (np.sqrt(picture_power) + 0.3)),
    )
    return np.stack(found).astype(np.float32)


def of_blocks(given: F32, grid: int, size: tuple[int, int]) -> F32:
    """The mean of each block of :mod:`vbtools.ops.detail`, (n, rows, columns) float32.

    Incomplete blocks at the right and lower borders are included. The trees are fitted on blocks: asked point by point,
    and averaged afterwards, they would tell all blocks to be more alike than they are.

    Args:
        given: (n, h, w) float32, from :func:`pooled`.
        grid: px between its points.
        size: height and width of the picture, px.
    """
    side = scaled(size[0])[0]
    rows, columns = -(-size[0] // side), -(-size[1] // side)
    whole = (rows * side, columns * side)
    return np.stack([block_means(enlarged(plane, grid, whole), side) for plane in given])


def confidence(given: F32, start: float = START, trees: NDArray[np.float64] = TREES) -> F32:
    """The probability, (rows, columns) float32, 0-1.

    Args:
        given: (len(FEATURES), rows, columns) float32, from :func:`features`.
        start: log odds before the first tree.
        trees: (n, 22): of each, the features of its seven questions, their bounds, and the log odds of its eight
            leaves. Question k, counted from 0, leads to question 2 k + 1 where the feature is no more than the bound,
            else to 2 k + 2; the last ones to leaf 2 k + 1 - 7 or 2 k + 2 - 7.
    """
    score = np.full(given.shape[1:], start)
    where = np.indices(score.shape)
    for tree in trees:
        asked, bounds, odds = tree[:QUESTIONS].astype(int), tree[QUESTIONS : 2 * QUESTIONS], tree[2 * QUESTIONS :]
        at = np.zeros(score.shape, int)
        for _ in range(DEPTH):
            at = 2 * at + 1 + (given[asked[at], where[0], where[1]] > bounds[at])
        score += odds[at - QUESTIONS]
    return (1 / (1 + np.exp(-score))).astype(np.float32)


def blur_width(plate: F32, seen: Mask, unit: float) -> float:
    """How wide the edges of a plate are, sigma in px at 720 rows: the blur; :data:`WIDEST_PX` where no edge tells it.

    Of an edge of width s the slope after a Gaussian g is ``1 / sqrt(s^2 + g^2)`` of its height; two g give s.

    Args:
        plate: (H, W) float32, luminance.
        seen: (H, W) bool: the plate was seen there.
        unit: rows / 720.
    """
    narrow, wide = _slopes(plate, NARROW_PX * unit), _slopes(plate, WIDE_PX * unit)
    side = 2 * round(12 * unit) + 1
    inside = cv2.erode(seen.astype(np.uint8), np.ones((side, side), np.uint8), borderValue=0) > 0
    if not inside.any():
        return WIDEST_PX
    edges = inside & (wide > np.percentile(wide[inside], STEEP)) & (wide > LEAST_SLOPE / unit)
    if np.count_nonzero(edges) < ENOUGH_EDGES * unit * unit:
        return WIDEST_PX
    ratio = float(np.clip(np.percentile(narrow[edges] / wide[edges], SHARPEST), 1.02, 3.2))
    width = float(np.sqrt(max((WIDE_PX**2 - (ratio * NARROW_PX) ** 2) / (ratio**2 - 1), 0)))
    return width if width > LEAST_BLUR_PX else WIDEST_PX


def _undone(plate: F32, sigma: float) -> F32:
    """The plate without a Gaussian of ``sigma`` px, by Wiener's filter. Where what comes back resembles the plate, the
    blur took little from it, and the plate shows the room; where it does not, the plate shows its surroundings."""
    side = round(BEYOND_PX * plate.shape[0] / 720)
    large = cv2.copyMakeBorder(plate, side, side, side, side, cv2.BORDER_REFLECT)
    down, along = np.fft.fftfreq(large.shape[0])[:, None], np.fft.rfftfreq(large.shape[1])[None]
    passed = np.exp(-2 * (np.pi * sigma) ** 2 * (down**2 + along**2))
    spectrum = np.fft.rfft2(large) * passed / (passed**2 + NOISE_TO_SIGNAL)
    undone = np.fft.irfft2(spectrum, s=large.shape).astype(np.float32)
    return np.ascontiguousarray(undone[side : side + plate.shape[0], side : side + plate.shape[1]])


def _slopes(plane: F32, sigma: float) -> F32:
    """Grey levels a px after a Gaussian."""
    smooth = cv2.GaussianBlur(plane, (0, 0), sigma)
    along, down = (cv2.Scharr(smooth, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    return np.asarray(cv2.magnitude(along, down) / 32, np.float32)


def centre_of(opacity: F32) -> float:
    """px at 720 rows from the mask at which the fringe shows most, from the opacity by distance (BINS,)."""
    middle = (np.array(EDGES_PX[1:]) + np.array(EDGES_PX[:-1])) / 2
    power = opacity.astype(np.float64) ** 2
    return float((power * middle).sum() / max(power.sum(), 1e-6))


def moved_over(free: F32) -> float:
    """Share of the picture that the person, or her surroundings, cover at times and leave free at times, 0-1.

    Args:
        free: (H, W) float32: share of the frames in which a place was free of her, or far from her.
    """
    return float(((free > SOMETIMES) & (free < 1 - SOMETIMES)).mean())


def objection(opacity: F32, sharp: bool, moved: float) -> str:
    """Why nothing in a clip can be taken for a leak, as a sentence; empty if there is no such reason.

    Single places look alike whether the room or the person's own detail comes back; over the whole clip they differ: of
    a person who is still, the same comes back at every distance from the mask.

    Args:
        opacity: (BINS,) float32: the room's opacity by distance, against the strongest.
        sharp: the background is not blurred.
        moved: share of the picture, 0-1, from :func:`moved_over`.
    """
    if not opacity.any():
        return "nothing at the person's edge agrees from one time to another"
    if sharp:
        return "the background is sharp: a picture in its place, or no blur"
    if moved < LEAST_MOVED and opacity[_between(-16, 8)].min() > MOST_LEVEL:
        return "the person does not move"
    return ""


def _between(low: float, high: float) -> slice:
    return slice(EDGES_PX.index(low), EDGES_PX.index(high))
