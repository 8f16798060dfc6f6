"""Is it told whether there is a blur at all? Never of a blurred call that there is none, of a clean one that there is.

    python bench/presence.py --make /tmp/presence
    python bench/presence.py ../shared/data/clips/intel_asl_*.mkv ../shared/data/vendor/*/blurred_call.mp4

``--make`` simulates calls behind weak blurs, some with labels and a clock, and takes each call's camera too: clean,
and sent at a low rate, and enlarged to twice its size. A clip counts as blurred if its name begins with ``blurred``.
The stages are run on each, with ``aggregate --method leak``; the share is that of the cells with narrow edges, of the
middle region (vbtools/ops/blur_presence.py). The thresholds were set on data/clips, data/vendor, and 41 simulated calls
of other seeds.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from vbtools.backends.video import VideoWriter, open_video
from vbtools.ops.blur_kind import NONE
from vbtools.ops.blur_presence import CAMERA_PX, edge_widths, region_shares
from vbtools.ops.detail import LUMA
from vbtools.store.reader import Reader

PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "data" / "photos"
MADE = (
    ("backscrub", 911, "1280x720", "", ()),
    ("backscrub", 912, "640x360", "twilio_living_room.jpg", ("label", "clock")),
    ("gaussian", 913, "640x360", "depthanything_demo10.jpg", ()),
    ("gaussian", 914, "1280x720", "twilio_office.jpg", ("watermark",)),
    ("gaussian", 915, "640x360", "", ("label", "clock", "watermark")),
    ("jitsi-slight", 916, "640x360", "twilio_office.jpg", ()),
    ("livekit", 917, "960x540", "", ("label", "clock", "watermark")),
    ("volcomix", 918, "640x360", "", ()),
    ("jitsi", 919, "960x540", "twilio_living_room.jpg", ("label", "clock", "watermark")),
)  # profile, seed, size, room (rendered if empty), what is drawn over the call
FPS = 12
WEAKEST = 4
"""Strength of profile gaussian here: sigma in px at 720 rows, 2 px at 360."""


def vbtools(*arguments: str) -> None:
    """One command of the suite; an error of its own ends the bench."""
    subprocess.run([sys.executable, "-m", "vbtools", *arguments], check=True, stdout=subprocess.DEVNULL)


def recoded(clean: Path, made: Path, *, scale: int, rate: int) -> Path:
    """The camera's frames as a call would send them: H.264 at ``rate`` bit/s, ``scale`` times as large."""
    with open_video(clean) as video:
        frames = [frame.rgb() for frame in video.frames()]
    height, width = (side * scale for side in frames[0].shape[:2])
    with VideoWriter(made, width, height, FPS, bit_rate=rate) as writer:
        for frame in frames:
            large = cv2.resize(frame, (width, height), interpolation=cv2.INTER_CUBIC) if scale > 1 else frame
            writer.write(np.asarray(large, np.uint8))
    return made


def make(folder: Path) -> list[Path]:
    """The simulated calls, and their cameras."""
    clips = []
    for profile, seed, size, room, drawn in MADE:
        call = folder / f"{profile}-{seed}"
        if not (call / "truth.json").exists():
            more = ["--background", str(PHOTOS / room)] if room else []
            more += ["--set", f"strength={WEAKEST}"] if profile == "gaussian" else []
            more += [part for name in drawn for part in ("--overlay", name)]
            length = ["--seconds", "5", "--fps", str(FPS), "--size", size]
            vbtools("simulate", "-o", str(call), "--profile", profile, "--seed", str(seed), *length, *more)
        clean = call / "clean.mkv"
        rows = int(size.split("x")[1])
        clips += [call / "blurred.mp4", clean, recoded(clean, call / "low.mp4", scale=1, rate=400 * rows)]
        if rows < 720:
            clips.append(recoded(clean, call / "large.mp4", scale=2, rate=3000 * rows))
    return clips


def told(clip: Path) -> tuple[str, float]:
    """The blur's family, and the share of narrow edges in the middle region."""
    with tempfile.TemporaryDirectory() as folder:
        project = str(Path(folder) / "p.h5")
        vbtools("extract", str(clip), "-p", project, "--fps", "25", "--resize-long", "1280")
        for stage in (["segment"], ["align", "--method", "none"], ["aggregate", "--method", "leak"]):
            vbtools(*stage, "-p", project)
        with Reader(Path(project)) as reader:
            family = str(reader.table("aggregate", "blur")[0]["family"])
            plate = np.asarray(reader.array("aggregate", "plate") @ LUMA, np.float32)
    seen = np.isfinite(plate)
    shares = region_shares(edge_widths(np.where(seen, plate, 0).astype(np.float32), seen), CAMERA_PX)
    return family, float(np.median(shares)) if len(shares) else float("nan")


def main() -> None:
    """Print a line a clip, and how many are told rightly."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--make", type=Path, metavar="FOLDER", help="simulate the calls there, and use them")
    given = parser.parse_args()
    right = {True: [0, 0], False: [0, 0]}
    for clip in [*given.clips, *(make(given.make) if given.make else [])]:
        is_blurred = clip.name.startswith("blurred")
        family, share = told(clip)
        right[is_blurred][0] += (family != NONE) == is_blurred
        right[is_blurred][1] += 1
        wrong = "" if (family != NONE) == is_blurred else "  WRONG"
        print(f"{clip.parent.name:20s} {clip.name:22s} narrow {share:4.2f}  told {family}{wrong}", flush=True)
    for is_blurred, (count, of) in right.items():
        print(f"{'blurred' if is_blurred else 'not blurred'}: {count} of {of} told rightly")


if __name__ == "__main__":
    main()
