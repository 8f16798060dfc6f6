"""What ``truth.json`` says: everything that is known about a simulated call."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import vbtools
from vbtools.simulate.canvas import TextLine, Thing

FORMAT = "vbtools-truth"
VERSION = 2
NAME = "truth.json"
REFERENCE_ROWS = 720
BAND_PX = 25.0
"""Width of the fringe beside the person that products' masks leak, px at 720 rows (findings.md: 10-20 at the 90th
percentile; the fringe band of the comparison with real products ends at 25)."""

PACKAGES = ("av", "mediapipe", "numpy", "pillow", "scikit-image")


class Exposure:
    """Where the person was over the whole call, gathered frame by frame.

    Attributes:
        ever_under: (H, W) bool: the person covered more than half of the pixel at some time.
        always_hidden: (H, W) bool: at every time.
        swept: (H, W) bool: the pixel lay free of the person, but within :data:`BAND_PX` of it, at some time.
    """

    def __init__(self, height: int, width: int) -> None:
        self.ever_under = np.zeros((height, width), np.bool_)
        self.always_hidden = np.ones((height, width), np.bool_)
        self.swept = np.zeros((height, width), np.bool_)
        self._band = BAND_PX * height / REFERENCE_ROWS

    def add(self, alpha: NDArray[np.uint8]) -> None:
        """Take in one frame's true alpha, (H, W) uint8; about 5 ms at 720p."""
        covered = alpha > 127
        self.ever_under |= covered
        self.always_hidden &= covered
        if covered.any():
            distance = cv2.distanceTransform((~covered).astype(np.uint8), cv2.DIST_L2, 3)
            self.swept |= (alpha == 0) & (distance <= self._band)

    def of_text(self, line: TextLine) -> dict[str, Any]:
        """One entry of the list of texts, with the shares of its box that were exposed and hidden."""
        x0, y0, x1, y1 = line.box
        part = (slice(y0, y1), slice(x0, x1))
        return asdict(line) | {
            "box": list(line.box),
            "in_swept_band": _share(self.swept[part]),
            "ever_under_person": _share(self.ever_under[part]),
            "always_hidden": _share(self.always_hidden[part]),
        }

    def summary(self) -> dict[str, Any]:
        """Whole-frame figures, named as in the vendor scenes' truth files."""
        return {
            "swept_band_px": int(np.count_nonzero(self.swept)),
            "swept_band_pct_of_frame": round(100 * float(self.swept.mean()), 2),
            "always_hidden_pct": round(100 * float(self.always_hidden.mean()), 2),
        }


def leak_weight(mask: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How much of the clean room a frame of the call shows sharply.

    Args:
        mask: (H, W) uint8, the product's: 255 shows the frame, 0 the blurred one.
        alpha: (H, W) uint8, the person's true one.

    Returns:
        (H, W) uint8: ``mask / 255 * (1 - alpha / 255)``, times 255, rounded.
    """
    shown = mask.astype(np.uint16) * (255 - alpha) + 127
    return (shown // 255).astype(np.uint8)


def of_thing(thing: Thing) -> dict[str, Any]:
    """One entry of the list of objects."""
    return {"name": thing.name, "box": list(thing.box)}


def software() -> dict[str, str]:
    """Versions of everything that decides about the bytes; same versions, same bytes."""
    found = {"vbtools": vbtools.__version__, "python": platform.python_version(), "opencv": cv2.__version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def describe_file(path: Path) -> dict[str, Any]:
    """Size and sha256 of a file."""
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def dump(path: Path, truth: dict[str, Any]) -> None:
    """Write a truth file."""
    path.write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def recorded_files(folder: Path) -> dict[str, Any]:
    """The files that the folder's truth file says it was written with, or nothing where there is none of ours."""
    try:
        truth = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(truth, dict) or truth.get("format") != FORMAT or not isinstance(truth.get("files"), dict):
        return {}
    return truth["files"]


def _share(values: NDArray[np.bool_]) -> float:
    return round(float(values.mean()), 3) if values.size else 0.0
