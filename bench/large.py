"""An 8K still and a ten-minute clip through all that needs no torch, and the memory that they take.

    python bench/large.py [--minutes 10]

The still goes through ``vbtools run`` (a still is a clip of one frame) and ``vbtools enhance --image``; the clip,
640x360 at 25 frames a second, through the recipe below, against one minute of the same. Exits 1 where something fails,
a still takes more than 4 GB, or the clip a tenth more memory than one minute.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from memory import ALLOWED, write_clip

SIZE_8K = (7680, 4320)
MOST_MB = 4000
FPS = 25
RECIPE = """version: 1
stages:
  extract: {fps: 15}
  segment: {backend: mediapipe}
  align: {method: auto}
  aggregate: {method: median}
  enhance: {steps: [denoise, clahe]}
  inspect: {ocr: true, on: both}
"""


def main() -> int:
    """Print a line for each; 1 where a bound is broken."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--minutes", type=float, default=10.0)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="vbtools-large-") as name:
        folder = Path(name)
        recipe = folder / "large.yaml"
        recipe.write_text(RECIPE)
        still = folder / "still.png"
        elsewhere(write_still, still)
        peaks = [
            told("8K still, run", "run", str(recipe), "--video", str(still), "-p", str(folder / "still.h5")),
            told("8K still, enhance --image", "enhance", "--image", str(still), "--output", str(folder / "out.png"),
                 "--steps", "denoise,clahe"),
        ]  # fmt: skip
        lengths = []
        for minutes in (1.0, given.minutes):
            clip = folder / f"{minutes:g}.mp4"
            elsewhere(write_clip, clip, round(minutes * 60 * FPS))
            project = folder / f"{minutes:g}.h5"
            lengths.append(told(f"{minutes:g} min", "run", str(recipe), "--video", str(clip), "-p", str(project)))
    ratio = lengths[1] / lengths[0]
    print(f"largest still {max(peaks):.0f} MB (at most {MOST_MB}); clip's memory ratio {ratio:.3f} (at most {ALLOWED})")
    return 0 if max(peaks) <= MOST_MB and ratio <= ALLOWED else 1


def elsewhere(make: Callable[..., None], *arguments: Any) -> None:
    """Make a file in a process of its own: what this one holds would count as its children's."""
    maker = multiprocessing.get_context("spawn").Process(target=make, args=arguments)
    maker.start()
    maker.join()
    if maker.exitcode:
        raise SystemExit(f"{make.__name__} failed ({maker.exitcode})")


def told(what: str, *arguments: str) -> float:
    """Run vbtools in a process of its own; its peak resident memory, MB, which is printed."""
    begun = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", "vbtools", *arguments], stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE)  # fmt: skip
    errors = child.stderr.read().decode() if child.stderr else ""
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{what} failed: {errors}")
    peak = usage.ru_maxrss / 1024
    print(f"{what}: {time.perf_counter() - begun:.0f} s, peak memory {peak:.0f} MB", flush=True)
    return peak


def write_still(path: Path) -> None:
    """A room with words and some noise, 7680x4320."""
    width, height = SIZE_8K
    dice = np.random.default_rng(0)
    room = cv2.resize(dice.integers(60, 200, (27, 48, 3), dtype=np.uint8), SIZE_8K, interpolation=cv2.INTER_CUBIC)
    for number, word in enumerate(("DELIVERY", "MONDAY", "EXIT", "LIBRARY")):
        at = (400 + 1800 * number, 700 + 900 * number)
        cv2.putText(room, word, at, cv2.FONT_HERSHEY_SIMPLEX, 8, (20, 20, 20), 20, cv2.LINE_AA)
    noise = dice.integers(-6, 7, (height, width, 1), dtype=np.int16)
    cv2.imwrite(str(path), np.clip(room.astype(np.int16) + noise, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    sys.exit(main())
