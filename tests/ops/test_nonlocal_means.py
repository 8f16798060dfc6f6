"""Non-local means are OpenCV's, byte for byte, for any picture and window."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vbtools.ops import nonlocal_means
from vbtools.ops.nonlocal_means import denoised


def opencvs(planes: np.ndarray, strength: float, template: int, search: int) -> np.ndarray:
    picture = np.ascontiguousarray(np.moveaxis(planes, 0, 2))
    clean = cv2.fastNlMeansDenoising(picture, None, strength, template, search)
    return np.moveaxis(clean.reshape(picture.shape), 2, 0)


def planes_of(seed: int, channels: int, height: int, width: int, spread: float) -> np.ndarray:
    """Blotches with noise of a standard deviation; 0 gives flat planes."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 4 * spread, (channels, height // 4 + 1, width // 4 + 1))
    blotches = coarse.repeat(4, axis=1).repeat(4, axis=2)[:, :height, :width]
    return np.clip(120 + blotches + rng.normal(0, spread, (channels, height, width)), 0, 255).astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    channels=st.sampled_from([1, 2, 3]),
    height=st.integers(1, 70),
    width=st.integers(1, 50),
    spread=st.sampled_from([0.0, 2.0, 8.0, 60.0]),
    strength=st.sampled_from([0.0, 0.5, 3.0, 7.3, 100.0]),
    template=st.sampled_from([1, 3, 5, 7, 9]),
    search=st.sampled_from([3, 7, 21]),
)
def test_it_is_opencvs(seed, channels, height, width, spread, strength, template, search) -> None:
    planes = planes_of(seed, channels, height, width, spread)
    assert np.array_equal(denoised(planes, strength, template, search), opencvs(planes, strength, template, search))


@pytest.mark.parametrize(("template", "search"), [(31, 9), (3, 101), (31, 101)])
def test_the_largest_windows_do_not_overflow(template: int, search: int) -> None:
    black_and_white = np.random.default_rng(1).integers(0, 2, (2, 60, 60), np.uint8) * 255
    for planes, strength in ((black_and_white, 100.0), (np.full((1, 40, 40), 255, np.uint8), 3.0)):
        assert np.array_equal(denoised(planes, strength, template, search), opencvs(planes, strength, template, search))


def test_bands_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    planes = planes_of(2, 2, 90, 40, 8.0)
    whole = denoised(planes, 8.0, 7, 21)
    for rows in (1, 7, 200):
        monkeypatch.setattr(nonlocal_means, "BAND_ROWS", rows)
        assert np.array_equal(denoised(planes, 8.0, 7, 21), whole)
