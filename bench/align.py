"""Errors of every aligner against known motion, its time a frame, and what auto says of the clips in ../shared.

    python bench/align.py [--shared DIR]

The known motion: tests/moving_room.py at 960x540, shifts to 20 px and turns to 3 degrees about the middle, a still
person on top. Errors are over the background: px between where a pixel is put and where it was rendered; degrees.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import moving_room  # noqa: E402

from vbtools.backends import of_stage  # noqa: E402
from vbtools.backends.align.auto import Auto  # noqa: E402
from vbtools.ops.masks import person_mask  # noqa: E402
from vbtools.ops.warp import upscale_flow  # noqa: E402
from vbtools.stages.align import AlignParams  # noqa: E402

SIZE = (540, 960)
MOTIONS = [
    ((0.3, -0.2), 0.0), ((1.7, 0.6), 0.1), ((-6.3, 4.4), -0.5), ((20.0, 0.0), 0.0), ((0.0, -20.0), 1.0),
    ((0.0, 0.0), 3.0), ((-14.0, 14.0), -3.0), ((9.6, -17.3), 2.2),
]  # fmt: skip
REPEATS = 3


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    given = parser.parse_args()
    known_motion()
    times()
    verdicts(given.shared / "data" / "vendor")


def known_motion() -> None:
    motions = [moving_room.moves(*SIZE, (0, 0), 0), *(moving_room.moves(*SIZE, *m) for m in MOTIONS)]
    for blur in (0.0, 8.0):
        clip = moving_room.make(motions, *SIZE)
        frames = [cv2.GaussianBlur(f, (0, 0), blur) if blur else f for f in clip.frames]
        person = person_mask(clip.person[0], SIZE, 0.3, 10 + int(3 * blur))
        room = f"blurred by sigma {blur:g} px" if blur else "textured"
        print(f"known motion, room {room}: median, 95th percentile, worst frame's median, worst turn, left out")
        for row in of_stage("align"):
            if row.is_built and row.name != "none":
                print(f"  {row.name:10} {errors(row.load(), frames, person, clip.motion)}")


def errors(make: type, frames: list[np.ndarray], person: np.ndarray, truth: np.ndarray) -> str:
    aligner = make(AlignParams())
    aligner.set_reference(frames[0], person)
    wrong, worst, turned, left_out = [], 0.0, 0.0, 0
    for frame, motion in zip(frames[1:], truth[1:], strict=True):
        found = aligner(frame, person)
        if found is None:
            left_out += 1
            continue
        flow = upscale_flow(found, SIZE) if aligner.produces == "flow" else moving_room.displacement(found, *SIZE)
        off = np.hypot(*np.moveaxis(flow - moving_room.displacement(motion, *SIZE), -1, 0))[~person]
        wrong.append(off)
        worst = max(worst, float(np.median(off)))
        turned = max(turned, abs(degrees(aligner.transform) - degrees(motion)))
    every = np.concatenate(wrong) if wrong else np.array([np.nan])
    return (
        f"{np.median(every):6.3f} px {np.percentile(every, 95):6.3f} px {worst:6.3f} px {turned:7.4f} deg"
        f"  {left_out} of {len(frames) - 1}"
    )


def degrees(transform: np.ndarray) -> float:
    return math.degrees(math.atan2(transform[1, 0] - transform[0, 1], transform[0, 0] + transform[1, 1]))


def times() -> None:
    fixed = moving_room.make([moving_room.moves(*SIZE, (0, 0), 0)] * 6, *SIZE)
    moving = moving_room.make([moving_room.moves(*SIZE, (x, -x / 2), x / 8) for x in range(6)], *SIZE)
    person = person_mask(fixed.person[0], SIZE, 0.3, 10)
    print("ms a frame of 960x540, one frame at a time: fixed camera, moving camera")
    for row in of_stage("align"):
        if row.is_built:
            took = [milliseconds(row.load(), clip, person) for clip in (fixed, moving)]
            print(f"  {row.name:10} {took[0]:7.1f} {took[1]:7.1f}")


def milliseconds(make: type, clip: moving_room.Clip, person: np.ndarray) -> float:
    aligner = make(AlignParams())
    aligner.set_reference(clip.frames[0], person)
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        for frame in clip.frames[1:]:
            aligner(frame, person)
        best = min(best, (time.perf_counter() - start) / (len(clip.frames) - 1))
    return best * 1e3


def verdicts(vendor: Path) -> None:
    clips = sorted([*vendor.glob("*/*.mp4"), *vendor.glob("*/*.mkv")])
    if not clips:
        print(f"auto on the vendors' clips: none at {vendor}")
        return
    import av

    from vbtools.backends.segment.mediapipe import MediaPipeSegmenter
    from vbtools.models import resolve

    model = resolve("selfie-landscape")
    for path in clips:
        frames, masks = [], []
        with av.open(str(path)) as container, MediaPipeSegmenter(model) as segment:
            start = time.perf_counter()
            frames = [
                cv2.resize(f.to_ndarray(format="rgb24"), (960, 540), interpolation=cv2.INTER_AREA)
                for f in container.decode(video=0)
            ]
            decoded = (time.perf_counter() - start) / len(frames)
            masks = [person_mask(segment(frame), SIZE, 0.3, 10) for frame in frames]
        auto = Auto(AlignParams())
        auto.set_reference(frames[len(frames) // 2], masks[len(frames) // 2])
        found, start, left_out = [], time.perf_counter(), 0
        for frame, person in zip(frames, masks, strict=True):
            left_out += auto(frame, person) is None
            found.append(auto.evidence)
        took = (time.perf_counter() - start) / len(frames)
        print(f"{path.parent.name}/{path.name}: {auto.choose(found).note}; left out {left_out}")
        print(f"  {took * 1e3:.1f} ms a frame; decoding and resizing it took {decoded * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
