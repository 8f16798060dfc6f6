"""The aggregate stage: exact, masked, the same whatever the tile and the way, and sharper once aligned."""

from __future__ import annotations

from typing import Any

import moving_room
import numpy as np
import pytest
from fakes import run_stage

from vbtools.backends.aggregate import median, observations
from vbtools.errors import InputError, ProjectError
from vbtools.ops.masks import person_mask
from vbtools.ops.warp import encode_flow, warp_by_flow, warp_by_transform
from vbtools.stages import stage

SIZE = (75, 110)


def still(frames: np.ndarray, person: np.ndarray, used: list[int] | None = None) -> dict[str, dict[str, Any]]:
    """A project whose camera stands still."""
    count = len(frames)
    align = {
        "transform": np.repeat(np.eye(2, 3)[None], count, axis=0),
        "used": np.array([1] * count if used is None else used, np.uint8),
    }
    return {"extract": {"frames": frames}, "segment": {"person": person}, "align": align}


@pytest.fixture(scope="module")
def project() -> dict[str, dict[str, Any]]:
    """Random frames, a blob of a person that wanders, and a corner that it never leaves."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (13, *SIZE, 3), dtype=np.uint8)
    person = np.zeros((13, *SIZE), np.uint8)
    for t in range(13):
        person[t, 30:50, 5 * t : 5 * t + 40] = 200
        person[t, 60:, 90:] = 255
    return still(frames, person)


def moving(project: dict[str, dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """The same with a motion of its own for each frame; some reach far out of the frame, one is left out."""
    rng = np.random.default_rng(4)
    shifts = [(float(x), float(y)) for x, y in rng.uniform(-20, 20, (13, 2))]
    shifts[5] = (70.0, -200.0)
    motion = np.stack([moving_room.moves(*SIZE, s, float(rng.uniform(-3, 3))) for s in shifts])
    align: dict[str, Any] = {"transform": motion, "used": np.array([1] * 8 + [0] + [1] * 4, np.uint8)}
    motion[8] = np.nan
    if kind == "flow":
        smooth = rng.normal(0, 12, (13, 1, 1, 2)) + rng.normal(0, 2, (13, 25, 37, 2))
        align["flow"] = encode_flow(smooth)
    return {**project, "align": align}


def reference(project: dict[str, dict[str, Any]], threshold: float, dilate: int) -> tuple[np.ndarray, np.ndarray]:
    """Plate and coverage, slowly: whole frames, NaN where not seen, np.nanmedian."""
    frames, align = project["extract"]["frames"], project["align"]
    stack, coverage = [], np.zeros(SIZE, np.int64)
    for t in range(len(frames)):
        if not align["used"][t]:
            continue
        valid = ~person_mask(project["segment"]["person"][t], SIZE, threshold, dilate)
        frame = frames[t]
        if "flow" in align:
            frame, valid = warp_by_flow(frame, valid, align["flow"][t].astype(np.float32) / 32)
        elif not np.array_equal(align["transform"][t], np.eye(2, 3)):
            frame, valid = warp_by_transform(frame, valid, align["transform"][t])
        coverage += valid
        stack.append(np.where(valid[..., None], frame, np.nan))
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="All-NaN"):
        return np.nanmedian(np.stack(stack), axis=0), coverage


@pytest.fixture(params=["still", "transform", "flow"], scope="module")
def any_motion(request: pytest.FixtureRequest, project: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return project if request.param == "still" else moving(project, request.param)


def test_plate_and_coverage_equal_a_slow_count(any_motion: dict[str, dict[str, Any]]) -> None:
    stored, job = run_stage(stage("aggregate"), any_motion, tile=32, dilate=4)
    plate, coverage = reference(any_motion, 0.3, 4)
    assert np.array_equal(stored["coverage"], coverage)
    assert np.array_equal(stored["plate"], plate.astype(np.float32), equal_nan=True)
    seen = coverage > 0
    assert np.array_equal(stored["background"][seen], np.rint(plate[seen]).astype(np.uint8))  # half to even
    assert not stored["background"][~seen].any()
    assert job.progress.done == job.progress.total > 0


def test_the_tile_changes_nothing(any_motion: dict[str, dict[str, Any]]) -> None:
    one, _ = run_stage(stage("aggregate"), any_motion, tile=256)
    for tile in (16, 37, 64):
        other, _ = run_stage(stage("aggregate"), any_motion, tile=tile)
        for name, array in one.items():
            assert np.array_equal(array, other[name], equal_nan=array.dtype.kind == "f"), (tile, name)


def test_a_long_clip_is_streamed_with_the_same_answer(
    any_motion: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = run_stage(stage("aggregate"), any_motion)
    used: list[str] = []
    for way in ("held", "streamed"):
        function = getattr(median, way)
        monkeypatch.setattr(median, way, lambda view, f=function, w=way: used.append(w) or f(view))
    monkeypatch.setattr(median, "STACK_BYTES", 13 * 4 * 30 * 30)  # not even a tile of a chunk's side
    monkeypatch.setattr(observations, "BLOCK_PIXELS", 3000)
    other, job = run_stage(stage("aggregate"), any_motion)
    assert set(used) == {"streamed"}
    assert job.progress.done == job.progress.total
    for name, array in one.items():
        assert np.array_equal(array, other[name], equal_nan=array.dtype.kind == "f"), name


@pytest.mark.parametrize(
    ("count", "side", "passes"),
    [(1, 256, 1), (96, 256, 1), (97, 192, 1), (206, 128, 1), (384, 128, 1), (385, 128, 2), (9000, 128, 2)],
)
def test_the_way_is_chosen_by_what_fits(count: int, side: int, passes: int) -> None:
    plan = median.plan(256, count)
    assert (plan.side, plan.passes) == (side, passes)


@pytest.mark.parametrize("tile", [16, 200, 256, 4096, 100_000])
@pytest.mark.parametrize("count", [1, 10, 300, 5000, 108_000])
def test_a_tile_never_takes_more_than_its_budget(tile: int, count: int) -> None:
    plan = median.plan(tile, count)
    assert plan.side <= tile
    each = median.STREAM_BYTES_PER_PIXEL if plan.passes == 2 else 4 * count
    assert plan.side**2 * each <= median.STACK_BYTES


def test_small_blocks_change_nothing(any_motion: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = run_stage(stage("aggregate"), any_motion)
    monkeypatch.setattr(observations, "BLOCK_PIXELS", 5000)
    other, _ = run_stage(stage("aggregate"), any_motion, tile=40)
    assert np.array_equal(one["plate"], other["plate"], equal_nan=True)
    assert np.array_equal(one["coverage"], other["coverage"])


def test_a_pixel_always_under_the_person_is_unobserved(project: dict[str, dict[str, Any]]) -> None:
    stored, job = run_stage(stage("aggregate"), project, dilate=0)
    assert not stored["coverage"][60:, 90:].any()
    assert np.isnan(stored["plate"][60:, 90:]).all()
    assert (stored["coverage"][:30] == 13).all()
    share = (stored["coverage"] > 0).mean()
    assert 0.9 < share < 1
    assert job.notes == [f"observed {np.floor(share * 1000) / 10:g} % of the picture"]


def test_dilate_keeps_the_halo_out_across_tile_borders() -> None:
    frames = np.full((3, *SIZE, 3), 90, np.uint8)
    person = np.zeros((3, *SIZE), np.uint8)
    person[:, 20:31, 20:31] = 255
    stored, _ = run_stage(stage("aggregate"), still(frames, person), tile=32, dilate=6)
    assert stored["coverage"][25, 36] == 0  # 6 px beyond the person, in the next tile
    assert stored["coverage"][36, 25] == 0
    assert stored["coverage"][25, 37] == 3


def test_frames_that_align_left_out_do_not_count(project: dict[str, dict[str, Any]]) -> None:
    used = [0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0]
    stored, _ = run_stage(
        stage("aggregate"), still(project["extract"]["frames"], project["segment"]["person"], used), dilate=0
    )
    kept = np.flatnonzero(used)
    expected, _ = run_stage(
        stage("aggregate"),
        still(project["extract"]["frames"][kept], project["segment"]["person"][kept]), dilate=0,
    )  # fmt: skip
    assert np.array_equal(stored["plate"], expected["plate"], equal_nan=True)
    assert stored["coverage"].max() == len(kept)


def test_masks_of_another_size_serve_as_well(project: dict[str, dict[str, Any]]) -> None:
    person = np.zeros((13, 25, 37), np.uint8)
    person[:, 10:20, 8:30] = 255
    frames = project["extract"]["frames"]
    expected = ~person_mask(person[0], SIZE, 0.3, 4)
    for tile in (16, 256):
        stored, _ = run_stage(stage("aggregate"), still(frames, person), tile=tile, dilate=4)
        assert np.array_equal(stored["coverage"] > 0, expected)
    assert 0.5 < expected.mean() < 0.8


def test_a_fixed_camera_reads_nothing_twice(project: dict[str, dict[str, Any]]) -> None:
    _, job = run_stage(stage("aggregate"), project, tile=256)
    assert sorted(job.inputs.reads) == ["extract/frames", "segment/person"]


def test_a_person_everywhere_is_an_error_that_says_what_to_do(project: dict[str, dict[str, Any]]) -> None:
    covered = still(project["extract"]["frames"], np.full_like(project["segment"]["person"], 255))
    with pytest.raises(InputError, match=r"covers every pixel of every frame.*Lower --dilate or raise --threshold"):
        run_stage(stage("aggregate"), covered)


def test_no_frame_that_align_could_use_is_an_error(project: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(InputError, match="align could not use any frame"):
        run_stage(stage("aggregate"), still(project["extract"]["frames"], project["segment"]["person"], [0] * 13))


def test_stages_of_different_lengths_are_refused(project: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(ProjectError, match="differ in their number of frames"):
        run_stage(stage("aggregate"), still(project["extract"]["frames"][:5], project["segment"]["person"]))


# The chain: a known motion, a still person on top.


@pytest.fixture(scope="module")
def shaken() -> moving_room.Clip:
    """Seventeen frames of a camera that wanders by up to 18 px and 2 degrees; the middle one does not move."""
    t = np.arange(17) - 8
    shifts = np.stack([18 * np.sin(t / 3), 11 * np.sin(t / 2)], axis=1)
    return moving_room.make(
        [moving_room.moves(180, 320, (x, y), 2 * np.sin(k / 4)) for (x, y), k in zip(shifts, t, strict=True)], 180, 320
    )


@pytest.fixture(scope="module")
def plates(shaken: moving_room.Clip) -> dict[str, dict[str, Any]]:
    found = {}
    for method in ("none", "farneback"):
        stages = shaken.stages()
        stages["align"], _ = run_stage(stage("align"), stages, method=method)
        found[method], _ = run_stage(stage("aggregate"), stages)
    return found


def psnr(plate: np.ndarray, truth: np.ndarray, where: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((plate[where] - truth[where].astype(np.float64)) ** 2)))


def test_the_aligned_median_is_sharper_and_nearer_to_the_room(
    shaken: moving_room.Clip, plates: dict[str, dict[str, Any]]
) -> None:
    well_seen = (plates["none"]["coverage"] >= 12) & (plates["farneback"]["coverage"] >= 12)
    assert well_seen.mean() > 0.4
    near = {method: psnr(stored["plate"], shaken.room, well_seen) for method, stored in plates.items()}
    assert near["farneback"] > near["none"] + 15  # dB; measured 40.6 against 15.9
    assert near["farneback"] > 35
    both = well_seen[:, 1:] & well_seen[:, :-1]
    energy = {m: np.mean(np.diff(s["plate"], axis=1)[both] ** 2) for m, s in plates.items()}
    assert energy["farneback"] > 1.5 * energy["none"]  # measured 187 against 101; the room itself 240


def test_alignment_shows_what_the_person_hid(shaken: moving_room.Clip, plates: dict[str, dict[str, Any]]) -> None:
    """The person stands still before a camera that moves: its edge hides another part of the room each time."""
    gained = (plates["farneback"]["coverage"] > 0) & (plates["none"]["coverage"] == 0)
    assert gained.sum() > 500
    assert psnr(plates["farneback"]["plate"], shaken.room, gained) > 30  # dB; measured 38.5
