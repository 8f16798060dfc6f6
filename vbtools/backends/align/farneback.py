"""Dense Farneback flow of the background.

Farneback, "Two-Frame Motion Estimation Based on Polynomial Expansion", SCIA 2003; OpenCV's implementation. The study
uses it at pyr_scale 0.5, levels 5, window 25, iterations 3, poly_n 5, poly_sigma 1.2 (study.md, 4).

The person must not drag the room along. So one affine motion of the background is measured first; then the frame is
brought onto the reference by it, and wherever either of them shows the person, or the frame shows nothing, one
picture takes the other's pixels. There, what remains to be found is zero motion instead of the person's. Last, flow
that was measured where no background was visible is replaced by what surrounds it.
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
    reduce,
    scaled,
    shrink,
)
from vbtools.ops import global_motion
from vbtools.ops.fill import fill
from vbtools.ops.global_motion import GlobalMotion
from vbtools.ops.motion import affine_flow, compose, fit_affine, regrid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vbtools.backends.align import FlowParams

    U8 = NDArray[np.uint8]
    F32 = NDArray[np.float32]
    F64 = NDArray[np.float64]
    Mask = NDArray[np.bool_]

PYRAMID_SCALE = 0.5  # study.md, 4; so are the next three
ITERATIONS = 3
POLY_N = 5
POLY_SIGMA = 1.2

_COARSE_ROUNDS = 2
_SETTLED = 0.5  # px of the coarse grid: what is left the finer flow finds by itself
_GAIN = 0.98  # a global motion has to lower the mean difference at least to this, or there is none
_TEXTURE_BLOCK = 5  # px


class Farneback:
    """Flow from the reference to a frame; an :class:`vbtools.backends.align.Aligner`.

    Args:
        params: ``scale``, ``levels`` and ``window`` are used here.
    """

    produces: ClassVar[Literal["transform", "flow"]] = "flow"
    needs_frames: ClassVar[bool] = True

    def __init__(self, params: FlowParams) -> None:
        self._scale, self._levels, self._window = params.scale, params.levels, params.window
        self.grid: tuple[int, int] | None = None
        self.transform = np.eye(2, 3)
        self.reason = ""
        self._size = (0, 0)

    def set_reference(self, frame: U8, person: Mask) -> None:
        """As :meth:`vbtools.backends.align.Aligner.set_reference`."""
        need_background(person)
        self._size = (frame.shape[0], frame.shape[1])
        self.grid = scaled(self._size, self._scale)
        self._coarse = scaled(self.grid, 0.5)
        self._gray, self._background = shrink(frame, person, self.grid)
        self._small, self._small_background = reduce(self._gray, self._background, self._coarse)
        self._alike = GlobalMotion(self._gray, self._background)
        self._texture = np.asarray(cv2.cornerMinEigenVal(fill(self._small, self._small_background), _TEXTURE_BLOCK))

    def __call__(self, frame: U8, person: Mask) -> F32 | None:
        """Flow (h, w, 2) float32 in px of the frame, reference to frame; None where no background can be compared.

        Raises:
            ValueError: the frame's size is not the reference's, or there is no reference yet.
        """
        if self.grid is None or frame.shape[:2] != self._size:
            raise ValueError(f"the frame is {frame.shape}; the reference is {self._size}")
        self.reason = ""
        if person.all():
            self.reason = NO_BACKGROUND
            return None
        gray, background = shrink(frame, person, self.grid)
        small, small_background = reduce(gray, background, self._coarse)
        start = regrid(self._global(small, small_background), self._coarse, self.grid)
        moved, seen = bring(gray, background, start)
        known = self._background & seen
        if known.mean() < LEAST_COMMON:
            self.reason = global_motion.NO_COMMON
            return None
        rest = self._flow(*made_alike(self._gray, self._background, moved, seen))
        flow = compose(start, fill(rest, known))
        if self._alike.likeness(*brought_by_flow(gray, background, flow)).problem == global_motion.ANOTHER:
            self.reason = global_motion.ANOTHER
            return None
        fitted = fit_affine(flow, known.astype(np.float32))
        self.transform = regrid(start if fitted is None else fitted, self.grid, self._size)
        return flow * np.array([self._size[1] / self.grid[1], self._size[0] / self.grid[0]], np.float32)

    def _global(self, gray: F32, background: Mask) -> F64:
        """The affine motion (2, 3) of the background, on the coarse grid; the identity if nothing is better."""
        best = np.eye(2, 3)
        least = self._difference(gray, background, best) * _GAIN
        found = best
        for _ in range(_COARSE_ROUNDS):
            moved, seen = bring(gray, background, found)
            known = self._small_background & seen
            rest = self._flow(*made_alike(self._small, self._small_background, moved, seen))
            fitted = fit_affine(compose(found, rest), np.where(known, self._texture, np.float32(0)))
            if fitted is None:
                break
            step = float(np.abs(affine_flow(fitted, gray.shape) - affine_flow(found, gray.shape)).max())
            found = fitted
            difference = self._difference(gray, background, found)
            if difference < least:
                best, least = found, difference
            if step < _SETTLED:
                break
        return best

    def _difference(self, gray: F32, background: Mask, transform: F64) -> float:
        """Mean absolute difference, gray levels, of the background that both show; infinite if too little."""
        moved, seen = bring(gray, background, transform)
        known = self._small_background & seen
        if known.mean() < LEAST_COMMON:
            return float("inf")
        return float(np.abs(moved - self._small)[known].mean())

    def _flow(self, reference: F32, frame: F32) -> F32:
        """Backward flow (h, w, 2) float32, px of its grid: the reference's x lies in the frame at x + flow(x)."""
        pictures = [np.clip(np.rint(picture), 0, 255).astype(np.uint8) for picture in (reference, frame)]
        found = cv2.calcOpticalFlowFarneback(
            pictures[0], pictures[1], None, PYRAMID_SCALE, self._levels, self._window, ITERATIONS, POLY_N, POLY_SIGMA, 0
        )
        return np.asarray(found, np.float32)
