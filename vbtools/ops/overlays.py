"""What is still and sharp in a blurred picture: drawn over it (labels, clocks, watermarks, frames), or not blurred.

An overlay stands still and is sharp; a blurred background is not. How sharp an edge is shows in how much of its slope
is left when it is smoothed: of an edge of width e (sigma) the slope after a Gaussian s is ``1 / sqrt(e^2 + s^2)`` of
its height, so the ratio between a fine and a coarse Gaussian is near 1 behind every blur of some px, and near their own
ratio for what was drawn. A product that takes a piece of the room for a person leaves it still and sharp, too: the
person who passes covers that, but nothing that is drawn over the picture; and our own masks take it for the person now
and then, though nothing ever changes there. In a picture that is sharp all over
(:mod:`vbtools.ops.blur_presence`) nothing can be told apart so.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

FINE_PX, COARSE_PX = 1.0, 3.0
"""Sigmas of the two Gaussians, px: the ratio of slopes is 3 for a step, 1.14 behind a blur of sigma 5, 1.5 of 2.3."""
SHARP_RATIO = 1.7
LEAST_SLOPE = 10.0
"""Grey levels a px after the fine Gaussian: that of a step of 25, and of what is written to be read; fainter ones are
too faint to be taken for the room's."""
GROWN_PX = 6.0
"""px at 720 rows around an overlay's edges: their reach in the detail, and their coding errors."""
STILL = 4.0
"""Grey levels, standard deviation over time: coding leaves less of what stands still."""
NEARLY_STILL = 20.0
"""The same of what the person is seen through: the person's halo, and a part that a mask missed, change the picture
behind it; a person who was taken for the background changes it by more."""
KEPT = 0.5
"""Share of an edge's slope that is left where the person is behind it: of what lies in the room nothing is."""
AROUND_PX = 9
"""Side of the window, px, in which slopes are compared."""
JOINED_PX = 24.0
"""px at 720 rows by which sharp edges may lie apart and belong to one thing: letters to a line, lines to a sign."""
LEAST_BEHIND = 0.1
"""Share of a thing's edges that have to be seen behind the person: 0.24 of a sign behind her, of what is drawn over her
0."""
LEAST_GONE = 0.25
"""Share of those edges that are near her, and not always the same, that she covers: 0.40 of the same sign."""
LEAST_BEHIND_PX = 40
"""Edge pixels at 720 rows, square px."""


def overlays(plate: F32, deviation: F32, seen: Mask, unit: float, still: Mask | None = None) -> Mask:
    """Where something is drawn over a blurred picture.

    Args:
        plate: (H, W) float32, luminance 0-255: the mean of many frames away from the person.
        deviation: (H, W) float32: standard deviation over all frames, those with the person before it too.
        seen: (H, W) bool: where it was observed often enough; the border of what was observed is no edge.
        unit: rows / 720.
        still: (H, W) bool: where it is known to lie over the person too, though the person is seen through it; from
            :func:`shines_through`.

    Returns:
        (H, W) bool, grown by :data:`GROWN_PX`.
    """
    stands = deviation < STILL if still is None else (deviation < STILL) | still
    return _grown(_sharp(plate, seen, unit) & stands, unit)


def shines_through(plate: F32, deviation: F32, covered: F32, known: Mask, unit: float) -> Mask:
    """Where a picture's edges stand still and are there with the person behind them, too: a watermark lets the person
    through, so that its brightness changes, but its edges stay; an edge of the room is covered.

    Args:
        plate: (H, W) float32, luminance 0-255, away from the person.
        deviation: (H, W) float32: standard deviation over the frames of the plate alone.
        covered: (H, W) float32: mean luminance of the other frames, those with the person there.
        known: (H, W) bool: there were enough of these.
        unit: rows / 720.

    Returns:
        (H, W) bool.
    """
    return np.asarray(known & (deviation < NEARLY_STILL) & (_left(plate, covered, unit) > KEPT))


def unblurred(
    plate: F32, away: F32, deviation: F32, covered: F32, known: Mask, taken: Mask, seen: Mask, unit: float
) -> Mask:
    """What lies in the room, or at least behind the person, and is sharp: where the person passes, its edges go; or
    masks take it for the person, as the product's did that left it sharp, and nothing changes there.

    A thing is what sharp edges lie close together; if enough of its edges are such, all of it is told, and what lies
    between them: fainter edges, and those that were hardly seen.

    Args:
        plate, seen, unit: as of :func:`overlays`.
        away: (H, W) float32: standard deviation over the frames of the plate alone.
        deviation: (H, W) float32: the same over all frames.
        covered, known: as of :func:`shines_through`.
        taken: (H, W) bool: well within the person's mask in some frames.

    Returns:
        (H, W) bool, grown by :data:`GROWN_PX`.
    """
    sharp = _sharp(plate, seen, unit) & (away < STILL)
    passed, mistaken = sharp & known & (deviation > STILL), sharp & taken & (deviation < STILL)
    if not (passed.any() or mistaken.any()):
        return passed
    went = passed & (_left(plate, covered, unit) < KEPT)
    side = 2 * max(1, round(JOINED_PX * unit / 2)) + 1
    near = cv2.dilate(sharp.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    things, of = cv2.connectedComponents(near)
    edges, gone, met, wrong = (np.bincount(of[part], minlength=things) for part in (sharp, went, passed, mistaken))
    behind = np.maximum(np.where(gone >= LEAST_GONE * met, gone, 0), wrong)
    is_behind = (behind >= LEAST_BEHIND * edges) & (behind >= LEAST_BEHIND_PX * unit * unit)
    is_behind[0] = False
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * side - 1, 2 * side - 1))
    whole = cv2.morphologyEx((sharp & is_behind[of]).astype(np.uint8), cv2.MORPH_CLOSE, disc)
    return _grown(whole > 0, unit)


def _sharp(plate: F32, seen: Mask, unit: float) -> Mask:
    """Edges that are sharper than any behind a blur, and strong enough to be read."""
    fine, coarse = _slope(plate, FINE_PX * max(unit, 0.5)), _slope(plate, COARSE_PX * max(unit, 0.5))
    inside = cv2.erode(seen.astype(np.uint8), np.ones((13, 13), np.uint8), borderValue=1) > 0
    return np.asarray((fine > LEAST_SLOPE) & (fine > SHARP_RATIO * coarse) & inside)


def _grown(edges: Mask, unit: float) -> Mask:
    side = 2 * max(1, round(GROWN_PX * unit)) + 1
    grown = cv2.dilate(edges.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return np.asarray(grown > 0)


def _left(plate: F32, covered: F32, unit: float) -> F32:
    """Share of an edge's slope that is left with the person there, (H, W) float32."""
    sigma = FINE_PX * max(unit, 0.5)
    here, there = _slopes(plate, sigma), _slopes(covered, sigma)
    size = (AROUND_PX, AROUND_PX)
    alike = cv2.boxFilter(here[0] * there[0] + here[1] * there[1], -1, size)
    own = cv2.boxFilter(here[0] * here[0] + here[1] * here[1], -1, size)
    return np.asarray(alike / np.maximum(own, np.float32(1e-6)), np.float32)


def _slope(plane: F32, sigma: float) -> F32:
    return np.asarray(cv2.magnitude(*_slopes(plane, sigma)), np.float32)


def _slopes(plane: F32, sigma: float) -> tuple[F32, F32]:
    """Along and down, grey levels a px."""
    smooth = cv2.GaussianBlur(plane, (0, 0), sigma)
    along, down = (cv2.Scharr(smooth, cv2.CV_32F, *order) / 32 for order in ((1, 0), (0, 1)))
    return np.asarray(along, np.float32), np.asarray(down, np.float32)
