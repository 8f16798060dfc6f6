"""inspect: which picture is looked at, what is written down, and what is said."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fake_store import Ran

from vbtools.backends import Backend
from vbtools.config.params import ParameterError
from vbtools.errors import MissingDependencyError, UsageError
from vbtools.stages import inspect as module
from vbtools.stages.inspect import Inspect, supported


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


def test_regions_are_told_in_the_plate_s_pixels_and_a_frame_may_have_two() -> None:
    left = {"row": 1, "x": 20.0, "y": 40.0, "width": 60.0, "height": 40.0, "sharpness": 3.0}
    right = {"row": 1, "x": 200.0, "y": 40.0, "width": 60.0, "height": 40.0, "sharpness": 2.0}
    stored = project(wall({})) | {("extract", "regions"): [left, right]}
    stored["align", "transform"] = np.repeat([[[1.0, 0.0, 12.0], [0.0, 1.0, -5.0]]], 4, axis=0)  # the camera moved
    rows = Ran(Inspect(), {}, stored).tables["unprotected"]
    assert [(row["row"], row["whole"], row["x"], row["y"], row["width"], row["height"]) for row in rows] == [
        (3, 1, 0, 5, 308, 175), (1, 0, 8, 45, 60, 40), (1, 0, 188, 45, 60, 40),
    ]  # fmt: skip
    assert Ran(Inspect(), {}, stored).notes[0] == "2 unprotected frames, sharpest first at 3.20 s, 0.50 s"


def leaked(words: dict[str, tuple[int, int]]) -> dict:
    """A leak image: letters at a tenth of their contrast on a blurred plate that bends, and ridges."""
    full = wall(words, 200, 420).astype(np.float32)
    bend = 40 * np.sin(np.arange(420) / 40)[None, :, None] + 25 * np.cos(np.arange(200) / 25)[:, None, None]
    faint = 130 + bend + 0.1 * (full - full.max())
    exposure = np.zeros((200, 420), np.float32)
    exposure[20:180, 20:400] = 0.5
    return project(np.clip(faint, 0, 255).astype(np.uint8)) | {
        ("aggregate", "exposure"): exposure, ("aggregate", "confidence"): 0.8 * (exposure > 0),
        ("aggregate", "overlays"): np.zeros((200, 420), np.uint8),
    }  # fmt: skip


def test_a_leak_image_is_read_at_even_contrast_and_each_word_tells_what_it_rests_on() -> None:
    stored = leaked({"OFFICE": (40, 80), "HOURS": (230, 150)})
    rows = Ran(Inspect(), {}, stored).tables["ocr"]
    assert {row["text"] for row in rows} == {"OFFICE", "HOURS"}
    for row in rows:
        assert row["exposure"] == pytest.approx(0.5)
        assert row["room"] == pytest.approx(0.8)
        assert row["overlay"] == 0
    plain = {key: value for key, value in stored.items() if key[1] not in ("exposure", "confidence")}
    assert len(Ran(Inspect(), {}, plain).tables["ocr"]) < 2, "the image as it is would do: the test is too easy"


def test_letters_made_of_detail_that_is_not_believed_are_not_told() -> None:
    stored = leaked({"OFFICE": (40, 80), "HOURS": (230, 150)})
    stored["aggregate", "confidence"][:, 210:] = 0.1
    assert words_of(Ran(Inspect(), {}, stored), "raw") == {"OFFICE"}
    assert words_of(Ran(Inspect(), {"reader": "tesseract"}, stored), "raw") == {"OFFICE"}


def test_without_rapidocr_tesseract_reads_the_versions_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = leaked({"OFFICE": (40, 80), "HOURS": (230, 150)})
    chosen = Ran(Inspect(), {"reader": "tesseract"}, stored)
    assert words_of(chosen, "raw") == {"OFFICE", "HOURS"}
    assert module.WITHOUT_RAPIDOCR not in chosen.notes
    monkeypatch.setattr(Backend, "missing", property(lambda row: row.packages if row.name == "rapidocr" else ()))
    ran = Ran(Inspect(), {}, stored)
    assert ran.tables["ocr"] == chosen.tables["ocr"]
    assert module.WITHOUT_RAPIDOCR in ran.notes
    plain = Ran(Inspect(), {}, project(wall({"OFFICE": (30, 60)})))
    assert module.WITHOUT_RAPIDOCR not in plain.notes, "it would not be asked"
    assert module.WITHOUT_RAPIDOCR not in Ran(Inspect(), {"ocr": False}, stored).notes


def test_who_reads_is_known_to_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    def readers(**given: Any) -> list[str]:
        one = Inspect()
        return [row.name for row in one.backends(one.parameters(given))]

    assert readers() == ["ocr", "rapidocr"]
    assert readers(reader="tesseract") == ["ocr"]
    assert readers(reader="rapidocr", yolo=True) == ["rapidocr", "yolo"]
    assert readers(ocr=False) == []
    monkeypatch.setattr(Backend, "missing", property(lambda row: row.packages))
    assert readers() == ["ocr"]
    assert readers(reader="rapidocr") == ["rapidocr"], "it was asked for by name: check says what is missing"


def test_rapidocr_reads_every_picture_where_it_is_chosen() -> None:
    ran = Ran(Inspect(), {"reader": "rapidocr"}, project(wall({"OFFICE": (30, 60), "HOURS": (30, 140)})))
    assert words_of(ran, "raw") == {"OFFICE", "HOURS"}
    assert "read 2 words on raw: 'OFFICE', 'HOURS'" in ran.notes


def test_words_are_read_from_what_the_edge_showed_not_only_from_what_was_undone_of_the_blur() -> None:
    stored = leaked({"OFFICE": (40, 80), "HOURS": (230, 150)})
    shown = stored["aggregate", "background"].astype(np.float32)
    detail = (shown - cv2.GaussianBlur(shown, (0, 0), 25.0)).mean(axis=2)
    rings = 40 * np.sin(np.arange(420) / 2)[None, :, None]
    stored["aggregate", "background"] = np.clip(shown + rings, 0, 255).astype(np.uint8)
    assert not Ran(Inspect(), {}, stored).tables["ocr"], "the rings hide nothing: the test is too easy"
    stored |= {("aggregate", "leak"): detail, ("aggregate", "plate"): shown - detail[..., None]}
    assert words_of(Ran(Inspect(), {}, stored), "raw") == {"OFFICE", "HOURS"}


def test_what_is_drawn_over_the_picture_is_told_as_that() -> None:
    stored = project(wall({"OFFICE": (30, 60), "HOURS": (30, 140)}))
    letters = (stored["aggregate", "background"][..., 0] < 150).astype(np.uint8)
    letters[:90] = 0
    stored["aggregate", "overlays"] = letters
    ran = Ran(Inspect(), {}, stored)
    assert {row["text"]: row["overlay"] for row in ran.tables["ocr"]} == {"OFFICE": 0, "HOURS": 1}
    assert all(np.isnan(row["exposure"]) and np.isnan(row["room"]) for row in ran.tables["ocr"])
    assert "read 1 word on raw: 'OFFICE'" in ran.notes
    assert "drawn over the picture, not of the room: 'HOURS'" in ran.notes


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


def test_beside_each_word_on_the_enhanced_picture_stands_whether_the_raw_one_has_it() -> None:
    background, enhanced = wall({"OFFICE": (30, 60)}), wall({"OFFICE": (30, 60), "HOURS": (30, 140)})
    for on in ("both", "enhanced"):
        ran = Ran(Inspect(), {"on": on}, project(background, image=enhanced))
        told = {row["text"]: row["also_on_raw"] for row in ran.tables["ocr"] if row["image"] == "enhanced"}
        assert told == {"OFFICE": 1, "HOURS": 0}, on
        assert all(row["also_on_raw"] == 1 for row in ran.tables["ocr"] if row["image"] == "raw")
    assert {row["image"] for row in ran.tables["ocr"]} == {"enhanced"}, "the raw one was asked, not reported"


def test_a_finding_is_supported_only_by_the_same_one_at_the_same_place() -> None:
    box = {"y": 40.0, "width": 60.0, "height": 20.0}
    raw = [{"text": "ROOM", "x": 20.0, **box}]
    assert supported({"text": "room", "x": 30.0, **box}, raw, "text")
    assert not supported({"text": "ROOM", "x": 200.0, **box}, raw, "text")
    assert not supported({"text": "BROOM", "x": 20.0, **box}, raw, "text")


class Cups:
    """A detector that finds a cup where there is something dark, and says what it was asked."""

    def __init__(self, params: Any) -> None:
        self.params = params

    def __call__(self, image: np.ndarray, observed: np.ndarray, scale: float) -> list[dict[str, Any]]:
        columns = np.nonzero(image.min(axis=(0, 2)) < 90)[0]
        if not columns.size:
            return []
        box = {"x": columns.min() / scale, "y": 0.0, "width": np.ptp(columns) / scale, "height": 9.0}
        return [{"label": "cup", **box, "confidence": 0.8, "observed": 1.0}]


def test_objects_are_stored_with_their_support_and_the_licence_is_told_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VBTOOLS_MODELS", str(tmp_path))
    row = Backend("inspect", "yolo", f"{__name__}:Cups", "finds cups")
    real = module.backend
    monkeypatch.setattr(module, "backend", lambda stage, name: row if name == "yolo" else real(stage, name))
    stored = project(wall({}), image=wall({"HOURS": (30, 140)}))
    ran = Ran(Inspect(), {"ocr": False, "yolo": True, "on": "both"}, stored)
    (only,) = ran.tables["detections"]
    assert (only["image"], only["label"], only["also_on_raw"]) == ("enhanced", "cup", 0)
    assert "found no objects on raw" in ran.notes
    assert "found 1 object on enhanced: 'cup'" in ran.notes
    assert ["AGPL-3.0" in said for said in ran.progress.said] == [True]
    assert (ran.progress.total, ran.progress.done) == (2, 2)
    assert Ran(Inspect(), {"ocr": False, "yolo": True}, stored).progress.said == []


def test_yolo_s_weights_are_known_to_the_fingerprint_and_need_yolo() -> None:
    one = Inspect()
    assert one.models(one.parameters({})) == ()
    assert one.models(one.parameters({"yolo": True})) == ("yolov8n",)
    named = one.parameters({"yolo": True, "weights": "a.pt"})
    assert (one.models(named), one.weight_files(named)) == ((), ("a.pt",))
    with pytest.raises(ParameterError, match="only YOLO takes weights, and it is off"):
        one.parameters({"weights": "a.pt"})


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


@pytest.mark.parametrize(("family", "said"), [("none", True), ("gaussian", False), ("cannot tell", False)])
def test_a_background_that_is_not_blurred_is_said(family: str, said: bool) -> None:
    stored = project(wall({})) | {("aggregate", "blur"): [{"family": family}]}
    assert any("every frame shows the room" in note for note in Ran(Inspect(), {}, stored).notes) == said


def test_where_no_blur_was_looked_for_none_is_asked_for_and_no_transforms_are_loaded() -> None:
    code = (
        "import sys; from types import SimpleNamespace; from vbtools.stages.aggregate import is_not_blurred\n"
        "assert not is_not_blurred(SimpleNamespace(has=lambda *_: False))\n"
        "assert 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


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
