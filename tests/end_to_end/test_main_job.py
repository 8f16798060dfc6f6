"""The main job on a simulated call: from the recording to the background, again without work, and after a change."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from recordings import write_clip

from vbtools import models
from vbtools.errors import VbtoolsError
from vbtools.store import Reader

RECIPE = Path(__file__).parents[2] / "recipes" / "demo.yaml"


def command(folder: Path, *args: object) -> subprocess.CompletedProcess[str]:
    """Run vbtools as a user does, in a process of its own."""
    line = [sys.executable, "-m", "vbtools", *map(str, args)]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=240, check=False)


def contents(folder: Path) -> dict[str, tuple[str, int]]:
    """Hash and modification time of every file below a folder."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    return {str(p): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns) for p in files}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a simulated call of two seconds and its finished project."""
    pytest.importorskip("skimage")
    try:
        for name in ("selfie-landscape", "selfie-square"):
            models.pull(name)
    except VbtoolsError as problem:
        pytest.skip(f"needs the segmentation models: {problem}")
    folder = tmp_path_factory.mktemp("study")
    made = command(folder, "simulate", "-o", "clip", "--seed", 3, "--seconds", 2, "--size", "640x360")
    assert made.returncode == 0, made.stderr
    ran = command(folder, "run", RECIPE, "--video", "clip/blurred.mp4", "-p", "study.h5")
    assert ran.returncode == 0, ran.stderr
    return folder


def test_every_stage_is_stored_and_the_background_is_the_blurred_room(study: Path) -> None:
    with Reader(study / "study.h5") as reader:
        assert reader.stages() == ("extract", "segment", "align", "aggregate", "enhance", "inspect")
        background = reader.array("aggregate", "background")
        seen = reader.array("aggregate", "coverage") > 0
    assert 0.5 < seen.mean() < 0.95
    room = cv2.cvtColor(cv2.imread(str(study / "clip" / "background.png")), cv2.COLOR_BGR2RGB)
    blurred = cv2.GaussianBlur(room, (0, 0), 15 * 360 / 720)
    far = cv2.erode(seen.astype(np.uint8), np.ones((61, 61), np.uint8)) > 0  # away from the person's halo
    error = np.abs(background.astype(int) - blurred)[far]
    swapped = np.abs(background[..., ::-1].astype(int) - blurred)[far]
    assert error.mean() < 4  # H.264 at 1.2 Mbit/s
    assert swapped.mean() > 2 * error.mean()  # red is red


def test_a_second_run_answers_at_once_and_leaves_every_byte(study: Path) -> None:
    before = contents(study)
    begun = time.monotonic()
    again = command(study, "run", RECIPE, "--video", "clip/blurred.mp4", "-p", "study.h5")
    seconds = time.monotonic() - begun
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("fresh: nothing has changed; skipped") == 6
    assert contents(study) == before
    assert seconds < 2, f"{seconds:.2f} s"


def test_a_change_reruns_that_stage_and_what_follows_with_the_reason(study: Path) -> None:
    changed = command(study, "run", RECIPE, "-p", "study.h5", "--video", "clip/blurred.mp4", "--dry-run", "--json",
                      "--set", "aggregate.dilate=20")  # fmt: skip
    plan = {s["stage"]: s for s in json.loads(changed.stdout)["stages"]}
    assert [name for name, s in plan.items() if s["action"] == "run"] == ["aggregate", "enhance", "inspect"]
    assert plan["aggregate"]["reason"] == "stale: dilate 12 -> 20"
    assert plan["inspect"]["reason"].startswith("stale: aggregate changed (dilate 12 -> 20)")


def test_export_writes_pictures_and_says_what_was_found(study: Path) -> None:
    told = command(study, "export", "-p", "study.h5", "-o", "pictures")
    assert told.returncode == 0, told.stderr
    assert "not proof of safety" in told.stdout or "read" in told.stdout
    for name in ("background.png", "coverage.png", "comparison.png", "findings.json"):
        assert (study / "pictures" / name).stat().st_size > 0
    picture = cv2.imread(str(study / "pictures" / "background.png"))
    with Reader(study / "study.h5") as reader:
        unseen = reader.array("aggregate", "coverage") == 0
    assert picture[unseen].min() > 60  # hatched, never black


def test_a_call_of_1080p_with_title_cards_a_black_frame_and_overlays(study: Path, tmp_path: Path) -> None:
    """What a conferencing product records: 1080p at 15 fps, cards first, label, clock and watermark drawn over it."""
    from vbtools.backends.video import VideoWriter, open_video

    with open_video(study / "clip" / "blurred.mp4") as video:
        call = [frame.rgb() for frame in video.frames()][:30]
    card = np.full((1080, 1920, 3), 235, np.uint8)
    cv2.putText(card, "Weekly meeting", (500, 560), cv2.FONT_HERSHEY_DUPLEX, 4, (30, 60, 160), 8)
    with VideoWriter(tmp_path / "call.mp4", 1920, 1080, 15.0, bit_rate=2_000_000) as writer:
        for shown in (card, card, np.zeros_like(card)):
            writer.write(shown)
        for number, frame in enumerate(call):
            shown = cv2.resize(frame, (1920, 1080), interpolation=cv2.INTER_CUBIC)
            cv2.rectangle(shown, (20, 1010), (360, 1060), (30, 30, 30), -1)
            cv2.putText(shown, "Chris Hadley", (35, 1048), cv2.FONT_HERSHEY_DUPLEX, 1.2, (255, 255, 255), 2)
            clock = f"10:42:{number // 15:02d}"
            cv2.putText(shown, clock, (1650, 70), cv2.FONT_HERSHEY_DUPLEX, 1.5, (250, 250, 250), 3)
            cv2.putText(shown, "CONFERO", (1600, 1040), cv2.FONT_HERSHEY_DUPLEX, 1.8, (200, 200, 200), 3)
            writer.write(shown)
    ran = command(tmp_path, "run", "quick", "--video", "call.mp4", "-p", "p.h5", "--set", "extract.fps=15")
    assert ran.returncode == 0, ran.stderr
    assert "left out 3 frames: 1 black, 2 title card" in ran.stderr
    with Reader(tmp_path / "p.h5") as reader:
        assert reader.array("extract", "index").tolist() == list(range(3, 33))
        reasons = [(row["index"], row["reason"]) for row in reader.table("extract", "dropped")]
    assert reasons == [(0, "title card"), (1, "title card"), (2, "black")]


@pytest.mark.usefixtures("segmentation_model")
def test_memory_does_not_show_how_long_a_clip_is() -> None:
    script = Path(__file__).parents[2] / "bench" / "memory.py"
    answer = subprocess.run(
        [sys.executable, script, "--frames", "60"], capture_output=True, text=True, timeout=280, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_a_recipes_own_project_gets_its_folder(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv")
    ran = command(tmp_path, "run", "quick", "--until", "extract", "--video", clip)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "results" / "quick.h5").exists()


def test_another_background_in_the_recording_is_told_since_it_may_be_the_room(tmp_path: Path) -> None:
    from recordings import room

    from vbtools.backends.video import VideoWriter

    rng = np.random.default_rng(2)
    with VideoWriter(tmp_path / "call.mkv", 160, 90, 10.0, codec="ffv1", pixel_format="bgr0") as writer:
        for number in range(40):  # the virtual background is off from 3.0 s to 3.4 s
            still = room(90, 160, seed=9 if 30 <= number < 35 else 0).astype(np.int16)
            writer.write(np.clip(still + rng.integers(-6, 7, still.shape), 0, 255).astype(np.uint8))
    assert command(tmp_path, "extract", "call.mkv").returncode == 0
    told = command(tmp_path, "export", "-o", "out", "--no-video").stdout
    assert "5 frames between 3.00 s and 3.40 s show another background" in told
    assert command(tmp_path, "extract", "call.mkv", "--keep-all").returncode == 0
    assert "another background" not in command(tmp_path, "export", "-o", "out", "--no-video").stdout


def test_json_answers_carry_the_rows(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv")
    answer = command(tmp_path, "extract", clip, "--json")
    assert json.loads(answer.stdout)["extract"]["dropped"] == []
