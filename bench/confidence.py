"""Fit the trees of ``vbtools.ops.confidence`` on calls whose room is known, and test them on others.

    python bench/confidence.py --work FOLDER [--write] [--bare] [--only fitted|fresh|seen|held-out|empty|vendor ...]

Fitted on: the composites of ``bench/_composites.py`` and the simulated calls ``FITTED`` and ``UNFOUND`` of
``bench/_known.py``, each block of the same weight, those of calls that show nothing of more. Tested on: each fourth of
these by the trees of the rest; ``FRESH``, of other profiles, rooms, persons and seeds, which nobody had looked at when
the trees were chosen; ``SEEN``, which was fresh for the trees before, and ``HELD_OUT``, for those before these;
``EMPTY``, where nothing may be believed; and last the clips of ``../shared/data/vendor``.
--write puts the trees into ``vbtools/ops/confidence_trees.py``. What is measured of a call is kept in FOLDER: empty it
when what the trees are given changes. 20 to 60 s a call.

Columns: blocks with texture; of these shown (r > 0.5); with confidence from 0.8; the share of those that is shown; the
share of the shown that has it; expected calibration error; blocks without texture that are believed to have some.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from _boosting import fit
from _composites import DATA, SCENES, Call, Man, call, read, recovered
from _known import EMPTY, FITTED, FRESH, HELD_OUT, SEEN, UNFOUND, made, nothing

from vbtools.backends.aggregate import leak
from vbtools.ops import confidence_trees
from vbtools.ops.confidence import FEATURES, FEW, LEAVES, QUESTIONS, RISING, confidence
from vbtools.ops.detail import STRUCTURE_R, TEXTURE, detail

EMPTY_WEIGHT = 3.0
"""Times as much weighs a block of a call that shows nothing of its room: there are few of them."""
UNTEXTURED = 0.3
"""Weight of a block in which the room has no texture and the estimate shows some."""
BELIEVED = 0.8
FOLDS = 4
TESTS = ("fresh", "seen", "held-out", "empty", "vendor")
VENDOR = ("shiguredo15_books", "livekit50_books", "lfbw_blur40_books", "lfbw21_books")
WEAK_PX = 8.0
"""A blur is weak below, effective sigma at 720 rows, as identified."""
PLACE = Path(confidence_trees.__file__)


@dataclass(frozen=True, slots=True)
class Measured:
    """What is kept of a call: the trees' features of the blocks, and what these show."""

    name: str
    given: np.ndarray
    judged: np.ndarray
    unblurred: np.ndarray
    against: str
    block: int
    r: np.ndarray
    textured: np.ndarray
    invents: np.ndarray
    seen: np.ndarray

    @property
    def sigma(self) -> float:
        """px at 720 rows, of the blur as it was identified."""
        return float(np.exp(self.given[FEATURES.index("blur identified")].mean()))

    @property
    def right(self) -> np.ndarray:
        """Blocks that show the room."""
        return self.textured & (self.r > STRUCTURE_R)

    def alone(self, start: float, trees: np.ndarray) -> np.ndarray:
        """What the trees say of each block, whatever speaks against the clip or the place."""
        rows, columns = self.r.shape
        return confidence(self.given, start, trees)[:rows, :columns]

    def believed(self, start: float, trees: np.ndarray) -> np.ndarray:
        """The confidence as the stage would write it, mean of each block."""
        p = confidence(self.given, start, trees)
        return blocks(leak.believed(p, self.judged, self.unblurred, self.against)[0], self.block)


def blocks(plane: np.ndarray, side: int) -> np.ndarray:
    """Means of blocks (rows, columns)."""
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    return plane[: rows * side, : columns * side].reshape(rows, side, columns, side).mean(axis=(1, 3))


def measured(made: Call) -> Measured:
    """Recover a call and compare it with its room; one without a room has nothing right, and texture everywhere."""
    found = recovered(made)
    shown = detail(found.picture, found.picture if made.room is None else made.room)
    empty = made.room is None
    return Measured(
        made.name, found.given, (found.coverage > 0) & ~found.overlays, found.unblurred, found.objection, shown.block,
        np.where(empty, 0, shown.r), shown.textured | empty, ~shown.textured & (shown.estimate_std >= TEXTURE),
        blocks((found.coverage > 0).astype(np.float32), shown.block) > 1 / 2,
    )  # fmt: skip


def kept(folder: Path, name: str, make: Callable[[], Call]) -> Measured:
    """What was measured of a call, from the folder where it is there."""
    place = folder / f"{name}.npz"
    if not place.exists():
        one = measured(make())
        np.savez_compressed(place, **{key: getattr(one, key) for key in Measured.__slots__})
        print(f"measured {name}", file=sys.stderr, flush=True)
    with np.load(place) as held:
        values = {key: held[key] if held[key].ndim else held[key].item() for key in Measured.__slots__}
    return Measured(**values)


def samples(calls: list[Measured]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (n, F) of the blocks that count, whether they show the room (n,), and their weights (n,)."""
    given, right, weight = [], [], []
    for one in calls:
        counts = (one.textured | one.invents) & one.seen
        rows, columns = counts.shape  # of whole blocks
        given.append(np.moveaxis(one.given[:, :rows, :columns], 0, -1)[counts])
        right.append(one.right[counts])
        each = np.where(one.textured, 1, UNTEXTURED)[counts]
        weight.append(each * (1.0 if one.right.any() else EMPTY_WEIGHT))
    return np.concatenate(given), np.concatenate(right), np.concatenate(weight)


def error_of(p: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error over ten cells."""
    cell = np.minimum((10 * p).astype(int), 9)
    gaps = [abs(right[cell == k].mean() - p[cell == k].mean()) * (cell == k).mean() for k in np.unique(cell)]
    return float(sum(gaps))


def row(name: str, p: np.ndarray, right: np.ndarray, invented: int) -> str:
    """One row of a table, of the blocks with texture."""
    sure = p >= BELIEVED
    precision = f"{right[sure].mean():.2f}" if sure.any() else "-"
    reach = f"{(sure & right).sum() / right.sum():.2f}" if right.any() else "-"
    return (
        f"| {name} | {len(p)} | {int(right.sum())} | {int(sure.sum())} | {precision} | {reach} |"
        f" {error_of(p, right):.3f} | {invented} |"
    )


def table(title: str, told: list[tuple[Measured, np.ndarray]]) -> Iterator[str]:
    """The rows of calls with the confidence of their blocks, and of all together; of calls that were not fitted also of
    those behind strong and behind weak blurs."""
    yield f"\n| {title} | textured | shown | p >= 0.8 | of them shown | reach | ECE | invented |"
    yield "| --- " + "| ---: " * 7 + "|"
    every = []
    for one, p in told:
        invented = int(((p >= BELIEVED) & one.invents & ~one.textured).sum())
        every.append((p[one.textured], one.right[one.textured], invented))
        yield row(one.name, *every[-1])
    weak = np.array([one.sigma < WEAK_PX for one, _ in told])
    groups = {"strong blurs": ~weak, "weak blurs": weak} if weak.any() else {}
    for name, chosen in {**groups, "all": np.ones_like(weak)}.items():
        part = [e for e, is_one in zip(every, chosen, strict=True) if is_one]
        yield row(name, *(np.concatenate([e[k] for e in part]) for k in (0, 1)), sum(e[2] for e in part))


def source(start: float, trees: np.ndarray) -> str:
    """The module that holds the trees."""
    parts = [0, QUESTIONS, 2 * QUESTIONS, 2 * QUESTIONS + LEAVES]  # a line each: features, bounds, odds
    # A bound has the digits of a float32: much is wholly free of the person, and 0.99999, rounded, would be no bound.
    digits = (2, 9, 4)
    rows = "\n".join(
        "    (" + ",\n     ".join(
            ", ".join(f"{value:.{most}g}" for value in tree[low:high])
            for (low, high), most in zip(pairwise(parts), digits, strict=True)
        ) + ")," for tree in trees
    )  # fmt: skip
    return (
        '"""The trees of :mod:`vbtools.ops.confidence`; written by ``python bench/confidence.py --write``."""\n\n'
        "import numpy as np\n\n"
        f"START = {start:.4f}\n"
        '"""Log odds before the first tree."""\n'
        "# fmt: off\nTREES = np.array((\n" + rows.replace("inf", "1e9") + "\n))\n# fmt: on\n"
        '"""(n, 22), as :func:`vbtools.ops.confidence.confidence` takes them."""\n'
    )


def rounded(start: float, trees: np.ndarray) -> tuple[float, np.ndarray]:
    """The trees as they are written.

    Raises:
        AssertionError: their bounds have lost digits.
    """
    held: dict[str, object] = {}
    exec(source(start, trees), held)  # the very text that is written
    written: np.ndarray = held["TREES"]  # type: ignore[assignment]
    asked = slice(QUESTIONS, 2 * QUESTIONS)
    np.testing.assert_allclose(written[:, asked], np.minimum(trees[:, asked], 1e9), rtol=1e-8)
    return held["START"], written  # type: ignore[return-value]


def calls(part: str, folder: Path) -> list[Measured]:
    """The calls of one part."""
    if part == "fitted":
        known = [kept(folder, one.name, lambda one=one: made(one)) for one in FITTED]
        known += [kept(folder, one.name, lambda one=one: nothing(one)) for one in UNFOUND]
        todo = [name for name in SCENES if not (folder / f"{name}.npz").exists()]
        man = Man.load() if todo else None
        return known + [kept(folder, name, lambda name=name: call(name, man)) for name in SCENES]  # type: ignore[arg-type]
    tests = {"fresh": FRESH, "seen": SEEN, "held-out": HELD_OUT}
    if part in tests:
        return [kept(folder, one.name, lambda one=one: made(one)) for one in tests[part]]
    if part == "empty":
        return [kept(folder, one.name, lambda one=one: nothing(one)) for one in EMPTY]
    books = cv2.imread(str(DATA / "vendor" / "scene_books" / "background.png"))[..., ::-1]
    clips = {name: DATA / "vendor" / name / "blurred_call.mp4" for name in VENDOR}
    return [kept(folder, name, lambda n=name, p=path: Call(n, read(p), books)) for name, path in clips.items()]


def crossed(known: list[Measured]) -> tuple[list[tuple[Measured, np.ndarray]], str]:
    """Each call as the trees foretell it that were fitted on three fourths without it; and what is right of the sure
    blocks of calls that have few."""
    told, few, right, sure = [], 0, 0, 0
    for k in range(FOLDS):
        rest = [one for i, one in enumerate(known) if i % FOLDS != k]
        model = rounded(*fit(*samples(rest), RISING))
        for one in known[k::FOLDS]:
            told.append((one, one.believed(*model)))
            chosen = (one.alone(*model) >= BELIEVED) & one.seen
            if 0 < chosen.sum() < FEW:
                few, sure = few + 1, sure + int((chosen & one.textured).sum())
                right += int((chosen & one.right).sum())
    line = f"\n{few} calls have 1 to {FEW - 1} sure blocks, of which {right} of {sure} with texture are right"
    return sorted(told, key=lambda pair: pair[0].name), line


def main() -> int:
    """Fit, print the tables, write the trees if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where what was measured is kept")
    parser.add_argument("--write", action="store_true", help="write the trees")
    parser.add_argument("--only", nargs="+", default=("fitted", *TESTS), help="parts")
    parser.add_argument("--bare", action="store_true", help="what the trees say: no objection, no place left out")
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    model = (confidence_trees.START, confidence_trees.TREES)
    if "fitted" in asked.only:
        known = calls("fitted", asked.work)
        model = rounded(*fit(*samples(known), RISING))
        told, few = crossed(known)
        print("\n".join([*table("fitted, each fourth by the rest", told), few]), flush=True)
        if asked.write:
            PLACE.write_text(source(*model), encoding="utf-8")
            print(f"wrote {PLACE}: of {len(FEATURES)} features", file=sys.stderr)
    for part in TESTS:
        if part in asked.only:
            tested = calls(part, asked.work)
            told = [(one, one.alone(*model) if asked.bare else one.believed(*model)) for one in tested]
            print("\n".join(table(part, told)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
