"""Nonsense gets one clear sentence, a documented exit code and no traceback, and nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import av
import cv2
import h5py
import numpy as np
import pytest
from recordings import Answer, Outcome, room, write_clip

from vbtools import backends
from vbtools.backends.video import VideoWriter
from vbtools.cli.main import exit_codes
from vbtools.simulate.room import render_room
from vbtools.store import Reader, Writer
from vbtools.store.layout import FORMAT_VERSION

QUICK = ("--set", "inspect.ocr=false")


def says(outcome: Outcome, code: int, *words: str) -> None:
    """The exit code is the documented one, and the error names the fact and what to do."""
    assert outcome.code == code, outcome.err
    assert code in exit_codes()
    assert "error" in outcome.err.lower()
    for word in words:
        assert word in outcome.err, outcome.err


# ---------------------------------------------------------------------------------------------------------- recordings


def test_a_missing_recording(vbtools: Answer) -> None:
    says(vbtools("extract", "nowhere.mp4"), 4, "nowhere.mp4")
    assert not Path("project.h5").exists()


def test_a_folder_for_a_recording(vbtools: Answer, tmp_path: Path) -> None:
    says(vbtools("extract", tmp_path), 4, "folder")


def test_an_empty_file(vbtools: Answer) -> None:
    Path("empty.mp4").touch()
    says(vbtools("extract", "empty.mp4"), 4, "empty.mp4", "empty")


def test_a_text_file(vbtools: Answer) -> None:
    Path("notes.mp4").write_text("This is not a video.\n" * 50)
    says(vbtools("extract", "notes.mp4"), 4, "notes.mp4")
    assert [p.name for p in Path().iterdir()] == ["notes.mp4"]  # no empty project is left behind


def test_a_recording_without_its_header(vbtools: Answer, clip: Path) -> None:
    whole = _mp4("whole.mp4")
    Path("cut.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    says(vbtools("extract", "cut.mp4"), 4, "cut.mp4")


def test_a_recording_that_is_cut_off_gives_what_it_has_and_says_so(vbtools: Answer, clip: Path) -> None:
    Path("cut.mkv").write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    outcome = vbtools("extract", "cut.mkv")
    assert outcome.code == 0, outcome.err
    with Reader(Path("project.h5")) as reader:
        assert 1 <= len(reader.array("extract", "time")) < 8


def test_a_recording_of_sound_only(vbtools: Answer) -> None:
    with av.open("sound.m4a", "w") as container:
        stream = container.add_stream("aac", rate=16000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 16000
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    says(vbtools("extract", "sound.m4a"), 4, "sound.m4a")


def test_a_range_that_the_recording_does_not_have(vbtools: Answer, clip: Path) -> None:
    says(vbtools("extract", clip, "--start", "100"), 4, "0.")
    says(vbtools("extract", clip, "--start", "0.5", "--end", "0.2"), 2, "not after")


@pytest.mark.usefixtures("segmentation_model")
def test_a_recording_of_one_frame(vbtools: Answer, tmp_path: Path) -> None:
    one = write_clip(tmp_path / "one.mkv", frames=1)
    outcome = vbtools("run", "quick", "--video", one, "-p", "p.h5", *QUICK)
    assert outcome.code == 0, outcome.err
    with Reader(Path("p.h5")) as reader:
        assert reader.array("aggregate", "coverage").max() == 1


@pytest.mark.usefixtures("segmentation_model")
@pytest.mark.parametrize("size", [(161, 91), (33, 17), (17, 301)])
def test_odd_sizes(vbtools: Answer, tmp_path: Path, size: tuple[int, int]) -> None:
    odd = write_clip(tmp_path / "odd.mkv", frames=3, width=size[0], height=size[1])
    for method in ("none", "farneback"):
        outcome = vbtools("run", "quick", "--video", odd, "-p", "p.h5", *QUICK, "--set", f"align.method={method}")
        assert outcome.code == 0, outcome.err
    with Reader(Path("p.h5")) as reader:
        assert reader.array("aggregate", "background").shape == (size[1], size[0], 3)


def test_a_rotated_phone_video_stands_upright(vbtools: Answer, tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "phone.mp4", 160, 90, 10.0, rotation=90) as writer:
        for _ in range(5):
            writer.write(room(90, 160))
    assert vbtools("extract", tmp_path / "phone.mp4").code == 0
    with Reader(Path("project.h5")) as reader:
        assert reader.dataset("extract", "frames").shape[1:] == (160, 90, 3)


@pytest.mark.usefixtures("segmentation_model")
def test_nobody_in_the_picture_shows_the_whole_room(vbtools: Answer, tmp_path: Path) -> None:
    empty = write_clip(tmp_path / "empty.mkv", picture=render_room(640, 360, seed=3).background)
    outcome = vbtools("run", "quick", "--video", empty, "-p", "p.h5", *QUICK)
    assert outcome.code == 0, outcome.err
    with Reader(Path("p.h5")) as reader:
        assert (reader.array("aggregate", "coverage") > 0).mean() > 0.95


@pytest.mark.usefixtures("segmentation_model")
def test_a_person_who_fills_the_picture_is_told_and_nothing_is_lost(vbtools: Answer, tmp_path: Path) -> None:
    from skimage.data import astronaut

    near = cv2.resize(astronaut()[60:330, 20:500], (640, 360))  # the suit reaches every edge
    close = write_clip(tmp_path / "close.mkv", picture=near)
    first = vbtools("run", "quick", "--video", close, "-p", "p.h5", *QUICK, "--set", "aggregate.dilate=400")
    says(first, 4, "--dilate")
    with Reader(Path("p.h5")) as reader:
        assert reader.stages() == ("extract", "segment", "align")


# ------------------------------------------------------------------------------------------------------------ projects


def test_a_project_that_is_missing_or_no_project(vbtools: Answer) -> None:
    says(vbtools("status", "-p", "nowhere.h5"), 5, "nowhere.h5", "vbtools extract")
    Path("text.h5").write_text("hello")
    says(vbtools("status", "-p", "text.h5"), 5, "not a vbtools project")
    with h5py.File("foreign.h5", "w") as file:
        file["data"] = [1, 2, 3]
    says(vbtools("status", "-p", "foreign.h5"), 5, "not a vbtools project")


def test_writing_over_what_is_no_project_is_refused(vbtools: Answer, clip: Path) -> None:
    Path("thesis.h5").write_text("years of work")
    says(vbtools("extract", clip, "-p", "thesis.h5"), 5, "not a vbtools project")
    assert Path("thesis.h5").read_text() == "years of work"


def test_a_newer_project(vbtools: Answer, clip: Path) -> None:
    vbtools("extract", clip)
    with h5py.File("project.h5", "r+") as file:
        file.attrs["format_version"] = FORMAT_VERSION + 1
    says(vbtools("status"), 5, f"version {FORMAT_VERSION + 1}", "Update vbtools")
    before = Path("project.h5").read_bytes()
    says(vbtools("extract", clip, "--fps", "2"), 5, "Update vbtools")
    assert Path("project.h5").read_bytes() == before


def test_a_truncated_project(vbtools: Answer, clip: Path) -> None:
    vbtools("extract", clip)
    whole = Path("project.h5").read_bytes()
    Path("project.h5").write_bytes(whole[: len(whole) // 2])
    says(vbtools("status"), 5, "damaged")
    says(vbtools("extract", clip), 5, "damaged")


def test_a_read_only_project_can_be_read_and_not_written(vbtools: Answer, clip: Path) -> None:
    vbtools("extract", clip)
    Path("project.h5").chmod(0o400)
    assert vbtools("status").code == 0
    assert vbtools("extract", clip).code == 0  # fresh: nothing to write
    says(vbtools("extract", clip, "--fps", "2"), 5, "read-only")


def test_a_locked_project_names_its_holder(vbtools: Answer, clip: Path) -> None:
    with Writer(Path("project.h5"), "vbtools extract long.mp4"):
        outcome = vbtools("extract", clip)
    says(outcome, 7, f"process {os.getpid()}", "vbtools extract long.mp4")


def test_a_full_disk_loses_nothing(clip: Path, tmp_path: Path) -> None:
    """Files may not grow past a limit (like a full disk, without root): the second run fails, the first stays."""
    script = (
        "import resource, sys; from vbtools.cli.main import main; limit = int(sys.argv[1]); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)); main(sys.argv[2:])"
    )

    def run(limit: int, *args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", script, str(limit), "extract", str(clip), "-p", "p.h5", *args]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert run(10**9, "--fps", "5").returncode == 0
    before = (tmp_path / "p.h5").read_bytes()
    for limit in (2_000, 9_000, 40_000):
        failed = run(limit)
        assert failed.returncode == 12, (limit, failed.stderr)
        assert "Traceback" not in failed.stderr, failed.stderr
        assert "full" in failed.stderr
        assert (tmp_path / "p.h5").read_bytes() == before
        with Reader(tmp_path / "p.h5") as reader:
            assert len(reader.dataset("extract", "frames")) == 4
    assert run(10**9).returncode == 0


@pytest.mark.parametrize(
    ("command", "needed"),
    [("segment", "extract"), ("align", "extract"), ("aggregate", "extract"), ("enhance", "aggregate")],
)
def test_a_stage_before_its_upstream(vbtools: Answer, clip: Path, command: str, needed: str) -> None:
    says(vbtools(command, "-p", "p.h5"), 6, needed, "vbtools")
    vbtools("extract", clip, "-p", "p.h5")
    if needed != "extract":
        says(vbtools(command, "-p", "p.h5"), 6, needed, f"vbtools {needed} -p p.h5")


# ------------------------------------------------------------------------------------------------- options and recipes


def test_mistyped_options_and_values(vbtools: Answer, clip: Path) -> None:
    assert "segment" in vbtools("segmnt").err
    says(vbtools("extract", clip, "--fps", "0"), 2, "at least")
    says(vbtools("extract", clip, "--fps", "fast"), 2, "fps")
    says(vbtools("aggregate", "--method", "medain"), 2, "median")
    says(vbtools("enhance", "--steps", "clahee"), 2, "clahe")
    says(vbtools("enhance", "--steps", "[clahe, {clahe: {clip_limt: 2}}]"), 2, "clip_limit")
    assert not Path("project.h5").exists()


def test_a_recipe_error_shows_file_line_column_and_the_nearest_name(vbtools: Answer, clip: Path) -> None:
    Path("r.yaml").write_text("version: 1\nstages:\n  extract: {fps: 5}\n  aggregate:\n    methd: median\n")
    outcome = vbtools("run", "r.yaml", "--video", clip)
    says(outcome, 3, "r.yaml:5:5:", "    methd: median", "'method'")
    says(vbtools("run", "quick", "--video", clip, "--set", "extract.fsp=5"), 3, "--set extract.fsp=5", "'fps'")
    says(vbtools("run", "quik"), 3, "quick")
    assert not Path("project.h5").exists()


def test_values_that_do_not_fit_together_are_shown_in_the_recipe_too(vbtools: Answer, clip: Path) -> None:
    for wrong in ("segment: {variant: resnet50}", "extract: {start: 5, end: 2}"):
        Path("r.yaml").write_text(f"version: 1\nstages:\n  {wrong}\n")
        says(vbtools("run", "r.yaml", "--video", clip, "--dry-run"), 3, "r.yaml:3:", wrong)


def test_a_set_that_could_have_no_effect_is_refused(vbtools: Answer, clip: Path) -> None:
    outcome = vbtools("run", "quick", "--video", clip, "--from", "enhance", "--set", "extract.fps=9")
    says(outcome, 2, "extract is not part of this run")


@pytest.mark.usefixtures("segmentation_model")
def test_damaged_bulk_is_named_with_the_command_that_makes_it_again(vbtools: Answer, clip: Path) -> None:
    vbtools("run", "quick", "--video", clip, "-p", "p.h5", *QUICK, "--until", "aggregate")
    bulk = next(Path("p.data").glob("segment-*.h5"))
    whole = bulk.read_bytes()
    with h5py.File(bulk) as file:
        chunk = file["person"].id.get_chunk_info(0)
    bulk.write_bytes(
        whole[: chunk.byte_offset] + b"\xff" * chunk.size + whole[chunk.byte_offset + chunk.size :]
    )
    says(vbtools("aggregate", "-p", "p.h5", "--dilate", "3"), 5, "/segment/person is damaged", "vbtools segment -p")
    assert vbtools("segment", "-p", "p.h5", "--force").code == 0
    assert vbtools("aggregate", "-p", "p.h5", "--dilate", "3").code == 0


@pytest.mark.usefixtures("segmentation_model")
def test_status_says_of_missing_bulk_what_run_would_do(vbtools: Answer, clip: Path) -> None:
    vbtools("run", "quick", "--video", clip, "-p", "p.h5", *QUICK)
    next(Path("p.data").glob("segment-*.h5")).unlink()
    states = {s["stage"]: s["state"] for s in json.loads(vbtools("status", "-p", "p.h5", "--json").out)["stages"]}
    again = vbtools("run", "quick", "--video", clip, "-p", "p.h5", *QUICK, "--json")
    assert again.code == 0, again.err
    actions = {s["stage"]: s["action"] for s in json.loads(again.out)["stages"]}
    assert {name for name, state in states.items() if state == "stale"} == {"segment"}
    assert {name for name, action in actions.items() if action == "run"} == {"segment"}


def test_a_registered_but_unbuilt_method_is_refused_before_anything_runs(
    vbtools: Answer, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tuple(replace(row, target="") if row.name == "deconvolve" else row for row in backends.BACKENDS)
    monkeypatch.setattr(backends, "BACKENDS", rows)
    outcome = vbtools("run", "quick", "--video", clip, "-p", "p.h5", "--set", "enhance.steps=[deconvolve]")
    says(outcome, 13, "deconvolve", "clahe")
    assert not Path("p.h5").exists()


# ----------------------------------------------------------------------------------------------------- missing things


def test_a_missing_model_names_the_command(
    vbtools: Answer, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VBTOOLS_MODELS", str(tmp_path / "none"))
    vbtools("extract", clip)
    says(vbtools("segment"), 8, "vbtools models pull selfie-landscape")


def test_a_missing_extra_names_the_command(vbtools: Answer, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import util

    real = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *rest: None if name == "mediapipe" else real(name, *rest))
    vbtools("extract", clip)
    says(vbtools("segment"), 8, "mediapipe", "pip install 'vbtools[mediapipe]'")


def test_a_missing_tesseract_names_the_command_and_stops_before_the_first_stage(
    vbtools: Answer, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *args, **rest: None)
    says(vbtools("run", "quick", "--video", clip, "-p", "p.h5"), 8, "Tesseract", "vbtools[ocr]")
    assert not Path("p.h5").exists()


# ------------------------------------------------------------------------------------------------------------- Ctrl-C


def test_ctrl_c_ends_with_130_and_keeps_what_had_finished(tmp_path: Path) -> None:
    write_clip(tmp_path / "long.mkv", frames=600)
    first = [sys.executable, "-m", "vbtools", "extract", "long.mkv", "-p", "p.h5", "--fps", "1"]
    subprocess.run(first, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    again = [sys.executable, "-m", "vbtools", "extract", "long.mkv", "-p", "p.h5"]
    process = subprocess.Popen(again, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "p.data").glob("*.part")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "Interrupted" in err
    with Reader(tmp_path / "p.h5") as reader:
        assert reader.stages() == ("extract",)
        assert len(reader.dataset("extract", "frames")) == 60
    assert not list((tmp_path / "p.data").glob("*.part"))
    assert not list(tmp_path.glob("*.lock"))


def _mp4(name: str) -> Path:
    """An H.264 recording whose header stands at its end, as a camera writes it."""
    with VideoWriter(Path(name), 160, 90, 10.0) as writer:
        for _ in range(10):
            writer.write(room(90, 160))
    return Path(name)
