"""One set of words from several looks at the same picture."""

from __future__ import annotations

from typing import Any

from vbtools.backends.inspect.merge import agreed_words, merged_words


def word(text: str, confidence: float, x: float = 10.0, width: float = 60.0) -> dict[str, Any]:
    return {"text": text, "confidence": confidence, "observed": 1.0, "x": x, "y": 10.0, "width": width, "height": 20.0}


def texts(found: list[dict[str, Any]]) -> list[str]:
    return [one["text"] for one in found]


def test_of_few_looks_two_have_to_agree_and_the_usual_reading_is_told() -> None:
    looks = [[word("Flight", 0.6)], [word("Flight", 0.7)], [word("Flighr", 0.95)]]
    assert texts(agreed_words(looks, 0.5)) == ["Flight"]
    assert texts(agreed_words(looks[1:], 0.5)) == ["Flighr"]  # alike, and the surer one
    assert agreed_words(looks[:1], 0.5) == []
    assert agreed_words([[word("Flight", 0.99)], [word("table", 0.99)]], 0.5) == []


def test_readings_of_other_places_do_not_agree_and_unsure_ones_only_support() -> None:
    assert agreed_words([[word("Flight", 0.9)], [word("Flight", 0.9, x=300)]], 0.5) == []
    assert texts(agreed_words([[word("Flight", 0.9)], [word("flight", 0.3)]], 0.5)) == ["Flight"]
    assert agreed_words([[word("Flight", 0.4)], [word("Flight", 0.3)]], 0.5) == []


def test_a_place_is_told_once_without_the_marks_around_it() -> None:
    look = [word("FlightLH", 0.9, width=90), word("‘Flight!", 0.9), word("LH", 0.9, x=75, width=25)]
    found = agreed_words([look[:1], look[1:], look[1:]], 0.5)
    assert texts(found) == ["Flight", "LH"]


def test_of_many_looks_three_have_to_agree_or_one_be_sure() -> None:
    looks = [[word("rent", 0.6)], [word("rent", 0.5)]]
    assert merged_words(looks, 0.5) == []
    assert texts(merged_words([*looks, [word("rert", 0.3)]], 0.5)) == ["rent"]
    assert texts(merged_words([[word("rent", 0.95)]], 0.5)) == ["rent"]
