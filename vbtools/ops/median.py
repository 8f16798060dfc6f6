"""Exact masked temporal median of uint8 video: in memory, or streamed in two passes.

A uint8 has 256 values, so a rank is found by counting and nothing is ever sorted. Every step asks, for a row of
neighbouring pixels at once, how many of their values lie below a threshold of their own. That is one comparison and
one addition of bytes, which the compiler turns into vector instructions. Bisecting the value takes eight such counts
(:func:`masked_median`); sixteen thresholds at a time take two passes (:class:`StreamingMedian`).

An invalid value is replaced by 255 when it is loaded. A threshold is at most 255 and only values strictly below it
count, so an invalid value is never counted, and ranks are taken among the valid values.

Terms: a *series* is one channel of one pixel over time. Of its ``n`` valid values the *lower* and *upper* middle
have the ranks ``(n - 1) // 2`` and ``n // 2``, from 0; for odd ``n`` they are the same value.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vbtools.ops.compiled import njit

U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
F32 = NDArray[np.float32]

# Measured with bench/median.py on a Xeon with 2 MB of L2 cache a core: 3072 lanes of 150 frames are the optimum, and
# short rows cost more in cache and page look-ups than a buffer beyond the cache does.
CHUNK_BYTES = 480 * 1024  # one chunk of pixels over all frames, copied once and then counted several times
CHUNK_PIXELS = (64, 2048)  # at least, at most
BAND_BYTES = 8 * 1024 * 1024  # copied at a time where the input is not contiguous
THREAD_BYTES = 4 * 1024 * 1024  # below this a thread costs more than it saves
BANDS_PER_THREAD = 4

_BINS = 16  # 16 coarse bins of 16 fine ones: 256 values
_BYTE_FRAMES = 255  # as many frames can be counted in a byte


def masked_median(frames: U8, valid: NDArray[np.bool_] | U8, *, threads: int | None = None) -> tuple[F32, U32]:
    """Median over time of the valid values, for each pixel and channel.

    Args:
        frames: ``(T, h, w, C)`` uint8, 0..255; any strides (what is not contiguous is copied band by band).
        valid: ``(T, h, w)`` bool or uint8; nonzero where the pixel of that frame counts, for all channels.
        threads: at most so many threads; by default the CPU cores that this process may use.

    Returns:
        plate: ``(h, w, C)`` float32, 0..255: the middle value, or the mean of the two middle values when their
            number is even (so x.5 occurs, exactly); NaN where coverage is 0.
        coverage: ``(h, w)`` uint32, the number of valid frames, 0..T.

    Raises:
        ValueError: wrong shape or dtype, an empty axis, or fewer threads than 1.
        TypeError: not a numpy array.

    Time grows with ``T * h * w * C``. Memory beyond the arguments and the result is about 0.5 MB a thread (for long
    clips ``64 * T * C`` bytes), and :data:`BAND_BYTES` a thread more, or one row of pixels, for strided input.
    """
    _check_frames(frames, valid)
    workers = _thread_count(threads)
    _, height, width, channels = frames.shape
    plate = np.empty(height * width * channels, np.float32)
    coverage = np.empty(height * width, np.uint32)

    def work(band: U8, mask: U8, first: int, start: int, stop: int) -> None:
        _median_range(
            band, mask, channels, _chunk_pixels(band.shape[0], channels), first,
            plate[start * channels : stop * channels], coverage[start:stop],
        )  # fmt: skip

    _for_bands(frames, valid, workers, work)
    return plate.reshape(height, width, channels), coverage.reshape(height, width)


def to_picture(plate: F32, coverage: U32) -> U8:
    """The plate as a picture: rounded half to even, clipped to 0..255, and 0 where nothing was observed.

    Args:
        plate: ``(h, w, C)`` floating point; NaN only where coverage is 0.
        coverage: ``(h, w)`` integer. A 0 means *unobserved*, not black: the caller has to show it as such.

    Returns:
        ``(h, w, C)`` uint8.

    Raises:
        ValueError: wrong shape or dtype, or an observed pixel that is not a finite number.
    """
    if plate.ndim != 3 or not np.issubdtype(plate.dtype, np.floating):
        raise ValueError(f"plate is {plate.dtype} {plate.shape}; give floating point (h, w, C)")
    if coverage.shape != plate.shape[:2] or not np.issubdtype(coverage.dtype, np.integer):
        raise ValueError(
            f"coverage is {coverage.dtype} {coverage.shape}; give integers {plate.shape[:2]} as the plate has"
        )
    observed = np.where((coverage > 0)[..., None], plate, np.zeros((), plate.dtype))
    broken = int(np.count_nonzero(~np.isfinite(observed)))
    if broken:
        raise ValueError(f"plate has {broken} values that are not finite where coverage is above 0")
    picture: U8 = np.clip(np.rint(observed), 0, 255).astype(np.uint8)
    return picture


class StreamingMedian:
    """The answer of :func:`masked_median` for a clip that is read twice in blocks of frames, in fixed memory.

    The first pass counts into 16 coarse bins of 16 values; the second into the 16 single values of the bin that
    holds the lower middle rank. The upper middle lies in the same bin, or is the least value above that bin, which
    the second pass keeps as well. Memory is about 70 bytes a series (960x540x3: 110 MB), whatever the clip's length;
    blocks of about 32 frames and more are read at full speed, single frames at a fifth of it.

    Call in this order::

        median = StreamingMedian(height, width, channels)
        for frames, valid in blocks(): median.add_coarse(frames, valid)
        median.end_coarse()
        for frames, valid in blocks(): median.add_fine(frames, valid)
        plate, coverage = median.result()

    Both passes take the same frames; order and split into blocks may differ. One thread calls, several work.

    Args:
        height, width, channels: of the frames, each at least 1.
        threads: at most so many threads; by default the CPU cores that this process may use.

    Raises:
        ValueError: a size or ``threads`` below 1.
    """

    def __init__(self, height: int, width: int, channels: int, *, threads: int | None = None) -> None:
        if min(height, width, channels) < 1:
            raise ValueError(f"height, width, channels are {height}, {width}, {channels}; each must be at least 1")
        self._shape = (height, width, channels)
        self._threads = _thread_count(threads)
        self._second_pass = False
        pixels, series = height * width, height * width * channels
        self._base = np.zeros(series, np.uint8)  # least value of the bin that holds the lower middle
        self._below = np.zeros((_BINS, series), np.uint32)  # values below base + step, base + 2 * step, ...
        self._beyond = np.full(series, 255, np.uint8)  # least value above that bin
        self._top = np.zeros(0, np.uint32)  # values below the end of that bin, counted in the first pass
        self._coverage = np.zeros(pixels, np.uint32)
        self._first_coverage = np.zeros(0, np.uint32)
        self._frames = self._first_frames = 0

    def add_coarse(self, frames: U8, valid: NDArray[np.bool_] | U8) -> None:
        """Count a block ``(t, h, w, C)`` uint8 with its mask ``(t, h, w)`` bool or uint8 in the first pass.

        Raises:
            ValueError: wrong shape or dtype.
            RuntimeError: the first pass is over.
        """
        if self._second_pass:
            raise RuntimeError("add_coarse was called after end_coarse; the second pass takes add_fine")
        self._add(frames, valid, _BINS)

    def end_coarse(self) -> None:
        """End the first pass: find the bin of each series.

        Raises:
            RuntimeError: the first pass is over already, or no frame was added to it.
        """
        if self._second_pass:
            raise RuntimeError("end_coarse was called twice; the second pass takes add_fine, then result")
        if not self._frames:
            raise RuntimeError("end_coarse was called before any frame; call add_coarse with every block first")
        coarse = _bins_passed(self._below, self._rank("lower"))
        self._top = np.take_along_axis(self._below, coarse[None].astype(np.intp), axis=0)[0]
        self._base = coarse * np.uint8(_BINS)
        self._below[:] = 0
        self._first_coverage, self._coverage = self._coverage, np.zeros_like(self._coverage)
        self._first_frames, self._frames = self._frames, 0
        self._second_pass = True

    def add_fine(self, frames: U8, valid: NDArray[np.bool_] | U8) -> None:
        """Count a block ``(t, h, w, C)`` uint8 with its mask ``(t, h, w)`` bool or uint8 in the second pass.

        Raises:
            ValueError: wrong shape or dtype, or more frames than the first pass had.
            RuntimeError: the first pass is not over.
        """
        if not self._second_pass:
            raise RuntimeError("add_fine was called in the first pass; call add_coarse for all blocks, then end_coarse")
        self._add(frames, valid, 1)

    def result(self) -> tuple[F32, U32]:
        """Plate ``(h, w, C)`` float32 and coverage ``(h, w)`` uint32, as :func:`masked_median` gives them.

        Raises:
            RuntimeError: the second pass has not begun.
            ValueError: the second pass saw other frames, masks or values than the first, as far as counts show it.
        """
        if not self._second_pass:
            raise RuntimeError("result was called in the first pass; call end_coarse, then add_fine for all blocks")
        self._check_passes_agree()
        lower = self._base + _bins_passed(self._below, self._rank("lower"))
        rank = self._rank("upper")
        same_bin = (self._base == 256 - _BINS) | (rank < self._top)
        upper = np.where(same_bin, self._base + _bins_passed(self._below, rank), self._beyond)
        plate = (lower.astype(np.float32) + upper) * np.float32(0.5)
        height, width, channels = self._shape
        plate = plate.reshape(height, width, channels)
        coverage = self._coverage.reshape(height, width).copy()
        plate[coverage == 0] = np.nan
        return plate, coverage

    def _add(self, frames: U8, valid: NDArray[np.bool_] | U8, step: int) -> None:
        _check_frames(frames, valid)
        if frames.shape[1:] != self._shape:
            raise ValueError(f"frames are {frames.shape}; this median was made for (t, *{self._shape})")
        count = self._frames + frames.shape[0]
        if self._second_pass and count > self._first_frames:
            raise ValueError(f"the second pass saw {count} frames, the first {self._first_frames}; give both the same")
        channels = self._shape[2]

        def work(band: U8, mask: U8, first: int, start: int, stop: int) -> None:
            series = slice(start * channels, stop * channels)
            _stream_range(
                band, mask, channels, _chunk_pixels(band.shape[0], channels), first, step,
                self._base[series], self._below[:, series], self._beyond[series], self._coverage[start:stop],
            )  # fmt: skip

        _for_bands(frames, valid, self._threads, work)
        self._frames = count

    def _rank(self, middle: Literal["lower", "upper"]) -> U32:
        """``(series,)`` uint32: the rank of one middle; 0 where nothing is valid."""
        count = self._first_coverage if self._second_pass else self._coverage
        rank = count // 2 if middle == "upper" else (np.maximum(count, 1) - 1) // 2
        return np.repeat(rank, self._shape[2])

    def _check_passes_agree(self) -> None:
        advice = "give both passes the same frames and masks"
        if self._frames != self._first_frames:
            raise ValueError(f"the second pass saw {self._frames} frames, the first {self._first_frames}; {advice}")
        masks = int(np.count_nonzero(self._coverage != self._first_coverage))
        if masks:
            raise ValueError(f"the second pass saw another number of valid frames at {masks} pixels; {advice}")
        values = int(np.count_nonzero(self._below[-1] != self._top))
        if values:
            raise ValueError(f"the second pass saw other values in {values} of {self._top.size} series; {advice}")


def _bins_passed(below: U32, rank: U32) -> U8:
    """``(series,)`` uint8, 0..15: the bin that holds a rank, from the counts below each bin's end ``(16, series)``."""
    passed = np.zeros(rank.size, np.uint8)
    for count in below[: _BINS - 1]:
        passed += count <= rank
    return passed


def _check_frames(frames: Any, valid: Any) -> None:
    for name, array in (("frames", frames), ("valid", valid)):
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{name} is a {type(array).__name__}; give a numpy array")
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"frames are {frames.dtype} {frames.shape}; give uint8 (T, h, w, C)")
    if 0 in frames.shape:
        raise ValueError(f"frames are {frames.shape}; no axis may be empty")
    if valid.dtype not in (np.dtype(np.bool_), np.dtype(np.uint8)):
        raise ValueError(f"valid is {valid.dtype}; give bool or uint8")
    if valid.shape != frames.shape[:3]:
        raise ValueError(f"valid is {valid.shape}; give {frames.shape[:3]}, as the frames are {frames.shape}")


def _thread_count(threads: int | None) -> int:
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads < 1:
        raise ValueError(f"threads is {threads}; give at least 1, or None for all cores")
    return threads


def _chunk_pixels(count: int, channels: int) -> int:
    least, most = CHUNK_PIXELS
    return max(least, min(most, CHUNK_BYTES // (count * channels)))


def _flat(array: NDArray[Any]) -> U8:
    """``(T, values)`` uint8, contiguous and read-only: one type, so that each kernel is compiled once."""
    flat = np.ascontiguousarray(array).view(np.uint8).reshape(array.shape[0], -1)
    flat.flags.writeable = False
    return flat


def _for_bands(frames: U8, valid: NDArray[Any], threads: int, work: Callable[[U8, U8, int, int, int], None]) -> None:
    """Call ``work(frames, valid, first, start, stop)`` for bands of rows that cover the picture, in threads.

    ``start:stop`` are the band's pixels in the picture, ``first`` is its first pixel in the flat arrays given.
    """
    count, height, width, channels = frames.shape
    threads = min(threads, height, 1 + frames.size // THREAD_BYTES)
    rows = height if threads == 1 else -(-height // (threads * BANDS_PER_THREAD))
    whole = frames.flags.c_contiguous and valid.flags.c_contiguous
    if not whole:
        rows = max(1, min(rows, BAND_BYTES // (count * width * (channels + 1))))
    flat = (_flat(frames), _flat(valid)) if whole else None

    def band(top: int) -> None:
        bottom = min(top + rows, height)
        arrays = flat or (_flat(frames[:, top:bottom]), _flat(valid[:, top:bottom]))
        work(*arrays, top * width if whole else 0, top * width, bottom * width)

    if threads == 1:
        for top in range(0, height, rows):
            band(top)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="median") as pool:
        for _ in pool.map(band, range(0, height, rows)):
            pass


# The kernels. Loops run over slices that start at 0, since numba vectorizes only what it can prove to be in range.


@njit(nogil=True, cache=True)
def _load_chunk(frames, valid, channels, start, pixels, invalid, coverage, buffer):
    """Copy ``pixels`` pixels of all frames to ``buffer (T, lanes)`` with 255 where invalid; add to ``coverage``."""
    lanes = pixels * channels
    for t in range(frames.shape[0]):
        mask = valid[t, start : start + pixels]
        for p in range(pixels):
            coverage[p] += np.uint32(mask[p] != 0)
        if channels == 3:
            for p in range(pixels):
                bits = np.uint8(mask[p] == 0) * np.uint8(255)
                invalid[3 * p] = bits
                invalid[3 * p + 1] = bits
                invalid[3 * p + 2] = bits
        else:
            for p in range(pixels):
                bits = np.uint8(mask[p] == 0) * np.uint8(255)
                for c in range(channels):
                    invalid[p * channels + c] = bits
        source = frames[t, start * channels : start * channels + lanes]
        row = buffer[t]
        for i in range(lanes):
            row[i] = source[i] | invalid[i]


@njit(nogil=True, cache=True)
def _add_below(buffer, threshold, partial, below):
    """Add to ``below (lanes,)`` uint32 the number of values of ``buffer (T, lanes)`` below the lane's threshold."""
    count, lanes = buffer.shape[0], below.shape[0]
    for start in range(0, count, _BYTE_FRAMES):
        for i in range(lanes):
            partial[i] = 0
        for t in range(start, min(start + _BYTE_FRAMES, count)):
            row = buffer[t]
            for i in range(lanes):
                partial[i] += np.uint8(row[i] < threshold[i])
        for i in range(lanes):
            below[i] += partial[i]


@njit(nogil=True, cache=True)
def _least_above(buffer, limit, least):
    """Lower ``least (lanes,)`` to the least value of ``buffer (T, lanes)`` that is above the lane's limit."""
    lanes = least.shape[0]
    for t in range(buffer.shape[0]):
        row = buffer[t]
        for i in range(lanes):
            value = row[i] if row[i] > limit[i] else np.uint8(255)
            least[i] = min(least[i], value)


@njit(nogil=True, cache=True)
def _median_range(frames, valid, channels, chunk, first, plate, coverage):
    """Fill ``plate`` and ``coverage`` of consecutive pixels, the first of which is ``first`` in the flat input."""
    width = chunk * channels
    buffer = np.empty((frames.shape[0], width), np.uint8)
    threshold, partial, lower, upper, below, rank = _lanes(width)
    for start in range(0, coverage.shape[0], chunk):
        pixels = min(chunk, coverage.shape[0] - start)
        lanes = pixels * channels
        seen = coverage[start : start + pixels]
        seen[:] = 0
        _load_chunk(frames, valid, channels, first + start, pixels, partial, seen, buffer)
        for p in range(pixels):
            for i in range(p * channels, (p + 1) * channels):
                rank[i] = (max(seen[p], 1) - 1) // 2
                lower[i] = 0
                upper[i] = 255
        for bit in range(7, -1, -1):  # the lower middle is at least the threshold if at most rank values lie below it
            for i in range(lanes):
                threshold[i] = lower[i] | np.uint8(1 << bit)
                below[i] = 0
            _add_below(buffer, threshold, partial, below[:lanes])
            for i in range(lanes):
                if below[i] <= rank[i]:
                    lower[i] = threshold[i]
        _least_above(buffer, lower, upper[:lanes])
        for i in range(lanes):  # count up to the lower middle; at 255 the count does not matter, as upper is 255 too
            threshold[i] = min(lower[i], np.uint8(254)) + np.uint8(1)
            below[i] = 0
        _add_below(buffer, threshold, partial, below[:lanes])
        out = plate[start * channels : start * channels + lanes]
        for p in range(pixels):
            n = seen[p]
            for i in range(p * channels, (p + 1) * channels):
                high = upper[i] if n // 2 >= below[i] else lower[i]
                out[i] = (np.float32(lower[i]) + np.float32(high)) * np.float32(0.5) if n else np.float32(np.nan)


@njit(nogil=True, cache=True)
def _lanes(width):
    """Work rows of one chunk: four of uint8, two of uint32."""
    small = np.empty((4, width), np.uint8)
    large = np.empty((2, width), np.uint32)
    return small[0], small[1], small[2], small[3], large[0], large[1]


@njit(nogil=True, cache=True)
def _stream_range(  # noqa: PLR0913, PLR0917 (numba takes arrays and numbers, no object that would hold them)
    frames, valid, channels, chunk, first, step, base, below, beyond, coverage
):
    """Add a block to ``below (16, series)``, thresholds ``base + step * 1..16`` (256 is taken as 0: none below)."""
    width = chunk * channels
    buffer = np.empty((frames.shape[0], width), np.uint8)
    threshold, partial, _, _, _, _ = _lanes(width)
    for start in range(0, coverage.shape[0], chunk):
        pixels = min(chunk, coverage.shape[0] - start)
        low, high = start * channels, (start + pixels) * channels
        lanes = high - low
        _load_chunk(frames, valid, channels, first + start, pixels, partial, coverage[start : start + pixels], buffer)
        origin = base[low:high]
        for bin_ in range(_BINS):
            for i in range(lanes):
                threshold[i] = np.uint8(origin[i] + step * (bin_ + 1))
            _add_below(buffer, threshold, partial, below[bin_, low:high])
        if step == 1:
            for i in range(lanes):
                threshold[i] = origin[i] | np.uint8(_BINS - 1)
            _least_above(buffer, threshold, beyond[low:high])
