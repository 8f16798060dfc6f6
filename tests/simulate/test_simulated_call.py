"""A simulated call: the same again from the same seed, exact where it says so, blurred where it should be."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from simulated import SMALL, frames_of

from vbtools.backends import backend
from vbtools.errors import InputError, UsageError
from vbtools.models import resolve
from vbtools.simulate import call as encoders
from vbtools.simulate.motion import Path
from vbtools.simulate.person import MODEL, cut_out, photograph
from vbtools.simulate.product import Product
from vbtools.simulate.profile import PROFILES
from vbtools.simulate.room import render_room
from vbtools.simulate.scene import PersonInRoom
from vbtools.simulate.write import FILES, Settings, simulate
from vbtools.stages.base import Silent

NAMES = {*FILES, "truth.json"}


@pytest.fixture(scope="module")
def person(selfie_models):
    with backend("segment", "mediapipe").load()(resolve(MODEL)) as segmenter:
        return cut_out(photograph(), segmenter)


def test_the_same_seed_gives_the_same_bytes(call, make_call):
    again = make_call(SMALL)
    for name in NAMES:
        assert (again.folder / name).read_bytes() == (call.folder / name).read_bytes(), name


def test_another_seed_gives_another_room_and_another_movement(call, make_call):
    other = make_call(replace(SMALL, seed=4))
    assert np.abs(other.background.astype(int) - call.background).mean() > 2
    assert not np.array_equal(other.alpha, call.alpha)
    assert other.truth["motion"] != call.truth["motion"]
    assert [t["text"] for t in other.truth["text"]] != [t["text"] for t in call.truth["text"]]


def test_every_file_has_the_frames_that_the_truth_says(call):
    width, height = call.truth["size"]
    assert (call.truth["frames"], call.truth["fps"], width, height) == (25, 25.0, 320, 180)
    for frames in (call.clean, call.blurred):
        assert frames.shape == (25, height, width, 3)
    assert call.alpha.shape == (25, height, width)


def test_where_nobody_is_the_clean_frame_is_the_background_to_the_bit(call):
    for frame, alpha in zip(call.clean, call.alpha, strict=True):
        assert 0.2 < (alpha == 0).mean() < 0.9
        assert np.array_equal(frame[alpha == 0], call.background[alpha == 0])


def test_clean_is_person_over_background_by_the_true_alpha(call, person):
    width, height = SMALL.size
    room = render_room(width, height, SMALL.seed)
    path = Path(SMALL.motion, SMALL.seed)
    scene = PersonInRoom(person, room, path, SMALL.seed)
    for index in (0, 12, 24):
        frame, alpha = scene.frame(index / SMALL.fps)
        assert np.array_equal(frame, call.clean[index])
        assert np.array_equal(alpha, call.alpha[index])
        small = scene.cut_out(index / SMALL.fps)
        placed = scene.placement(path.pose(index / SMALL.fps), small)
        rgb = cv2.warpAffine(small.rgb, placed, SMALL.size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        a = alpha[..., None] / 255.0
        expected = a * rgb + (1 - a) * room.background
        off = np.abs(expected - frame)[alpha > 0]
        assert off.mean() < 0.6  # rounding alone gives 0.25; cv2's fixed-point warp depends on the region's corner
        assert np.percentile(off, 99) < 6


def test_the_clean_recording_is_lossless_whatever_it_holds(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (5, 66, 98, 3), dtype=np.uint8)
    with encoders.lossless(tmp_path / "noise.mkv", (98, 66), 25) as lane:
        for frame in noise:
            lane.write(frame)
    assert np.array_equal(frames_of(tmp_path / "noise.mkv"), noise)
    with encoders.gray(tmp_path / "gray.mkv", (98, 66), 25) as lane:
        for frame in noise:
            lane.write(np.ascontiguousarray(frame[..., 1]))
    assert np.array_equal(frames_of(tmp_path / "gray.mkv")[..., 0], noise[..., 1])


def test_what_the_encoder_refuses_is_not_swallowed(tmp_path):
    def write_too_large() -> None:
        with encoders.gray(tmp_path / "gray.mkv", (98, 66), 25) as lane:
            lane.write(np.zeros((70, 98), np.uint8))

    with pytest.raises(ValueError, match="70, 98"):
        write_too_large()


def detail(image: np.ndarray) -> np.ndarray:
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return gray - cv2.GaussianBlur(gray, (0, 0), 2)


def test_the_far_background_is_blurred_and_the_person_is_not(call):
    far = np.s_[:, 280:]  # the door, beyond any sway
    sharp, soft = (detail(frames[10])[far].std() for frames in (call.clean, call.blurred))
    assert soft < sharp / 4
    face = cv2.erode((call.alpha[10] == 255).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    sharp, soft = (detail(frames[10])[face].std() for frames in (call.clean, call.blurred))
    assert soft > sharp / 2


def test_colours_keep_their_channels(call):
    suit = cv2.erode((call.alpha[0] == 255).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    for frames in (call.clean, call.blurred):
        orange = np.percentile(frames[0][suit], 75, axis=0)
        assert orange[0] > orange[1] + 60
        assert orange[1] > orange[2] + 10


def test_the_room_shows_sharp_in_a_fringe_beside_the_person_and_nowhere_else(person):
    size = (1280, 720)
    room = render_room(*size, 1)
    frame, alpha = PersonInRoom(person, room, Path("still", 1), 1).frame(0.0)
    with Product(PROFILES["gaussian"].scheme, size[1]) as product:
        shown, _ = product(frame)
    distance = cv2.distanceTransform((alpha == 0).astype(np.uint8), cv2.DIST_L2, 5)
    truth, seen = detail(room.background), detail(shown)

    def likeness(where: np.ndarray) -> float:
        return float(np.corrcoef(truth[where], seen[where])[0, 1])

    assert likeness((distance > 2) & (distance < 8)) > 0.5
    assert likeness((distance > 80) & (alpha == 0)) < 0.3


def test_the_person_is_one_piece_without_holes(person):
    solid = (person.alpha > 127).astype(np.uint8)
    assert cv2.connectedComponents(solid)[0] == 2
    around = cv2.copyMakeBorder(1 - solid, 1, 0, 1, 1, cv2.BORDER_CONSTANT, value=1)
    assert cv2.connectedComponents(around, connectivity=4)[0] == 2
    assert cv2.connectedComponents((person.alpha > 0).astype(np.uint8))[0] == 2
    assert (person.alpha[60:100, 190:270] == 255).all()  # the face
    assert (person.alpha[420:500, 320:460] == 255).all()  # the helmet, which the landscape model holes


def test_nothing_of_the_flag_or_the_table_is_left(person):
    assert (person.alpha[:380, :15] == 0).all()
    assert (person.alpha[400:, :15] == 0).all()
    assert (person.alpha[:330, 385:] == 0).all()


def test_the_edge_is_soft_and_thin(person):
    soft = (person.alpha > 0) & (person.alpha < 255)
    outline = cv2.morphologyEx((person.alpha > 127).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    assert 0.5 < soft.sum() / (outline.sum() / 2) < 6  # px wide


@pytest.mark.parametrize("motion", ["lean", "sway", "talking"])
def test_the_person_stands_on_the_lower_edge_however_it_moves(person, motion):
    scene = PersonInRoom(person, render_room(320, 180, 0), Path(motion, 5), 5)
    for time_s in np.arange(0, 20, 0.4):
        alpha = scene.frame(float(time_s))[1]
        assert (alpha[-1] == 255).sum() > 0.9 * (alpha[-4] == 255).sum() > 0


def test_truth_is_written_with_what_made_it(call):
    truth = call.truth
    assert truth["format"] == "vbtools-truth"
    assert truth["version"] == 2
    assert truth["profile"] == PROFILES["gaussian"].values()
    assert set(truth["models"]) == {"selfie-square", "selfie-landscape"}
    assert "unknown" not in truth["software"].values()
    assert set(truth["files"]) == set(FILES)
    swept = [t["in_swept_band"] for t in truth["text"]]
    assert max(swept) > 0.5
    assert min(swept) == 0


# ------------------------------------------------------------------------------------------------- the folder


class StopsMidway(Silent):
    def advance(self, done: int = 1) -> None:
        raise KeyboardInterrupt


def test_a_run_that_stops_leaves_what_was_there(call, tmp_path, selfie_models):
    folder = tmp_path / "made"
    simulate(folder, replace(SMALL, seconds=0.2))
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(KeyboardInterrupt):
        simulate(folder, replace(SMALL, seed=9), progress=StopsMidway())
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    with pytest.raises(KeyboardInterrupt):
        simulate(tmp_path / "new", SMALL, progress=StopsMidway())
    assert not (tmp_path / "new").exists()


def test_it_overwrites_its_own_files_but_nobody_elses(tmp_path, selfie_models):
    folder, short = tmp_path / "made", replace(SMALL, seconds=0.2)
    folder.mkdir()
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    simulate(folder, short)
    simulate(folder, replace(short, seed=8))
    (folder / "blurred.mp4").write_bytes(b"a recording of mine")
    with pytest.raises(InputError, match="--force"):
        simulate(folder, short)
    assert (folder / "blurred.mp4").read_bytes() == b"a recording of mine"
    simulate(folder, short, force=True)
    assert {p.name for p in folder.iterdir()} == NAMES | {"notes.txt"}
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_truth_file_of_another_kind_is_not_overwritten(tmp_path):
    (tmp_path / "truth.json").write_text(json.dumps({"name": "scene_books"}), encoding="utf-8")
    with pytest.raises(InputError, match=r"truth\.json"):
        simulate(tmp_path, SMALL)


@pytest.mark.parametrize(
    "bad",
    [
        {"profile": "gausian"}, {"motion": "swaying"}, {"seconds": 0.0}, {"seconds": float("nan")}, {"fps": 0.0},
        {"fps": 1000.0}, {"size": (321, 180)}, {"size": (320, 18)}, {"size": (99_998, 180)}, {"seed": -1},
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused_before_anything_is_made(bad, tmp_path):
    with pytest.raises(UsageError):
        simulate(tmp_path / "made", replace(Settings(), **bad))
    assert not (tmp_path / "made").exists()


def test_a_missing_model_says_which_command_gets_it(tmp_path, monkeypatch):
    pytest.importorskip("mediapipe", reason="needs the mediapipe extra")
    monkeypatch.setenv("VBTOOLS_MODELS", str(tmp_path / "none"))
    with pytest.raises(Exception, match="vbtools models pull selfie-"):
        simulate(tmp_path / "made", SMALL)
    assert not (tmp_path / "made").exists()
