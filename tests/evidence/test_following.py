"""Control: detail that comes back before another room is not the room's."""

from __future__ import annotations

from typing import Any

import numpy as np
from fakes import FakeReader

from vbtools.evidence.following import Following, _when_shown
from vbtools.ops.detail import scaled

SIZE = (180, 320)
BLOCK, _ = scaled(SIZE[0])
PLANTED = np.s_[2:6, 3:9]
"""Blocks of believed detail."""


class Stored:
    """A project with detail in some blocks, and two replays; in the second the same comes back in ``returned``."""

    def __init__(self, returned: Any = None, *, rooms: int = 2, overlaid: bool = False) -> None:
        rng = np.random.default_rng(3)
        own, *others = (rng.normal(0, 25, SIZE).astype(np.float32) for _ in range(3))
        mark = np.zeros((SIZE[0] // BLOCK, SIZE[1] // BLOCK), bool)
        mark[PLANTED] = True
        region = self._pixels(mark)
        if returned is not None:
            back = np.zeros_like(mark)
            back[returned] = True
            where = self._pixels(back)
            others[1] = np.where(where, own, others[1])
        self._arrays = {
            ("replay", "detail"): np.stack(others[:rooms]) if rooms else np.zeros((0, *SIZE), np.float32),
            ("aggregate", "coverage"): np.ones(SIZE, np.uint32),
            ("aggregate", "leak"): np.where(region, own, np.float32(0)),
            ("aggregate", "confidence"): np.where(region, 0.95, 0.1).astype(np.float32),
            ("aggregate", "overlays"): (region & overlaid).astype(np.uint8),
        }

    @staticmethod
    def _pixels(blocks: np.ndarray) -> np.ndarray:
        region = np.zeros(SIZE, bool)
        part = blocks.repeat(BLOCK, 0).repeat(BLOCK, 1)
        region[: part.shape[0], : part.shape[1]] = part
        return region

    def has(self, stage: str, name: str) -> bool:
        return (stage, name) in self._arrays

    def array(self, stage: str, name: str) -> np.ndarray:
        return self._arrays[stage, name]


def share(stored: Stored) -> float:
    """Of the planted detail, how much is said to follow the room."""
    follows = Following.of(stored, 0.8).follows()  # type: ignore[arg-type]
    rows, columns = PLANTED
    inside = follows[rows.start * BLOCK : rows.stop * BLOCK, columns.start * BLOCK : columns.stop * BLOCK]
    assert follows.sum() == inside.sum()
    return float(inside.mean())


def test_detail_that_no_replay_shows_follows_the_room():
    assert share(Stored()) > 0.9


def test_detail_that_comes_back_in_one_replay_does_not_and_the_rest_does():
    assert share(Stored(PLANTED)) == 0
    assert 0.4 < share(Stored(np.s_[2:4, 3:9])) < 0.6


def test_without_replays_nothing_is_said_to_follow():
    assert share(Stored(rooms=0)) == 0


def test_what_is_drawn_over_the_picture_never_follows():
    assert share(Stored(overlaid=True)) == 0


def test_when_the_edge_first_and_last_lay_over_a_place_is_told() -> None:
    """A person walks from left to right, one column of the grid a frame, 10 frames a second."""
    person = np.zeros((60, 144, 256), np.uint8)
    for t in range(60):
        person[t, 40:, 60 + t : 100 + t] = 255
    stages = {
        "extract": {"frames": np.zeros((60, 360, 640, 3), np.uint8), "time": np.arange(60) / 10},
        "segment": {"person": person},
        "align": {"transform": np.tile(np.eye(2, 3), (60, 1, 1)), "used": np.ones(60, np.uint8)},
    }
    first, last = _when_shown(FakeReader(stages))  # type: ignore[arg-type]
    right_of = np.s_[300, 320]  # of the grid of 360 rows: column 128, which the right edge reaches at frame 28
    assert 2.0 <= first[right_of] <= 2.8
    assert 2.8 <= last[right_of] <= 3.4
    assert np.isinf(first[20, 20])
    assert np.isinf(last[20, 20])
