"""MediaPipe's mask from a frame shrunk to the model's size by us, and from the whole frame, against the true alpha.

    python bench/masks.py

On ../shared/data/vendor/scene_books: mean absolute difference to the true alpha, 0-255; how far the mask moves when the
frame is mirrored, px of 960 (a mask that is shifted to one side moves by twice the shift); and the time of a frame.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from vbtools.backends.segment.mediapipe import MediaPipeSegmenter
from vbtools.backends.video import open_video
from vbtools.models import resolve

SCENE = Path(__file__).parents[2] / "shared" / "data" / "vendor" / "scene_books"
SIZE = (960, 540)
EVERY = 15


def main() -> int:
    """Print a line for each way."""
    if not SCENE.is_dir():
        print(f"There is no {SCENE}")
        return 0
    frames, alphas = (_pictures(SCENE / name) for name in ("clean.mkv", "alpha.mkv"))
    with MediaPipeSegmenter(resolve("selfie-landscape")) as segmenter:
        assert segmenter.grid is not None
        own = segmenter.grid[::-1]

        def shrunk(frame: np.ndarray) -> np.ndarray:
            return cv2.resize(segmenter(cv2.resize(frame, own, interpolation=cv2.INTER_LINEAR)), SIZE)

        ways: tuple[tuple[str, Callable[[np.ndarray], np.ndarray]], ...] = (("whole", segmenter), ("shrunk", shrunk))
        for name, way in ways:
            begun = time.perf_counter()
            masks = [way(frame).astype(np.float32) for frame in frames]
            spent = (time.perf_counter() - begun) / len(frames)
            off = np.mean([np.abs(m - a[..., 0]).mean() for m, a in zip(masks, alphas, strict=True)])
            mirrored = [way(np.ascontiguousarray(frame[:, ::-1]))[:, ::-1].astype(np.float32) for frame in frames]
            moves = [_shift(one, other) for one, other in zip(mirrored, masks, strict=True)]
            print(f"{name:7} off by {off:.2f} levels, mirrored moves by {np.median(moves):+.2f} px (median), "
                  f"{spent * 1e3:.1f} ms a frame")  # fmt: skip
    return 0


def _pictures(path: Path) -> list[np.ndarray]:
    with open_video(path) as video:
        return [cv2.resize(f.rgb(), SIZE, interpolation=cv2.INTER_AREA) for f in video.frames() if f.index % EVERY == 0]


def _shift(one: np.ndarray, other: np.ndarray) -> float:
    """By how much the first has to be moved to the right to be most like the second, px."""
    tried = np.arange(-5, 5.1, 0.25)
    ways = [np.array([[1, 0, d], [0, 1, 0]], np.float32) for d in tried]
    moved = [cv2.warpAffine(one, way, SIZE, borderMode=cv2.BORDER_REPLICATE) for way in ways]
    return float(tried[int(np.argmin([np.abs(m - other)[:, 20:-20].mean() for m in moved]))])


if __name__ == "__main__":
    sys.exit(main())
