"""Masks enlarged along a frame's edges, against the filters written out."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from vbtools.ops import along_edges as ae

RNG = np.random.default_rng(6)
FRAME = cv2.resize(RNG.integers(0, 256, (6, 10, 3), dtype=np.uint8), (40, 24), interpolation=cv2.INTER_NEAREST)
MASK = RNG.random((6, 10)).astype(np.float32)


def nearest(mask: np.ndarray) -> np.ndarray:
    return cv2.resize(mask, (40, 24), interpolation=cv2.INTER_NEAREST)


def test_the_joint_bilateral_filter_is_mediapipes():
    sigma = 1.0 * 4
    step = max(1.0, math.sqrt(sigma) * 0.66)
    taps = np.arange(-sigma + step / 2, sigma + 1e-9, step)
    mask, colors = nearest(MASK), FRAME / 255.0
    texel = max(1 / 40, 1 / 24) * sigma
    found = ae.joint_bilateral(MASK, FRAME, 1.0, 0.1)
    for y, x in ((0, 0), (11, 17), (23, 39), (7, 30)):
        total = value = 0.0
        for down in taps:
            for across in taps:
                v, u = np.clip(int(np.floor(y + 0.5 + down)), 0, 23), np.clip(int(np.floor(x + 0.5 + across)), 0, 39)
                away = math.hypot(across / 40, down / 24)
                far = float(np.linalg.norm(colors[y, x] - colors[v, u]))
                weight = math.exp(-0.5 * away**2 / (4 * texel**2 + 1e-6)) * math.exp(-0.5 * far**2 / (4 * 0.01 + 1e-6))
                total, value = total + weight, value + weight * mask[v, u]
        assert found[y, x] == pytest.approx(value / total, abs=2e-4)


def test_the_two_pass_filter_is_the_shader_in_its_first_pass():
    colors = FRAME.astype(float)
    mask = np.rint(nearest(MASK) * 255) / 255
    radius, step = 8, max(1, math.floor(0.5 * 8 / math.log(8)))
    taps = np.arange(1, 9, step)
    weights = np.exp(-0.5 * (taps / 40 / (max(1 / 40, 1 / 24) * 8)) ** 2)
    found = ae._one_pass(mask.astype(np.float32), FRAME, taps, weights, 1, radius, 0.1)
    for y, x in ((0, 0), (12, 20), (23, 39)):
        total, value = 1.0, mask[y, x]
        for tap, weight in zip(taps, weights, strict=True):
            for u in (np.clip(x + tap, 0, 39), np.clip(x - tap, 0, 39)):
                far = int(np.linalg.norm(colors[y, x] - colors[y, u]))
                w = weight * math.exp(-0.5 * (far / 255 / 0.1) ** 2) if far < 256 else 0.0
                total, value = total + w, value + w * mask[y, u]
        assert found[y, x] == pytest.approx(value / total, abs=1e-4)


@pytest.mark.parametrize("enlarge", [
    lambda m, f: ae.joint_bilateral(m, f, 1.0, 0.1), lambda m, f: ae.two_pass_bilateral(m, f, 8.0, 0.1),
    lambda m, f: ae.guided(m, f, 2, 5, 1e-4), lambda m, f: ae.snapped(m, f, 8, 0.05, 0.2),
])  # fmt: skip
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_where_all_is_one_thing_it_stays_so(enlarge, level):
    found = enlarge(np.full((6, 10), level, np.float32), FRAME)
    assert found.shape == (24, 40)
    assert np.abs(found - level).max() < 1e-3


def test_bilateral_masks_follow_an_edge_of_the_frame():
    frame = np.full((72, 128, 3), 230, np.uint8)
    frame[:, 61:] = 20  # the true edge; the mask's own is at 64
    mask = np.zeros((9, 16), np.float32)
    mask[:, 8:] = 1
    for found in (ae.joint_bilateral(mask, frame, 1.0, 0.1), ae.two_pass_bilateral(mask, frame, 2.0, 0.1)):
        assert found[36, 62] > 0.5
        assert found[36, 59] < 0.2


def test_a_guided_mask_is_a_local_linear_function_of_the_luma():
    frame = np.repeat(RNG.integers(0, 256, (32, 48, 1), dtype=np.uint8), 3, axis=2)
    mask = 0.2 + 0.5 * frame[..., 0].astype(np.float32) / 255
    found = ae.guided(mask, frame, 1, 9, 1e-9)
    assert np.abs(found - mask).max() < 1e-3


def test_a_snapped_mask_is_softened_unless_the_frame_has_an_edge():
    mask = np.zeros((9, 16), np.float32)
    mask[:, 8:] = 1
    flat, striped = np.full((72, 128, 3), 120, np.uint8), np.zeros((72, 128, 3), np.uint8)
    striped[:, ::4] = striped[:, 1::4] = 255
    soft, snapped = (ae.snapped(mask, frame, 16, 0.05, 0.2)[36] for frame in (flat, striped))
    assert 0.15 < soft[56] < 0.35  # a quarter of the taps' weight lies two mask pixels to the right
    assert snapped[54] < 0.05
