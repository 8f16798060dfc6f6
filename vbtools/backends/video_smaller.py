"""Frames of a recording at a third or half of their sides, by the kernels of :mod:`vbtools.ops.shrink`.

The kernels take 0.3 s to load, and seconds to compile the first time. Frames can be decoded meanwhile, and shrunk as
any other; so the kernels are used from when they are ready, and only where they give the same pixels.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]

# Planar 8-bit formats whose planes can be looked at without a conversion; what else there is, swscale converts.
PLANAR_420 = frozenset({"yuv420p", "yuvj420p"})
# FFmpeg's numbers for what a stream says of its colours: that values have all 256 levels, and matrices (2: it does not
# say, for which swscale takes BT.601).
FULL_RANGE = 2
MATRICES = {1: "BT709", 2: "BT601", 5: "BT601", 6: "BT601"}
# Left to itself swscale starts threads anew for each frame, and waits for them while every core decodes other frames.
SWSCALE_THREADS = 1


def pixels_of(plane: Any) -> U8:
    """What a plane of a decoded frame holds, ``(H, W)`` uint8; a view."""
    rows = np.frombuffer(plane, np.uint8).reshape(-1, abs(plane.line_size))
    return rows[: plane.height, : plane.width]


def third(plane: U8) -> U8 | None:
    """A plane ``(3 h, 3 w)`` uint8 at a third of its sides, as area interpolation gives it; None if it is too early."""
    shrink = _loaded()
    return None if shrink is None else np.asarray(shrink.third(plane), np.uint8)


def half_rgb(frame: Any) -> U8 | None:
    """A decoded frame of even sides at half of them, ``(h, w, 3)`` uint8 RGB, as swscale and area interpolation do it.

    None if it is too early, or where the kernel gives other pixels.
    """
    if frame.format.name not in PLANAR_420 or frame.interlaced_frame or _loaded() is None:
        return None  # swscale takes the fields of an interlaced frame apart
    alike = _halves_alike(frame.format.name, int(frame.colorspace), int(frame.color_range))
    return _half_rgb(frame) if alike else None


def wait() -> None:
    """Return when it is not too early any more."""
    _loading().result()


def _loaded() -> Any:
    """The kernels; None until they are ready, which begins with the first call."""
    loading = _loading()
    return loading.result() if loading.done() else None


@cache
def _loading() -> Future[Any]:
    def load() -> Any:
        from vbtools.ops import shrink
        from vbtools.ops.compiled import warm_up

        warm_up()
        shrink.warm_up()
        return shrink

    pool = ThreadPoolExecutor(1, thread_name_prefix="shrink")
    loading = pool.submit(load)
    pool.shutdown(wait=False)
    return loading


def _half_rgb(frame: Any) -> U8:
    shrink = _loading().result()
    luma, blue, red = (pixels_of(plane) for plane in frame.planes)
    full = frame.format.name == "yuvj420p" or int(frame.color_range) == FULL_RANGE
    matrix = getattr(shrink, MATRICES[int(frame.colorspace)])
    return np.asarray(shrink.half_rgb(luma, blue, red, matrix, full=full), np.uint8)


@cache
def _halves_alike(pixel_format: str, colorspace: int, color_range: int) -> bool:
    """Whether the kernel and swscale, which has code of its own for each kind of processor, agree here; on noise."""
    if colorspace not in MATRICES:
        return False
    frame, rng = av.VideoFrame(128, 64, pixel_format), np.random.default_rng(0)
    frame.colorspace, frame.color_range = colorspace, color_range
    for plane in frame.planes:
        plane.update(rng.integers(0, 256, plane.buffer_size, np.uint8).tobytes())
    large = frame.to_ndarray(format="rgb24", threads=SWSCALE_THREADS)
    return np.array_equal(_half_rgb(frame), cv2.resize(large, (64, 32), interpolation=cv2.INTER_AREA))
