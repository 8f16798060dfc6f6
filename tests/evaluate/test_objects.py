"""Objects: found again, missed, and false."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vbtools.evaluate.objects import overlap, score_objects

EVERYWHERE = np.ones((100, 200), np.bool_)


def box(label: str, x: float, y: float = 10.0, confidence: float = 0.9) -> dict[str, Any]:
    return {"label": label, "x": x, "y": y, "width": 40.0, "height": 40.0, "confidence": confidence}


THERE = [box("book", 0), box("vase", 60), box("book", 120)]


def test_the_same_detections_are_full_recall() -> None:
    found = score_objects(THERE, THERE, EVERYWHERE)
    assert (found["objects"], found["observed"], found["found"], found["recall"], found["false"]) == (3, 3, 3, 1.0, 0)


def test_another_label_another_place_and_nothing() -> None:
    other = score_objects(THERE, [box("cat", 0), box("vase", 100)], EVERYWHERE)
    assert (other["found"], other["false"]) == (0, 2)
    nothing = score_objects(THERE, [], EVERYWHERE)
    assert (nothing["found"], nothing["recall"], nothing["false"]) == (0, 0.0, 0)
    assert score_objects([], [box("cat", 0)], EVERYWHERE)["recall"] is None


def test_an_object_found_twice_is_found_once_and_is_not_false() -> None:
    found = score_objects(THERE, [box("book", 2), box("book", 4, confidence=0.5)], EVERYWHERE)
    assert (found["found"], found["false"], found["labels"]) == (1, 0, ["book"])


def test_an_object_that_was_never_observed_is_not_scored() -> None:
    seen = EVERYWHERE.copy()
    seen[:, :100] = False
    found = score_objects(THERE, [box("book", 120)], seen)
    assert (found["objects"], found["observed"], found["recall"]) == (3, 1, 1.0)


@pytest.mark.parametrize(("x", "y", "expected"), [(0, 10, 1.0), (20, 10, 1 / 3), (40, 10, 0.0), (90, 90, 0.0)])
def test_overlap_is_intersection_over_union(x: float, y: float, expected: float) -> None:
    assert overlap(box("a", 0), box("a", x, y)) == pytest.approx(expected)
