"""Objects found on an estimate, against what the same detector finds on the clean background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbtools.ops.unobserved import share_observed

Mask = NDArray[np.bool_]

SAME_BOX = 0.5
"""Intersection over union from which two boxes of one label are the same object (Pascal VOC's measure)."""
LEAST_OBSERVED = 0.5
"""An object is scored if so much of its box was ever observed."""


def score_objects(
    there: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]], observed: Mask
) -> dict[str, Any]:
    """Match detections; each object is found at most once, the most certain detection first.

    Args:
        there: detections on the clean background: ``label``, ``x``, ``y``, ``width``, ``height`` (px of the mask),
            ``confidence``.
        found: detections on the estimate.
        observed: (H, W) bool.

    Returns:
        ``objects`` (on the clean background), ``observed`` (of these), ``found`` and ``recall`` (of the observed ones;
        None where there is none), ``false`` (detections that match none), ``labels`` (of those found).
    """
    boxes = ("x", "y", "width", "height")
    open_ones = [one for one in there if share_observed(observed, *(one[side] for side in boxes)) >= LEAST_OBSERVED]
    scored, labels, false = len(open_ones), [], 0
    for one in sorted(found, key=lambda row: -row["confidence"]):
        same = [other for other in there if other["label"] == one["label"] and overlap(one, other) >= SAME_BOX]
        unmatched = [other for other in same if other in open_ones]
        if unmatched:
            best = unmatched[int(np.argmax([overlap(one, other) for other in unmatched]))]
            open_ones.remove(best)
            labels.append(best["label"])
        elif not same:
            false += 1
    recall = len(labels) / scored if scored else None
    return {
        "objects": len(there), "observed": scored, "found": len(labels), "recall": recall, "false": false,
        "labels": labels,
    }  # fmt: skip


def overlap(a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    """Intersection over union of two boxes, 0-1."""
    width = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
    height = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return float(both / (a["width"] * a["height"] + b["width"] * b["height"] - both))
