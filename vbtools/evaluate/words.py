"""Words read from an estimate, against those that hang in the room, and how often chance would have done as well."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbtools.evaluate.truth import Text
from vbtools.ops.unobserved import share_observed
from vbtools.stages.inspect import TELLING_LETTERS

Mask = NDArray[np.bool_]

LEAST_OBSERVED = 0.9
"""A word is scored only if so much of its box was ever observed."""
LEAST_SWEPT = 0.5
"""A word lies in the swept band if so much of its box does."""
REACH = 0.5
"""A read word belongs to a line if its middle lies in the line's box grown by so many cap heights on all sides."""
LETTERS_AN_ERROR = 4
"""One wrong, missing or extra letter is forgiven for so many letters of the word."""
MOST_JOINED = 3
"""So many neighbouring read words are also tried as one: readers split words."""
DECOYS = 100
"""Random words of the same shape that are tried for each word."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the room.

    Attributes:
        text: letters and digits only, in lower case.
        cap_px: height of the line's capitals, px.
        box: left, top, right, bottom, px; its part of the line's box, by its share of the line's characters.
        line: which line it is of.
    """

    text: str
    cap_px: float
    box: tuple[float, float, float, float]
    line: int


def words_of(texts: Sequence[Text]) -> list[Word]:
    """The words of at least :data:`TELLING_LETTERS` letters and digits."""
    found = []
    for number, line in enumerate(texts):
        left, top, right, bottom = line.box
        each = (right - left) / max(1, len(line.text))
        position = 0
        for piece in line.text.split(" "):
            box = (left + position * each, top, left + (position + len(piece)) * each, bottom)
            position += len(piece) + 1
            plain = normal(piece)
            if len(plain) >= TELLING_LETTERS:
                found.append(Word(plain, line.cap_px, box, number))
    return found


def score_words(
    texts: Sequence[Text], read: Sequence[Mapping[str, Any]], observed: Mask, swept: Mask
) -> dict[str, Any]:
    """Match what was read with what is there.

    Args:
        texts: every line of text in the room, boxes in px of the masks.
        read: findings of a reader: ``text``, ``x``, ``y``, ``width``, ``height``, px of the masks.
        observed, swept: (H, W) bool.

    Returns:
        The figures of :func:`_figures` for all words, ``swept`` with the same for those in the swept band,
        ``by_cap_height`` with the same for each cap height, smallest first, and ``read_words``, those that were read.
    """
    tried = [
        _Tried(word, candidates(texts[word.line], read), _share(observed, word.box), _share(swept, word.box))
        for word in words_of(texts)
    ]
    heights = sorted({one.word.cap_px for one in tried})
    return {
        **_figures(tried),
        "swept": _figures([one for one in tried if one.swept >= LEAST_SWEPT]),
        "by_cap_height": [
            {"cap_px": height, **_figures([one for one in tried if one.word.cap_px == height])} for height in heights
        ],
        "read_words": [one.word.text for one in tried if one.is_read],
    }


def candidates(line: Text, read: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What was read at a line's place, normal form: each word, and up to :data:`MOST_JOINED` neighbours joined."""
    reach = REACH * line.cap_px
    left, top, right, bottom = line.box
    here = sorted(
        (row["x"], normal(row["text"]))
        for row in read
        if left - reach <= row["x"] + row["width"] / 2 <= right + reach
        and top - reach <= row["y"] + row["height"] / 2 <= bottom + reach
    )
    texts = [text for _, text in here]
    joined = {
        "".join(texts[start : start + length])
        for length in range(1, MOST_JOINED + 1)
        for start in range(len(texts) - length + 1)
    }
    return tuple(sorted(joined - {""}))


def normal(text: str) -> str:
    """Letters and digits only, in lower case: what is compared."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def distance(a: str, b: str) -> int:
    """Levenshtein distance: the fewest letters to insert, delete or replace."""
    before = list(range(len(b) + 1))
    for row, letter in enumerate(a, 1):
        line = [row]
        for column, other in enumerate(b, 1):
            line.append(min(before[column] + 1, line[-1] + 1, before[column - 1] + (letter != other)))
        before = line
    return before[-1]


def decoys(word: str) -> Iterator[str]:
    """Random words of the same shape: a letter for a letter, a digit for a digit; the same ones every time."""
    chance = random.Random(f"decoys {word}")
    for _ in range(DECOYS):
        yield "".join(chance.choice(string.digits if c.isdigit() else string.ascii_lowercase) for c in word)


@dataclass(frozen=True, slots=True)
class _Tried:
    """A word, what was read at its place, and how much of its box was observed and swept, 0-1."""

    word: Word
    candidates: tuple[str, ...]
    observed: float
    swept: float

    @property
    def is_scored(self) -> bool:
        return self.observed >= LEAST_OBSERVED

    @property
    def is_read(self) -> bool:
        return self.is_scored and _matches(self.word.text, self.candidates)

    @property
    def errors(self) -> int:
        """Letters that are wrong in the best candidate, at most all of the word's."""
        length = len(self.word.text)
        return min([length, *(distance(self.word.text, one) for one in self.candidates)])

    @property
    def decoy_rate(self) -> float:
        return sum(_matches(one, self.candidates) for one in decoys(self.word.text)) / DECOYS


def _figures(tried: Sequence[_Tried]) -> dict[str, Any]:
    """``words``, ``observed``, ``read``, and of the observed ones ``recall``, ``character_error_rate`` and the
    ``decoy_rate``, shares 0-1; None where none is observed."""
    scored = [one for one in tried if one.is_scored]
    read = sum(one.is_read for one in scored)
    letters = sum(len(one.word.text) for one in scored)
    return {
        "words": len(tried),
        "observed": len(scored),
        "read": read,
        "recall": read / len(scored) if scored else None,
        "character_error_rate": sum(one.errors for one in scored) / letters if scored else None,
        "decoy_rate": sum(one.decoy_rate for one in scored) / len(scored) if scored else None,
    }


@lru_cache(maxsize=100_000)
def _matches(word: str, among: tuple[str, ...]) -> bool:
    forgiven = len(word) // LETTERS_AN_ERROR
    return any(abs(len(one) - len(word)) <= forgiven and distance(word, one) <= forgiven for one in among)


def _share(mask: Mask, box: tuple[float, float, float, float]) -> float:
    left, top, right, bottom = box
    return share_observed(mask, left, top, right - left, bottom - top)
