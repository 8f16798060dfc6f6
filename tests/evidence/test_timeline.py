"""timeline: what was shown by when, counted again from what aggregate stored; and what it foretells."""

from __future__ import annotations

from typing import Any

import cv2
import leaking_call
import numpy as np
import pytest
from fakes import run_stage

from vbtools.evidence.timeline import Timeline
from vbtools.ops.growth import Growth, Incidence
from vbtools.stages import stage

MARKS = (1.0, 5.0, 10.0, 30.0, 60.0)


def project(call: leaking_call.Call) -> dict[str, dict[str, Any]]:
    stages = call.stages()
    stages["aggregate"] = run_stage(stage("aggregate"), stages, method="leak")[0]
    return stages


@pytest.fixture(scope="module")
def swaying() -> dict[str, dict[str, Any]]:
    return project(leaking_call.call(seed=3))


def curve(stages: dict[str, dict[str, Any]], **values: Any) -> list[dict[str, Any]]:
    return run_stage(Timeline(), stages, **values)[0]["exposure"]


def test_the_curve_ends_at_the_share_that_aggregate_tells(swaying: dict[str, dict[str, Any]]) -> None:
    person = swaying["segment"]["person"] >= 77
    free, exposure = ~person.all(axis=0), swaying["aggregate"]["exposure"]
    told = (free & (exposure >= 0.3)).sum() / free.sum()
    measured = [row for row in curve(swaying) if row["measured"]]
    assert 0.1 < told < 0.9
    assert measured[-1]["share"] == pytest.approx(told, abs=0.02)
    assert measured[-1]["seconds"] == pytest.approx(90 / leaking_call.FPS)
    assert all(row["low"] == row["share"] == row["high"] for row in measured)


def test_what_was_shown_by_when_is_the_sweep_so_far(swaying: dict[str, dict[str, Any]]) -> None:
    """Against the fringe itself: opacity 0.3 lies 8.5 px from the body, whose mask has 2.8 px of margin."""
    person = (swaying["segment"]["person"] >= 77).astype(np.uint8)
    exposed = swaying["aggregate"]["exposure"] >= 0.3
    shown, share = np.zeros(exposed.shape, bool), []
    for one in person:
        distance = cv2.distanceTransform(1 - one, cv2.DIST_L2, 5)
        shown |= (distance > 0) & (distance <= 6) & exposed
        share.append(shown.sum())
    rows = [row for row in curve(swaying) if row["measured"]]
    wanted = np.array(share) / share[-1]
    mine = np.array([row["share"] for row in rows]) / rows[-1]["share"]
    frames = [max(0, round(row["seconds"] * leaking_call.FPS) - 1) for row in rows]
    assert np.abs(mine - wanted[frames]).max() < 0.1  # measured 0.06
    assert mine[0] < 0.5


def test_the_marks_are_told_from_the_beginning_and_from_the_end(swaying: dict[str, dict[str, Any]]) -> None:
    rows = curve(swaying)
    length = 90 / leaking_call.FPS
    measured = {round(row["seconds"], 6) for row in rows if row["measured"]}
    foretold = [row for row in rows if not row["measured"]]
    assert {1.0, 5.0} <= measured
    wanted = sorted({*(length + mark for mark in MARKS), 10.0, 30.0, 60.0})
    assert [row["seconds"] for row in foretold] == pytest.approx(wanted)
    last = [row for row in rows if row["measured"]][-1]["share"]
    assert all(last == row["low"] <= row["share"] <= row["high"] <= 1 for row in foretold)
    for name in ("share", "high"):
        values = [row[name] for row in foretold]
        assert values[-1] >= values[0] > last


def test_a_person_who_sits_still_shows_no_more_later() -> None:
    moved, still = (project(leaking_call.call(seed=4, sway_px=sway)) for sway in (45.0, 0.0))
    shares = {name: [row["share"] for row in curve(one)] for name, one in (("moved", moved), ("still", still))}
    assert shares["still"][-1] < 0.5 * shares["moved"][-1]


def test_an_unprotected_frame_shows_all_that_the_person_leaves_free(swaying: dict[str, dict[str, Any]]) -> None:
    count = len(swaying["extract"]["frames"])
    marked = np.zeros(count, np.uint8)
    marked[40] = 1
    extract = swaying["extract"] | {
        "unprotected": marked, "sharpness": np.ones(count, np.float32), "index": np.arange(count),
    }  # fmt: skip
    stored, job = run_stage(Timeline(), {**swaying, "extract": extract})
    measured = [row for row in stored["exposure"] if row["measured"]]
    before = max(row["share"] for row in measured if row["seconds"] <= 40 / leaking_call.FPS)
    assert before < 0.6
    assert measured[-1]["share"] > 0.85
    assert any("1 unprotected frame" in note for note in job.notes)


def test_another_method_than_leak_tells_nothing(swaying: dict[str, dict[str, Any]]) -> None:
    aggregate = {name: value for name, value in swaying["aggregate"].items() if name != "exposure"}
    stored, job = run_stage(Timeline(), {**swaying, "aggregate": aggregate})
    assert stored["exposure"] == []
    assert "not leak" in job.notes[0]


def test_a_camera_that_moves_is_followed() -> None:
    """The same sweep, shifted by the camera and brought back by align: the same curve."""
    stages = project(leaking_call.call(seed=5, count=60))
    person, count = stages["segment"]["person"], 60
    way = np.array([np.eye(2, 3)] * count)
    way[:, 0, 2] = shifts = np.arange(count) % 2 * 6
    moved = np.stack([np.roll(one, shift, axis=1) for one, shift in zip(person, shifts, strict=True)])
    follow = {**stages, "segment": {"person": moved}, "align": {**stages["align"], "transform": way}}
    lost = {**stages, "segment": {"person": moved}}
    mine, followed, not_followed = ([row["share"] for row in curve(one)] for one in (stages, follow, lost))
    assert np.nanmax(np.abs(np.array(mine[:40]) - followed[:40])) < 0.02
    assert np.nanmax(np.abs(np.array(mine[:40]) - not_followed[:40])) > 0.02


def test_too_few_segments_foretell_nothing() -> None:
    share, low, high = Growth(0.2, np.array([0.1, 0.1]), np.array([0.0, 0.0])).after(5, 0)
    assert np.isnan(share)
    assert (low, high) == (0.2, 1.0)


def test_nothing_shown_is_not_foretold_to_be_nothing() -> None:
    share, low, high = Growth(0.0, np.zeros(10), np.zeros(10)).after(10, 0)
    assert (share, low) == (0, 0)
    assert high == pytest.approx(0.95)


def test_segments_drawn_alike_are_foretold() -> None:
    """Places that each segment shows with a chance of their own: 10 segments foretell 40 within the interval."""
    held = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        chance = rng.beta(0.4, 3, (40, 50))
        seen = Incidence(np.ones((40, 50), bool), 1.0)
        told = None
        for t in range(40):
            if t == 10:
                told = seen.growth(10).after(30, seed)
            seen.add(rng.random(chance.shape) < chance, t + 0.5)
        assert told is not None
        held.append(told[1] <= seen.share() <= told[2])
        assert told[0] == pytest.approx(seen.share(), abs=0.12)
    assert np.mean(held) >= 0.9


def test_once_and_twice_are_counted_by_segment() -> None:
    seen = Incidence(np.ones((1, 4), bool), 1.0)
    for t, shown in enumerate([[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 1, 0]]):
        seen.add(np.array([shown], bool), t + 0.1)
    growth = seen.growth(3)
    assert growth.shown == 0.75
    np.testing.assert_allclose(growth.once, [0.25, 0, 0])
    np.testing.assert_allclose(growth.twice, [0, 0.125, 0.125])
