"""Fit the trees of ``vbtools.ops.confidence`` by LightGBM (Ke et al., NeurIPS 2017): gradient boosting of the log odds
(Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 2001).

A feature that can only speak for (or against) the room may only raise (or lower) the odds. The same samples give the
same trees: what chance there is, is seeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightgbm
import numpy as np

from vbtools.ops.confidence import DEPTH, LEAVES, QUESTIONS

ROUNDS = 1300
"""From 600 on each fourth of the calls is foretold no better by the rest, but more decidedly, and still rightly."""
SETTINGS = {
    "objective": "binary", "boost_from_average": False, "max_depth": DEPTH, "num_leaves": LEAVES, "learning_rate": 0.2,
    # some 80 samples of even odds a leaf, and as much again against it
    "min_sum_hessian_in_leaf": 20.0, "lambda_l2": 20.0,
    "max_bin": 63, "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1, "use_missing": False,
    "seed": 1, "deterministic": True, "force_row_wise": True, "verbose": -1,
}  # fmt: skip


def fit(
    given: np.ndarray, right: np.ndarray, weight: np.ndarray, rising: Sequence[int]
) -> tuple[float, np.ndarray]:
    """Start and trees, as :func:`vbtools.ops.confidence.confidence` takes them.

    Args:
        given: (n, F) features.
        right: (n,) bool.
        weight: (n,) float.
        rising: which way each feature may act (F,): 1, -1, or 0 for either.
    """
    share = float(np.average(right, weights=weight))
    start = float(np.log(share / (1 - share)))
    samples = lightgbm.Dataset(given, right.astype(float), weight=weight, init_score=np.full(len(right), start))
    fitted = lightgbm.train({**SETTINGS, "monotone_constraints": list(rising)}, samples, ROUNDS)
    return start, np.stack([_row(tree["tree_structure"]) for tree in fitted.dump_model()["tree_info"]])


def _row(root: dict[str, Any]) -> np.ndarray:
    """A tree as a row: features and bounds of its questions, level by level, and the odds of its leaves."""
    features, bounds, odds = np.zeros(QUESTIONS), np.full(QUESTIONS, np.inf), np.zeros(LEAVES)

    def put(node: dict[str, Any], k: int) -> None:
        asks = "split_feature" in node
        if k >= QUESTIONS:
            odds[k - QUESTIONS] = node["leaf_value"]
            return
        if asks:
            features[k], bounds[k] = node["split_feature"], node["threshold"]
        put(node["left_child"] if asks else node, 2 * k + 1)
        put(node["right_child"] if asks else node, 2 * k + 2)

    put(root, 0)
    return np.concatenate([features, bounds, odds])
