"""Frames are chosen by their times: evenly, never twice, whatever the clock's jitter."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbtools.ops.sampling import EARLY, Sampler, fit_long_side


def chosen(times, fps=None, every=1):
    sampler = Sampler(fps, every)
    return [i for i, t in enumerate(times) if sampler.takes(t)]


def test_fifteen_of_twenty_five_gives_fifteen_a_second():
    times = np.arange(250) / 25
    kept = times[chosen(times, 15)]
    assert len(kept) == 150
    assert all(14 <= np.count_nonzero((kept >= s) & (kept < s + 1)) <= 16 for s in range(10))


@pytest.mark.parametrize(("fps", "every", "count"), [(None, 1, 50), (25, 1, 50), (30, 1, 50), (60, 1, 50), (5, 1, 10),
                                                    (1, 1, 2), (None, 7, 8), (5, 3, 4), (0.01, 1, 1)])  # fmt: skip
def test_how_many_frames_of_two_seconds_are_kept(fps, every, count):
    assert len(chosen(np.arange(50) / 25, fps, every)) == count


@given(
    source=st.sampled_from([12, 15, 24, 25, 29.97, 30, 50, 60]),
    fps=st.floats(0.5, 60),
    start=st.floats(0, 100),
    seed=st.integers(0, 99),
)
def test_the_rate_holds_with_times_in_milliseconds(source, fps, start, seed):
    times = np.round(start + np.arange(300) / source + np.random.default_rng(seed).uniform(-5e-4, 5e-4, 300), 3)
    kept = chosen(times, fps)
    assert kept == sorted(set(kept))
    assert kept[0] == 0
    if fps <= 0.9 * source:  # nearest ticks: the number is the length times the rate, give or take one at the end
        assert abs(len(kept) - (times[-1] - times[0]) * fps) <= 1.51
        assert np.diff(times[kept]).max() <= 1 / fps + 1 / source + 2e-3
    if fps >= 1.1 * source:
        assert len(kept) == 300


@given(st.lists(st.floats(0, 1e6), max_size=60), st.floats(0.01, 1000), st.integers(1, 9))
def test_any_times_at_all_are_chosen_in_new_ticks_only(times, fps, every):
    all_ticks, kept = chosen(times, fps), chosen(times, fps, every)
    assert kept == all_ticks[::every]
    assert all(times[b] + EARLY / fps >= times[a] for a, b in pairwise(all_ticks))


def test_half_the_rate_takes_every_other_frame_from_the_first():
    assert chosen(np.arange(10) / 30, 15) == [0, 2, 4, 6, 8]
    assert chosen(np.round(np.arange(10) / 30, 3), 15) == [0, 2, 4, 6, 8]
    assert chosen(np.arange(600) / 10, 1) == list(range(0, 600, 10))
    assert chosen(np.arange(12) / 30, 20) == [0, 2, 3, 5, 6, 8, 9, 11]


@pytest.mark.parametrize(("fps", "every"), [(0, 1), (-1, 1), (float("nan"), 1), (10, 0)])
def test_nonsense_is_refused(fps, every):
    with pytest.raises(ValueError, match="fps"):
        Sampler(fps, every)


@given(st.integers(1, 9000), st.integers(1, 9000), st.integers(16, 4000))
def test_shrinking_never_enlarges_and_keeps_the_shape(width, height, limit):
    w, h = fit_long_side(width, height, limit)
    assert max(w, h) == min(limit, max(width, height))
    assert 1 <= w <= width
    assert 1 <= h <= height
    assert abs(w * height - h * width) <= max(width, height)
