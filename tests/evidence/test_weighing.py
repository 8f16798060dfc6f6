"""The verdict's rules: what shows a leak, what counts as nothing found, and what cannot be told."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from vbtools.evidence.verdict import INCONCLUSIVE, LEAK, NONE, VerdictParams
from vbtools.evidence.weighing import Evidence, weigh

QUIET = Evidence(
    rows=720, is_leak=True, unprotected=0, blocks=0, share=0.0, places=0, words=(), supported=(), rooms=4, believed=200,
    right=190, fringe_px=22.0, blur_px=math.nan, moved=0.2, shows=True, is_sharp=False, lost=0.0,
    tried={"fringe": (9, 15), "blur": (0, 21)},
)  # fmt: skip
LEAKING = replace(QUIET, blocks=37, share=0.12, words=("Flight",))


def answer(found: Evidence, **params: Any) -> str:
    return str(weigh(found, VerdictParams(**params)).row["answer"])


def test_places_that_follow_the_room_are_a_leak_and_the_sentence_says_so():
    made = weigh(LEAKING, VerdictParams())
    assert made.row["answer"] == LEAK
    assert made.row["sentence"].startswith("Leak shown: the person's edge showed 37 blocks of the room (12.0% of")
    assert "the word 'Flight'" in made.row["sentence"]
    assert (made.row["blocks"], made.row["words"]) == (37, 1)


def test_unprotected_frames_are_a_leak_and_come_first():
    made = weigh(replace(LEAKING, unprotected=2), VerdictParams())
    assert made.row["answer"] == LEAK
    assert made.row["sentence"].startswith("Leak shown: 2 frames showed the room as it is")


def test_unprotected_frames_are_a_leak_whatever_else_cannot_be_told():
    assert answer(replace(QUIET, unprotected=1, is_leak=False, rooms=0)) == LEAK


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"right": 100}, "only 50% was right"),
        ({"believed": 5, "right": 5}, "believed too little"),
        ({"rooms": 0, "believed": 0, "right": 0}, "no replay"),
        ({"is_leak": False}, "method leak"),
        ({"is_sharp": True, "believed": 0, "right": 0}, "sharp"),
    ],
)
def test_findings_without_a_control_that_holds_are_inconclusive(change: dict[str, Any], reason: str):
    made = weigh(replace(LEAKING, **change), VerdictParams())
    assert made.row["answer"] == INCONCLUSIVE
    assert reason in made.row["sentence"]


def test_a_word_that_the_gate_supports_is_a_leak_by_itself():
    assert answer(replace(QUIET, supported=("PAYROLL",))) == LEAK


def test_nothing_found_counts_where_letters_would_have_been_read():
    assert answer(QUIET) == NONE
    assert answer(replace(QUIET, fringe_px=60.0)) == INCONCLUSIVE
    assert answer(replace(QUIET, fringe_px=60.0), letters=60.0) == NONE
    assert answer(replace(QUIET, rows=360)) == INCONCLUSIVE  # 22 px of 360 rows are 44 of 720
    assert answer(replace(QUIET, fringe_px=math.nan, blur_px=30.0)) == NONE


def test_an_edge_that_went_far_and_showed_nothing_counts_too():
    closed = replace(QUIET, fringe_px=math.nan, shows=False, believed=0, right=0)
    assert answer(closed) == NONE
    assert answer(replace(closed, moved=0.01)) == INCONCLUSIVE


def test_thresholds_are_the_parameters():
    few = replace(QUIET, blocks=3)
    assert answer(few) == NONE
    assert answer(few, places=3) == LEAK
    assert answer(LEAKING, precision=0.99) == INCONCLUSIVE


@pytest.mark.parametrize("found", [QUIET, LEAKING, replace(QUIET, fringe_px=math.nan), replace(QUIET, rooms=0)])
def test_no_verdict_says_safe(found: Evidence):
    made = weigh(found, VerdictParams())
    assert "safe" not in " ".join((made.row["sentence"], *made.reasons)).lower()
    assert made.row["power"] in made.row["sentence"]


def test_the_power_says_how_many_words_were_read_of_how_many():
    power = weigh(QUIET, VerdictParams()).row["power"]
    assert "9 of 15 were read where the edge went (reliably from 22 px)" in power
    assert "0 of 21 were read through the blur (no size reliably)" in power
    untried = weigh(replace(QUIET, tried={}), VerdictParams()).row["power"]
    assert "none stood where the edge went, and none could be tried through the blur" in untried


def test_masks_that_lose_the_person_leave_the_question_open_and_unprotected_frames_do_not() -> None:
    lost = replace(QUIET, lost=0.2)
    told = weigh(lost, VerdictParams())
    assert told.row["answer"] == INCONCLUSIVE
    assert "lose part of the person in 20% of the frames" in told.row["sentence"]
    assert weigh(replace(lost, unprotected=3), VerdictParams()).row["answer"] == LEAK
    assert weigh(replace(QUIET, lost=0.02), VerdictParams()).row == weigh(QUIET, VerdictParams()).row
