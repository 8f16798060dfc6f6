"""The second model is asked only with reason, and what it sees is taken only where it is sharp."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ops.test_missed import SIZE, frame, mask
from vbtools.backends.segment.second_look import EVERY, SecondLook

NOTHING = np.zeros(SIZE, np.uint8)


class Scripted:
    """Gives one mask after the other, the last for ever, and counts."""

    grid = SIZE

    def __init__(self, *masks: np.ndarray) -> None:
        self.masks, self.asked, self.closed = list(masks), 0, False

    def __call__(self, shown: np.ndarray) -> np.ndarray:
        self.asked += 1
        return self.masks.pop(0) if len(self.masks) > 1 else self.masks[0]

    def close(self) -> None:
        self.closed = True


def never() -> Scripted:
    pytest.fail("the second model was opened")


def test_the_second_model_is_not_even_opened_where_nothing_sharp_is_missed() -> None:
    with SecondLook(Scripted(mask()), never) as look:
        for _ in range(3 * EVERY):
            assert np.array_equal(look(frame(10)), mask())


def test_it_is_asked_as_long_as_it_sees_what_the_first_misses() -> None:
    first, second = Scripted(NOTHING), Scripted(mask())
    with SecondLook(first, lambda: second) as look:
        for _ in range(10):
            assert np.array_equal(look(frame(10)), mask())
    assert (second.asked, look.added) == (10, 10)
    assert first.closed
    assert second.closed


def test_it_is_asked_now_and_then_where_it_does_not_help() -> None:
    second = Scripted(mask())
    with SecondLook(Scripted(mask()), lambda: second) as look:
        for _ in range(3 * EVERY):
            assert np.array_equal(look(frame(0)), mask())  # a room that is not blurred is sharp beside any mask
    assert (second.asked, look.added) == (3, 0)


def test_it_is_asked_at_once_where_the_first_mask_shrinks() -> None:
    second = Scripted(mask())
    with SecondLook(Scripted(mask(), mask(), NOTHING, mask()), lambda: second) as look:
        answers = [look(frame(0)) for _ in range(4)]
    assert second.asked == 2
    assert np.array_equal(answers[2], NOTHING)  # in a sharp room a mask's sharp pixels say nothing


def test_the_same_frames_give_the_same_masks() -> None:
    def masks() -> list[np.ndarray]:
        with SecondLook(Scripted(mask(), NOTHING, NOTHING, mask()), lambda: Scripted(mask())) as look:
            return [look(frame(10, seed)) for seed in range(4)]

    assert all(np.array_equal(one, two) for one, two in zip(masks(), masks(), strict=True))
