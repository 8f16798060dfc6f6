"""How far the detail of a leak can be believed, as a probability."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vbtools.ops.leak import Detail

F32 = NDArray[np.float32]


def confidence(room: Detail, passages: NDArray[np.uint16], exposure: F32, scale: F32, unit: float) -> F32:
    """(H, W) float32, 0-1."""
    return room.share.copy()
