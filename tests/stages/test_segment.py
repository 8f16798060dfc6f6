"""segment stores what the model answers, on the model's own grid, over the whole frame."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from vbtools import models
from vbtools.backends.segment.mediapipe import MODELS, MediaPipeSegmenter, _input_grid
from vbtools.config.recipe import load
from vbtools.errors import ModelError
from vbtools.pipeline import execute, tasks_from
from vbtools.stages import stage_names
from vbtools.stages.segment import Segment, SegmentParams
from vbtools.store import Reader

GRIDS = {"landscape": (144, 256), "square": (256, 256)}


def model_path(variant: str) -> Path:
    try:
        return models.pull(MODELS[variant])
    except ModelError as error:
        pytest.skip(f"the model cannot be fetched here: {error}")


@pytest.mark.parametrize("variant", sorted(GRIDS))
def test_the_grid_is_read_from_the_models_own_file(variant: str) -> None:
    assert _input_grid(model_path(variant)) == GRIDS[variant]


@pytest.mark.parametrize("content", [b"", b"xy", b"nothing" * 50, bytes(64), b"\x10\x00\x00\x00TFL3" + b"\xff" * 64])
def test_a_file_that_is_no_model_has_no_grid(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.tflite").write_bytes(content)
    assert _input_grid(tmp_path / "bad.tflite") is None


@pytest.mark.parametrize(("size", "stored"), [((720, 1280), (144, 256)), ((90, 160), (90, 160))])
def test_masks_lie_on_the_models_grid_and_small_frames_keep_their_own(
    tmp_path: Path, size: tuple[int, int], stored: tuple[int, int]
) -> None:
    from skimage import data

    pytest.importorskip("mediapipe", reason="needs the mediapipe extra")
    path = model_path("landscape")
    photo = cv2.resize(data.astronaut(), size[::-1])
    picture = tmp_path / "still.png"
    cv2.imwrite(str(picture), photo[..., ::-1])
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("version: 1\nstages:\n  segment: {backend: mediapipe}\n")
    execute(tmp_path / "study.h5", tasks_from(load(recipe, stage_names()), last="segment"), picture)
    with Reader(tmp_path / "study.h5") as reader:
        person = reader.array("segment", "person")
        frame = reader.array("extract", "frames")[0]
    assert person.shape == (1, *stored)
    with MediaPipeSegmenter(path) as segmenter:
        assert np.array_equal(person[0], segmenter(cv2.resize(frame, stored[::-1])))
        whole = segmenter(frame) > 127
    enlarged = cv2.resize(person[0], size[::-1]) > 127
    assert (enlarged & whole).sum() / (enlarged | whole).sum() > 0.9


def test_the_other_model_looks_again_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Segment()
    both = [model_path(variant) for variant in ("landscape", "square")]
    names = [MODELS[variant] for variant in ("landscape", "square")]
    assert stage.models(SegmentParams()) == tuple(names)
    assert stage.models(SegmentParams(variant="square")) == tuple(reversed(names))
    assert stage.models(SegmentParams(second_look=False)) == (names[0],)
    assert stage.models(SegmentParams(weights=str(both[0]))) == ()
    monkeypatch.setenv("VBTOOLS_MODELS", str(tmp_path))
    shutil.copy(both[0], tmp_path)
    assert stage.models(SegmentParams()) == (names[0],)
    (tmp_path / both[1].name).write_bytes(b"rubbish")
    assert stage.models(SegmentParams()) == (names[0],)


def test_a_person_whom_the_first_model_misses_is_in_the_masks_and_a_note_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skimage import data

    pytest.importorskip("mediapipe", reason="needs the mediapipe extra")
    for variant in GRIDS:
        model_path(variant)
    seen = MediaPipeSegmenter.__call__
    missed = GRIDS["landscape"]
    monkeypatch.setattr(
        MediaPipeSegmenter, "__call__", lambda self, frame: seen(self, frame) * np.uint8(self.grid != missed)
    )
    astronaut = data.astronaut()
    photo = cv2.GaussianBlur(cv2.resize(astronaut, (910, 512)), (0, 0), 25)
    photo[100:, 200:712] = astronaut[:-100]
    picture = tmp_path / "still.png"
    cv2.imwrite(str(picture), photo[..., ::-1])
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("version: 1\nstages:\n  segment: {backend: mediapipe}\n")
    execute(tmp_path / "study.h5", tasks_from(load(recipe, stage_names()), last="segment"), picture)
    with Reader(tmp_path / "study.h5") as reader:
        person, record = reader.array("segment", "person"), reader.record("segment")
    assert person.shape == (1, *missed)
    assert 0.1 < (person >= 77).mean() < 0.6
    assert record is not None
    assert any("missed the person in 1 frame," in note for note in record.notes)
