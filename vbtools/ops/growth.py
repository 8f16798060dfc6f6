"""How the share of a room that was ever shown grows with the length of a call, and how it would go on.

A call is cut into segments of equal length, and each place of the room is a species that a segment sees or does not.
What is seen in one segment alone (Q1) and in two (Q2) tells how much is still unseen, as for species in samples: Chao's
lower bound and its extrapolation (Chao et al., Ecological Monographs 84, 2014, equation 18), which assume that each
segment is drawn like every other, and saturate. They are the estimate. A person who moves on and on shows new places
at a rate that falls like a power of time (the species-area relation of Arrhenius, 1921) and never saturates: the upper
end of the interval takes in both laws, each with the spread that the segments have among themselves. Its lower end is
what was shown already: who sits still from now on shows nothing more, and what the segments have seen cannot tell that
(a lower end by bootstrap lay above the truth in a third of the swaying calls of ``bench/timeline.py``, which counts how
often the interval holds).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEAST_SEGMENTS = 3
"""With fewer there is nothing that segments could disagree about."""
DRAWS = 400
"""Of the bootstrap: its 2.5 % quantile then rests on ten of them."""
UPPER = 97.5
"""Percentile. Few segments drawn anew differ less than few segments do: what they add is widened by the ratio of the
standard deviations of Student's t with as many degrees of freedom and of the normal distribution."""
MISS = 0.05
"""Probability with which what was never seen at all may have been missed by chance."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What the segments saw.

    Attributes:
        shown: share of the room seen in any segment, 0-1.
        once, twice: (T,) float64: share of the room that this segment saw and no other, and half of what it shares
            with exactly one other; they sum to Q1 and Q2.
    """

    shown: float
    once: F64
    twice: F64

    @property
    def segments(self) -> int:
        """T."""
        return len(self.once)

    def after(self, more: float, seed: int) -> tuple[float, float, float]:
        """Share seen after so many further segments, and its 95 % interval.

        Args:
            more: further segments, above 0; need not be whole.
            seed: of the bootstrap.

        Returns:
            share, low, high, 0-1; NaN, the share seen, 1 where there are fewer than :data:`LEAST_SEGMENTS` segments.
            Where nothing was seen at all, high is what would be missed with a probability of :data:`MISS`.
        """
        if self.segments < LEAST_SEGMENTS:
            return float("nan"), self.shown, 1.0
        if self.shown <= 0:
            return 0.0, 0.0, float(1 - MISS ** (more / self.segments))
        share = float(self._laws(self.once.sum(), self.twice.sum(), more)[0])
        drawn = self._drawn(more, np.random.default_rng(seed))
        few = np.sqrt(self.segments / (self.segments - 2))
        high = self.shown + few * max(float(np.percentile(law, UPPER)) - self.shown for law in drawn)
        return share, self.shown, float(np.clip(high, share, 1))

    def _laws(self, once: Any, twice: Any, more: float) -> tuple[Any, Any]:
        """Share after ``more`` segments by the law that saturates and by the one that does not."""
        n, left = self.segments, 1 - self.shown
        unseen = np.minimum((n - 1) / n * once**2 / np.maximum(2 * twice, 1e-9), left)
        rate = once / np.maximum(n * unseen + once, 1e-12)
        saturating = self.shown + unseen * (1 - (1 - rate) ** more)
        slope = np.minimum(once / self.shown, 1)
        growing = self.shown * ((n + more) / n) ** slope
        return np.minimum(saturating, 1), np.minimum(growing, 1)

    def _drawn(self, more: float, rng: np.random.Generator) -> F64:
        """(2, :data:`DRAWS`) shares by either law: the segments drawn anew, and the future drawn from them."""
        n = self.segments
        chosen = rng.integers(0, n, (DRAWS, n))
        once, twice = self.once[chosen].sum(axis=1), self.twice[chosen].sum(axis=1)
        future = self._future(more, rng)
        laws = self._laws(once, twice, more)
        return np.array([self.shown + (law - self.shown) * future for law in laws])

    def _future(self, more: float, rng: np.random.Generator) -> F64:
        """(:data:`DRAWS`,): what so few segments bring against what they bring on average."""
        usual = self.once.mean()
        if usual <= 0:
            return np.ones(DRAWS)
        drawn = rng.choice(self.once, (DRAWS, max(1, round(more)))).mean(axis=1)
        return np.asarray(drawn / usual, np.float64)


class Incidence:
    """Which segments saw each pixel; grows with the picture, not with the call.

    Args:
        room: (h, w) bool: the pixels that count.
        segment_s: s of a segment.
    """

    def __init__(self, room: Mask, segment_s: float) -> None:
        self._room, self._area = room, max(int(room.sum()), 1)
        self._segment_s = segment_s
        self._now, self._at = np.zeros(room.shape, np.bool_), 0
        self._seen = np.zeros(room.shape, np.uint16)
        self._first, self._last = np.full(room.shape, -1, np.int32), np.full(room.shape, -1, np.int32)
        self._ever = np.zeros(room.shape, np.bool_)

    def add(self, shown: Mask, time_s: float) -> None:
        """Take in what a frame showed, (h, w) bool, at ``time_s`` s after the call's beginning; in order of time."""
        at = int(time_s // self._segment_s)
        if at != self._at:
            self._close()
            self._at = at
        self._now |= shown
        self._ever |= shown

    def share(self) -> float:
        """Of the room, seen so far, 0-1."""
        return float((self._ever & self._room).sum()) / self._area

    def growth(self, seconds: float) -> Growth:
        """What a call of so many seconds has seen; a last segment less than half full counts to the one before."""
        self._close()
        count = max(1, round(seconds / self._segment_s))
        for place in (self._first, self._last):
            np.minimum(place, count - 1, out=place)
        once = np.bincount(self._last[self._room & (self._seen == 1)], minlength=count)
        twice = self._room & (self._seen == 2)
        pairs = sum(np.bincount(place[twice], minlength=count) for place in (self._first, self._last))
        return Growth(self.share(), once / self._area, np.asarray(pairs, np.float64) / 2 / self._area)

    def _close(self) -> None:
        self._seen += self._now
        self._first[self._now & (self._first < 0)] = self._at
        self._last[self._now] = self._at
        self._now[:] = False
