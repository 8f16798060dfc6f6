"""One set of findings from those on several versions of the same picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Finding = dict[str, Any]

STRIPPED = "‘’'\"`|{}[]()~_*°!,;:“”«»<>-—="
LEAST_HEIGHT = 7.0
"""px of the plate; lower letters are not told apart."""
COVERED = 0.5
"""Of two boxes that share this much of the smaller one, one is kept: the one with more letters surely read."""
SAME_PLACE = 0.3
"""Shared area over joined area from which two readings are of the same thing."""
SIMILAR = 0.34
"""Edits a letter of the longer word up to which a reading supports another."""
SUPPORTED_BY = 3
"""Versions, its own included, that must have a like reading there. Of 52 exposed words on the vendors' four leak images
23 are then read, and 6 of 40 stored words of four letters and more are false (``bench/words.py``)."""
AGREED_BY = 2
"""Looks, its own included, that must have a like reading there, where few looks are taken that seldom err. Of the same
52 words 27 are then read, and none of 43 stored words of four letters and more is false."""
ALONE = 0.9
"""From this confidence on a reading needs no support."""
SAME_OBJECT = 0.5
"""Shared area over joined area from which two boxes with one label are one object."""


def merged_words(found: Sequence[Sequence[Mapping[str, Any]]], least: float) -> list[Finding]:
    """The words of all versions, each place told once, from the top down.

    Args:
        found: per version the words, each with ``text``, ``confidence`` 0-1, ``observed``, and the box ``x``, ``y``,
            ``width``, ``height`` in the plate's pixels; also those that are not believed, as they may support others.
        least: confidence from which a word is told.
    """
    read = _numbered(found)
    kept: list[Finding] = []
    for _, word in sorted(read, key=lambda one: -one[1]["confidence"] * letters(one[1]["text"])):
        if word["confidence"] < least or any(_covered(word, other) > COVERED for other in kept):
            continue
        if _support(word, read, alike) >= SUPPORTED_BY or word["confidence"] >= ALONE:
            kept.append(word)
    return sorted(kept, key=lambda word: (word["y"], word["x"]))


def agreed_words(found: Sequence[Sequence[Mapping[str, Any]]], least: float) -> list[Finding]:
    """The words that several looks agree on, each place told once, from the top down; as most of them read it.

    Args:
        found, least: as of :func:`merged_words`.
    """
    read = _numbered(found)
    agreeing = [(_support(word, read, _same), word) for _, word in read if word["confidence"] >= least]
    kept: list[Finding] = []
    for _, word in sorted(agreeing, key=lambda one: (-one[0], -one[1]["confidence"] * letters(one[1]["text"]))):
        if any(_covered(word, other) > COVERED for other in kept):
            continue
        if _support(word, read, alike) >= AGREED_BY:
            kept.append(word)
    return sorted(kept, key=lambda word: (word["y"], word["x"]))


def _numbered(found: Sequence[Sequence[Mapping[str, Any]]]) -> list[tuple[int, Finding]]:
    """Every reading that holds a letter and is high enough, without marks around it, with the number of its look."""
    return [
        (number, {**word, "text": text})
        for number, words in enumerate(found)
        for word in words
        if letters(text := word["text"].strip(STRIPPED)) and word["height"] >= LEAST_HEIGHT
    ]


def _support(word: Finding, read: Sequence[tuple[int, Finding]], agree: Callable[[str, str], bool]) -> int:
    """How many looks have a reading at the word's place that agrees with it."""
    return len({
        number for number, other in read if _shared(word, other) > SAME_PLACE and agree(word["text"], other["text"])
    })  # fmt: skip


def _same(a: str, b: str) -> bool:
    return a.casefold() == b.casefold()


def merged_objects(found: Sequence[Sequence[Mapping[str, Any]]]) -> list[Finding]:
    """The objects of all versions, most certain first; of those with one label at one place the most certain."""
    kept: list[Finding] = []
    for one in sorted((dict(o) for objects in found for o in objects), key=lambda one: -one["confidence"]):
        if not any(one["label"] == other["label"] and _shared(one, other) > SAME_OBJECT for other in kept):
            kept.append(one)
    return kept


def letters(text: str) -> int:
    """How many letters and digits a word has."""
    return sum(c.isalnum() for c in text)


def alike(a: str, b: str) -> bool:
    """Whether two readings may be of one word; case does not count."""
    a, b = a.casefold(), b.casefold()
    if min(len(a), len(b)) <= 2:
        return a == b
    return edits(a, b) <= max(1.0, SIMILAR * max(len(a), len(b)))


def edits(a: str, b: str) -> int:
    """Levenshtein distance: letters to change, add or take away."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        new = [i]
        for j, y in enumerate(b, 1):
            new.append(min(row[j] + 1, new[-1] + 1, row[j - 1] + (x != y)))
        row = new
    return row[-1]


def _inside(a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    width = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
    height = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
    return max(0.0, width) * max(0.0, height)


def _area(a: Mapping[str, Any]) -> float:
    return max(float(a["width"] * a["height"]), 1e-9)


def _covered(a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    return _inside(a, b) / min(_area(a), _area(b))


def _shared(a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    both = _inside(a, b)
    return both / (_area(a) + _area(b) - both)
