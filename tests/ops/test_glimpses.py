"""A part of the picture in which the blur fails for an instant is found there and then; people who move are not it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cache

import calls
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from test_call import look

from vbtools.ops import glimpses
from vbtools.ops.call import Call
from vbtools.ops.glimpses import GlimpseFinder

U8 = NDArray[np.uint8]
WIDTH, HEIGHT = calls.SIZE


def ellipse(x: int, y: int, a: int = 40, b: int = 30) -> U8:
    shape = cv2.ellipse(np.zeros((HEIGHT, WIDTH), np.uint8), (x, y), (a, b), 0, 0, 360, 255, -1)
    return cv2.GaussianBlur(shape, (0, 0), 1.5)


def shown(frames: Iterable[U8], clean: Iterable[U8], shape: U8, at: Collection[int]) -> Iterator[U8]:
    """The blurred call, with the clean one inside of the shape at some frames."""
    alpha = shape[..., None] / 255
    for t, (blurred, sharp) in enumerate(zip(frames, clean, strict=True)):
        yield (blurred + alpha * (sharp.astype(float) - blurred)).astype(np.uint8) if t in at else blurred


def boxes(call: Call) -> dict[int, list[tuple[float, ...]]]:
    """Frame -> boxes in px."""
    found: dict[int, list[tuple[float, ...]]] = {}
    for one in call.regions:
        x, y, w, h = one.box
        found.setdefault(one.frame, []).append((x * WIDTH, y * HEIGHT, w * WIDTH, h * HEIGHT))
    return found


@cache
def frames(blur: float) -> list[U8]:
    """A calm call of 40 frames, made once."""
    return list(calls.call(40, blur=blur))


def patched(shape: U8, at: Collection[int]) -> Call:
    return look(shown(frames(calls.BLUR), frames(0), shape, at))


@pytest.mark.parametrize(("at", "place"), [
    ([0], (60, 60)), ([20], (250, 50)), ([39], (60, 60)), ([20, 21, 22, 23], (60, 60)), (range(10, 25), (250, 50)),
])  # fmt: skip
def test_a_patch_is_found_in_exactly_its_frames_and_at_its_place(at, place):
    call = patched(ellipse(*place), at)
    found = boxes(call)
    assert sorted(found) == list(at)
    for frame in found:
        ((x, y, w, h),) = found[frame]
        assert abs(x + w / 2 - place[0]) < 16
        assert abs(y + h / 2 - place[1]) < 16
        assert 0.4 * 80 * 60 < w * h < 1.5 * 80 * 60
    assert call.index[call.unprotected].tolist() == list(at)


@pytest.mark.parametrize(("from_frame", "found_in"), [(2, []), (70, list(range(70, 140)))])
def test_who_comes_out_of_a_start_that_blurs_everything_is_no_failure(from_frame, found_in):
    """Some products fail closed: all is blurred until the first mask, and then the person is sharp for good."""
    again = [frames(blur)[t % 40 if t // 40 % 2 == 0 else 39 - t % 40] for blur in (calls.BLUR, 0) for t in range(140)]
    at = range(from_frame, 140)
    call = look(shown(again[:140], again[140:], ellipse(250, 60, 60, 50), at))
    assert sorted(boxes(call)) == found_in


def test_two_patches_of_a_frame_are_two_regions():
    both = np.maximum(ellipse(50, 50, 35, 30), ellipse(270, 50, 35, 30))
    found = boxes(patched(both, [20]))
    assert [len(found[20]), sorted(found)] == [2, [20]]


def test_a_second_person_who_is_uncovered_is_found_though_they_are_not_of_the_room():
    behind = calls.person(calls.room(), 0.15, 0.7)
    blurred, clean = (calls.call(30, background=lambda t: behind, blur=blur) for blur in (calls.BLUR, 0))
    found = boxes(look(shown(blurred, clean, ellipse(48, 130, 60, 60), range(20, 24))))
    assert sorted(found) == list(range(20, 24))


def test_a_raw_frame_is_told_as_the_whole_picture():
    (one,) = look(calls.call(30, raw=[20])).regions
    assert one.frame == 20
    assert one.box[2] * one.box[3] > 0.8
    assert one.ratio > 2


def test_a_label_that_stands_and_a_clock_that_counts_are_no_glimpses():
    assert look(calls.call(45, overlay=True)).regions == ()


def cells(count: int) -> tuple[U8, U8]:
    """Detail and level of frames of a blurred room that never change."""
    level = np.random.default_rng(0).integers(90, 110, (18, 32)).astype(np.uint8)
    return np.full((count, 18, 32), 20, np.uint8), np.repeat(level[None], count, axis=0)


def found(detail: U8, level: U8, shot: list[int] | None = None) -> list[int]:
    finder = GlimpseFinder()
    for t in range(len(detail)):
        finder.add(detail[t], level[t], shot[t] if shot else 0)
    return [one.frame for one in finder.finish()]


def test_long_recordings_are_looked_at_in_blocks_without_a_seam(monkeypatch):
    monkeypatch.setattr(glimpses, "BLOCK", 40)
    monkeypatch.setattr(glimpses, "LONGEST", 20)
    detail, level = cells(400)
    wanted = [*range(57, 62), 79, 80, 120, 199, *range(236, 246), 399]
    detail[wanted, 4:9, 6:12] = 60
    assert found(detail, level) == wanted
    finder = GlimpseFinder()
    for t in range(400):
        finder.add(detail[t], level[t], 0)
        assert len(finder._detail) <= 40 + 2 * 20


def test_what_comes_with_other_brightness_is_a_thing_that_came():
    detail, level = cells(60)
    detail[30:34, 4:9, 6:12] = 60
    level[30:34, 4:9, 6:12] += 20
    assert found(detail, level) == []


@pytest.mark.parametrize(("frames", "claimed"), [(1, True), (12, True), (13, False)])
def test_what_is_over_within_12_frames_may_change_the_brightness_and_jump_less(frames, claimed):
    detail, level = cells(60)
    detail[30 : 30 + frames, 4:9, 6:12] = 34  # 18 octaves in all
    level[30 : 30 + frames, 4:9, 6:12] += 8
    assert found(detail, level) == (list(range(30, 30 + frames)) if claimed else [])


def test_what_leaves_other_brightness_behind_is_a_thing_that_passed():
    detail, level = cells(60)
    detail[30:33, 4:9, 6:12] = 34
    level[30:33, 4:9, 6:12] += 8
    level[33:, 4:9, 6:12] += 8
    assert found(detail, level) == []


def test_a_narrow_glimpse_counts_only_where_brightness_stays():
    detail, level = cells(60)
    detail[30, 4:6, 6:12] = 60
    assert found(detail, level) == [30]
    level[30, 4:6, 6:12] += 6
    assert found(detail, level) == []


def test_what_spills_into_the_frames_beside_does_not_hide_a_glimpse():
    detail, level = cells(60)
    detail[30, 4:9, 6:12] = 34
    detail[[29, 31], 4:9, 6:12] = 27
    assert 30 in found(detail, level)


def test_frames_of_another_shot_are_not_compared():
    detail, level = cells(60)
    detail[30:, 4:9, 6:12] = 60
    assert found(detail, level, [0] * 30 + [1] * 30) == []
    assert found(detail, level)[0] == 30


def test_what_turns_slightly_sharper_and_stays_is_the_encoder():
    detail, level = cells(glimpses.LONGEST + 60)
    detail[30:, 4:7, 6:9] = 40
    assert found(detail, level) == []
    detail[34:] = 20
    assert found(detail, level) == [30, 31, 32, 33]
