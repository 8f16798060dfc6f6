"""What is installed is whole and is what the catalog says."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from loopback import CONTENT, SHA256

from vbtools import models
from vbtools.errors import InputError, MissingDependencyError, ModelError, StorageError, UsageError
from vbtools.models import cache

OTHER = b"other bytes" * 100


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.fixture
def good(tmp_path):
    return write(tmp_path / "good.bin", CONTENT)


def test_the_directory_is_the_environments_or_the_users(cache_directory, monkeypatch):
    assert models.directory() == cache_directory
    monkeypatch.delenv("VBTOOLS_MODELS")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert models.directory().parts[-2:] == ("vbtools", "models")


def test_a_missing_model_names_the_command_that_installs_it(cache_directory):
    assert models.installed("yolov8n") is None
    with pytest.raises(MissingDependencyError, match="vbtools models pull yolov8n"):
        models.resolve("yolov8n")
    with pytest.raises(MissingDependencyError, match="vbtools models add mprnet-deblurring FILE"):
        models.resolve("mprnet-deblurring")
    with pytest.raises(MissingDependencyError, match="vbtools models add mprnet-deblurring FILE"):
        models.pull("mprnet-deblurring")
    with pytest.raises(UsageError, match="yolov8n"):
        models.resolve("yolov8")


def test_an_added_model_is_found(cache_directory, put_in_catalog, good):
    put_in_catalog()
    path = models.add("test-model", good)
    assert path == models.installed("test-model") == models.resolve("test-model") == cache_directory / "test.bin"
    assert path.read_bytes() == CONTENT
    assert models.sha256_of(path) == SHA256


@pytest.mark.parametrize("content", [OTHER, b"", CONTENT[:-1] + b"x"])
def test_a_pinned_model_takes_only_the_pinned_bytes(cache_directory, put_in_catalog, tmp_path, content):
    put_in_catalog()
    with pytest.raises(ModelError, match="catalog says"):
        models.add("test-model", write(tmp_path / "bad", content))
    assert models.installed("test-model") is None


def test_a_missing_file_is_bad_input(cache_directory, put_in_catalog, tmp_path):
    put_in_catalog()
    with pytest.raises(InputError, match="not a file"):
        models.add("test-model", tmp_path / "nothing")


@pytest.mark.parametrize("pinned", [True, False])
@pytest.mark.parametrize("content", [OTHER, CONTENT[:-1] + b"x", b""])
def test_a_tampered_file_is_refused(cache_directory, put_in_catalog, good, pinned, content):
    put_in_catalog(**({} if pinned else {"sha256": None, "size": None}))
    path = models.add("test-model", good)
    models.resolve("test-model")
    path.write_bytes(content)
    with pytest.raises(ModelError, match="damaged or was replaced"):
        models.resolve("test-model")
    assert {c.name: c.state for c in models.verify()}["test-model"] == "damaged"


def test_a_damaged_file_is_replaced_by_pull(server, cache_directory, put_in_catalog):
    put_in_catalog(server.url())
    write(models.pull("test-model"), OTHER)
    assert models.pull("test-model").read_bytes() == CONTENT


def test_a_hash_prefix_in_the_file_name_is_checked(cache_directory, put_in_catalog, good):
    put_in_catalog(sha256=None, size=None, file=f"test-{SHA256[:8]}.pth")
    models.add("test-model", good)
    put_in_catalog(sha256=None, size=None, file="test-01234567.pth")
    with pytest.raises(ModelError, match="catalog says 01234567"):
        models.add("test-model", good)


def test_an_unpinned_model_is_held_to_what_was_first_installed(server, cache_directory, put_in_catalog, tmp_path):
    put_in_catalog(server.url(), sha256=None, size=None)
    path = models.pull("test-model")
    assert (cache_directory / "test.bin.sha256").read_text() == f"{SHA256}  test.bin\n"
    path.unlink()
    server.content = OTHER
    with pytest.raises(ModelError, match=f"first installed was {SHA256}"):
        models.pull("test-model")
    models.add("test-model", write(tmp_path / "other", OTHER))
    assert models.resolve("test-model").read_bytes() == OTHER


def test_an_unpinned_file_put_there_by_hand_is_not_trusted(cache_directory, put_in_catalog):
    put_in_catalog(sha256=None, size=None)
    cache_directory.mkdir()
    path = write(cache_directory / "test.bin", CONTENT)
    with pytest.raises(ModelError, match="vbtools models add test-model"):
        models.resolve("test-model")
    models.add("test-model", path)
    assert models.resolve("test-model").read_bytes() == CONTENT


def test_verify_tells_the_state_of_every_model(cache_directory, put_in_catalog, good):
    put_in_catalog()
    models.add("test-model", good)
    states = {c.name: c for c in models.verify()}
    assert set(states) == set(models.CATALOG)
    assert states["test-model"].state == "ok"
    assert states["test-model"].sha256 == SHA256
    assert states["yolov8n"].state == "absent"


def test_a_file_is_hashed_once_per_process(good, monkeypatch):
    models.sha256_of(good)
    monkeypatch.setattr(hashlib, "sha256", lambda: pytest.fail("hashed again"))
    assert models.sha256_of(good) == SHA256


@pytest.mark.parametrize("pinned", [True, False])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_an_install_that_is_broken_off_leaves_nothing_half_done(
    cache_directory, put_in_catalog, good, monkeypatch, pinned, call
):
    put_in_catalog(**({} if pinned else {"sha256": None, "size": None}))
    with monkeypatch.context() as patch:
        patch.setattr(os, call, lambda *args: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(StorageError, match="No space left"):
            models.add("test-model", good)
    assert models.installed("test-model") is None
    assert [p.name for p in cache_directory.iterdir() if "lock" not in p.name and "sha256" not in p.name] == []
    assert models.add("test-model", good).read_bytes() == CONTENT


def test_an_unpinned_replacement_that_is_broken_off_never_pairs_a_file_with_anothers_record(
    cache_directory, put_in_catalog, good, tmp_path, monkeypatch
):
    put_in_catalog(sha256=None, size=None)
    models.add("test-model", good)
    replace = os.replace

    def fail_for_the_model(source, target):
        if Path(target).name == "test.bin":
            raise OSError(28, "No space left on device")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail_for_the_model)
        with pytest.raises(StorageError):
            models.add("test-model", write(tmp_path / "other", OTHER))
    with pytest.raises(MissingDependencyError):
        models.resolve("test-model")


def test_a_directory_that_cannot_be_made_is_told(tmp_path, put_in_catalog, good, monkeypatch):
    monkeypatch.setenv("VBTOOLS_MODELS", str(write(tmp_path / "file", b"") / "models"))
    put_in_catalog()
    with pytest.raises(StorageError, match="VBTOOLS_MODELS"):
        models.add("test-model", good)


PULL = textwrap.dedent("""
    import sys
    from vbtools import models
    from vbtools.models import CATALOG, Model, Url
    url, size, sha = sys.argv[1:]
    CATALOG["test-model"] = Model("test-model", "detection", "test.bin", "MIT", "", int(size), sha, (Url(url),), (), "")
    path = models.pull("test-model")
    sys.exit(0 if models.sha256_of(path) == sha else 1)
""")


def test_two_processes_that_pull_at_once_do_not_spoil_each_other(server, cache_directory):
    server.pause, server.cut_after = 0.01, [200_000]
    command = [sys.executable, "-c", PULL, server.url(), str(len(CONTENT)), SHA256]
    root = Path(cache.__file__).parents[2]
    running = [subprocess.Popen(command, cwd=root) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert [r for _, r in server.requests] == [None, "bytes=200000-"], "the others waited and found it installed"
    assert (cache_directory / "test.bin").read_bytes() == CONTENT


def test_a_killed_pull_leaves_the_model_absent_and_the_next_one_resumes(server, cache_directory, put_in_catalog):
    server.silent_after = 65536
    command = [sys.executable, "-c", PULL, server.url(), str(len(CONTENT)), SHA256]
    process = subprocess.Popen(command, cwd=Path(cache.__file__).parents[2])
    part = cache_directory / "test.bin.part"
    try:
        while process.poll() is None and not (part.exists() and part.stat().st_size == 65536):
            pass
    finally:
        process.kill()
        process.wait()
    put_in_catalog(server.url())
    assert models.installed("test-model") is None
    server.silent_after = None
    assert models.pull("test-model").read_bytes() == CONTENT
    assert server.requests[-1] == ("/test.bin", "bytes=65536-")
