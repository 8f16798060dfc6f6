"""Recordings are read as they are shown: in order, at their real times, upright; what cannot be read says why."""

from __future__ import annotations

import platform
from concurrent.futures import Future
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from vbtools.backends import video_smaller
from vbtools.backends.video import Frame, Orientation, VideoWriter, open_video
from vbtools.errors import InputError
from vbtools.ops.shrink import third

QUARTERS = np.zeros((48, 80, 3), np.uint8)
QUARTERS[:24, :40], QUARTERS[:24, 40:], QUARTERS[24:, :40] = (200, 30, 30), (30, 200, 30), (30, 30, 200)


def write(path: Path, frames: list[np.ndarray], fps: float = 25, times: list[float] | None = None, **options) -> Path:
    height, width = frames[0].shape[:2]
    with VideoWriter(path, width, height, fps, variable=times is not None, **options) as writer:
        for i, frame in enumerate(frames):
            writer.write(frame, None if times is None else times[i])
    return path


def lossless(path: Path, frames: list[np.ndarray], **options) -> Path:
    return write(path, frames, codec="ffv1", pixel_format="bgr0", **options)


def numbered(count: int) -> list[np.ndarray]:
    return [np.full((48, 80, 3), 4 * i, np.uint8) for i in range(count)]


def test_lossless_frames_come_back_to_the_bit(tmp_path):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (31, 45, 3), dtype=np.uint8) for _ in range(4)]  # odd sides, red and blue differ
    with open_video(lossless(tmp_path / "a.mkv", frames)) as video:
        read = list(video.frames())
    assert [f.index for f in read] == [0, 1, 2, 3]
    for got, wanted in zip(read, frames, strict=True):
        assert_array_equal(got.rgb(), wanted)


def test_frames_come_in_presentation_order_at_a_constant_rate(tmp_path):
    path = write(tmp_path / "a.mp4", numbered(40), options={"bf": "3"})  # B-frames are stored out of order
    with open_video(path) as video:
        read = [(f.time_s, int(f.rgb().mean())) for f in video.frames()]
        assert video.frame_estimate == 40
        assert video.notes == []
    assert_allclose([t for t, _ in read], np.arange(40) / 25, atol=1e-6)
    assert [level for _, level in read] == sorted(level for _, level in read)


def test_variable_frame_rate_keeps_the_real_times(tmp_path):
    times = [0.0, 0.04, 0.1, 0.5, 0.52, 2.0]
    with open_video(write(tmp_path / "a.mp4", numbered(6), times=times)) as video:
        assert_allclose([f.time_s for f in video.frames()], times, atol=1e-4)


def test_time_begins_at_the_first_frame(tmp_path):
    with open_video(write(tmp_path / "a.mkv", numbered(3), times=[5.0, 5.5, 6.0])) as video:
        assert_allclose([f.time_s for f in video.frames()], [0.0, 0.5, 1.0], atol=1e-3)


@pytest.mark.parametrize(("degrees", "turns"), [(0, 0), (90, 1), (180, 2), (-90, 3)])
def test_rotated_phone_video_stands_upright(tmp_path, degrees, turns):
    path = write(tmp_path / "a.mp4", [QUARTERS] * 2, crf=4, rotation=degrees)
    wanted = np.rot90(QUARTERS, turns)
    with open_video(path) as video:
        frame = next(video.frames())
        got, luma = frame.rgb(), frame.planes(1000)[0]
    assert got.shape == wanted.shape
    assert np.abs(got.astype(int) - wanted).mean() < 6
    assert np.corrcoef(luma.ravel(), cv2.cvtColor(wanted, cv2.COLOR_RGB2GRAY).ravel())[0, 1] > 0.98


@pytest.mark.parametrize(
    ("codec", "pixel_format", "suffix"),
    [("ffv1", "gray", "mkv"), ("ffv1", "gray16le", "mkv"), ("ffv1", "bgra", "mkv"), ("ffv1", "yuv444p10le", "mkv"),
     ("libx264", "yuv444p", "mp4"), ("mjpeg", "yuvj420p", "mkv"), ("libvpx-vp9", "yuv420p", "webm")],
)  # fmt: skip
def test_any_pixel_format_reads_as_rgb8_and_as_planes(tmp_path, codec, pixel_format, suffix):
    grey = np.repeat(np.tile(np.arange(0, 240, 3, dtype=np.uint8), (48, 1))[..., None], 3, axis=2)
    path = write(tmp_path / f"a.{suffix}", [grey] * 2, codec=codec, pixel_format=pixel_format)
    with open_video(path) as video:
        frame = next(video.frames())
        pixels, (luma, blue, red) = frame.rgb(), frame.planes(40)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (48, 80, 3)
    assert np.abs(pixels.astype(int) - grey).mean() < 4
    assert (luma.shape, blue.shape, red.shape) == ((24, 40), (12, 20), (12, 20))
    assert np.abs(blue.astype(int) - 128).max() < 8


def test_planes_are_never_enlarged(tmp_path):
    with open_video(lossless(tmp_path / "a.mkv", [QUARTERS])) as video:
        assert next(video.frames()).planes(640)[0].shape == (48, 80)


def test_frames_that_change_their_size_get_the_size_of_the_first(tmp_path):
    small = write(tmp_path / "small.ts", [QUARTERS] * 5)
    large = write(tmp_path / "large.ts", [cv2.resize(QUARTERS, (160, 96))] * 5)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    with open_video(joined) as video:
        read = [(f.rgb(), f.planes(64)[0].shape) for f in video.frames()]
    assert len(read) == 10
    assert {(pixels.shape, luma) for pixels, luma in read} == {((48, 80, 3), (38, 64))}
    assert np.abs(read[-1][0].astype(int) - QUARTERS).mean() < 8


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp"])
def test_a_still_picture_is_a_clip_of_one_frame(tmp_path, name):
    cv2.imwrite(str(tmp_path / name), QUARTERS[..., ::-1])
    with open_video(tmp_path / name) as video:
        frames = list(video.frames())
    assert [f.time_s for f in frames] == [0.0]
    assert np.abs(frames[0].rgb().astype(int) - QUARTERS).mean() < 4


def sound(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        samples.sample_rate = 44100
        container.mux(stream.encode(samples))
        container.mux(stream.encode(None))
    return path


def test_what_is_no_recording_is_one_clear_error(tmp_path):
    whole = write(tmp_path / "whole.mp4", numbered(50)).read_bytes()
    cases = {
        "missing.mp4": (None, "There is no file"),
        "empty.mp4": (b"", "is empty"),
        "notes.txt": (b"hello\n" * 200, "looks like text"),
        "text.mp4": (b"hello\n" * 200, "is not a video"),
        "cut.mp4": (whole[: len(whole) // 2], "is cut off"),
        "noise.mkv": (np.random.default_rng(0).bytes(5000), "is not a video"),
    }
    for name, (content, words) in cases.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=words) as raised:
            open_video(tmp_path / name)
        assert name in str(raised.value)
        assert "\n" not in str(raised.value)
    with pytest.raises(InputError, match="is a folder"):
        open_video(tmp_path)
    with pytest.raises(InputError, match="sound but no picture"):
        open_video(sound(tmp_path / "sound.m4a"))


def test_a_recording_without_a_frame_that_decodes_is_an_error(tmp_path):
    path = write(tmp_path / "a.mkv", numbered(1))
    content = path.read_bytes()
    packet = content.index(b"\xa3", content.index(bytes.fromhex("1F43B675"))) + 8  # in the first Cluster's SimpleBlock
    path.write_bytes(content[:packet] + bytes(len(content) - packet))
    with pytest.raises(InputError, match="holds no frame"), open_video(path) as video:
        list(video.frames())


def test_a_recording_cut_in_the_middle_keeps_what_decodes_and_says_so(tmp_path):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (48, 80, 3), dtype=np.uint8) for _ in range(100)]
    path = write(tmp_path / "a.mkv", frames, gop=10)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with open_video(path) as video:
        count = sum(1 for _ in video.frames())
        assert 30 < count < 70
        assert [note for note in video.notes if note.startswith("the recording ends early: ")]


def test_writing_the_same_gives_the_same_bytes(tmp_path):
    a, b = (write(tmp_path / name, numbered(8), bit_rate=200_000) for name in ("a.mp4", "b.mp4"))
    assert a.read_bytes() == b.read_bytes()


def test_the_writer_refuses_what_it_cannot_hold(tmp_path):
    with pytest.raises(ValueError, match="even"):
        VideoWriter(tmp_path / "a.mp4", 31, 20, 25)
    with VideoWriter(tmp_path / "b.mp4", 80, 48, Fraction(30000, 1001)) as writer:
        writer.write(QUARTERS)
        with pytest.raises(ValueError, match="height, width"):
            writer.write(QUARTERS[:20])
        with pytest.raises(ValueError, match="variable"):
            writer.write(QUARTERS, 1.0)


@pytest.mark.parametrize("size", [(54, 96), (56, 96), (54, 98), (108, 192)])
def test_planes_are_what_area_interpolation_gives_whatever_the_share(tmp_path, size):
    rng = np.random.default_rng(1)
    noise = np.repeat(rng.integers(0, 256, (*size, 1), np.uint8), 3, axis=2)
    path = write(tmp_path / "a.mkv", [noise], codec="ffv1", pixel_format="yuv420p")
    with open_video(path) as video:
        frame = next(video.frames())
        stored, small = frame.planes(max(size)), frame.planes(32)
    for plane, got in zip(stored, small, strict=True):
        assert_array_equal(got, cv2.resize(plane, got.shape[::-1], interpolation=cv2.INTER_AREA))


def test_a_third_is_what_area_interpolation_gives_for_every_sum_of_nine_values():
    sums = np.arange(9 * 255 + 1)
    nines = (sums[:, None] + np.arange(9)) // 9  # each sum, spread over nine values
    assert_array_equal(nines.sum(axis=1), sums)
    tall = nines.reshape(-1, 3).astype(np.uint8)
    for plane in (tall, np.ascontiguousarray(tall.T)):
        size = plane.shape[1] // 3, plane.shape[0] // 3
        assert_array_equal(third(plane), cv2.resize(plane, size, interpolation=cv2.INTER_AREA))


def planar(size: tuple[int, int], pixel_format: str, colorspace: int, color_range: int) -> av.VideoFrame:
    """A 4:2:0 frame of noise whose colours reach beyond black and white."""
    rng, (height, width) = np.random.default_rng(5), size
    frame = av.VideoFrame(width, height, pixel_format)
    for plane, sides in zip(frame.planes, ((16, 18), (4, 5), (4, 5)), strict=True):
        coarse = cv2.resize(rng.integers(0, 256, sides).astype(np.float32), (plane.width, plane.height))
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, : plane.width] = np.clip(coarse + rng.normal(0, 9, coarse.shape), 0, 255)
        plane.update(rows.tobytes())
    frame.colorspace, frame.color_range = colorspace, color_range
    return frame


@pytest.mark.parametrize("turned", [0, 90])
@pytest.mark.parametrize(
    ("pixel_format", "colorspace", "color_range"),
    [("yuv420p", 2, 0), ("yuv420p", 1, 1), ("yuv420p", 5, 2), ("yuv420p", 6, 1), ("yuvj420p", 2, 0)],
)
def test_half_a_picture_is_the_whole_one_after_area_interpolation(pixel_format, colorspace, color_range, turned):
    decoded, size = planar((96, 200), pixel_format, colorspace, color_range), (200, 96) if turned else (96, 200)
    frame = Frame(decoded, 0, 0.0, Orientation.turned(turned), size)
    half = (size[0] // 2, size[1] // 2)
    wanted = cv2.resize(frame.rgb(), half[::-1], interpolation=cv2.INTER_AREA)
    video_smaller.wait()
    got = frame.rgb(half)
    assert_array_equal(got, wanted)
    assert np.ptp(wanted) > 250
    if platform.machine() in {"x86_64", "AMD64"}:  # elsewhere swscale may give others, and does what is wanted then
        assert video_smaller.half_rgb(decoded) is not None


@pytest.mark.parametrize(("pixel_format", "colorspace"), [("yuv420p", 9), ("yuv444p", 1)])
def test_other_colours_are_converted_whole(pixel_format, colorspace):
    frame = Frame(planar((96, 200), pixel_format, colorspace, 1), 0, 0.0, Orientation.turned(0), (96, 200))
    video_smaller.wait()
    assert_array_equal(frame.rgb((48, 100)), cv2.resize(frame.rgb(), (100, 48), interpolation=cv2.INTER_AREA))


def test_pixels_do_not_depend_on_whether_the_kernels_are_loaded(monkeypatch):
    frame = Frame(planar((216, 384), "yuv420p", 1, 1), 0, 0.0, Orientation.turned(0), (216, 384))
    video_smaller.wait()
    late = frame.rgb((108, 192)), *frame.planes(128)
    monkeypatch.setattr(video_smaller, "_loading", Future)
    assert video_smaller.third(np.zeros((3, 3), np.uint8)) is None
    early = frame.rgb((108, 192)), *frame.planes(128)
    for one, other in zip(early, late, strict=True):
        assert_array_equal(one, other)


def test_an_interlaced_recording_is_read_alike_whether_the_kernels_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """swscale takes its fields apart."""
    path = tmp_path / "fields.mp4"
    ramp = cv2.resize(np.random.default_rng(2).integers(0, 256, (9, 16, 3), np.uint8), (192, 96))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"x264-params": "interlaced=1:crf=10"})
        stream.width, stream.height, stream.pix_fmt = 192, 96, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(ramp, format="rgb24")))
        container.mux(stream.encode(None))
    video_smaller.wait()
    with open_video(path) as video:
        frame = next(video.frames())
        late = frame.rgb((48, 96))
        monkeypatch.setattr(video_smaller, "_loading", Future)
        assert_array_equal(frame.rgb((48, 96)), late)
