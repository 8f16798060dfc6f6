"""Other rooms: rendered, seeded, with words of known size and contrast in known places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    U8 = NDArray[np.uint8]
    F32 = NDArray[np.float32]

CAP_HEIGHTS = (12.0, 16.0, 22.0, 30.0, 42.0, 60.0, 90.0)
"""Of the words, px at 720 rows: from what a page on a wall has to a door's sign."""
SWEPT_WORDS, OTHER_WORDS = 3, 1
"""Words of each size that are put where the edge sweeps, and elsewhere; as many as there is place for."""
GROUNDS = (40, 90, 165, 225)
"""Luminances of the papers, levels."""
CONTRASTS = (60, 120, 180)
"""Luminance between letters and paper, levels; less where the paper leaves no room for more."""
MARGIN = 0.45
"""Of paper around a word, in cap heights."""
TRIES = 60
"""Places that are tried for a word."""
WORDS = (
    "ACORN", "AMBER", "BASIN", "BRICK", "CABIN", "CEDAR", "CHALK", "CLOVE", "CORAL", "CRANE", "DELTA", "EAGLE",
    "EMBER", "FABLE", "FERRY", "FLINT", "FROST", "GLOBE", "GRAIN", "HAZEL", "HERON", "HINGE", "IVORY", "JEWEL",
    "KAYAK", "LADLE", "LEMON", "LINEN", "LOTUS", "MAPLE", "MEDAL", "NOBLE", "OASIS", "OLIVE", "ORBIT", "PEARL",
    "PIANO", "PLAZA", "QUILT", "RAVEN", "RIVER", "ROBIN", "SABLE", "SALON", "SPRUCE", "STONE", "TIGER", "TORCH",
    "TULIP", "UMBRA", "VALVE", "VIOLA", "WAGON", "WALNUT", "WHALE", "YACHT", "ZEBRA", "MARBLE", "CANDLE", "VELVET",
)  # fmt: skip
"""Everyday words of five letters and more: chance seldom reads one."""


@dataclass(frozen=True, slots=True)
class Lettered:
    """A word in a room: box in px, cap height in px, and luminance of letters minus that of their paper."""

    text: str
    x: float
    y: float
    width: float
    height: float
    cap_height: float
    contrast: float

    def told(self) -> dict[str, Any]:
        """As a row."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class OtherRoom:
    """A room and the words in it: ``picture`` (H, W, 3) uint8 RGB, without any other letters."""

    seed: int
    picture: U8
    letters: tuple[Lettered, ...]


def other_room(size: tuple[int, int], seed: int, swept: F32, seen: F32) -> OtherRoom:
    """Render a room and write words into it.

    Args:
        size: (H, W), px.
        seed: same seed, same room.
        swept: (H, W) float32, 0-1: how strongly the edge showed each place; words go where there is most of it.
        seen: (H, W) float32, 0-1: 1 where the background was observed.

    Raises:
        MissingDependencyError: scikit-image (with Pillow), of the extra ``simulate``, is not installed.
    """
    import numpy as np

    from vbtools.simulate.canvas import STAGE, Canvas
    from vbtools.simulate.room import render_room

    height, width = size
    room = render_room(width, height, seed, lettering=False)
    canvas = Canvas(width, height)
    canvas.rgb = np.repeat(np.repeat(room.background, 2, axis=0), 2, axis=1)  # the canvas is twice as fine
    offset = (-(width / canvas.scale - STAGE[0]) / 2, -(height / canvas.scale - STAGE[1]))
    writer = _Writer(canvas, np.random.default_rng([seed, 7]), offset, swept, seen)
    for cap in reversed(CAP_HEIGHTS):
        for _ in range(SWEPT_WORDS):
            writer.put(cap, where_swept=True)
        for _ in range(OTHER_WORDS):
            writer.put(cap, where_swept=False)
    return OtherRoom(seed, canvas.frame(), tuple(writer.letters))


class _Writer:
    """Finds places and writes."""

    def __init__(
        self, canvas: Any, chance: np.random.Generator, offset: tuple[float, float], swept: F32, seen: F32
    ) -> None:
        import cv2
        import numpy as np

        self.letters: list[Lettered] = []
        self._canvas, self._chance, self._offset = canvas, chance, offset
        self._size = swept.shape
        self._swept, self._seen = (cv2.integral(plane.astype(np.float64)) for plane in (swept, seen))
        self._taken = np.zeros(swept.shape, np.bool_)
        self._words = [WORDS[i] for i in chance.permutation(len(WORDS))]

    def put(self, cap_at_720: float, *, where_swept: bool) -> None:
        """Write one word of a cap height, px at 720 rows, where there is place; nothing where there is none."""
        if not self._words:
            return
        reference = cap_at_720 * self._size[0] / 720 / self._canvas.scale
        text = self._words[-1]
        margin = MARGIN * reference
        wide = self._canvas.measure(text, reference, 0.04) + 2 * margin
        box = self._place(wide, reference + 2 * margin, where_swept)
        if box is None:
            return
        self._words.pop()
        self._write(text, box, reference, margin)

    def _place(self, wide: float, tall: float, where_swept: bool) -> tuple[int, int, int, int] | None:
        """The best of some random places, frame px (x0, y0, x1, y1); None where none is free."""
        scale = self._canvas.scale
        columns, rows = int(wide * scale) + 1, int(tall * scale) + 1
        height, width = self._size
        if columns >= width or rows >= height:
            return None
        best, best_worth = None, -1.0
        for _ in range(TRIES):
            x, y = int(self._chance.integers(0, width - columns)), int(self._chance.integers(0, height - rows))
            box = (x, y, x + columns, y + rows)
            if self._taken[y : box[3], x : box[2]].any():
                continue
            swept, seen = self._mean(self._swept, box), self._mean(self._seen, box)
            worth = swept if where_swept else seen * (1 - min(1.0, 20 * swept))
            if worth > best_worth:
                best, best_worth = box, worth
        return best

    @staticmethod
    def _mean(integral: NDArray[np.float64], box: tuple[int, int, int, int]) -> float:
        x0, y0, x1, y1 = box
        total = integral[y1, x1] - integral[y0, x1] - integral[y1, x0] + integral[y0, x0]
        return float(total) / ((x1 - x0) * (y1 - y0))

    def _write(self, text: str, box: tuple[int, int, int, int], reference: float, margin: float) -> None:
        x0, y0, x1, y1 = box
        ground = int(self._chance.choice(GROUNDS))
        contrast = int(self._chance.choice(CONTRASTS))
        ink = ground - contrast if ground > 127 else ground + contrast
        ink = min(max(ink, 10), 245)
        left, top, right, bottom = (
            value / self._canvas.scale + self._offset[at % 2] for at, value in enumerate((x0, y0, x1, y1))
        )
        self._canvas.fill((left, top, right, bottom), (ground,) * 3)
        self._canvas.write(text, (left + margin, top + margin), reference, (ink,) * 3, "sign", weight=0.04)
        inked = self._canvas.texts[-1].box
        self._taken[y0:y1, x0:x1] = True
        self.letters.append(
            Lettered(
                text, float(inked[0]), float(inked[1]), float(inked[2] - inked[0]), float(inked[3] - inked[1]),
                reference * self._canvas.scale, float(ink - ground),
            )
        )  # fmt: skip
