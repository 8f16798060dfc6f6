"""Push-pull filling keeps what is known and continues it smoothly."""

from __future__ import annotations

import numpy as np
import pytest

from vbtools.ops.fill import fill


def test_what_is_known_is_kept_exactly() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(37, 53, 2)).astype(np.float32)
    known = rng.random((37, 53)) > 0.6
    values[~known] = np.nan
    filled = fill(values, known)
    assert np.array_equal(filled[known], values[known])
    assert np.isfinite(filled).all()


def test_a_constant_is_continued_and_a_slope_stays_within_its_neighbours() -> None:
    known = np.ones((60, 80), bool)
    known[20:45, 25:60] = False
    assert np.abs(fill(np.full((60, 80), 7, np.float32), known) - 7).max() < 1e-4
    slope = np.mgrid[:60, :80][1].astype(np.float32)
    filled = fill(np.where(known, slope, -1000), known)
    assert np.abs(filled - slope)[~known].max() < 20
    assert filled.min() >= -0.01
    assert filled.max() <= 79.01


def test_one_known_pixel_fills_everything() -> None:
    known = np.zeros((33, 18), bool)
    known[30, 2] = True
    assert np.abs(fill(np.where(known, 42, 0).astype(np.float32), known) - 42).max() < 1e-3


def test_nothing_known_gives_zero() -> None:
    assert not fill(np.full((9, 9), np.nan, np.float32), np.zeros((9, 9), bool)).any()


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="known is"):
        fill(np.zeros((4, 4), np.float32), np.zeros((4, 5), bool))
