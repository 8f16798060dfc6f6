"""A project is private, can be moved, linked to and packed, and loses no bulk that is in use."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from small_stages import everything
from stored import A, B, C, bulk, pictures, store

from vbtools.errors import (
    BulkMissingError,
    LockedError,
    ProjectError,
    UsageError,
)
from vbtools.store import Reader, Writer, collect_garbage, pack

# ------------------------------------------------------------------------------------------------------------- privacy


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277])
def test_files_are_private_whatever_the_umask(project: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store(project)
        pack(project, project.with_name("packed.h5"))
        with Writer(project, "test"):
            assert project.with_name("study.h5.lock").stat().st_mode & 0o077 == 0
    finally:
        os.umask(before)
    modes = {f.name: f.stat().st_mode & 0o777 for f in project.parent.rglob("*")}
    assert modes == {
        "study.h5": 0o600, "packed.h5": 0o600, "study.data": 0o700, f"extract-{A[:16]}.h5": 0o600,
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- portability


def test_a_moved_folder_still_works(project: Path) -> None:
    store(project)
    before = everything(project)
    moved = project.parent.rename(project.parent.with_name("there")) / "study.h5"
    assert everything(moved) == before
    with h5py.File(moved, "r") as file:  # for any HDF5 viewer, too
        link = file["extract"].get("frames", getlink=True)
        assert not Path(link.filename).is_absolute()
        np.testing.assert_array_equal(file["extract/frames"][()], pictures(20))


def test_bulk_is_found_through_a_symbolic_link(project: Path, tmp_path: Path) -> None:
    store(project)
    link = tmp_path / "elsewhere.h5"
    link.symlink_to(project)
    with Reader(link) as reader:
        assert reader.missing_bulk("extract") == ""
        assert len(reader.array("extract", "frames")) == 20
    store(link, B, stage="segment")
    assert link.is_symlink()
    assert not (tmp_path / "elsewhere.data").exists()
    with Reader(project) as reader:
        assert set(reader.stages()) == {"extract", "segment"}


def test_pack_makes_an_equal_project_that_stands_alone(project: Path, tmp_path: Path) -> None:
    store(project)
    store(project, B, stage="segment", count=33, seed=5, upstream={"extract": A})
    before = everything(project)
    alone = tmp_path / "alone" / "packed.h5"
    alone.parent.mkdir()
    size = pack(project, alone)
    shutil.rmtree(project.parent)
    assert everything(alone) == before
    assert size == alone.stat().st_size
    assert [f.name for f in alone.parent.iterdir()] == ["packed.h5"]


def test_a_packed_project_can_be_written_and_packed_again(project: Path) -> None:
    store(project)
    packed, again = project.with_name("packed.h5"), project.with_name("again.h5")
    pack(project, packed)
    store(packed, B, stage="segment", seed=3)
    assert packed.with_name("packed.data").is_dir()
    pack(packed, again)
    shutil.rmtree(packed.with_name("packed.data"))
    shutil.rmtree(project.with_name("study.data"))
    with Reader(again) as reader:
        np.testing.assert_array_equal(reader.array("extract", "frames"), pictures(20))
        np.testing.assert_array_equal(reader.array("segment", "frames"), pictures(20, 3))


def test_pack_replaces_nothing_unasked(project: Path) -> None:
    store(project)
    other = project.with_name("other.h5")
    other.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        pack(project, other)
    assert other.read_text() == "mine"
    with pytest.raises(UsageError, match="the project itself"):
        pack(project, project, force=True)
    with pytest.raises(ProjectError, match="does not exist"):
        pack(project, project.parent / "no" / "where.h5")
    pack(project, other, force=True)
    assert everything(other) == everything(project)


def test_pack_does_not_replace_a_project_that_is_being_written(project: Path) -> None:
    store(project)
    other = project.with_name("other.h5")
    store(other, B)
    with Writer(other, "test"), pytest.raises(LockedError):
        pack(project, other, force=True)


def test_pack_refuses_to_make_half_a_copy(project: Path) -> None:
    store(project)
    next(project.with_name("study.data").iterdir()).unlink()
    with pytest.raises(BulkMissingError, match="is gone"):
        pack(project, project.with_name("packed.h5"))
    assert [f.name for f in project.parent.iterdir() if f.is_file()] == ["study.h5"]


# --------------------------------------------------------------------------------------------------- garbage collection


def test_replaced_bulk_is_removed_by_the_next_writer(project: Path) -> None:
    store(project, A)
    store(project, B)
    assert bulk(project) == {f"extract-{A[:16]}.h5", f"extract-{B[:16]}.h5"}
    with Writer(project, "test"):
        assert bulk(project) == {f"extract-{B[:16]}.h5"}


def test_gc_removes_only_what_no_project_in_the_folder_refers_to(project: Path) -> None:
    store(project, A)
    store(project, A, stage="segment")
    branch = shutil.copy(project, project.with_name("branch.h5"))
    store(project, B)
    assert collect_garbage(project) == []
    store(branch, C, seed=4)
    removed = collect_garbage(project)
    assert [f.name for f, _ in removed] == [f"extract-{A[:16]}.h5"]
    assert all(size > 0 for _, size in removed)
    with Reader(branch) as reader:
        assert len(reader.array("segment", "frames")) == 20
        np.testing.assert_array_equal(reader.array("extract", "frames"), pictures(20, 4))
    with Reader(project) as reader:
        assert len(reader.array("extract", "frames")) == 20


@pytest.mark.parametrize("damage", ["truncated", "emptied", "no record", "newer"])
def test_gc_keeps_everything_beside_a_project_that_it_cannot_read(project: Path, damage: str) -> None:
    store(project, A)
    branch = Path(shutil.copy(project, project.with_name("branch.h5")))
    if damage in ("truncated", "emptied"):
        branch.write_bytes(branch.read_bytes()[: 2000 if damage == "truncated" else 0])
    else:
        with h5py.File(branch, "r+") as file:
            if damage == "no record":
                del file["extract"].attrs["bulk"]
            else:
                file["extract"].attrs["bulk"] = '[["a new kind of list"]]'
    store(project, B)
    assert collect_garbage(project) == []
    assert f"extract-{A[:16]}.h5" in bulk(project)
    branch.unlink()
    assert len(collect_garbage(project)) == 1


def test_a_folder_that_was_there_before_keeps_its_files(project: Path) -> None:
    folder = project.with_suffix(".data")
    folder.mkdir(mode=0o755)
    for name in ("notes.txt", "holiday.h5", "extract-1.h5", "extract-0123456789abcdef.mp4"):
        (folder / name).write_text("mine")
    (project.parent / "study.h5.old.part").write_text("mine")
    store(project, A)
    store(project, B)
    collect_garbage(project)
    assert {f.name for f in folder.iterdir() if f.read_bytes() == b"mine"} == {
        "notes.txt", "holiday.h5", "extract-1.h5", "extract-0123456789abcdef.mp4",
    }  # fmt: skip
    assert (project.parent / "study.h5.old.part").exists()
    assert folder.stat().st_mode & 0o777 == 0o755


def test_what_killed_writers_left_is_removed_and_other_projects_files_are_not(project: Path) -> None:
    store(project, A)
    data = project.with_suffix(".data")
    ours = [
        project.with_name("study.h5.4711.part"), data / f"segment-{B[:16]}.h5.4711.part",
        data / f"segment-{B[:16]}.h5.4711.part2", data / f"segment-{C[:16]}.h5",
    ]  # fmt: skip
    theirs = [project.with_name("study.h5.b.4711.part"), project.with_name("other.h5.4711.part")]
    for file in ours + theirs:
        file.write_bytes(b"half")
    with Writer(project, "test"):
        assert [f for f in ours if f.exists()] == []
        assert [f for f in theirs if not f.exists()] == []
