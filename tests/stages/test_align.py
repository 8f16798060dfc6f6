"""The align stage: what it stores, whom it leaves out, what it refuses."""

from __future__ import annotations

import moving_room
import numpy as np
import pytest
from fakes import run_stage

from vbtools.errors import InputError, UsageError
from vbtools.ops.warp import decode_flow, upscale_flow
from vbtools.stages import stage

SIZE = (180, 320)
SHIFTS = [(-9.0, 4.0), (-4.0, 0.5), (0.0, 0.0), (6.0, -3.0), (12.0, 8.0)]


@pytest.fixture(scope="module")
def clip() -> moving_room.Clip:
    """Row 2, the middle one, does not move."""
    return moving_room.make([moving_room.moves(*SIZE, s, s[0] / 10) for s in SHIFTS], *SIZE)


def wrong(stored: np.ndarray, motion: np.ndarray) -> np.ndarray:
    difference = upscale_flow(decode_flow(stored), SIZE) - moving_room.displacement(motion, *SIZE)
    return np.hypot(difference[..., 0], difference[..., 1])


def test_none_is_the_identity_for_every_frame_and_reads_no_picture(clip: moving_room.Clip) -> None:
    stored, job = run_stage(stage("align"), clip.stages(), method="none")
    assert np.array_equal(stored["transform"], np.repeat(np.eye(2, 3)[None], 5, axis=0))
    assert stored["used"].tolist() == [1] * 5
    assert stored["left_out"] == []
    assert "flow" not in stored
    assert job.inputs.reads == []
    assert job.progress.total == job.progress.done == 5
    assert job.notes == []


def test_farneback_stores_the_motion_to_the_middle_frame(clip: moving_room.Clip) -> None:
    stored, job = run_stage(stage("align"), clip.stages(), method="farneback")
    assert stored["flow"].shape == (5, 90, 160, 2)
    background = clip.person[0] == 0
    for row, motion in enumerate(clip.motion):
        assert np.median(wrong(stored["flow"][row], motion)[background]) <= 0.25
        assert np.abs(stored["transform"][row] - motion)[:, 2].max() < 0.5
    assert stored["used"].all()
    assert job.progress.done == 5


def test_another_reference_gives_the_motion_to_it(clip: moving_room.Clip) -> None:
    stored, _ = run_stage(stage("align"), clip.stages(), method="farneback", reference=4)
    assert np.abs(stored["flow"][4]).max() <= 8  # a quarter of a pixel: OpenCV's flow is not quite zero at the border
    between = np.vstack([clip.motion[2], [0, 0, 1]]) @ np.linalg.inv(np.vstack([clip.motion[4], [0, 0, 1]]))
    assert np.median(wrong(stored["flow"][2], between[:2])[clip.person[0] == 0]) <= 0.25


@pytest.mark.parametrize("method", ["none", "farneback"])
def test_a_reference_that_is_not_in_the_clip_is_refused(clip: moving_room.Clip, method: str) -> None:
    with pytest.raises(UsageError, match=r"no frame 5 .* the clip has 5\. Give --reference 0 to 4"):
        run_stage(stage("align"), clip.stages(), method=method, reference=5)


def test_a_frame_that_the_person_covers_is_left_out_and_listed(clip: moving_room.Clip) -> None:
    stages = clip.stages()
    person = clip.person.copy()
    person[0] = 255
    stages["segment"] = {"person": person}
    stored, job = run_stage(stage("align"), stages, method="farneback")
    assert stored["used"].tolist() == [0, 1, 1, 1, 1]
    assert stored["left_out"] == [{"row": 0, "reason": "no background visible"}]
    assert stored["flow"].shape == (5, 90, 160, 2)
    assert not stored["flow"][0].any()
    assert np.isnan(stored["transform"][0]).all()
    assert np.isfinite(stored["transform"][1:]).all()
    assert job.notes == ["left out 1 of 5 frames that could not be aligned"]


def test_threshold_and_dilate_decide_what_is_background(clip: moving_room.Clip) -> None:
    stages = clip.stages()
    stages["segment"] = {"person": np.full_like(clip.person, 100)}  # 0.39
    with pytest.raises(InputError, match="covers all"):
        run_stage(stage("align"), stages, method="farneback", threshold=0.3)
    stored, _ = run_stage(stage("align"), stages, method="farneback", threshold=0.5)
    assert stored["used"].all()
    spot = np.zeros_like(clip.person)
    spot[:, 90, 160] = 255
    stages["segment"] = {"person": spot}
    with pytest.raises(InputError, match="covers all"):
        run_stage(stage("align"), stages, method="farneback", dilate=400)


def test_masks_of_another_size_serve_as_well(clip: moving_room.Clip) -> None:
    stages = clip.stages()
    stages["segment"] = {"person": clip.person[:, ::2, ::2].copy()}
    stored, _ = run_stage(stage("align"), stages, method="farneback")
    assert np.median(wrong(stored["flow"][4], clip.motion[4])[clip.person[0] == 0]) <= 0.25


def test_frames_are_shared_out_and_come_back_in_order(clip: moving_room.Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    from vbtools.stages import align

    usual, _ = run_stage(stage("align"), clip.stages(), method="farneback")
    monkeypatch.setattr(align, "_workers", lambda make: 3)
    monkeypatch.setattr(align, "BLOCK_ROWS", 1)
    shared, _ = run_stage(stage("align"), clip.stages(), method="farneback")
    assert np.array_equal(usual["flow"], shared["flow"])


@pytest.mark.parametrize("method", ["none", "farneback"])
def test_one_frame_is_its_own_reference(clip: moving_room.Clip, method: str) -> None:
    stages = {"extract": {"frames": clip.frames[:1]}, "segment": {"person": clip.person[:1]}}
    stored, _ = run_stage(stage("align"), stages, method=method)
    assert stored["used"].tolist() == [1]
    assert np.allclose(stored["transform"][0], np.eye(2, 3), atol=0.01)


def test_no_frame_at_all_is_an_error() -> None:
    stages = {
        "extract": {"frames": np.zeros((0, 4, 4, 3), np.uint8)}, "segment": {"person": np.zeros((0, 4, 4), np.uint8)}
    }  # fmt: skip
    with pytest.raises(InputError, match="no frame to align"):
        run_stage(stage("align"), stages)
