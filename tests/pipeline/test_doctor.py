"""doctor: what is there, what is not, the one command for each gap; quick, and importing nothing large."""

import json
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vbtools.backends import BACKENDS
from vbtools.errors import MissingDependencyError
from vbtools.models import CATALOG
from vbtools.pipeline import doctor
from vbtools.pipeline.doctor import Check, State, examine


def named(group: str) -> dict[str, Check]:
    return {check.name: check for check in examine().checks if check.group == group}


def test_everything_registered_is_looked_at_once() -> None:
    checks = examine().checks
    assert [c.name for c in checks if c.group == "backend"] == [f"{row.stage} {row.name}" for row in BACKENDS]
    assert [c.name for c in checks if c.group == "model"] == list(CATALOG)
    assert len({(c.group, c.name) for c in checks}) == len(checks)
    libraries = named("library")
    assert libraries["numpy"].detail.startswith(f"{metadata.version('numpy')}; for: base")
    assert {"av", "mediapipe", "pytesseract", "torch", "ultralytics"} <= set(libraries)
    assert "pytest" not in libraries


def test_every_gap_has_a_command_and_what_is_right_has_none() -> None:
    for check in examine().checks:
        assert bool(check.mend) == (check.state in (State.ABSENT, State.BAD)), check


@pytest.mark.parametrize(
    ("requirement", "found"),
    [
        ("av>=14", ("av", "14", None)),
        ("numpy", ("numpy", None, None)),
        ("mediapipe>=0.10.21; extra == 'mediapipe'", ("mediapipe", "0.10.21", "mediapipe")),
        ('torch<3,>=2.4; python_version < "3.13" and extra == "torch"', ("torch", "2.4", "torch")),
        ("ruamel.yaml!=1.0", ("ruamel.yaml", None, None)),
    ],
)
def test_requirements_are_understood(requirement: str, found: tuple[str | None, ...]) -> None:
    parts = doctor._REQUIREMENT.fullmatch(requirement)
    assert parts is not None
    assert (parts["name"], parts["least"], parts["extra"]) == found


def test_a_library_that_is_absent_or_too_old_says_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    requirements = ["nosuch-base>=1", "nosuch>=1; extra == 'yolo'", "numpy>=99.1"]
    monkeypatch.setattr(doctor.metadata, "requires", lambda _: requirements)
    libraries = named("library")
    assert (libraries["nosuch"].state, libraries["nosuch"].mend) == (State.ABSENT, "pip install 'vbtools[yolo]'")
    assert not libraries["nosuch"].needed
    assert (libraries["nosuch-base"].mend, libraries["nosuch-base"].needed) == ("pip install vbtools", True)
    assert libraries["numpy"].state is State.BAD
    assert "needs 99.1 or newer" in libraries["numpy"].detail


def test_absent_shared_libraries_are_one_command_and_stop_mediapipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_loads", lambda name: "GLES" not in name and "EGL" not in name)
    monkeypatch.setattr(doctor.platform, "system", lambda: "Linux")
    report = examine()
    command = "apt-get install -y --no-install-recommends libegl1 libgles2"
    absent = [c for c in report.stops if c.group == "shared library"]
    assert [(c.name, c.mend) for c in absent] == [("libEGL.so.1", command), ("libGLESv2.so.2", command)]
    (backend,) = [c for c in report.checks if c.name == "segment mediapipe"]
    assert (backend.state, backend.mend) == (State.ABSENT, command)


def test_models_absent_and_damaged_are_told_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VBTOOLS_MODELS", str(tmp_path))
    (tmp_path / CATALOG["selfie-square"].file).write_bytes(b"rubbish")
    models = named("model")
    assert models["selfie-square"].state is State.BAD
    assert "damaged" in models["selfie-square"].detail
    landscape = models["selfie-landscape"]
    assert (landscape.state, landscape.needed) == (State.ABSENT, True)
    assert landscape.mend == "vbtools models pull selfie-landscape"
    assert not models["selfie-square"].needed
    report = examine()
    assert not report.to_json()["works"]
    assert named("backend")["segment mediapipe"].mend == "vbtools models pull selfie-landscape"


def test_without_tesseract_words_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> Path:
        raise MissingDependencyError("no Tesseract", "Run: pip install 'vbtools[ocr]'")

    monkeypatch.setattr(doctor, "find_tesseract", absent)
    report = examine()
    assert {("program", "tesseract"), ("backend", "inspect ocr")} <= {(c.group, c.name) for c in report.stops}
    assert {c.mend for c in report.stops if c.group == "program"} == {"pip install 'vbtools[ocr]'"}


def test_tesseract_without_english_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "languages", lambda _: ["deu"])
    program = named("program")["tesseract"]
    assert (program.state, program.needed) == (State.BAD, True)


def test_a_row_that_is_not_built_is_no_gap() -> None:
    for row, check in zip(BACKENDS, named("backend").values(), strict=True):
        assert (check.state is State.NOT_BUILT) == (not row.is_built)
        if not row.is_built:
            assert check.mend == ""


def test_a_full_disk_and_no_place_for_kernels_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000))
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    machine = named("machine")
    assert machine["disk, this folder"].state is State.BAD
    assert machine["numba cache"].mend == "export NUMBA_CACHE_DIR=/tmp/numba"
    monkeypatch.setenv("VBTOOLS_MODELS", "/not/there/yet")
    assert "at /" in named("machine")["disk, models"].detail


@pytest.mark.parametrize("version", [("3", "10", "1"), ("3", "13", "0")])
def test_another_python_is_told(version: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.platform, "python_version_tuple", lambda: version)
    python = named("python")["python"]
    assert python.state is State.BAD
    assert "needs Python 3.11 to 3.12" in python.detail


def test_it_imports_nothing_large_and_is_quick() -> None:
    code = (
        "import json, sys, time; t = time.process_time()\n"
        "from vbtools.pipeline.doctor import examine\n"
        "r = examine(); t = time.process_time() - t\n"
        "print(json.dumps([t, [m for m in ('torch', 'mediapipe', 'cv2', 'ultralytics', 'numba') if m in sys.modules]]))"
    )
    begun = time.perf_counter()
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    used, loaded = json.loads(answer.stdout)
    assert loaded == []
    assert used < 2.0, f"took {used:.2f} s of processor, {time.perf_counter() - begun:.2f} s in all"  # measured 0.7


def test_json_holds_plain_values() -> None:
    report: dict[str, Any] = json.loads(json.dumps(examine().to_json()))
    assert set(report) == {"works", "vbtools", "checks"}
    assert {check["state"] for check in report["checks"]} <= {"ok", "absent", "bad", "not built"}
