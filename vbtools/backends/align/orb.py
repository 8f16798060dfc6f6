"""One motion a frame, from ORB features and refined from brightness.

Rublee, Rabaud, Konolige, Bradski, "ORB: an efficient alternative to SIFT or SURF", ICCV 2011. Key points and their
descriptors come from one detection, on each frame under its own mask. RANSAC finds the partial affine motion (turn,
zoom, shift) that most matches follow; where a homography explains many more of them, that is taken. Then least squares
on brightness (:mod:`vbtools.ops.global_motion`) make it sub-pixel. A blurred room has few corners: with too few
matches, brightness alone has to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import cv2
import numpy as np

from vbtools.backends.align.dense import NO_BACKGROUND, need_background, shrink, within
from vbtools.ops.global_motion import GlobalMotion, nearest_affine, regrid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vbtools.backends.align import FlowParams

    U8 = NDArray[np.uint8]
    F32 = NDArray[np.float32]
    F64 = NDArray[np.float64]
    Mask = NDArray[np.bool_]

LONG_SIDE = 960
"""px: larger frames are shrunk to this for matching; the study's size."""
FINE_SIDE = 480
"""px: brightness is compared at this size; a hundredth of its pixel is a 50th of the study's."""

_FAST_THRESHOLD = 10  # gray levels; OpenCV's 20 finds nothing in soft light
_PATCH = 32  # px: of a descriptor; smaller pictures hold none
_RATIO = 0.8  # of the best match's distance to the second's: Lowe, IJCV 60 (2004)
_LEAST_MATCHES = 12
_INLIER = 2.0  # px
_EXPLAINED = 0.7  # of the homography's inliers; a partial affine with fewer doesn't explain the motion
_CONFIDENCE = 0.999
_MOST_TRIALS = 2000


class Orb:
    """An affine transform or homography, reference to frame; an :class:`vbtools.backends.align.Aligner`.

    Args:
        params: ``features`` and ``seed`` are used here.
    """

    produces: ClassVar[Literal["transform", "flow"]] = "transform"
    needs_frames: ClassVar[bool] = True

    def __init__(self, params: FlowParams) -> None:
        self._seed = params.seed
        self._detector = cv2.ORB.create(nfeatures=params.features, fastThreshold=_FAST_THRESHOLD)
        self._matcher = cv2.BFMatcher(cv2.NORM_HAMMING)
        self.grid: tuple[int, int] | None = None
        self.transform = np.eye(2, 3)
        self.reason = ""
        self._size = (0, 0)

    def set_reference(self, frame: U8, person: Mask) -> None:
        """As :meth:`vbtools.backends.align.Aligner.set_reference`."""
        need_background(person)
        self._size = (frame.shape[0], frame.shape[1])
        self._work = within(self._size, LONG_SIDE)
        self._fine = within(self._size, FINE_SIDE)
        self._points, self._descriptors = self._detect(*shrink(frame, person, self._work))
        self._motion = GlobalMotion(*shrink(frame, person, self._fine))

    def __call__(self, frame: U8, person: Mask) -> F64 | None:
        """(2, 3) float64, or (3, 3) where only a homography explains the motion; None with ``reason``.

        Raises:
            ValueError: the frame's size is not the reference's, or there is no reference yet.
        """
        if frame.shape[:2] != self._size:
            raise ValueError(f"the frame is {frame.shape}; the reference is {self._size}")
        self.reason = NO_BACKGROUND if person.all() else ""
        if self.reason:
            return None
        start = self._match(*shrink(frame, person, self._work))
        picture = shrink(frame, person, self._fine)
        found = self._motion.measure(*picture, None if start is None else regrid(start, self._work, self._fine))
        if start is not None and found.problem:
            found = self._motion.measure(*picture)
        self.reason = found.problem
        if found.problem:
            return None
        whole = regrid(found.transform, self._fine, self._size)
        if np.allclose(whole[2], (0, 0, 1), rtol=0, atol=1e-12):
            self.transform = whole[:2]
            return self.transform
        self.transform = nearest_affine(whole, self._size)
        return whole

    def _detect(self, gray: F32, background: Mask) -> tuple[F32, U8 | None]:
        """Key points (n, 2) on the background, px, and their descriptors (n, 32); None where there are none."""
        if min(gray.shape) < _PATCH:
            return np.zeros((0, 2), np.float32), None
        picture = np.clip(np.rint(gray), 0, 255).astype(np.uint8)
        points, descriptors = self._detector.detectAndCompute(picture, background.astype(np.uint8))
        return np.array([point.pt for point in points], np.float32).reshape(-1, 2), descriptors

    def _match(self, gray: F32, background: Mask) -> F64 | None:
        """The motion (3, 3) that the matches follow; None where too few agree on one."""
        points, descriptors = self._detect(gray, background)
        if self._descriptors is None or descriptors is None:
            return None
        pairs = [pair for pair in self._matcher.knnMatch(self._descriptors, descriptors, k=2) if len(pair) == 2]
        good = [best for best, second in pairs if best.distance < _RATIO * second.distance]
        if len(good) < _LEAST_MATCHES:
            return None
        # OpenCV's RANSAC draws the same numbers at every call: what the seed decides is the order of the matches.
        order = np.random.default_rng(self._seed).permutation(len(good))
        reference = self._points[[good[n].queryIdx for n in order]]
        return _explain(reference, points[[good[n].trainIdx for n in order]])


def _explain(reference: F32, frame: F32) -> F64 | None:
    """The partial affine map, else the homography, (3, 3), that takes points (n, 2) to points; None if neither does."""
    partial, inliers = cv2.estimateAffinePartial2D(
        reference, frame, method=cv2.RANSAC, ransacReprojThreshold=_INLIER, maxIters=_MOST_TRIALS,
        confidence=_CONFIDENCE, refineIters=10,
    )  # fmt: skip
    followed = 0 if partial is None else int(inliers.sum())
    if followed < _EXPLAINED * len(reference):
        homography, inliers = cv2.findHomography(
            reference, frame, cv2.RANSAC, _INLIER, maxIters=_MOST_TRIALS, confidence=_CONFIDENCE
        )
        explained = 0 if homography is None else int(inliers.sum())
        if explained >= _LEAST_MATCHES and followed < _EXPLAINED * explained and _is_sane(homography, reference):
            return np.asarray(homography, np.float64)
    if followed < _LEAST_MATCHES:
        return None
    return np.vstack([partial, [0.0, 0.0, 1.0]])


def _is_sane(homography: F64, points: F32) -> bool:
    """Whether it turns nothing over and sends none of the points through infinity."""
    depth = points @ homography[2, :2] + homography[2, 2]
    return bool(np.linalg.det(homography) > 0 and depth.min() > 0.25 * depth.max() > 0)
