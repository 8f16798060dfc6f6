"""aggregate --method leak, from end to end: a small call whose leak is known, and calls with nothing to find."""

from __future__ import annotations

from typing import Any

import cv2
import leaking_call
import numpy as np
import pytest
from fakes import run_stage

from vbtools.backends.aggregate import edge
from vbtools.ops.detail import detail
from vbtools.stages import stage

BELIEVED = 0.8


def recovered(call: leaking_call.Call, **align: Any) -> dict[str, Any]:
    return run_stage(stage("aggregate"), call.stages(**align), method="leak")[0]


@pytest.fixture(scope="module")
def call() -> leaking_call.Call:
    return leaking_call.call(seed=3)


@pytest.fixture(scope="module")
def stored(call: leaking_call.Call) -> dict[str, Any]:
    return recovered(call)


def test_the_room_is_shown_where_the_edge_swept(call: leaking_call.Call, stored: dict[str, Any]) -> None:
    blurred = cv2.GaussianBlur(call.room, (0, 0), 6)
    before = detail(blurred, call.room).within(call.swept).counts()
    after = detail(stored["background"], call.room, stored["coverage"] > 0).within(call.swept)
    assert after.counts()["textured"] > 50
    assert before["structure"] <= 2
    assert after.counts()["structure_share"] > 0.9  # measured 103 of 105
    assert after.counts()["false"] == 0
    assert 0.6 < np.median(after.ratio[after.structure]) < 2.2  # of the true contrast; measured 2.0


def test_what_is_believed_is_the_room(call: leaking_call.Call, stored: dict[str, Any]) -> None:
    shown = detail(stored["background"], call.room, stored["coverage"] > 0)
    side = shown.block
    rows, columns = shown.r.shape
    cells = stored["confidence"][: rows * side, : columns * side].reshape(rows, side, columns, side)
    believed = (cells.mean(axis=(1, 3)) >= BELIEVED) & shown.textured
    assert believed.sum() > 20
    assert (shown.r[believed] > 0.5).mean() > 0.9


@pytest.mark.parametrize("kept", [0, 400_000])
def test_it_is_the_same_whether_edges_are_kept_or_made_again(
    kept: int, call: leaking_call.Call, stored: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "KEPT_BYTES", kept)
    again = recovered(call)
    for name in ("background", "exposure", "confidence", "support", "passages", "opacity"):
        assert np.array_equal(again[name], stored[name]), name


def test_what_is_told_of_it_is_whole_and_in_range(call: leaking_call.Call, stored: dict[str, Any]) -> None:
    for name in ("exposure", "confidence"):
        assert stored[name].dtype == np.float32
        assert stored[name].min() >= 0
        assert stored[name].max() <= 1
    never = stored["support"] == 0
    assert not stored["exposure"][never].any()
    assert not stored["confidence"][stored["coverage"] == 0].any()
    assert (stored["passages"][never] == 0).all()
    assert (stored["passages"][~never] > 0).all()
    assert np.median(stored["passages"][call.swept]) >= 3
    assert not stored["overlays"].any()
    unseen = stored["coverage"] == 0
    assert np.isnan(stored["plate"][unseen]).all()
    assert np.isfinite(stored["plate"][~unseen]).all()
    assert (stored["coverage"] >= stored["support"]).all()


def test_the_same_call_gives_the_same_bytes(call: leaking_call.Call, stored: dict[str, Any]) -> None:
    again = recovered(call)
    assert repr(stored["blur"]) == repr(again["blur"])  # a table; nan is not equal to itself
    for name in stored.keys() - {"blur"}:
        array = stored[name]
        assert np.array_equal(array, again[name], equal_nan=array.dtype.kind == "f"), name


NOTHING = {
    "still person, excluded blur": {"sway_px": 0.0, "whole": False, "fringe_px": 0.0},
    "flat wall": {"scene": leaking_call.room(0, flat=True)},
    "another room per frame": {"rooms": [leaking_call.room(100 + i) for i in range(90)]},
    "replaced background": {"sigma": 0.3, "fringe_px": 0.0, "whole": False},
}


@pytest.mark.parametrize("name", NOTHING)
def test_a_call_with_nothing_to_find_gives_nothing_to_believe(name: str) -> None:
    found = recovered(leaking_call.call(**NOTHING[name]))
    assert found["confidence"].max() < BELIEVED


def test_of_a_sharp_background_no_blur_is_told_and_no_detail_taken_for_an_overlay() -> None:
    found, job = run_stage(
        stage("aggregate"), leaking_call.call(**NOTHING["replaced background"]).stages(), method="leak"
    )
    (blur,) = found["blur"]
    assert (blur["family"], blur["sigma"], blur["profile"]) == ("none", 0, "none")
    assert not found["overlays"].any()
    assert any("no blur found: the background is as sharp as the person" in note for note in job.notes)
    assert any("no overlays" in note for note in job.notes)
    plate, seen = found["plate"], np.isfinite(found["plate"][..., 0])
    apart = np.abs(found["background"].astype(np.float32) - plate)[seen]
    assert apart.max() <= 1  # rounded; nothing of the person's rim is added


def test_noise_gives_nothing() -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (40, *leaking_call.SIZE, 3), dtype=np.uint8)
    person = leaking_call.call(count=40).person
    found = recovered(leaking_call.Call(frames, person, frames[0], np.zeros(leaking_call.SIZE, np.bool_)))
    assert found["confidence"].max() < BELIEVED


def test_a_call_without_a_person_is_its_plate() -> None:
    call = leaking_call.call(count=10)
    empty = leaking_call.Call(call.frames, np.zeros_like(call.person), call.room, call.swept)
    found = recovered(empty)
    assert not found["support"].any()
    assert found["confidence"].max() < BELIEVED
    assert np.abs(found["plate"] - call.frames.mean(axis=0)).max() < 1


def test_a_label_is_told_and_left_out(call: leaking_call.Call) -> None:
    frames = call.frames.copy()
    for frame in frames:
        cv2.putText(frame, "Anna 12:30", (200, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2)
    labelled = leaking_call.Call(frames, call.person, call.room, call.swept)
    found, job = run_stage(stage("aggregate"), labelled.stages(), method="leak")
    where = np.zeros(leaking_call.SIZE, np.uint8)
    cv2.putText(where, "Anna 12:30", (200, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 1, 2)
    assert found["overlays"][where > 0].mean() > 0.7
    assert found["overlays"].mean() < 0.05
    assert not found["confidence"][found["overlays"] > 0].any()
    assert any("drawn over" in note for note in job.notes)


def test_a_sign_that_the_blur_leaves_out_is_told_and_believed(call: leaking_call.Call) -> None:
    sign, text = (slice(85, 120), slice(60, 140)), np.full((35, 80, 3), 230, np.uint8)
    cv2.putText(text, "ROOM", (4, 25), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20, 20, 20), 2)
    frames = call.frames.copy()
    for frame, person in zip(frames, call.person, strict=True):
        frame[sign] = np.where(person[sign][..., None] > 0, frame[sign], text)
    left = leaking_call.Call(frames, call.person, call.room, call.swept)
    found, job = run_stage(stage("aggregate"), left.stages(), method="leak")
    told = found["unblurred"][sign] > 0
    assert told.mean() > 0.4
    assert not found["overlays"][sign][told].any()
    assert (found["confidence"][sign][told] >= BELIEVED).mean() > 0.9
    assert (found["exposure"][sign][told] == 1).all()
    assert any("leaves out a piece of the room" in note for note in job.notes)


def test_a_camera_that_moves_is_followed(call: leaking_call.Call, stored: dict[str, Any]) -> None:
    count = len(call.frames)
    shift = np.rint(6 * np.sin(np.arange(count) / 5)).astype(int)
    moved = leaking_call.Call(
        np.stack([np.roll(f, s, axis=1) for f, s in zip(call.frames, shift, strict=True)]),
        np.stack([np.roll(p, s, axis=1) for p, s in zip(call.person, shift, strict=True)]),
        call.room, call.swept,
    )  # fmt: skip
    transform = np.repeat(np.eye(2, 3)[None], count, axis=0)
    transform[:, 0, 2] = shift
    found = recovered(moved, align={"transform": transform, "used": np.ones(count, np.uint8)})
    inner = np.zeros(leaking_call.SIZE, np.bool_)
    inner[:, 20:-20] = True
    shown = [detail(s["background"], call.room, s["coverage"] > 0).within(call.swept & inner) for s in (stored, found)]
    still, followed = (s.counts()["structure"] for s in shown)
    assert followed > 0.9 * still
