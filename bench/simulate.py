"""How long 10 s of 720p take to simulate, and whether memory grows with the length; exits 1 where a target is missed.

    python bench/simulate.py [--seconds 10] [PROFILE ...]

Targets (issue 5): at most 60 s for 10 s of 720p on two cores, memory independent of the length. The second is measured
at 320x180 on a call of 2 s and on one ten times as long. CPU time is printed beside the time that passed: on a busy
machine only that says much.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vbtools.simulate.profile import PROFILES

MOST_S = 60.0
ALLOWED = 1.10
LONGER = 10


def simulated(folder: Path, *options: str) -> tuple[float, float, float]:
    """Seconds passed, CPU seconds and peak memory in MB of one ``vbtools simulate`` in a process of its own."""
    command = [sys.executable, "-m", "vbtools", "simulate", "-o", str(folder), "--seed", "1", *options]
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed: {child.stderr.read().decode() if child.stderr else ''}")
    return time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> int:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("profiles", nargs="*", help="all where none is given")
    asked.add_argument("--seconds", type=float, default=10.0)
    given = asked.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        print(f"| profile | {given.seconds:g} s of 720p, s | CPU, s | peak, MB |\n| --- | --- | --- | --- |")
        for name in given.profiles or PROFILES:
            passed, cpu, peak = simulated(
                Path(folder) / name, "--profile", name, "--seconds", f"{given.seconds:g}", "--force"
            )  # fmt: skip
            missed += passed > MOST_S * given.seconds / 10
            print(f"| {name} | {passed:.1f} | {cpu:.1f} | {peak:.0f} |", flush=True)
        peaks = [
            simulated(Path(folder) / "m", "--seconds", f"{seconds:g}", "--size", "320x180", "--force")[2]
            for seconds in (2, 2 * LONGER)
        ]
    ratio = peaks[1] / peaks[0]
    print(f"peak memory at 320x180: 2 s {peaks[0]:.0f} MB, {2 * LONGER} s {peaks[1]:.0f} MB, ratio {ratio:.3f}")
    return 1 if missed or ratio > ALLOWED else 0


if __name__ == "__main__":
    sys.exit(main())
