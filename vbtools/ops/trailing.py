"""How far a product's mask trails the person, told by what the edge shows ahead of the person and behind.

A mask that is averaged over time, or late, leaves the room open where the person just was and covers it where the
person just came to. With an opacity o(d) by the distance d to the person's outline, late by L frames and averaged with
a weight k of the mask before, the opacity in frame t is ``m_t = k m_(t-1) + (1 - k) o(d_(t-L))``, and the detail that a
place shows is ``m_t`` times the room's (:mod:`vbtools.ops.fringe`). For each pair (L, k) the opacity by distance
follows by linear least squares, and the pair that best foretells the frames which were left out of its fit is taken.
What is determined well is the delay on average, ``L + k / (1 - k)`` frames: which of the two made it, less so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vbtools.ops.fringe import BINS, EDGES_PX

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

LATE = (0, 1, 2, 3)
"""Frames by which a mask may be late."""
KEEPS = (0.0, 0.15, 0.3, 0.5, 0.65, 0.75, 0.85)
"""Weights of the mask before: products' are 0.15 to 0.75."""
PAIRS = tuple((late, keep) for late in LATE for keep in KEEPS)
WITHIN_PX = (-1e9, -24.0)
"""Bounds, px at 720 rows, of the bins before those of :data:`vbtools.ops.fringe.EDGES_PX`: well within the mask, where
trailing leaves the room open that the person comes to cover."""
BOUNDS = np.array([*WITHIN_PX, *EDGES_PX, 1e9])
FREE_PX = (1.0, EDGES_PX[-1])
"""px at 720 rows from the mask between which a pixel shows the room and is looked at."""
GROUPS = 12
"""Stretches of the clip, each foretold by the others."""
RIDGE = 1e-3
"""Added to the normal equations, of their mean diagonal: bins that were hardly seen show nothing."""
DRAWS = 400
INTERVAL = (2.5, 97.5)
LEAST_DELAY = 0.5
"""Frames: a smaller delay is not told from none. Of simulated products whose masks do not trail up to 0.4 is found: a
codec repeats blocks, and a mask that is averaged is less noisy."""
LEAST_SHARE = 0.9
"""Of the draws, that must have a delay of :data:`LEAST_DELAY` or more."""
LEAST_EXPLAINED = 0.02
"""Share of the frames' detail that the best pair must foretell for anything to be told."""


@dataclass(frozen=True, slots=True)
class Trail:
    """What is known of a mask's trailing.

    Attributes:
        late: frames by which the mask is late.
        keep: weight of the mask before in the next, 0-1.
        low, high: bounds of the 95 % interval of :attr:`delay`, frames.
        explained: share of the detail in frames left out of the fit that is foretold, at most 1.
        sure: share of the draws in which the delay is :data:`LEAST_DELAY` frames or more.
        relative: (BINS,) float32: the opacity by distance without any trailing, 1 at its strongest.
        strongest: that strongest, against the strongest of the opacity averaged over time.
    """

    late: int
    keep: float
    low: float
    high: float
    explained: float
    sure: float
    relative: F32
    strongest: float

    @property
    def delay(self) -> float:
        """Mean delay, frames."""
        return delay_of(self.late, self.keep)

    @property
    def known(self) -> bool:
        """Whether the frames say anything of it."""
        return self.explained >= LEAST_EXPLAINED

    @property
    def trails(self) -> bool:
        """Whether the mask trails beyond doubt."""
        return self.known and self.sure >= LEAST_SHARE and self.delay >= LEAST_DELAY


def delay_of(late: int, keep: float) -> float:
    """Mean delay, frames, of a mask that is late by so many and averaged with such a weight of the one before."""
    return late + keep / (1 - keep)


def bins_at(distance: F32) -> NDArray[np.intp]:
    """The bin of each distance (N,), px at 720 rows, negative within the mask."""
    return np.digitize(distance, BOUNDS) - 1


class Trailing:
    """Sums over the frames of a clip, to be given in order of time.

    Args:
        room: (N,) float32: the room's detail at the places that are looked at, grey levels.
        count: how many frames will come.
    """

    def __init__(self, room: F32, count: int) -> None:
        bins = len(BOUNDS) - 1
        self._room, self._count, self._number = room, max(count, 1), 0
        self._open = np.zeros((len(PAIRS), len(room), bins), np.float32)  # how much of each bin each place is in
        self._before: list[NDArray[np.intp]] = []
        self._own = np.zeros((GROUPS, len(PAIRS), bins, bins))
        self._cross = np.zeros((GROUPS, len(PAIRS), bins))
        self._power = np.zeros(GROUPS)

    def add(self, detail: F32, distance: F32) -> None:
        """Take in the next frame.

        Args:
            detail: (N,) float32: what it shows at the places, grey levels.
            distance: (N,) float32: px at 720 rows to its mask, negative within.
        """
        self._before = [*self._before[-max(LATE) :], bins_at(distance)]
        places = np.arange(len(self._room))
        first = self._number == 0
        for at, (late, keep) in enumerate(PAIRS):
            bins = self._before[max(len(self._before) - 1 - late, 0)]
            plane = self._open[at]
            plane *= np.float32(0 if first else keep)
            plane[places, bins] += np.float32(1 if first else 1 - keep)
        group = self._number * GROUPS // self._count
        self._number += 1
        seen = (distance > FREE_PX[0]) & (distance < FREE_PX[1])
        if self._number <= 2 * max(LATE) or not seen.any():  # before that the trail of what was before the clip is left
            return
        shown, room = detail[seen], self._room[seen]
        made = self._open[:, seen] * room[:, None]
        self._own[group] += made.transpose(0, 2, 1) @ made
        self._cross[group] += (made.transpose(0, 2, 1) @ shown[:, None])[..., 0]
        self._power[group] += float(shown @ shown)

    def told(self, seed: int = 0) -> Trail:
        """What the frames say so far; ``seed`` is of the draws over stretches of the clip."""
        gain = np.stack([self._foretold(group) for group in range(GROUPS)])  # (GROUPS, PAIRS)
        best = int(gain.sum(axis=0).argmax())
        draws = np.random.default_rng(seed).integers(0, GROUPS, (DRAWS, GROUPS))
        delays = np.array([delay_of(*pair) for pair in PAIRS])[gain[draws].sum(axis=1).argmax(axis=1)]
        low, high = (float(bound) for bound in np.percentile(delays, INTERVAL))
        own, cross = self._own.sum(axis=0), self._cross.sum(axis=0)
        alone = _rising(_solved(own[:1], cross[:1])[0])  # the first pair does not trail
        opacity = _rising(_solved(own[best : best + 1], cross[best : best + 1])[0])
        most, usual = float(opacity.max()), float(alone.max())
        return Trail(
            *PAIRS[best], low, high, float(gain[:, best].sum() / max(self._power.sum(), 1e-6)),
            float((delays >= LEAST_DELAY).mean()),
            (opacity / most if most > 0 else opacity).astype(np.float32), most / usual if usual > 0 else 1.0,
        )  # fmt: skip

    def _foretold(self, group: int) -> F64:
        """How much of a stretch's power each pair foretells, fitted to the others, (PAIRS,); below 0: it misleads."""
        others = [one for one in range(GROUPS) if one != group]
        opacity = _solved(self._own[others].sum(axis=0), self._cross[others].sum(axis=0))
        own = np.einsum("pb,pbc,pc->p", opacity, self._own[group], opacity)
        return np.asarray(2 * (opacity * self._cross[group]).sum(axis=1) - own)


def _solved(own: F64, cross: F64) -> F64:
    """Opacities (P, bins) from normal equations (P, bins, bins) and (P, bins)."""
    bins = own.shape[-1]
    ridge = RIDGE * np.trace(own, axis1=1, axis2=2)[:, None, None] / bins + 1e-9
    return np.asarray(np.linalg.solve(own + ridge * np.eye(bins), cross[..., None])[..., 0])


def _rising(opacity: F64) -> F64:
    """Of the fringe's bins (BINS,), at least 0, and never falling towards the person."""
    kept = np.maximum(opacity[len(WITHIN_PX) : len(WITHIN_PX) + BINS], 0)
    return np.maximum.accumulate(kept[::-1])[::-1]
