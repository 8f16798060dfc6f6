"""The power curve: what counts as read, how sure a share is, down to which size letters are readable."""

from __future__ import annotations

import math

import pytest

from vbtools.evidence.power import CHANNELS, curve_of, is_read, limit_of, wilson


def words(**by_cap: tuple[int, int]) -> list[dict[str, float]]:
    """``c30=(2, 3)``: of 3 words of 30 px 2 were read."""
    return [
        {"cap_height": float(cap[1:]), "contrast": 120.0 - 240 * (number % 2), "errors": 0.0 if number < read else 0.8}
        for cap, (read, count) in by_cap.items()
        for number in range(count)
    ]


def test_one_letter_of_five_may_be_wrong():
    assert is_read({"errors": 0.2})
    assert not is_read({"errors": 0.25})


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"), [(8, 10, 0.490, 0.943), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0)]
)
def test_the_interval_is_wilsons(hits: int, count: int, low: float, high: float):
    assert wilson(hits, count) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))  # published tables


def test_nothing_counted_tells_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_limit_is_where_the_share_falls_below_what_is_asked():
    read = words(c12=(0, 3), c20=(1, 3), c30=(2, 3), c60=(3, 3))
    assert limit_of(read, 0.5) == 30
    assert limit_of(read, 0.9) == 60


def test_a_lucky_small_word_does_not_make_small_letters_readable():
    assert limit_of(words(c12=(1, 1), c20=(0, 4), c60=(3, 3)), 0.5) == 60


def test_an_unlucky_large_word_does_not_hide_that_smaller_ones_were_read():
    assert limit_of(words(c12=(0, 3), c20=(4, 4), c30=(4, 4), c60=(0, 1)), 0.5) == 20


@pytest.mark.parametrize("read", [[], words(c30=(0, 3), c60=(1, 3))])
def test_without_readable_words_there_is_no_limit(read: list[dict[str, float]]):
    assert math.isnan(limit_of(read, 0.5))


def test_the_curve_has_a_row_for_each_size_and_contrast_whatever_the_polarity():
    (row,) = curve_of(words(c30=(3, 4)), "fringe")
    assert (row["words"], row["read"], row["share"], row["contrast"]) == (4, 3, 0.75, 120.0)
    assert row["low"] < 0.75 < row["high"]


def test_what_the_edge_half_showed_belongs_to_no_channel():
    assert [[name for name, belongs in CHANNELS.items() if belongs(shown)] for shown in (0.0, 0.2, 0.6)] == [
        ["blur"], [], ["fringe"],
    ]  # fmt: skip
