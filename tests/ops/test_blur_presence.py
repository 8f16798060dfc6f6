"""Whether a background is blurred is told from its own edges and the person's, whatever is drawn over it."""

import cv2
import numpy as np
import pytest

from vbtools.ops.blur_presence import COLUMNS, NOBODY, edge_widths, is_sharp

SIZE = (360, 640)
CAMERA_PX = 0.6


def room(seed: int, lens: float = CAMERA_PX) -> np.ndarray:
    """Boxes and words on a wall as a camera shows them, (H, W) float32."""
    rng = np.random.default_rng(seed)
    plane = np.full(SIZE, 140, np.uint8)
    for _ in range(60):
        x, y, wide, high = (int(rng.integers(0, limit)) for limit in (SIZE[1], SIZE[0], 120, 90))
        cv2.rectangle(plane, (x, y), (x + wide, y + high), int(rng.integers(20, 235)), -1)
        word = "".join(rng.choice(list("ABEFHKMNRTX"), 6))
        cv2.putText(plane, word, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, int(rng.integers(20, 235)), 1, cv2.LINE_AA)
    return cv2.GaussianBlur(plane.astype(np.float32), (0, 0), lens)


def labelled(plane: np.ndarray) -> np.ndarray:
    made = np.rint(plane).astype(np.uint8)
    cv2.rectangle(made, (20, 320), (200, 350), 20, -1)
    cv2.putText(made, "Anna Muster 12:30", (30, 340), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 250, 1)
    return made.astype(np.float32)


def widths(plane: np.ndarray) -> np.ndarray:
    return edge_widths(np.rint(plane).astype(np.float32), np.ones(SIZE, np.bool_))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_room_without_blur_is_sharp(seed: int) -> None:
    assert is_sharp(widths(room(seed)), NOBODY)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("sigma", [2.0, 4.0, 8.0, 25.0])
def test_a_blurred_room_is_not_though_a_label_is_drawn_over_it(seed: int, sigma: float) -> None:
    blurred = cv2.GaussianBlur(room(seed), (0, 0), sigma)
    person = widths(room(seed + 10))
    assert not is_sharp(widths(blurred), person)
    assert not is_sharp(widths(labelled(blurred)), person)


def test_edges_are_as_wide_as_the_blur() -> None:
    step = np.full(SIZE, 60, np.float32)
    step[:, 320:] = 160
    for sigma in (0.8, 1.5, 2.5):
        found = widths(cv2.GaussianBlur(step, (0, 0), sigma))
        assert np.median(found[np.isfinite(found)]) == pytest.approx(sigma, abs=0.3)  # a difference has a width itself


def test_an_enlarged_call_is_sharp_if_the_person_is_as_soft() -> None:
    background, person = widths(room(1, lens=1.5)), widths(room(2, lens=1.5))
    assert is_sharp(background, person)
    assert not is_sharp(background, widths(room(2)))


def test_a_wall_or_a_wall_with_a_label_tells_nothing() -> None:
    wall = np.full(SIZE, 140, np.float32)
    assert not is_sharp(widths(wall), NOBODY)
    assert not is_sharp(widths(labelled(wall)), NOBODY)


def test_what_was_not_seen_has_no_say() -> None:
    seen = np.ones(SIZE, np.bool_)
    seen[:, 200:] = False
    blurred, other = cv2.GaussianBlur(room(1), (0, 0), 4), room(2)
    other[:, :200] = blurred[:, :200]
    found = edge_widths(other, seen)
    assert np.isnan(found[:, -(-200 * COLUMNS // SIZE[1]) :]).all()
    assert not is_sharp(found, NOBODY)
