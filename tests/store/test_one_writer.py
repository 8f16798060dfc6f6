"""A commit is whole or did not happen, one process writes at a time, and readers never wait."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from small_records import record
from small_stages import contents, everything
from stored import A, B, bulk, pictures, store, writing

from vbtools.errors import (
    LockedError,
    ProjectError,
)
from vbtools.store import Reader, Writer, collect_garbage

# ------------------------------------------------------------------------------------------------------ never get lost


def test_a_failed_commit_of_the_same_fingerprint_loses_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forced rerun may give other bytes: its bulk must not take the place of what the project still refers to."""
    store(project, A, count=20)
    branch = Path(shutil.copy(project, project.with_name("branch.h5")))
    with monkeypatch.context() as patch:
        patch.setattr(Writer, "_rebuild", _raise_interrupt)
        with pytest.raises(KeyboardInterrupt):
            store(project, A, count=35)
    with Reader(project) as reader:
        assert reader.missing_bulk("extract") == ""
        assert len(reader.array("extract", "frames")) == 20
    store(project, A, count=35)
    with Reader(project) as reader, Reader(branch) as other:
        assert len(reader.array("extract", "frames")) == 35
        assert len(other.array("extract", "frames")) == 20


def _raise_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_commit_is_synced_before_it_takes_the_old_ones_place(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(project, A)
    events: list[tuple[str, str]] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(handle: int) -> None:
        events.append(("sync", Path(f"/proc/self/fd/{handle}").readlink().name))
        fsync(handle)

    def noted_replace(self: Path, target: Path) -> Path:
        events.append(("replace", Path(target).name))
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    inode = project.stat().st_ino
    store(project, B)
    part, data = f".{os.getpid()}.part", f"extract-{B[:16]}.h5"
    assert events == [
        ("sync", data + part), ("replace", data), ("sync", "study.data"),
        ("sync", "study.h5" + part), ("replace", "study.h5"), ("sync", "here"),
    ]  # fmt: skip
    assert project.stat().st_ino != inode


def test_what_others_put_into_the_project_stays(project: Path) -> None:
    store(project, A)
    with h5py.File(project, "r+") as file:
        file.attrs["remark"] = "mine"
        file["extra"] = np.arange(3)
    store(project, B)
    with h5py.File(project, "r") as file:
        assert file.attrs["remark"] == "mine"
        assert file["extra"][()].tolist() == [0, 1, 2]


# ------------------------------------------------------------------------------------------------------- one writer


def hold(project: Path, body: str = "time.sleep(60)") -> subprocess.Popen[str]:
    """Another process that has the project open for writing; it has said so when this returns."""
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom vbtools.store import Writer\n"
        f"with Writer(Path(sys.argv[1]), 'vbtools run quick') as writer:\n    print('ready', flush=True)\n    {body}\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, project], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def test_a_second_writer_is_told_who_is_first(project: Path) -> None:
    store(project)
    before = contents(project.parent)
    child = hold(project)
    try:
        with pytest.raises(LockedError) as caught, Writer(project, "vbtools gc"):
            pass
        with pytest.raises(LockedError):
            collect_garbage(project)
        assert caught.value.exit_code == 7
        for part in (f"process {child.pid} (", " on ", "'vbtools run quick'", "since 20"):
            assert part in str(caught.value)
        with Reader(project) as reader:
            assert len(reader.array("extract", "frames")) == 20
    finally:
        child.kill()
        child.wait()
    with Writer(project, "next"):
        assert json.loads(project.with_name("study.h5.lock").read_text())["pid"] == os.getpid()
    assert contents(project.parent) == before


def test_the_lock_dies_with_its_holder(project: Path) -> None:
    child = hold(project)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert project.with_name("study.h5.lock").exists()
    store(project)
    assert not project.with_name("study.h5.lock").exists()


def test_a_stopped_writer_still_holds_the_lock_but_no_reader(project: Path) -> None:
    store(project)
    child = hold(project)
    os.kill(child.pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        assert len(everything(project)) > 2
        assert time.monotonic() - begun < 5
        with pytest.raises(LockedError), Writer(project, "test"):
            pass
    finally:
        child.kill()
        child.wait()


def test_the_lock_is_given_back_after_an_error(project: Path) -> None:
    project.write_text("no project")
    with pytest.raises(ProjectError), Writer(project, "test"):
        pass
    assert [f.name for f in project.parent.iterdir()] == ["study.h5"]


def test_a_reader_in_the_middle_of_a_commit_sees_the_old_state(project: Path) -> None:
    store(project, A)
    before = everything(project)
    with writing(project, B, "segment") as (writer, output):
        output.append("frames", pictures(33))
        assert everything(project) == before
        with Reader(project) as early:
            writer.commit(output, record("segment", B))
            assert early.stages() == ("extract",)
        with Reader(project) as late:
            assert set(late.stages()) == {"extract", "segment"}


def test_a_reader_keeps_its_bulk_although_a_writer_removes_it(project: Path) -> None:
    store(project, A)
    with Reader(project) as reader:
        store(project, B, seed=1)
        collect_garbage(project)
        assert bulk(project) == {f"extract-{B[:16]}.h5"}
        np.testing.assert_array_equal(reader.array("extract", "frames"), pictures(20))
