"""Farneback finds the background's motion, the right way round, whatever the person does."""

from __future__ import annotations

import cv2
import moving_room
import numpy as np
import pytest

from vbtools.backends.align.farneback import Farneback
from vbtools.errors import InputError
from vbtools.ops.masks import person_mask
from vbtools.ops.warp import upscale_flow
from vbtools.stages.align import AlignParams

SIZE = (270, 480)
MOTIONS = {
    "fixed": ((0.0, 0.0), 0.0),
    "a fraction of a pixel": ((0.5, -0.3), 0.0),
    "right": ((20.0, 0.0), 0.0),
    "down": ((0.0, 20.0), 0.0),
    "turned": ((0.0, 0.0), 2.0),
    "both": ((-14.0, 14.0), -2.0),
}


def error(flow: np.ndarray, motion: np.ndarray, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(H, W) px: how far the flow is from the motion that was rendered."""
    wrong = upscale_flow(flow, size) - moving_room.displacement(motion, *size)
    return np.hypot(wrong[..., 0], wrong[..., 1])


@pytest.fixture(scope="module")
def clip() -> moving_room.Clip:
    still = moving_room.moves(*SIZE, (0, 0), 0)
    return moving_room.make([still, *(moving_room.moves(*SIZE, *m) for m in MOTIONS.values())], *SIZE)


@pytest.fixture(scope="module")
def person(clip: moving_room.Clip) -> np.ndarray:
    return person_mask(clip.person[0], SIZE, 0.3, 10)


@pytest.fixture(scope="module")
def aligner(clip: moving_room.Clip, person: np.ndarray) -> Farneback:
    made = Farneback(AlignParams(method="farneback"))
    made.set_reference(clip.frames[0], person)
    return made


@pytest.mark.parametrize("row", range(1, 1 + len(MOTIONS)), ids=list(MOTIONS))
def test_a_known_motion_is_found_to_a_quarter_of_a_pixel(
    clip: moving_room.Clip, person: np.ndarray, aligner: Farneback, row: int
) -> None:
    flow = aligner(clip.frames[row], person)
    assert flow is not None
    assert flow.dtype == np.float32
    assert flow.shape == (*aligner.grid, 2) == (135, 240, 2)
    wrong = error(flow, clip.motion[row])
    assert np.median(wrong[~person]) <= 0.25
    assert np.percentile(wrong[~person], 90) <= 0.5
    assert np.median(wrong[person]) <= 0.5  # the still person does not hold the room behind it


@pytest.mark.parametrize("row", range(1, 1 + len(MOTIONS)), ids=list(MOTIONS))
def test_the_nearest_affine_map_comes_with_the_flow(
    clip: moving_room.Clip, person: np.ndarray, aligner: Farneback, row: int
) -> None:
    aligner(clip.frames[row], person)
    wrong = moving_room.displacement(aligner.transform, *SIZE) - moving_room.displacement(clip.motion[row], *SIZE)
    assert np.hypot(wrong[..., 0], wrong[..., 1]).max() < 0.25


def test_a_person_that_moves_does_not_drag_the_room_along() -> None:
    """The room stands still, the person does not."""
    still = moving_room.moves(*SIZE, (0, 0), 0)
    clip = moving_room.make([still, still], *SIZE)
    frame = clip.frames[1].copy()
    frame[:, 200:400] = np.where(
        (clip.person[0] > 0)[:, 180:380, None], clip.frames[0][:, 180:380], clip.frames[1][:, 200:400]
    )
    moved = np.zeros_like(clip.person[0])
    moved[:, 200:400] = clip.person[0][:, 180:380]
    aligner = Farneback(AlignParams(method="farneback"))
    aligner.set_reference(clip.frames[0], person_mask(clip.person[0], SIZE, 0.3, 10))
    flow = aligner(frame, person_mask(np.maximum(moved, 0), SIZE, 0.3, 10))
    assert flow is not None
    assert np.percentile(error(flow, still), 99) < 0.25


def test_motion_behind_the_person_continues_what_surrounds_it(clip: moving_room.Clip) -> None:
    """A motion that no affine map follows: the reference is the frame's view through a bent lens."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    bend = 4 * np.cos((x - 240) / 110)
    reference = cv2.remap(clip.room, x + bend, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    person = np.zeros(SIZE, bool)
    person[60:, 200:280] = True
    hidden = [np.where(person[..., None], clip.frames[0][90, 240], picture) for picture in (reference, clip.room)]
    aligner = Farneback(AlignParams(method="farneback"))
    aligner.set_reference(hidden[0], person)
    flow = aligner(hidden[1], person)
    assert flow is not None
    wrong = np.abs(upscale_flow(flow, SIZE)[..., 0] - bend)
    assert np.median(wrong[~person]) <= 0.25
    assert np.median(wrong[person]) <= 1.0
    assert np.percentile(wrong[person], 95) <= 2.0


def test_the_answer_does_not_depend_on_the_frames_before(
    clip: moving_room.Clip, person: np.ndarray, aligner: Farneback
) -> None:
    first = aligner(clip.frames[6], person)
    for row in (3, 1):
        aligner(clip.frames[row], person)
    assert np.array_equal(first, aligner(clip.frames[6], person))


@pytest.mark.parametrize("scale", [0.25, 1.0])
def test_flow_is_in_pixels_of_the_frame_at_every_scale(
    clip: moving_room.Clip, person: np.ndarray, scale: float
) -> None:
    aligner = Farneback(AlignParams(method="farneback", scale=scale))
    aligner.set_reference(clip.frames[0], person)
    flow = aligner(clip.frames[6], person)
    assert flow is not None
    assert flow.shape == (round(270 * scale), round(480 * scale), 2)
    assert np.median(error(flow, clip.motion[6])[~person]) <= 0.25


def test_a_frame_without_background_is_not_aligned(clip: moving_room.Clip, aligner: Farneback) -> None:
    assert aligner(clip.frames[1], np.ones(SIZE, bool)) is None
    assert aligner.reason == "no background visible"


def test_a_frame_that_shares_no_background_is_not_aligned(clip: moving_room.Clip) -> None:
    left = np.zeros(SIZE, bool)
    left[:, :240] = True
    aligner = Farneback(AlignParams(method="farneback"))
    aligner.set_reference(clip.frames[0], left)
    assert aligner(clip.frames[0], ~left) is None
    assert "in common" in aligner.reason


def test_a_reference_without_background_is_an_error_that_says_what_to_do(clip: moving_room.Clip) -> None:
    with pytest.raises(InputError, match="--reference"):
        Farneback(AlignParams(method="farneback")).set_reference(clip.frames[0], np.ones(SIZE, bool))


@pytest.mark.parametrize("size", [(1, 1), (5, 9), (17, 31), (33, 20)])
def test_tiny_and_flat_frames_stay_where_they_are(size: tuple[int, int]) -> None:
    frame = np.full((*size, 3), 127, np.uint8)
    aligner = Farneback(AlignParams(method="farneback"))
    aligner.set_reference(frame, np.zeros(size, bool))
    flow = aligner(frame, np.zeros(size, bool))
    assert flow is not None
    assert np.abs(flow).max() < 0.05


def test_a_frame_of_another_size_is_refused(clip: moving_room.Clip, aligner: Farneback) -> None:
    with pytest.raises(ValueError, match="the reference is"):
        aligner(clip.frames[0][:100], np.zeros((100, 480), bool))
