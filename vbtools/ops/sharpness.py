"""How sharp each part of a frame is, and which frames of a call are much sharper than it usually is.

A product that is switched on late, fails, or is muted and unmuted shows the room as it is for an instant: one raw
frame is worth more than all that can be won from the blurred ones. Every frame is measured on a grid of cells; a
frame is *unprotected* where enough cells are far more detailed than usual there **and** show the same thing as usual
(their mean brightness agrees), so that a sharp person who walks through a blurred room is not mistaken for the room.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.cells import means

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

GRID = (16, 9)  # cells across and down
CELLS = GRID[0] * GRID[1]
FINE_GRID = (32, 18)  # 2x2 of these make one of those
# Noise and coding errors of a flat cell have an r.m.s. of 0.5 to 1 grey level after the filter (vendor clips,
# 1.2 Mbit/s); adding it keeps their ratios at 1.
FLOOR = 1.0
STEPS = 24  # steps an octave in which detail is kept: 2.9 % each, and a byte reaches 1600 times the floor
# Frames of clean.mkv spliced into four vendors' blurred clips, coded at 1.2 Mbit/s: at least 71 % of the cells exceed
# 2.5 times their usual detail and keep their brightness, for the weakest blur too. Of all other frames, and of clean
# clips, at most 6 % of the cells do; in made-up calls where a person walks in or comes close, up to 17 %.
# (Held by tests/ops/test_call.py and tests/stages/test_extract.py.)
MUCH_SHARPER = 2.5
MIN_SHARE = 0.12  # of the cells; lower than what a room with detail shows, for rooms that are mostly wall
# Of the cells that turned sharp, this share must show what they usually show. A person who comes close or walks in
# covers cells too, and some of them happen to be as bright as the room (a third, in made-up calls; of raw frames 90 %).
ROOM_SHARE = 0.7
MIN_SOFTER_SHARE = 0.3  # people, compression and fades make up to 12 % of the cells softer (kt_demo.webm)
SAME_LEVEL = 16.0  # grey levels, after the change of exposure; blurring changes a cell's mean by less than 12
EXPOSURE = 30.0  # grey levels; more than this is no exposure drift
# The usual is taken over the whole call and over pieces of it, since a camera may be nudged and light changes.
PIECE_S = 120.0  # s
BATCH = 2048  # frames judged at a time, which bounds the memory


@dataclass(frozen=True, slots=True)
class Sharpness:
    """What :func:`judge` finds for ``T`` frames.

    Attributes:
        unprotected: ``(T,)`` bool: much sharper than usual.
        softer: ``(T,)`` bool: much less sharp than usual, in 30 % of the cells.
        ratio: ``(T,)`` float32, > 0: detail against the usual, median of the cells that show what they usually show.
    """

    unprotected: NDArray[np.bool_]
    softer: NDArray[np.bool_]
    ratio: F32


@dataclass(frozen=True, slots=True)
class Cells:
    """Detail and brightness of a frame, cell by cell.

    Attributes:
        detail, level: ``(144,)`` uint8, rows of :data:`GRID`: detail in steps of 1/24 octave above the noise floor, and
            mean luma.
        fine_detail, fine_level: ``(18, 32)`` uint8, the same of cells of half the sides.
    """

    detail: U8
    level: U8
    fine_detail: U8
    fine_level: U8


def measure(luma: U8) -> Cells:
    """Detail and brightness of a frame, cell by cell.

    Detail is the r.m.s. of the Laplacian of the lightly smoothed luma: it falls with the third power of a blur's
    sigma, where gradients fall with the first.

    Args:
        luma: ``(h, w)`` uint8, 0..255.
    """
    curve = cv2.Laplacian(cv2.GaussianBlur(luma, (3, 3), 0), cv2.CV_16S)
    power, level = means(cv2.multiply(curve, curve, dtype=cv2.CV_32F), FINE_GRID), means(luma, FINE_GRID)
    return Cells(_steps(means(power, GRID)).ravel(), means(level, GRID).ravel(), _steps(power), level)


def _steps(power: F32) -> U8:
    octaves = np.log2(np.sqrt(power) / FLOOR + 1.0)
    return np.clip(np.round(octaves * STEPS), 0, 255).astype(np.uint8)


def judge(detail: U8, level: U8, time_s: NDArray[np.float64]) -> Sharpness:
    """Compare every frame of a call with what is usual in it.

    Args:
        detail, level: ``(T, 144)`` uint8 as :func:`measure` gives them.
        time_s: ``(T,)`` float64, growing, in s.

    Memory beyond the arguments: one copy of a piece's detail and level, and a few MB.
    """
    whole = _against_usual(detail, level)
    for piece in _pieces(time_s):
        part = _against_usual(detail[piece], level[piece])
        whole.unprotected[piece] |= part.unprotected
        whole.softer[piece] |= part.softer
    whole.softer[whole.unprotected] = False
    return whole


def _pieces(time_s: NDArray[np.float64]) -> list[slice]:
    if len(time_s) < 2 or time_s[-1] - time_s[0] <= PIECE_S:
        return []
    count = int(np.ceil((time_s[-1] - time_s[0]) / PIECE_S))
    edges = np.searchsorted(time_s, np.linspace(time_s[0], time_s[-1], count + 1)[1:-1])
    bounds = [0, *edges.tolist(), len(time_s)]
    return [slice(a, b) for a, b in pairwise(bounds) if b > a]


def _against_usual(detail: U8, level: U8) -> Sharpness:
    T = len(detail)
    found = Sharpness(np.zeros(T, np.bool_), np.zeros(T, np.bool_), np.ones(T, np.float32))
    if T == 0:
        return found
    usual_detail, usual_level = _median(detail), _median(level)
    far = np.log2(MUCH_SHARPER) * STEPS
    for begin in range(0, T, BATCH):
        rows = slice(begin, begin + BATCH)
        change = level[rows].astype(np.float32) - usual_level
        exposure = np.clip(np.median(change, axis=1, keepdims=True), -EXPOSURE, EXPOSURE)
        same = np.abs(change - exposure) <= SAME_LEVEL
        steps = detail[rows].astype(np.float32) - usual_detail
        sharper = steps >= far
        room = (sharper & same).mean(axis=1)
        found.unprotected[rows] = (room >= MIN_SHARE) & (room >= ROOM_SHARE * sharper.mean(axis=1))
        found.softer[rows] = ((steps <= -far) & same).mean(axis=1) >= MIN_SOFTER_SHARE
        found.ratio[rows] = 2.0 ** (_median_where(steps, same) / STEPS)
    return found


def _median(values: U8) -> F32:
    """Lower middle value over time, for each cell."""
    middle = (len(values) - 1) // 2
    return np.partition(values, middle, axis=0)[middle].astype(np.float32)


def _median_where(values: F32, valid: NDArray[np.bool_]) -> F32:
    """Lower middle of the valid values of each row; of all values in a row without a valid one."""
    valid = valid | ~valid.any(axis=1, keepdims=True)
    ordered = np.sort(np.where(valid, values, np.inf), axis=1)
    middle = (np.count_nonzero(valid, axis=1) - 1) // 2
    return ordered[np.arange(len(values)), middle]
