"""Words: read where they hang, not by chance, and per cap height."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbtools.evaluate.truth import Text
from vbtools.evaluate.words import DECOYS, candidates, decoys, distance, score_words, words_of

SIZE = (200, 400)
TEXTS = (
    Text("KEEP quiet, 24", 20.0, (20.0, 20.0, 220.0, 40.0)),
    Text("Flight LH4381", 12.0, (20.0, 80.0, 150.0, 92.0)),
)
EVERYWHERE, NOWHERE = np.ones(SIZE, np.bool_), np.zeros(SIZE, np.bool_)


def read(text: str, x: float, y: float) -> dict[str, Any]:
    return {"text": text, "x": x, "y": y, "width": 50.0, "height": 14.0}


ALL_READ = [read("KEEP", 22, 22), read("quiet", 100, 22), read("Flight", 25, 79), read("LH4381", 90, 79)]


def test_only_words_of_four_letters_and_more_are_asked_for() -> None:
    assert [word.text for word in words_of(TEXTS)] == ["keep", "quiet", "flight", "lh4381"]
    assert [word.box[0] for word in words_of(TEXTS)][1] == pytest.approx(20 + 5 * 200 / 14)


def test_everything_read_is_full_recall_without_errors() -> None:
    found = score_words(TEXTS, ALL_READ, EVERYWHERE, NOWHERE)
    assert (found["words"], found["observed"], found["read"], found["recall"]) == (4, 4, 4, 1.0)
    assert found["character_error_rate"] == 0.0
    assert found["read_words"] == ["keep", "quiet", "flight", "lh4381"]
    by_height = [(row["cap_px"], row["words"], row["read"]) for row in found["by_cap_height"]]
    assert by_height == [(12.0, 2, 2), (20.0, 2, 2)]
    assert found["swept"]["words"] == 0
    assert found["swept"]["recall"] is None


def test_nothing_read_is_no_recall_and_every_letter_an_error() -> None:
    found = score_words(TEXTS, [], EVERYWHERE, NOWHERE)
    assert (found["recall"], found["character_error_rate"], found["decoy_rate"]) == (0.0, 1.0, 0.0)


def test_the_right_word_in_the_wrong_place_is_not_read() -> None:
    moved = [row | {"y": row["y"] + 60} for row in ALL_READ[:2]]
    assert score_words(TEXTS, moved, EVERYWHERE, NOWHERE)["read"] == 0
    assert score_words(TEXTS, [row | {"y": row["y"] + 4} for row in ALL_READ], EVERYWHERE, NOWHERE)["read"] == 4


def test_shuffled_text_is_not_read() -> None:
    shuffled = [row | {"text": "".join(sorted(row["text"], reverse=True))} for row in ALL_READ]
    found = score_words(TEXTS, shuffled, EVERYWHERE, NOWHERE)
    assert found["read"] == 0
    assert found["character_error_rate"] > 0.5


@pytest.mark.parametrize(
    ("text", "is_read"), [("KEFP", True), ("KFFP", False), ("KEEEP", True), ("EEP", True), ("PEEK", False)]
)
def test_one_letter_in_four_is_forgiven(text: str, is_read: bool) -> None:
    found = score_words(TEXTS, [read(text, 22, 22)], EVERYWHERE, NOWHERE)
    assert found["read_words"] == (["keep"] if is_read else [])


def test_a_word_that_the_reader_split_is_put_together() -> None:
    split = [read("Fli", 20, 79), read("ght", 45, 79)]
    assert candidates(TEXTS[1], split) == ("fli", "flight", "ght")
    assert score_words(TEXTS, split, EVERYWHERE, NOWHERE)["read_words"] == ["flight"]


def test_words_that_were_never_observed_are_not_scored() -> None:
    seen = EVERYWHERE.copy()
    seen[70:] = False
    found = score_words(TEXTS, ALL_READ, seen, NOWHERE)
    assert (found["words"], found["observed"], found["read"], found["recall"]) == (4, 2, 2, 1.0)
    assert found["by_cap_height"][0]["recall"] is None
    assert found["read_words"] == ["keep", "quiet"]


def test_words_in_the_swept_band_are_told_apart() -> None:
    swept = NOWHERE.copy()
    swept[10:50] = True
    found = score_words(TEXTS, ALL_READ[2:], EVERYWHERE, swept)
    assert (found["swept"]["words"], found["swept"]["read"], found["read"]) == (2, 0, 2)


def test_decoys_have_the_words_shape_and_hardly_ever_match() -> None:
    made = list(decoys("lh4381"))
    assert len(made) == DECOYS
    assert all(one[:2].isalpha() and one[2:].isdigit() and len(one) == 6 for one in made)
    assert made == list(decoys("lh4381"))
    assert score_words(TEXTS, ALL_READ, EVERYWHERE, NOWHERE)["decoy_rate"] < 0.01


def test_a_reader_that_says_everything_is_told_by_its_decoys() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    babble = [read(a + b + "e" + d, 60, 22) for a in "kst" for b in letters for d in letters]
    honest = score_words(TEXTS[:1], ALL_READ[:1], EVERYWHERE, NOWHERE)
    found = score_words(TEXTS[:1], babble, EVERYWHERE, NOWHERE)
    assert found["read"] >= 1
    assert found["decoy_rate"] > 0.05 > honest["decoy_rate"]


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_the_distance_is_a_metric_that_counts_letters(a: str, b: str) -> None:
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b) == 0) == (a == b)
    assert abs(len(a) - len(b)) <= distance(a, b) <= max(len(a), len(b))
    assert distance(a + "x", b + "x") <= distance(a, b)


def test_known_distances() -> None:
    assert distance("kitten", "sitting") == 3
    assert distance("", "abc") == 3
    assert distance("flaw", "lawn") == 2
