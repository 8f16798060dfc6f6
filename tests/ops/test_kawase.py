"""Blurs of few taps: against the shaders written out, and as wide as they are known to be."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vbtools.ops import kawase as passes

RNG = np.random.default_rng(5)
PICTURE = RNG.integers(0, 256, (18, 23, 3), dtype=np.uint8)
SHARE = np.where(RNG.random((18, 23)) < 0.3, 0, RNG.random((18, 23))).astype(np.float32)


def between(values: np.ndarray, y: float, x: float) -> np.ndarray:
    """A linear, clamped texture at a corner of four pixels."""
    rows, columns = (np.clip([int(np.floor(v)), int(np.floor(v)) + 1], 0, n - 1) for v, n in
                     zip((y, x), values.shape, strict=False))  # fmt: skip
    return values[np.ix_(rows, columns)].mean(axis=(0, 1))


def slow_kawase(picture: np.ndarray, number: int, share: np.ndarray) -> np.ndarray:
    for i in range(number):
        source, out = picture.astype(float), picture.copy()
        for y in range(picture.shape[0]):
            for x in range(picture.shape[1]):
                if share[y, x] == 0:
                    continue
                total, used = np.zeros(3), 0.0
                for dy in (-i - 0.5, i + 0.5):
                    for dx in (-i - 0.5, i + 0.5):
                        alpha = between(share, y + dy, x + dx)
                        total += between(source, y + dy, x + dx) * alpha
                        used += alpha
                out[y, x] = np.floor((total + source[y, x] * (4 - used)) / 4 + 0.5)
        picture = out
    return picture


@pytest.mark.parametrize("share", [None, SHARE], ids=["whole", "kept out"])
def test_kawase_is_the_shader(share):
    usable = np.ones(SHARE.shape) if share is None else share
    found = passes.kawase(PICTURE, 3, share)
    assert np.abs(found.astype(int) - slow_kawase(PICTURE, 3, usable)).max() <= 1  # rounding of float32


def test_kawase_leaves_what_is_kept_out_and_keeps_its_colour_out():
    picture = np.full((40, 60, 3), 90, np.uint8)
    picture[:, 20:30] = (255, 0, 0)
    share = np.ones((40, 60), np.float32)
    share[:, 20:30] = 0
    kept, bled = passes.kawase(picture, 6, share).astype(int), passes.kawase(picture, 6).astype(int)
    assert np.array_equal(kept[:, 20:30], picture[:, 20:30])
    beside = np.s_[:, 31:40]  # samples between pixels mix in a little: colour and share are sampled apart
    assert np.abs(kept[beside] - 90).mean() < np.abs(bled[beside] - 90).mean() / 3


@pytest.mark.parametrize(("number", "sigma"), [(5, 6.4), (10, 18.0), (20, 52.0)])
def test_kawase_is_as_wide_as_measured_in_the_product(number, sigma):
    """The figures of shared/vendors.md for OBS."""
    size = 16 * number + 40
    step = np.zeros((9, 2 * size, 3), np.uint8)
    step[:, size:] = 255
    found = passes.kawase(np.repeat(step, 60, axis=0), number)[270, :, 0].astype(float)
    assert width_of(found) == pytest.approx(sigma, rel=0.08)


def width_of(blurred_step: np.ndarray) -> float:
    """Standard deviation of the kernel behind a blurred step, px."""
    kernel = np.maximum(np.diff(blurred_step), 0)
    places = np.arange(kernel.size)
    mean = (kernel * places).sum() / kernel.sum()
    return float(np.sqrt((kernel * (places - mean) ** 2).sum() / kernel.sum()))


def test_nine_taps_are_the_shader():
    taps = [*passes.NINE_TAPS[:0:-1], *passes.NINE_TAPS]
    small = PICTURE[1::2, 1::2][:9, :11].astype(float)
    part = SHARE[1::2, 1::2][:9, :11]
    for axis in (0, 1):
        out = small.copy()
        for y in range(small.shape[0]):
            for x in range(small.shape[1]):
                total, used = np.zeros(3), 0.0
                for k, weight in enumerate(taps):
                    v = int(np.clip(y + (k - 4 if axis == 0 else 0), 0, small.shape[0] - 1))
                    u = int(np.clip(x + (k - 4 if axis == 1 else 0), 0, small.shape[1] - 1))
                    total += weight * part[v, u] * small[v, u]
                    used += weight * part[v, u]
                out[y, x] = np.rint(total + (1 - used) * small[y, x])
        small = out
    found = passes.nine_taps(PICTURE[:, :22], 2, 1, SHARE[:, :22])
    expected = cv2.resize(small.astype(np.uint8), (22, 18), interpolation=cv2.INTER_LINEAR)
    assert np.abs(found.astype(int) - expected).max() <= 2  # float32 sums, rounded twice
    flat = np.full((18, 22, 3), 77, np.uint8)
    assert np.array_equal(passes.nine_taps(flat, 2, 3, SHARE[:, :22]), flat)


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_the_dual_filter_keeps_the_mean_and_widens(levels):
    picture = np.zeros((128, 128), np.float32)
    picture[64, 64] = 1
    found = passes.dual_kawase(picture, levels)
    assert found.sum() == pytest.approx(1, rel=0.03)
    places = np.arange(128) - 64
    sigma = float(np.sqrt((found.sum(axis=0) * places**2).sum() / found.sum()))
    assert 0.8 * 2**levels < sigma < 2.2 * 2**levels
    flat = np.full((50, 70, 3), 91, np.uint8)
    assert np.array_equal(passes.dual_kawase(flat, levels), flat)


def test_no_levels_and_no_passes_change_nothing():
    assert np.array_equal(passes.dual_kawase(PICTURE, 0), PICTURE)
    assert np.array_equal(passes.kawase(PICTURE, 0), PICTURE)
