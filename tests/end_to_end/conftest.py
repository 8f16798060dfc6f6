"""A command line that tests can call, and a small recording for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from recordings import Answer, Outcome, write_clip

from vbtools import models
from vbtools.cli import main as cli
from vbtools.errors import VbtoolsError


@pytest.fixture
def vbtools(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Run a command line in an empty folder; a traceback would be an exception here."""
    monkeypatch.chdir(tmp_path)

    def run(*args: object) -> Outcome:
        capfd.readouterr()
        code = cli.run([str(a) for a in args])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return Outcome(code, out, err)

    return run


@pytest.fixture(scope="session")
def segmentation_model() -> None:
    """The default segmentation model, pulled if it is not there; skips where it cannot be had."""
    try:
        models.pull("selfie-landscape")
    except VbtoolsError as problem:
        pytest.skip(f"needs the model selfie-landscape: {problem}")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A recording of eight frames, 160x90, in which nobody is."""
    return write_clip(tmp_path / "clip.mkv")
