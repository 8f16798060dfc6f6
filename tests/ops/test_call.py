"""What is the call is kept, what is not has a reason, and a frame without its blur is found: exactly that frame."""

from __future__ import annotations

from collections.abc import Iterable

import calls
import cv2
import numpy as np
import pytest

from vbtools.ops import sharpness, thumbnail
from vbtools.ops.call import ANOTHER, BLACK, FROZEN, REASONS, TITLE, Call, CallFinder

FPS = 25


def look(frames: Iterable[np.ndarray], fps: float = FPS) -> Call:
    finder = CallFinder()
    for t, frame in enumerate(frames):
        h, w = frame.shape[:2]
        planes = cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420)
        chroma = planes[h:].reshape(2, h // 2, w // 2)
        finder.add(t, t / fps, planes[:h], chroma[0], chroma[1])
    return finder.decide()


def unprotected(call: Call) -> list[int]:
    return call.index[call.unprotected].tolist()


def reasons(call: Call) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for index, code in zip(call.index.tolist(), call.reason.tolist(), strict=True):
        if code:
            found.setdefault(REASONS[code], []).append(index)
    return found


def exposed(frames: Iterable[np.ndarray], gain) -> list[np.ndarray]:
    return [np.clip(frame * gain(t), 0, 255).astype(np.uint8) for t, frame in enumerate(frames)]


WIDE = calls.room(3, (1280, 180))


def panning(step: float):
    return lambda t: WIDE[:, int(t * step) : int(t * step) + calls.SIZE[0]]


def shaking(t: int) -> np.ndarray:
    x, y = 400 + int(20 * np.sin(t / 3)), int(8 * np.cos(t / 4))
    return np.roll(WIDE, y, axis=0)[:, x : x + calls.SIZE[0]]


# ------------------------------------------------------------------------------------------------ unprotected frames


@pytest.mark.parametrize("raw", [[0], [59], [30], [0, 30], list(range(20, 33)), list(range(13))])
@pytest.mark.parametrize("seed", [0, 4])
def test_exactly_the_raw_frames_are_unprotected(raw, seed):
    call = look(calls.call(60, raw=raw, seed=seed))
    assert unprotected(call) == raw
    assert reasons(call) == {}
    assert call.sharpness[raw].min() > 2 * np.delete(call.sharpness, raw).max()


def test_usual_sharpness_is_one():
    call = look(calls.call(40))
    assert call.sharpness.dtype == np.float32
    assert np.abs(call.sharpness - 1).max() < 0.25


def test_raw_frame_with_overlay_and_noise_is_found():
    assert unprotected(look(calls.call(60, raw=[0, 41], overlay=True, noise=4))) == [0, 41]


def test_a_room_that_is_mostly_wall_still_shows_its_raw_frame():
    wall = np.full((180, 320, 3), 150, np.uint8)
    wall[20:120, 10:110] = calls.room(0)[20:120, 10:110]
    assert unprotected(look(calls.call(60, raw=[25], background=lambda t: wall))) == [25]


CALM = {
    "person sways": lambda blur: calls.call(60, blur=blur),
    "person walks through": lambda blur: calls.call(60, blur=blur, place=lambda t: 0.03 * t - 0.4, scale=lambda t: 1.5),
    "person fills the view": lambda blur: calls.call(60, blur=blur, scale=lambda t: 1.9 if 20 < t < 40 else 1.0),
    "light is switched off": lambda blur: exposed(calls.call(60, blur=blur), lambda t: 1 if t < 30 else 0.45),
    "person comes in late": lambda blur: calls.call(60, blur=blur, place=lambda t: max(0.5, 1.5 - max(0, t - 40) / 9)),
    "person leaves": lambda blur: calls.call(60, blur=blur, place=lambda t: calls.sway(t) + max(0, t - 40) / 12),
    "person comes close": lambda blur: calls.call(60, blur=blur, scale=lambda t: 1 + max(0, t - 20) * 0.03),
    "camera pans": lambda blur: calls.call(60, blur=blur, background=panning(4)),
    "camera pans fast": lambda blur: calls.call(60, blur=blur, background=panning(12)),
    "camera shakes": lambda blur: calls.call(60, blur=blur, background=shaking),
    "exposure drifts": lambda blur: exposed(calls.call(60, blur=blur), lambda t: 0.7 + 0.008 * t),
    "light flickers": lambda blur: exposed(calls.call(60, blur=blur), lambda t: 1 + 0.1 * (t % 2)),
    "much noise": lambda blur: calls.call(60, blur=blur, noise=6),
}


@pytest.mark.parametrize("blur", [0, calls.BLUR])
@pytest.mark.parametrize("name", CALM)
def test_nothing_is_claimed_and_nothing_of_the_room_is_lost_when(name, blur):
    call = look(CALM[name](blur))
    assert unprotected(call) == []
    assert set(reasons(call)) <= {"frozen lead-in"}  # an empty, blurred room stands still until the person comes


def test_a_blur_that_was_off_for_most_of_the_call_is_said():
    call = look(calls.call(60, raw=range(40)))
    assert any("the blur may have been off for most of it" in note for note in call.notes)
    assert not any("may have been off" in note for note in look(calls.call(60)).notes)


def test_a_nudged_camera_does_not_hide_a_raw_frame():
    pieces = [calls.call(150, seed=0, background=lambda t: WIDE[:, 100:420]),
              calls.call(90, raw=[45], background=lambda t: WIDE[:, 112:432])]  # fmt: skip
    call = look([frame for piece in pieces for frame in piece], fps=1)
    assert unprotected(call) == [195]


# ---------------------------------------------------------------------------------------------- what is not the call


def test_title_cards_and_black_before_the_call_are_left_out():
    frames = [calls.title(), calls.title(), calls.black(), *calls.call(45, raw=[0], overlay=True)]
    call = look(frames, fps=15)
    assert reasons(call) == {"title card": [0, 1], "black": [2]}
    assert unprotected(call) == [3]


def test_a_long_title_card_is_not_the_call():
    call = look([*[calls.title()] * 100, *calls.call(50)])
    assert reasons(call) == {"title card": list(range(100))}


def test_another_room_is_left_out_though_the_same_person_sits_in_it():
    call = look([*calls.call(40), *calls.call(20, seed=7), *calls.call(30)])
    assert reasons(call) == {"another shot": list(range(40, 60))}


def test_shots_of_the_same_room_are_one_call_though_the_person_sits_elsewhere():
    left, right = (list(calls.call(30, place=lambda t, x=x: x + 0.01 * np.sin(t))) for x in (0.25, 0.75))
    call = look([*left, *calls.call(20, seed=7), *right])
    assert reasons(call) == {"another shot": list(range(30, 50))}


def test_black_in_the_middle_is_left_out_and_does_not_split_the_call():
    frames = list(calls.call(50))
    call = look([*frames[:25], calls.black(), calls.black(), *frames[25:]])
    assert reasons(call) == {"black": [25, 26]}


def test_of_a_frozen_lead_in_the_last_frame_is_kept():
    frames = list(calls.call(40))
    assert reasons(look([frames[0]] * 19 + frames)) == {"frozen lead-in": list(range(19))}  # the twentieth is kept
    assert reasons(look([frames[0]] * 5 + frames)) == {}


@pytest.mark.parametrize(
    ("name", "frames"),
    [("standing picture", [next(calls.call(1))] * 40), ("black", [calls.black()] * 30), ("one frame", [calls.title()])],
)
def test_something_is_always_kept(name, frames):
    call = look(frames)
    assert reasons(call) == {}
    assert unprotected(call) == []
    assert bool(call.notes) == (name == "black")


def test_when_no_background_is_seen_for_long_everything_is_kept_and_said():
    frames = [frame for seed in (0, 7, 11, 12, 13, 15, 16) for frame in calls.call(6, seed=seed)]
    call = look(frames)
    assert reasons(call) == {}
    assert any("nothing was left out" in note for note in call.notes)


def test_reasons_have_their_names():
    assert [REASONS[c] for c in (BLACK, FROZEN, TITLE, ANOTHER)] == [
        "black", "frozen lead-in", "title card", "another shot",
    ]  # fmt: skip


def test_deciding_about_nothing_is_refused():
    with pytest.raises(ValueError, match="no frame"):
        CallFinder().decide()


# --------------------------------------------------------------------------------------------------------------- parts


def thumbnail_of(picture: np.ndarray) -> np.ndarray:
    luma, red, blue = cv2.split(cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb))
    return thumbnail.make(luma, blue, red)


def test_thumbnails_agree_whether_blurred_or_not_and_at_any_exposure():
    room, other = calls.room(0), calls.room(7)
    blurred = cv2.GaussianBlur(room, (0, 0), calls.BLUR)
    darker = (blurred * 0.75).astype(np.uint8)
    assert thumbnail.agreement(thumbnail_of(room), thumbnail_of(blurred)) > 0.9
    assert thumbnail.agreement(thumbnail_of(room), thumbnail_of(darker)) > 0.8
    assert thumbnail.agreement(thumbnail_of(room), thumbnail_of(other)) < 0.5
    assert thumbnail.agreement(thumbnail_of(room), thumbnail_of(np.full_like(room, 128))) < 0.5


def test_detail_doubles_by_24_steps_and_level_is_the_mean():
    rng = np.random.default_rng(0)
    weak = (128 + 40 * rng.choice([-1, 1], (180, 320))).astype(np.uint8)
    strong = (128 + 80 * rng.choice([-1, 1], (180, 320))).astype(np.uint8)
    low, high = sharpness.measure(weak), sharpness.measure(strong)
    for few, many, level, shape in (
        (low.detail, high.detail, low.level, (144,)), (low.fine_detail, high.fine_detail, low.fine_level, (18, 32)),
    ):  # fmt: skip
        assert (few.shape, few.dtype, level.shape, level.dtype) == (shape, np.uint8, shape, np.uint8)
        assert np.median(many.astype(int) - few) == pytest.approx(24, abs=1)
        assert abs(int(level.mean()) - 128) <= 2
    assert sharpness.measure(np.full((90, 160), 77, np.uint8)).detail.max() == 0


def test_memory_left_behind_by_a_frame_is_small():
    finder = CallFinder()
    luma, chroma = np.full((18, 32), 128, np.uint8), np.full((9, 16), 128, np.uint8)
    for t in range(50):
        finder.add(t, float(t), luma, chroma, chroma)
    kept = sum(len(part) * getattr(part, "itemsize", 1) for part in (
        finder._detail, finder._level, finder._frozen, finder._index, finder._time, finder._shot,
    ))  # fmt: skip
    assert kept <= 50 * 400
