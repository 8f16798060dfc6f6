"""Readers for the files of a simulated call, and the settings of the one that most tests here look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from vbtools.backends.picture import read_picture
from vbtools.backends.video import open_video
from vbtools.simulate.write import Settings

SMALL = Settings(seed=3, seconds=1.0, size=(320, 180), fps=25.0, motion="sway")


class Call:
    """A simulated call's files, read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.truth: dict[str, Any] = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        self.background = read_picture(folder / "background.png")
        self.clean = frames_of(folder / "clean.mkv")
        self.alpha = frames_of(folder / "alpha.mkv")[..., 0]
        self.blurred = frames_of(folder / "blurred.mp4")


def frames_of(path: Path) -> np.ndarray:
    """All frames, (T, H, W, 3) uint8 RGB."""
    with open_video(path) as video:
        return np.stack([frame.rgb() for frame in video.frames()])
