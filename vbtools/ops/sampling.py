"""Which frames of a stream to keep: so many a second by their real times, then every n-th of those."""

from __future__ import annotations

import math

EARLY = 0.45
"""How early a frame may be for its tick, in intervals between frames (in ticks, where those are shorter): the frame
nearest to the tick is taken, as far as that can be told before the next one has come. Just below a half, so that two
frames equally far from a tick are always decided alike, whatever the rounding of their times."""


class Sampler:
    """Chooses frames one by one, as they come.

    Time is divided into ticks of ``1 / fps`` from the first frame on, and the frame nearest to each tick is kept: the
    first with ``t - t0 + EARLY * interval >= tick / fps``. So 15 of 25 fps gives 15 a second, 15 of 30 every other
    frame, milliseconds of jitter change nothing, and a rate above the source's keeps every frame and repeats none. A
    frame whose time does not grow is in no new tick.

    Args:
        fps: frames a second to keep, > 0; None keeps all.
        every: of those, keep the first and then every n-th, >= 1.
    """

    def __init__(self, fps: float | None = None, every: int = 1) -> None:
        if (fps is not None and not fps > 0) or every < 1:
            raise ValueError(f"fps must be above 0 and every at least 1, not {fps} and {every}")
        self._fps = fps
        self._every = every
        self._origin: float | None = None
        self._before = 0.0
        self._tick = -1
        self._chosen = 0

    def takes(self, time_s: float) -> bool:
        """Whether to keep the frame that is shown at ``time_s``, in s; to be asked once for each, in order."""
        if not self._starts_tick(time_s):
            return False
        self._chosen += 1
        return (self._chosen - 1) % self._every == 0

    def _starts_tick(self, time_s: float) -> bool:
        if self._fps is None:
            return True
        if self._origin is None:
            self._origin = self._before = time_s
        interval = min(1.0, max(0.0, time_s - self._before) * self._fps)
        self._before = time_s
        tick = math.floor((time_s - self._origin) * self._fps + EARLY * interval)
        if tick <= self._tick:
            return False
        self._tick = tick
        return True


def fit_long_side(width: int, height: int, limit: int | None) -> tuple[int, int]:
    """Width and height, in px, after shrinking to a longest side of ``limit``; never larger than before, never 0."""
    if limit is None or max(width, height) <= limit:
        return width, height
    scale = limit / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
