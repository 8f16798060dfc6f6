"""The rendered room: what the truth says is there, is there; and the formula that lays things over each other."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbtools.simulate.motion import MOTIONS, WALK_PX, Path
from vbtools.simulate.room import PICTURES, render_room
from vbtools.simulate.texture import over

pytest.importorskip("skimage", reason="needs the simulate extra")
SIZES = [(1280, 720), (320, 180), (640, 480), (360, 640)]


@pytest.fixture(scope="module", params=SIZES, ids=str)
def rooms(request):
    """The same room with and without letters."""
    return render_room(*request.param, 1), render_room(*request.param, 1, lettering=False)


def test_ink_lies_in_every_text_box_and_nowhere_else(rooms):
    room, blank = rooms
    ink = (room.background != blank.background).any(axis=2)
    boxes = np.zeros_like(ink)
    for line in room.texts:
        x0, y0, x1, y1 = line.box
        boxes[y0:y1, x0:x1] = True
        assert ink[y0:y1, x0:x1].mean() > 0.1, line
    assert not (ink & ~boxes).any()
    assert blank.texts == room.texts


def test_boxes_lie_in_the_frame(rooms):
    height, width = rooms[0].background.shape[:2]
    for found in (*rooms[0].texts, *rooms[0].things):
        x0, y0, x1, y1 = found.box
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height


def test_no_line_is_written_over_another():
    room = render_room(1280, 720, 2)
    for i, a in enumerate(room.texts):
        for b in room.texts[:i]:
            wide = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
            high = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
            assert min(wide, high) <= 1, (a, b)


def test_capitals_are_as_high_as_the_truth_says():
    capitals = [t for t in render_room(1280, 720, 0).texts if t.text.isupper() and t.text.isalpha() and not t.angle]
    assert len(capitals) >= 3
    for line in capitals:
        height = line.box[3] - line.box[1]
        assert line.cap_px * 0.97 <= height <= line.cap_px * 1.15 + 2, line  # round letters and bold strokes overshoot


def test_cap_heights_run_from_small_to_large_and_all_pictures_hang():
    room = render_room(1280, 720, 0)
    caps = {t.cap_px for t in room.texts}
    assert {12.0, 14.0, 16.0, 20.0, 24.0, 34.0, 44.0, 90.0} <= caps
    assert set(PICTURES) <= {thing.name for thing in room.things}


def test_the_room_follows_from_the_seed_alone():
    first, again, other = (render_room(320, 180, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.background, again.background)
    assert first.texts == again.texts
    assert not np.array_equal(first.background, other.background)


def test_the_wall_has_texture():
    wall = render_room(1280, 720, 0).background[540:600, 480:620]  # between the notes and the sideboard
    gray = cv2.cvtColor(wall, cv2.COLOR_RGB2GRAY).astype(np.float32)
    assert 0.5 < (gray - cv2.GaussianBlur(gray, (0, 0), 4)).std() < 6


def test_over_is_the_rounded_blend_for_every_alpha():
    top, bottom = np.meshgrid(np.arange(256), np.arange(256))
    planes = [np.repeat(a.astype(np.uint8)[..., None], 3, axis=2) for a in (top, bottom)]
    for alpha in range(256):
        expected = (2 * (alpha * top + (255 - alpha) * bottom) + 255) // 510  # half cannot occur: 255 is odd
        assert np.array_equal(over(*planes, np.full(top.shape, alpha, np.uint8))[..., 1], expected)


@pytest.mark.parametrize("name", sorted(MOTIONS))
@given(seed=st.integers(0, 2**31), time_s=st.floats(0, 3600))
def test_movement_is_smooth_bounded_and_follows_from_the_seed(name, seed, time_s):
    path, again = Path(name, seed), Path(name, seed)
    here, next_frame = path.pose(time_s), path.pose(time_s + 0.04)
    assert again.pose(time_s) == here
    motion = MOTIONS[name]
    assert abs(here.x) <= sum(layer.across_px for layer in motion.layers) + (WALK_PX if motion.walks else 0)
    assert abs(here.degrees) <= sum(layer.turn_deg for layer in motion.layers)
    assert abs(next_frame.x - here.x) < (40 if motion.walks else 12)  # px between two frames of 25 a second
    if name == "still":
        assert (here.x, here.y, here.degrees, here.scale) == (0, 0, 0, 1)


def test_a_swaying_person_sweeps_over_a_good_part_of_the_wall():
    across = [np.ptp([Path("sway", seed).pose(t / 5).x for t in range(50)]) for seed in range(30)]
    assert np.median(across) > 80  # px at 720 rows, in 10 s
