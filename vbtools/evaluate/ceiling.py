"""The ceiling: what an oracle that knows the person's alpha and every leak weight gets from the very same frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vbtools.errors import InputError
from vbtools.evaluate.call import Call
from vbtools.evaluate.pictures import Estimate, estimate
from vbtools.evaluate.truth import ALPHA, FACTS, LEAK, Truth
from vbtools.ops.exposures import Exposures, LeakEstimator, Plate, Regions
from vbtools.simulate.truth import BAND_PX
from vbtools.stages import Progress

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

SAME_CALL = "Name the truth of this very call"


@dataclass(frozen=True, slots=True)
class Scene:
    """What the truth's recordings and the call together say.

    Attributes:
        shown: (H, W) bool: the person left the pixel free at some time of the call.
        swept: (H, W) bool: it lay in the band beside the person at some time.
        leaked: (H, W) float32: largest leak weight over the call, 0-1.
        is_estimated: whether leak weights are estimated, not known.
        oracles: the oracle's pictures from the project's frames: each pixel's sharpest exposure; the weighted mean.
        earlier: the same after each number of frames that was asked for.
    """

    shown: Mask
    swept: Mask
    leaked: F32
    is_estimated: bool
    oracles: tuple[Estimate, ...]
    earlier: dict[int, tuple[Estimate, ...]]


@dataclass(frozen=True, slots=True)
class _Moment:
    """One frame of the truth: its number, the person's alpha, the leak weight x 255, the call's picture, if there."""

    index: int
    alpha: U8
    leak: U8 | None
    call: U8 | None


def study(truth: Truth, call: Call, lengths: Sequence[int], progress: Progress) -> Scene:
    """Go through all frames, once where leak weights are known, twice where they must be estimated.

    Memory does not grow with the call. About 40 ms a frame at 720p, 60 where weights are estimated.

    Args:
        truth: with a folder.
        call: the frames; an oracle uses those that the project uses.
        lengths: after how many of these frames the oracles' pictures are wanted too.
        progress: where to say how far it is.

    Raises:
        InputError: the recordings' sizes or frame counts do not fit one another or the project.
    """
    progress.start(None, "frames")
    study_of_leak = _Study(truth, call, lengths)
    if truth.has_leak:
        for moment in _moments(truth, call):
            free, far = study_of_leak.regions.add(moment.alpha)
            leak = np.zeros_like(moment.alpha) if moment.leak is None else moment.leak
            if moment.call is not None:
                study_of_leak.plate.add(moment.call, far & (leak == 0))
            study_of_leak.add(moment, leak * np.float32(1 / 255), free)
            progress.advance()
        return study_of_leak.scene(estimated=False)
    for moment in _moments(truth, call):
        _, far = study_of_leak.regions.add(moment.alpha)
        if moment.call is not None:
            study_of_leak.plate.add(moment.call, far)
        progress.advance()
    estimator = LeakEstimator(truth.background, study_of_leak.plate.picture())
    for moment in _moments(truth, call):
        if moment.call is not None:
            free = moment.alpha == 0
            study_of_leak.add(moment, estimator(moment.call, free), free)
        progress.advance()
    return study_of_leak.scene(estimated=True)


class _Study:
    """Sums over the frames, and the oracles' pictures that follow from them."""

    def __init__(self, truth: Truth, call: Call, lengths: Sequence[int]) -> None:
        self.regions = Regions(*truth.size, BAND_PX)
        self.plate = Plate(*truth.size)
        self._exposures = Exposures(*truth.size)
        self._leaked = np.zeros(truth.size, np.float32)
        self._used = set(call.used.tolist())
        self._taken = 0
        self._lengths = set(lengths)
        self._earlier: dict[int, tuple[Estimate, ...]] = {}

    def add(self, moment: _Moment, weight: F32, free: Mask) -> None:
        """Take in one frame's leak weights, (H, W) float32 0-1, and which pixels the person leaves wholly free."""
        np.maximum(self._leaked, weight, out=self._leaked)
        if moment.call is None or moment.index not in self._used:
            return
        self._exposures.add(moment.call, weight * free)
        self._taken += 1
        if self._taken in self._lengths:
            self._earlier[self._taken] = self._pictures()

    def scene(self, *, estimated: bool) -> Scene:
        """What came of it."""
        return Scene(
            self.regions.shown, self.regions.swept, self._leaked, estimated, self._pictures(), self._earlier
        )  # fmt: skip

    def _pictures(self) -> tuple[Estimate, ...]:
        plate = self.plate.picture()
        observed = self.plate.observed | (self._exposures.largest > 0)
        made = {
            "oracle: sharpest exposure": self._exposures.from_sharpest(plate),
            "oracle: weighted mean": self._exposures.from_weighted_mean(plate),
        }
        return tuple(
            estimate(name, np.rint(picture).astype(np.uint8), observed, observed.shape)
            for name, picture in made.items()
        )


def _moments(truth: Truth, call: Call) -> Iterator[_Moment]:
    """The truth's frames with the call's, and the check that all of them belong together."""
    alphas, leaks = truth.alpha(), truth.leak() if truth.has_leak else None
    calls = call.frames()
    first = next(calls, None)
    pending = first is not None
    number, pixels = first or (-1, np.zeros((0, 0, 3), np.uint8))
    index = -1
    for index, alpha in enumerate(alphas):
        leak = None if leaks is None else next(leaks, None)
        if leaks is not None and leak is None:
            raise _other_count(truth, f"{LEAK} has {index} frames, but {ALPHA} has more")
        here = pending and number == index
        yield _Moment(index, alpha, leak, pixels if here else None)
        if here:
            following = next(calls, None)
            pending = following is not None
            number, pixels = following or (number, pixels)
    count = index + 1
    if leaks is not None and next(leaks, None) is not None:
        raise _other_count(truth, f"{LEAK} has more frames than {ALPHA}, which has {count}")
    if truth.frames is not None and truth.frames != count:
        raise _other_count(truth, f"{FACTS} tells of {truth.frames} frames, but {ALPHA} has {count}")
    last_used = int(call.used.max(initial=-1))
    if pending or last_used >= count:
        least = max(number, last_used) + 1
        raise InputError(f"The call has at least {least} frames, but the truth '{truth.path}' has {count}", SAME_CALL)
    if call.recording is not None and number < call.last_of(count):
        raise InputError(
            f"'{call.recording}' has {number + 1} frames, but the truth '{truth.path}' has {count}", SAME_CALL
        )


def _other_count(truth: Truth, fact: str) -> InputError:
    return InputError(f"'{truth.path}' is not of one call: {fact}", "Simulate the call again")
