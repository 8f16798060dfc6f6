"""Carrying out a plan: everything checked before anything runs, each stage stored whole, and nothing half left."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_chain import install
from small_stages import MODEL, NAMES, Small, contents, frames, tasks

from vbtools.errors import LockedError, MissingDependencyError
from vbtools.pipeline import Decision, assess_stored, execute
from vbtools.stages import Job, Progress, Silent
from vbtools.store import Reader, Writer


@pytest.fixture(autouse=True)
def small_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    file = tmp_path / "call.mp4"
    file.write_bytes(b"a recording")
    return file


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    return folder / "study.h5"


def test_a_run_stores_what_the_stages_computed_and_how(project: Path, video: Path) -> None:
    execute(project, tasks({"extract": {"fps": 15}}), video)
    expected = frames(b"a recording", 15)
    with Reader(project) as reader:
        np.testing.assert_array_equal(reader.array("extract", "frames"), expected)
        np.testing.assert_array_equal(reader.array("segment", "person"), expected[..., 0] // 2)
        np.testing.assert_array_equal(reader.array("enhance", "image"), 255 - expected.max(axis=0))
        assert reader.table("align", "left_out") == [{"row": 3, "why": "dünn"}]
        records = {name: reader.record(name) for name in NAMES}
        extract, segment, align = records["extract"], records["segment"], records["align"]
        assert [entry["stage"] for entry in reader.log()] == list(NAMES)
    assert extract is not None
    assert segment is not None
    assert align is not None
    assert extract.parameters == {"fps": 15.0, "keep_all": False}
    assert extract.source is not None
    assert (extract.source.path, extract.source.size) == (str(video), 11)
    assert segment.weights == {MODEL: "1" * 64}
    assert align.upstream == {"extract": extract.fingerprint, "segment": segment.fingerprint}
    assert set(align.provenance) == {"extract", "segment"}
    assert (align.user, align.version, align.seed) == (getpass.getuser(), 1, 0)
    assert align.command.startswith("vbtools ")
    assert "numpy" in align.software


class Watching:
    """Notes what a listener is told, in order."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def decided(self, decision: Decision) -> None:
        self.told.append(f"decided {decision}")

    @contextmanager
    def working(self, decision: Decision) -> Iterator[Progress]:
        self.told.append("working")
        yield Silent()
        self.told.append("worked")

    def finished(self, decision: Decision, seconds: float, notes: list[str]) -> None:
        assert seconds >= 0
        self.told.append(f"finished {notes}")


def test_a_listener_is_told_every_step(project: Path, video: Path) -> None:
    def note(job: Job[Any]) -> None:
        job.notes.append("left out 2 frames")

    Small.before["segment"] = note
    watching = Watching()
    outcome = execute(project, tasks(None, ("extract", "segment")), video, listener=watching)
    assert watching.told == [
        "decided extract: missing: has not been run", "working", "worked", "finished []",
        "decided segment: missing: has not been run", "working", "worked", "finished ['left out 2 frames']",
    ]  # fmt: skip
    assert outcome.notes == {"extract": [], "segment": ["left out 2 frames"]}
    with Reader(project) as reader:
        record = reader.record("segment")
    assert record is not None
    assert record.notes == ["left out 2 frames"]
    again = Watching()
    execute(project, tasks(None, ("extract", "segment")), video, listener=again)
    assert again.told == [f"decided {name}: fresh: nothing has changed" for name in ("extract", "segment")]


def test_what_would_stop_a_later_stage_stops_the_run_before_the_first(project: Path, video: Path) -> None:
    Small.refuse["enhance"] = MissingDependencyError("enhance: no torch", "Run: pip install 'vbtools[restore]'")
    with pytest.raises(MissingDependencyError):
        execute(project, tasks(), video)
    assert Small.ran == []
    assert list(project.parent.iterdir()) == []


def test_a_stage_that_is_skipped_is_not_checked(project: Path, video: Path) -> None:
    execute(project, tasks(), video)
    Small.refuse["segment"] = MissingDependencyError("segment: no model", "Run: vbtools models pull")
    assert not execute(project, tasks(), video).plan.to_run
    assert [d.task.stage.name for d in execute(project, tasks({"align": {"method": "farneback"}})).plan.to_run] == [
        "align", "aggregate", "enhance",
    ]  # fmt: skip


@pytest.mark.parametrize("error", [ValueError("a mistake"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("stage", ["extract", "segment", "enhance"])
def test_a_stage_that_fails_leaves_the_earlier_ones_stored_and_nothing_half(
    project: Path, video: Path, error: BaseException, moment: str, stage: str
) -> None:
    def fail(job: Job[Any]) -> None:
        raise error

    getattr(Small, moment)[stage] = fail
    with pytest.raises(type(error)):
        execute(project, tasks(), video)
    done = NAMES[: NAMES.index(stage)]
    assert not list(project.parent.rglob("*.part*"))
    assert not list(project.parent.rglob("*.lock"))
    if done:
        with Reader(project) as reader:
            assert reader.stages() == done
            assert {a.stage for a in assess_stored(reader) if a.state == "fresh"} == set(done)
            for name in done:
                for element in reader.names(name):
                    reader.array(name, element)
    else:  # a project that never held anything is not left behind
        assert not project.exists()
        assert not project.with_suffix(".data").exists()
    getattr(Small, moment).clear()
    Small.ran.clear()
    execute(project, tasks(), video)
    assert Small.ran == list(NAMES[NAMES.index(stage) :])


def test_a_failed_rerun_keeps_the_old_result(project: Path, video: Path) -> None:
    def fail(job: Job[Any]) -> None:
        raise ValueError("a mistake")

    execute(project, tasks(), video)
    before = contents(project.parent)
    Small.after["extract"] = fail
    with pytest.raises(ValueError, match="a mistake"):
        execute(project, tasks({"extract": {"fps": 30}}), video)
    assert contents(project.parent) == before


def test_while_somebody_writes_nothing_is_run_but_what_is_fresh_is_fresh(project: Path, video: Path) -> None:
    execute(project, tasks(), video)
    before = contents(project.parent)
    Small.ran.clear()
    with Writer(project, "vbtools run"):
        assert not execute(project, tasks(), video).plan.to_run
        with pytest.raises(LockedError):
            execute(project, tasks(), video, force=("extract",))
    assert Small.ran == []
    assert contents(project.parent) == before


def test_a_stage_sees_the_project_as_the_stage_before_left_it(project: Path, video: Path) -> None:
    seen: list[tuple[str, ...]] = []

    def look(job: Job[Any]) -> None:
        seen.append(job.inputs.stages())

    for name in NAMES:
        Small.before[name] = look
    execute(project, tasks(), video)
    assert seen == [NAMES[:n] for n in range(5)]


def test_only_the_stage_that_reads_the_recording_is_given_it(project: Path, video: Path) -> None:
    given: dict[str, Path | None] = {}
    for name in NAMES:
        Small.before[name] = lambda job, name=name: given.update({name: job.source})  # type: ignore[misc]
    execute(project, tasks(), video)
    assert given == dict.fromkeys(NAMES) | {"extract": video}
