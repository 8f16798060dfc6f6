"""How well a word explains what a blurred picture shows at a place, against other words of the same shape.

A reader of words always finds some word that is like what it sees, on letters and on book spines alike. So the word is
written anew, in plain strokes, blurred with the kernel that blurred the room, and compared with what was seen, in the
frequencies in which letters of its height differ; then strings of as many other letters are compared in the same way,
with the same freedom to be moved and stretched. Only where the word is clearly more like it than all of them, the
picture has said which word it is. What a blur leaves of letters hardly depends on their font.
"""

from __future__ import annotations

import string
import unicodedata
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.blur_kernel import blurred

F32 = NDArray[np.float32]

STYLES = ((cv2.FONT_HERSHEY_SIMPLEX, 6), (cv2.FONT_HERSHEY_SIMPLEX, 12), (cv2.FONT_HERSHEY_COMPLEX, 5))
"""Fonts and thickness of stroke at capitals of 64 px: light, bold, with serifs."""
INK_PX = 64
ROWS = 32
"""px to which higher letters are shrunk: more says nothing more of which letter it is."""
BAND = 0.3
"""Sigma of the Gaussian whose rest is compared, in heights: what is longer than twice the height is layout."""
GROWN = (0.0, 0.6, 1.2)
"""Sigmas of the blur by which a reader's box may be too large on each side: it takes in the blurred edges."""
STRETCHED = ((1.0, 1.0), (0.95, 1.0), (1.05, 1.0))
MOVED = 0.35
"""Heights by which the word may be moved from where it was read."""
OTHERS = 16
"""Strings that the word is compared with."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Correlations with what was seen, -1 to 1.

    Attributes:
        word: of the word.
        others: (:data:`OTHERS`,) float32: of other strings of the same shape.
    """

    word: float
    others: F32

    @property
    def lead(self) -> float:
        """How far the word is before the others' mean, in their standard deviations."""
        return float((self.word - self.others.mean()) / max(float(self.others.std()), 0.02))


def likeness(
    seen: F32, box: tuple[float, float, float, float], text: str, family: str, sigma: float, seed: int
) -> Likeness:
    """Compare a word, and others of its shape, with what was seen.

    Args:
        seen: (H, W) float32, luminance of the blurred picture.
        box: x, y, width, height of the word, px.
        text: what was read; letters beyond ASCII count as what they are without accents.
        family, sigma: of the blur's kernel, px; see :mod:`vbtools.ops.blur_kernel`.
        seed: of the other strings.
    """
    x, y, width, height = box
    scale = min(1.0, ROWS / max(height, 1.0))
    around = MOVED * height
    reach = 2 * height  # more than the band's Gaussian needs
    outer = _cut(seen, x - around - reach, y - around - reach, x + width + around + reach, y + height + around + reach)
    part = cv2.resize(seen[outer[1] : outer[3], outer[0] : outer[2]], None, fx=scale, fy=scale,
                      interpolation=cv2.INTER_AREA)  # fmt: skip
    left, top = ((low - at) * scale for low, at in ((x - around, outer[0]), (y - around, outer[1])))
    right, bottom = left + (width + 2 * around) * scale, top + (height + 2 * around) * scale
    inner = _cut(part, left, top, right, bottom)
    compared = np.ascontiguousarray(_band(part, height * scale)[inner[1] : inner[3], inner[0] : inner[2]])
    rng = np.random.default_rng(seed)
    plain = _plain(text)
    size, kernel = (width * scale, height * scale), (family, sigma * scale)
    others = [_best(compared, size, _other(plain, rng), kernel) for _ in range(OTHERS)]
    return Likeness(_best(compared, size, plain, kernel), np.array(others, np.float32))


def _cut(plane: F32, x0: float, y0: float, x1: float, y1: float) -> tuple[int, int, int, int]:
    height, width = plane.shape
    return max(0, int(x0)), max(0, int(y0)), min(width, int(np.ceil(x1))), min(height, int(np.ceil(y1)))


def _band(plane: F32, height: float) -> F32:
    return np.asarray(plane - cv2.GaussianBlur(plane, (0, 0), BAND * height), np.float32)


def _best(seen: F32, size: tuple[float, float], text: str, kernel: tuple[str, float]) -> float:
    """The largest correlation over fonts, sizes and places; light on dark and dark on light are alike."""
    best = 0.0
    family, sigma = kernel
    for font, thick in STYLES:
        ink = _ink(text, font, thick)
        if ink is None:
            return 0.0
        for grown in GROWN:
            for across, down in STRETCHED:
                width, height = ((side - 2 * grown * sigma) * k for side, k in zip(size, (across, down), strict=True))
                if height < 0.4 * size[1] or width < 0.4 * size[0]:
                    continue
                template = _template(ink, (round(width), round(height)), size[1], family, sigma)
                if template.shape[0] <= seen.shape[0] and template.shape[1] <= seen.shape[1]:
                    best = max(best, float(np.abs(cv2.matchTemplate(seen, template, cv2.TM_CCOEFF_NORMED)).max()))
    return min(best, 1.0)


def _template(ink: F32, size: tuple[int, int], height: float, family: str, sigma: float) -> F32:
    """The blurred word's band, with a margin of a tenth of its height."""
    pad = int(3 * sigma + height) + 2
    word = np.pad(cv2.resize(ink, (max(size[0], 4), max(size[1], 4)), interpolation=cv2.INTER_AREA), pad)
    band = _band(blurred(word.astype(np.float32), family, sigma), height)
    kept = pad - int(0.1 * height)
    return np.ascontiguousarray(band[kept:-kept, kept:-kept])


def _ink(text: str, font: int, thick: int) -> F32 | None:
    """The word in strokes, cut to its ink, 0-255; None where nothing is drawn."""
    scale = INK_PX / 22  # of OpenCV's fonts at scale 1
    (width, height), below = cv2.getTextSize(text, font, scale, thick)
    page = np.zeros((height + below + 4 * thick, width + 4 * thick), np.uint8)
    cv2.putText(page, text, (2 * thick, height + 2 * thick), font, scale, 255, thick, cv2.LINE_AA)
    x, y, w, h = cv2.boundingRect(page)
    return page[y : y + h, x : x + w].astype(np.float32) if w else None


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in apart if letter.isascii() and letter.isprintable()).strip()


def _other(text: str, rng: np.random.Generator) -> str:
    """As many letters of the same kinds: capitals for capitals, digits for digits."""
    kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits)
    drawn = []
    for letter in text:
        kind = next((kind for kind in kinds if letter in kind), letter)
        drawn.append(kind[int(rng.integers(len(kind)))])
    return "".join(drawn)
