"""Every aligner that is built keeps the contract of vbtools.backends.align.Aligner."""

from __future__ import annotations

import moving_room
import numpy as np
import pytest
from fakes import run_stage

from vbtools.backends import of_stage
from vbtools.errors import InputError
from vbtools.ops.warp import decode_flow, upscale_flow
from vbtools.stages import stage

SIZE = (180, 320)
METHODS = [row.name for row in of_stage("align") if row.is_built]
LOOKING = [name for name in METHODS if name != "none"]


@pytest.fixture(scope="module")
def clip() -> moving_room.Clip:
    shifts = [(-9.0, 4.0), (-4.0, 0.5), (0.0, 0.0), (6.0, -3.0), (12.0, 8.0)]
    return moving_room.make([moving_room.moves(*SIZE, s, s[0] / 10) for s in shifts], *SIZE)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_stored_has_one_row_a_frame(clip: moving_room.Clip, method: str) -> None:
    stored, job = run_stage(stage("align"), clip.stages(), method=method)
    assert stored["transform"].shape == (5, 2, 3)
    assert stored["used"].tolist() == [1] * 5
    assert stored["left_out"] == []
    if "flow" in stored:
        assert stored["flow"].shape[0] == 5
    assert job.progress.done == job.progress.total == 5


@pytest.mark.parametrize("method", LOOKING)
def test_motion_goes_from_the_reference_to_the_frame(clip: moving_room.Clip, method: str) -> None:
    """With the sign flipped, the error would be twice the motion."""
    stored, _ = run_stage(stage("align"), clip.stages(), method=method)
    for row, motion in enumerate(clip.motion):
        truth = moving_room.displacement(motion, *SIZE)
        found = moving_room.displacement(stored["transform"][row], *SIZE)
        if "flow" in stored:
            found = upscale_flow(decode_flow(stored["flow"][row]), SIZE)
        assert np.median(np.hypot(*np.moveaxis(found - truth, -1, 0))[clip.person[0] == 0]) <= 0.25


@pytest.mark.parametrize("method", METHODS)
def test_the_same_clip_gives_the_same_numbers_however_it_is_shared_out(
    clip: moving_room.Clip, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vbtools.stages import align

    once, _ = run_stage(stage("align"), clip.stages(), method=method)
    monkeypatch.setattr(align, "_workers", lambda make: 3 if make.needs_frames else 1)
    monkeypatch.setattr(align, "BLOCK_ROWS", 1)
    again, _ = run_stage(stage("align"), clip.stages(), method=method)
    assert set(once) == set(again)
    for name, data in once.items():
        assert np.array_equal(data, again[name], equal_nan=name == "transform")


@pytest.mark.parametrize("method", LOOKING)
def test_frames_that_cannot_be_aligned_are_left_out_and_listed(clip: moving_room.Clip, method: str) -> None:
    person, frames = clip.person.copy(), clip.frames.copy()
    person[0] = 255
    frames[4] = moving_room.make([moving_room.moves(*SIZE, (0, 0), 0)], *SIZE, seed=99).frames[0]
    stages = {"extract": {"frames": frames}, "segment": {"person": person}}
    stored, job = run_stage(stage("align"), stages, method=method)
    assert stored["used"].tolist() == [0, 1, 1, 1, 0]
    assert stored["left_out"] == [
        {"row": 0, "reason": "no background visible"},
        {"row": 4, "reason": "shows another picture than the reference frame"},
    ]
    assert np.isnan(stored["transform"][[0, 4]]).all()
    assert np.isfinite(stored["transform"][1:4]).all()
    assert job.notes[-1] == "left out 2 of 5 frames that could not be aligned"


@pytest.mark.parametrize("method", LOOKING)
@pytest.mark.parametrize("size", [(1, 1), (5, 9), (40, 30)])
def test_tiny_frames_do_no_harm(method: str, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    frames = np.repeat(rng.integers(0, 255, (1, *size, 3), dtype=np.uint8), 2, axis=0)
    stages = {"extract": {"frames": frames}, "segment": {"person": np.zeros((2, *size), np.uint8)}}
    if method == "orb":
        with pytest.raises(InputError, match="too little texture"):
            run_stage(stage("align"), stages, method=method)
        return
    stored, _ = run_stage(stage("align"), stages, method=method)
    assert np.allclose(stored["transform"], np.eye(2, 3), atol=0.1)
