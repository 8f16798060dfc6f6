"""What is asked for: refused where it makes no sense, and which frames the call shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbtools.errors import UsageError
from vbtools.simulate.settings import CallSettings, Settings, call_frames


def test_a_plain_call_shows_every_frame():
    shown = call_frames(7, 25.0, Settings(), 0.0)
    assert [f.source for f in shown] == list(range(7))
    assert [f.time_s for f in shown] == [i / 25 for i in range(7)]


def test_a_slower_call_shows_the_frame_that_is_due():
    shown = call_frames(50, 25.0, Settings(call=CallSettings(fps=10)), 0.0)
    assert [f.source for f in shown][:5] == [0, 2, 5, 7, 10]
    assert len(shown) == 20


def test_muted_frames_are_not_sent_and_a_title_card_comes_first():
    shown = call_frames(50, 25.0, Settings(muted=((1.0, 1.5),)), 0.4)
    assert [f.source for f in shown[:10]] == [None] * 10
    sources = [f.source for f in shown[10:]]
    assert sources == [*range(25), *range(38, 50)]
    assert shown[10].time_s == pytest.approx(0.4)


@given(count=st.integers(1, 200), fps=st.floats(1, 60), rate=st.floats(1, 60), dropped=st.floats(0, 0.9),
       seed=st.integers(0, 99))  # fmt: skip
def test_call_frames_are_ordered_and_follow_from_the_seed(count, fps, rate, dropped, seed):
    settings = Settings(seed=seed, call=CallSettings(fps=rate, dropped=dropped))
    shown = call_frames(count, fps, settings, 0.0)
    sources = [f.source for f in shown]
    assert sources[0] == 0
    assert sources == sorted(set(sources))
    assert sources[-1] < count
    assert shown == call_frames(count, fps, settings, 0.0)


def test_drops_are_about_as_many_as_asked():
    shown = call_frames(2000, 25.0, Settings(call=CallSettings(dropped=0.3)), 0.0)
    assert 0.65 < len(shown) / 2000 < 0.75


BAD = {
    "clip and person": {"clip": Path("a.mp4"), "person": Path("b.mp4")},
    "clip and motion": {"clip": Path("a.mp4"), "motion": "sway"},
    "clip and chart": {"clip": Path("a.mp4"), "chart": True},
    "clip and a hand-held camera": {"clip": Path("a.mp4"), "camera": "handheld"},
    "chart and background": {"chart": True, "background": Path("a.jpg")},
    "no such camera": {"camera": "drone"}, "loud": {"noise": 99.0}, "drifting": {"drift": -0.1},
    "muted backwards": {"muted": ((3.0, 2.0),)}, "fails before the start": {"fails": ((-1.0, 2.0),)},
    "codec": {"call": CallSettings(codec="h266")}, "overlay": {"call": CallSettings(overlays=("hat",))},
    "odd call": {"call": CallSettings(size=(321, 180))}, "call rate": {"call": CallSettings(fps=0.0)},
    "all dropped": {"call": CallSettings(dropped=1.0)}, "no bits": {"call": CallSettings(bit_rate=10)},
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_what_makes_no_sense_is_refused(bad):
    with pytest.raises(UsageError) as caught:
        replace(Settings(), **bad).check()
    assert caught.value.hint
