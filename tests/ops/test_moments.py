"""Sums over frames, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from vbtools.ops.moments import Sums

SIZE = (7, 9)


@pytest.mark.parametrize("everywhere", [True, False])
def test_sums_are_those_of_the_frames(everywhere: bool) -> None:
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (12, *SIZE, 3), np.uint8)
    gray = pixels[..., 1].copy()
    seen = np.ones((12, *SIZE), np.uint8) if everywhere else rng.integers(0, 2, (12, *SIZE)).astype(np.uint8)
    far = seen & rng.integers(0, 2, (12, *SIZE)).astype(np.uint8)
    sums = Sums(SIZE)
    for t in range(12):
        sums.add(pixels[t], gray[t], None if everywhere else seen[t], far[t])
    assert np.array_equal(sums.total, (pixels * far[..., None]).sum(axis=0, dtype=np.int64))
    for moments, mask in ((sums.whole, seen), (sums.away, far)):
        values = np.where(mask > 0, gray, np.nan).astype(np.float64)
        values[:, ~mask.any(axis=0)] = 0
        assert np.array_equal(moments.count, mask.sum(axis=0, dtype=np.int64))
        assert moments.deviation() == pytest.approx(np.nanstd(values, axis=0), abs=1e-4)


def test_what_is_behind_the_person_is_what_is_left() -> None:
    sums = Sums(SIZE)
    pixels = np.zeros((*SIZE, 3), np.uint8)
    far = np.zeros(SIZE, np.uint8)
    far[:, :4] = 1
    for value, where in ((10, far), (30, 1 - far), (50, 1 - far)):
        sums.add(pixels, np.full(SIZE, value, np.uint8), None, where)
    mean, known = sums.whole.without(sums.away, enough=2)
    assert (mean[:, :4] == 40).all()
    assert known[:, :4].all()
    assert not known[:, 4:].any()
