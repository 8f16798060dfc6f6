"""Frames made smaller by a whole factor."""

import numpy as np
import pytest

from vbtools.ops.shrink import BT601, BT709, half_rgb, third


@pytest.mark.parametrize(("matrix", "full"), [(BT601, False), (BT709, False), (BT601, True), (BT709, True)])
def test_greys_stay_grey_and_reach_black_and_white(matrix, full):
    black, white = (0, 255) if full else (16, 235)
    grey = np.full((2, 4), 128, np.uint8)
    for level, wanted in ((black, 0), ((black + white) // 2, 127), (white, 255)):
        got = half_rgb(np.full((4, 8), level, np.uint8), grey, grey, matrix, full=full)
        assert np.ptp(got) == 0
        assert abs(int(got[0, 0, 0]) - wanted) <= 1


@pytest.mark.parametrize(
    ("matrix", "colour", "yuv"),
    [(BT601, (255, 0, 0), (81, 90, 240)), (BT601, (0, 0, 255), (41, 240, 110)), (BT709, (0, 255, 0), (173, 42, 26))],
)
def test_full_colours_are_those_of_the_standards(matrix, colour, yuv):
    luma, blue, red = (np.full((side, side), value, np.uint8) for side, value in zip((4, 2, 2), yuv, strict=True))
    got = half_rgb(luma, blue, red, matrix, full=False)
    assert np.abs(got.astype(int) - colour).max() <= 3


def test_each_pixel_is_the_mean_of_its_own_four():
    luma = np.array([[16, 17, 235, 235], [16, 19, 16, 16]], np.uint8)
    grey = np.full((1, 2), 128, np.uint8)
    assert half_rgb(luma, grey, grey, BT601, full=True)[0, :, 0].tolist() == [17, 126]


def test_chroma_of_another_size_is_refused():
    with pytest.raises(ValueError, match="chroma of half its sides"):
        half_rgb(np.zeros((4, 6), np.uint8), np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8), BT601, full=False)


def test_a_third_leaves_out_what_is_over():
    plane = np.arange(8 * 10, dtype=np.uint8).reshape(8, 10)
    assert third(plane).tolist() == [[11, 14, 17], [41, 44, 47]]
