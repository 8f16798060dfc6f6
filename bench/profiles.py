"""Every profile of simulate, every motion, every way of aggregating: what each gives away.

    python bench/profiles.py [--size 640x360] [--seconds 4] [--work results/profiles] [--profile NAME ...]
                             [--motion NAME ...] [--write]

Prints the table; with --write it becomes docs/profiles.md. About 12 s a row on two cores.

Resumable: a call whose row is in WORK/rows.json, made with the same settings and the same values of its profile, is not
made again. Stop it with Ctrl-C and start it again at will.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vbtools.evaluate.score import evaluate
from vbtools.pipeline import Task, execute
from vbtools.simulate.profile import PROFILES
from vbtools.simulate.write import Settings, simulate
from vbtools.stages import stage

PAGE = Path(__file__).resolve().parents[1] / "docs" / "profiles.md"
METHODS = ("median", "mean", "max")
MOTIONS = ("still", "talking", "sway")
SEED = 3
FPS = 12.5
"""Frames of the project a second; the call has twice as many."""
DILATE_PX = 12  # at 720 rows, as recipes/demo.yaml has it
VERSION = 1
"""Raise it when the same settings would give other rows."""

HEAD = """# What each profile gives away

Written by `python bench/profiles.py --write{arguments}`: every profile of `vbtools simulate`, every motion, and the
background by the study's three ways of aggregating. Calls of {seconds:g} s, {width}x{height}, seed {seed}; projects of
{fps:g} frames a second, MediaPipe masks grown by {dilate} px, camera taken as fixed.

**Blocks**: detail recovered / false, of so many textured blocks that the person ever left free. **Words**: read, of all
words of four letters and more in the room; at this size most are too small to be read from the clean room. The
**ceiling** is the best of an oracle that knows every leak weight (or estimates them, marked ~) and of the three.
[evaluate.md](evaluate.md) defines both.

A low number in the first three columns beside a high ceiling says that the room is given away, and that these methods
do not find it. It does not say that the blur protects.
"""


def main() -> int:
    """Make the rows that are missing, and print or write the page."""
    given = _arguments()
    width, height = (int(side) for side in given.size.split("x"))
    given.work.mkdir(parents=True, exist_ok=True)
    store = given.work / "rows.json"
    rows: dict[str, Any] = json.loads(store.read_text()) if store.exists() else {}
    wanted = [(profile, motion) for profile in given.profile for motion in given.motion]
    for profile, motion in wanted:
        settings = Settings(
            profile=profile, seed=SEED, seconds=given.seconds, size=(width, height), fps=2 * FPS, motion=motion
        )
        key = f"{profile} {motion}"
        made_with = {
            "version": VERSION, "size": [width, height], "seconds": given.seconds,
            "profile": PROFILES[profile].values(),
        }  # fmt: skip
        if rows.get(key, {}).get("made_with") == made_with:
            continue
        begun = time.monotonic()
        rows[key] = {"made_with": made_with} | row(given.work / f"{profile}-{motion}", settings)
        store.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        print(f"{key}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    asked = "".join(f" {word}" for word in sys.argv[1:] if word != "--write")
    text = HEAD.format(
        arguments=asked, seconds=given.seconds, width=width, height=height, seed=SEED, fps=FPS,
        dilate=_dilate(height),
    )  # fmt: skip
    text += "\n" + "\n".join(table([(p, m, rows[f"{p} {m}"]) for p, m in wanted])) + "\n"
    print(text)
    if given.write:
        PAGE.write_text(text, encoding="utf-8")
        print(f"wrote {PAGE}", file=sys.stderr)
    return 0


def row(folder: Path, settings: Settings) -> dict[str, Any]:
    """Simulate one call, make its three projects, score them; the folder is removed afterwards."""
    simulate(folder, settings, force=True)
    projects = [folder / f"{method}.h5" for method in METHODS]
    for project, method in zip(projects, METHODS, strict=True):
        if project != projects[0]:
            shutil.copy(projects[0], project)  # shares the data folder: only aggregate runs
        execute(project, _tasks(method, settings.size[1]), video=folder / "blurred.mp4")
    answer = evaluate(projects[0], folder, blind=projects[1:], curve=False)
    place = "/aggregate/background"
    scores = [answer, *(answer["ceiling"]["candidates"][f"{project}: {place}"] for project in projects[1:])]
    everything = [answer, *answer["ceiling"]["candidates"].values()]
    found = {
        "textured": answer["detail"]["frame"]["textured"],
        "words": answer["words"]["words"],
        "estimated": answer["ceiling"]["estimated"],
        "methods": {m: _short(one) for m, one in zip(METHODS, scores, strict=True)},
        "ceiling": {
            "recovered": answer["ceiling"]["detail"]["frame"]["recovered"],
            "read": max(one["words"]["read"] for one in everything),
        },
    }
    shutil.rmtree(folder)
    return found


def table(rows: list[tuple[str, str, dict[str, Any]]]) -> Iterator[str]:
    """The page's table."""
    yield f"| profile | motion | blocks | {' | '.join(METHODS)} | ceiling | words | {' | '.join(METHODS)} | ceiling |"
    yield "| --- | --- " + "| ---: " * (2 * len(METHODS) + 4) + "|"
    for profile, motion, one in rows:
        methods = [one["methods"][method] for method in METHODS]
        mark = "~" if one["estimated"] else ""
        cells = [
            profile, motion, one["textured"], *(f"{m['recovered']} / {m['false']}" for m in methods),
            f"{mark}{one['ceiling']['recovered']}", one["words"], *(m["read"] for m in methods),
            f"{mark}{one['ceiling']['read']}",
        ]  # fmt: skip
        yield f"| {' | '.join(str(cell) for cell in cells)} |"


def _short(scores: dict[str, Any]) -> dict[str, int]:
    frame = scores["detail"]["frame"]
    return {"recovered": frame["recovered"], "false": frame["false"], "read": scores["words"]["read"]}


def _tasks(method: str, rows: int) -> list[Task]:
    values: dict[str, dict[str, Any]] = {
        "extract": {"fps": FPS}, "segment": {}, "align": {"method": "none"},
        "aggregate": {"method": method, "dilate": _dilate(rows)},
    }  # fmt: skip
    return [Task(stage(name), stage(name).parameters(given)) for name, given in values.items()]


def _dilate(rows: int) -> int:
    return round(DILATE_PX * rows / 720)


def _arguments() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--size", default="640x360", help="of the calls")
    asked.add_argument("--seconds", type=float, default=4.0, help="length of the calls")
    asked.add_argument("--work", type=Path, default=Path("results/profiles"), help="where rows.json is kept")
    asked.add_argument("--profile", nargs="+", choices=tuple(PROFILES), default=tuple(PROFILES))
    asked.add_argument("--motion", nargs="+", choices=MOTIONS, default=MOTIONS)
    asked.add_argument("--write", action="store_true", help="write docs/profiles.md too")
    return asked.parse_args()


if __name__ == "__main__":
    sys.exit(main())
