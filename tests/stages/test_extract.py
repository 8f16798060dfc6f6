"""extract, on real files and the real store: the right frames, their numbers and times, and why others are missing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import calls
import cv2
import numpy as np
import pytest
from fakes import CountingProgress
from numpy.testing import assert_allclose, assert_array_equal

from vbtools.backends.video import VideoWriter, open_video
from vbtools.errors import InputError, UsageError
from vbtools.stages.base import Job
from vbtools.stages.extract import Extract
from vbtools.store import Reader, Record, Writer

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
without_shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the sample recordings are not here: {SHARED}")


@dataclass
class Result:
    frames: np.ndarray
    time: np.ndarray
    index: np.ndarray
    unprotected: np.ndarray
    sharpness: np.ndarray
    regions: list[dict[str, Any]]
    dropped: list[dict[str, Any]]
    notes: list[str]
    progress: CountingProgress

    @property
    def raw(self) -> list[int]:
        return self.index[self.unprotected == 1].tolist()

    def reasons(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row in self.dropped:
            found.setdefault(row["reason"], []).append(int(row["index"]))
        return found


def extract(source: Path, folder: Path, **values: Any) -> Result:
    """Run the stage into a project and read it back."""
    stage, project = Extract(), folder / "study.h5"
    with Writer(project, "test") as writer:
        writer.create()
        with writer.output("extract", stage.elements, "0" * 64) as output:
            job: Job[Any] = Job(stage.parameters(values), writer.reader(), output, source, CountingProgress())
            stage.run(job)
            writer.commit(output, Record("extract", 1, "0" * 64, {}, (), {}, {}, {}, {}, 0, "", 0.0, "", "", ""))
    names = ("frames", "time", "index", "unprotected", "sharpness")
    with Reader(project) as reader:
        arrays = {name: reader.array("extract", name) for name in names}
        regions, dropped = (reader.table("extract", name) for name in ("regions", "dropped"))
    return Result(**arrays, regions=regions, dropped=dropped, notes=job.notes, progress=job.progress)


def record(path: Path, frames, fps: float = 25, times: list[float] | None = None, **options: Any) -> Path:
    frames = list(frames)
    height, width = frames[0].shape[:2]
    chosen = {"bit_rate": 400_000} | options
    with VideoWriter(path, width, height, fps, variable=times is not None, **chosen) as writer:
        for i, frame in enumerate(frames):
            writer.write(frame, None if times is None else times[i])
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    """Two seconds of a blurred call at 25 fps."""
    return record(tmp_path_factory.mktemp("plain") / "plain.mp4", calls.call(50))


@pytest.fixture(scope="module")
def titled(tmp_path_factory) -> Path:
    """What vendors' recorders make: title card, black, then the call, its first frame raw, and a raw one later."""
    frames = [calls.title(), calls.title(), calls.black(), *calls.call(57, raw=[0, 37], overlay=True)]
    return record(tmp_path_factory.mktemp("titled") / "titled.mp4", frames, fps=15, bit_rate=300_000)


def test_every_frame_of_a_plain_call_is_kept_with_its_time_and_number(plain, tmp_path):
    got = extract(plain, tmp_path)
    with open_video(plain) as video:
        wanted = [frame.rgb() for frame in video.frames()]
    assert_array_equal(got.frames, wanted)
    assert_array_equal(got.index, np.arange(50))
    assert_allclose(got.time, np.arange(50) / 25, atol=1e-6)
    assert (got.dropped, got.raw, got.notes) == ([], [], [])
    assert (got.progress.total, got.progress.done) == (50, 50)


def test_fps_chooses_by_time_and_sample_every_thins_out(plain, tmp_path):
    assert len(extract(plain, tmp_path, fps=15).index) == 30
    assert len(extract(plain, tmp_path, fps=100).index) == 50
    assert extract(plain, tmp_path, fps=5, sample_every=3).index.tolist() == [0, 15, 30, 45]


def test_variable_frame_rate_is_sampled_by_time(tmp_path):
    times = [*np.arange(30) / 30, *(1 + np.arange(10) / 10)]  # a second at 30, a second at 10
    source = record(tmp_path / "v.mp4", calls.call(40), times=times)
    got = extract(source, tmp_path, fps=10)
    assert_allclose(got.time, np.arange(20) / 10, atol=0.06)
    assert len(got.index) == 20


def test_frames_are_shrunk_to_the_longest_side_and_never_enlarged(plain, tmp_path):
    assert extract(plain, tmp_path, resize_long=160, fps=5).frames.shape == (10, 90, 160, 3)
    assert extract(plain, tmp_path, resize_long=4000, fps=5).frames.shape == (10, 180, 320, 3)


def test_start_and_end_count_in_the_recordings_own_time(plain, tmp_path):
    got = extract(plain, tmp_path, start=0.4, end=1.0)
    assert got.index.tolist() == list(range(10, 25))
    assert_allclose(got.time[0], 0.4)
    late = extract(plain, tmp_path, start=1.5, end=100)
    assert late.index.tolist() == list(range(38, 50))
    assert late.notes == ["the recording ends at 2.00 s, before the 100 s that were asked for"]


def test_title_cards_and_black_are_dropped_and_raw_frames_marked(titled, tmp_path):
    got = extract(titled, tmp_path)
    assert got.reasons() == {"title card": [0, 1], "black": [2]}
    assert got.index.tolist() == list(range(3, 60))
    assert got.raw == [3, 40]
    assert got.notes == ["left out 3 frames: 1 black, 2 title card", "2 unprotected frames: 0.20 s, 2.67 s"]
    assert got.sharpness[got.unprotected == 1].min() > 1.5


def test_raw_frames_that_fps_did_not_choose_are_fetched_and_stand_in_time_order(titled, tmp_path):
    got = extract(titled, tmp_path, fps=2, resize_long=160)
    assert got.raw == [3, 40]
    assert got.index.tolist() == sorted(got.index.tolist())
    assert len(got.index) < 12
    with open_video(titled) as video:
        wanted = {frame.index: frame.rgb() for frame in video.frames()}
    for index, frame in zip(got.index.tolist(), got.frames, strict=True):
        whole = wanted[index].reshape(90, 2, 160, 2, 3).mean(axis=(1, 3))
        assert np.abs(frame - whole).mean() < 1  # the pixels belong to the number
    assert got.reasons() == {"title card": [0, 1], "black": [2]}  # every decoded frame, whatever fps is


def test_keep_all_drops_nothing_and_still_marks_raw_frames(titled, tmp_path):
    got = extract(titled, tmp_path, keep_all=True)
    assert got.index.tolist() == list(range(60))
    assert got.dropped == []
    assert got.raw == [3, 40]
    assert got.notes[0] == "kept although not of the call: 3 frames: 1 black, 2 title card"


def test_a_rotated_recording_and_odd_sides(tmp_path):
    phone = record(tmp_path / "phone.mp4", calls.call(20), rotation=90)
    assert extract(phone, tmp_path).frames.shape == (20, 320, 180, 3)
    odd = record(
        tmp_path / "odd.mkv", [f[:101, :203] for f in calls.call(20)], codec="ffv1", pixel_format="bgr0", bit_rate=None
    )
    assert extract(odd, tmp_path).frames.shape == (20, 101, 203, 3)


def test_one_frame_is_a_call(tmp_path):
    got = extract(record(tmp_path / "one.mp4", calls.call(1)), tmp_path)
    assert (got.index.tolist(), got.time.tolist(), got.sharpness.tolist(), got.dropped) == ([0], [0.0], [1.0], [])


def test_a_recording_that_is_all_black_is_kept_and_said(tmp_path):
    got = extract(record(tmp_path / "b.mp4", [calls.black()] * 10), tmp_path)
    assert len(got.index) == 10
    assert got.notes == ["every frame is black: nothing was left out"]


def test_a_recording_that_was_cut_off_is_used_and_said(tmp_path):
    path = record(tmp_path / "a.mkv", calls.call(75, blur=0, noise=4), gop=10)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    got = extract(path, tmp_path)
    assert 10 < len(got.index) < 60
    assert any(note.startswith("the recording ends early: ") for note in got.notes)


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [({"start": 20}, InputError, "2.00 s long"), ({"start": 0.401, "end": 0.402}, InputError, "2.00 s long"),
     ({"start": 1, "end": 1}, UsageError, "is not after")],
)  # fmt: skip
def test_a_range_without_frames_is_refused(plain, tmp_path, values, error, words):
    with pytest.raises(error, match=words):
        extract(plain, tmp_path, **values)


def test_when_nothing_of_the_call_was_chosen_it_says_what_to_do(titled, tmp_path):
    quiet = record(tmp_path / "q.mp4", [calls.title()] * 4 + list(calls.call(40)))
    with pytest.raises(InputError, match=r"is of the call.*--keep-all"):
        extract(quiet, tmp_path, fps=0.1)


def test_help_needs_neither_numpy_nor_a_decoder():
    code = "import sys, vbtools.stages.extract; print([m for m in ('av', 'cv2', 'numpy') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length(tmp_path):
    code = """
import resource, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_extract
test_extract.extract(Path({source!r}), Path({folder!r}), fps=5)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    peaks = []
    for length in (60, 600):
        source = record(tmp_path / f"{length}.mp4", list(calls.call(60)) * (length // 60))
        filled = code.format(tests=str(Path(__file__).parent), source=str(source), folder=str(tmp_path))
        filled = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n" + filled
        answer = subprocess.run([sys.executable, "-c", filled], capture_output=True, text=True, check=True)
        peaks.append(int(answer.stdout))
    assert peaks[1] < 1.1 * peaks[0], f"{peaks} kB"


# -------------------------------------------------------------------------------------------------- real recordings

VENDORS = ("shiguredo15", "livekit50", "lfbw_blur40", "lfbw21")
INTEL = tuple(f"intel_asl_{word}" for word in ("again", "book", "brother", "help", "no", "student", "yes"))


@pytest.mark.parametrize(
    "name", [*(f"vendor/{v}_books/blurred_call.mp4" for v in VENDORS), *(f"clips/{clip}.mkv" for clip in INTEL)]
)
@pytest.mark.shared
@without_shared
def test_of_a_real_call_nothing_is_dropped_and_nothing_claimed(name, tmp_path):
    got = extract(SHARED / name, tmp_path, fps=2, resize_long=160)
    assert (got.dropped, got.raw, got.notes) == ([], [], [])


@pytest.mark.shared
@without_shared
def test_a_real_recording_with_two_backgrounds_keeps_the_one_seen_longest(tmp_path):
    got = extract(SHARED / "clips" / "kt_demo.webm", tmp_path)
    assert got.reasons() == {"another shot": [*range(28, 35), *range(54, 61)]}  # the frames were looked at
    assert got.raw == []


@pytest.mark.shared
@without_shared
def test_a_patch_of_one_frame_in_a_real_products_call_is_found_and_told_in_the_stored_frames_pixels(tmp_path):
    shape = cv2.ellipse(np.zeros((720, 1280), np.uint8), (870, 260), (130, 110), 0, 0, 360, 1, -1)[..., None]
    with open_video(SHARED / "vendor" / "scene_books" / "clean.mkv") as video:
        (clean,) = (f.rgb() for f in _until(video, 31) if f.index == 30)
    with open_video(SHARED / "vendor" / "shiguredo15_books" / "blurred_call.mp4") as video:
        frames = [np.where(shape, clean, f.rgb()) if f.index == 30 else f.rgb() for f in _until(video, 45)]
    small = [cv2.resize(frame, (640, 360), interpolation=cv2.INTER_AREA) for frame in frames]
    source = record(tmp_path / "patched.mp4", small, options={"preset": "veryfast"})
    got = extract(source, tmp_path, fps=2, resize_long=320)
    assert got.raw == [30]
    (region,) = got.regions
    assert got.index[region["row"]] == 30
    assert abs(region["x"] + region["width"] / 2 - 870 / 4) < 12
    assert abs(region["y"] + region["height"] / 2 - 260 / 4) < 12
    assert region["sharpness"] > 2


@pytest.mark.slow
@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.shared
@without_shared
def test_raw_frames_in_a_real_products_call_are_found_exactly(vendor, tmp_path):
    raw = [0, *range(30, 43), 80]
    with open_video(SHARED / "vendor" / "scene_books" / "clean.mkv") as video:
        clean = {f.index: f.rgb() for f in _until(video, 81) if f.index in raw}
    with open_video(SHARED / "vendor" / f"{vendor}_books" / "blurred_call.mp4") as video:
        frames = [clean[f.index] if f.index in clean else f.rgb() for f in _until(video, 110)]
    source = record(tmp_path / "mixed.mp4", frames, bit_rate=1_200_000, options={"preset": "veryfast"})
    got = extract(source, tmp_path, fps=2, resize_long=160)
    assert got.raw == raw
    assert got.dropped == []


def _until(video, count):
    for frame in video.frames():
        if frame.index >= count:
            return
        yield frame
