"""Unobserved pixels: filled without a trace of what they hold, drawn so that nobody takes them for the room."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vbtools.ops.unobserved import fill, hatch, resize_observed, share_observed, show_unobserved


def scene(height: int = 120, width: int = 200) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([40 + columns * 0.7, 60 + rows, 200 - columns * 0.4], axis=-1).round().astype(np.uint8)


def with_hole(height: int = 120, width: int = 200) -> np.ndarray:
    observed = np.ones((height, width), bool)
    observed[30:90, 60:140] = False
    return observed


def test_observed_pixels_are_unchanged_and_the_hole_continues_a_gradient() -> None:
    image, observed = scene(), with_hole()
    black = np.where(observed[..., None], image, 0).astype(np.uint8)
    filled = fill(black, observed)
    assert np.array_equal(filled[observed], image[observed])
    assert np.abs(filled.astype(int) - image)[~observed].mean() < 6


def test_there_is_no_hard_edge_where_the_filling_begins() -> None:
    image, observed = scene(), with_hole()
    filled = fill(np.where(observed[..., None], image, 0).astype(np.uint8), observed).astype(int)
    assert np.abs(np.diff(filled, axis=1)).max() <= 8
    assert np.abs(np.diff(filled, axis=0)).max() <= 8


def test_what_unobserved_pixels_hold_has_no_influence() -> None:
    image, observed = scene().astype(np.float32), with_hole()
    noisy, empty = image.copy(), image.copy()
    noisy[~observed] = np.random.default_rng(0).uniform(0, 255, (np.count_nonzero(~observed), 3))
    empty[~observed] = np.nan
    assert np.array_equal(fill(noisy, observed), fill(empty, observed))
    assert np.isfinite(fill(empty, observed)).all()


def test_where_nothing_is_observed_the_picture_is_mid_grey() -> None:
    assert (fill(scene(), np.zeros((120, 200), bool)) == 128).all()


def test_where_all_is_observed_nothing_changes() -> None:
    image = scene()
    filled = fill(image, np.ones((120, 200), bool))
    assert np.array_equal(filled, image)
    assert filled is not image


@given(arrays(bool, st.tuples(st.integers(1, 23), st.integers(1, 23))), st.integers(0, 255), st.booleans())
def test_a_flat_picture_of_any_size_is_filled_flat(observed: np.ndarray, value: int, grey: bool) -> None:
    shape = observed.shape if grey else (*observed.shape, 3)
    image = np.full(shape, value, np.uint8)
    image[~observed] = 255 - value
    expected = value if observed.any() else 128
    assert (fill(image, observed) == expected).all()


def test_unobserved_pixels_are_drawn_in_two_light_tones_that_cannot_be_black() -> None:
    image, observed = scene(), with_hole()
    shown = show_unobserved(image, observed)
    assert np.array_equal(shown[observed], image[observed])
    tones = np.unique(shown[~observed], axis=0)
    assert len(tones) == 2
    assert tones.min() > 120
    for tone in tones:  # lilac: green is the weakest channel, as on no wall, skin, wood or plant
        assert tone[1] < min(tone[0], tone[2])
    one_row = shown[60, 60:140]
    assert len(np.unique(one_row, axis=0)) == 2  # both tones within any stretch of a row


def test_the_hatch_is_as_coarse_as_the_picture_is_large() -> None:
    for size in (48, 480, 4800):
        row = hatch(4, size)[0, :, 1].astype(int)
        stripes = np.count_nonzero(np.diff(row))
        assert stripes >= 10
        assert stripes <= 2 * 81


def test_share_observed_counts_touched_pixels_and_nothing_beyond_the_picture() -> None:
    observed = np.zeros((10, 10), bool)
    observed[:, :5] = True
    assert share_observed(observed, 0, 0, 10, 10) == 0.5
    assert share_observed(observed, 0, 0, 5, 5) == 1.0
    assert share_observed(observed, 5, 0, 5, 5) == 0.0
    assert share_observed(observed, 3.5, 0, 2, 1) == pytest.approx(2 / 3)
    assert share_observed(observed, -5, 0, 10, 10) == 0.5
    assert share_observed(observed, 20, 20, 5, 5) == 0.0
    assert share_observed(observed, 1, 1, 0, 5) == 0.0


def test_a_larger_mask_blends_nothing() -> None:
    observed = np.array([[True, False], [False, True]])
    larger = resize_observed(observed, 8, 8)
    assert np.array_equal(larger, np.kron(observed, np.ones((4, 4), bool)))
    assert resize_observed(observed, 2, 2) is observed


def test_a_mask_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="height and width"):
        fill(scene(), np.ones((3, 3), bool))
    with pytest.raises(ValueError, match="bool"):
        show_unobserved(scene(), np.ones((120, 200), np.uint8))  # type: ignore[arg-type]
