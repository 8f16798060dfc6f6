"""How alike passages of the person's edge show a place, block by block: each pair of them is two measurements.

Two passages have errors of their own and the room in common, so their covariance within a block is the room's power
there, and their correlation says how well one of them shows it. Nothing is pooled from beyond the block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbtools.ops.compiled import njit
from vbtools.ops.leak import HALF_PASSAGE

F32 = NDArray[np.float32]

LEAST_SEEN = np.float32(0.03)
"""Weight, 0-1, that both of a pair must have at a pixel."""
NOISE = np.float32(1.0)
"""Grey levels squared, added to either variance: what is weaker than that agrees by chance."""
LEAST_PAIRS = np.float32(0.01)
"""Mean weight of a block's pairs below which they say nothing."""
KINDS = 3
_N, _X, _Y, _XY, _XX, _YY = range(6)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Over pairs of passages, (rows, columns) float32 each.

    Attributes:
        passages: correlation of different passages, -1 to 1; 0 where there are none.
        apart: the same of those that also lay over the block at different distances.
        near_far: correlation of what was seen nearer to the mask with what was seen farther from it.
        seen: mean weight of the pairs of passages.
    """

    passages: F32
    apart: F32
    near_far: F32
    seen: F32


def pairs(total: F32, weight: F32, side: int) -> Pairs:
    """Compare the passages in each block of ``side`` px; 0.1 s at 720p.

    Args:
        total, weight: (P, 2, H, W) float32, as :func:`vbtools.ops.fringe.add_to_passages` makes them.
        side: px.
    """
    height, width = total.shape[2:]
    moments = np.zeros((KINDS, 4, -(-height // side), -(-width // side)), np.float32)
    _moments(total, weight, side, np.float32(HALF_PASSAGE), moments)
    both, one, other, seen = moments.swapaxes(0, 1)
    r = both / np.sqrt((one + NOISE * seen) * (other + NOISE * seen) + np.float32(1e-9))
    r[seen <= LEAST_PAIRS] = 0
    return Pairs(r[0], r[1], r[2], seen[0])


@njit(nogil=True, cache=True)
def _moments(total: Any, weight: Any, side: Any, half: Any, out: Any) -> None:
    """Weighted covariance, both variances, and weight, each a mean over the block, summed over pairs.

    Args:
        total, weight: (P, 2, H, W) float32.
        side: px.
        half: float32: summed squared opacity at which a passage counts half.
        out: (KINDS, 4, rows, columns) float32, written: pairs of passages; those of different distances; near and far.
    """
    count, height, width = total.shape[0], total.shape[2], total.shape[3]
    one = np.empty((2, count + 1, 3), np.float32)  # weight and weighted value: near, far, both; last row: all passages
    passages = count * (count - 1) // 2
    sums = np.empty((3 * passages + 1, 6))
    for row in range(out.shape[2]):
        for column in range(out.shape[3]):
            sums[:] = 0
            y1, x1 = min((row + 1) * side, height), min((column + 1) * side, width)
            for y in range(row * side, y1):
                for x in range(column * side, x1):
                    if _look(total, weight, y, x, half, one):
                        _compare(one, sums)
            area = (y1 - row * side) * (x1 - column * side)
            for k in range(len(sums)):
                kind = 0 if k < passages else 1 if k < 3 * passages else 2
                _close(sums[k], area, out[kind, :, row, column])


@njit(nogil=True, inline="always")
def _look(total: Any, weight: Any, y: Any, x: Any, half: Any, one: Any) -> Any:
    """Weights and weighted values of a pixel into ``one``; whether there are any."""
    one[:, -1] = 0
    for p in range(total.shape[0]):
        for g in range(2):
            share = weight[p, g, y, x] + half
            one[0, p, g], one[1, p, g] = weight[p, g, y, x] / share, total[p, g, y, x] / share
            one[0, -1, g] += one[0, p, g]
            one[1, -1, g] += one[1, p, g]
        one[0, p, 2], one[1, p, 2] = one[0, p, 0] + one[0, p, 1], one[1, p, 0] + one[1, p, 1]
    return one[0, -1, 0] + one[0, -1, 1] >= LEAST_SEEN


@njit(nogil=True, inline="always")
def _compare(one: Any, sums: Any) -> None:
    """Add a pixel to the sums of every pair."""
    count, k = one.shape[1] - 1, 0
    for p in range(count):
        for q in range(p):
            _add(sums[k], one[0, p, 2], one[1, p, 2], one[0, q, 2], one[1, q, 2])
            k += 1
    for p in range(count):
        for q in range(count):
            if p != q:
                _add(sums[k], one[0, p, 0], one[1, p, 0], one[0, q, 1], one[1, q, 1])
                k += 1
    _add(sums[k], one[0, count, 0], one[1, count, 0], one[0, count, 1], one[1, count, 1])


@njit(nogil=True, inline="always")
def _add(sums: Any, w: Any, v: Any, other_w: Any, other_v: Any) -> None:
    """Add a pixel of two measurements, weights w and weighted values v, to the sums of a pair."""
    if w > LEAST_SEEN and other_w > LEAST_SEEN:
        n, x, y = np.sqrt(w * other_w), v / w, other_v / other_w
        sums[_N] += n
        sums[_X] += n * x
        sums[_Y] += n * y
        sums[_XY] += n * x * y
        sums[_XX] += n * x * x
        sums[_YY] += n * y * y


@njit(nogil=True, inline="always")
def _close(sums: Any, area: Any, out: Any) -> None:
    """Add a pair's moments about its means to its kind's."""
    n = sums[_N]
    if n > 0:
        out[0] += (sums[_XY] - sums[_X] * sums[_Y] / n) / area
        out[1] += (sums[_XX] - sums[_X] ** 2 / n) / area
        out[2] += (sums[_YY] - sums[_Y] ** 2 / n) / area
        out[3] += n / area
