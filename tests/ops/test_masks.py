"""Person probability to person mask."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vbtools.ops.masks import dilated, level, person_mask


def test_likely_pixels_are_the_person_and_unlikely_ones_are_not() -> None:
    probability = np.array([[0, 76, 77, 255]], np.uint8)  # 0.3 is 76.5
    assert person_mask(probability, (1, 4), 0.3, 0).tolist() == [[False, False, True, True]]


@pytest.mark.parametrize(("threshold", "least"), [(0.0, 1), (0.2, 51), (0.3, 77), (0.5, 128), (0.6, 153), (1.0, 255)])
def test_the_threshold_is_inclusive_and_zero_probability_is_never_the_person(threshold: float, least: int) -> None:
    assert level(threshold) == least


def test_growing_reaches_exactly_the_radius_and_no_farther() -> None:
    person = np.zeros((41, 41), bool)
    person[20, 20] = True
    for radius in (1, 3, 10):
        grown = dilated(person, radius)
        y, x = np.nonzero(grown)
        assert (y.min(), y.max(), x.min(), x.max()) == (20 - radius, 20 + radius, 20 - radius, 20 + radius)
        assert np.hypot(y - 20, x - 20).max() < radius + 1
        inside = np.hypot(*(np.mgrid[:41, :41] - 20)) <= radius - 1
        assert grown[inside].all()


def test_growing_is_the_union_of_the_shape_at_every_person_pixel() -> None:
    person = np.random.default_rng(0).random((30, 45)) > 0.985
    single = np.zeros((9, 9), bool)
    single[4, 4] = True
    shape = dilated(single, 4)
    slow = np.zeros((38, 53), bool)
    for y, x in zip(*np.nonzero(person), strict=True):
        slow[y : y + 9, x : x + 9] |= shape
    assert np.array_equal(dilated(person, 4), slow[4:-4, 4:-4])


@pytest.mark.parametrize("share", [0.001, 0.02, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (31, 8), (37, 61), (64, 128)])
def test_growing_equals_opencvs_dilation(size: tuple[int, int], share: float) -> None:
    dice = np.random.default_rng(1)
    for radius in (1, 2, 7, 12):
        person = dice.random(size) < share
        ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        expected = cv2.dilate(person.view(np.uint8), ellipse, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        assert np.array_equal(dilated(person, radius), expected.astype(bool))
        assert np.array_equal(dilated(person[:, ::-1], radius), expected[:, ::-1].astype(bool))


@pytest.mark.parametrize("share", [0.001, 0.02, 0.5])
@pytest.mark.parametrize("size", [(1, 50), (31, 8), (37, 61)])
def test_a_stack_of_masks_is_grown_each_by_itself(size: tuple[int, int], share: float) -> None:
    people = np.random.default_rng(2).random((5, *size)) < share
    people[1] = False
    for radius in (1, 7):
        alone = np.stack([dilated(person, radius) for person in people])
        assert np.array_equal(dilated(people, radius), alone)
        assert np.array_equal(dilated(people[:, :, ::-1], radius), alone[:, :, ::-1])


def test_nothing_grows_from_nothing_and_the_border_is_no_person() -> None:
    assert not dilated(np.zeros((5, 7), bool), 3).any()
    assert dilated(np.ones((5, 7), bool), 3).all()
    corner = np.zeros((9, 9), bool)
    corner[0, 0] = True
    assert not dilated(corner, 2)[4:, 4:].any()


@pytest.mark.parametrize("size", [(90, 160), (27, 48), (45, 80), (91, 163)])
def test_a_probability_of_another_size_covers_the_same_part_of_the_frame(size: tuple[int, int]) -> None:
    probability = np.zeros((45, 80), np.uint8)
    probability[15:30, 20:60] = 255  # the middle third of the rows, the middle half of the columns
    found = person_mask(probability, size, 0.5, 0)
    assert found.shape == size
    y, x = np.nonzero(found)
    assert abs(y.min() - size[0] / 3) <= 1
    assert abs(y.max() + 1 - size[0] * 2 / 3) <= 1
    assert abs(x.min() - size[1] / 4) <= 1
    assert abs(x.max() + 1 - size[1] * 3 / 4) <= 1


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="give uint8"):
        person_mask(np.zeros((4, 4), np.float32), (4, 4), 0.3, 0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="0 to 1"):
        level(1.5)
    with pytest.raises(ValueError, match="at least 0 px"):
        dilated(np.zeros((4, 4), bool), -1)
