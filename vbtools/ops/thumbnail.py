"""Thumbnails that show where things are but no detail: the same for a frame whether its background is blurred or not.

Two of them are compared by how much of their area agrees, after the change of exposure between them is taken out. A
frame where the blur was off for an instant agrees with its neighbours here; a frame of another room does not.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.cells import means

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

SIZE = (32, 18)  # cells across and down, whatever the picture's shape
# Products blur by a sigma of up to 30 px at 720p (vendors.md): 0.75 cells. Twice that hides whether it was on.
SMOOTHING = 1.5  # standard deviation, cells
# Exposure and white balance of webcams drift within these bounds; beyond them it is another picture.
GAIN = (0.6, 1.6)
OFFSET = 30.0  # grey levels
TINT = 8.0  # levels of chroma
# A cell agrees within this share of the background's own contrast (what blurring changes in it grows with contrast),
# but at least and at most so many grey levels. In a room of low contrast a wide tolerance would accept any grey wall.
TOLERANCE = 0.4
TOLERANCE_LEVELS = (4.0, 12.0)
CHROMA_TOLERANCE = 8.0  # levels of chroma
CLEARLY_SAME = 0.8  # share of the area; no need then to fit anything
SAME_PATTERN = 0.92  # correlation; of different rooms 0.76 at most (sample clips and photographs)
FITS = 4  # the fit of gain and offset settles after 3 or 4 rounds
# People sit in the lower middle of a picture, and the same person before another background is another shot.
PERSON_COLUMNS = slice(8, 24)
PERSON_ROWS = slice(6, 18)
PERSON_WEIGHT = 0.35
# A moved camera: the middle of one picture is found in the other, that far away at most.
MIDDLE = 0.6  # share of each side
UPPER_ROWS = slice(1, 9)  # above most people, who stay where they are when the camera turns
MOVED = 0.85  # correlation
MOVED_AGREEMENT = 0.5  # share of the cells that both show; the person stays where they are
CONTRAST = 4.0  # grey levels (standard deviation) below which a place cannot be recognised


def make(luma: U8, blue: U8, red: U8) -> U8:
    """Thumbnail of a frame.

    Args:
        luma, blue, red: ``(h, w)`` uint8 planes Y, U, V of any sizes, 0..255.

    Returns:
        ``(18, 32, 3)`` uint8 Y, U, V.
    """
    cells = [means(plane, SIZE) for plane in (luma, blue, red)]
    return cv2.GaussianBlur(cv2.merge(cells), (0, 0), SMOOTHING, borderType=cv2.BORDER_REPLICATE)


def agreement(a: U8, b: U8) -> float:
    """How much of the background is the same in both, 0..1.

    A cell agrees if its luma differs by at most 4 to 12 levels, depending on the contrast of the background, and its
    chroma by at most 8, after one gain, offset and tint for the whole picture, fitted to the cells that agree. Cells
    where people sit count for about a third. Where a lamp was switched, so that no such fit holds, the answer is the
    correlation around the person, if it is high.

    Args:
        a, b: thumbnails as :func:`make` gives them.
    """
    tolerance = _tolerance(a, b)
    change = np.abs(a.astype(np.int16) - b)
    plain = (change[..., 0] <= tolerance) & (change[..., 1] <= CHROMA_TOLERANCE) & (change[..., 2] <= CHROMA_TOLERANCE)
    first = float(_WEIGHT[plain].sum())
    if first >= CLEARLY_SAME:
        return first
    pattern = _correlation(a[..., 0][_BACKGROUND], b[..., 0][_BACKGROUND])
    if pattern >= SAME_PATTERN:
        return pattern
    return max(first, _compensated(a.astype(np.float32), b.astype(np.float32), tolerance))


def _correlation(x: U8, y: U8) -> float:
    if x.std() < CONTRAST or y.std() < CONTRAST:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def moved(a: U8, b: U8) -> bool:
    """Whether ``b`` may be ``a`` seen by a camera that moved.

    A part of ``b`` is found somewhere in ``a``, and with that shift most of what both show agrees.
    """
    rows, columns = (round(side * (1 - MIDDLE) / 2) for side in a.shape[:2])
    for top, bottom in ((rows, a.shape[0] - rows), (UPPER_ROWS.start, UPPER_ROWS.stop)):
        part = np.ascontiguousarray(b[top:bottom, columns : a.shape[1] - columns, 0])
        whole = np.ascontiguousarray(a[..., 0])
        if part.std() < CONTRAST or whole.std() < CONTRAST:
            continue
        _, best, _, (left, above) = cv2.minMaxLoc(cv2.matchTemplate(whole, part, cv2.TM_CCOEFF_NORMED))
        if best >= MOVED and _overlap(a, b, left - columns, above - top) >= MOVED_AGREEMENT:
            return True
    return False


def _overlap(a: U8, b: U8, right: int, down: int) -> float:
    """Share of what both show that agrees, if ``b`` is ``a`` shifted by so many cells."""
    h, w = a.shape[:2]
    x = a[max(0, down) : h + min(0, down), max(0, right) : w + min(0, right)]
    y = b[max(0, -down) : h + min(0, -down), max(0, -right) : w + min(0, -right)]
    change = np.abs(x.astype(np.int16) - y)
    limits = (_tolerance(a, b), CHROMA_TOLERANCE, CHROMA_TOLERANCE)
    return float((change <= limits).all(axis=2).mean())


def _tolerance(a: U8, b: U8) -> float:
    contrast = max(float(a[..., 0][_BACKGROUND].std()), float(b[..., 0][_BACKGROUND].std()))
    return float(np.clip(TOLERANCE * contrast, *TOLERANCE_LEVELS))


def _compensated(a: F32, b: F32, tolerance: float) -> float:
    x, y = a[..., 0], b[..., 0]
    tint = np.clip(np.median((b - a)[..., 1:], axis=(0, 1)), -TINT, TINT)
    same_colour = (np.abs(b[..., 1:] - a[..., 1:] - tint) <= CHROMA_TOLERANCE).all(axis=2)
    gain, offset = 1.0, float(np.clip(np.median(y - x), -OFFSET, OFFSET))
    for limit in np.geomspace(3 * tolerance, tolerance, FITS):
        agrees = same_colour & (np.abs(y - gain * x - offset) <= limit)
        if np.count_nonzero(agrees) < 3:
            return 0.0
        gain, offset = _line(x[agrees], y[agrees])
    agrees = same_colour & (np.abs(y - gain * x - offset) <= tolerance)
    return float(_WEIGHT[agrees].sum())


def _line(x: F32, y: F32) -> tuple[float, float]:
    mean_x, mean_y = float(x.mean()), float(y.mean())
    spread = float(((x - mean_x) ** 2).mean())
    slope = float(((x - mean_x) * (y - mean_y)).mean()) / spread if spread > CONTRAST**2 else 1.0
    gain = float(np.clip(slope, *GAIN))
    change = float(np.clip(mean_y - mean_x, -OFFSET, OFFSET))  # of the mean: the offset alone means nothing with a gain
    return gain, mean_x + change - gain * mean_x


def _background_weight() -> F32:
    weight = np.ones(SIZE[::-1], np.float32)
    weight[PERSON_ROWS, PERSON_COLUMNS] = PERSON_WEIGHT
    return weight / weight.sum()


_WEIGHT = _background_weight()
_BACKGROUND = np.isclose(_WEIGHT, _WEIGHT.max())
