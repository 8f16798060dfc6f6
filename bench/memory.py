"""Peak memory of extract to aggregate on a clip and on one ten times as long; exits 1 when it grows by more than 10 %.

    python bench/memory.py [--frames 150] [--method none|farneback] [--aggregate median|leak]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from vbtools.backends.video import VideoWriter

LONGER = 10
ALLOWED = 1.10


def write_clip(path: Path, frames: int, width: int = 640, height: int = 360) -> None:
    """A textured room with a dark figure that sways before it, H.264."""
    rng = np.random.default_rng(5)
    wall = cv2.resize(rng.integers(40, 220, (30, 54, 3), dtype=np.uint8), (width, height))
    with VideoWriter(path, width, height, 25.0, bit_rate=800_000) as writer:
        for number in range(frames):
            frame = wall.copy()
            centre = (width // 2 + int(60 * np.sin(number / 9)), height // 2)
            cv2.circle(frame, centre, height // 6, (200, 160, 140), -1)
            cv2.ellipse(frame, (centre[0], height), (height // 3, height // 2), 0, 0, 360, (40, 50, 90), -1)
            writer.write(frame)


def peak_mb(clip: Path, project: Path, method: str, aggregate: str) -> float:
    """Peak resident memory of one ``vbtools run`` in a process of its own, MB."""
    recipe = project.with_suffix(".yaml")
    recipe.write_text(f"version: 1\nstages:\n  align: {{method: {method}}}\n  aggregate: {{method: {aggregate}}}\n")
    command = [sys.executable, "-m", "vbtools", "run", str(recipe), "--video", str(clip), "-p", str(project)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed: {child.stderr.read().decode() if child.stderr else ''}")
    return usage.ru_maxrss / 1024


def main() -> int:
    """Print both peaks and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--method", default="none")
    parser.add_argument("--aggregate", default="median")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        peaks = []
        for frames in (given.frames, given.frames * LONGER):
            clip = Path(folder) / f"{frames}.mp4"
            write_clip(clip, frames)
            peaks.append(peak_mb(clip, Path(folder) / f"{frames}.h5", given.method, given.aggregate))
    ratio = peaks[1] / peaks[0]
    print(
        f"peak memory, extract to aggregate, align {given.method}: {given.frames} frames {peaks[0]:.0f} MB, "
        f"{given.frames * LONGER} frames {peaks[1]:.0f} MB, ratio {ratio:.3f} (at most {ALLOWED})"
    )
    return 0 if ratio <= ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
