"""SIGKILL at random moments of a run: the project opens every time, and what had been stored is there.

``bench/kill.py --kills 200`` does the same to ``vbtools run`` on a clip. VBTOOLS_KILLS sets the number here.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from small_stages import NAMES, SmallExtract, SmallSegment, frames, tasks

from vbtools.pipeline import Decision, execute
from vbtools.pipeline.run import Quiet
from vbtools.store import Reader

KILLS = int(os.environ.get("VBTOOLS_KILLS", "30"))
MOST = 4
"""So many times KILLS at most."""
CLIP = b"a recording"


class Telling(Quiet):
    """Writes a line for each stage that has been stored, in one piece, to a pipe."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def finished(self, decision: Decision, seconds: float, notes: list[str]) -> None:
        name, print_ = decision.task.stage.name, decision.assessment.wanted.fingerprint
        os.write(self.handle, f"{name} {print_}\n".encode())


def rounds(project: Path, video: Path, first: int, handle: int) -> None:
    """Run the chain again and again, each time with something changed, so that everything is replaced."""
    for turn in range(first, first + 1000):
        chain = tasks({"extract": {"fps": float(turn + 1)}, "enhance": {"strength": turn}})
        execute(project, chain, video, listener=Telling(handle))


def killed_after(seconds: float, project: Path, video: Path, turn: int) -> list[tuple[str, str]]:
    """Start the rounds in another process and kill it; what it had said to be stored: (stage, fingerprint)."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:  # never let the child come back into pytest
        try:
            os.close(reading)
            rounds(project, video, turn, writing)
        except BaseException as error:  # noqa: BLE001
            os.write(writing, f"failed {type(error).__name__}:{error}\n".encode())
        finally:
            os._exit(1)
    os.close(writing)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with os.fdopen(reading) as told:
        return [(stage, print_) for stage, _, print_ in (line.strip().partition(" ") for line in told)]


def check_whole(project: Path) -> dict[str, str]:
    """Read every element of every stage; return stage -> fingerprint."""
    found = {}
    with Reader(project) as reader:
        for stage in reader.stages():
            record = reader.record(stage)
            assert record is not None
            found[stage] = record.fingerprint
            assert reader.missing_bulk(stage) == ""
            for name in reader.names(stage):
                reader.array(stage, name)
            if stage == "extract":
                np.testing.assert_array_equal(reader.array(stage, "frames"), frames(CLIP, record.parameters["fps"]))
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_a_kill_at_any_moment_loses_no_stored_stage(tmp_path: Path) -> None:
    dice = random.Random(7)
    video, project = tmp_path / "call.mp4", tmp_path / "study.h5"
    video.write_bytes(CLIP)
    begun = time.monotonic()
    execute(tmp_path / "first.h5", tasks(), video)
    span = 2 * (time.monotonic() - begun)
    told: list[tuple[str, str]] = []
    in_the_middle = 0
    for kill in range(MOST * KILLS):
        # A busy machine stores little between two kills: go on until enough was at stake.
        if kill >= KILLS and len(told) > KILLS // 2 and in_the_middle >= KILLS // 10:
            break
        turn = kill * 1000
        now = killed_after(dice.uniform(0.0, span), project, video, turn)
        assert not [one for one in now if one[0] == "failed"]
        told += now
        span *= 1.2 if not now else 0.9 if len(now) > len(NAMES) else 1.0  # what a machine does in a time, it shows
        in_the_middle += bool(list(tmp_path.rglob("*.part*")))
        if project.exists():
            stored = check_whole(project)
            with Reader(project) as reader:
                log = [(entry["stage"], entry["fingerprint"]) for entry in reader.log()]
            assert set(told) <= set(log), "a stage that had been stored is lost"
            assert stored == dict(log), "a stage went back to an older run"
        else:
            assert told == []
        if kill % 10 == 9:
            chain = tasks({"extract": {"fps": float(turn + 500)}})
            execute(project, chain, video)
            assert not list(tmp_path.rglob("*.part*"))
            assert not execute(project, chain, video).plan.to_run
    assert set(check_whole(project)) == set(NAMES)
    assert len(told) > KILLS // 2
    assert in_the_middle >= KILLS // 10, "the kills did not hit what they are meant to hit"


@pytest.mark.parametrize("stage", [SmallExtract.name, SmallSegment.name])
@pytest.mark.parametrize("moment", ["bulk renamed", "project written", "project renamed"])
def test_a_kill_at_each_step_of_a_commit_loses_nothing(tmp_path: Path, stage: str, moment: str) -> None:
    """The steps of a commit, one by one: the child kills itself there."""
    video, project = tmp_path / "call.mp4", tmp_path / "study.h5"
    video.write_bytes(CLIP)
    execute(project, tasks(), video)
    before = check_whole(project)
    pid = os.fork()
    if pid == 0:
        try:
            _die_at(moment, stage)
            execute(project, tasks(), video, force=(stage,))
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "the moment never came"
    assert check_whole(project) == before
    leftovers = [f for f in tmp_path.rglob("*") if f.suffix in (".part", ".lock")]
    assert leftovers, "nothing was in the middle"
    assert not execute(project, tasks(), video).plan.to_run
    execute(project, tasks(), video, force=(stage,))
    assert check_whole(project) == before
    assert not list(tmp_path.rglob("*.part"))


def _die_at(moment: str, stage: str) -> None:
    """Patch ``Path.replace`` in this (forked) process so that it kills the process at a step of the stage's commit."""
    replace = Path.replace
    committing = False

    def replaced(self: Path, target: Path) -> Path:
        nonlocal committing
        is_bulk = Path(target).parent.name == "study.data"
        committing = committing or (is_bulk and Path(target).name.startswith(stage))
        if committing and moment == "project written" and not is_bulk:
            os.kill(os.getpid(), signal.SIGKILL)
        done = replace(self, target)
        if committing and moment == ("bulk renamed" if is_bulk else "project renamed"):
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    Path.replace = replaced  # type: ignore[method-assign,assignment]
