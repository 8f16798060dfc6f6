"""Is the blur of simulated clips told rightly? Effective sigma, whole or excluded, per clip and in all.

    vbtools simulate -o clips/a --profile jitsi --seconds 6 --size 960x540 --fps 15
    python bench/blur.py clips/*

Each folder holds what ``simulate`` wrote. The stages are run beside it, blind, with ``aggregate --method leak``; the
truth is the profile's own blur, put behind a step: the standard deviation of what becomes of it. ``--make`` makes ten
clips first and ``--fresh`` forty of seeds from 901; all rules have been changed with these in view, so they are no
hold-out. ``--held`` makes forty of seeds from 980, of every profile, in rendered and photographed rooms and of real
people: the rules as they are now were run on them once, after they had been written down: sigma within 15 % in 37 of
40, whole or excluded right in 37, wrong in none.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np

from vbtools.simulate.product import Product
from vbtools.simulate.profile import Scheme, scheme
from vbtools.store.reader import Reader

HELD_OUT = (
    ("lfbw", 21, "960x540", "gesture", "depthanything_demo10.jpg", 0),
    ("jitsi-slight", 22, "960x540", "lean", "", 0),
    ("obs", 23, "960x540", "sway", "twilio_living_room.jpg", 8),
    ("shiguredo", 24, "1280x720", "talking", "", 20),
    ("volcomix", 25, "960x540", "lean", "depthanything_demo10.jpg", 0),
    ("twilio-webgl", 26, "960x540", "sway", "twilio_office.jpg", 0),
    ("gaussian", 27, "1280x720", "walk", "twilio_living_room.jpg", 30),
    ("chime", 28, "640x360", "sway", "depthanything_demo10.jpg", 0),
    ("backscrub", 29, "1280x720", "lean", "twilio_office.jpg", 0),
    ("jitsi2", 30, "960x540", "sway", "twilio_living_room.jpg", 0),
)  # profile, seed, size, motion, room (rendered if empty), strength (the profile's own if 0)
FRESH = (
    ("gaussian", 901, "1280x720", "gesture", "", 6), ("jitsi", 902, "960x540", "lean", "", 0),
    ("jitsi-slight", 903, "1280x720", "sway", "", 0), ("jitsi2", 904, "960x540", "gesture", "", 0),
    ("bbb", 905, "640x360", "sway", "", 0), ("twilio", 906, "1280x720", "lean", "", 0),
    ("twilio-webgl", 907, "1280x720", "gesture", "", 0), ("livekit", 908, "1280x720", "sway", "", 0),
    ("chime", 909, "960x540", "lean", "", 0), ("volcomix", 910, "1280x720", "sway", "", 0),
    ("obs", 911, "1280x720", "gesture", "", 0), ("kaito", 912, "1280x720", "lean", "", 0),
    ("backscrub", 913, "960x540", "sway", "", 0), ("lfbw", 914, "960x540", "lean", "", 0),
    ("shiguredo", 915, "1280x720", "gesture", "", 0),
    ("volcomix", 916, "", "", "intel_asl_book.mkv", 0), ("twilio", 917, "", "", "intel_asl_student.mkv", 0),
    ("jitsi-slight", 918, "", "", "intel_asl_no.mkv", 0), ("obs", 919, "", "", "intel_asl_yes.mkv", 5),
    ("lfbw", 920, "", "", "intel_asl_brother.mkv", 0),
    ("livekit", 931, "960x540", "lean", "", 0), ("volcomix", 932, "960x540", "gesture", "", 0),
    ("jitsi-slight", 933, "1280x720", "gesture", "", 0), ("obs", 934, "960x540", "lean", "", 0),
    ("twilio-webgl", 935, "960x540", "sway", "", 0), ("shiguredo", 936, "1280x720", "lean", "", 20),
    ("backscrub", 937, "1280x720", "gesture", "", 0), ("lfbw", 938, "1280x720", "sway", "", 0),
    ("kaito", 939, "960x540", "gesture", "", 0), ("chime", 940, "1280x720", "sway", "", 0),
    ("livekit", 941, "", "", "intel_asl_help.mkv", 0), ("kaito", 942, "", "", "intel_asl_again.mkv", 0),
    ("kaito", 951, "", "", "intel_asl_student.mkv", 0), ("backscrub", 952, "", "", "intel_asl_help.mkv", 0),
    ("jitsi-slight", 953, "", "", "intel_asl_book.mkv", 0), ("volcomix", 954, "", "", "intel_asl_again.mkv", 0),
    ("livekit", 955, "", "", "intel_asl_yes.mkv", 0), ("gaussian", 956, "1280x720", "lean", "", 10),
    ("twilio", 957, "960x540", "gesture", "", 0), ("obs", 958, "1280x720", "sway", "", 8),
)  # fmt: skip
"""The same, of every profile in a new rendered room, and of real people in their real office."""
HELD = (
    ("gaussian", 980, "960x540", "sway", "", 12), ("jitsi", 981, "1280x720", "gesture", "", 0),
    ("jitsi-slight", 982, "960x540", "lean", "", 0), ("jitsi2", 983, "1280x720", "sway", "", 0),
    ("bbb", 984, "960x540", "lean", "", 0), ("twilio", 985, "960x540", "sway", "", 0),
    ("twilio-webgl", 986, "1280x720", "lean", "", 0), ("livekit", 987, "960x540", "sway", "", 0),
    ("chime", 988, "1280x720", "gesture", "", 0), ("volcomix", 989, "960x540", "lean", "", 0),
    ("obs", 990, "960x540", "sway", "", 0), ("kaito", 991, "1280x720", "sway", "", 0),
    ("backscrub", 992, "960x540", "lean", "", 0), ("lfbw", 993, "960x540", "gesture", "", 0),
    ("shiguredo", 994, "960x540", "sway", "", 0),
    ("volcomix", 995, "", "", "intel_asl_help.mkv", 0), ("twilio", 996, "", "", "intel_asl_brother.mkv", 0),
    ("jitsi-slight", 997, "", "", "intel_asl_again.mkv", 0), ("obs", 998, "", "", "intel_asl_student.mkv", 0),
    ("lfbw", 999, "", "", "intel_asl_yes.mkv", 0), ("kaito", 1000, "", "", "intel_asl_brother.mkv", 0),
    ("backscrub", 1001, "", "", "intel_asl_no.mkv", 0), ("shiguredo", 1002, "", "", "intel_asl_book.mkv", 0),
    ("livekit", 1003, "", "", "intel_asl_no.mkv", 0), ("chime", 1004, "", "", "intel_asl_help.mkv", 0),
    ("volcomix", 1005, "1280x720", "sway", "twilio_living_room.jpg", 0),
    ("obs", 1006, "1280x720", "lean", "depthanything_demo10.jpg", 0),
    ("jitsi2", 1007, "960x540", "lean", "twilio_office.jpg", 0),
    ("bbb", 1008, "1280x720", "sway", "twilio_office.jpg", 0),
    ("livekit", 1009, "1280x720", "lean", "twilio_living_room.jpg", 0),
    ("kaito", 1010, "960x540", "gesture", "depthanything_demo10.jpg", 0),
    ("backscrub", 1011, "1280x720", "sway", "", 0), ("lfbw", 1012, "1280x720", "lean", "", 0),
    ("twilio-webgl", 1013, "960x540", "sway", "", 0), ("gaussian", 1014, "640x360", "gesture", "", 20),
    ("obs", 1015, "1280x720", "gesture", "", 6), ("volcomix", 1016, "640x360", "sway", "", 0),
    ("shiguredo", 1017, "640x360", "lean", "", 25), ("jitsi", 1018, "960x540", "walk", "", 0),
    ("gaussian", 1019, "1280x720", "talking", "", 4),
)  # fmt: skip
"""The same again, for one look."""
PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "data" / "photos"
CLIPS = PHOTOS.with_name("clips")
CANVAS = 1024
"""px: side of the picture with the step; its borders must be out of the kernel's reach."""


def true_sigma(values: Scheme, rows: int) -> float:
    """Standard deviation, px, of what the scheme's blur makes of a step; the mean of both directions."""
    product = Product(values, rows)
    found = []
    for axis in (0, 1):
        step = np.zeros((CANVAS, CANVAS, 3), np.uint8)
        half = (slice(None), slice(CANVAS // 2, None))[:: 1 if axis else -1]
        step[half] = 255
        blurred = product.blurred(step)[..., 0].astype(float)
        line = blurred[CANVAS // 2] if axis else blurred[:, CANVAS // 2]
        spread = np.diff(line)[CANVAS // 4 : -CANVAS // 4]  # what lies beyond is the border's doing
        at = np.arange(len(spread))
        middle = (spread * at).sum() / spread.sum()
        found.append(math.sqrt((spread * (at - middle) ** 2).sum() / spread.sum()))
    return float(np.mean(found))


def truth(folder: Path) -> tuple[str, float, int]:
    """Profile, effective sigma in px, and 1 for whole-frame or 0 for excluded."""
    told = json.loads((folder / "truth.json").read_text())
    profile = told["profile"]
    known = {f.name for f in Scheme.__dataclass_fields__.values()}
    values = scheme({key: value for key, value in profile.items() if key in known})
    rows = int(told["size"][1]) if "size" in told else int(told["height"])
    excluded = any("keep_out" in (step if isinstance(step, dict) else {step: 0}) for step in profile["mask"])
    return profile["name"], true_sigma(values, rows), 0 if excluded else 1


def vbtools(*arguments: str) -> None:
    """One command of the suite; an error of its own ends the bench."""
    subprocess.run([sys.executable, "-m", "vbtools", *arguments], check=True, stdout=subprocess.DEVNULL)


def told(folder: Path, again: bool) -> dict[str, object]:
    """What the suite says of a clip, blind."""
    project = folder / "blur.h5"
    if again or not project.exists():
        vbtools("extract", str(folder / "blurred.mp4"), "-p", str(project), "--fps", "25", "--resize-long", "1280")
        forced = ["--force"] if again else []  # the same version of a stage would be skipped
        for stage in (["segment"], ["align", "--method", "none"], ["aggregate", "--method", "leak", *forced]):
            vbtools(*stage, "-p", str(project))
    with Reader(project) as reader:
        return reader.table("aggregate", "blur")[0]


def make(folder: Path, wanted: tuple[tuple[str, int, str, str, str, int], ...]) -> list[Path]:
    """The held-out clips."""
    made = []
    for profile, seed, size, motion, room, strength in wanted:
        clip = folder / f"{profile}-{seed}"
        made.append(clip)
        if (clip / "truth.json").exists():
            continue
        more = ["--set", f"strength={strength}"] if strength else []
        if room.endswith(".mkv"):
            length = ["--clip", str(CLIPS / room)]
        else:
            more += ["--background", str(PHOTOS / room)] if room else []
            length = ["--seconds", "5", "--fps", "12", "--size", size, "--motion", motion]
        vbtools("simulate", "-o", str(clip), "--profile", profile, "--seed", str(seed), *length, *more)
    return made


def main() -> None:
    """Print a line a clip and the figures of the issue."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--make", type=Path, metavar="FOLDER", help="make the ten held-out clips there, and use them")
    parser.add_argument("--fresh", type=Path, metavar="FOLDER", help="the same with the forty fresh ones")
    parser.add_argument("--held", type=Path, metavar="FOLDER", help="the same with the forty of the last look")
    parser.add_argument("--again", action="store_true", help="run the stages although there is a project")
    given = parser.parse_args()
    clips = [*given.clips, *(make(given.make, HELD_OUT) if given.make else [])]
    clips += make(given.fresh, FRESH) if given.fresh else []
    clips += make(given.held, HELD) if given.held else []
    within = right = silent = undecided = 0
    for clip in clips:
        name, sigma, whole = truth(clip)
        answer = told(clip, given.again)
        ratio = float(answer["sigma"]) / sigma
        within += abs(ratio - 1) <= 0.15
        silent += not math.isfinite(ratio)
        right += answer["whole"] == whole
        undecided += answer["whole"] == -1
        print(
            f"{clip.name:16s} {name:13s} true {sigma:5.2f} px  told {answer['sigma']:5.2f} ({ratio:4.2f})"
            f" {answer['family']:11s}  whole {whole} told {answer['whole']:2d} ({answer['whole_sure']:.2f})"
            f"  feather {answer['feather']:4.1f} {answer['profile']}"
            f" {answer['sure']:.2f} ({answer['others']})",
            flush=True,
        )
    print(f"sigma within 15 %: {within} of {len(clips)} ({silent} cannot tell)")
    print(f"whole or excluded right: {right} of {len(clips)} ({undecided} cannot tell)")


if __name__ == "__main__":
    main()
