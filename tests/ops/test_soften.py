"""The small kernels of products' masks and blurs, against slow and obvious ones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbtools.ops import soften

RNG = np.random.default_rng(4)


def test_outside_a_transparent_border_there_is_nothing():
    white = np.full((60, 80), 255, np.uint8)
    dark = soften.gaussian(white, 6, 0, "transparent")
    inside = 0.5 + 0.5 / (6 * np.sqrt(2 * np.pi))  # half of the kernel, and the other half of its middle tap
    assert dark[30, 0] == pytest.approx(255 * inside, abs=2)
    assert dark[0, 0] == pytest.approx(255 * inside**2, abs=2)
    assert dark[30, 40] == 255
    for border in ("mirror", "clamp"):
        assert soften.gaussian(white, 6, 0, border).min() == 255


def test_an_even_box_is_the_mean_of_its_window():
    values = RNG.random((12, 15)).astype(np.float32)
    found = soften.box(values, 4, "clamp")
    padded = np.pad(values, 2, mode="edge")
    for y, x in ((0, 0), (5, 7), (11, 14)):
        assert found[y, x] == pytest.approx(padded[y : y + 4, x : x + 4].mean(), abs=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_shrunken_taps_are_the_shaders_sum(dtype):
    picture = (RNG.random((24, 40, 3)) * 255).astype(dtype)
    found = soften.shrunken_taps(picture, 4, 2, 2)
    small = np.stack([  # the middle of a 4x4 block lies between four pixels
        picture[1::4, 1::4], picture[1::4, 2::4], picture[2::4, 1::4], picture[2::4, 2::4]
    ]).astype(np.float64).mean(axis=0)  # fmt: skip
    small = np.floor(small + 0.5) if dtype == np.uint8 else small
    weights = np.exp(-(np.arange(-2, 3) ** 2) / 8.0)
    weights /= weights.sum()
    for axis in (0, 1):
        pad = [(2, 2) if a == axis else (0, 0) for a in range(3)]
        wide = np.pad(small, pad, mode="edge")
        small = sum(w * np.take(wide, range(i, i + small.shape[axis]), axis) for i, w in enumerate(weights))
        small = np.rint(small) if dtype == np.uint8 else small
    expected = cv2.resize(small.astype(dtype), (40, 24), interpolation=cv2.INTER_LINEAR)
    assert found.dtype == dtype
    assert np.abs(found.astype(float) - expected).max() <= (2 if dtype == np.uint8 else 1e-3)  # two passes round


@given(low=st.floats(0, 0.9), span=st.floats(0.01, 0.1), value=st.floats(0, 1))
def test_smoothstep_is_glsl(low, span, value):
    t = min(1.0, max(0.0, (value - low) / span))
    found = soften.smoothstep(np.array([value], np.float32), low, low + span)
    assert found[0] == pytest.approx(t * t * (3 - 2 * t), abs=1e-3)


def test_smoothstep_is_a_step_where_its_edges_meet():
    assert soften.smoothstep(np.array([0.2, 0.8], np.float32), 0.5, 0.5).tolist() == [0.0, 1.0]


def test_hysteresis_holds_what_lies_between():
    before = np.array([0, 1, 0, 1], np.float32)
    now = np.array([0.5, 0.5, 0.9, 0.1], np.float32)
    assert soften.hysteresis(now, before, 0.3, 0.7).tolist() == [0, 1, 1, 0]


def test_a_sharpened_edge_is_a_few_pixels_wide_at_the_masks_half():
    mask = np.repeat(np.clip((np.arange(64) - 23.5) / 17, 0, 1)[None], 8, axis=0).astype(np.float32)
    found = soften.sharpened_edge(mask, 2.0)[4]
    soft = (found > 0.02) & (found < 0.98)
    assert 2 <= soft.sum() <= 5
    assert found[:29].max() == 0
    assert found[36:].min() == 1
