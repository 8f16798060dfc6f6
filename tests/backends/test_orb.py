"""ORB finds one motion a frame to a tenth of a pixel, the right way round, with or without corners."""

from __future__ import annotations

import math

import cv2
import moving_room
import numpy as np
import pytest
from fakes import run_stage

from vbtools.backends.align.orb import Orb
from vbtools.ops.masks import person_mask
from vbtools.stages import stage
from vbtools.stages.align import AlignParams

SIZE = (270, 480)
MOTIONS = {
    "fixed": ((0.0, 0.0), 0.0),
    "a fraction of a pixel": ((0.5, -0.3), 0.0),
    "right": ((20.0, 0.0), 0.0),
    "down": ((0.0, 20.0), 0.0),
    "turned": ((0.0, 0.0), 3.0),
    "both": ((-14.0, 14.0), -2.0),
}


def degrees(transform: np.ndarray) -> float:
    return math.degrees(math.atan2(transform[1, 0] - transform[0, 1], transform[0, 0] + transform[1, 1]))


def error(transform: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """(H, W) px: how far a transform is from the motion that was rendered."""
    wrong = moving_room.displacement(transform, *SIZE) - moving_room.displacement(motion, *SIZE)
    return np.hypot(wrong[..., 0], wrong[..., 1])


def made(frame: np.ndarray, person: np.ndarray, **params: object) -> Orb:
    aligner = Orb(AlignParams(method="orb", **params))  # type: ignore[arg-type]
    aligner.set_reference(frame, person)
    return aligner


@pytest.fixture(scope="module")
def clip() -> moving_room.Clip:
    still = moving_room.moves(*SIZE, (0, 0), 0)
    return moving_room.make([still, *(moving_room.moves(*SIZE, *m) for m in MOTIONS.values())], *SIZE)


@pytest.fixture(scope="module")
def person(clip: moving_room.Clip) -> np.ndarray:
    return person_mask(clip.person[0], SIZE, 0.3, 10)


@pytest.mark.parametrize("sigma", [0, 6], ids=["sharp", "blurred"])
@pytest.mark.parametrize("row", range(1, 1 + len(MOTIONS)), ids=list(MOTIONS))
def test_a_known_motion_is_found_to_a_tenth_of_a_pixel(
    clip: moving_room.Clip, person: np.ndarray, row: int, sigma: int
) -> None:
    """Behind a blur there are no corners: brightness alone has to do."""
    frames = [cv2.GaussianBlur(clip.frames[n], (0, 0), sigma) if sigma else clip.frames[n] for n in (0, row)]
    hidden = person_mask(clip.person[0], SIZE, 0.3, 10 + 3 * sigma)
    found = made(frames[0], hidden)(frames[1], hidden)
    assert found is not None
    assert found.shape == (2, 3)
    assert np.median(error(found, clip.motion[row])[~hidden]) <= 0.1
    assert np.percentile(error(found, clip.motion[row])[~hidden], 95) <= 0.2
    assert abs(degrees(found) - degrees(clip.motion[row])) <= 0.05


def test_a_far_motion_needs_the_features(clip: moving_room.Clip) -> None:
    """A pan of 60 px, an eighth of the picture."""
    motions = [moving_room.moves(*SIZE, shift, turn) for shift, turn in (((0, 0), 0), ((60.0, -5.0), 4.0))]
    far = moving_room.make(motions, *SIZE)
    hidden = person_mask(far.person[0], SIZE, 0.3, 10)
    found = made(far.frames[0], hidden)(far.frames[1], hidden)
    assert found is not None
    assert np.median(error(found, far.motion[1])[~hidden]) <= 0.1


def test_each_frame_is_masked_with_its_own_mask(clip: moving_room.Clip) -> None:
    """What the person wears looks like the room, 15 px aside, and covers most of it: under any other mask it wins."""
    reference, frame = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
    reference[:, :60] = frame[:, 200:] = True
    shown = np.where(frame[..., None], np.roll(clip.room, 15, axis=1), clip.room)
    found = made(clip.frames[0], reference)(shown, frame)
    assert found is not None
    assert error(found, clip.motion[0])[:, 60:200].max() < 0.1
    fooled = made(clip.frames[0], reference)(shown, reference)
    assert fooled is not None
    assert np.median(error(fooled, clip.motion[0])) > 3


def test_another_seed_tries_other_matches_and_finds_the_same(clip: moving_room.Clip, person: np.ndarray) -> None:
    found = [made(clip.frames[0], person, seed=seed)(clip.frames[6], person) for seed in (0, 1)]
    assert all(one is not None for one in found)
    assert np.allclose(found[0], found[1], atol=0.02)


def test_a_frame_that_shows_something_else_is_not_aligned(clip: moving_room.Clip, person: np.ndarray) -> None:
    aligner = made(clip.frames[0], person)
    card = np.full((*SIZE, 3), 20, np.uint8)
    cv2.putText(card, "The call begins soon", (40, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 3)
    elsewhere = moving_room.make([moving_room.moves(*SIZE, (0, 0), 0)], *SIZE, seed=99).frames[0]
    for frame in (card, elsewhere, np.zeros_like(card)):
        assert aligner(frame, person) is None
        assert aligner.reason == "shows another picture than the reference frame"
    assert aligner(clip.frames[1], np.ones(SIZE, bool)) is None
    assert aligner.reason == "no background visible"


def test_a_flat_room_cannot_be_aligned_and_it_says_why() -> None:
    flat = np.full((*SIZE, 3), 127, np.uint8)
    aligner = made(flat, np.zeros(SIZE, bool))
    assert aligner(flat, np.zeros(SIZE, bool)) is None
    assert aligner.reason == "too little texture to tell its motion"


def tilted(clip: moving_room.Clip) -> tuple[dict[str, dict[str, np.ndarray]], np.ndarray]:
    """A clip whose camera turns to the side: frames 0 and 2 are seen by a homography; and that of frame 2."""
    tilt = np.array([[1.02, 0.01, 4.0], [0.0, 1.0, -2.0], [2.5e-4, 5e-5, 1.0]])
    seen = cv2.warpPerspective(clip.room, tilt, SIZE[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    frames = np.stack([seen, clip.room, seen])
    return {"extract": {"frames": frames}, "segment": {"person": np.zeros(frames.shape[:3], np.uint8)}}, tilt


def test_perspective_is_stored_as_a_homography_and_the_background_honours_it(clip: moving_room.Clip) -> None:
    stages, tilt = tilted(clip)
    stored, _ = run_stage(stage("align"), stages, method="orb")
    assert stored["homography"].shape == (3, 3, 3)
    corners = np.array([(0, 0, 1), (400, 0, 1), (0, 250, 1), (400, 250, 1.0)])
    put, truth = (corners @ m.T for m in (stored["homography"][2], tilt))
    assert np.abs(put[:, :2] / put[:, 2:] - truth[:, :2] / truth[:, 2:]).max() < 0.5
    assert np.allclose(stored["homography"][1], np.eye(3), atol=0.01)
    assert np.isfinite(stored["transform"]).all()
    project = {**stages, "align": stored}
    right, _ = run_stage(stage("aggregate"), project, method="median", tile=64)
    off = np.abs(right["plate"] - clip.room)[20:200, 20:400].mean()
    affine = {name: data for name, data in stored.items() if name != "homography"}
    worse, _ = run_stage(stage("aggregate"), {**stages, "align": affine}, method="median", tile=64)
    assert off < 3
    assert off < 0.5 * np.abs(worse["plate"] - clip.room)[20:200, 20:400].mean()


def test_without_perspective_no_homography_is_stored(clip: moving_room.Clip) -> None:
    stored, _ = run_stage(stage("align"), clip.stages(), method="orb", reference=0)
    assert "homography" not in stored
    assert stored["used"].all()
