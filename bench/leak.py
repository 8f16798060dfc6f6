"""What the edge gives away on real products' output: counts of blocks and time, beside prototypes and an oracle.

    python bench/leak.py [CLIP ...]

For each H.264 clip of ``../shared/data/vendor``: structure / recovered / false blocks (:mod:`vbtools.ops.detail`, all
of the picture scored), and of vbtools' confidence: blocks with at least 0.8, the share of them that shows the room, the
share of the structure that they reach, calibration error. The columns: the plate; the ring median and the weighted
mean of findings.md at a gain of 1.5; vbtools; an oracle that knows the room and the person (leak only, plate filled).
Time is that of a second run, frames and masks in memory. (Memory: ``bench/memory.py --aggregate leak``.)
"""

from __future__ import annotations

import sys
import time

import cv2
import numpy as np
from _composites import DATA, Call, Memory, read

from vbtools.backends.aggregate import leak
from vbtools.ops import fringe
from vbtools.ops.detail import Detail, detail, high_pass, luminance
from vbtools.ops.fill import fill
from vbtools.stages import stage
from vbtools.stages.base import Job

GAIN = 1.5
CLIPS = ("shiguredo15_books", "livekit50_books", "lfbw_blur40_books", "lfbw21_books")
BELIEVED = 0.8
PERSON = 77
ORACLE_PRIOR = 0.3
"""Added to the summed squared opacity, as in the prototypes."""
WINDOW = (9, 9)


def counted(found: Detail) -> str:
    """Structure / recovered / false."""
    counts = found.counts()
    return f"{counts['structure']} / {counts['recovered']} / {counts['false']}"


def distances(memory: Memory) -> np.ndarray:
    """Signed distance to the person, (T, H, W) float16."""
    size = memory.dataset("extract", "frames").shape[2:0:-1]
    large = (cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR) for mask in memory.dataset("segment", "person"))
    return np.stack([fringe.signed_distance((mask >= PERSON).astype(np.uint8)).astype(np.float16) for mask in large])


def plate_of(frames: np.ndarray, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of what is farther than 20 px, black where never seen, and filled there: (H, W, 3) float32 each."""
    total, count = np.zeros(frames.shape[1:]), np.zeros(frames.shape[1:3])
    for frame, away in zip(frames, distance, strict=True):
        total += frame * (away > 20)[..., None]
        count += away > 20
    mean = (total / np.maximum(count, 1)[..., None]).astype(np.float32)
    return mean, fill(mean, count > 0)


def ring_median(frames: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """The first prototype's detail, (H, W) float32, unscaled."""
    room = np.zeros(frames.shape[1:3], np.float32)
    detailed = np.stack([high_pass(luminance(frame), 8).astype(np.float16) for frame in frames])
    for y in range(0, len(room), 40):
        rows = slice(y, y + 40)
        ring = (distance[:, rows] <= 15) & (distance[:, rows] > -2)
        seen = ring.any(axis=0)
        stack = np.where(ring, detailed[:, rows], np.float16(np.nan))[:, seen].astype(np.float32)
        room[rows][seen] = np.nanmedian(stack, axis=0)
    return room


def weighted_mean(frames: np.ndarray, distance: np.ndarray, plate: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """The second prototype's detail, (H, W) float32, unscaled: weights by distance, from what agrees."""
    total, weight = np.zeros(frames.shape[1:3]), np.zeros(frames.shape[1:3])
    edges, given = np.array(fringe.EDGES_PX, np.float32), np.append(opacity, np.zeros(256 - len(opacity)))
    bins = np.empty(frames.shape[1:3], np.uint8)
    for frame, away in zip(frames, distance, strict=True):
        fringe.bins_of(away.astype(np.float32), np.float32(1), edges, bins)
        total += given[bins] * high_pass(luminance(frame) - plate, 4)
        weight += given[bins]
    return (total / (weight + 1)).astype(np.float32)


def oracle(frames: np.ndarray, plate: np.ndarray, room: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The detail by true opacity where there is no person, (H, W) float32."""
    total, power = np.zeros(plate.shape[:2]), np.zeros(plate.shape[:2])
    gap = room - plate
    own = np.maximum(cv2.boxFilter((gap**2).sum(axis=2), -1, WINDOW), 1)
    for frame, person in zip(frames, alpha, strict=True):
        rest = frame - plate
        opacity = np.clip(cv2.boxFilter((rest * gap).sum(axis=2), -1, WINDOW) / own, 0, 1) * (person <= 3)
        total += opacity * high_pass(luminance(rest), 4)
        power += opacity**2
    return (total / (power + ORACLE_PRIOR)).astype(np.float32)


def believed(found: leak.Recovered, shown: Detail) -> str:
    """How many blocks are believed, how many of them rightly, how much of the structure that is, and ECE."""
    side = shown.block
    rows, columns = shown.r.shape
    p = found.confidence[: rows * side, : columns * side].reshape(rows, side, columns, side).mean(axis=(1, 3))
    p, right = p[shown.textured], shown.r[shown.textured] > 0.5
    sure, cell = p >= BELIEVED, np.minimum((10 * p).astype(int), 9)
    error = sum(abs(right[cell == k].mean() - p[cell == k].mean()) * (cell == k).mean() for k in np.unique(cell))
    share = f"{right[sure].mean():.2f}" if sure.any() else "-"
    return f"{sure.sum()} {share} {(sure & right).sum() / max(right.sum(), 1):.2f} {error:.3f}"


def main(clips: tuple[str, ...]) -> int:
    """Print the table."""
    room = cv2.imread(str(DATA / "vendor" / "scene_books" / "background.png"))[..., ::-1].astype(np.float32)
    alpha = read(DATA / "vendor" / "scene_books" / "alpha.mkv", "gray")
    params = stage("aggregate").parameters({"method": "leak"})
    print("structure / recovered / false; of p >= 0.8: blocks, share right, share of structure, calibration error")
    names = ("plate", "ring median", "weighted mean", "vbtools", "oracle")
    print(f"{'clip':18} {' '.join(f'{name:>14}' for name in names)}  believed, s")
    for clip in clips:
        memory = Memory(Call(clip, read(DATA / "vendor" / clip / "blurred_call.mp4"), room))
        frames = memory.dataset("extract", "frames")
        for _ in range(2):
            began = time.perf_counter()
            found = leak.recover(Job(params, memory, None))  # type: ignore[arg-type]
            took = time.perf_counter() - began
        distance = distances(memory)
        raw, filled = plate_of(frames, distance)
        shown = detail(found.picture, room)
        columns = [
            detail(raw, room),
            detail(luminance(raw) + GAIN * ring_median(frames, distance), room),
            detail(luminance(filled) + GAIN * weighted_mean(frames, distance, luminance(filled), found.opacity), room),
            shown,
            detail(luminance(filled) + oracle(frames, filled, room, alpha), room),
        ]
        told = " ".join(f"{counted(one):>14}" for one in columns)
        print(f"{clip:18} {told}  {believed(found, shown)}, {took:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:]) or CLIPS))
