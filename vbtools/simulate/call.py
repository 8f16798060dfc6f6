"""The encoders of a simulated call, each working in a thread of its own while the next frame is made."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from vbtools.backends.video import VideoWriter

CALL_BITS_PER_PIXEL_SECOND = 1_200_000 / (1280 * 720)  # 1.2 Mbit/s at 720p, as the vendors' sample calls have
LOWEST_BIT_RATE = 64_000
_LIVE = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}  # as a browser encodes a call
ENCODERS: dict[str, tuple[str, dict[str, str]]] = {
    "h264": ("libx264", {}),
    "vp8": ("libvpx", _LIVE),
    "vp9": ("libvpx-vp9", _LIVE),
}
WAITING = 4  # frames that may wait for an encoder, so that memory does not grow with the clip


class Lane:
    """A :class:`VideoWriter` behind a short queue; frames are written in the order given.

    What the encoder raises comes out of a later :meth:`write`, or of leaving the ``with`` block.
    """

    def __init__(self, writer: VideoWriter) -> None:
        self._writer = writer
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._pending: deque[Future[None]] = deque()

    def write(self, pixels: NDArray[np.uint8], time_s: float | None = None) -> None:
        """Add a frame, which must not be changed afterwards; waits while :data:`WAITING` frames are unwritten."""
        while len(self._pending) >= WAITING:
            self._pending.popleft().result()
        self._pending.append(self._thread.submit(self._writer.write, pixels, time_s))

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True, cancel_futures=kind is not None)
        try:
            if kind is None:
                for frame in self._pending:
                    frame.result()
        except BaseException as failed:
            self._writer.__exit__(type(failed), failed, failed.__traceback__)
            raise
        self._writer.__exit__(kind, error, trace)


def call(
    path: Path, size: tuple[int, int], fps: float, *, codec: str = "h264", bit_rate: int | None = None,
    variable: bool = False,
) -> Lane:  # fmt: skip
    """The recording of the call: one thread, so that the same frames give the same bytes; yuv420p.

    Args:
        path: the file; its suffix must fit the codec (``settings.CODECS``).
        size: width and height, both even.
        fps: frames a second.
        codec: h264, vp8 or vp9.
        bit_rate: bit/s; by the size, 1.2 Mbit/s at 720p, where it is not given.
        variable: each frame is written with its own time.
    """
    rate = bit_rate or max(LOWEST_BIT_RATE, round(CALL_BITS_PER_PIXEL_SECOND * size[0] * size[1]))
    encoder, options = ENCODERS[codec]
    return Lane(VideoWriter(path, *size, fps, codec=encoder, bit_rate=rate, variable=variable, options=options))


def lossless(path: Path, size: tuple[int, int], fps: float) -> Lane:
    """RGB frames, exact to the byte when read back as RGB: x264 without loss, its fastest preset (5 ms at 720p)."""
    return Lane(
        VideoWriter(path, *size, fps, codec="libx264rgb", crf=0, pixel_format="rgb24", options={"preset": "ultrafast"})
    )


def gray(path: Path, size: tuple[int, int], fps: float) -> Lane:
    """(H, W) uint8 frames without loss: FFV1."""
    return Lane(VideoWriter(path, *size, fps, codec="ffv1", pixel_format="gray"))
