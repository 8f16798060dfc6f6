"""The image of a call, forward: opacity by distance, the person's colours, the blur, the frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vbtools.ops import forward
from vbtools.ops.fringe import BINS, EDGES_PX

MIDDLES = (np.array(EDGES_PX[1:]) + np.array(EDGES_PX[:-1])) / 2
LEARNED = np.interp(MIDDLES, (-16, -4, 2, 14), (0.0, 0.5, 1.0, 0.0)).astype(np.float32)


def at(table: np.ndarray, px: float) -> float:
    return float(table[round((px - forward.FIRST_PX) / forward.STEP_PX)])


def test_opacity_is_the_learned_one_outside_and_whole_on_the_person():
    table = forward.opacity_table(LEARNED, 0.6)
    assert at(table, 9.5) == pytest.approx(0.6 * np.interp(9.5, MIDDLES, LEARNED), abs=0.02)
    assert at(table, 27.5) == 0
    assert at(table, -12) == 1
    assert np.all(np.diff(table) <= 1e-6)  # a mask does not fall towards the person


def test_a_tighter_mask_shows_at_each_place_what_lay_farther_out():
    table, tighter = forward.opacity_table(LEARNED, 0.6), forward.opacity_table(LEARNED, 0.6, tighter_px=4)
    assert at(tighter, 5) == pytest.approx(at(table, 9), abs=1e-6)


def test_a_hard_mask_shows_nothing_below_its_threshold():
    table = forward.opacity_table(LEARNED, 0.6, hardness=0.3)
    assert not ((table > 0) & (table < 0.3)).any()
    assert at(table, -12) == 1


def test_an_edge_that_shows_nothing_shows_nothing_outside():
    table = forward.opacity_table(np.zeros(BINS, np.float32), 0.0)
    assert at(table, 0) == 0
    assert at(table, -12) == 1


def test_what_lies_beyond_the_core_is_the_persons_colour_and_none_of_the_room():
    frame = np.zeros((40, 60, 3), np.uint8)
    frame[:, 30:] = (255, 0, 255)  # the old room
    frame[:, :30] = (0, 90, 0)
    core = np.zeros((40, 60), np.uint8)
    core[:, :20] = 1
    made = forward.extended(frame, core, 3.0)
    assert (made == (0, 90, 0)).all()


@pytest.mark.parametrize("sigma", [2.0, 7.3, 23.4])
def test_the_blur_is_a_gaussian_to_a_grey_level(sigma: float):
    rng = np.random.default_rng(0)
    picture = cv2.GaussianBlur(rng.uniform(0, 255, (180, 320, 3)).astype(np.float32), (0, 0), 1.5)
    picture[60:120, 100:200] = 250
    exact = cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    margin = int(2 * sigma)  # beyond the border a shrunken picture goes on with its last pixel, which is wider
    error = np.abs(forward.blurred(picture, sigma) - exact)
    assert error[margin:-margin, margin:-margin].max() < 1.5


def test_the_frame_is_the_formula():
    rng = np.random.default_rng(1)
    size = (12, 16)
    person, drawn = (rng.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(2))
    room, hidden = (rng.uniform(0, 255, (*size, 3)).astype(np.float32) for _ in range(2))
    alpha = rng.uniform(0, 1, size).astype(np.float32)
    distance = rng.uniform(-30, 50, size).astype(np.float32)
    overlay = (rng.random(size) < 0.2).astype(np.uint8)
    table = forward.opacity_table(LEARNED, 0.7)
    clean, out = np.empty((*size, 3), np.float32), np.empty((*size, 3), np.uint8)
    forward.before(person, alpha, room, clean)
    forward.shown(clean, hidden, table[forward.entries(distance, 1.0)], overlay, drawn, out)
    place = np.clip((distance - forward.FIRST_PX) / forward.STEP_PX, 0, forward.ENTRIES - 1).astype(int)
    m = table[place][..., None]
    a = alpha[..., None]
    wanted = np.where(overlay[..., None] > 0, drawn, m * (a * person + (1 - a) * room) + (1 - m) * hidden)
    assert np.abs(out.astype(float) - wanted).max() <= 0.51
