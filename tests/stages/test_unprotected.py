"""A glimpse of the person alone is not one of the room; of a second person it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.stages.fake_store import FakeReader
from vbtools.stages.unprotected import unprotected_frames

H, W, T = 90, 160, 12


def project(person: np.ndarray, boxes: dict[int, tuple[float, float, float, float]]) -> Any:
    regions = [
        {"row": row, **dict(zip(("x", "y", "width", "height"), box, strict=True)), "sharpness": 3.0}
        for row, box in boxes.items()
    ]
    marked = np.zeros(T, np.uint8)
    marked[list(boxes)] = 1
    return FakeReader({
        ("extract", "frames"): np.zeros((T, H, W, 3), np.uint8), ("extract", "unprotected"): marked,
        ("extract", "sharpness"): np.full(T, 3, np.float32), ("extract", "time"): np.arange(T) / 25,
        ("extract", "index"): np.arange(T), ("extract", "regions"): regions, ("segment", "person"): person,
    })  # fmt: skip


def standing(*boxes: tuple[slice, slice]) -> np.ndarray:
    """(T, H, W) person probabilities: in every frame the same."""
    made = np.zeros((T, H, W), np.uint8)
    for rows, columns in boxes:
        made[:, rows, columns] = 250
    return made


CALLER = (slice(20, 90), slice(50, 110))
ON_CALLER = (60.0, 40.0, 30.0, 30.0)
BESIDE = (120.0, 30.0, 30.0, 30.0)
WHOLE = (0.0, 0.0, 160.0, 90.0)


@pytest.mark.parametrize(
    ("person", "box", "kept"),
    [
        (standing(CALLER), ON_CALLER, 0),
        (standing(CALLER), BESIDE, 3),
        (standing(CALLER), WHOLE, 3),
        (standing(CALLER, (slice(30, 60), slice(120, 150))), BESIDE, 3),
        (standing(), ON_CALLER, 3),
    ],
    ids=["the caller", "the room", "everything", "a second person", "nobody"],
)
def test_only_glimpses_of_the_caller_alone_are_left_out(person: np.ndarray, box: Any, kept: int) -> None:
    assert len(unprotected_frames(project(person, dict.fromkeys((4, 5, 6), box)))) == kept


def test_a_glimpse_is_judged_as_one_where_some_of_its_masks_fail() -> None:
    person = standing(CALLER)
    person[6] = 0
    boxes: dict[int, Any] = dict.fromkeys((4, 5, 6), ON_CALLER)
    assert unprotected_frames(project(person, boxes)) == []
    assert [one["row"] for one in unprotected_frames(project(person, boxes | {9: BESIDE}))] == [9]
    person[5] = 0
    assert len(unprotected_frames(project(person, boxes))) == 3
