"""A disk that is full is one clear error: nothing stored is lost, nothing half is left, and HDF5 does not crash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from small_stages import contents

from vbtools.store import Reader, Writer

pytestmark = pytest.mark.slow
CHILD = '''
import resource, signal, sys
from pathlib import Path
import numpy as np
from small_records import record
from vbtools.config.element import Element
from vbtools.errors import VbtoolsError
from vbtools.store import Writer, pack

ELEMENTS = (Element("frames", "uint8", ("T", "H", "W", "3"), "", bulk=True), Element("time", "float64", ("T",), ""))

def store(project, stage, frames, times):
    noise = np.random.default_rng(1)
    with Writer(project, "test") as writer:
        writer.create()
        with writer.output(stage, ELEMENTS, stage[0] * 64) as output:
            for _ in range(frames):
                output.append("frames", noise.integers(0, 256, (1, 60, 80, 3), dtype=np.uint8))
            if reorder:
                output.reorder("frames", list(range(frames))[::-1])
            output.write("time", noise.random(times))
            writer.commit(output, record(stage, stage[0] * 64))

project, limit, act, frames, times = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:])
reorder = False
if not project.exists():
    store(project, "extract", 20, 10)
reorder = act == "reorder"
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    if act == "pack":
        pack(project, project.with_name("packed.h5"))
    elif act == "create":
        with Writer(project.with_name("new.h5"), "test") as writer:
            writer.create()
    elif act != "nothing":
        store(project, "segment", frames, times)
except VbtoolsError as error:
    print(error)
    sys.exit(error.exit_code)
'''


def child(project: Path, limit: int, act: str, frames: int, times: int) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", CHILD, project, str(limit), act, str(frames), str(times)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)


def check_refused(done: subprocess.CompletedProcess[str], project: Path, before: dict[str, tuple[bytes, int]]) -> None:
    """Exit 12, one sentence, silence on stderr, and a project that holds what it held."""
    assert (done.returncode, done.stderr) == (12, "")
    assert len(done.stdout.splitlines()) == 1
    assert "nothing that was stored is lost" in done.stdout
    with Reader(project) as reader:
        assert reader.stages() == ("extract",)
        assert reader.array("extract", "frames").shape == (20, 60, 80, 3)
        assert len(reader.array("extract", "time")) == 10
    now = contents(project.parent)
    assert {name: now[name] for name in before} == before
    assert not list(project.parent.rglob("*.part*"))
    assert not list(project.parent.rglob("*.lock"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one stage; its bulk is of about 300 kB."""
    made = tmp_path / "study.h5"
    done = child(made, 0, "nothing", 0, 0)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    return made


CASES = {
    "the lock": (10, "store", 40, 10),
    "the first bytes of bulk": (300, "store", 40, 10),
    "appending bulk": (400_000, "store", 60, 10),
    "finishing bulk": (570_000, "store", 40, 10),
    "bulk that waits for its end": (100_000, "store", 10, 10),
    "reordering bulk": (590_000, "reorder", 40, 10),
    "rebuilding the project": (50_000, "store", 1, 100_000),
    "the first project": (100, "create", 0, 0),
    "packing": (100_000, "pack", 0, 0),
}


@pytest.mark.parametrize("phase", CASES)
def test_no_room_for_a_file_loses_nothing(project: Path, phase: str) -> None:
    before = contents(project.parent)
    done = child(project, *CASES[phase])
    assert "The system allows no larger file" in done.stdout
    check_refused(done, project, before)
    done = child(project, 0, "store", 40, 10)
    assert (done.returncode, done.stderr) == (0, "")
    with Reader(project) as reader:
        assert set(reader.stages()) == {"extract", "segment"}
        assert len(np.asarray(reader.array("segment", "frames"))) == 40


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    if os.getuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small file system here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize(
    ("act", "frames", "times", "fill"),
    [
        ("store", 100, 10, 0), ("store", 1, 200_000, 0), ("reorder", 30, 10, 0), ("pack", 0, 0, 500_000),
        ("create", 0, 0, 1_000_000), ("store", 1, 10, 1_000_000),
    ],
)  # fmt: skip
def test_a_full_disk_loses_nothing(small_disk: Path, act: str, frames: int, times: int, fill: int) -> None:
    project = small_disk / "study.h5"
    assert child(project, 0, "nothing", 0, 0).returncode == 0
    if fill:  # as much of it as there is room for
        with (small_disk / "filler").open("wb", buffering=0) as filler:
            for _ in range(fill // 4096):
                try:
                    filler.write(bytes(4096))
                except OSError:
                    break
    before = contents(small_disk)
    done = child(project, 0, act, frames, times)
    assert "The disk is full" in done.stdout
    check_refused(done, project, before)
    (small_disk / "filler").unlink(missing_ok=True)
    with Writer(project, "test"):
        assert [f.name for f in small_disk.rglob("*.h5")].count("study.h5") == 1
    assert child(project, 0, "store", 10, 10).returncode == 0
