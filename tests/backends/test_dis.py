"""DIS finds the background's motion to a quarter of a pixel, whatever the person does."""

from __future__ import annotations

import cv2
import moving_room
import numpy as np
import pytest

from vbtools.backends.align.dis import Dis
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
    "turned": ((0.0, 0.0), 3.0),
    "both": ((-14.0, 14.0), -2.0),
}


def error(flow: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """(H, W) px: how far the flow is from the motion that was rendered."""
    wrong = upscale_flow(flow, SIZE) - moving_room.displacement(motion, *SIZE)
    return np.hypot(wrong[..., 0], wrong[..., 1])


def made(frame: np.ndarray, person: np.ndarray, scale: float = 0.5) -> Dis:
    aligner = Dis(AlignParams(method="dis", scale=scale))
    aligner.set_reference(frame, person)
    return aligner


@pytest.fixture(scope="module")
def clip() -> moving_room.Clip:
    still = moving_room.moves(*SIZE, (0, 0), 0)
    return moving_room.make([still, *(moving_room.moves(*SIZE, *m) for m in MOTIONS.values())], *SIZE)


@pytest.fixture(scope="module")
def person(clip: moving_room.Clip) -> np.ndarray:
    return person_mask(clip.person[0], SIZE, 0.3, 10)


@pytest.mark.parametrize("scale", [0.5, 1.0])
@pytest.mark.parametrize("row", range(1, 1 + len(MOTIONS)), ids=list(MOTIONS))
def test_a_known_motion_is_found_to_a_quarter_of_a_pixel(
    clip: moving_room.Clip, person: np.ndarray, row: int, scale: float
) -> None:
    aligner = made(clip.frames[0], person, scale)
    flow = aligner(clip.frames[row], person)
    assert flow is not None
    assert flow.dtype == np.float32
    assert flow.shape == (*aligner.grid, 2) == (round(270 * scale), round(480 * scale), 2)
    wrong = error(flow, clip.motion[row])
    assert np.median(wrong[~person]) <= 0.25
    assert np.percentile(wrong[~person], 90) <= 0.5
    assert np.median(wrong[person]) <= 0.5  # the still person does not hold the room behind it
    nearest = moving_room.displacement(aligner.transform, *SIZE) - moving_room.displacement(clip.motion[row], *SIZE)
    assert np.hypot(nearest[..., 0], nearest[..., 1]).max() < 0.25


def test_a_motion_that_no_affine_map_follows_is_found(clip: moving_room.Clip) -> None:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    bend = 4 * np.cos((x - 240) / 110)
    reference = cv2.remap(clip.room, x + bend, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    hidden = np.zeros(SIZE, bool)
    hidden[60:, 200:280] = True
    pictures = [np.where(hidden[..., None], clip.frames[0][90, 240], picture) for picture in (reference, clip.room)]
    flow = made(pictures[0], hidden)(pictures[1], hidden)
    assert flow is not None
    wrong = np.abs(upscale_flow(flow, SIZE)[..., 0] - bend)
    assert np.median(wrong[~hidden]) <= 0.25
    assert np.median(wrong[hidden]) <= 1.5  # 80 px without a sight of it


def test_a_frame_that_shows_something_else_is_not_aligned(clip: moving_room.Clip, person: np.ndarray) -> None:
    aligner = made(clip.frames[0], person)
    elsewhere = moving_room.make([moving_room.moves(*SIZE, (0, 0), 0)], *SIZE, seed=99).frames[0]
    for frame in (elsewhere, np.zeros_like(elsewhere)):
        assert aligner(frame, person) is None
        assert aligner.reason == "shows another picture than the reference frame"
    assert aligner(clip.frames[1], np.ones(SIZE, bool)) is None
    assert aligner.reason == "no background visible"
    left = np.zeros(SIZE, bool)
    left[:, :240] = True
    aligner.set_reference(clip.frames[0], left)
    assert aligner(clip.frames[0], ~left) is None
    assert "in common" in aligner.reason


def test_a_reference_without_background_is_an_error_that_says_what_to_do(clip: moving_room.Clip) -> None:
    with pytest.raises(InputError, match="--reference"):
        made(clip.frames[0], np.ones(SIZE, bool))


@pytest.mark.parametrize("size", [(1, 1), (5, 9), (17, 31), (33, 20), (60, 70)])
def test_tiny_and_flat_frames_stay_where_they_are(size: tuple[int, int]) -> None:
    frame = np.full((*size, 3), 127, np.uint8)
    flow = made(frame, np.zeros(size, bool))(frame, np.zeros(size, bool))
    assert flow is not None
    assert np.abs(flow).max() < 0.05
