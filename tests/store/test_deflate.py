"""Small elements packed side by side: HDF5 reads them as if it had packed them itself."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from small_records import record
from stored import STEP, writing

from vbtools.store import deflate
from vbtools.store.deflate import create_deflated

SHAPES = [(1,), (1000,), (301, 203), (67, 121, 3), (5, 7, 11, 2)]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_hdf5_reads_back_what_was_packed(
    shape: tuple[int, ...], dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deflate, "SIDE_BY_SIDE_BYTES", 0)
    data = (np.random.default_rng(0).random(shape) * 200).astype(dtype)
    path = tmp_path / "small.h5"
    with h5py.File(path, "w") as file:
        create_deflated(file, "ours", data)
        file.create_dataset("theirs", data=data, compression="gzip", compression_opts=deflate.LEVEL, shuffle=True)
    with h5py.File(path, "r") as file:
        ours, theirs = file["ours"], file["theirs"]
        assert np.array_equal(ours[()], data)
        assert ours.dtype == theirs.dtype
        assert (ours.chunks, ours.compression, ours.compression_opts, ours.shuffle) == (
            theirs.chunks, theirs.compression, theirs.compression_opts, theirs.shuffle
        )  # fmt: skip
        assert ours.id.get_storage_size() <= 1.2 * theirs.id.get_storage_size() + 100


def test_a_view_is_packed_as_it_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deflate, "SIDE_BY_SIDE_BYTES", 0)
    data = np.arange(60 * 40 * 3, dtype=np.uint32).reshape(60, 40, 3)[::-1, 3:, ::2]
    with h5py.File(tmp_path / "small.h5", "w") as file:
        assert np.array_equal(create_deflated(file, "view", data)[()], data)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (4, 0, 3)])
def test_nothing_comes_back_as_nothing(shape: tuple[int, ...], tmp_path: Path) -> None:
    with h5py.File(tmp_path / "small.h5", "w") as file:
        assert create_deflated(file, "nothing", np.zeros(shape, np.float32)).shape == shape


def test_a_picture_that_is_stored_twice_is_two_datasets_of_the_same_content(project: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    with writing(project) as (writer, output):
        output.append("frames", picture[None])
        for name in ("clahe", "image"):
            output.write(name, picture)
        writer.commit(output, record("extract", "a" * 64))
    with h5py.File(project, "r") as file:
        one, other = file["extract/clahe"], file["extract/image"]
        assert one != other
        assert np.array_equal(one[()], picture)
        assert np.array_equal(other[()], picture)
        assert dict(one.attrs) == dict(other.attrs) == {
            "description": STEP.description, "axes": "H, W, 3"
        }  # fmt: skip
