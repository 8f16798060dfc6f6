"""What a report must not show when it is handed on: the person, and the texts that were found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from vbtools.errors import UsageError, nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.pipeline.pictures import Shown

PERSON, TEXT = "person", "text"
KINDS = (PERSON, TEXT)
LEAST_PERSON = 0.1
"""Person probability from which a pixel of a frame is covered; far below where it counts as the person."""
MARGIN_OF_SIDE = 0.03
"""The person is covered with a margin of this share of the frame's longer side: masks are late, and hair is fine."""
SHARE_SEEN = 0.5
"""The plate is covered where it was observed less than this often, against its best observed pixel: there sat the
person."""
TEXT_MARGIN = 0.5
"""A word is covered with a margin of this share of its height: boxes of a reader cut off descenders."""
LEAST_MARGIN = 6
"""px; the least of that."""
COVER_PERSON = (92, 92, 100)
COVER_TEXT = (0, 0, 0)
_LETTERS_IN_PROSE = 3
"""Shorter texts ('is', 'of') are masked in sentences only where they stand in quotes."""
_SHAPES = ((re.compile(r"[^\W\d_]"), lambda m: "A" if m[0].isupper() else "a"), (re.compile(r"\d"), lambda _: "0"))


def kinds_of(text: str) -> frozenset[str]:
    """What ``--redact person,text`` names.

    Raises:
        UsageError: for a name that is neither.
    """
    given = [one.strip() for one in text.split(",") if one.strip()]
    for one in given:
        if one not in KINDS:
            raise UsageError(f"--redact {text}: '{one}' cannot be redacted", nearest(one, KINDS))
    return frozenset(given)


def shape_of(text: str) -> str:
    """A text's length and shape: ``Flight 93`` -> ``[9 characters: Aaaaaa 00]``."""
    shape = text
    for pattern, letter in _SHAPES:
        shape = pattern.sub(letter, shape)
    return f"[{len(text)} character{'' if len(text) == 1 else 's'}: {shape}]"


class Redaction:
    """Covers what must not be shown, in pictures, rows and sentences; where nothing is asked for, it changes nothing.

    With ``person`` go the person's pixels, words that are drawn over the picture (a name label), and the user's,
    machine's and folders' names; with ``text`` every word that was found, and unprotected frames as a whole: nobody
    read those, so that nobody knows where in them a word stands.

    Args:
        shown: what of the project may be shown.
        kinds: of :data:`KINDS`.
    """

    def __init__(self, shown: Shown, kinds: Iterable[str] = ()) -> None:
        self._shown = shown
        self.kinds = tuple(kind for kind in KINDS if kind in frozenset(kinds))

    @property
    def person(self) -> bool:
        """Whether the person is covered."""
        return PERSON in self.kinds

    @property
    def text(self) -> bool:
        """Whether found words are covered."""
        return TEXT in self.kinds

    # ------------------------------------------------------------------------------------------------------- sentences

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """The texts to hide, longest first."""
        found = {str(row["what"]).strip() for row in self._words}
        return tuple(sorted(found - {""}, key=lambda text: (-len(text), text)))

    def prose(self, sentence: str) -> str:
        """A sentence with every hidden text replaced by its shape."""
        for secret in self.secrets:
            sentence = sentence.replace(f"'{secret}'", f"'{shape_of(secret)}'")
            if len(secret) >= _LETTERS_IN_PROSE:
                whole = rf"(?<!\w){re.escape(secret)}(?!\w)"
                sentence = re.sub(whole, shape_of(secret).replace("\\", r"\\"), sentence)
        return sentence

    def rows(self, rows: Sequence[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
        """Rows of a table whose text stands under ``key``, hidden texts replaced by their shapes."""
        return [{**row, key: self.word(str(row[key]))} for row in rows]

    def word(self, text: str) -> str:
        """One text, or its shape."""
        return shape_of(text) if text.strip() in self.secrets else text

    def path(self, path: str) -> str:
        """A file's path; only its name where anything is redacted, since folders carry people's names."""
        return PurePath(path).name if self.kinds else path

    # -------------------------------------------------------------------------------------------------------- pictures

    def plate(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture of the plate, ``(H', W', 3)`` uint8 RGB of any scale; hidden places are solid."""
        import cv2
        import numpy as np

        if not self.kinds:
            return picture
        height, width = picture.shape[:2]
        covered = picture.copy()
        if self.person:
            where = cv2.resize(self._where_person.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
            covered[where > 0] = COVER_PERSON
        _cover(covered, self._boxes, width / self._shown.observed.shape[1], None)
        return covered

    def levels(self, levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """As :meth:`plate`, of one channel ``(H, W)`` uint8; hidden places are 0."""
        import numpy as np

        if not self.kinds:
            return levels
        marked: NDArray[np.uint8] = self.plate(np.full((*levels.shape, 3), 255, np.uint8))[..., 0]
        return np.where(marked == 255, levels, 0).astype(np.uint8)

    def frame(self, picture: NDArray[np.uint8], row: int) -> NDArray[np.uint8] | None:
        """A stored frame, hidden places solid; None where they cannot be told.

        Args:
            picture: ``(H, W, 3)`` uint8 RGB.
            row: in ``/extract/frames``.
        """
        if not self.kinds:
            return picture
        covered = picture.copy()
        if self.person:
            where = self._person_in(row, picture.shape[0], picture.shape[1])
            if where is None:
                return None
            covered[where] = COVER_PERSON
        _cover(covered, self._boxes, picture.shape[1] / self._shown.observed.shape[1], self._to_frame(row))
        return covered

    def unprotected(self, picture: NDArray[np.uint8], row: int) -> NDArray[np.uint8] | None:
        """As :meth:`frame`, of one without blur; None, too, where words are hidden."""
        return None if self.text else self.frame(picture, row)

    @cached_property
    def _words(self) -> list[dict[str, Any]]:
        """Boxes with text to hide: ``what``, ``x``, ``y``, ``width``, ``height`` in the plate's pixels."""
        read = [row | {"what": row["text"]} for row in self._shown.table("inspect", "ocr")]
        if not self.text:
            return [row for row in read if self.person and row.get("overlay")]
        told = [*self._shown.table("control", "findings"), *self._shown.table("gate", "findings")]
        return read + [row for row in told if row["kind"] == "word"]

    @cached_property
    def _boxes(self) -> list[tuple[float, float, float, float]]:
        found = []
        for row in self._words:
            margin = max(LEAST_MARGIN, TEXT_MARGIN * row["height"])
            left, top = row["x"] - margin, row["y"] - margin
            found.append((left, top, row["x"] + row["width"] + margin, row["y"] + row["height"] + margin))
        return found

    @cached_property
    def _where_person(self) -> NDArray[np.bool_]:
        """``(H, W)`` bool, on the plate: where the person sat most of the time."""
        coverage = self._shown.reader.array("aggregate", "coverage")
        seldom: NDArray[np.bool_] = coverage < SHARE_SEEN * coverage.max(initial=0)
        return seldom

    def _person_in(self, row: int, height: int, width: int) -> NDArray[np.bool_] | None:
        """``(height, width)`` bool: the person in a frame and in those beside it, with a margin."""
        from vbtools.ops.masks import person_mask

        if not self._shown.has("segment", "person"):
            return None
        person = self._shown.reader.dataset("segment", "person")
        beside = person[max(0, row - 1) : row + 2].max(axis=0)
        margin = round(MARGIN_OF_SIDE * max(height, width))
        return person_mask(beside, (height, width), LEAST_PERSON, margin)

    def _to_frame(self, row: int) -> NDArray[np.float64] | None:
        """``(2, 3)``: the plate's pixels to the frame's; None where the camera's motion is not known there."""
        import numpy as np

        if not self._shown.has("align", "transform"):
            return None
        maps = self._shown.reader.array("align", "transform")
        return maps[row] if row < len(maps) and np.isfinite(maps[row]).all() else None


def _cover(
    picture: NDArray[np.uint8],
    boxes: Sequence[tuple[float, float, float, float]],
    scale: float,
    to_frame: NDArray[np.float64] | None,
) -> None:
    """Blacken boxes (left, top, right, bottom in px of the plate), moved as the camera did, in place."""
    import math

    import numpy as np

    for left, top, right, bottom in boxes:
        corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]])
        if to_frame is not None:
            corners = corners @ to_frame[:, :2].T + to_frame[:, 2]
        low, high = corners.min(axis=0) * scale, corners.max(axis=0) * scale
        x, y = (max(0, math.floor(v)) for v in low)
        picture[y : max(0, math.ceil(high[1])), x : max(0, math.ceil(high[0]))] = COVER_TEXT
