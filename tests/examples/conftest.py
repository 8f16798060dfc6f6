"""One small simulated call, and the study of it as each example makes it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vbtools import models
from vbtools.errors import VbtoolsError

ROOT = Path(__file__).parents[2]
Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Run a program somewhere else than in the repository, with this environment's ``vbtools`` first on the path."""
    here = tmp_path_factory.mktemp("elsewhere")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run(*words: object, env: dict[str, str] | None = None, cwd: Path = here) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(word) for word in words], cwd=cwd, env={**os.environ, "PATH": path, **(env or {})},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def video(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated blurred call of one second, 320x180."""
    pytest.importorskip("mediapipe", reason="needs the mediapipe extra")
    for name in ("selfie-square", "selfie-landscape"):
        try:
            models.pull(name)
        except VbtoolsError as problem:
            pytest.skip(f"needs the model {name}: {problem}")
    folder = tmp_path_factory.mktemp("call") / "clip"
    done = program("vbtools", "simulate", "-o", folder, "--size", "320x180", "--seconds", 1, "--seed", 7)
    assert done.returncode == 0, done.stderr
    return folder / "blurred.mp4"


@pytest.fixture(scope="session")
def step_by_step(program: Program, video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that examples/step_by_step.sh made."""
    out = tmp_path_factory.mktemp("shell") / "out"
    done = program(ROOT / "examples" / "step_by_step.sh", video, out)
    assert done.returncode == 0, done.stderr
    assert "Nothing was read" in done.stdout or "was read" in done.stdout
    return out
