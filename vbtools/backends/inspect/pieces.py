"""How a very large picture is looked at: once as a whole, made smaller, and piece by piece at its own size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LARGEST = 4096
"""px; a picture with a longer side than this is looked at in pieces.

Measured with Tesseract (psm 11) on two noisy pictures of 7680x4320 with letters of 15 to 150 px: as they are 15 and
110 s (it takes noise for letters), in pieces 25 and 38 s; of the first one's 126 words 117 and 124 are right.
"""
PIECE = 2560
"""px: side of a piece."""
OVERLAP = 512
"""px: so much of a piece is in the next one too; a longer word than this is read on the whole picture, made smaller."""
CUT = 2
"""px: a box that comes so near to a piece's border may go on beyond it."""
LEAST_HEIGHT = 10
"""px: what is smaller is not believed on a piece. Of 23 wrong words on a noisy picture of 126 words 17 were smaller."""
DOUBLE = 0.5
"""Two boxes are of the same thing where they share this much of the smaller one."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a picture.

    Attributes:
        top, bottom, left, right: its rows and columns in the picture, px.
        size: (H, W) of the picture, px.
        factor: by which it is to be resized before it is looked at; None where the detector may choose.
    """

    top: int
    bottom: int
    left: int
    right: int
    size: tuple[int, int]
    factor: float | None = None

    def owns(self, x: float, y: float, width: float, height: float) -> bool:
        """Whether a box, px of the picture, is this piece's to tell: whole, large enough, and not nearer to another.

        Always true of a piece that is the whole picture.
        """
        if (self.bottom - self.top, self.right - self.left) == self.size:
            return True
        rows, columns = self.size
        return (
            height >= LEAST_HEIGHT
            and _inside(y, height, self.top, self.bottom, rows)
            and _inside(x, width, self.left, self.right, columns)
        )


def pieces(height: int, width: int) -> Iterator[Piece]:
    """What of a picture to look at: all of it; where it is larger than :data:`LARGEST`, also pieces that overlap."""
    size = (height, width)
    if max(size) <= LARGEST:
        yield Piece(0, height, 0, width, size)
        return
    yield Piece(0, height, 0, width, size, LARGEST / max(size))
    for top, bottom in _spans(height):
        for left, right in _spans(width):
            yield Piece(top, bottom, left, right, size)


def without_doubles(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of findings that lie on each other, the most certain one.

    Args:
        found: each with ``x``, ``y``, ``width``, ``height`` and ``confidence``.

    Returns:
        The others in the order given; nothing changes where no two boxes lie on each other.
    """
    kept: list[int] = []
    for index in sorted(range(len(found)), key=lambda i: -found[i]["confidence"]):
        if not any(_shared(found[index], found[other]) > DOUBLE for other in kept):
            kept.append(index)
    return [dict(found[index]) for index in sorted(kept)]


def _spans(length: int) -> list[tuple[int, int]]:
    """Ranges of at most :data:`PIECE` that cover ``length`` and overlap by at least :data:`OVERLAP`."""
    if length <= PIECE:
        return [(0, length)]
    count = math.ceil((length - OVERLAP) / (PIECE - OVERLAP))
    starts = [round(i * (length - PIECE) / (count - 1)) for i in range(count)]
    return [(start, start + PIECE) for start in starts]


def _inside(start: float, length: float, low: int, high: int, end: int) -> bool:
    """Whether a stretch in ``low:high`` is whole, and its middle not the neighbour's; the picture ends at ``end``."""
    first = low == 0 or (start >= low + CUT and start + length / 2 >= low + OVERLAP / 2)
    last = high == end or (start + length <= high - CUT and start + length / 2 <= high - OVERLAP / 2)
    return first and last


def _shared(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """The area that two boxes share, of the smaller one's, 0-1."""
    across = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
    down = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
    least = min(one["width"] * one["height"], other["width"] * other["height"])
    return max(0.0, across) * max(0.0, down) / least if least > 0 else 0.0
