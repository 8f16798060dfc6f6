"""Recordings, read frame by frame with their real times. (:mod:`vbtools.backends.video_writer` writes them.)

Reading goes through PyAV, which brings its own FFmpeg: whatever FFmpeg decodes can be read, still pictures
included (a clip of one frame). Frames come in presentation order, upright (the display matrix of phone videos is
applied) and all of one size. Pixels that are not square are taken as they are stored: nothing is stretched.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.backends import video_smaller
from vbtools.backends.video_smaller import PLANAR_420, SWSCALE_THREADS, pixels_of
from vbtools.backends.video_writer import VideoWriter
from vbtools.errors import InputError

__all__ = ["Frame", "Orientation", "Video", "VideoWriter", "open_video"]

U8 = NDArray[np.uint8]

# Demuxers of FFmpeg that draw a text file as a video of letters; a recording is never one of these.
TEXT_ART = frozenset({"tty", "bin", "xbin", "adf", "idf"})
CONVERT = "Convert it with: ffmpeg -i RECORDING -c:v libx264 call.mp4"
# A recording is said to end early when this much of its stated length did not decode. Containers state the length of
# the longest stream, and audio often runs some tenths of a second longer than video.
EARLY_END_S = 1.0
EARLY_END_SHARE = 0.05


class Frame:
    """One decoded picture; its pixels are converted when they are asked for, not before.

    Attributes:
        index: number in the recording, in presentation order from 0.
        time_s: presentation time in s; the first frame that decodes is at 0.
    """

    __slots__ = ("_decoded", "_orientation", "_size", "index", "time_s")

    def __init__(
        self, decoded: Any, index: int, time_s: float, orientation: Orientation, size: tuple[int, int]
    ) -> None:
        self._decoded = decoded
        self._orientation = orientation
        self._size = size
        self.index = index
        self.time_s = time_s

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of :meth:`rgb`, px."""
        return self._size

    def rgb(self, size: tuple[int, int] | None = None) -> U8:
        """The picture, uint8 RGB, 0..255: converted from whatever the recording holds, alpha dropped.

        Args:
            size: height and width in px, not larger than :attr:`size`, which it is where none is given; by area
                interpolation.

        Returns:
            ``(*size, 3)``.
        """
        decoded, wanted = self._decoded, size or self._size
        stored = (decoded.width, decoded.height) if self._orientation.transpose else (decoded.height, decoded.width)
        is_half = stored == self._size == (2 * wanted[0], 2 * wanted[1])
        half = video_smaller.half_rgb(decoded) if is_half else None
        if half is not None:
            return np.ascontiguousarray(self._orientation.apply(half))
        pixels = self._orientation.apply(decoded.to_ndarray(format="rgb24", threads=SWSCALE_THREADS))
        return np.ascontiguousarray(_fitted(_fitted(pixels, self._size), wanted))

    def gray(self) -> U8:
        """A grey recording's values as they are stored, ``(H, W)`` uint8; of a coloured one the luminance, 0..255."""
        pixels = self._orientation.apply(self._decoded.to_ndarray(format="gray", threads=SWSCALE_THREADS))
        return np.ascontiguousarray(_fitted(pixels, self._size))

    def planes(self, long_side: int) -> tuple[U8, U8, U8]:
        """A small copy for analysis, far cheaper than :meth:`rgb`.

        Args:
            long_side: the luma's longest side, at most, in px; never enlarged.

        Returns:
            ``(h, w)`` uint8 luma and two chroma planes of half its sides (rounded), in the recording's own matrix and
            range (16..235 or 0..255 for luma; 128 is no colour). Same shapes for every frame of a recording.
        """
        frame = self._decoded
        if frame.format.name not in PLANAR_420:
            frame = frame.reformat(format="yuv420p", threads=SWSCALE_THREADS)
        H, W = self._size
        scale = min(1.0, long_side / max(H, W))
        luma = max(1, round(W * scale)), max(1, round(H * scale))
        chroma = max(1, (luma[0] + 1) // 2), max(1, (luma[1] + 1) // 2)
        sizes = (luma, chroma, chroma)
        y, u, v = (self._small_plane(plane, size) for plane, size in zip(frame.planes, sizes, strict=True))
        return y, u, v

    def _small_plane(self, plane: Any, size: tuple[int, int]) -> U8:
        pixels = self._orientation.apply(pixels_of(plane))
        if pixels.shape[1::-1] == size:
            return np.ascontiguousarray(pixels)
        return _shrunk(pixels, size)


def _fitted(pixels: U8, size: tuple[int, int]) -> U8:
    """Pixels at ``(height, width)``, by area interpolation; themselves where they are."""
    return pixels if pixels.shape[:2] == size else cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)


def _shrunk(plane: U8, size: tuple[int, int]) -> U8:
    """A plane ``(H, W)`` at ``(width, height)``, as OpenCV's area interpolation gives it."""
    width, height = size
    is_third = plane.shape == (3 * height, 3 * width)  # that of 1080p, as frames are looked at
    small = video_smaller.third(plane) if is_third else None
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA) if small is None else small


class Orientation:
    """How a stored picture must be turned to stand upright: one of the eight turns and flips of a rectangle."""

    __slots__ = ("flip_x", "flip_y", "transpose")

    def __init__(self, *, transpose: bool = False, flip_x: bool = False, flip_y: bool = False) -> None:
        self.transpose = transpose
        self.flip_x = flip_x
        self.flip_y = flip_y

    @classmethod
    def of(cls, frame: Any) -> Orientation:
        """Read the display matrix of a frame (ISO/IEC 14496-12, 8.3.2: nine int32, the first four in 16.16)."""
        try:
            data = frame.side_data.get("DISPLAYMATRIX")
        except ValueError:  # PyAV cannot list side data of a kind that it has no name for, such as a photo's EXIF
            return cls.turned(frame.rotation)
        if data is None:
            return UPRIGHT
        a, b, _, c, d = np.frombuffer(data, np.int32)[:5].tolist()  # (x, y) is shown at (a x + c y, b x + d y)
        if abs(b) > abs(a):
            return cls(transpose=True, flip_x=c < 0, flip_y=b < 0)
        return cls(flip_x=a < 0, flip_y=d < 0)

    @classmethod
    def turned(cls, degrees: int) -> Orientation:
        """A turn counter-clockwise by ``degrees``, taken to the nearest multiple of 90."""
        turns = round(degrees / 90) % 4
        return cls(transpose=turns in (1, 3), flip_x=turns in (2, 3), flip_y=turns in (1, 2))

    def apply(self, pixels: U8) -> U8:
        """Turn ``(H, W)`` or ``(H, W, C)`` pixels; a view, nothing is copied."""
        if self.transpose:
            pixels = pixels.swapaxes(0, 1)
        return pixels[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]


UPRIGHT = Orientation()


class Video:
    """A recording that is open for reading; made by :func:`open_video`.

    Attributes:
        path: the file.
        frame_estimate: how many frames the container promises; None where it does not say.
        duration_s: the length that the container states, in s; None where it does not say.
        notes: after :meth:`frames` has ended: one-line facts about damage, in plain words; empty for a whole recording.
        decoded: how many frames :meth:`frames` has given so far.
        last_time_s: time of the last of them, in s.
    """

    def __init__(self, path: Path, container: Any, stream: Any) -> None:
        self.path = path
        self.notes: list[str] = []
        self.decoded = 0
        self.last_time_s = 0.0
        self.duration_s = _duration(container, stream)
        self.frame_estimate = _frame_estimate(stream, self.duration_s)
        self._container = container
        self._stream = stream
        self._rate = float(stream.average_rate or stream.guessed_rate or 25)
        self._damaged_packets = 0
        self._damaged_frames = 0

    def __enter__(self) -> Video:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def frames(self) -> Iterator[Frame]:
        """Decode from beginning to end, once.

        Times are the real ones (presentation time stamp times time base, less those of the first frame), so they tell
        the truth for variable frame rates too. A frame without a stamp follows the one before by one frame duration.
        Frames that the decoder marks as damaged are left out and counted in :attr:`notes`.

        Raises:
            InputError: nothing at all could be decoded.
        """
        origin: float | None = None
        size: tuple[int, int] | None = None
        orientation, rotation = UPRIGHT, None
        for decoded in self._decode():
            stamp = _stamp(decoded)
            if stamp is None:
                stamp = (origin or 0.0) + (self.last_time_s + 1 / self._rate if self.decoded else 0.0)
            origin = stamp if origin is None else origin
            # Listing a frame's side data ties it into a cycle, so that it lives until the garbage is collected: tens of
            # MB. The matrix is the stream's, so it is read once, and again only where the rotation changes.
            if decoded.rotation != rotation:
                orientation, rotation = Orientation.of(decoded), decoded.rotation
            if size is None:
                size = (decoded.width, decoded.height) if orientation.transpose else (decoded.height, decoded.width)
            self.last_time_s = stamp - origin
            self.decoded += 1
            yield Frame(decoded, self.decoded - 1, self.last_time_s, orientation, size)
        if not self.decoded:
            raise InputError(f"'{self.path}' holds no frame that can be decoded", CONVERT)
        self._note_damage()

    @property
    def length_s(self) -> float:
        """Length of what has been decoded, in s: the last frame is shown for one frame duration."""
        return self.last_time_s + 1 / self._rate if self.decoded else 0.0

    def _decode(self) -> Iterator[Any]:
        for packet in self._packets():
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self._damaged_packets += 1
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self._damaged_frames += 1
                else:
                    yield frame

    def _packets(self) -> Iterator[Any]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:  # the file ends inside of a packet; frames still in the decoder follow
                self._damaged_packets += 1
                yield from self._flush()
                return
            yield packet

    def _flush(self) -> Iterator[Any]:
        packet = av.Packet()
        packet.stream = self._stream
        yield packet

    def _note_damage(self) -> None:
        length = self.length_s
        if self.duration_s is not None:
            missing = self.duration_s - length
            if missing > max(EARLY_END_S, EARLY_END_SHARE * self.duration_s):
                self.notes.append(
                    f"the recording ends early: {length:.2f} s of {self.duration_s:.2f} s could be decoded"
                )
        if self._damaged_packets:
            self.notes.append(f"the recording is damaged: {self._damaged_packets} pieces of it could not be decoded")
        if self._damaged_frames:
            self.notes.append(f"the recording is damaged: {self._damaged_frames} broken frames were left out")


def open_video(path: str | Path) -> Video:
    """Open a recording or a still picture; use it in a ``with`` statement.

    Only the file itself is read: a playlist cannot make FFmpeg fetch anything else.

    Raises:
        InputError: missing, a folder, empty, not a video, damaged beyond opening, without a picture.
    """
    path = Path(path)
    _check_file(path)
    try:
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"})
    except av.error.PermissionError as error:
        raise InputError(f"'{path}' cannot be read: permission denied") from error
    except av.error.FFmpegError as error:
        raise InputError(*_why_not_opened(path, error)) from error
    try:
        return Video(path, container, _picture_stream(path, container))
    except BaseException:
        container.close()
        raise


def _check_file(path: Path) -> None:
    if not path.exists():
        raise InputError(f"There is no file '{path}'")
    if path.is_dir():
        raise InputError(f"'{path}' is a folder, not a recording")
    if path.stat().st_size == 0:
        raise InputError(f"'{path}' is empty (0 bytes)")


def _why_not_opened(path: Path, error: Exception) -> tuple[str, str]:
    with path.open("rb") as file:
        is_mp4 = file.read(8)[4:] == b"ftyp"
    if is_mp4:  # the index (moov) is written last
        return f"'{path}' is cut off: the index at its end is missing, so nothing of it can be decoded", ""
    return f"'{path}' is not a video ({getattr(error, 'strerror', error)})", ""


def _picture_stream(path: Path, container: Any) -> Any:
    if container.format.name in TEXT_ART:
        raise InputError(f"'{path}' is not a video: it looks like text")
    cover = av.stream.Disposition.attached_pic
    pictures = [s for s in container.streams.video if not s.disposition & cover]
    if not pictures and len(container.streams.audio):
        raise InputError(f"'{path}' holds sound but no picture")
    if not pictures:
        raise InputError(f"'{path}' is not a video: there is no picture in it")
    best = container.streams.best("video")
    stream = next((s for s in pictures if best is not None and s.index == best.index), pictures[0])
    if stream.codec_context is None:
        raise InputError(f"'{path}' is in a video format that this FFmpeg cannot decode", CONVERT)
    stream.thread_type = "AUTO"
    return stream


def _duration(container: Any, stream: Any) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _frame_estimate(stream: Any, duration_s: float | None) -> int | None:
    if stream.frames:
        return int(stream.frames)
    if duration_s is not None and stream.average_rate:
        return max(1, round(duration_s * float(stream.average_rate)))
    return None


def _stamp(frame: Any) -> float | None:
    if frame.pts is None or frame.time_base is None:
        return None
    return float(frame.pts * frame.time_base)
