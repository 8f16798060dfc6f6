"""A mask that loses part of the person for some frames is noticed; people who move, walk in or sign are not."""

from __future__ import annotations

import numpy as np
import pytest

from vbtools.ops.steadiness import dips

TIME = np.arange(100) / 25


def test_frames_that_lost_part_of_the_person_are_noticed() -> None:
    area = np.full(100, 0.2)
    area[[10, 40, 41]] = (0.1, 0.02, 0.17)
    assert np.flatnonzero(dips(area, TIME)).tolist() == [10, 40, 41]


@pytest.mark.parametrize(
    "area",
    [
        0.2 + 0.04 * np.sin(2 * np.pi * TIME / 2),
        np.clip((TIME - 1) * 0.3, 0, 0.2),
        np.where((TIME > 1) & (TIME < 1.2), 0.26, 0.2),
        0.01 * (np.arange(100) % 2),
    ],
    ids=["sways", "walks in", "raises a hand", "is nobody"],
)
def test_people_who_move_are_not(area: np.ndarray) -> None:
    assert not dips(area, TIME).any()


def test_neighbours_are_told_by_time_not_by_number() -> None:
    area = np.full(100, 0.2)
    area[50] = 0.1
    assert not dips(area, np.arange(100) * 1.0).any()
