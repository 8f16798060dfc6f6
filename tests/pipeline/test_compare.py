"""compare: every difference in what was done, honest numbers for what came of it, nothing unobserved in any of them."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from stored_project import FRAMES, SIZE, Project, room, word

from vbtools.backends.picture import read_picture
from vbtools.errors import StorageError
from vbtools.ops.unobserved import HATCH_DARK, HATCH_LIGHT
from vbtools.pipeline.compare import Comparison, _facts, compare
from vbtools.store import Reader, Record, Source

HOLE_A, HOLE_B = np.s_[90:, 140:290], np.s_[90:, 200:330]


def plate(project: Project, image: np.ndarray, hole: Any, **values: Any) -> None:
    """Store a background, black where it was never observed."""
    coverage = np.full(image.shape[:2], FRAMES, np.uint32)
    coverage[hole] = 0
    image = np.where(coverage[..., None] > 0, image, 0).astype(np.uint8)
    project.store(
        "aggregate", values, background=image, coverage=coverage,
        plate=np.where(coverage[..., None] > 0, image, np.nan).astype(np.float32),
    )  # fmt: skip


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Project, Project]:
    """Two projects of one recording: B is 4 grey levels brighter and has another hole."""
    made = Project(tmp_path / "a.h5"), Project(tmp_path / "b.h5")
    for project in made:
        project.extract()
        project.upstream_of_plate()
    plate(made[0], room(), HOLE_A)
    plate(made[1], room() + 4, HOLE_B, method="mean", dilate=12)
    return made


def compared(a: Project, b: Project, folder: Path | None = None) -> Comparison:
    with Reader(a.path) as first, Reader(b.path) as second:
        return compare(first, second, folder)


def test_a_project_differs_in_nothing_from_itself(pair: tuple[Project, Project]) -> None:
    answer = compared(pair[0], pair[0])
    assert answer.differences == ()
    (raw,) = answer.pictures
    assert (raw.mean_difference, raw.psnr, raw.only_a, raw.only_b) == (0.0, None, 0.0, 0.0)
    json.dumps(answer.to_json(), allow_nan=False)


def test_what_was_done_differently_is_told_stage_by_stage(pair: tuple[Project, Project]) -> None:
    a, b = pair
    a.store("enhance", {"steps": ["clahe"]}, run=True)
    answer = compared(a, b)
    told = {(one.stage, one.what): (one.a, one.b) for one in answer.differences}
    assert told == {
        ("aggregate", "method"): ("median", "mean"),
        ("aggregate", "dilate"): (10, 12),
        ("aggregate", "backend"): (["median"], ["mean"]),
        ("enhance", "stored"): (True, False),
    }
    assert any(note.startswith("B: enhance has not been run") for note in answer.notes)


def test_weights_versions_and_recordings_are_told_and_a_file_s_name_is_not() -> None:
    source = Source("/a.mp4", "ab" * 32, 1, 1)
    made = Record(
        "segment", 1, "0" * 64, {"weights": "/my/file", "threshold": 0.3}, [], {"selfie": "1" * 64}, {}, {},
        {"numpy": "2.0"}, 0, "2026-01-02T03:04:05.000+00:00", 1.5, "ann", "here", "vbtools test", source,
    )  # fmt: skip
    assert _facts(made, {"weights"}) == {
        "recording": "ab" * 32, "threshold": 0.3, "backend": [], "weights of selfie": "1" * 64, "stage version": 1,
        "seed": 0, "software numpy": "2.0",
    }  # fmt: skip


def test_the_numbers_are_over_pixels_observed_in_both(pair: tuple[Project, Project]) -> None:
    (raw,) = compared(*pair).pictures
    assert raw.mean_difference == pytest.approx(4.0)
    assert raw.psnr == pytest.approx(20 * np.log10(255 / 4))
    pixels = SIZE[0] * SIZE[1]
    rows = SIZE[0] - 90
    assert raw.both == pytest.approx(1 - rows * 190 / pixels)
    assert raw.only_a == pytest.approx(rows * 40 / pixels)
    assert raw.only_b == pytest.approx(rows * 60 / pixels)
    assert raw.observed_a == pytest.approx(1 - rows * 150 / pixels)
    assert raw.note == ""


def test_pictures_hatch_what_was_never_observed(pair: tuple[Project, Project], tmp_path: Path) -> None:
    answer = compared(*pair, tmp_path / "out")
    assert answer.files == ("raw.png", "raw-difference.png")
    assert json.loads((tmp_path / "out" / "compare.json").read_text())["pictures"][0]["picture"] == "raw"
    difference = read_picture(tmp_path / "out" / "raw-difference.png")[: SIZE[0]]
    union = np.zeros(SIZE, bool)
    union[HOLE_A] = union[HOLE_B] = True
    hatched = (difference == HATCH_DARK).all(axis=2) | (difference == HATCH_LIGHT).all(axis=2)
    assert np.array_equal(hatched, union)
    beside = read_picture(tmp_path / "out" / "raw.png")[-SIZE[0] :]
    for panel, hole in ((beside[:, : SIZE[1]], HOLE_A), (beside[:, -SIZE[1] :], HOLE_B)):
        assert {tuple(c) for c in np.unique(panel[hole].reshape(-1, 3), axis=0).tolist()} == {HATCH_DARK, HATCH_LIGHT}


def test_another_size_is_said_and_compared_at_the_smaller(pair: tuple[Project, Project], tmp_path: Path) -> None:
    a, b = pair
    large = cv2.resize(room(), (960, 540), interpolation=cv2.INTER_CUBIC)
    plate(b, large, np.s_[181:, 281:579])
    (raw,) = compared(a, b, tmp_path / "out").pictures
    assert raw.compared_at == SIZE
    assert (raw.size_a, raw.size_b) == (SIZE, (540, 960))
    assert raw.note == "their sizes differ: compared at 480x270"
    assert raw.mean_difference is not None
    assert raw.mean_difference < 1.0, "black unobserved pixels must not blend in"
    assert raw.only_a == pytest.approx(0.0, abs=1e-3)
    (turned,) = compared(b, a).pictures
    assert turned.mean_difference == pytest.approx(raw.mean_difference)


def test_another_view_is_not_compared(pair: tuple[Project, Project], tmp_path: Path) -> None:
    a, b = pair
    plate(b, room()[:, :400], np.s_[:0])
    answer = compared(a, b, tmp_path / "out")
    assert "proportions differ" in answer.pictures[0].note
    assert answer.pictures[0].mean_difference is None
    assert answer.files == ()


def test_nothing_in_common_is_said(pair: tuple[Project, Project], tmp_path: Path) -> None:
    a, b = pair
    plate(a, room(), np.s_[:, :240])
    plate(b, room(), np.s_[:, 240:])
    (raw,) = compared(a, b, tmp_path / "out").pictures
    assert (raw.both, raw.mean_difference, raw.psnr) == (0.0, None, None)
    assert raw.note == "no pixel was observed in both"
    assert read_picture(tmp_path / "out" / "raw-difference.png")[: SIZE[0]].min() > 100, "hatched, not black"


def test_words_in_one_only_are_told_as_often_as_they_were_read_more(pair: tuple[Project, Project]) -> None:
    a, b = pair
    rows = [word("Office", "raw", 20), word("Room", "raw", 120), word("Room", "raw", 220)]
    a.store("inspect", {}, ocr=rows, detections=[], unprotected=[])
    rows = [word("OFFICE", "raw", 20), word("Room", "raw", 120), word("IBAN", "raw", 300)]
    b.store("inspect", {}, ocr=rows, detections=[], unprotected=[])
    (words,) = compared(a, b).findings
    assert (words.picture, words.kind, words.both) == ("raw", "words", 2)
    assert (words.only_a, words.only_b) == (("Room",), ("IBAN",))


def test_what_only_one_looked_for_is_no_difference_in_words(pair: tuple[Project, Project]) -> None:
    a, b = pair
    a.store("enhance", {"steps": ["clahe"]}, run=True)
    a.store("inspect", {"on": "both"}, ocr=[word("A", "enhanced", 1)], detections=[], unprotected=[])
    b.store("inspect", {"on": "raw"}, ocr=[], detections=[], unprotected=[])
    answer = compared(a, b)
    assert [one.picture for one in answer.findings] == ["raw"]
    assert "only A looked for words on the enhanced picture" in answer.notes


def test_what_is_stale_is_not_compared(pair: tuple[Project, Project]) -> None:
    a, b = pair
    b.extract(fps=3.0)
    answer = compared(a, b)
    assert answer.pictures == ()
    assert any(note.startswith("B: aggregate is out of date") for note in answer.notes)
    assert ("extract", "fps", 5.0, 3.0) in [(d.stage, d.what, d.a, d.b) for d in answer.differences]


def test_a_folder_that_cannot_be_made_is_told(pair: tuple[Project, Project], tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match="cannot be made a folder"):
        compared(*pair, tmp_path / "out")
