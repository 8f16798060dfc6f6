"""The person's alpha from screens, walls and segmenters, on pictures of which it is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vbtools.simulate.matte import Screen, Wall, backing, clean_plate, from_segmenter
from vbtools.simulate.texture import over

ROWS, COLUMNS = 180, 320
RNG = np.random.default_rng(8)


def true_alpha(x: int) -> np.ndarray:
    """A figure with a soft edge."""
    alpha = np.zeros((ROWS, COLUMNS), np.uint8)
    cv2.circle(alpha, (x, 70), 34, 255, -1)
    cv2.rectangle(alpha, (x - 60, 110), (x + 60, ROWS), 255, -1)
    return cv2.GaussianBlur(alpha, (0, 0), 1.2)


def figure() -> np.ndarray:
    person = np.zeros((ROWS, COLUMNS, 3), np.uint8)
    person[:110] = (206, 150, 120)
    person[110:] = (60, 62, 110)
    return np.clip(person + RNG.normal(0, 4, person.shape), 0, 255).astype(np.uint8)


def backed(color: tuple[int, int, int]) -> np.ndarray:
    shade = np.linspace(-10, 10, COLUMNS)[None, :, None] + RNG.normal(0, 2, (ROWS, COLUMNS, 1))
    return np.clip(np.array(color) + shade, 0, 255).astype(np.uint8)


def segment(frame: np.ndarray) -> np.ndarray:
    """A stand-in for the model: right, but coarse."""
    person = np.abs(frame.astype(int) - np.median(frame[:8].reshape(-1, 3), axis=0)).max(axis=2) > 40
    coarse = cv2.resize(person.astype(np.uint8) * 255, (64, 36), interpolation=cv2.INTER_AREA)
    return cv2.resize(coarse, (COLUMNS, ROWS), interpolation=cv2.INTER_LINEAR)


@pytest.mark.parametrize(
    ("color", "kind"), [((40, 170, 70), Screen), ((30, 60, 190), Screen), ((214, 206, 196), Wall)], ids=str
)
def test_the_alpha_of_a_figure_before_a_backing_is_found(color, kind):
    samples = [over(figure(), backed(color), true_alpha(x)) for x in (110, 160, 210)]
    found_backing = backing(samples, segment)
    assert isinstance(found_backing, kind)
    frame, alpha = samples[1], true_alpha(160)
    person = found_backing.cut_out(frame, segment(frame))
    error = np.abs(person.alpha.astype(int) - alpha)
    assert error.mean() < 3
    assert error[alpha == 0].mean() < 1.5
    assert error[alpha == 255].mean() < 4
    assert ((person.alpha > 20) & (person.alpha < 235)).any()  # the edge is soft
    edge = (person.alpha > 100) & (alpha < 250)
    assert np.abs(person.rgb[edge].astype(int) - figure()[edge]).mean() < 40  # the backing is taken out of the colours


def test_a_plate_is_the_room_wherever_it_was_seen():
    room = np.clip(backed((120, 130, 140)).astype(int) + (np.arange(COLUMNS) // 8 % 2 * 40)[None, :, None], 0, 255)
    room = room.astype(np.uint8)
    alphas = [true_alpha(x) for x in (130, 145, 160, 175, 190)]
    plate = clean_plate([over(figure(), room, a) for a in alphas], lambda f: _nearest(f, room, alphas))
    assert 0.5 < plate.known.mean() < 1
    assert np.abs(plate.background.astype(int) - room)[plate.known].max() <= 1
    always = np.min(alphas, axis=0) == 255
    assert not plate.known[always].any()


def _nearest(frame: np.ndarray, room: np.ndarray, alphas: list[np.ndarray]) -> np.ndarray:
    """The alpha that the frame was made with."""
    return min(alphas, key=lambda a: float(np.abs(over(figure(), room, a).astype(int) - frame).mean()))


def test_an_estimate_from_a_segmenter_follows_the_edge():
    frame, alpha = over(figure(), backed((214, 206, 196)), true_alpha(160)), true_alpha(160)
    found = from_segmenter(frame, segment(frame)) * 255
    assert np.abs(found - alpha).mean() < 6
