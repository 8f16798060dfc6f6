"""Progress is told in whole sentences on stderr, and is gone before the answer comes."""

from __future__ import annotations

import re
import sys

import pytest

from vbtools.cli import console


def test_what_is_counted_once_is_in_the_singular(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "QUIET_INTERVAL_S", 0.0)
    with console.progress("evaluate") as bar:
        for total, unit, count in ((None, "pictures", 2), (2, "steps", 1), (1, "frames", 1), (100, "%", 1)):
            bar.start(total, unit)
            for _ in range(count):
                bar.advance()
    out, err = capsys.readouterr()
    assert out == ""
    told = [re.sub(r", [\d.]+ \S+/s(, \d+ s left)?$", "", line) for line in err.splitlines()]
    assert told == [
        *("evaluate: 1 picture", "evaluate: 2 pictures", "evaluate: 1/2 steps", "evaluate: 1/1 frame"),
        "evaluate: 1/100 %",
    ]


def test_a_second_count_takes_the_first_bar_off_the_screen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that stayed would be drawn on, into the lines of the answer."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    drawn = []
    with console.progress("evaluate") as bar:
        for unit in ("frames", "pictures"):
            bar.start(None, unit)
            bar.advance()
            drawn.append(bar._bar)
    assert drawn[0] is not drawn[1]
    assert [one.live.is_started for one in drawn] == [False, False]
    console.say("lpips: not scored: no weights")
    assert capsys.readouterr().out == "lpips: not scored: no weights\n"
