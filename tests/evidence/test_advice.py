"""advice: the call made again under other settings, and how much less each would have shown."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import leaking_call
import numpy as np
import pytest
from fakes import FakeReader, run_stage

from vbtools.backends.video import open_video
from vbtools.evidence import advised
from vbtools.evidence.advice import Advice
from vbtools.evidence.advised import Change, changes, told
from vbtools.evidence.again import side_by_side
from vbtools.evidence.forward import Clip, Forward, Layer, Opacity, Setting, layers, record
from vbtools.evidence.trail import trail_of
from vbtools.ops.forward import entries, opacity_table
from vbtools.ops.fringe import BINS
from vbtools.stages import stage

ROWS = leaking_call.SIZE[0]
BESIDE = (8, 20, 40, 60)
"""A region of the room that the person leaves free: x, y, width, height."""


class Known:
    """A replay's project, aggregated with the masks that the call has; stands in for segmenting and reading it."""

    made: dict[Path, dict[str, Any]] = {}  # noqa: RUF012

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> FakeReader:
        return FakeReader(self.made[self._path])

    def __exit__(self, *exception: object) -> None:
        self.made.pop(self._path)

    @classmethod
    def examined(cls, clip: Clip, video: Path) -> Path:
        with open_video(video) as opened:
            frames = np.stack([frame.rgb() for frame in opened.frames()])
        inputs: Any = clip.inputs
        stages = {**inputs.stages, "extract": {**inputs.stages["extract"], "frames": frames}}
        stages["aggregate"] = run_stage(stage("aggregate"), stages, method="leak")[0]
        cls.made[video] = stages
        return video


def project(**values: Any) -> dict[str, dict[str, Any]]:
    """A call as the project holds it after aggregate."""
    stages = leaking_call.call(seed=3, **values).stages()
    count = len(stages["extract"]["frames"])
    stages["extract"] |= {"unprotected": np.zeros(count, np.uint8), "sharpness": np.ones(count, np.float32)}
    stages["aggregate"] = run_stage(stage("aggregate"), stages, method="leak")[0]
    return stages


@pytest.fixture(scope="module")
def swaying() -> dict[str, dict[str, Any]]:
    return project()


@pytest.mark.slow
def test_each_setting_is_played_and_compared(
    swaying: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what the call's own mask shows, a late one shows 4.3 times, a hard one 0.4, no blur at all 0.8: it is the edge
    that shows this room, not the blur, so that a solid colour in the blur's place takes little away."""
    monkeypatch.setattr(advised, "examined", Known.examined)
    monkeypatch.setattr(advised, "Reader", Known)
    stored = run_stage(Advice(), swaying)[0]
    rows = stored["settings"]
    assert [row["trails"] for row in stored["trail"]] == [0]
    own, *others = rows
    assert own["setting"] == "as it is"
    assert own["shown"] > 0.02
    assert own["reduction"] == 0
    by_name = {row["setting"].split(",")[0]: row for row in others}
    assert by_name["more smoothing over time"]["reduction_high"] < -1
    hard = by_name["a hard mask that shows nothing below 50%"]
    assert hard["reduction_low"] > 0.3  # much less, beyond doubt
    assert 0 < by_name["a solid colour instead of the blur"]["reduction"] < hard["reduction"]
    for row in rows:
        assert 0 <= row["low"] <= row["shown"] <= row["high"] <= 1
        assert row["reduction_low"] <= row["reduction"] <= row["reduction_high"]
        assert row["reduction"] == pytest.approx(1 - row["shown"] / own["shown"])


def marked(stages: dict[str, dict[str, Any]], *regions: tuple[int, int, int, int], rows: int = ROWS) -> Clip:
    """The call with frame 5 unprotected: in these regions (x, y, width, height), or as a whole where there is none."""
    unprotected = stages["extract"]["unprotected"].copy()
    unprotected[5] = 1
    named = [dict(zip(("x", "y", "width", "height"), map(float, one), strict=True)) for one in regions]
    table = [{"row": 5, "sharpness": 1.0, **one} for one in named]
    extract = {**stages["extract"], "unprotected": unprotected, "regions": table}
    return Clip.of(FakeReader({**stages, "extract": extract}), rows)  # type: ignore[arg-type]


@pytest.mark.parametrize("rows", [ROWS, ROWS // 2])
def test_only_the_regions_of_an_unprotected_frame_are_played_raw(swaying: dict[str, dict[str, Any]], rows: int) -> None:
    """Beside the person; of a region over the person alone, and where it fails closed, nothing is."""
    scale = rows / ROWS
    clip = marked(swaying, BESIDE, rows=rows)
    other = np.random.default_rng(0).integers(0, 255, (*clip.size, 3), dtype=np.uint8)

    def played(clip: Clip, setting: Any = None) -> np.ndarray:
        forward = Forward(clip, [other], setting)
        opacity = Opacity(forward.setting, clip.size[0] / 720)
        return np.stack([forward.frame(layer, opacity.next(layer), 0) for layer in islice(layers(clip), 7)])

    protected = played(replace(clip, unprotected={}))
    x, y, width, height = (round(side * scale) for side in BESIDE)
    box = np.zeros(clip.size, bool)
    box[y : y + height, x : x + width] = True
    made = played(clip)
    changed = (made != protected).any(axis=3)
    assert set(np.flatnonzero(changed.any(axis=(1, 2)))) == {5}, "other frames as they were"
    assert not changed[5][~box].any()
    assert np.array_equal(made[5][box], other[box])
    assert np.array_equal(played(clip, clip.setting.other(fail_closed=True)), protected)
    assert np.array_equal(advised.open_in(clip), box)
    person = marked(swaying, (192, 130, 20, 20), rows=rows)
    assert not person.unprotected


def test_a_region_that_is_most_of_the_picture_is_played_as_the_picture(swaying: dict[str, dict[str, Any]]) -> None:
    height, width = leaking_call.SIZE
    for clip in (marked(swaying), marked(swaying, (10, 10, width - 40, height - 30))):
        assert clip.unprotected == {5: [(slice(0, height), slice(0, width))]}


def test_with_unprotected_frames_only_failing_closed_helps(swaying: dict[str, dict[str, Any]]) -> None:
    clip = marked(swaying)
    tried = changes(clip, quick=False)
    assert [one.setting.fail_closed for one in tried] == [False] + [True] * (len(tried) - 1)
    shown = advised.open_in(clip)
    person = cv2.resize(swaying["segment"]["person"][5], shown.shape[::-1])
    assert (shown == (person < 77)).mean() > 0.99


def test_a_picture_in_the_rooms_place_has_no_blur_to_change(swaying: dict[str, dict[str, Any]]) -> None:
    clip = Clip.of(FakeReader(swaying), ROWS)  # type: ignore[arg-type]
    replaced = replace(clip, setting=clip.setting.other(replaced=True))
    every, fewer = (changes(one, quick=False) for one in (clip, replaced))
    assert len(every) == 7
    assert len(changes(clip, quick=True)) == 4
    assert {one.setting.sigma for one in fewer} == {clip.setting.sigma}
    assert all(one.setting.solid is None for one in fewer)


def test_the_intervals_are_over_what_goes_together() -> None:
    """The same share of blocks, once in few clusters and once in many: the fewer, the wider."""
    count = 400
    shown = np.arange(count) % 4 == 0
    tried = [Change("as it is", None), Change("other", None)]  # type: ignore[arg-type]
    counted = np.ones(count, bool)
    alike = [np.sort(shown), np.zeros(count, bool)]
    few, many = (
        told(tried, alike, counted, np.arange(count) // side, 0)[0] for side in (40, 4)
    )  # fmt: skip
    assert few["shown"] == many["shown"] == 0.25
    assert few["high"] - few["low"] > 1.5 * (many["high"] - many["low"])
    none = told(tried, alike, counted, np.arange(count) // 40, 0)[1]
    assert none["shown"] == 0
    assert none["high"] == pytest.approx(1 - 0.05 ** (1 / 10))
    assert none["reduction"] == 1


def test_where_the_call_shows_nothing_there_is_no_reduction() -> None:
    tried = [Change("as it is", None), Change("other", None)]  # type: ignore[arg-type]
    nothing = np.zeros(40, bool)
    rows = told(tried, [nothing, nothing], ~nothing, np.arange(40) // 4, 0)
    assert all(np.isnan(row[name]) for row in rows for name in ("reduction", "reduction_low", "reduction_high"))
    assert told(tried, [nothing, nothing], nothing, np.arange(40), 0) == []


def test_another_method_than_leak_has_nothing_to_advise_on() -> None:
    stored, job = run_stage(Advice(), {"aggregate": {}})
    assert stored["settings"] == []
    assert "not leak" in job.notes[0]


def test_settings_recorded_together_are_those_recorded_alone(
    swaying: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """The person is made once for all; each setting's mask is as late as its own lag."""
    clip = marked(swaying, BESIDE)
    other = np.random.default_rng(0).integers(0, 255, (*clip.size, 3), dtype=np.uint8)
    settings = [clip.setting, clip.setting.other(lag=3), clip.setting.other(tighter_px=8.0, fail_closed=True)]
    together = [tmp_path / f"together{at}.mp4" for at in range(len(settings))]
    record([Forward(clip, [other], one) for one in settings], [[path] for path in together])
    for at, one in enumerate(settings):
        alone = tmp_path / f"alone{at}.mp4"
        record([Forward(clip, [other], one)], [[alone]])
        assert together[at].read_bytes() == alone.read_bytes()
    assert len({path.read_bytes() for path in together}) == len(settings)


def test_a_late_mask_is_the_one_of_some_frames_before() -> None:
    """Of the first frames it is the first one's."""
    opacities = [Opacity(setting(lag=lag), 1.0) for lag in (0, 1, 3)]
    table = opacity_table(RAMP, 0.8)
    seen = []
    for number in range(6):
        px = np.full((1, 1), 4.0 * number, np.float32)
        made = [float(opacity.next(layer_at(px))[0, 0]) for opacity in opacities]
        seen.append([int(np.flatnonzero(table[entries(np.arange(0, 24, 4, dtype=np.float32), 1.0)] == one)[0])
                     for one in made])  # fmt: skip
    assert seen == [[0, 0, 0], [1, 0, 0], [2, 1, 0], [3, 2, 0], [4, 3, 1], [5, 4, 2]]


def test_an_averaged_mask_holds_what_was_shown_before() -> None:
    """Weight 1/2 of the one before: the room stays open behind the person, and opens later before them."""
    opacity, alone = Opacity(setting(keep=0.5), 1.0), opacity_table(RAMP, 0.8)
    px = [np.full((1, 1), distance, np.float32) for distance in (2, 2, 100, 100, 2)]
    shown = [float(opacity.next(layer_at(one))[0, 0]) for one in px]
    most = float(alone[entries(px[0], 1.0)][0, 0])
    assert most > 0.3
    assert shown == pytest.approx([most, most, most / 2, most / 4, 5 / 8 * most])


@pytest.mark.parametrize(("keep", "trails"), [(0.0, False), (0.65, True)])
def test_no_smoothing_is_tried_where_the_mask_was_seen_to_trail(keep: float, trails: bool) -> None:
    inputs: Any = FakeReader(project(keep=keep))
    told = trail_of(inputs)
    assert told.trail is not None
    assert told.trails == trails
    assert told.row()["trails"] == int(trails)
    assert told.row()["told"] == told.sentence()
    if trails:
        assert 1 < told.trail.delay < 3, "0.65 is a delay of 1.9 frames"
        assert "late by 0" not in told.sentence()
        assert "the mask trails the person by" in told.sentence()
    clip = Clip.of(inputs, ROWS)
    tried = {one.told.split(",")[0]: one.setting for one in changes(clip, quick=False, trail=told)}
    assert ("no smoothing over time" in tried) == trails
    own, later = tried["as it is"], tried["more smoothing over time"]
    assert later.lag == own.lag + advised.LATER
    if trails:
        assert own.keep > 0 or own.lag > 0
        assert (tried["no smoothing over time"].keep, tried["no smoothing over time"].lag) == (0, 0)
        assert tried["a solid colour instead of the blur"].keep == own.keep


def test_of_a_moving_camera_and_of_what_is_not_believed_no_trailing_is_measured(
    swaying: dict[str, dict[str, Any]],
) -> None:
    moved = np.repeat(np.array([[1.0, 0, 9], [0, 1, 0]])[None], len(swaying["extract"]["frames"]), axis=0)
    moving = {**swaying, "align": {**swaying["align"], "transform": moved}}
    unbelieved = {**swaying, "aggregate": {**swaying["aggregate"]}}
    unbelieved["aggregate"]["confidence"] = np.zeros_like(swaying["aggregate"]["confidence"])
    for stages, why in ((moving, "moving camera"), (unbelieved, "too little")):
        told = trail_of(FakeReader(stages))  # type: ignore[arg-type]
        assert why in told.sentence()
        assert not told.trails
        assert told.row()["late"] == -1
        assert told.of(setting(lag=0)) == setting(lag=0)


RAMP = np.linspace(1, 0, BINS, dtype=np.float32)


def setting(**values: Any) -> Setting:
    return Setting(sigma=4.0, whole=True, relative=RAMP, peak=0.8, **values)


def layer_at(distance: np.ndarray) -> Layer:
    return Layer(0, np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.float32), distance)


def test_work_side_by_side_keeps_its_order_and_stops_at_the_first_failure() -> None:
    done: list[int] = []
    assert side_by_side(lambda a, b: a - b, (1, 2, 3), (3, 2, 1), done=lambda: done.append(1)) == [-2, 0, 2]
    assert len(done) == 3
    begun: list[int] = []

    def failing(number: int) -> None:
        begun.append(number)
        if number == 1:
            raise ValueError("the second")

    with pytest.raises(ValueError, match="the second"):
        side_by_side(failing, range(1000), done=lambda: None)
    assert len(begun) < 1000
