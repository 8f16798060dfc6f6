"""How often the timeline's interval holds: what 3 s foretell of 9 s, and 5 s of 15 s, where the rest is known.

    python bench/timeline.py [--seeds 12] [--clips]

Silhouettes move as ``vbtools simulate`` moves persons (hands left out), each seed a call; the fringe is 8 px wide at
720 rows. ``--clips`` adds real recordings (``../shared/data``): the person of scene_books, by its true alpha, and of
the clips, as MediaPipe segments them. The last column is the mean width of the interval: one that is as wide as
everything always holds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from vbtools.ops.fringe import signed_distance
from vbtools.ops.growth import Incidence
from vbtools.simulate.motion import MOTIONS
from vbtools.simulate.motion import Path as Way

SIZE = (180, 320)
FPS, SECONDS = 12.5, 15.0
FRINGE_PX = 8.0
SEGMENT_S = 1.0
PARTS = ((3.0, 9.0), (5.0, 15.0))
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
Masks = Iterator[tuple[float, np.ndarray]]


def silhouette() -> np.ndarray:
    """Head and shoulders, (h, w) uint8."""
    made = np.zeros(SIZE, np.uint8)
    cv2.ellipse(made, (160, 75), (22, 30), 0, 0, 360, 1, -1)
    cv2.ellipse(made, (160, 185), (62, 80), 0, 0, 360, 1, -1)
    return made


def simulated(motion: str, seed: int) -> Masks:
    """A silhouette that moves."""
    way, man, unit = Way(motion, seed), silhouette(), SIZE[0] / 720
    for t in np.arange(0, SECONDS, 1 / FPS):
        pose = way.pose(float(t))
        move = cv2.getRotationMatrix2D((SIZE[1] / 2, SIZE[0]), pose.degrees, pose.scale)
        move[:, 2] += pose.x * unit, pose.y * unit
        yield float(t), cv2.warpAffine(man, move, SIZE[::-1], flags=cv2.INTER_NEAREST)


def recorded() -> Iterator[tuple[str, Masks]]:
    """The person of every recording that there is."""
    from _composites import Man, read, segmenter

    small = Man.load().alpha[:, ::4, ::4]
    yield "scene_books", ((t / 25, (one > 127).astype(np.uint8)) for t, one in enumerate(small))
    with segmenter() as person:
        signs = [read(p) for p in sorted((DATA / "clips").glob("intel_asl_*.mkv")) if "book" not in p.name]
        frames = np.concatenate(signs)[::2]
        small = [cv2.resize(person(frame), SIZE[::-1]) for frame in frames]
        yield "intel_asl", ((t / 15, (one >= 77).astype(np.uint8)) for t, one in enumerate(small))


def foretold(masks: list[tuple[float, np.ndarray]], begin: float, known: float, until: float) -> tuple[float, ...]:
    """True share after ``until`` s, and what ``known`` s from ``begin`` foretell of it: share, low, high."""
    part = [(t - begin, m) for t, m in masks if begin <= t < begin + until]
    room = ~np.all([m > 0 for _, m in part], axis=0)
    unit = room.shape[0] / 720
    seen = Incidence(room, SEGMENT_S)
    told: tuple[float, ...] = ()
    for t, mask in part:
        if not told and t >= known:
            told = seen.growth(known).after((until - known) / SEGMENT_S, seed=0)
        distance = signed_distance(mask) if mask.any() and not mask.all() else np.full(mask.shape, 1e4)
        seen.add((distance > 0) & (distance <= FRINGE_PX * unit), t)
    return seen.share(), *told


def row(name: str, tries: list[tuple[float, ...]]) -> str:
    """One row of the table."""
    true, share, low, high = np.array(tries).T
    held = (true >= low - 1e-9) & (true <= high + 1e-9)
    told = f"{name:24} {len(tries):5} {true.mean():7.1%} {share.mean():8.1%} {np.abs(share - true).mean():7.1%}"
    below, above = (true < low - 1e-9).mean(), (true > high + 1e-9).mean()
    return f"{told} {held.mean():6.0%} {below:6.0%} {above:6.0%} {(high - low).mean():7.1%}"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--clips", action="store_true")
    options = parser.parse_args()
    print(f"{'':24} calls    true foretold   error  holds  below  above   width")
    everything: list[tuple[float, ...]] = []
    motions = [name for name in MOTIONS if name not in {"still", "gesture"}]
    calls = [(name, [list(simulated(name, seed)) for seed in range(options.seeds)]) for name in motions]
    calls += [(name, [list(masks)]) for name, masks in recorded()] if options.clips else []
    for name, made in calls:
        for known, until in PARTS:
            begins = [(one, b) for one in made for b in np.arange(0, one[-1][0] + 0.1 - until + 1e-9, 2.0)]
            tries = [foretold(one, float(b), known, until) for one, b in begins]
            if tries:
                everything += tries
                print(row(f"{name}, {known:g} of {until:g} s", tries), flush=True)
    print(row("all", everything))
    return 0


if __name__ == "__main__":
    sys.exit(main())
