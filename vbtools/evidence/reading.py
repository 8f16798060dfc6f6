"""Reading at known places: all of them cut out, brought to one size, and laid on one sheet for one look.

The pipeline's own reader looks at the whole picture several times, which takes many times as long. Here the place is
known, which a reader who searches would have to find first: what is read so is the most that could be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    U8 = NDArray[np.uint8]

LOOKS: tuple[tuple[float, bool], ...] = ((36.0, False), (36.0, True), (50.0, True))
"""px to which the letters are brought, and whether their contrast is made even, for each look; each also at its
negative. Of 12 words that a replay showed, most of them in part, these looks read 3, 3 and 5; 24 px read 0 and 1."""
AROUND = 0.3
"""Of a box's height, taken along around it; with 0.6, neighbours come in and half as many words are read."""
EVENED_CAPS = 0.8
"""Cap heights: sigma over which the contrast is made even."""
AT_ONCE = 2
"""Sheets that are read at the same time."""
SHEET_PX = 2400
"""Width of the sheet."""
GAP_PX = 40
"""Between two places on the sheet."""
LEAST_CONFIDENCE = 0.2
"""Tesseract's own, 0-1: what is read less surely is not compared."""
READ_ERRORS = 0.2
"""Character error rate up to which a word counts as read."""


@dataclass(frozen=True)
class _Options:
    """What the reader is told; see :class:`vbtools.backends.inspect.ocr.OcrParams`."""

    language: str = "eng"
    psm: int = 11
    min_confidence: float = LEAST_CONFIDENCE


def read_at(picture: U8, boxes: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """What can be read at each of some places: every reading, of the place as it is and of its negative.

    Args:
        picture: (H, W, 3) uint8 RGB.
        boxes: ``x``, ``y``, ``width``, ``height``, px.

    Raises:
        MissingDependencyError: Tesseract is not installed.
    """
    from vbtools.backends import backend

    found: list[list[str]] = [[] for _ in boxes]
    if not boxes:
        return found
    import cv2
    import numpy as np

    look = backend("inspect", "ocr").load()(_Options())

    def words_on(page: U8) -> Any:
        return look(cv2.cvtColor(page, cv2.COLOR_GRAY2RGB), np.ones(page.shape, np.bool_), 1.0, enlarge=False)

    pages, where = [], []
    for cap, is_even in LOOKS:
        sheet, places = _sheet([_cut(picture, box, cap, is_even) for box in boxes])
        pages += [sheet, 255 - sheet]
        where += [places, places]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="reading") as pool:
        for words, places in zip(pool.map(words_on, pages), where, strict=True):
            for number, place in enumerate(places):
                found[number] += _joined([word for word in words if _in(word, place)])
    return found


def errors(text: str, readings: Sequence[str]) -> tuple[str, float]:
    """The reading nearest to a text, and its character error rate, 0 right to 1 nothing of it."""
    from vbtools.evaluate.words import distance, normal

    wanted = normal(text)
    rates = [(min(1.0, distance(wanted, normal(one)) / max(1, len(wanted))), one) for one in readings]
    rate, best = min(rates, default=(1.0, ""))
    return (best, rate) if rate < 1 else ("", 1.0)


def _cut(picture: U8, box: Mapping[str, Any], cap: float, is_even: bool) -> U8:
    """The place in grey, at one size of letters (px), its contrast made even if asked, and stretched."""
    import cv2
    import numpy as np

    from vbtools.ops.reading import evened

    around = AROUND * box["height"]
    height, width = picture.shape[:2]
    x0, y0 = max(0, int(box["x"] - around)), max(0, int(box["y"] - around))
    x1, y1 = (
        min(width, int(box["x"] + box["width"] + around) + 1),
        min(height, int(box["y"] + box["height"] + around) + 1),
    )
    gray = cv2.cvtColor(np.ascontiguousarray(picture[y0:y1, x0:x1]), cv2.COLOR_RGB2GRAY)
    zoom = cap / box["height"]
    method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    larger = np.asarray(cv2.resize(gray, None, fx=zoom, fy=zoom, interpolation=method))
    if is_even:
        larger = evened(larger, np.ones(larger.shape, np.float32), EVENED_CAPS * cap)
    low, high = np.percentile(larger, (2, 98))
    stretched = 255 * (larger.astype(np.float32) - low) / max(float(high - low), 8.0)
    return np.clip(stretched, 0, 255).astype(np.uint8)


def _sheet(crops: Sequence[U8]) -> tuple[U8, list[tuple[int, int, int, int]]]:
    """All crops on one sheet of white, row by row; and where each lies (x0, y0, x1, y1)."""
    import numpy as np

    x = y = GAP_PX
    tallest, places = 0, []
    wide = max(SHEET_PX, *(crop.shape[1] + 2 * GAP_PX for crop in crops))
    for crop in crops:
        if x + crop.shape[1] + GAP_PX > wide:
            x, y, tallest = GAP_PX, y + tallest + GAP_PX, 0
        places.append((x, y, x + crop.shape[1], y + crop.shape[0]))
        x, tallest = x + crop.shape[1] + GAP_PX, max(tallest, crop.shape[0])
    sheet = np.full((y + tallest + GAP_PX, wide), 255, np.uint8)
    for crop, (x0, y0, x1, y1) in zip(crops, places, strict=True):
        sheet[y0:y1, x0:x1] = crop
    return sheet, places


def _in(word: Mapping[str, Any], place: tuple[int, int, int, int]) -> bool:
    x, y = word["x"] + word["width"] / 2, word["y"] + word["height"] / 2
    return place[0] <= x <= place[2] and place[1] <= y <= place[3]


def _joined(words: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each word, and all of a place's joined from left to right: readers split words."""
    texts = [str(word["text"]) for word in sorted(words, key=lambda word: word["x"])]
    return [*texts, *(["".join(texts)] if len(texts) > 1 else [])]
