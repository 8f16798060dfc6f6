"""Parts of the picture that turn sharp from one frame to the next, or stop being so, and show what they showed before.

A mask that fails for some frames, wholly or in part, shows a piece of the room as it is: a patch beside the person, a
second person behind, a chair that is moved. There it is sharp at once, over some area, and seen from far nothing has
changed: each place is as bright as it was. Neither holds of a person who moves. Their edge brings other brightness with
it, and it comes over the room cell by cell.

So each frame is compared with the frames just before and just after, on a grid of cells (32 by 18). Cells whose detail
has jumped and whose brightness has not are joined to regions; a region counts by the sum of its jumps. How long the
glimpse lasts is followed from there. What is compared is near in time, so that light, camera and people may change in
the course of a call.

What is over within 12 frames is told by less. Then there are two sides to compare with, and these must be alike: the
same detail, the same brightness. Nobody comes over three cells in one frame, stays, and is gone from all of them in one
frame, leaving the room as it was; a mask that fails does just that. So a brief glimpse needs smaller jumps, and its
brightness may differ from what it was: under a strong blur much of a cell's light is its neighbours'.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.sharpness import FINE_GRID, STEPS

U8 = NDArray[np.uint8]
I16 = NDArray[np.int16]
F32 = NDArray[np.float32]
Bools = NDArray[np.bool_]
Box = tuple[float, float, float, float]

GRID = FINE_GRID  # cells across and down: 20 px of 640x360
CELLS = GRID[0] * GRID[1]
JUMP = 16  # steps (1/24 octave); what a cell's detail rises by at least. A key frame's refresh stays below
BEFORE = 6  # frames to which it is compared; it exceeds all of them
SAME_LEVEL = 8.0  # grey levels, mean of a cell and its neighbours, after the change of exposure
EXPOSURE = 30.0  # grey levels; more than this is no exposure drift
LEAST_SIDE = 3  # cells; a person's edge is narrower
LEAST_FILL = 0.4  # of its bounding box; an outline fills less
AGREEING = 0.7  # of the jumping cells in and around a region, this share keeps its brightness
# The sum of a region's jumps, octaves, from which it counts, grows with the greatest change of brightness in and around
# it, grey levels: from 6 where there is none. Planted glimpses of 60 to 150 px have sums of 16 to 118 at changes of 0.5
# to 14, and of 6 and 8 at changes of 2.5 where they show little (bench/unprotected.py). Without a failure: 5 to 9 at
# changes of 3.5 in real calls, 17 at 6 where somebody rushes by at 27 px a frame of 320 px (tests/ops/test_call.py).
LEAST_SUM = 6.0
MOST_SUM = 19.0
QUIET = 2.6  # grey levels
SUM_PER_LEVEL = 4.5  # octaves a grey level
MOST_CHANGE = 15.0  # grey levels; more only where nearly the whole picture turns sharp (products darken its borders):
PLAIN_SUM = 100.0
GOES_ON = 0.5  # of the jump, on average over the region: so long the glimpse lasts
LONGEST = 256  # frames for which a glimpse is followed
# Some products blur everything, the person too, until they have the first mask. What then turns sharp and stays is the
# person; a blur that is switched off uncovers most of the picture.
OPENING = 64  # frames from the first, in which such a start ends
STAYS = 64  # frames, to the end of the recording or for as long as a glimpse is followed
MOST_OF_IT = 0.6  # of the cells
BLOCK = 1536  # frames looked at together, and as many as LONGEST of them again with the next ones
# Brief glimpses: those of 12 frames at most, with two sides to compare with. bench/unprotected.py's 600 s without a
# failure have none that reaches 4 octaves at these jumps; taken as every third frame (10 fps), the greatest has 5.8.
BRIEF = 12  # frames
BRIEF_JUMP = 8  # steps
BRIEF_CHANGE = 15.0  # grey levels, mean of the region; planted ones change by 12 at most, a hand or a cut by 27
BRIEF_SUM_PER_LEVEL = 1.0  # octaves a grey level; 16 at 35 where somebody rushes out (tests/ops/test_call.py)
BRIEF_AGREEING = 0.5
SAME_AGAIN = 4.0  # grey levels; afterwards each cell is as bright as it was
# Only where nothing changes its brightness may a region be narrow, or a frame be passed over at each side: an encoder
# shows some of a sharp frame in those that it predicts from it. A person's edge does both and brings its brightness.
NARROW_SIDE = 2  # cells
PASSED = (0, 1)  # frames

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A region of one frame that is sharp where just before or just after it is not.

    Attributes:
        frame: place of the frame in the order in which frames were given, from 0.
        box: x, y, width, height as shares (0-1) of the picture's sides.
        ratio: how many times as sharp it is, > 1 (mean over the cells, on a scale of octaves).
    """

    frame: int
    box: Box
    ratio: float


class GlimpseFinder:
    """Takes frames one by one, in blocks; memory does not grow with the recording but by what is found."""

    def __init__(self) -> None:
        self._detail: list[U8] = []
        self._level: list[U8] = []
        self._shot: list[int] = []
        self._first = 0  # number of the first frame in the lists
        self._done = 0  # so many of the lists have been looked at before
        self._found: dict[int, list[tuple[Box, float]]] = {}

    def add(self, detail: U8, level: U8, shot: int) -> None:
        """Take the next frame.

        Args:
            detail: ``(18, 32)`` uint8, 1/24 octave, see :func:`vbtools.ops.sharpness.measure`.
            level: ``(18, 32)`` uint8 mean luma.
            shot: frames are compared within one shot only.
        """
        self._detail.append(detail)
        self._level.append(level)
        self._shot.append(shot)
        if len(self._shot) >= BLOCK + 2 * LONGEST:
            self._look(len(self._shot) - LONGEST)
            drop = len(self._shot) - 2 * LONGEST
            del self._detail[:drop], self._level[:drop], self._shot[:drop]
            self._first += drop
            self._done = LONGEST

    def finish(self) -> list[Glimpse]:
        """Everything found, in the order of the frames; regions of a frame that overlap are one."""
        self._look(len(self._shot))
        return [
            Glimpse(frame, box, ratio) for frame in sorted(self._found) for box, ratio in _joined(self._found[frame])
        ]

    def _look(self, end: int) -> None:
        """Look for beginnings and ends among the frames that were not looked at yet, up to ``end``."""
        if end <= self._done:
            return
        detail = np.stack(self._detail).astype(np.int16)
        level = np.stack([cv2.blur(frame.astype(np.float32), (3, 3)) for frame in self._level])
        shot = np.array(self._shot)
        for step in (1, -1):  # what begins, looking back; then what ends, looking ahead
            jumps, changes = _jumps(detail[::step], level[::step], shot[::step])
            jump, change = jumps[::step], changes[::step]
            for frame in np.flatnonzero(_may_count(jump, change)).tolist():
                if self._done <= frame < end:
                    for region, rise in _regions(jump[frame], change[frame]):
                        self._follow(detail, shot, frame, step, region, rise)
        self._look_for_brief(detail, level, shot, end)

    def _look_for_brief(self, detail: I16, level: F32, shot: NDArray[np.int64], end: int) -> None:
        """Note what turns sharp among the frames that were not looked at yet, and is over within BRIEF frames."""
        before, after = _most(detail, shot), _most(detail[::-1], shot[::-1])[::-1]
        begun = {}  # few frames are sharper than those before them: the others need not be looked at for every length
        for passed in PASSED:
            first = np.arange(max(self._done, passed + 1), end)
            begun[passed] = first[_is_enough(detail[first] - before[first - passed])]
        for length, passed in product(range(1, BRIEF + 1), PASSED):
            first = begun[passed][begun[passed] < len(shot) - length - passed]
            last = first + length - 1
            soft = first - passed - 1, last + passed + 1
            jump = np.minimum(detail[first], detail[last]) - np.maximum(before[first - passed], after[last + passed])
            for i in np.flatnonzero(_is_enough(jump) & (shot[soft[0]] == shot[soft[1]])).tolist():
                then, now = level[soft[0][i]], level[soft[1][i]]
                change = np.maximum(_change(then, level[first[i]]), _change(now, level[last[i]]))
                for region, rise in _brief_regions(jump[i], change, _change(then, now), calm=passed > 0):
                    for t in range(first[i], last[i] + 1):
                        self._found.setdefault(self._first + t, []).append((_box(region), float(2.0 ** (rise / STEPS))))

    def _follow(self, detail: I16, shot: NDArray[np.int64], frame: int, step: int, region: Bools, jump: float) -> None:
        """Note the region in this frame and in those after (before, for step -1) in which it stays sharp."""
        base, box = detail[frame][region].mean() - jump, _box(region)
        glimpse: list[tuple[int, float]] = []
        goes_on = True
        for t in range(frame, int(np.clip(frame + step * LONGEST, -1, len(shot))), step):
            rise = float(detail[t][region].mean() - base)
            if shot[t] != shot[frame] or rise < GOES_ON * jump:
                goes_on = False
                break
            glimpse.append((t, float(2.0 ** (rise / STEPS))))
        if len(glimpse) == LONGEST and np.count_nonzero(region) * jump < STEPS * MOST_SUM:
            return  # so little, and it stays: an encoder that has found more bits
        opens = step == 1 and self._first + frame < OPENING and goes_on and len(glimpse) >= STAYS
        if opens and np.count_nonzero(region) < MOST_OF_IT * CELLS:
            return  # the person, who comes out of a start that blurred everything, and stays
        for t, ratio in glimpse:
            self._found.setdefault(self._first + t, []).append((box, ratio))


def _jumps(detail: I16, level: F32, shot: NDArray[np.int64]) -> tuple[I16, F32]:
    """Rise of each cell over all of the frames before; and by how much its brightness differs from the last of them."""
    jump = detail - _most(detail, shot)
    jump[0] = 0
    jump[1:][shot[1:] != shot[:-1]] = 0
    change = np.zeros_like(level)
    change[1:] = level[1:] - level[:-1]
    middle = CELLS // 2
    exposure = np.partition(change.reshape(-1, CELLS), middle, axis=1)[:, middle].clip(-EXPOSURE, EXPOSURE)
    return jump, np.abs(change - exposure[:, None, None])


def _most(detail: I16, shot: NDArray[np.int64]) -> I16:
    """The greatest detail of each cell in the frames before."""
    most = np.zeros_like(detail)
    for lag in range(1, BEFORE + 1):
        alike = (shot[lag:] == shot[:-lag])[:, None, None]
        np.maximum(most[lag:], detail[:-lag], out=most[lag:], where=alike)
    return most


def _change(before: F32, after: F32) -> F32:
    """By how much each cell's brightness differs, but for the change of exposure."""
    change = after - before
    exposure = float(np.median(change).clip(-EXPOSURE, EXPOSURE))
    changed: F32 = np.abs(change - exposure)
    return changed


def _may_count(jump: I16, change: F32) -> Bools:
    """Frames whose cells, all together, reach what a region has to."""
    counted = np.where((change <= SAME_LEVEL) & (jump >= JUMP), jump, 0).sum(axis=(1, 2))
    answer: Bools = counted >= LEAST_SUM * STEPS
    return answer


def _is_enough(jump: I16) -> Bools:
    """Frames whose cells, all together, reach what a brief glimpse has to."""
    answer: Bools = np.where(jump >= BRIEF_JUMP, jump, 0).sum(axis=(1, 2)) >= LEAST_SUM * STEPS
    return answer


def _regions(jump: I16, change: F32) -> list[tuple[Bools, float]]:
    """The regions of a frame that count: their cells, and their mean jump in steps."""
    sharp = jump >= JUMP
    count, label, stats, _ = cv2.connectedComponentsWithStats((sharp & (change <= SAME_LEVEL)).astype(np.uint8))
    found = []
    for number in range(1, count):
        x, y, width, height, cells = stats[number].tolist()
        if min(width, height) < LEAST_SIDE or cells < LEAST_FILL * width * height:
            continue
        region = label == number
        around = cv2.dilate(region.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        near = np.s_[max(0, y - 1) : y + height + 1, max(0, x - 1) : x + width + 1]
        most = float(change[around].max())
        least = float(np.clip(LEAST_SUM + SUM_PER_LEVEL * (most - QUIET), LEAST_SUM, MOST_SUM))
        total = float(jump[region].sum())
        least = PLAIN_SUM if most > MOST_CHANGE else least
        if cells >= AGREEING * np.count_nonzero(sharp[near]) and total >= least * STEPS:
            found.append((region, total / cells))
    return found


def _brief_regions(jump: I16, change: F32, again: F32, *, calm: bool) -> list[tuple[Bools, float]]:
    """The regions of a brief glimpse that count, as :func:`_regions`.

    Args:
        jump: of the first and the last frame over those before and after, the smaller one, in steps.
        change: how the brightness of these two differs from that before and after, the greater one, in grey levels.
        again: how the brightness after differs from that before, in grey levels.
        calm: nothing counts in which or around which brightness changes.
    """
    sharp = jump >= BRIEF_JUMP
    count, label, stats, _ = cv2.connectedComponentsWithStats((sharp & (again <= SAME_AGAIN)).astype(np.uint8))
    found = []
    for number in range(1, count):
        x, y, width, height, cells = stats[number].tolist()
        region = label == number
        most = float(change[cv2.dilate(region.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0].max())
        side = NARROW_SIDE if most <= QUIET else LEAST_SIDE
        if min(width, height) < side or cells < LEAST_FILL * width * height or (calm and most > QUIET):
            continue
        near = np.s_[max(0, y - 1) : y + height + 1, max(0, x - 1) : x + width + 1]
        total = float(jump[region].sum())
        least = float(np.clip(LEAST_SUM + BRIEF_SUM_PER_LEVEL * (most - QUIET), LEAST_SUM, MOST_SUM))
        agreeing = cells >= BRIEF_AGREEING * np.count_nonzero(sharp[near])
        if agreeing and total >= least * STEPS and float(change[region].mean()) <= BRIEF_CHANGE:
            found.append((region, total / cells))
    return found


def _box(region: Bools) -> Box:
    x, y, width, height = cv2.boundingRect(region.astype(np.uint8))
    return x / GRID[0], y / GRID[1], width / GRID[0], height / GRID[1]


def _joined(found: list[tuple[Box, float]]) -> list[tuple[Box, float]]:
    """Boxes that overlap made one, with the greatest ratio."""
    joined: list[tuple[Box, float]] = []
    for new in found:
        box, ratio = new
        for other in [one for one in joined if _overlap(one[0], box)]:
            joined.remove(other)
            box, ratio = _around(other[0], box), max(other[1], ratio)
        joined.append((box, ratio))
    return joined


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def _around(a: Box, b: Box) -> Box:
    x, y = min(a[0], b[0]), min(a[1], b[1])
    return x, y, max(a[0] + a[2], b[0] + b[2]) - x, max(a[1] + a[3], b[1] + b[3]) - y
