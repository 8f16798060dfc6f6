"""Measure the camera's motion on every frame, then choose: none, one affine motion a frame, or dense flow.

Every frame is looked at: that costs a few ms on one core, less than decoding did, and finds a camera that moves only
for a while. Motion is against the reference frame, not from frame to frame, of which H.264 repeats blocks exactly.

The camera counts as moving if the median displacement of any :data:`STRETCH` frames in a row is above the threshold, or
that of one frame above :data:`JOLT` times it. Not the mean: the first frames of a recording are often coarse, and on a
strongly blurred room seem to move by up to 0.27 px of 960 (shared/data/vendor, livekit50_books).

A motion counts for the camera's only where it is larger than what one affine map leaves of it, place by place: a wide
blur spreads the person's colours over the room, and that halo moves with the person, elsewhere otherwise. Of calls with
a fixed camera by simulate's profiles at 640x360 the room seems to move by up to 2 px, 0.3 to 0.9 of what is left; of
hand-held ones it moves by 1.4 times and more.

One affine motion a frame is taken where it explains what the places of the picture say to :data:`EXPLAINED`; where it
does not (parallax, rolling shutter), dense inverse search. What a place says is robust against overlays:
:mod:`vbtools.ops.global_motion`. A frame that the measurement loses is tried once more with ORB.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from vbtools.backends.align import Choice, Evidence
from vbtools.backends.align.dense import NO_BACKGROUND, need_background, shrink, within
from vbtools.backends.align.orb import FINE_SIDE, Orb
from vbtools.ops.global_motion import NO_TEXTURE, GlobalMotion, regrid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vbtools.backends.align import FlowParams

    U8 = NDArray[np.uint8]
    F64 = NDArray[np.float64]
    Mask = NDArray[np.bool_]

STRETCH = 15
"""Frames in a row."""
JOLT = 3.0
EXPLAINED = 0.5
"""px of a frame of :data:`FULL_SIDE`."""
LEAST_TEXTURED = 0.2
"""Share of the background's places that need texture. Where fewer have any, what moves may as well be a person that was
not found: in shared/data/vendor/scene_books/alpha.mkv, a white shape before black, 3 to 14 % have; in the rooms of
shared/data, blurred or not, 86 to 100 %."""
FULL_SIDE = 960
"""px: thresholds are for frames of this longer side, and grow with larger ones."""


class Auto:
    """One motion a frame, and the choice that follows from all; a :class:`vbtools.backends.align.Chooser`.

    Args:
        params: ``fixed_below`` is used here, and what :class:`vbtools.backends.align.orb.Orb` uses.
    """

    produces: ClassVar[Literal["transform", "flow"]] = "transform"
    needs_frames: ClassVar[bool] = True

    @staticmethod
    def preload() -> None:
        """Load the compiled functions."""
        from vbtools.ops.compiled import warm_up

        warm_up()

    def __init__(self, params: FlowParams) -> None:
        self._params = params
        self.grid: tuple[int, int] | None = None
        self.transform = np.eye(2, 3)
        self.reason = ""
        self.evidence = Evidence(float("nan"), 0.0)
        self._size = (0, 0)
        self._orb: Orb | None = None

    def set_reference(self, frame: U8, person: Mask) -> None:
        """As :meth:`vbtools.backends.align.Aligner.set_reference`."""
        need_background(person)
        self._size = (frame.shape[0], frame.shape[1])
        self._work = within(self._size, FINE_SIDE)
        self._motion = GlobalMotion(*shrink(frame, person, self._work))
        self._reference = frame, person
        self._orb = None

    def __call__(self, frame: U8, person: Mask) -> F64 | None:
        """As :meth:`vbtools.backends.align.orb.Orb.__call__`; the identity where there is nothing to measure by.

        Raises:
            ValueError: the frame's size is not the reference's, or there is no reference yet.
        """
        if frame.shape[:2] != self._size:
            raise ValueError(f"the frame is {frame.shape}; the reference is {self._size}")
        self.evidence = Evidence(float("nan"), 0.0)
        self.reason = NO_BACKGROUND if person.all() else ""
        if self.reason:
            return None
        if self._motion.textured < LEAST_TEXTURED:
            self.transform = np.eye(2, 3)
            return self.transform
        found = self._motion.measure(*shrink(frame, person, self._work))
        if found.problem == NO_TEXTURE:
            self.transform = np.eye(2, 3)
            return self.transform
        if found.problem:
            return self._second_try(frame, person)
        self.transform = regrid(found.transform, self._work, self._size)[:2]
        larger = max(self._size) / max(self._work)
        self.evidence = Evidence(self._motion.displacement(found.transform) * larger, found.spread * larger)
        return self.transform

    def _second_try(self, frame: U8, person: Mask) -> F64 | None:
        if self._orb is None:
            self._orb = Orb(self._params)
            self._orb.set_reference(*self._reference)
        motion = self._orb(frame, person)
        self.reason, self.transform = self._orb.reason, self._orb.transform
        if motion is not None:
            larger = max(self._size) / max(self._work)
            moved = self._motion.displacement(regrid(_square(motion), self._size, self._work))
            self.evidence = Evidence(moved * larger, 0.0)
        return motion

    def choose(self, found: Sequence[Evidence]) -> Choice:
        """What to take for the clip, from what was found of each of its frames, in order of time."""
        told = [one for one in found if np.isfinite(one.moved)]
        if not told:
            return Choice("none", f"camera taken as fixed: the background has {NO_TEXTURE}")
        larger = max(1.0, max(self._size) / FULL_SIDE)
        threshold = self._params.fixed_below * larger
        moved = np.array([one.moved for one in told])
        rms = float(np.sqrt((moved**2).mean()))
        limit = f"(threshold {threshold:.2g} px)"
        spreads = np.array([one.spread for one in told])
        agreed = np.where(moved > spreads, moved, 0)  # where too few places can tell, they cannot agree
        if _worst(agreed) <= threshold and agreed.max() <= JOLT * threshold:
            longest = _worst(moved)
            if longest > threshold or moved.max() > JOLT * threshold:
                other = "moves otherwise elsewhere, as the person's colours do in a wide blur"
                return Choice("none", f"camera taken as fixed: what moves by {rms:.2f} px rms {other}")
            worst = f"{longest:.2f} px in its worst {min(STRETCH, len(moved))} frames"
            return Choice("none", f"camera fixed: background moves {rms:.2f} px rms, {worst} {limit}")
        spread = float(np.median(spreads[agreed > threshold]))
        said = f"camera moves: background moves {rms:.2f} px rms, {moved.max():.2f} px at most {limit}"
        if spread <= EXPLAINED * larger:
            return Choice("affine", f"{said}; one affine motion a frame explains it to {spread:.2f} px")
        return Choice("dis", f"{said}; one affine motion a frame leaves {spread:.2f} px: dense flow (dis) taken")


def _worst(moved: F64) -> float:
    """The largest of the medians of all stretches, px."""
    length = min(STRETCH, len(moved))
    return float(np.median(np.lib.stride_tricks.sliding_window_view(moved, length), axis=1).max())


def _square(motion: F64) -> F64:
    return motion if motion.shape[0] == 3 else np.vstack([motion, [0.0, 0.0, 1.0]])
