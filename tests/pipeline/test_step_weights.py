"""A step's weights count by their content, wherever the file lies, as a stage's own do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vbtools.config.params import to_json
from vbtools.pipeline.freshness import Wanted, _paths, changes, wanted_of
from vbtools.stages import stage


def wanted(weights: Path, **options: Any) -> Wanted:
    one = stage("enhance")
    params = one.parameters({"steps": ["clahe", {"mprnet": {"weights": str(weights), **options}}]})
    made = wanted_of(one, params, {"aggregate": "ab"}, None, None)
    assert made.parameters == to_json(params), "where the file lay is remembered"
    return made


def differences(old: Wanted, new: Wanted) -> list[str]:
    return changes(old.provenance(), new.provenance(), _paths(stage("enhance")))


def test_a_file_that_was_moved_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"weights")
    first = wanted(tmp_path / "a.pth")
    (tmp_path / "a.pth").rename(tmp_path / "b.pth")
    moved = wanted(tmp_path / "b.pth")
    assert moved.fingerprint == first.fingerprint
    assert differences(first, moved) == []


def test_other_weights_under_the_same_name_are_a_change(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"weights")
    first = wanted(tmp_path / "a.pth")
    (tmp_path / "a.pth").write_bytes(b"other weights")
    other = wanted(tmp_path / "a.pth")
    assert other.fingerprint != first.fingerprint
    assert [reason.split(" (")[0] for reason in differences(first, other)] == ["weights of file 1 have changed"]


def test_another_option_of_the_step_is_a_change(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"weights")
    first, tiled = wanted(tmp_path / "a.pth"), wanted(tmp_path / "a.pth", tile=256)
    assert tiled.fingerprint != first.fingerprint
    assert differences(first, tiled)[0].startswith("steps [")
