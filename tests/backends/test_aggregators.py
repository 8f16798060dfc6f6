"""What every aggregator promises, and that mean and maximum equal a slow, obvious count."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import moving_room
import numpy as np
import pytest
from fakes import FakeReader, run_stage

from vbtools.backends import of_stage
from vbtools.backends.aggregate import max as maximum
from vbtools.backends.aggregate import mean, observations
from vbtools.ops.masks import person_mask
from vbtools.ops.warp import encode_flow, warp_by_flow, warp_by_transform
from vbtools.stages import stage

Stages = dict[str, dict[str, Any]]

SIZE = (61, 94)
FRAMES = 11
BUILT = [row.name for row in of_stage("aggregate") if row.is_built and row.name != "leak"]  # leak: not per pixel
REFERENCES: dict[str, Callable[..., Any]] = {"median": np.nanmedian, "mean": np.nanmean, "max": np.nanmax}


@pytest.fixture(scope="module", params=["still", "transform", "flow"])
def stages(request: pytest.FixtureRequest) -> Stages:
    """Random frames; a person who wanders and a corner that it never leaves; align left one frame out."""
    rng = np.random.default_rng(7)
    person = np.zeros((FRAMES, *SIZE), np.uint8)
    for t in range(FRAMES):
        person[t, 20:45, 5 * t : 5 * t + 30] = 200
        person[t, 50:, 75:] = 255
    transform = np.repeat(np.eye(2, 3)[None], FRAMES, axis=0)
    align: dict[str, Any] = {"used": np.array([1] * 6 + [0] + [1] * 4, np.uint8)}
    if request.param != "still":
        shifts = rng.uniform(-9, 9, (FRAMES, 2))
        transform = np.stack([moving_room.moves(*SIZE, (float(x), float(y)), 1.0) for x, y in shifts])
    if request.param == "flow":
        align["flow"] = encode_flow(rng.normal(0, 5, (FRAMES, 1, 1, 2)) + rng.normal(0, 1, (FRAMES, 20, 31, 2)))
    frames = rng.integers(0, 256, (FRAMES, *SIZE, 3), dtype=np.uint8)
    frames[:, 10:14, 60:70] = 255  # what integer overflow would spoil
    return {"extract": {"frames": frames}, "segment": {"person": person}, "align": align | {"transform": transform}}


def stack(stages: Stages, dilate: int) -> np.ndarray:
    """(t, H, W, 3) float64, NaN where a frame does not show the background."""
    align, found = stages["align"], []
    for t in np.flatnonzero(align["used"]):
        valid = ~person_mask(stages["segment"]["person"][t], SIZE, 0.3, dilate)
        frame = stages["extract"]["frames"][t]
        if "flow" in align:
            frame, valid = warp_by_flow(frame, valid, align["flow"][t].astype(np.float32) / 32)
        elif not np.array_equal(align["transform"][t], np.eye(2, 3)):
            frame, valid = warp_by_transform(frame, valid, align["transform"][t])
        found.append(np.where(valid[..., None], frame, np.nan))
    return np.stack(found)


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two results are equal, bit by bit."""
    return one.keys() == other.keys() and all(
        np.array_equal(array, other[name], equal_nan=array.dtype.kind == "f") for name, array in one.items()
    )


def test_every_built_aggregator_has_a_reference() -> None:
    assert set(BUILT) <= set(REFERENCES)
    assert {"median", "mean", "max"} <= set(BUILT)


@pytest.mark.parametrize("method", BUILT)
def test_plate_and_coverage_equal_a_slow_count(method: str, stages: Stages) -> None:
    seen = stack(stages, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # pixels without any observation
        plate = REFERENCES[method](seen, axis=0)
    stored, job = run_stage(stage("aggregate"), stages, method=method, tile=32, dilate=3)
    assert stored["plate"].dtype == np.float32
    assert np.array_equal(stored["coverage"], np.count_nonzero(~np.isnan(seen[..., 0]), axis=0))
    np.testing.assert_array_equal(np.isnan(stored["plate"]), np.isnan(plate))
    np.testing.assert_allclose(stored["plate"], plate, rtol=2e-7)  # one rounding to float32
    assert job.progress.done == job.progress.total > 0


@pytest.mark.parametrize("method", BUILT)
def test_the_picture_is_the_rounded_plate_and_unobserved_is_marked(method: str, stages: Stages) -> None:
    stored, _ = run_stage(stage("aggregate"), stages, method=method)
    seen = stored["coverage"] > 0
    assert 0.5 < seen.mean() < 1.0
    assert np.isnan(stored["plate"][~seen]).all()
    assert np.isfinite(stored["plate"][seen]).all()
    assert np.array_equal(stored["background"][seen], np.rint(stored["plate"][seen]).astype(np.uint8))


@pytest.mark.parametrize("method", BUILT)
def test_neither_tile_nor_block_changes_a_bit(
    method: str, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = run_stage(stage("aggregate"), stages, method=method)
    for tile in (16, 37, 4096):
        assert same(whole, run_stage(stage("aggregate"), stages, method=method, tile=tile)[0]), tile
    monkeypatch.setattr(observations, "BLOCK_PIXELS", 3000)  # a frame or two at a time
    assert same(whole, run_stage(stage("aggregate"), stages, method=method, tile=40)[0])


@pytest.mark.parametrize("module", [mean, maximum])
def test_a_tile_asked_too_large_is_made_smaller(module: ModuleType) -> None:
    assert [module.plan(side).side for side in (16, 256, 100_000)] == [16, 256, module.LARGEST_TILE]
    assert module.plan(256).passes == 1


def test_the_mean_of_a_long_clip_does_not_overflow() -> None:
    """More frames than a uint16 sum of 255s could hold."""
    count = 300
    frames = np.full((count, 8, 8, 3), 255, np.uint8)
    frames[0] = 0
    align = {"transform": np.repeat(np.eye(2, 3)[None], count, axis=0), "used": np.ones(count, np.uint8)}
    person = np.zeros((count, 8, 8), np.uint8)
    stages = {"extract": {"frames": frames}, "segment": {"person": person}, "align": align}
    stored, _ = run_stage(stage("aggregate"), stages, method="mean")
    assert np.unique(stored["plate"]).tolist() == [np.float32(255 * 299 / 300)]


@pytest.mark.parametrize("deep", [1, 3, 16])
def test_whole_frames_can_begin_later_and_keep_their_numbers(
    stages: Stages, deep: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first frame that is wanted is counted among those that align used."""
    monkeypatch.setattr(observations, "CHUNK_DEPTH", deep)
    used = np.flatnonzero(stages["align"]["used"])
    for first in range(len(used) + 2):
        with observations.Observations(FakeReader(stages), 0.3, 0) as seen:  # type: ignore[arg-type]
            blocks = list(seen.whole_frames(first))
        rows = [int(row) for block in blocks for row in block.rows]
        numbers = [block.first + at for block in blocks for at in range(len(block.rows))]
        assert rows == used[len(used) - len(rows) :].tolist()
        assert numbers == list(range(len(used) - len(rows), len(used)))
        assert numbers[:1] <= [first]
        assert len(numbers) <= max(0, len(used) - first) + deep - 1
