"""A file that is no usable project is told in one sentence, and left as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
from small_stages import contents, everything
from stored import A, B, store

from vbtools.errors import (
    BulkMissingError,
    ProjectError,
    StageMissingError,
    StorageError,
)
from vbtools.store import Reader, Source, Writer, collect_garbage
from vbtools.store.layout import FORMAT_VERSION

# ------------------------------------------------------------------------------------- projects that cannot be used


def foreign(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["data"] = [1, 2]


def newer(path: Path) -> None:
    store(path)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = FORMAT_VERSION + 1


def truncated(path: Path) -> None:
    store(path)
    path.write_bytes(path.read_bytes()[:-3000])


def without_version(path: Path) -> None:
    store(path)
    with h5py.File(path, "r+") as file:
        del file.attrs["format_version"]


BAD = {
    "is not a vbtools project: it is not an HDF5 file": lambda p: p.write_text("hello"),
    "it is not an HDF5 file": lambda p: p.touch(),
    "is an HDF5 file, but not a vbtools project": foreign,
    f"has format version {FORMAT_VERSION + 1}; this vbtools reads up to {FORMAT_VERSION}": newer,
    "is damaged: HDF5 cannot open it": truncated,
    "is damaged": without_version,
    "is a folder, not a project": lambda p: p.mkdir(),
}


@pytest.mark.parametrize("fact", BAD)
def test_a_file_that_is_no_usable_project_is_refused_and_left_alone(project: Path, fact: str) -> None:
    BAD[fact](project)
    before = contents(project.parent)
    with pytest.raises(ProjectError) as caught, Reader(project):
        pass
    assert fact in caught.value.fact
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    with pytest.raises(ProjectError) as caught, Writer(project, "test"):
        pass
    assert fact in caught.value.fact
    with pytest.raises(ProjectError):
        collect_garbage(project)
    assert contents(project.parent) == before


def test_a_missing_project_or_folder_is_said(tmp_path: Path) -> None:
    for place in (tmp_path / "no.h5", tmp_path / "no" / "no.h5"):
        with pytest.raises(ProjectError, match=r"There is no project .* Make one: vbtools extract"), Reader(place):
            pass
    with pytest.raises(ProjectError, match=r"The folder .* does not exist. Make it: mkdir -p"):
        Writer(tmp_path / "no" / "no.h5", "test").__enter__()
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_project_is_refused_even_to_root(project: Path) -> None:
    store(project)
    project.chmod(0o400)
    before = contents(project.parent)
    with pytest.raises(ProjectError, match=r"is read-only. Make it writable \(chmod u\+w"), Writer(project, "test"):
        pass
    assert contents(project.parent) == before
    with Reader(project) as reader:
        assert reader.stages() == ("extract",)


def as_nobody(code: str, *arguments: Path) -> str:
    """Run ``act`` of the code without root's rights (imports still with them); the answer is what it printed."""
    drop = "import os\nos.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\n"
    head = "import sys\nfrom pathlib import Path\nfrom vbtools.store import Reader, Writer\n"
    tail = "\ntry:\n    act(Path(sys.argv[1]))\nexcept Exception as error:\n    print(type(error).__name__, error)\n"
    done = subprocess.run(
        [sys.executable, "-B", "-c", head + code + "\n" + drop + tail, *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


@pytest.fixture
def open_place(tmp_path: Path) -> Iterator[Path]:
    """A folder that another user can reach (pytest's own is 0700)."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up rights to test this")
def test_an_unreadable_project_is_said_to_be_unreadable(open_place: Path) -> None:
    store(open_place / "study.h5")
    for act in ("Reader(p).__enter__()", "Writer(p, 'x').__enter__()"):
        answer = as_nobody(f"act = lambda p: {act}", open_place / "study.h5")
        assert answer.startswith("ProjectError")
        assert "may not be read (Permission denied). Ask its owner" in answer
    assert not list(open_place.glob("*.lock"))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up rights to test this")
def test_a_folder_that_may_not_be_written_is_a_storage_error(open_place: Path) -> None:
    open_place.chmod(0o755)
    answer = as_nobody("act = lambda p: Writer(p, 'x').__enter__()", open_place / "study.h5")
    assert answer.startswith("StorageError")
    assert "Permission denied" in answer


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up rights to test this")
def test_gc_keeps_everything_beside_a_project_that_it_may_not_read(open_place: Path) -> None:
    project = open_place / "study.h5"
    store(project, A)
    store(project, B)
    for file in open_place.rglob("*"):
        os.chown(file, 65534, 65534)
    code = "from vbtools.store import collect_garbage\nact = lambda p: print(len(collect_garbage(p)))"
    (open_place / "theirs.h5").touch(0o600)
    assert as_nobody(code, project) == "0\n"
    (open_place / "theirs.h5").unlink()
    assert as_nobody(code, project) == "1\n"


@pytest.mark.parametrize("offset", range(0, 16_000, 800))
def test_a_damaged_byte_is_never_a_raw_error(project: Path, offset: int) -> None:
    store(project, A)
    raw = bytearray(project.read_bytes())
    raw[offset % len(raw) : offset % len(raw) + 64] = b"\xff" * 64
    project.write_bytes(raw)
    with suppress(ProjectError):
        everything(project)


def test_an_error_of_hdf5_while_reading_is_a_damaged_project_and_a_stages_own_is_not(project: Path) -> None:
    store(project, A)
    file = project.with_suffix(".data") / f"extract-{A[:16]}.h5"
    with h5py.File(file, "r") as opened:
        at = opened["frames"].id.get_chunk_info(0)
    raw = bytearray(file.read_bytes())
    raw[at.byte_offset : at.byte_offset + at.size] = b"\xff" * at.size
    file.write_bytes(raw)
    with pytest.raises(ProjectError, match="is damaged"), Reader(project) as reader:
        reader.array("extract", "frames")
    with pytest.raises(RuntimeError, match="mine"), Reader(project):
        raise RuntimeError("mine")


# ------------------------------------------------------------------------------------------------------- missing bulk


def test_missing_bulk_says_how_to_get_it_back(project: Path) -> None:
    store(project, A, source=Source("/videos/call.mp4", "5" * 64, 1, 2))
    file = project.with_suffix(".data") / f"extract-{A[:16]}.h5"
    size = file.stat().st_size
    whole = file.read_bytes()

    def trouble() -> str:
        with Reader(project) as reader:
            np.testing.assert_array_equal(reader.array("extract", "time"), np.arange(20.0))  # the small stays readable
            with pytest.raises(BulkMissingError) as caught:
                reader.array("extract", "frames")
            assert caught.value.hint == (
                f"Run extract again to get it back (its source '/videos/call.mp4' has sha256 {'5' * 64})"
            )
            return caught.value.fact

    file.write_bytes(whole[:-1])
    assert trouble() == f"Bulk data is missing: /extract/frames has {size - 1} bytes instead of {size} ('{file}')"
    file.write_bytes(b"\0" * size)
    assert "/extract/frames cannot be opened" in trouble()
    file.write_bytes(whole.replace(A.encode(), B.encode()))
    assert trouble() == f"Bulk data is missing: /extract/frames belongs to another run ('{file}')"
    file.unlink()
    assert trouble() == f"Bulk data is missing: /extract/frames is gone ('{file}')"


def test_what_is_not_stored_is_said(project: Path) -> None:
    store(project, A)
    with Reader(project) as reader:
        with pytest.raises(StageMissingError, match=r"has no align yet\. Run: vbtools align -p"):
            reader.array("align", "flow")
        with pytest.raises(ProjectError, match="holds no /extract/flow"):
            reader.array("extract", "flow")
        assert reader.record("align") is None
        assert not reader.has("extract", "flow")
        assert reader.has("extract", "frames")


def test_storage_errors_are_exit_12() -> None:
    assert StorageError.exit_code == 12
