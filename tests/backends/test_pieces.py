"""Large pictures are looked at in pieces: nothing is missed, nothing is told twice, small pictures are as before."""

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from vbtools.backends.inspect import pieces as module
from vbtools.backends.inspect.ocr import TesseractReader
from vbtools.backends.inspect.pieces import Piece, pieces, without_doubles


def box(x: float, y: float, width: float = 40, height: float = 20, confidence: float = 0.9) -> dict[str, Any]:
    return {"x": x, "y": y, "width": width, "height": height, "confidence": confidence}


@pytest.mark.parametrize("size", [(1, 1), (540, 960), (4096, 4096)])
def test_a_picture_that_is_not_large_is_one_piece_and_owns_all(size: tuple[int, int]) -> None:
    (only,) = pieces(*size)
    assert only == Piece(0, size[0], 0, size[1], size)
    assert only.owns(0, 0, 1, 1)


@pytest.mark.parametrize("size", [(4320, 7680), (300, 4097), (9000, 2560), (5000, 5000)])
def test_pieces_of_a_large_picture_cover_it_and_overlap(size: tuple[int, int]) -> None:
    whole, *parts = pieces(*size)
    assert (whole.top, whole.bottom, whole.left, whole.right) == (0, size[0], 0, size[1])
    assert whole.factor == pytest.approx(4096 / max(size))
    seen = np.zeros(size, np.uint8)
    for part in parts:
        assert max(part.bottom - part.top, part.right - part.left) <= module.PIECE
        seen[part.top : part.bottom, part.left : part.right] += 1
    assert seen.min() >= 1
    rng = np.random.default_rng(0)
    for _ in range(300):  # every word of usual size belongs to at least one piece
        x, y = rng.uniform(0, size[1] - 200), rng.uniform(0, size[0] - 60)
        assert any(part.owns(x, y, 200, 60) for part in parts), (x, y)


def test_what_a_border_cuts_or_is_tiny_is_not_told() -> None:
    piece = Piece(0, 2560, 2000, 4560, (4320, 7680))
    assert piece.owns(3000, 1000, 80, 20)
    assert piece.owns(3000, 0, 80, 20), "the picture's own border cuts nothing"
    assert not piece.owns(2001, 1000, 900, 20), "cut on the left"
    assert not piece.owns(2100, 1000, 80, 20), "the neighbour's"
    assert not piece.owns(3000, 1000, 8, 7), "noise"


def test_of_doubles_the_most_certain_stays_in_order() -> None:
    found = [box(0, 0, confidence=0.6), box(300, 0), box(2, 1, confidence=0.8), box(100, 100, confidence=0.5)]
    assert without_doubles(found) == [found[1], found[2], found[3]]
    assert without_doubles([]) == []
    assert without_doubles([box(0, 0, 0, 0), box(0, 0, 0, 0)]) == [box(0, 0, 0, 0)] * 2


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LARGEST", 900), ("PIECE", 700), ("OVERLAP", 260)):
        monkeypatch.setattr(module, name, value)


def read(words: dict[str, tuple[int, int]], scale: float) -> list[dict[str, Any]]:
    image = np.full((800, 1800, 3), (214, 205, 190), np.uint8)
    for word, origin in words.items():
        cv2.putText(image, word, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, (40, 30, 90), round(2.5 * scale), cv2.LINE_AA)
    reader = TesseractReader(SimpleNamespace(language="eng", psm=11, min_confidence=0.5))
    return reader(image, np.ones(image.shape[:2], bool), 1.0)


@pytest.mark.usefixtures("small_pieces")
def test_words_of_a_large_picture_are_read_once_each_where_they_are() -> None:
    words = {"OFFICE": (40, 100), "GARDEN": (560, 100), "WINDOW": (1400, 700), "LIBRARY": (500, 690)}
    rows = read(words, 1.2)
    assert sorted(word["text"] for word in rows) == sorted(words)
    found = {word["text"]: word for word in rows}
    for word, (x, y) in words.items():
        assert abs(found[word]["x"] - x) < 8
        assert abs(found[word]["y"] + found[word]["height"] - y) < 8


@pytest.mark.usefixtures("small_pieces")
def test_a_word_longer_than_the_pieces_overlap_is_read_on_the_whole() -> None:
    assert [word["text"] for word in read({"LIBRARY": (200, 420)}, 6.0)] == ["LIBRARY"]
