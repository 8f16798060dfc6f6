"""Opacity, detail and scale, against sums whose truth is known and against slow counts."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from vbtools.ops import leak

TRUE = np.array([0.0, 0.2, 0.7, 1.0, 0.6, 0.1], np.float32)


def sums(noise: float, plate: float = 0.0, covered: float = 0.0) -> tuple[np.ndarray, ...]:
    """Sums of detail by group of time and distance, their counts, the room's detail and the plate's."""
    rng = np.random.default_rng(5)
    room = rng.normal(0, 8, (40, 60)).astype(np.float32)
    plate_detail = (plate * rng.normal(0, 8, (40, 60))).astype(np.float32)
    count = rng.integers(0, 12, (4, len(TRUE), 40, 60)).astype(np.float32)
    total = TRUE[None, :, None, None] * count * room - covered * count * plate_detail
    total += np.sqrt(count) * rng.normal(0, noise, count.shape)
    return total.astype(np.float32), count, room, plate_detail


def test_opacities_are_found_without_the_room() -> None:
    total, count, _, plate = sums(noise=4)
    assert leak.opacities(total, count, plate) == pytest.approx(TRUE, abs=0.02)


def test_a_covered_plate_is_not_taken_for_the_room() -> None:
    total, count, _, plate = sums(noise=4, plate=1.0, covered=0.8)
    assert leak.opacities(total, count, plate) == pytest.approx(TRUE, abs=0.03)
    total, count, _, plate = sums(noise=4, plate=1.0)
    assert leak.opacities(total, count, plate) == pytest.approx(TRUE, abs=0.03)


def test_nothing_that_agrees_is_no_opacity() -> None:
    count = np.ones((4, 6, 8, 8), np.float32)
    assert not leak.opacities(np.zeros_like(count), count, np.zeros((8, 8), np.float32)).any()


def passages(agree: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(6)
    room = rng.normal(0, 6, (64, 96)).astype(np.float32)
    weight = rng.uniform(0.5, 4, (4, 2, 64, 96)).astype(np.float32)
    seen = room if agree else rng.normal(0, 6, weight.shape)
    return ((seen + rng.normal(0, 2, weight.shape)) * weight).astype(np.float32), weight, room


def test_what_passages_agree_on_is_found_with_its_contrast() -> None:
    total, weight, room = passages(agree=True)
    found = leak.combine(total, weight, 1.0)
    assert np.corrcoef(found.best.ravel(), room.ravel())[0, 1] > 0.95
    assert found.best.std() == pytest.approx(room.std(), rel=0.1)
    assert np.median(found.signal) == pytest.approx(36, rel=0.15)
    assert np.median(found.apart) == pytest.approx(36, rel=0.2)
    assert np.median(found.share) > 0.9


def test_what_they_do_not_agree_on_is_weakened() -> None:
    total, weight, _ = passages(agree=False)
    found = leak.combine(total, weight, 1.0)
    assert found.best.std() < 0.4 * found.plain.std()
    assert np.median(found.share) < 0.2


def test_pairs_are_of_different_passages_and_distances() -> None:
    rng = np.random.default_rng(7)
    values = rng.normal(0, 1, (4, 3, 2, 5)).astype(np.float32)
    pairs = leak._Pairs(3, [2, 5])
    for p in range(4):
        for g in range(3):
            pairs.add(values[p, g], g)
        pairs.end_passage()
    slots = list(product(range(4), range(3)))
    other = [(a, b) for a in slots for b in slots if a[0] != b[0]]
    assert np.allclose(pairs.passages(), sum(values[a] * values[b] for a, b in other), atol=1e-4)
    apart = [(a, b) for a, b in other if a[1] != b[1]]
    assert np.allclose(pairs.apart(), sum(values[a] * values[b] for a, b in apart), atol=1e-4)


def test_covering_never_weakens_the_plate() -> None:
    rng = np.random.default_rng(8)
    plate = rng.normal(0, 5, (64, 64)).astype(np.float32)
    weight = np.ones((2, 2, 64, 64), np.float32)
    covered = -0.7 * plate * weight
    leak.uncover(covered, weight, plate, 1.0)
    assert np.abs(covered).max() < 0.05 * np.abs(plate).max()
    shown = 0.7 * plate * weight
    leak.uncover(shown, weight, plate, 1.0)
    assert np.array_equal(shown, 0.7 * plate * weight)


def test_the_scale_is_the_best_views() -> None:
    views = leak.Views.none((12, 12))
    everywhere = (slice(0, 12), slice(0, 12))
    for ratio in (0.3, 0.9, 1.8, 0.6):
        views.add(everywhere, np.full((12, 12), ratio), np.full((12, 12), 0.9), np.full((12, 12), 5 * ratio))
    views.add(everywhere, np.full((12, 12), 9.0), np.full((12, 12), 0.3), np.full((12, 12), 50.0))
    views.add(everywhere, np.full((12, 12), -9.0), np.full((12, 12), -0.9), np.full((12, 12), -3.0))
    views.add(everywhere, np.full((12, 12), 9.0), np.full((12, 12), 0.9), np.full((12, 12), np.nan))
    assert (views.clear == 4).all()
    assert (views.against == 1).all()
    assert views.span == pytest.approx(7.5)
    scale = leak.scales(views.best, views.clear, 12.0)
    assert scale == pytest.approx(1.8 / leak.BEST_SHOWN, rel=1e-4)
    assert (leak.scales(views.best, np.zeros_like(views.clear), 12.0) == leak.USUAL_SCALE).all()


def test_one_frame_is_compared_window_by_window() -> None:
    rng = np.random.default_rng(9)
    room = rng.normal(0, 5, (60, 60)).astype(np.float32)
    room[:, 40:] = 0
    ratio, r = leak.agreement(0.4 * room, room, 1.0)
    assert ratio[:, :30] == pytest.approx(0.4, abs=1e-3)
    assert r[:, :30] == pytest.approx(1, abs=1e-3)
    assert not ratio[:, 50:].any()
    assert not r[:, 50:].any()


def test_agreement_at_some_places_is_that_of_all() -> None:
    rng = np.random.default_rng(10)
    detail, room = (rng.normal(0, 5, (61, 47)).astype(np.float32) for _ in range(2))
    whole = leak.agreement(detail, room, 1.0)
    at = slice(3, None, 5), slice(1, None, 4)
    for one, all_ in zip(leak.agreement(detail, room, 1.0, at), whole, strict=True):
        assert np.array_equal(one, all_[at])
