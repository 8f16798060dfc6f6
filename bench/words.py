"""How many words of a leak image inspect reads, and how many it invents: projects against the truth of their scene.

    python bench/words.py --truth ../shared/data/vendor/scene_books PROJECT.h5 ...  [--decoys 200]
    python bench/words.py --nothing [--only KIND]

The projects hold a background made with ``aggregate --method leak``, such as

    vbtools run recipes/leak.yaml --video ../shared/data/vendor/shiguredo15_books/blurred_call.mp4 -p s.h5

Counted are words of the truth with four letters and more (letters and digits) of whose box at least 90 % has an
exposure of 0.1 and more. One is read if a word that inspect stored lies on it and is at most a fifth of its letters
away.
Decoys are random words of the same shape (capitals, small letters, digits) put in the word's place: how often they
"are read" is what chance gives. A stored word of four letters and more is false if it lies on no line of text, or is
more than two fifths of its letters away from each part of that line.

With ``--nothing``, calls that show nothing of a room (``EMPTY`` in ``bench/_known.py``) are simulated and examined, and
every word is printed that inspect is sure of, 0.8 and more, where the edge showed anything: there should be none.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import string
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.backends.inspect.merge import edits, letters
from vbtools.ops.reading import EXPOSED
from vbtools.stages import Job, stage
from vbtools.store import Reader

Box = tuple[float, float, float, float]
LEAST_LETTERS = 4
EXPOSURE = 0.1
INSIDE = 0.9
WRONG = 0.2
ON_IT = 0.3
"""A reading lies on a word if they share so much of the smaller box."""
FAR = 0.4
SURE = 0.8
SEEN = 0.8
"""Upper share of a line's box in which ink is looked for: below there may be the paper's edge."""


def words_of(truth: Path) -> list[tuple[str, Box]]:
    """Every word of the scene's level lines of text with its box: lines are cut at their widest gaps without ink."""
    picture = cv2.imread(str(truth / "background.png"), cv2.IMREAD_GRAYSCALE)
    words = []
    for line in json.loads((truth / "truth.json").read_text())["text"]:
        if line.get("angle"):
            continue
        left, top, right, bottom = line["box"]
        texts = line["text"].split()
        spans = spans_of(texts, picture[top:bottom, left:right])
        words += [(text, (left + a, top, b - a, bottom - top)) for text, (a, b) in zip(texts, spans, strict=True)]
    return words


def spans_of(texts: list[str], part: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """First and last column of each word of a line; by their letters' number where letters leave too few gaps."""
    level, _ = cv2.threshold(part, 0, 255, cv2.THRESH_OTSU)
    ink, width = part <= level, part.shape[1]
    if ink.mean() > 0.5:
        ink = ~ink
    blank = ~ink[: round(SEEN * len(part))].any(axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], blank, [False])).astype(np.int8)))
    gaps = [(int(b - a), int(a), int(b)) for a, b in edges.reshape(-1, 2) if a > 0 and b < width]
    if len(gaps) < len(texts) - 1:
        shares = [len(text) + 1 for text in texts]
        ends = [round(end * width / sum(shares)) for end in np.cumsum(shares)]
        return list(zip([0, *ends[:-1]], ends, strict=True))
    cuts = sorted(sorted(gaps, reverse=True)[: len(texts) - 1], key=lambda gap: gap[1])
    return list(zip([0, *(cut[2] for cut in cuts)], [*(cut[1] for cut in cuts), width], strict=True))


def on(a: Box, b: Box) -> float:
    """Shared area as a share of the smaller box."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height) / max(1e-9, min(a[2] * a[3], b[2] * b[3]))


def is_read(word: str, box: Box, read: list[tuple[str, Box]]) -> bool:
    """Whether a reading at this place is the word, but for a fifth of its letters."""
    return any(on(box, place) > ON_IT and edits(text.casefold(), word.casefold()) <= WRONG * len(word)
               for text, place in read)  # fmt: skip


def is_false(text: str, box: Box, lines: list[tuple[str, Box]]) -> bool:
    """Whether a reading is no part of the line of text at its place: each part is more than 2/5 of its letters away."""
    near = ["".join(line.casefold().split()) for line, place in lines if on(box, place) > FAR / 4]
    text, size = text.casefold(), len(text)
    parts = (line[start : start + size] for line in near for start in range(max(1, len(line) - size + 1)))
    return not any(edits(text, part) <= FAR * size for part in parts)


def decoy(word: str, chance: random.Random) -> str:
    """A random word of the same shape."""
    kinds = ((str.isdigit, string.digits), (str.isupper, string.ascii_uppercase), (str.islower, string.ascii_lowercase))
    return "".join(next((chance.choice(of) for is_kind, of in kinds if is_kind(c)), c) for c in word)


def inside(box: Box, exposed: NDArray[np.bool_]) -> float:
    """Share of a box that is exposed."""
    x, y, width, height = (round(v) for v in box)
    return float(exposed[y : y + height, x : x + width].mean())


def invented(empty: Any) -> list[str]:
    """The words of which inspect is sure, on what the edge showed of a call that shows nothing."""
    from _known import nothing

    from vbtools.backends.video_writer import VideoWriter
    from vbtools.pipeline import Task, execute

    call = nothing(empty)
    wanted: dict[str, dict[str, Any]] = {
        "extract": {}, "segment": {}, "align": {}, "aggregate": {"method": "leak"}, "inspect": {},
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="vbtools-words-") as name:
        video, project = Path(name) / "call.mkv", Path(name) / "call.h5"
        _, height, width, _ = call.frames.shape
        with VideoWriter(video, width, height, 25, codec="ffv1", pixel_format="bgr0") as writer:
            for frame in call.frames:
                writer.write(frame)
        execute(project, [Task(stage(one), stage(one).parameters(values)) for one, values in wanted.items()], video)
        with Reader(project) as stored:
            rows = stored.table("inspect", "ocr")
    return [row["text"] for row in rows
            if row["exposure"] >= EXPOSED and row["confidence"] >= SURE and not row["overlay"]]  # fmt: skip


def count_invented(only: str) -> int:
    """Print a line for each call that shows nothing; how many words in all."""
    from _known import EMPTY

    total = 0
    for empty in (one for one in EMPTY if only in one.kind):
        words = invented(empty)
        total += len(words)
        print(f"{empty.name}: {len(words)} sure words on what the edge showed {words or ''}", flush=True)
    print(f"{total} in all (asked: 0)")
    return total


class _Rows:
    """Takes the tables that a stage writes."""

    def __init__(self) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = {}

    def rows(self, name: str, rows: list[dict[str, Any]]) -> None:
        self.tables[name] = rows


def inspected(project: Reader) -> list[dict[str, Any]]:
    """What inspect, with its defaults, would store as words now."""
    one, output = stage("inspect"), _Rows()
    job: Job[Any] = Job(one.parameters({}), project, output)  # type: ignore[arg-type]
    one.run(job)
    return output.tables["ocr"]


def main() -> int:
    """Print a line a project, and the median."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("projects", nargs="*", type=Path)
    parser.add_argument("--truth", type=Path, help="folder with truth.json and background.png")
    parser.add_argument("--decoys", type=int, default=200, help="random words for each word")
    parser.add_argument("--nothing", action="store_true", help="calls that show nothing, instead of projects")
    parser.add_argument("--only", default="", help="of those, the ones whose kind contains this")
    args = parser.parse_args()
    if args.nothing:
        return int(count_invented(args.only) > 0)
    if not args.projects or args.truth is None:
        parser.error("give --truth and projects, or --nothing")
    words, chance, shares = words_of(args.truth), random.Random(0), []
    boxes = [(one["text"], one["box"]) for one in json.loads((args.truth / "truth.json").read_text())["text"]]
    lines = [(text, (left, top, right - left, bottom - top)) for text, (left, top, right, bottom) in boxes]
    matched = tried = 0
    for path in args.projects:
        with Reader(path) as project:
            begun = time.perf_counter()
            stored = inspected(project)
            seconds = time.perf_counter() - begun
            exposed = project.array("aggregate", "exposure") >= EXPOSURE
        read = [(row["text"], (row["x"], row["y"], row["width"], row["height"])) for row in stored]
        wanted = [(w, b) for w, b in words if letters(w) >= LEAST_LETTERS and inside(b, exposed) >= INSIDE]
        got = [w for w, b in wanted if is_read(w, b, read)]
        telling = [(text, box) for text, box in read if letters(text) >= LEAST_LETTERS]
        false = [text for text, box in telling if is_false(text, box, lines)]
        for word, box in wanted:
            tried += args.decoys
            matched += sum(is_read(decoy(word, chance), box, read) for _ in range(args.decoys))
        shares.append(len(got) / len(wanted) if wanted else float("nan"))
        print(f"{path.stem}: {len(got)} of {len(wanted)} exposed words read in {seconds:.1f} s: {got}")
        print(f"    not {[w for w, _ in wanted if w not in got]}")
        print(f"    of {len(telling)} stored words of four letters and more {len(false)} false: {false}")
    print(f"median {statistics.median(shares):.2f}; decoys {matched} of {tried} ({matched / max(1, tried):.2%})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
