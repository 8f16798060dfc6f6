"""Fit the weights of ``vbtools.ops.confidence`` on calls whose room is known, and say how well each call is foretold.

    python bench/confidence.py [--simulated FOLDER ...]

The calls are those of ``bench/_composites.py`` and, where given, folders that ``vbtools simulate`` wrote (any
profile; those behind the weights in the code: jitsi, jitsi-slight, livekit, lfbw, shiguredo and gaussian, seeds 11 to
16, 9 s). Each is foretold by the others. The last row of each kind of nothing says how much would be believed there.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from _composites import NOTHING, SCENES, Call, Man, call, nothing, read, recovered

from vbtools.backends.aggregate import leak
from vbtools.ops.confidence import FEATURES, confidence
from vbtools.ops.detail import CONTRAST, STRUCTURE_R, TEXTURE, detail

PER_CALL = 300.0
"""Weight of a call, whatever its number of blocks."""
RIDGE = 1.0
ROUNDS = 60
BELIEVED = 0.8


def blocks(plane: np.ndarray, side: int) -> np.ndarray:
    """Means of blocks (rows, columns)."""
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    return plane[: rows * side, : columns * side].reshape(rows, side, columns, side).mean(axis=(1, 3))


def samples(made: Call) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (n, F), whether the block shows the room (n,), and whether the room has texture there (n,).

    Blocks count where the fringe was over a third of them, and the room has texture or the estimate shows some.
    """
    found = recovered(made)
    size = found.support.shape
    truth = found.picture if made.room is None else made.room
    shown = detail(found.picture, truth, found.coverage > 0)
    planes = [leak._enlarged(plane, found.grid, size) for plane in found.given]
    given = np.stack([blocks(plane, shown.block) for plane in planes], axis=-1)
    near = blocks((found.support > 0).astype(np.float32), shown.block) > 1 / 3
    if made.room is None:
        return given[near], np.zeros(int(near.sum()), np.bool_), np.ones(int(near.sum()), np.bool_)
    counts = near & (shown.textured | (shown.estimate_std >= TEXTURE))
    right = (shown.r > STRUCTURE_R) & (shown.textured | (shown.ratio < 2 * CONTRAST[1]))
    return given[counts], right[counts], shown.textured[counts]


def fitted(calls: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> np.ndarray:
    """Weights (F + 1,) by penalised maximum likelihood; every call weighs the same."""
    given = np.concatenate([c[0] for c in calls]).astype(np.float64)
    right = np.concatenate([c[1] for c in calls]).astype(np.float64)
    weight = np.concatenate([np.full(len(c[1]), PER_CALL / max(len(c[1]), 1)) for c in calls])
    mean, spread = given.mean(axis=0), given.std(axis=0)
    design = np.column_stack([np.ones(len(given)), (given - mean) / spread])
    penalty = RIDGE * (np.arange(design.shape[1]) > 0)
    w = np.zeros(design.shape[1])
    for _ in range(ROUNDS):
        p = 1 / (1 + np.exp(-design @ w))
        slope = design.T @ (weight * (p - right)) + penalty * w
        curve = (design * (weight * p * (1 - p))[:, None]).T @ design + np.diag(penalty + 1e-6)
        w -= np.linalg.solve(curve, slope)
    return np.concatenate([[w[0] - (w[1:] * mean / spread).sum()], w[1:] / spread])


def told(name: str, one: tuple[np.ndarray, np.ndarray, np.ndarray], weights: np.ndarray) -> str:
    """One row of the table."""
    given, right = (part[one[2]] for part in one[:2])
    p = confidence(np.ascontiguousarray(given.T[:, :, None]), weights)[:, 0]
    sure, cell = p >= BELIEVED, np.minimum((10 * p).astype(int), 9)
    gaps = [abs(right[cell == k].mean() - p[cell == k].mean()) * (cell == k).mean() for k in np.unique(cell)]
    precision = f"{right[sure].mean():.2f}" if sure.any() else "-"
    reach = f"{(sure & right).sum() / right.sum():.2f}" if right.any() else "-"
    return f"{name:32} {len(p):6} {int(right.sum()):6} {int(sure.sum()):8} {precision:>10} {reach:>6} {sum(gaps):5.3f}"


def main() -> int:
    """Print each call foretold by the others, then the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulated", nargs="*", type=Path, default=[])
    folders = parser.parse_args().simulated
    man = Man.load()
    known = {name: samples(call(name, man)) for name in SCENES}
    for folder in folders:
        room = cv2.imread(str(folder / "background.png"))[..., ::-1]
        known[folder.name] = samples(Call(folder.name, read(folder / "blurred.mp4"), room))
    print(f"{'call':32} {'blocks':>6} {'shown':>6} {'p >= 0.8':>8} {'of them r' :>10} {'reach':>6} {'ECE':>5}")
    for name, one in known.items():
        print(told(name, one, fitted([other for key, other in known.items() if key != name])))
    weights = fitted(list(known.values()))
    for name in NOTHING:
        print(told(name, samples(nothing(name, man)), weights))
    print("\nWEIGHTS = np.array([" + ", ".join(f"{w:.3f}" for w in weights) + "])")
    print("for: intercept, " + ", ".join(FEATURES))
    return 0


if __name__ == "__main__":
    sys.exit(main())
