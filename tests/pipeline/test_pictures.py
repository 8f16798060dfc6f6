"""export and the findings in words: everything stored and fresh, nothing else, and nothing claimed beyond it."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from stored_project import SIZE, UNPROTECTED, Project, frame, room, word

from vbtools.backends.picture import read_picture
from vbtools.errors import StorageError
from vbtools.ops.draw import coverage_picture
from vbtools.ops.unobserved import HATCH_DARK, HATCH_LIGHT
from vbtools.pipeline import pictures
from vbtools.pipeline.pictures import _sharp_words, export, findings_in_words
from vbtools.store import Reader, Writer


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "study.h5")
    made.extract()
    made.upstream_of_plate()
    made.aggregate()
    return made


def exported(project: Project, folder: Path) -> tuple[dict[str, np.ndarray], list[str]]:
    with Reader(project.path) as reader:
        written = export(reader, folder)
        words = findings_in_words(reader)
    assert all(path.is_file() for path in written)
    return {path.name: read_picture(path) for path in written if path.suffix == ".png"}, words


def test_a_whole_project_gives_every_picture(project: Project, tmp_path: Path) -> None:
    project.store("enhance", {"steps": ["clahe"]}, run=True)
    project.store("inspect", {"on": "both"}, run=True)
    shown, words = exported(project, tmp_path / "out")
    assert set(shown) == {
        "first_frame.png", "frame.png", "unprotected-10.png", "background.png", "coverage.png", "enhanced.png",
        "enhanced-clahe.png", "findings.png", "comparison.png",
    }  # fmt: skip
    assert np.array_equal(shown["unprotected-10.png"], frame(UNPROTECTED))
    assert np.array_equal(shown["first_frame.png"], frame(0))
    assert np.array_equal(shown["frame.png"], frame(3))
    assert words[0] == (
        "The blur was off in 1 frame, at 0.40 s (8.1 times as sharp as usual): it shows the room as it is."
    )
    assert words[1].startswith("2 words were read on the background: 'OFFICE' (")
    assert "and on the background itself too" in words[2]
    assert "is not told apart yet" in words[3]  # a name label is a word too
    assert "% of the picture was observed; the rest is hatched" in words[4]
    assert len(words) == 5


def test_unobserved_pixels_are_hatched_and_nothing_is_black(project: Project, tmp_path: Path) -> None:
    project.store("enhance", {"steps": ["clahe"]}, run=True)
    shown, _ = exported(project, tmp_path / "out")
    for name in ("background.png", "enhanced.png", "coverage.png"):
        hole = shown[name][90:270, 140:290].reshape(-1, 3)
        assert {tuple(colour) for colour in np.unique(hole, axis=0).tolist()} == {HATCH_DARK, HATCH_LIGHT}
    assert np.array_equal(shown["background.png"][:, :140], room({"OFFICE": (30, 70), "HOURS": (30, 130)})[:, :140])
    middle = shown["comparison.png"][-SIZE[0] :, SIZE[1] + 8 : 2 * SIZE[1] + 8]
    assert np.array_equal(middle, shown["background.png"])


def test_nothing_read_is_never_called_safe(project: Project, tmp_path: Path) -> None:
    project.extract(unprotected=())
    project.upstream_of_plate()
    project.aggregate(room())
    project.store("inspect", {}, run=True)
    shown, words = exported(project, tmp_path / "out")
    assert "findings.png" not in shown
    assert words[0] == (
        "Nothing was read on the background. That is not proof of safety: this run looked only at the median over 7 "
        "frames, only for words, and not at the person's edge, where a blurred call shows the most."
    )


def test_what_is_stale_is_left_out_and_said(project: Project, tmp_path: Path) -> None:
    project.store("enhance", {"steps": ["clahe"]}, run=True)
    project.store("inspect", {"on": "both"}, run=True)
    first, _ = exported(project, tmp_path / "out")
    (tmp_path / "out" / "mine.txt").write_text("not ours")
    project.extract(fps=3.0)
    shown, words = exported(project, tmp_path / "out")
    assert set(shown) == {"first_frame.png", "frame.png", "unprotected-10.png"}
    for name in ("segment", "align", "aggregate", "enhance", "inspect"):
        assert any(sentence.lower().startswith(f"{name} is out of date (") for sentence in words)
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left == {*shown, "mine.txt", "dropped.csv", "findings.json"}, "what an earlier export wrote is gone"
    assert set(first) - set(shown)


def test_without_its_frames_a_project_still_shows_its_background(project: Project, tmp_path: Path) -> None:
    project.store("inspect", {}, run=True)
    for path in (tmp_path / "study.data").iterdir():
        path.unlink()
    shown, words = exported(project, tmp_path / "out")
    assert set(shown) == {"background.png", "coverage.png", "findings.png"}
    assert any(sentence.startswith("No frames are shown: ") for sentence in words)
    assert any("'OFFICE'" in sentence for sentence in words)


def test_before_inspect_the_words_say_what_to_run(project: Project) -> None:
    with Reader(project.path) as reader:
        words = findings_in_words(reader)
    assert f"Nothing has been looked for yet. Run: vbtools inspect -p {project.path}" in words


def test_tables_are_csv_and_json(project: Project, tmp_path: Path) -> None:
    project.store("inspect", {}, run=True)
    exported(project, tmp_path / "out")
    with (tmp_path / "out" / "ocr.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == ["OFFICE", "HOURS"]
    assert not (tmp_path / "out" / "detections.csv").exists()
    everything = json.loads((tmp_path / "out" / "findings.json").read_text())
    assert [row["text"] for row in everything["ocr"]] == ["OFFICE", "HOURS"]
    assert everything["unprotected"][0]["index"] == 10
    assert 0.5 < everything["observed"] < 1.0
    assert everything["stages"]["extract"]["parameters"]["fps"] == 5.0
    assert "enhance has not been run" in everything["left_out"]


def test_what_only_the_enhanced_picture_shows_is_said_to_rest_on_it(project: Project, tmp_path: Path) -> None:
    project.store("enhance", {"steps": ["clahe"]}, run=True)
    rows = [word("ROOM", "raw", 20), word("it", "raw", 300)]
    rows += [word("Room", "enhanced", 22, also_on_raw=True), word("IBAN", "enhanced", 140)]
    project.store("inspect", {"on": "both"}, ocr=rows, detections=[], unprotected=[])
    shown, words = exported(project, tmp_path / "out")
    assert words[1] == (
        "2 words were read on the background: 'ROOM' (90 %), 'it' (90 %). Of these, 1 with fewer than 4 letters may "
        "have been read by chance."
    )
    assert words[2] == (
        "2 words were read on the enhanced picture, 1 of them on it alone: 'IBAN' (90 %). Enhancing can invent what "
        "was never in the room."
    )
    everything = json.loads((tmp_path / "out" / "findings.json").read_text())
    assert {row["text"]: row["also_on_raw"] for row in everything["ocr"] if row["image"] == "enhanced"} == {
        "Room": True, "IBAN": False,
    }  # fmt: skip
    blue = (np.abs(shown["findings.png"].astype(int) - (0, 95, 230)).max(axis=2) < 3).sum()
    assert blue > 100


def test_a_background_that_was_never_observed_can_say_nothing(project: Project, tmp_path: Path) -> None:
    project.store(
        "aggregate", {}, background=np.zeros((*SIZE, 3), np.uint8), coverage=np.zeros(SIZE, np.uint32),
        plate=np.full((*SIZE, 3), np.nan, np.float32),
    )
    project.store("inspect", {}, run=True)
    shown, words = exported(project, tmp_path / "out")
    assert any("this run can say nothing about the room" in sentence for sentence in words)
    assert shown["background.png"].min() > 120


def test_an_empty_project_exports_only_its_words(tmp_path: Path) -> None:
    with Writer(tmp_path / "empty.h5", "test") as writer:
        writer.create()
        with writer.reader() as reader:
            written = export(reader, tmp_path / "out")
    assert [path.name for path in written] == ["findings.json"]


def test_a_folder_that_cannot_be_made_is_told(project: Project, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with Reader(project.path) as reader, pytest.raises(StorageError, match="cannot be made a folder"):
        export(reader, tmp_path / "out")


def test_at_most_eight_unprotected_frames_are_written_sharpest_first(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MOST_UNPROTECTED", 2)
    project.extract(unprotected=(0, 3, 5))
    shown, words = exported(project, tmp_path / "out")
    assert sum(name.startswith("unprotected-") for name in shown) == 2
    assert np.array_equal(shown["frame.png"], frame(2)) or np.array_equal(shown["frame.png"], frame(4))
    assert words[0].startswith("The blur was off in 3 frames, at ")


def test_a_region_is_marked_in_its_picture_and_told_as_a_part(project: Project, tmp_path: Path) -> None:
    part = {"row": 2, "x": 20.0, "y": 30.0, "width": 120.0, "height": 60.0, "sharpness": 4.0}
    project.extract(regions=[part])
    shown, words = exported(project, tmp_path / "out")
    marked = (shown["unprotected-10.png"] != frame(2)).any(axis=2)
    assert marked[26:94, 16:144].any()
    assert not marked[36:84, 26:134].any()
    assert not marked[110:].any()
    assert words[0].startswith("The blur was off in a part of the picture in 1 frame, at 0.40 s (4.0 times as sharp")


@pytest.mark.parametrize("size", [(1, 1), (9, 16), (33, 7)])
def test_a_coverage_picture_of_any_size_has_a_readable_scale(size: tuple[int, int]) -> None:
    picture = coverage_picture(np.full(size, 3, np.uint32))
    assert picture.shape[1] == 460
    assert picture.shape[0] > size[0] + 30


def test_words_on_a_tiny_picture_can_be_drawn(tmp_path: Path) -> None:
    made = pictures.write_picture(tmp_path / "a.png", pictures_boxed())
    assert made.exists()


def pictures_boxed() -> np.ndarray:
    from vbtools.ops.draw import ORANGE, boxed, titled

    tiny = np.full((9, 16, 3), 200, np.uint8)
    return titled(boxed(tiny, [word("A LONG WORD", "raw", 3)], "text", ORANGE, 1.0), "a title that cannot fit")


@pytest.mark.parametrize(("family", "count"), [("none", 1), ("gaussian", 0)])
def test_a_background_that_is_not_blurred_is_said_first(family: str, count: int) -> None:
    reader = SimpleNamespace(has=lambda stage, name: True, table=lambda stage, name: [{"family": family}])
    words = _sharp_words(SimpleNamespace(has=lambda stage, name: True, reader=reader))  # type: ignore[arg-type]
    assert len(words) == count
    assert all("is not blurred" in sentence for sentence in words)
