"""Fit the trees of ``vbtools.ops.confidence``: gradient boosting of the log odds by trees of three questions.

Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 2001, with Newton steps;
a feature that can only speak for (or against) the room may only raise (or lower) the odds. No chance is involved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ROUNDS, RATE = 600, 0.2
BOUNDS = 48
"""Bounds that are tried of each feature, at even shares of the samples."""
RIDGE, LEAST_CURVE = 20.0, 20.0
"""Added to a leaf's curvature, and the least that it must have: some 80 samples of even odds."""


@dataclass(frozen=True, slots=True)
class _Split:
    """A question, and the samples of either answer with the log odds that they may have."""

    feature: int
    bound: float
    sides: tuple[np.ndarray, np.ndarray]
    limits: tuple[tuple[float, float], tuple[float, float]]


class Boosting:
    """The samples: features (n, F), whether right (n,), weights (n,), and which way each feature may act (F,)."""

    def __init__(self, given: np.ndarray, right: np.ndarray, weight: np.ndarray, rising: Sequence[int]) -> None:
        self._right, self._weight, self._rising = right.astype(float), weight, np.array(rising)
        shares = np.linspace(0, 1, BOUNDS + 1)[1:-1]
        self._bounds = [np.unique(np.quantile(column, shares).astype(np.float32)) for column in given.T]
        self._cells = np.stack(
            [np.searchsorted(b, column) for b, column in zip(self._bounds, given.T, strict=True)], axis=1
        )

    def fit(self) -> tuple[float, np.ndarray]:
        """Start and trees (n, 10), as :func:`vbtools.ops.confidence.confidence` takes them."""
        share = float(np.average(self._right, weights=self._weight))
        start = float(np.log(share / (1 - share)))
        score = np.full(len(self._right), start)
        trees = [self._tree(score) for _ in range(ROUNDS)]
        return start, np.array(trees)

    def _tree(self, score: np.ndarray) -> list[float]:
        p = 1 / (1 + np.exp(-score))
        slope, curve = self._weight * (self._right - p), self._weight * p * (1 - p)
        everything = np.arange(len(score))
        first = self._split(everything, (-np.inf, np.inf), slope, curve)
        questions, odds = [float(first.feature), first.bound], []
        for side, limits in zip(first.sides, first.limits, strict=True):
            second = self._split(side, limits, slope, curve)
            questions += [float(second.feature), second.bound]
            for leaf, within in zip(second.sides, second.limits, strict=True):
                step = RATE * _odds(slope[leaf].sum(), curve[leaf].sum(), within)
                score[leaf] += step
                odds.append(step)
        return questions + odds

    def _split(self, chosen: np.ndarray, limits: tuple[float, float], slope: np.ndarray, curve: np.ndarray) -> _Split:
        """The question that gains most; one that all answer alike where none gains."""
        best, gain = None, 0.0
        whole = _gain(slope[chosen].sum(), curve[chosen].sum())
        for f, bounds in enumerate(self._bounds):
            cells, size = self._cells[chosen, f], len(bounds) + 1
            low_slope = np.cumsum(np.bincount(cells, slope[chosen], size))
            low_curve = np.cumsum(np.bincount(cells, curve[chosen], size))
            high_slope, high_curve = low_slope[-1] - low_slope, low_curve[-1] - low_curve
            low, high = _odds(low_slope, low_curve, limits), _odds(high_slope, high_curve, limits)
            allowed = (low_curve > LEAST_CURVE) & (high_curve > LEAST_CURVE) & (self._rising[f] * (high - low) >= 0)
            gains = np.where(allowed, _gain(low_slope, low_curve) + _gain(high_slope, high_curve) - whole, 0)[:-1]
            if gains.size and gains.max() > gain:
                k = int(gains.argmax())
                best, gain = (f, k, float(low[k] + high[k]) / 2), float(gains[k])
        if best is None:
            return _Split(0, np.inf, (chosen, chosen[:0]), (limits, limits))
        f, k, middle = best
        below, above = (limits[0], min(limits[1], middle)), (max(limits[0], middle), limits[1])
        order = {1: (below, above), -1: (above, below), 0: (limits, limits)}[int(self._rising[f])]
        more = self._cells[chosen, f] > k
        return _Split(f, float(self._bounds[f][k]), (chosen[~more], chosen[more]), order)


def _odds(slope: np.ndarray, curve: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return np.clip(slope / (curve + RIDGE), *limits)


def _gain(slope: np.ndarray, curve: np.ndarray) -> np.ndarray:
    return slope**2 / (curve + RIDGE)
