"""Weights are read without running anything, and what cannot be read is told in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from weights import Runs, quiet_torch

from vbtools.backends.checkpoint import read, read_state
from vbtools.errors import ModelError

pytestmark = pytest.mark.torch


@pytest.fixture
def state():
    torch = pytest.importorskip("torch", reason="needs the torch extra")
    return {"a.weight": torch.arange(6.0).reshape(2, 3), "b.bias": torch.zeros(2)}


@pytest.mark.parametrize("wrapped", ["", "state_dict", "params_ema", "params", "model"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_weights_are_found_in_what_was_wrapped_around_them(tmp_path: Path, state, wrapped: str, prefix: str) -> None:
    named = {prefix + name: value for name, value in state.items()}
    quiet_torch().save({wrapped: named, "epoch": 3} if wrapped else named, tmp_path / "a.pth")
    found = read_state(tmp_path / "a.pth")
    assert set(found) == set(state)
    assert found["a.weight"].tolist() == state["a.weight"].tolist()


def test_the_older_format_and_safetensors_are_read(tmp_path: Path, state) -> None:
    torch = quiet_torch()
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    safetensors = pytest.importorskip("safetensors.torch", reason="needs the restore extra")
    safetensors.save_file(state, tmp_path / "a.safetensors")
    for name in ("old.pth", "a.safetensors"):
        assert set(read_state(tmp_path / name)) == set(state)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_with_code_in_it_is_refused_and_runs_nothing(tmp_path: Path, state, zipped: bool) -> None:
    harm = tmp_path / "harm"
    bad = state | {"x": Runs(f"touch {harm}")}
    quiet_torch().save(bad, tmp_path / "bad.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(ModelError, match=r"refused: loading it would run code \(\w+\.system\)"):
        read(tmp_path / "bad.pth")
    assert not harm.exists()


@pytest.mark.parametrize("name", ["zip.pth", "old.pth", "a.safetensors"])
def test_a_file_cut_anywhere_is_damaged_and_not_a_traceback(tmp_path: Path, state, name: str) -> None:
    torch = quiet_torch()
    path = tmp_path / name
    if name.endswith("safetensors"):
        safetensors = pytest.importorskip("safetensors.torch", reason="needs the restore extra")
        safetensors.save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=name == "zip.pth")
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, max(1, len(whole) // 60)):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"damaged, cut short or no checkpoint|refused"):  # half a name is no name
            read(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "damaged"), (b"GIF89a not a checkpoint at all" * 9, "damaged"), (b"\x80\x02}q\x00.", "damaged")],
)
def test_what_is_no_checkpoint_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    pytest.importorskip("torch", reason="needs the torch extra")
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(ModelError, match=words):
        read(tmp_path / "x.pth")


def test_a_missing_file_and_one_without_weights_are_told(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs the torch extra")
    with pytest.raises(ModelError, match="no weights file"):
        read(tmp_path / "x.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ModelError, match="holds a list"):
        read(tmp_path / "list.pth")
    torch.save({"epoch": 3}, tmp_path / "none.pth")
    with pytest.raises(ModelError, match="no weights in it"):
        read_state(tmp_path / "none.pth")
