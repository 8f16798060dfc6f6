"""How far the masks of products trail the person: what is measured on a call against what the product does.

    python bench/trailing.py [PROFILE ...] [--work FOLDER] [--seed 7]

Calls of 8 s at 640x360 by ``vbtools simulate``, one a profile, and the clips of ``../shared/data/vendor`` where they
are; each is aggregated by recipe ``leak`` and looked at by ``vbtools.evidence.trail``. What is in FOLDER already is not
made again. About 20 s a call.

Columns: the profile's own delay, frames late and weight of the mask before; what was measured, mean delay with its 95 %
interval; share of the edge's detail that it foretells; whether it is said to trail. Exits 1 where a mask of no delay is
said to trail.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from vbtools.evidence.trail import trail_of
from vbtools.simulate.profile import Scheme, profile
from vbtools.store import Reader

VENDOR = Path(__file__).resolve().parents[2] / "shared" / "data" / "vendor"
CLIPS = ("shiguredo15_books", "livekit50_books", "lfbw_blur40_books", "lfbw21_books")
PROFILES = (
    "gaussian", "jitsi", "jitsi-slight", "bbb", "chime", "shiguredo", "livekit", "obs", "lfbw", "backscrub", "jitsi2",
    "kaito",
)  # fmt: skip
REMEMBERING = ("average", "decay", "hysteresis")
"""Steps of a mask that depend on the mask before."""


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profiles", nargs="*", default=PROFILES)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    wrong = 0
    print(f"{'call':20} {'product: mask':38} measured")
    with tempfile.TemporaryDirectory(prefix="vbtools-trailing-") as own:
        work = asked.work or Path(own)
        work.mkdir(parents=True, exist_ok=True)
        for name in asked.profiles:
            call = work / f"{name}-{asked.seed}"
            if not (call / "truth.json").exists():
                how = ("--profile", name, "--seed", asked.seed, "--seconds", 8, "--size", "640x360")
                run("simulate", "-o", call, *how)
            described, trails = over_time(profile(name).scheme)
            wrong += told(name, described, call / "blurred.mp4", call.with_suffix(".h5")) and not trails
        for name in CLIPS if VENDOR.exists() else ():
            told(name, "a real product's", VENDOR / name / "blurred_call.mp4", work / f"{name}.h5")
    return int(wrong > 0)


def over_time(scheme: Scheme) -> tuple[str, bool]:
    """What a product does to its mask over time, and whether that is anything."""
    steps = [f"{step.name} {step.options}".strip() for step in scheme.mask if step.name in REMEMBERING]
    parts = [f"late by {scheme.delay}"] * (scheme.delay > 0) + [f"every {scheme.every}"] * (scheme.every > 1) + steps
    return ", ".join(parts) or "none", bool(parts)


def told(name: str, how: str, video: Path, project: Path) -> bool:
    """Print a line; whether the mask is said to trail."""
    run("run", "leak", "--video", video, "-p", project, "--until", "aggregate")
    with Reader(project) as reader:
        found = trail_of(reader)
    one = found.trail
    if one is None:
        print(f"{name:20} {how:38} {found.sentence()}", flush=True)
        return False
    span = f"{one.delay:4.2f} ({one.low:.2f} to {one.high:.2f}), late {one.late}, keep {one.keep:.2f}"
    verdict = "trails" if one.trails else "-"
    print(f"{name:20} {how:38} {span:44} {one.explained:5.2f} {one.sure:5.2f}  {verdict}", flush=True)
    return one.trails


def run(*arguments: object) -> None:
    """Call vbtools; its words only where it fails."""
    command = [sys.executable, "-m", "vbtools", *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"vbtools {' '.join(map(str, arguments))}:\n{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
