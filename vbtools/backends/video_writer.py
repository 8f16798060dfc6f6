"""Small recordings, written so that the same frames give the same bytes again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]

VARIABLE_TIME_BASE = Fraction(1, 90_000)  # s; the clock of MPEG: exact for 24, 25, 30, 50, 60 and 30000/1001 fps


AVX_512F = 13  # its number among OpenCV's cv::CpuFeatures
SAME_AGAIN = {"x264-params": "asm=AVX2"}
"""For x264 where it would take AVX-512: with that its macroblock tree (mbtree) gives other bytes from run to run for
some widths, such as 480 and 432. Up to AVX2 it does not, takes as long, and gives the same as without."""


class VideoWriter:
    """Write a small recording; the same frames and arguments give the same bytes again.

    Args:
        path: the suffix chooses the container (``.mp4``, ``.mkv``, ``.webm``).
        width, height: of every frame, in px; both even for ``yuv420p``.
        fps: frames a second, where :meth:`write` is given no time; and what the encoder's rate control assumes.
        codec: FFmpeg's name of the encoder; ``"ffv1"`` is lossless (with ``pixel_format="bgr0"`` or ``"gray"``).
        bit_rate: bit/s to aim at, as a call does.
        crf: constant quality of x264 instead (0 best .. 51).
        pixel_format: what is stored; colours are BT.601, FFmpeg's own default.
        gop: at most so many frames from one key frame to the next.
        variable: times come from :meth:`write`, on a clock of 90 kHz.
        rotation: degrees, a multiple of 90, by which a player shall turn the picture (counter-clockwise).
        options: further options of the encoder.

    Raises:
        ValueError: odd sides with a format that cannot hold them.
    """

    def __init__(  # noqa: PLR0913 (an encoder has that many settings, all by name)
        self, path: str | Path, width: int, height: int, fps: float | Fraction, *, codec: str = "libx264",
        bit_rate: int | None = None, crf: float | None = None, pixel_format: str = "yuv420p", gop: int | None = None,
        variable: bool = False, rotation: int = 0, options: dict[str, str] | None = None,
    ) -> None:
        if "420" in pixel_format and (width % 2 or height % 2):
            raise ValueError(f"{pixel_format} needs even sides, not {width}x{height}")
        self.size = (height, width)
        self.pixel_format = pixel_format
        rate = Fraction(fps).limit_denominator(1001)
        self._container = av.open(str(path), "w", options={"fflags": "+bitexact"})
        chosen = dict(options or {})
        if codec.startswith("libx264") and cv2.checkHardwareSupport(AVX_512F):
            chosen = SAME_AGAIN | chosen
        if crf is not None:
            chosen["crf"] = f"{crf:g}"
        stream = self._container.add_stream(codec, rate=rate, options=chosen)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = width, height, pixel_format
        context.time_base = VARIABLE_TIME_BASE if variable else 1 / rate
        context.thread_count = 1
        context.flags |= av.codec.context.Flags.bitexact
        if bit_rate is not None:
            context.bit_rate = bit_rate
        if gop is not None:
            context.gop_size = gop
        if rotation:
            stream.set_display_rotation(rotation)
        self._stream = stream
        self._converter = av.video.reformatter.VideoReformatter()  # a frame's own builds its tables anew each time
        self._variable = variable
        self._written = 0

    def write(self, pixels: U8, time_s: float | None = None) -> None:
        """Add a frame.

        Args:
            pixels: ``(H, W, 3)`` uint8 RGB or ``(H, W)`` uint8 grey, 0..255.
            time_s: presentation time in s, growing; only, and always, with ``variable=True``.

        Raises:
            ValueError: another size than the writer was made for, or a time where none belongs.
        """
        if pixels.shape[:2] != self.size:
            raise ValueError(f"the frame is {pixels.shape[:2]}, the recording is {self.size} (height, width)")
        if (time_s is not None) != self._variable:
            raise ValueError("a time is given with variable=True, and only then")
        source = "gray" if pixels.ndim == 2 else "rgb24"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=source)
        if source != self.pixel_format:
            frame = self._converter.reformat(frame, format=self.pixel_format)
        frame.time_base = self._stream.codec_context.time_base
        frame.pts = self._written if time_s is None else round(time_s / frame.time_base)
        self._container.mux(self._stream.encode(frame))
        self._written += 1

    def close(self) -> None:
        """Write what the encoder still holds, and the container's end."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._container.close()
