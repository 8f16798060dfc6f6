"""Detections as COCO has them: boxes in their own picture's pixels, ids that refer to what is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stored_project import SIZE, Project

from vbtools.pipeline.coco import coco
from vbtools.pipeline.pictures import export
from vbtools.store import Reader


def thing(label: str, image: str, x: float, also_on_raw: int = 1) -> dict[str, Any]:
    box = {"x": x, "y": 20.0, "width": 40.0, "height": 30.0}
    return {
        "image": image, "label": label, **box, "confidence": 0.75, "observed": 1.0, "also_on_raw": also_on_raw,
    }  # fmt: skip


ROWS = [thing("tv", "raw", 10), thing("cup", "enhanced", 12, also_on_raw=0), thing("tv", "enhanced", 10)]


def test_ids_refer_to_what_is_there_and_boxes_are_in_their_picture_s_pixels() -> None:
    pictures = {"raw": ("background.png", 270, 480), "enhanced": ("enhanced.png", 1080, 1920)}
    made = coco(ROWS, pictures, 480)
    assert made["images"] == [
        {"id": 1, "file_name": "background.png", "width": 480, "height": 270},
        {"id": 2, "file_name": "enhanced.png", "width": 1920, "height": 1080},
    ]
    assert made["categories"] == [{"id": 1, "name": "cup"}, {"id": 2, "name": "tv"}]
    assert [a["id"] for a in made["annotations"]] == [1, 2, 3]
    raw, cup, _ = made["annotations"]
    assert (raw["image_id"], raw["category_id"], raw["bbox"], raw["area"]) == (1, 2, [10.0, 20.0, 40.0, 30.0], 1200.0)
    assert (cup["image_id"], cup["category_id"], cup["bbox"]) == (2, 1, [48.0, 80.0, 160.0, 120.0])
    assert (cup["iscrowd"], cup["score"], cup["also_on_raw"], raw["also_on_raw"]) == (0, 0.75, False, True)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "study.h5")
    made.extract()
    made.upstream_of_plate()
    made.aggregate()
    enlarged = np.full((2 * SIZE[0], 2 * SIZE[1], 3), 128, np.uint8)
    made.store("enhance", {"steps": ["clahe"]}, image=enlarged, clahe=enlarged)
    return made


def exported(project: Project, folder: Path) -> dict[str, Any] | None:
    with Reader(project.path) as reader:
        export(reader, folder, video=False)
    file = folder / "detections.coco.json"
    return json.loads(file.read_text()) if file.exists() else None


def test_export_writes_it_where_objects_were_looked_for(project: Project, tmp_path: Path) -> None:
    project.store(
        "inspect", {"yolo": True, "on": "both", "weights": "w.pt"}, ocr=[], detections=ROWS, unprotected=[]
    )
    made = exported(project, tmp_path / "out")
    assert made is not None
    for image in made["images"]:
        assert (tmp_path / "out" / image["file_name"]).is_file()
    assert [image["width"] for image in made["images"]] == [SIZE[1], 2 * SIZE[1]]
    assert made["annotations"][1]["bbox"] == [24.0, 40.0, 80.0, 60.0]
    findings = json.loads((tmp_path / "out" / "findings.json").read_text())
    assert [row["also_on_raw"] for row in findings["detections"]] == [True, False, True]
    assert (tmp_path / "out" / "detections.csv").is_file()
    assert (tmp_path / "out" / "findings.png").is_file()
    said = [words for words in findings["findings"] if "enhanced picture" in words]
    assert "2 objects were found on the enhanced picture, 1 of them on it alone: 'cup' (75 %)" in said[0]


def test_objects_that_were_looked_for_and_not_found_give_an_empty_list(project: Project, tmp_path: Path) -> None:
    project.store("inspect", {"yolo": True, "weights": "w.pt"}, ocr=[], detections=[], unprotected=[])
    made = exported(project, tmp_path / "out")
    assert made is not None
    assert made["annotations"] == made["categories"] == []
    project.store("inspect", {}, ocr=[], detections=[], unprotected=[])
    assert exported(project, tmp_path / "out") is None, "nobody looked, so no list says that there is nothing"
