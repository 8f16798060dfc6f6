"""One affine motion that most of a picture follows, and changing the grid that it is written for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_POINTS = 6000  # a fit of 6 numbers gains nothing from more
_ROUNDS = 12
_TUKEY = 4.685  # 95 % efficiency on Gaussian residuals: Holland and Welsch, Comm. Statist. A 6 (1977) 813-827
_MAD_TO_SIGMA = 1.4826
_LEAST_SPREAD = 0.02  # px: below this, residuals are numerical noise and nothing is an outlier


def fit_affine(flow: F32, weight: F32) -> F64 | None:
    """The affine map that a backward flow follows, by iteratively reweighted least squares (Tukey's biweight).

    Args:
        flow: (h, w, 2) float32, (dx, dy) in px of its own grid.
        weight: (h, w) float32, at least 0: how much each pixel counts; 0 leaves it out.

    Returns:
        (2, 3) float64: ``(x, y, 1) -> (x + dx, y + dy)``; None where too few pixels count to tell.
    """
    usable = np.flatnonzero(weight > 0)
    if usable.size < 12:
        return None
    picked = usable[:: max(1, usable.size // _POINTS)]
    y, x = np.unravel_index(picked, weight.shape)
    centre = np.array([weight.shape[1] / 2, weight.shape[0] / 2])
    span = float(max(weight.shape)) / 2
    points = np.stack([(x - centre[0]) / span, (y - centre[1]) / span, np.ones(picked.size)], axis=1)
    target = flow[y, x].astype(np.float64)
    given = weight[y, x].astype(np.float64)
    solution = _reweighted(points, target, given)
    if solution is None:
        return None
    linear = solution[:2].T / span
    offset = solution[2] - linear @ centre
    return np.column_stack([linear + np.eye(2), offset])


def _reweighted(points: F64, target: F64, given: F64) -> F64 | None:
    """Rows of ``target (n, 2)`` as a linear function of ``points (n, 3)``; None where the points lie on a line."""
    robust = np.ones_like(given)
    solution = np.zeros((3, 2))
    solution[2] = np.median(target, axis=0)
    for _ in range(_ROUNDS):
        residual = np.hypot(*(target - points @ solution).T)
        spread = max(_MAD_TO_SIGMA * float(np.median(residual)), _LEAST_SPREAD)
        robust = np.clip(1 - (residual / (_TUKEY * spread)) ** 2, 0, None) ** 2
        scaled = points * (given * robust)[:, None]
        normal = scaled.T @ points
        if np.linalg.cond(normal) > 1e10:
            return None
        update = np.linalg.solve(normal, scaled.T @ target)
        settled = np.abs(update - solution).max() < 1e-4
        solution = update
        if settled:
            break
    return solution


def affine_flow(transform: F64, shape: tuple[int, int]) -> F32:
    """The backward flow (h, w, 2) float32, px, of an affine map (2, 3)."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    moved = [row[0] * x + row[1] * y + row[2] for row in transform]
    return np.stack([moved[0] - x, moved[1] - y], axis=-1).astype(np.float32)


def compose(outer: F64, flow: F32) -> F32:
    """The backward flow of ``x -> outer(x + flow(x))``: (h, w, 2) float32, px; ``outer`` is (2, 3)."""
    y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    u, v = x + flow[..., 0], y + flow[..., 1]
    moved = [float(row[0]) * u + float(row[1]) * v + float(row[2]) for row in outer]
    return np.stack([moved[0] - x, moved[1] - y], axis=-1).astype(np.float32)


def regrid(transform: F64, grid: tuple[int, int], size: tuple[int, int]) -> F64:
    """An affine map (2, 3) written for a grid (gh, gw) rewritten for another one (H, W) over the same picture."""
    scale = np.array([size[1] / grid[1], size[0] / grid[0]])
    to = np.diag([scale[0], scale[1], 1.0])
    to[:2, 2] = 0.5 * scale - 0.5
    full = np.vstack([transform, [0.0, 0.0, 1.0]])
    moved: F64 = (to @ full @ np.linalg.inv(to))[:2]
    return moved
