"""What is sharp beside a mask is noticed; it speaks for a second mask that covers a person's worth of it, no other."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vbtools.ops.missed import GAINED, NOTICED, Sharp

SIZE = (144, 256)
PERSON = (slice(40, 144), slice(90, 150))


def frame(sigma: float, seed: int = 1) -> np.ndarray:
    """Somebody in a patterned shirt before a room that is blurred by a sigma."""
    rng = np.random.default_rng(seed)
    room = cv2.resize(rng.integers(0, 255, (36, 64, 3), dtype=np.uint8), SIZE[::-1], interpolation=cv2.INTER_NEAREST)
    room = cv2.GaussianBlur(room, (0, 0), sigma) if sigma else room
    shirt = rng.integers(60, 200, (26, 15, 3), dtype=np.uint8)
    room[PERSON] = cv2.resize(shirt, (60, 104), interpolation=cv2.INTER_NEAREST)
    return room


def mask(rows: slice = PERSON[0], columns: slice = PERSON[1]) -> np.ndarray:
    made = np.zeros(SIZE, np.uint8)
    made[rows, columns] = 250
    return made


def test_a_person_who_is_missed_is_sharp_beside_the_mask() -> None:
    sharp = Sharp.of(frame(10))
    assert sharp.beside(mask()) < NOTICED
    assert sharp.beside(np.zeros(SIZE, np.uint8)) > 0.05
    assert sharp.beside(mask(rows=slice(100, 144))) > NOTICED


def test_a_mask_that_covers_the_missed_person_is_believed() -> None:
    sharp = Sharp.of(frame(10))
    assert sharp.speaks_for(np.zeros(SIZE, np.uint8), mask())
    assert sharp.speaks_for(mask(rows=slice(100, 144)), mask())


@pytest.mark.parametrize("sigma", [0.0, 10.0])
def test_a_mask_that_is_only_wider_or_covers_a_wall_is_not(sigma: float) -> None:
    sharp = Sharp.of(frame(sigma))
    wider = cv2.dilate(mask(), np.ones((9, 9), np.uint8))
    assert not sharp.speaks_for(mask(), wider)
    assert not sharp.speaks_for(mask(), mask(slice(20, 120), slice(0, 60)))


def test_a_poster_as_small_as_the_models_mistake_it_is_not_gained() -> None:
    shown = frame(10)
    shown[20:30, 20:40] = np.random.default_rng(2).integers(0, 255, (10, 20, 3))
    sharp = Sharp.of(shown)
    assert sharp.beside(mask()) > NOTICED
    assert 10 * 20 / shown[..., 0].size < GAINED
    assert not sharp.speaks_for(mask(), mask(slice(20, 30), slice(20, 40)))
