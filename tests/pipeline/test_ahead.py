"""A stage that follows another works on its rows while they are made, and stores what it would have stored anyway."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_chain import install
from small_stages import STAGES, Small, SmallExtract, SmallSegment, everything, frames

from vbtools.errors import InputError
from vbtools.pipeline import Task, execute
from vbtools.stages import Job
from vbtools.store import Reader


class Extract(SmallExtract):
    """Keeps only some of the rows that it made, in another order."""

    kept = (4, 0, 17)

    def work(self, job: Job[Any]) -> None:
        super().work(job)
        job.output.reorder("frames", self.kept)
        job.output.write("time", np.zeros(len(self.kept)))


class Segment(SmallSegment):
    """Can work ahead; remembers in which thread."""

    follows = ("extract", "frames")
    threads: list[str] = []  # noqa: RUF012
    fails_on: int | None = None

    def work(self, job: Job[Any]) -> None:
        self.follow(job, (row for block in job.inputs.blocks("extract", "frames") for row in block))

    def follow(self, job: Job[Any], rows: Iterable[Any]) -> None:
        self.threads.append(threading.current_thread().name)
        for number, row in enumerate(rows):
            if number == self.fails_on:
                raise InputError("a frame that cannot be segmented")
            job.output.append("person", row[None, ..., 0] // 2)


@pytest.fixture(autouse=True)
def chain(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    monkeypatch.setattr(Segment, "threads", [])
    monkeypatch.setattr(Segment, "fails_on", None)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    file = tmp_path / "call.mp4"
    file.write_bytes(b"a recording")
    return file


def run(project: Path, video: Path, segment: Small, extract: Small | None = None) -> None:
    stages = [extract or STAGES[0], segment, *STAGES[2:]]
    execute(project, [Task(s, s.parameters({})) for s in stages], video)


def without_times(project: Path) -> dict[str, Any]:
    found = everything(project)
    for value in [*found.pop("log"), *(v for v in found.values() if isinstance(v, dict))]:
        for name in ("started", "duration", "command"):
            value.pop(name, None)
    return found


def test_what_is_stored_is_the_same_as_one_after_the_other(tmp_path: Path, video: Path) -> None:
    run(tmp_path / "ahead.h5", video, Segment())
    run(tmp_path / "after.h5", video, SmallSegment())
    assert Segment.threads == ["segment-ahead"]
    assert without_times(tmp_path / "ahead.h5") == without_times(tmp_path / "after.h5")


def test_rows_that_the_followed_stage_drops_or_moves_are_dropped_and_moved(tmp_path: Path, video: Path) -> None:
    run(tmp_path / "study.h5", video, Segment(), Extract())
    with Reader(tmp_path / "study.h5") as reader:
        expected = frames(b"a recording", None)[list(Extract.kept)]
        np.testing.assert_array_equal(reader.array("extract", "frames"), expected)
        np.testing.assert_array_equal(reader.array("segment", "person"), expected[..., 0] // 2)


def test_a_failure_ahead_is_raised_in_the_stages_own_turn_and_the_followed_stage_is_kept(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Segment, "fails_on", 2)
    with pytest.raises(InputError, match="cannot be segmented"):
        run(tmp_path / "study.h5", video, Segment())
    assert Segment.threads == ["segment-ahead", threading.current_thread().name]
    with Reader(tmp_path / "study.h5") as reader:
        assert reader.stages() == ("extract",)
    assert [f.name.split("-")[0] for f in (tmp_path / "study.data").iterdir()] == ["extract"]
    monkeypatch.setattr(Segment, "fails_on", None)
    run(tmp_path / "study.h5", video, Segment())
    assert Segment.threads[-1] == threading.current_thread().name  # extract was fresh: there was nothing to follow


@pytest.mark.parametrize("rows", [1, 3, 20])
def test_a_followed_stage_that_fails_stops_the_follower_and_leaves_nothing(
    tmp_path: Path, video: Path, rows: int
) -> None:
    class Broken(SmallExtract):
        def work(self, job: Job[Any]) -> None:
            for frame in frames(b"a recording", None)[:rows]:
                job.output.append("frames", frame[None])
            raise InputError("the recording ends in the middle")

    with pytest.raises(InputError, match="ends in the middle"):
        run(tmp_path / "study.h5", video, Segment(), Broken())
    assert not [thread for thread in threading.enumerate() if thread.name.endswith("-ahead")]
    assert not (tmp_path / "study.h5").exists()
    assert not (tmp_path / "study.data").exists()


def test_a_stage_that_fails_after_the_last_row_runs_again_in_its_turn(tmp_path: Path, video: Path) -> None:
    class Late(Segment):
        def follow(self, job: Job[Any], rows: Iterable[Any]) -> None:
            super().follow(job, rows)
            if threading.current_thread() is not threading.main_thread():
                raise InputError("too late")

    for name, segment in (("ahead", Late()), ("after", SmallSegment())):
        stages = [STAGES[0], segment, *STAGES[2:]]
        execute(tmp_path / f"{name}.h5", [Task(s, s.parameters({})) for s in stages], video)
    assert without_times(tmp_path / "ahead.h5") == without_times(tmp_path / "after.h5")
    assert Segment.threads == ["segment-ahead", threading.main_thread().name]
