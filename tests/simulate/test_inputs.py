"""Whole simulated calls from every kind of input: what is known of them holds in their files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from simulated import Call, frames_of

from vbtools.backends.picture import read_picture, write_picture
from vbtools.backends.video import open_video
from vbtools.backends.video_writer import VideoWriter
from vbtools.cli import main as cli
from vbtools.simulate.camera import Handheld
from vbtools.simulate.settings import CallSettings, Settings
from vbtools.simulate.texture import over
from vbtools.simulate.write import simulate

SHORT = Settings(seed=5, seconds=0.4, size=(320, 180), fps=10.0)


def leak_of(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mask, alpha and leak of a call, (T, H, W) each."""
    mask, alpha, leak = (frames_of(folder / f"{name}.mkv")[..., 0] for name in ("mask", "alpha", "leak"))
    return mask, alpha, leak


def test_leak_is_what_the_mask_shows_of_the_room(call):
    mask, alpha, leak = leak_of(call.folder)
    expected = mask / 255 * (1 - alpha / 255) * 255
    assert np.abs(leak - expected).max() <= 0.51
    assert leak.shape == call.clean.shape[:3]
    assert (leak > 127).any()


def test_the_call_is_the_clean_frame_where_the_mask_is_full(call):
    mask = frames_of(call.folder / "mask.mkv")[..., 0]
    inside = cv2.erode((mask[10] == 255).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    shown, clean = (cv2.cvtColor(frames[10], cv2.COLOR_RGB2GRAY)[inside] for frames in (call.blurred, call.clean))
    assert np.corrcoef(shown, clean)[0, 1] > 0.95  # the codec's error is large at this size


def test_a_raw_frame_leaks_everything_but_the_person(tmp_path, selfie_models):
    simulate(tmp_path / "c", replace(SHORT, profile="livekit"))
    mask, alpha, leak = leak_of(tmp_path / "c")
    assert mask[0].min() == 255
    assert np.array_equal(leak[0], 255 - alpha[0])
    assert mask[1].min() == 0


@pytest.fixture(scope="module")
def clip(call: Call) -> Path:
    """The clean recording of another call, as a user would bring it."""
    return call.folder / "clean.mkv"


def test_a_clip_is_taken_frame_by_frame_and_marked_as_estimated(call, clip, tmp_path, selfie_models):
    told = simulate(tmp_path / "c", Settings(clip=clip))
    assert (told["frames"], told["fps"], told["size"]) == (25, 25.0, [320, 180])
    assert np.array_equal(frames_of(tmp_path / "c" / "clean.mkv"), call.clean)
    assert told["alpha"] == {"estimated": True, "by": "selfie-landscape"}
    assert told["background"]["estimated"] is True
    known = read_picture(tmp_path / "c" / "known.png")[..., 0] > 0
    assert told["background"]["known_pct"] == pytest.approx(100 * known.mean(), abs=0.01)
    away = known & (call.alpha.max(axis=0) == 0)
    plate = read_picture(tmp_path / "c" / "background.png")
    assert np.array_equal(plate[away], call.background[away])
    assert not known[call.alpha.min(axis=0) == 255].mean() > 0.1
    assert "known.png" in told["files"]


def test_a_part_of_a_clip_can_be_taken_at_another_size_and_rate(clip, tmp_path, selfie_models):
    told = simulate(tmp_path / "c", Settings(clip=clip, seconds=0.4, size=(160, 96), fps=12.5))
    assert (told["frames"], told["size"]) == (5, [160, 96])
    assert frames_of(tmp_path / "c" / "clean.mkv").shape == (5, 96, 160, 3)


def test_a_green_screen_clip_stands_before_a_photograph(call, tmp_path, selfie_models):
    green = np.full_like(call.clean[0], (40, 170, 70))
    with VideoWriter(tmp_path / "green.mkv", 320, 180, 10, codec="ffv1", pixel_format="bgr0") as writer:
        for frame, alpha in zip(call.clean[:4], call.alpha[:4], strict=True):
            writer.write(over(frame, green, alpha))
    write_picture(tmp_path / "room.png", cv2.resize(call.background, (640, 400)))
    told = simulate(
        tmp_path / "c", replace(SHORT, person=tmp_path / "green.mkv", background=tmp_path / "room.png")
    )  # fmt: skip
    assert told["person"]["kind"] == "screen"
    assert told["motion"]["name"] == "still"
    made = Call(tmp_path / "c")
    assert np.abs(made.alpha[1].astype(int) - call.alpha[1]).mean() < 4
    assert np.array_equal(made.clean[0][made.alpha[0] == 0], made.background[made.alpha[0] == 0])
    green_left = (made.clean[1][..., 1].astype(int) - made.clean[1][..., [0, 2]].max(axis=2)) > 60
    assert green_left.mean() < 0.003


def test_a_cut_out_moves_before_a_photograph(call, tmp_path, selfie_models):
    cut = np.dstack([call.clean[0][..., ::-1], call.alpha[0]])
    cv2.imwrite(str(tmp_path / "cut.png"), cut)
    write_picture(tmp_path / "room.png", call.background)
    told = simulate(
        tmp_path / "c", replace(SHORT, person=tmp_path / "cut.png", background=tmp_path / "room.png", motion="lean")
    )  # fmt: skip
    assert told["person"] == {"kind": "cut-out", "file": "cut.png"}
    assert told["text"] == []
    made = Call(tmp_path / "c")
    assert 0.1 < (made.alpha[0] > 127).mean() < 0.8
    assert not np.array_equal(made.alpha[0], made.alpha[3])


def test_a_hand_held_cameras_transform_puts_the_background_where_it_is_seen(tmp_path, selfie_models):
    told = simulate(tmp_path / "c", replace(SHORT, camera="handheld", motion="still"))
    made = Call(tmp_path / "c")
    transforms = np.array(told["camera"]["transforms"]).reshape(-1, 2, 3)
    assert np.ptp(transforms[:, 0, 2]) > 0.5
    for frame, alpha, placed in zip(made.clean, made.alpha, transforms, strict=True):
        seen = cv2.warpAffine(made.background, placed, (320, 180), flags=cv2.INTER_CUBIC)
        free = cv2.dilate(alpha, np.ones((9, 9), np.uint8)) == 0
        free[:16], free[-16:], free[:, :24], free[:, -24:] = False, False, False, False
        assert np.abs(seen.astype(int) - frame)[free].mean() < 0.5


def test_a_hand_held_camera_never_shows_what_was_not_rendered():
    camera = Handheld((320, 180), 3)
    corners = np.array([[0, 319, 0, 319], [0, 0, 179, 179], [1, 1, 1, 1]])
    for time_s in np.arange(0, 60, 0.1):
        placed = np.vstack([camera.transform(float(time_s)), [0, 0, 1]])
        x, y, _ = np.linalg.inv(placed) @ corners
        assert -camera.margin[0] <= x.min()
        assert x.max() <= 319 + camera.margin[0]
        assert -camera.margin[1] <= y.min()
        assert y.max() <= 179 + camera.margin[1]


def test_noise_and_drift_are_in_the_clean_frames_and_follow_from_the_seed(tmp_path, selfie_models):
    noisy = replace(SHORT, motion="still", noise=4.0, drift=0.2, seconds=0.3)
    for name in ("a", "b"):
        simulate(tmp_path / name, noisy)
    assert (tmp_path / "a" / "clean.mkv").read_bytes() == (tmp_path / "b" / "clean.mkv").read_bytes()
    made = Call(tmp_path / "a")
    free = made.alpha[0] == 0
    change = (made.clean[1].astype(float) - made.clean[0])[free]
    assert change.std() == pytest.approx(4 * np.sqrt(2), rel=0.1)


def test_the_call_is_sent_as_asked(tmp_path, selfie_models):
    asked = CallSettings("vp8", 300_000, (160, 90), 5.0, 0.0, ("label", "clock", "watermark", "title"))
    told = simulate(tmp_path / "c", replace(SHORT, seconds=1.2, call=asked, muted=((0.4, 0.7),)))
    sent = told["call"]
    assert (sent["file"], sent["codec"], sent["size"], sent["fps"]) == ("blurred.webm", "vp8", [160, 90], 5.0)
    assert sent["frames"] == [None] * 5 + [0, 2, 8, 10]
    assert [o["name"] for o in sent["overlays"]] == list(asked.overlays)
    with open_video(tmp_path / "c" / "blurred.webm") as video:
        frames = list(video.frames())
        pictures = [frame.rgb() for frame in frames]
    assert [f.time_s for f in frames] == pytest.approx(sent["times_s"], abs=2e-3)
    assert pictures[0].shape == (90, 160, 3)
    assert frames_of(tmp_path / "c" / "mask.mkv").shape[:3] == (12, 180, 320)
    assert frames_of(tmp_path / "c" / "leak.mkv")[5].max() == 0  # muted: nothing is shown
    x0, y0, x1, y1 = sent["overlays"][0]["box"]
    label = pictures[6][y0:y1, x0:x1]
    assert label.max() > 150
    assert not (tmp_path / "c" / "blurred.mp4").exists()
    simulate(tmp_path / "c", SHORT)
    assert not (tmp_path / "c" / "blurred.webm").exists()  # what no longer fits the truth is gone


def test_muting_all_of_a_call_is_refused(tmp_path, selfie_models):
    status = cli.run(["simulate", "-o", str(tmp_path / "c"), "--seconds", "0.4", "--size", "320x180", "--mute", "0-9"])
    assert status == 2
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("motion", ["gesture", "walk"])
def test_hands_and_walking_bring_the_person_into_the_picture(motion, tmp_path, selfie_models):
    told = simulate(tmp_path / "c", replace(SHORT, seconds=4.0, fps=4.0, motion=motion))
    alpha = frames_of(tmp_path / "c" / "alpha.mkv")[..., 0]
    shown = (alpha > 127).mean(axis=(1, 2))
    assert told["motion"]["name"] == motion
    if motion == "walk":
        assert shown[0] < 0.02
        assert shown[-1] > 0.15
    else:
        assert shown.max() - shown.min() > 0.01


@pytest.mark.parametrize(("arguments", "status", "said"), [
    (["--clip", "none.mp4"], 4, "There is no file"), (["--person", "none.png"], 4, "There is no"),
    (["--background", "none.png"], 4, "There is no picture"), (["--profile", "jitsy"], 2, "Did you mean 'jitsi'"),
    (["--set", "strenght=2"], 2, "Did you mean 'strength'"), (["--mute", "2"], 2, "--mute 2-3.5"),
    (["--call-size", "big"], 2, "--call-size 1280x720"), (["--profile", "none.yaml"], 3, "There is no recipe"),
])  # fmt: skip
def test_a_mistake_gets_one_sentence_and_leaves_nothing(arguments, status, said, tmp_path, capsys, selfie_models):
    small = ["--seconds", "0.2", "--size", "320x180"]
    assert cli.run(["simulate", "-o", str(tmp_path / "c"), *small, *arguments]) == status
    assert said in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


def test_the_truth_names_the_profile_with_every_value(tmp_path, selfie_models, capsys):
    folder = tmp_path / "c"
    arguments = ["simulate", "-o", str(folder), "--seconds", "0.2", "--size", "320x180", "--profile", "shiguredo"]
    assert cli.run([*arguments, "--set", "strength=20", "--json"]) == 0
    told = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    assert told["profile"]["strength"] == 20.0
    assert told["profile"]["blur"] == [{"canvas": {"sigma": None, "whole": False, "below": "black"}}]
    assert json.loads(capsys.readouterr().out)["profile"] == told["profile"]


