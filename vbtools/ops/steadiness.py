"""Frames in which a segmenter lost part of the person: the mask is smaller than shortly before and shortly after.

A person who walks away, turns or lowers an arm takes longer than that, and what an arm adds comes and goes as a bump,
not as a dip.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

AROUND_S = 0.25
"""s before and after a frame of which the median is its usual area."""
DIP = 0.9
"""Share of the usual area below which part of the person is missing; of good masks, by the median filter's own delay,
0.93 and more while people sway, sign and walk in."""
LEAST_AREA = 0.02
"""Share of the picture; smaller masks flicker, and hold nobody."""


def dips(area: F64, time: F64) -> Mask:
    """Which frames' masks are smaller than their neighbours'.

    Args:
        area: (T,) share of each frame that is taken for the person, 0-1.
        time: (T,) s, growing.

    Returns:
        (T,) bool.
    """
    first, last = np.searchsorted(time, time - AROUND_S), np.searchsorted(time, time + AROUND_S, side="right")
    usual = np.array([np.median(area[a:b]) for a, b in zip(first, last, strict=True)])
    return np.asarray((usual > LEAST_AREA) & (area < DIP * usual))
