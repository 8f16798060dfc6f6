"""How alike the passages of a block are, from sums that are made here."""

from __future__ import annotations

import numpy as np
import pytest

from vbtools.ops.pairs import LEAST_PAIRS, pairs

SIDE, SIZE = 12, (30, 40)  # 3 by 4 blocks, the last ones cut off
POWER = 20.0


def sums(values: np.ndarray, weight: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Of passages (P, 2, H, W) that show ``values``."""
    weights = np.full(values.shape, weight, np.float32)
    return (values * weights).astype(np.float32), weights


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, POWER, (*shape, *SIZE))


def test_what_passages_share_correlates_as_much_as_it_is_stronger_than_their_errors() -> None:
    found = pairs(*sums(noise(1, 1, 1) + noise(2, 4, 2)), SIDE)
    for r in (found.passages, found.apart, found.near_far):
        assert r.shape == (3, 4)
    # two distances are in the mean of a passage: its error has half the power; four passages are in near and far
    assert found.passages.mean() == pytest.approx(2 / 3, abs=0.08)
    assert found.apart.mean() == pytest.approx(1 / 2, abs=0.08)
    assert found.near_far.mean() == pytest.approx(4 / 5, abs=0.08)


def test_what_every_passage_shows_otherwise_is_not_alike() -> None:
    found = pairs(*sums(noise(3, 4, 1) + np.zeros((4, 2, 1, 1))), SIDE)
    assert abs(found.passages).max() < 0.2
    assert found.near_far.min() > 0.9  # the same frames, the same error


def test_a_block_is_told_from_its_own_pixels() -> None:
    values = noise(4, 4, 2)
    values[..., :12, 12:24] = noise(5, 1, 1)[..., :12, 12:24]
    found = pairs(*sums(values), SIDE).passages
    assert found[0, 1] > 0.9
    assert np.abs(np.delete(found.ravel(), 1)).max() < 0.35


def test_one_passage_says_nothing() -> None:
    total, weight = sums(noise(6, 4, 2))
    weight[1:], total[1:] = 0, 0
    found = pairs(total, weight, SIDE)
    assert not found.passages.any()
    assert not found.apart.any()
    assert not found.seen.any()


def test_what_was_hardly_seen_together_says_nothing() -> None:
    total, weight = sums(np.broadcast_to(noise(7, 1, 1), (4, 2, *SIZE)).copy())
    weight[:, :, 1:, :], total[:, :, 1:, :] = 0, 0
    weight[:, :, :, 1:], total[:, :, :, 1:] = 0, 0
    found = pairs(total, weight, SIDE)
    assert 0 < found.seen[0, 0] < 6 * LEAST_PAIRS
    assert not found.passages.ravel()[1:].any()


def test_faint_agreement_is_held_for_chance() -> None:
    shared = np.broadcast_to(noise(8, 1, 1), (4, 2, *SIZE))
    strong, faint = (pairs(*sums(shared * share), SIDE).passages for share in (1.0, 0.02))
    assert strong.min() > 0.95
    assert faint.max() < 0.35
