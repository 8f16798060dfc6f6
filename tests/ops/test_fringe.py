"""The fringe's sums equal a slow, obvious count."""

from __future__ import annotations

import numpy as np
import pytest

from vbtools.ops import fringe

SIZE = (20, 30)
OPACITY = np.linspace(-0.2, 1, fringe.BINS).astype(np.float32)
NEARNESS = (np.arange(fringe.BINS) % 2).astype(np.int64)
RULE = np.array([0.5, 4.0, 0.3], np.float32)


def frames(count: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, float]]:
    """Detail, distance, bins and time of random frames."""
    rng = np.random.default_rng(3)
    made = []
    time = 0.0
    for _ in range(count):
        distance = rng.uniform(-20, 32, SIZE).astype(np.float32)
        bins = np.empty(SIZE, np.uint8)
        fringe.bins_of(distance, np.float32(1), np.array(fringe.EDGES_PX, np.float32), bins)
        time += float(rng.choice([0.04, 0.9]))
        made.append((rng.normal(0, 5, SIZE).astype(np.float32), distance, bins, time))
    return made


@pytest.mark.parametrize("unit", [0.5, 1.0, 1.5])
def test_bins_hold_the_distances_they_name(unit: float) -> None:
    distance = np.linspace(-40, 60, 600).reshape(*SIZE).astype(np.float32)
    bins = np.empty(SIZE, np.uint8)
    fringe.bins_of(distance, np.float32(unit), np.array(fringe.EDGES_PX, np.float32), bins)
    expected = np.digitize(distance / np.float32(unit), np.array(fringe.EDGES_PX, np.float32)) - 1
    expected[(expected < 0) | (expected >= fringe.BINS)] = fringe.OUTSIDE
    assert np.array_equal(bins, expected)
    assert len(np.unique(bins)) == fringe.BINS + 1


@pytest.mark.parametrize(("step", "y0"), [(1, 0), (3, 0), (3, 7), (4, 2)])
def test_sums_by_distance(step: int, y0: int) -> None:
    height = SIZE[0] + y0 + 3
    shape = (fringe.BINS, -(-height // step), SIZE[1] + 5)
    total, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    expected, seen = np.zeros(shape), np.zeros(shape)
    for detail, _, bins, _ in frames(6):
        fringe.add_to_bins(detail, bins, y0, 5, step, total, count)
        for y in range(SIZE[0]):
            for x in range(SIZE[1]):
                if (y + y0) % step == 0 and bins[y, x] != fringe.OUTSIDE:
                    expected[bins[y, x], (y + y0) // step, x + 5] += detail[y, x]
                    seen[bins[y, x], (y + y0) // step, x + 5] += 1
    assert np.array_equal(count, seen)
    assert np.allclose(total, expected, atol=1e-4)
    assert count.sum() > 100


def test_sums_by_passage() -> None:
    shape = (3, 2, *SIZE)
    total, weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    passages, support = np.zeros(SIZE, np.uint16), np.zeros(SIZE, np.uint32)
    strongest, state = np.zeros(SIZE, np.float32), np.full((2, *SIZE), -np.inf, np.float32)
    clip = frames(30)
    for detail, distance, bins, time in clip:
        fringe.add_to_passages(
            detail, distance, bins, 0, 0, OPACITY, NEARNESS, time, RULE, state, total, weight, passages, support,
            strongest,
        )  # fmt: skip
    for y in range(SIZE[0]):
        for x in range(SIZE[1]):
            last, came, number, frames_here, most = -1e9, -1e9, 0, 0, 0.0
            sums = np.zeros((3, 2, 2))
            for detail, distance, bins, time in clip:
                b = bins[y, x]
                if b == fringe.OUTSIDE or OPACITY[b] <= 0:
                    continue
                if OPACITY[b] >= RULE[2]:
                    if time - last > RULE[0] or abs(distance[y, x] - came) > RULE[1]:
                        number, came = number + 1, distance[y, x]
                    last = time
                    frames_here += 1
                if number:
                    sums[(number - 1) % 3, NEARNESS[b]] += OPACITY[b] * detail[y, x], OPACITY[b] ** 2
                    most = max(most, float(OPACITY[b]))
            assert (passages[y, x], support[y, x], strongest[y, x]) == (number, frames_here, np.float32(most))
            assert np.allclose(total[:, :, y, x], sums[..., 0], atol=1e-3)
            assert np.allclose(weight[:, :, y, x], sums[..., 1], atol=1e-4)
    assert passages.max() > 3  # more than are kept apart


def test_a_fringe_that_stays_is_one_passage() -> None:
    total, weight = np.zeros((2, 2, *SIZE), np.float32), np.zeros((2, 2, *SIZE), np.float32)
    passages, support = np.zeros(SIZE, np.uint16), np.zeros(SIZE, np.uint32)
    state, strongest = np.full((2, *SIZE), -np.inf, np.float32), np.zeros(SIZE, np.float32)
    bins = np.full(SIZE, fringe.BINS - 1, np.uint8)
    for t in range(50):
        distance = np.full(SIZE, 3 + np.sin(t), np.float32)
        fringe.add_to_passages(
            np.ones(SIZE, np.float32), distance, bins, 0, 0, OPACITY, NEARNESS, t / 25, RULE, state, total, weight,
            passages, support, strongest,
        )  # fmt: skip
    assert (passages == 1).all()
    assert (support == 50).all()


def test_distance_is_positive_outside_the_person() -> None:
    person = np.zeros(SIZE, np.uint8)
    person[5:15, 10:20] = 1
    distance = fringe.signed_distance(person)
    assert (distance[person == 0] > 0).all()
    assert (distance[person == 1] < 0).all()
    assert distance[10, 25] == pytest.approx(6, abs=0.4)  # chamfer distance


@pytest.mark.parametrize("reach", [2.0, 5.0, 500.0])
def test_within_its_reach_the_distance_is_the_same(reach: float) -> None:
    person = np.zeros((60, 90), np.uint8)
    person[30:, 20:40] = 1
    person[40:44, 60:63] = 1
    whole, near = fringe.signed_distance(person), fringe.signed_distance(person, reach)
    assert near[whole <= reach] == pytest.approx(whole[whole <= reach], rel=1e-6)
    assert (near[whole > reach] > reach).all()


@pytest.mark.parametrize(("fill", "sign"), [(0, 1), (1, -1)])
def test_all_is_far_from_nobody_and_deep_in_one_who_is_everywhere(fill: int, sign: int) -> None:
    person = np.full(SIZE, fill, np.uint8)
    for reach in (None, 3.0):
        assert (fringe.signed_distance(person, reach) == sign * fringe.FAR_AWAY).all()


@pytest.mark.parametrize("least", [0.0, 2.5, 7.0, 300.0])
@pytest.mark.parametrize("share", [0.0, 0.002, 0.02, 1.0])
def test_apart_is_what_lies_farther_away(least: float, share: float) -> None:
    person = (np.random.default_rng(4).random((50, 70)) < share).astype(np.uint8)
    person[:, 40:] = share == 1.0  # all of the person in one part
    wanted = fringe.signed_distance(person) > least if person.any() else np.ones(person.shape, np.bool_)
    assert (fringe.apart(person, least) == wanted).all()


def test_a_box_holds_the_person_and_its_margin() -> None:
    person = np.zeros(SIZE, np.uint8)
    assert fringe.box_around(person, 3) is None
    person[5:8, 10:14] = 1
    assert fringe.box_around(person, 3) == fringe.Box(2, 11, 7, 17)
    assert fringe.box_around(person, 99) == fringe.Box(0, SIZE[0], 0, SIZE[1])


def test_groups_of_distances_weigh_the_same() -> None:
    opacity, count = np.ones(fringe.BINS, np.float32), np.ones(fringe.BINS)
    group = fringe.nearness(opacity, count, 3)
    assert np.bincount(group).tolist() == [5, 5, 5]
    assert (np.diff(group) >= 0).all()
    assert not fringe.nearness(np.zeros(fringe.BINS, np.float32), count, 2).any()
