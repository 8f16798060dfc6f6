"""inspect: which picture is looked at, what is written down, and what is said."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fake_store import Ran

from vbtools.errors import MissingDependencyError, UsageError
from vbtools.stages.inspect import Inspect


def wall(words: dict[str, tuple[int, int]], height: int = 180, width: int = 320) -> np.ndarray:
    image = np.full((height, width, 3), (220, 212, 200), np.uint8)
    for word, origin in words.items():
        cv2.putText(image, word, origin, cv2.FONT_HERSHEY_SIMPLEX, 1.0, (20, 30, 70), 3, cv2.LINE_AA)
    return image


def project(background: np.ndarray, **changes: Any) -> dict:
    height, width = background.shape[:2]
    return {
        ("aggregate", "background"): background,
        ("aggregate", "coverage"): np.full((height, width), 5, np.uint32),
        ("extract", "unprotected"): np.array([0, 1, 0, 1], np.uint8),
        ("extract", "sharpness"): np.array([1.0, 4.0, 1.1, 9.0], np.float32),
        ("extract", "time"): np.array([0.0, 0.5, 1.0, 3.2]),
        ("extract", "index"): np.array([0, 12, 25, 80], np.int64),
    } | {("enhance", name): value for name, value in changes.items()}


def words_of(ran: Ran, picture: str) -> set[str]:
    return {row["text"] for row in ran.tables["ocr"] if row["image"] == picture}


def test_words_on_the_background_are_stored_and_said() -> None:
    ran = Ran(Inspect(), {}, project(wall({"OFFICE": (30, 60), "HOURS": (30, 140)})))
    assert words_of(ran, "raw") == {"OFFICE", "HOURS"}
    assert ran.tables["detections"] == []
    assert "read 2 words on raw: 'OFFICE', 'HOURS'" in ran.notes
    assert ran.progress.total == ran.progress.done == 1


def test_unprotected_moments_come_sharpest_first_and_are_said_first() -> None:
    ran = Ran(Inspect(), {}, project(wall({})))
    rows = [(row["row"], row["index"], row["time"]) for row in ran.tables["unprotected"]]
    assert rows == [(3, 80, 3.2), (1, 12, 0.5)]
    assert ran.notes == ["2 unprotected frames, sharpest first at 3.20 s, 0.50 s", "read no words on raw"]


def test_one_unprotected_moment_is_one() -> None:
    stored = project(wall({}))
    stored["extract", "unprotected"][1] = 0
    assert Ran(Inspect(), {}, stored).notes[0] == "1 unprotected frame at 3.20 s"


def test_both_pictures_are_read_and_boxes_are_in_the_plate_s_pixels() -> None:
    background = wall({"OFFICE": (30, 60)})
    larger = cv2.resize(wall({"OFFICE": (30, 60), "HOURS": (30, 140)}), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    ran = Ran(Inspect(), {"on": "both"}, project(background, image=larger))
    assert words_of(ran, "raw") == {"OFFICE"}
    assert words_of(ran, "enhanced") == {"OFFICE", "HOURS"}
    raw, enhanced = (row for row in ran.tables["ocr"] if row["text"] == "OFFICE")
    for side in ("x", "y", "width", "height"):
        assert enhanced[side] == pytest.approx(raw[side], abs=4)


def test_only_the_enhanced_picture_is_read_when_asked_for() -> None:
    ran = Ran(Inspect(), {"on": "enhanced"}, project(wall({"OFFICE": (30, 60)}), image=wall({"HOURS": (30, 60)})))
    assert {row["text"] for row in ran.tables["ocr"]} == {"HOURS"}


def test_unobserved_words_are_not_read_on_either_picture() -> None:
    background = wall({"OFFICE": (30, 60), "HOURS": (30, 140)})
    stored = project(background, image=cv2.resize(background, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC))
    stored["aggregate", "coverage"][95:] = 0
    ran = Ran(Inspect(), {"on": "both"}, stored)
    assert words_of(ran, "raw") == words_of(ran, "enhanced") == {"OFFICE"}
    assert any("47.3 % of the picture was never observed" in note for note in ran.notes)


def test_without_an_enhanced_picture_asking_for_it_is_refused() -> None:
    with pytest.raises(UsageError, match="enhance had no steps"):
        Ran(Inspect(), {"on": "enhanced"}, project(wall({})))


def test_without_an_enhanced_picture_both_reads_the_raw_one_and_says_so() -> None:
    ran = Ran(Inspect(), {"on": "both"}, project(wall({"OFFICE": (30, 60)})))
    assert words_of(ran, "raw") == {"OFFICE"}
    assert "enhance had no steps: only the raw background was looked at" in ran.notes


def test_looking_for_nothing_writes_empty_tables_and_still_lists_unprotected_moments() -> None:
    ran = Ran(Inspect(), {"ocr": False}, project(wall({"OFFICE": (30, 60)})))
    assert ran.tables["ocr"] == ran.tables["detections"] == []
    assert len(ran.tables["unprotected"]) == 2
    assert any("neither ocr nor yolo" in note for note in ran.notes)


def test_a_note_names_eight_words_telling_ones_first() -> None:
    found = [{"text": text} for text in ["ab", "c", "LONDON", "HOUSE", "GARDEN", "PAPER", "TABLE", "CHAIR", "RIVER"]]
    from vbtools.stages.inspect import _found

    assert _found("ocr", found, "raw") == (
        "read 9 words on raw: 'LONDON', 'HOUSE', 'GARDEN', 'PAPER', 'TABLE', 'CHAIR', 'RIVER', 'ab' and 1 more"
        " (2 of them shorter than 4 letters: may be chance)"
    )
    assert _found("yolo", [{"label": "cup"}], "enhanced") == "found 1 object on enhanced: 'cup'"


def test_check_fails_before_the_run_when_tesseract_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Inspect()
    stage.check(stage.parameters({}))
    with pytest.raises(UsageError, match="no language 'tlh'"):
        stage.check(stage.parameters({"language": "tlh"}))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(MissingDependencyError, match="Tesseract"):
        stage.check(stage.parameters({}))
    stage.check(stage.parameters({"ocr": False}))


def test_what_is_read_first_depends_on_what_is_looked_at() -> None:
    stage = Inspect()
    assert stage.requires(stage.parameters({})) == ("extract", "aggregate")
    assert stage.requires(stage.parameters({"on": "both"})) == ("extract", "aggregate", "enhance")
