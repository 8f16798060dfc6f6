"""How far a mask trails: known delays, none, and frames that say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from vbtools.ops.fringe import BINS
from vbtools.ops.trailing import PAIRS, Trail, Trailing, delay_of

COUNT, PLACES = 240, 900
PAIR_NAMES = [f"late {late}, keep {keep:g}" for late, keep in PAIRS]


def opacity(distance: np.ndarray) -> np.ndarray:
    return np.clip(0.8 - distance / 20, 0, 0.8)


def trail(late: int, keep: float, noise: float = 1.0, shows: float = 1.0, seed: int = 0) -> Trail:
    """An outline that sways over places, px at 720 rows, under a mask that trails it."""
    rng = np.random.default_rng(seed)
    room, at = rng.normal(0, 6, PLACES).astype(np.float32), rng.uniform(-60, 60, PLACES)
    found = Trailing(room, COUNT)
    outline = 40 * np.sin(np.arange(COUNT) / 9) + 12 * np.sin(np.arange(COUNT) / 3.1)
    distances = at[None] - outline[:, None]
    shown = opacity(distances[0])
    for t in range(COUNT):
        shown = keep * shown + (1 - keep) * opacity(distances[max(t - late, 0)])
        seen = shows * shown * room * (distances[t] > 0) + rng.normal(0, noise, PLACES)
        found.add(seen.astype(np.float32), distances[t].astype(np.float32))
    return found.told()


@pytest.mark.parametrize(("late", "keep"), PAIRS, ids=PAIR_NAMES)
def test_a_known_delay_is_found(late: int, keep: float) -> None:
    told = trail(late, keep)
    assert (told.late, told.keep) == (late, keep)
    assert told.low <= told.delay <= told.high
    assert told.known
    assert told.trails == (delay_of(late, keep) >= 0.5)


def test_the_opacity_is_that_without_the_delay() -> None:
    """At its bins outside the mask, as a share of the strongest, to 0.05."""
    told = trail(2, 0.5)
    outside = np.array([1, 3, 5, 7, 9.5, 12.5, 16, 20])
    assert told.relative.shape == (BINS,)
    assert told.relative[6:14] / told.relative[6] == pytest.approx(opacity(outside) / opacity(outside[0]), abs=0.05)
    assert (np.diff(told.relative) <= 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_where_the_edge_shows_nothing_nothing_is_known(seed: int) -> None:
    told = trail(2, 0.5, shows=0.0, seed=seed)
    assert not told.known
    assert not told.trails


def test_a_mask_that_was_never_near_says_nothing() -> None:
    found = Trailing(np.ones(50, np.float32), 60)
    for _ in range(60):
        found.add(np.ones(50, np.float32), np.full(50, 200, np.float32))
    assert not found.told().known
