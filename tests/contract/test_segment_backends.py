"""What every segmenter promises: frame i's mask is of frame i, in its size, whatever stands beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from weights import picture, save_deeplab

from vbtools import models
from vbtools.backends import Backend, of_stage
from vbtools.errors import VbtoolsError
from vbtools.stages import stage
from vbtools.stages.base import Job
from vbtools.stages.segment import VARIANTS

SEGMENTERS = [row for row in of_stage("segment") if row.is_built]
FRAMES = 7
MARKS = {"deeplabv3": pytest.mark.torch}
each = pytest.mark.parametrize(
    "row", [pytest.param(row, marks=MARKS.get(row.name, ()), id=row.name) for row in SEGMENTERS]
)


def frames() -> np.ndarray:
    """Seven pictures with somebody in them at different places, and none that resembles another."""
    from skimage import data

    person = data.astronaut()[:400:3, :450:3]
    clip = np.stack([picture(150, 240, seed) for seed in range(FRAMES)])
    for number in range(FRAMES):
        clip[number, 10 : 10 + person.shape[0], 13 * number : 13 * number + person.shape[1]] = person
    return clip


class Inputs:
    """Frames in blocks, as the store gives them."""

    def __init__(self, clip: np.ndarray) -> None:
        self.clip = clip

    def dataset(self, *_: str) -> np.ndarray:
        return self.clip

    def blocks(self, *_: str) -> Any:
        return (self.clip[start : start + 3] for start in range(0, len(self.clip), 3))


class Output:
    """Masks, as the stage appends them."""

    def __init__(self) -> None:
        self.masks: list[np.ndarray] = []

    def append(self, name: str, array: np.ndarray) -> None:
        assert name == "person"
        self.masks.append(array)


@pytest.fixture
def weights(row: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Something that this backend loads: the catalog's, or, of its architecture, random ones."""
    for package in row.packages:
        pytest.importorskip(package, reason=f"needs the {row.extra} extra")
    if row.name == "deeplabv3":
        monkeypatch.setattr("vbtools.backends.segment.deeplabv3.SHORT_SIDE", 65)
        return save_deeplab(tmp_path / "deeplab.pth", "mobilenet_v3_large", seen=frames())
    try:
        return models.pull(row.models[0])
    except VbtoolsError as problem:
        pytest.skip(f"the model cannot be fetched here: {problem}")


def run(row: Backend, weights: Path, clip: np.ndarray) -> np.ndarray:
    one, output = stage("segment"), Output()
    params = one.parameters({"backend": row.name, "weights": str(weights), "device": "cpu"})
    one.run(Job(params, Inputs(clip), output))  # type: ignore[arg-type]
    return np.concatenate(output.masks)


@each
def test_each_mask_is_its_frame_s(row: Backend, weights: Path) -> None:
    clip = frames()
    with row.load()(weights, "cpu") as segmenter:
        alone = np.stack([segmenter(frame) for frame in clip])
    masks = run(row, weights, clip)
    assert (masks.shape, masks.dtype) == ((FRAMES, 150, 240), np.uint8)
    assert np.abs(masks.astype(int) - alone).max() <= 1
    for number in range(FRAMES):
        unlike = [np.abs(masks[number].astype(int) - alone[other]).max() for other in range(FRAMES) if other != number]
        assert min(unlike) > 20, "or a shifted order would pass"


@each
def test_frames_in_another_order_give_their_masks_in_that_order(row: Backend, weights: Path) -> None:
    clip, order = frames(), [4, 0, 6, 2, 1, 5, 3]
    forwards, mixed = run(row, weights, clip), run(row, weights, clip[order])
    assert np.abs(mixed.astype(int) - forwards[order]).max() <= 1


@each
def test_its_models_are_the_variants_that_can_be_asked_for(row: Backend) -> None:
    assert set(VARIANTS[row.name].values()) == set(row.models)
