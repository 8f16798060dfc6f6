"""auto measures the background's motion, says what it found, and takes no more than is needed."""

from __future__ import annotations

from pathlib import Path

import cv2
import moving_room
import numpy as np
import pytest
from fakes import run_stage

from vbtools.stages import stage

SIZE = (270, 480)
VENDOR = Path(__file__).resolve().parents[3] / "shared" / "data" / "vendor"
CLIPS = sorted([*VENDOR.glob("*/*.mp4"), *VENDOR.glob("*/*.mkv")])


def shaken(rms: float, frames: int, seed: int = 3) -> list[np.ndarray]:
    """Motions of a trembling camera, rms px against the middle frame, which is at rest."""
    shifts = np.random.default_rng(seed).normal(size=(frames, 2))
    shifts[frames // 2] = 0
    shifts *= rms / np.sqrt((shifts**2).sum(axis=1).mean())
    return [moving_room.moves(*SIZE, (float(x), float(y)), 0) for x, y in shifts]


def still(frames: int) -> list[np.ndarray]:
    return [moving_room.moves(*SIZE, (0, 0), 0)] * frames


def wrong(stored: np.ndarray, clip: moving_room.Clip) -> np.ndarray:
    """(T,) px: median error over the background of each frame's transform."""
    errors = []
    for transform, motion in zip(stored, clip.motion, strict=True):
        off = moving_room.displacement(transform, *SIZE) - moving_room.displacement(motion, *SIZE)
        errors.append(np.median(np.hypot(off[..., 0], off[..., 1])[clip.person[0] == 0]))
    return np.array(errors)


def align(
    clip: moving_room.Clip, frames: np.ndarray | None = None, **params: object
) -> tuple[dict[str, np.ndarray], list[str]]:
    stages = clip.stages()
    if frames is not None:
        stages["extract"] = {"frames": frames}
    stored, job = run_stage(stage("align"), stages, method="auto", **params)
    return stored, job.notes


def labelled(frame: np.ndarray, number: int) -> np.ndarray:
    """A call's furniture: a name label that stays, and a clock that counts."""
    frame = frame.copy()
    cv2.rectangle(frame, (8, 236), (150, 262), (15, 15, 15), -1)
    cv2.putText(frame, "Ada Lovelace", (14, 256), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA)
    cv2.putText(frame, "MEETING", (10, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 2, cv2.LINE_AA)
    cv2.putText(frame, f"10:{number:02d}", (400, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2, cv2.LINE_AA)
    return frame


def test_a_fixed_camera_is_called_fixed_and_nothing_is_moved() -> None:
    clip = moving_room.make(still(16), *SIZE)
    stored, notes = align(clip)
    assert len(notes) == 1
    assert notes[0].startswith("camera fixed: background moves 0.0")
    assert notes[0].endswith("(threshold 0.15 px)")
    assert np.array_equal(stored["transform"], np.repeat(np.eye(2, 3)[None], 16, axis=0))
    assert stored["used"].all()
    assert set(stored) == {"transform", "used", "left_out"}


def test_trembling_of_three_tenths_of_a_pixel_is_found_and_undone() -> None:
    clip = moving_room.make(shaken(0.3, 24), *SIZE)
    stored, notes = align(clip)
    assert notes[0].startswith("camera moves: background moves 0.3")
    assert "one affine motion a frame explains it" in notes[0]
    assert wrong(stored["transform"], clip).max() <= 0.1
    assert "flow" not in stored


def test_trembling_is_found_behind_a_strong_blur_too() -> None:
    clip = moving_room.make(shaken(0.3, 24), *SIZE)
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 8) for frame in clip.frames])
    stored, notes = align(clip, blurred, dilate=30)
    assert notes[0].startswith("camera moves")
    assert np.median(wrong(stored["transform"], clip)) <= 0.1


def test_a_hand_held_camera_is_followed() -> None:
    motions = [moving_room.moves(*SIZE, (4.0 * n, 3 * np.sin(n)), 0.4 * n) for n in range(-5, 5)]
    clip = moving_room.make(motions, *SIZE)
    stored, notes = align(clip)
    assert notes[0].startswith("camera moves")
    assert wrong(stored["transform"], clip).max() <= 0.1
    assert "flow" not in stored


@pytest.mark.parametrize(("px", "frames"), [(0.4, 12), (3.0, 1)], ids=["a little for a while", "a jolt"])
def test_a_camera_that_moves_only_for_a_while_is_not_fixed(px: float, frames: int) -> None:
    motions = still(60)
    motions[5 : 5 + frames] = [moving_room.moves(*SIZE, (px, 0.0), 0)] * frames
    clip = moving_room.make(motions, 135, 240)  # small: there are many
    stored, notes = align(clip)
    assert notes[0].startswith("camera moves")
    off = stored["transform"][:, 0, 2] - [motion[0, 2] for motion in motions]
    assert np.abs(off).max() < 0.3


def test_what_is_drawn_over_a_moving_room_does_not_hold_it() -> None:
    clip = moving_room.make(shaken(0.4, 16), *SIZE)
    frames = np.stack([labelled(cv2.GaussianBlur(f, (0, 0), 8), n) for n, f in enumerate(clip.frames)])
    stored, notes = align(clip, frames, dilate=30)
    assert notes[0].startswith("camera moves")
    assert np.median(wrong(stored["transform"], clip)) <= 0.15


def test_a_clock_that_counts_is_not_motion() -> None:
    clip = moving_room.make(still(16), *SIZE)
    frames = np.stack([labelled(cv2.GaussianBlur(f, (0, 0), 4), n) for n, f in enumerate(clip.frames)])
    _, notes = align(clip, frames, dilate=20)
    assert notes[0].startswith("camera fixed")


@pytest.mark.parametrize("moves", [False, True], ids=["fixed", "moving"])
def test_the_halo_of_a_person_in_a_wide_blur_is_not_the_camera(moves: bool) -> None:
    """A bright person sways before a blurred room, and the blur spreads them over it."""
    swaying = [moving_room.moves(*SIZE, (2.5 * np.sin(n / 4), np.cos(n / 3)), 0) for n in range(24)]
    motions = swaying if moves else still(24)
    clip = moving_room.make(motions, *SIZE)
    y, x = np.indices(SIZE)
    frames, people = [], []
    for n, frame in enumerate(clip.frames):
        middle = SIZE[1] / 2 + 0.12 * SIZE[1] * np.sin(n / 5)
        person = ((x - middle) / (0.14 * SIZE[1])) ** 2 + ((y - SIZE[0]) / (0.8 * SIZE[0])) ** 2 < 1
        whole = np.where(person[..., None], np.array([250, 235, 215], np.uint8), frame // 2)
        blurred = cv2.GaussianBlur(whole, (0, 0), 22)
        frames.append(np.where(person[..., None], whole, blurred))
        people.append(np.where(person, 255, 0).astype(np.uint8))
    stages = clip.stages() | {"extract": {"frames": np.stack(frames)}, "segment": {"person": np.stack(people)}}
    stored, job = run_stage(stage("align"), stages, method="auto", dilate=15)
    assert job.notes[0].startswith("camera moves" if moves else "camera taken as fixed: what moves by")
    assert ("flow" in stored or not np.array_equal(stored["transform"][0], np.eye(2, 3))) == moves


def test_light_that_changes_is_not_motion() -> None:
    clip = moving_room.make(still(12), *SIZE)
    ramp = np.linspace(0, 25, SIZE[1])[None, :, None]
    frames = np.stack([np.clip(f * (1 - 0.02 * n) + ramp * n / 12, 0, 255) for n, f in enumerate(clip.frames)])
    _, notes = align(clip, frames.astype(np.uint8))
    assert notes[0].startswith("camera fixed")


def test_a_person_that_moves_is_not_motion() -> None:
    clip = moving_room.make(still(12), *SIZE)
    frames, people = [], []
    for n, frame in enumerate(clip.frames):
        there = np.roll(clip.person[0], 8 * n, axis=1)
        shown = np.roll(frame, 8 * n, axis=1)
        frames.append(np.where(there[..., None] > 0, shown, clip.room))
        people.append(there)
    stages = {"extract": {"frames": np.stack(frames)}, "segment": {"person": np.stack(people)}}
    _, job = run_stage(stage("align"), stages, method="auto")
    assert job.notes[0].startswith("camera fixed")


def test_parallax_takes_dense_flow() -> None:
    """Two walls, one behind the other, that move by different amounts."""
    frames = []
    for n in range(5):
        motions = [moving_room.moves(*SIZE, (s * (n - 2), 0), 0) for s in (6.0, 1.0)]
        near, far = (moving_room.make([motion], *SIZE, seed=4) for motion in motions)
        frames.append(np.where((np.arange(SIZE[1]) < 240)[None, :, None], near.frames[0], far.frames[0]))
    clip = moving_room.make(still(5), *SIZE)
    stored, notes = align(clip, np.stack(frames))
    assert "dense flow (dis) taken" in notes[0]
    flow = stored["flow"][4].astype(float) / 32
    assert abs(np.median(flow[:60, :90, 0]) - 12) < 0.5
    assert abs(np.median(flow[:60, 150:, 0]) - 2) < 0.5


@pytest.mark.parametrize("noise", [0.0, 6.0])
def test_a_room_without_texture_is_taken_as_fixed_and_it_says_so(noise: float) -> None:
    rng = np.random.default_rng(0)
    wall = np.clip(np.rint(160 + rng.normal(0, noise, (6, *SIZE, 3))), 0, 255).astype(np.uint8)
    stages = {"extract": {"frames": wall}, "segment": {"person": np.zeros((6, *SIZE), np.uint8)}}
    stored, job = run_stage(stage("align"), stages, method="auto")
    assert job.notes == ["camera taken as fixed: the background has too little texture to tell its motion"]
    assert stored["used"].all()


def test_a_title_card_is_left_out_and_listed_whatever_the_camera_does() -> None:
    for motions in (still(8), shaken(0.6, 8)):
        clip = moving_room.make(motions, *SIZE)
        frames = clip.frames.copy()
        frames[0] = 20
        cv2.putText(frames[0], "The call begins soon", (40, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 3)
        stored, notes = align(clip, frames)
        assert stored["left_out"] == [{"row": 0, "reason": "shows another picture than the reference frame"}]
        assert stored["used"].tolist() == [0, *[1] * 7]
        assert np.isnan(stored["transform"][0]).all()
        assert notes[1] == "left out 1 of 8 frames that could not be aligned"


def test_what_moves_before_a_background_without_texture_is_not_the_camera() -> None:
    frames = np.zeros((9, *SIZE, 3), np.uint8)
    for number, frame in enumerate(frames):
        cv2.ellipse(frame, (200 + 8 * number, 270), (70, 190), 0, 0, 360, (255, 255, 255), -1)
    nobody = np.zeros((9, *SIZE), np.uint8)
    stages = {"extract": {"frames": frames}, "segment": {"person": nobody}}
    stored, job = run_stage(stage("align"), stages, method="auto")
    assert job.notes == ["camera taken as fixed: the background has too little texture to tell its motion"]
    assert stored["used"].all()
    assert (stored["transform"] == np.eye(2, 3)).all()


def test_the_threshold_is_a_parameter() -> None:
    clip = moving_room.make(shaken(0.3, 8), *SIZE)
    _, notes = align(clip, fixed_below=2.0)
    assert notes[0].startswith("camera fixed: background moves 0.3")
    assert notes[0].endswith("(threshold 2 px)")


@pytest.mark.shared
@pytest.mark.parametrize("path", CLIPS or [None], ids=[f"{p.parent.name}/{p.name}" for p in CLIPS] or ["none"])
def test_every_vendors_clip_has_a_fixed_camera(path: Path | None) -> None:
    if path is None:
        pytest.skip(f"there are no clips at {VENDOR}")
    av = pytest.importorskip("av")
    from vbtools.backends import backend
    from vbtools.errors import VbtoolsError
    from vbtools.models import resolve

    row = backend("segment", "mediapipe")
    try:
        row.check()
        model = resolve("selfie-landscape")
    except VbtoolsError as error:
        pytest.skip(str(error))
    with av.open(str(path)) as container, row.load()(model) as segment:
        frames = np.stack([f.to_ndarray(format="rgb24") for n, f in enumerate(container.decode(video=0)) if n % 5 == 0])
        person = np.stack([segment(frame) for frame in frames])
    stages = {"extract": {"frames": frames}, "segment": {"person": person}}
    stored, job = run_stage(stage("align"), stages, method="auto")
    untextured = path.name == "alpha.mkv"  # the person's outline alone, which is not found to be one
    assert job.notes[0].startswith("camera taken as fixed" if untextured else "camera fixed: background moves 0.")
    assert len(job.notes) == 1
    assert (stored["transform"] == np.eye(2, 3)).all()
    assert stored["used"].all()
