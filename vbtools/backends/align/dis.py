"""Dense inverse search (DIS) optical flow of the background.

Kroeger, Timofte, Dai, Van Gool, "Fast Optical Flow using Dense Inverse Search", ECCV 2016; OpenCV's implementation.

As with Farneback, the person must not drag the room along: one affine motion of the background is measured first, from
brightness, then the frame is brought onto the reference, the person is replaced in both by what the other shows, and
the flow has to find only what is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import cv2
import numpy as np

from vbtools.backends.align.dense import (
    LEAST_COMMON,
    NO_BACKGROUND,
    bring,
    brought_by_flow,
    made_alike,
    need_background,
    scaled,
    shrink,
)
from vbtools.ops import global_motion
from vbtools.ops.fill import fill
from vbtools.ops.global_motion import GlobalMotion
from vbtools.ops.motion import compose, fit_affine, regrid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vbtools.backends.align import FlowParams

    U8 = NDArray[np.uint8]
    F32 = NDArray[np.float32]
    Mask = NDArray[np.bool_]

PRESET = cv2.DISOPTICAL_FLOW_PRESET_FAST
_LEAST_DIS = 24  # px: OpenCV's patches and its finest scale need more than a few pixels


class Dis:
    """Flow from the reference to a frame; an :class:`vbtools.backends.align.Aligner`.

    Args:
        params: ``scale`` is used here.
    """

    produces: ClassVar[Literal["transform", "flow"]] = "flow"
    needs_frames: ClassVar[bool] = True

    def __init__(self, params: FlowParams) -> None:
        self._scale = params.scale
        self._search = cv2.DISOpticalFlow.create(PRESET)
        self.grid: tuple[int, int] | None = None
        self.transform = np.eye(2, 3)
        self.reason = ""
        self._size = (0, 0)

    def set_reference(self, frame: U8, person: Mask) -> None:
        """As :meth:`vbtools.backends.align.Aligner.set_reference`."""
        need_background(person)
        self._size = (frame.shape[0], frame.shape[1])
        self.grid = scaled(self._size, self._scale)
        self._gray, self._background = shrink(frame, person, self.grid)
        self._motion = GlobalMotion(self._gray, self._background)

    def __call__(self, frame: U8, person: Mask) -> F32 | None:
        """Flow (h, w, 2) float32 in px of the frame, reference to frame; None with ``reason``.

        Raises:
            ValueError: the frame's size is not the reference's, or there is no reference yet.
        """
        if self.grid is None or frame.shape[:2] != self._size:
            raise ValueError(f"the frame is {frame.shape}; the reference is {self._size}")
        self.reason = NO_BACKGROUND if person.all() else ""
        if self.reason:
            return None
        gray, background = shrink(frame, person, self.grid)
        found = self._motion.measure(gray, background)
        start = np.eye(2, 3) if found.problem else found.transform[:2]
        moved, seen = bring(gray, background, start)
        known = self._background & seen
        if known.mean() < LEAST_COMMON:
            self.reason = global_motion.NO_COMMON
            return None
        flow = compose(start, fill(self._rest(moved, seen), known))
        if self._motion.likeness(*brought_by_flow(gray, background, flow)).problem == global_motion.ANOTHER:
            self.reason = global_motion.ANOTHER
            return None
        fitted = fit_affine(flow, known.astype(np.float32))
        self.transform = regrid(start if fitted is None else fitted, self.grid, self._size)
        return flow * np.array([self._size[1] / self.grid[1], self._size[0] / self.grid[0]], np.float32)

    def _rest(self, moved: F32, seen: Mask) -> F32:
        """What is left of the motion, (h, w, 2) float32, px of the grid, once the frame has been brought."""
        if min(moved.shape) < _LEAST_DIS:
            return np.zeros((*moved.shape, 2), np.float32)
        pictures = [
            np.clip(np.rint(picture), 0, 255).astype(np.uint8)
            for picture in made_alike(self._gray, self._background, moved, seen)
        ]
        return np.asarray(self._search.calc(pictures[0], pictures[1], None), np.float32)
