"""The trees that say what to believe of a leak: how they are asked, and what they may not answer."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vbtools.ops.confidence import (
    FEATURES,
    LEAST_BLUR_PX,
    QUESTIONS,
    RISING,
    WIDEST_PX,
    blur_width,
    confidence,
    moved_over,
    objection,
    of_blocks,
)
from vbtools.ops.confidence_trees import TREES
from vbtools.ops.fringe import BINS

LOW, HIGH = -4.0, 4.0


def test_a_tree_asks_the_question_that_the_last_answer_leads_to() -> None:
    asked, bounds, odds = [0, 1, 1, 2, 2, 2, 2], [1.0, 2, 4, 1, 2, 3, 4], np.arange(-4.0, 4)
    tree = np.array([[*asked, *bounds, *odds]])
    given = np.array([[0, 0, 0, 0, 2, 2, 2, 2], [2, 2, 3, 3, 4, 4, 5, 5], [1, 2, 2, 3, 3, 4, 4, 5]], np.float32)
    told = confidence(given[:, None, :], 0.5, tree)[0]
    assert told == pytest.approx(1 / (1 + np.exp(-(odds + 0.5))))


def test_the_trees_ask_for_what_they_are_given() -> None:
    asked = TREES[:, :QUESTIONS]
    assert asked.min() >= 0
    assert asked.max() < len(FEATURES) == len(RISING)
    assert np.isfinite(TREES).all()


@pytest.mark.parametrize("feature", [i for i, way in enumerate(RISING) if way])
def test_what_speaks_for_the_room_never_lowers_the_confidence(feature: int) -> None:
    rng = np.random.default_rng(feature)
    given = rng.uniform(LOW, HIGH, (len(FEATURES), 1, 400)).astype(np.float32)
    steps = np.linspace(LOW, HIGH, 40)
    told = []
    for value in steps:
        given[feature] = value
        told.append(confidence(given)[0])
    way = np.diff(told, axis=0) * RISING[feature]
    assert way.min() > -1e-6
    assert (way.max() > 0.001) == np.isin(feature, TREES[:, :QUESTIONS])  # the fit may leave a feature aside


def test_a_block_is_given_what_its_pixels_are_given_in_the_mean() -> None:
    rows, columns, grid = 360, 640, 6  # blocks of 12 px: 30 by 54, the last one of 4
    down, along = np.mgrid[0:rows:grid, 0 : columns + grid : grid].astype(np.float32)
    given = np.stack([along, 2 * down])
    found = of_blocks(given, grid, (rows, columns))
    assert found.shape == (2, 30, 54)
    middle = 12 * np.arange(54) + 5.5
    np.testing.assert_allclose(found[0, 4, :53], middle[:53], atol=0.05)
    np.testing.assert_allclose(found[1, :29, 7], 2 * middle[:29], atol=0.1)
    assert found[0, 0, 53] > found[0, 0, 52]


def edges(sigma: float, rows: int) -> np.ndarray:
    """Upright bars behind a blur of ``sigma`` px at 720 rows, (rows, 16 / 9 rows) float32."""
    bars = np.zeros((rows, rows * 16 // 9), np.float32)
    for x in range(0, bars.shape[1], rows // 4):
        bars[:, x : x + rows // 8] = 120
    return np.asarray(cv2.GaussianBlur(bars, (0, 0), sigma * rows / 720), np.float32)


@pytest.mark.parametrize("rows", [360, 720])
@pytest.mark.parametrize("sigma", [3.0, 5.0, 8.0])
def test_the_plates_edges_tell_its_blur_at_any_size(sigma: float, rows: int) -> None:
    plate = edges(sigma, rows)
    assert blur_width(plate, np.ones(plate.shape, np.bool_), rows / 720) == pytest.approx(sigma, rel=0.15)


def test_edges_sharper_than_any_blur_tell_none() -> None:
    everywhere = np.ones((360, 640), np.bool_)
    assert blur_width(edges(LEAST_BLUR_PX / 4, 360), everywhere, 0.5) == WIDEST_PX
    assert blur_width(np.full((360, 640), 90, np.float32), everywhere, 0.5) == WIDEST_PX
    assert blur_width(edges(5, 360), ~everywhere, 0.5) == WIDEST_PX


STILL = [1, 0.99, 0.98, 0.98, 0.98, 0.98, 0.98, 0.98, 0.98, 0.97, 0.97, 0.96, 0.91, 0.74, 0.23]
LEANS = [1, 0.99, 0.98, 0.96, 0.92, 0.84, 0.75, 0.66, 0.57, 0.48, 0.41, 0.35, 0.29, 0.22, 0.04]
"""Opacities by distance as measured of simulated calls behind a blur that leaves the person out."""


@pytest.mark.parametrize(
    ("opacity", "sharp", "moved", "because"),
    [
        (STILL, False, 0.008, "does not move"),
        (STILL, False, 0.1, ""),  # a soft room's edges are as wide as that
        (LEANS, False, 0.008, ""),
        (LEANS, True, 0.03, "sharp"),
        ([0.0] * BINS, False, 0.1, "nothing at the person's edge"),
    ],
)
def test_a_clip_is_objected_to_where_nothing_moves_and_not_where_the_room_shows_within_the_mask(
    opacity: list[float], sharp: bool, moved: float, because: str
) -> None:
    told = objection(np.array(opacity, np.float32), sharp, moved)
    assert because in told
    assert bool(told) == bool(because)


def test_a_person_moved_over_what_was_free_in_part_of_the_frames() -> None:
    free = np.zeros((10, 10), np.float32)
    free[:, 5:] = 1
    free[:, 4] = 0.03  # the segmenter wavers
    assert moved_over(free) == 0
    free[:, 5:7] = 0.4
    assert moved_over(free) == pytest.approx(0.2)
