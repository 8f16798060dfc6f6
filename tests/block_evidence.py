"""What the confidence is told of a small picture: blocks of 12 px, of which the last row and column are cut off."""

from __future__ import annotations

import numpy as np

from vbtools.ops.confidence import Evidence
from vbtools.ops.deconvolution import Channel
from vbtools.ops.leak import Detail, Views
from vbtools.ops.pairs import Pairs

SIZE, SIDE, UNIT = (370, 640), 12, 370 / 720  # the last row of blocks is 10 px high, the last column 4 px wide
ROWS, COLUMNS = 31, 54


def evidence(picture: np.ndarray, leak: np.ndarray | None = None, agree: float = 0.0) -> Evidence:
    """Of a picture over a plain plate, with a leak as it is shown and passages that agree as much as is said."""
    zero, grid = np.zeros(SIZE, np.float32), np.zeros((ROWS, COLUMNS), np.float32)
    shown = zero if leak is None else leak.astype(np.float32)
    one = np.ones(SIZE, np.float32)
    room = Detail(shown, shown, one, one, one, one)
    alike = Pairs(grid + np.float32(agree), grid, grid, grid + np.float32(1))
    return Evidence(
        room, Views.none((ROWS, COLUMNS)), np.zeros((2, *SIZE), np.float32), np.zeros(SIZE, np.uint32), one, zero, one,
        0.0, SIDE, UNIT, Channel(picture.astype(np.float32), 0.5, 1.0), 5.0, picture.astype(np.float32), alike,
    )  # fmt: skip
