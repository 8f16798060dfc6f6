"""The study of a recording from Python: ``python examples/study.py VIDEO OUT``.

Everything that the command line does is a call: make tasks, execute them, read the results as numpy arrays. The numbers
are the study's CPU example (docs/study.md); study.yaml and step_by_step.sh beside this file do the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vbtools.errors import VbtoolsError
from vbtools.pipeline import Decision, Task, execute
from vbtools.stages import Progress, stage
from vbtools.store import Reader

VALUES: dict[str, dict[str, Any]] = {
    "extract": {"fps": 15, "resize_long": 960, "sample_every": 1},
    "segment": {"backend": "mediapipe"},
    "align": {"method": "farneback"},
    "aggregate": {"method": "median"},
    "enhance": {"steps": ["denoise", "clahe"]},
    "inspect": {"ocr": True, "on": "both"},
}
"""What is not given has its default; ``stage("align").specs()`` lists what there is."""


class Percent:
    """How far a stage is, on one line; only where somebody watches."""

    def __init__(self, name: str) -> None:
        self.name, self.total, self.done = name, 0, 0

    def start(self, total: int | None, unit: str) -> None:
        """Begin counting."""
        self.total, self.done = total or 0, 0

    def advance(self, done: int = 1) -> None:
        """Count; the total may be an estimate."""
        self.done += done
        if self.total and sys.stderr.isatty():
            print(f"  {self.name}: {min(100, 100 * self.done // self.total):3d} %", end="\r", file=sys.stderr)

    def say(self, text: str) -> None:
        """A line in between."""
        print(text, file=sys.stderr)


class Told:
    """A listener: what is decided and why, how far it is, what came of it."""

    def decided(self, decision: Decision) -> None:
        """A stage runs, or is skipped, for this reason."""
        print(decision, file=sys.stderr)

    @contextmanager
    def working(self, decision: Decision) -> Iterator[Progress]:
        """Around a stage's work."""
        yield Percent(decision.task.stage.name)

    def finished(self, decision: Decision, seconds: float, notes: list[str]) -> None:
        """A stage has been stored, with facts about its run."""
        for note in notes:
            print(f"  {note}", file=sys.stderr)


def study(video: Path, out: Path) -> Path:
    """Bring ``out/study.h5`` up to date; what is fresh is not run again."""
    out.mkdir(parents=True, exist_ok=True)
    tasks = [Task(stage(name), stage(name).parameters(values)) for name, values in VALUES.items()]
    execute(out / "study.h5", tasks, video=video, listener=Told())
    return out / "study.h5"


def findings(project: Path) -> list[str]:
    """What the project holds, in lines; arrays are plain numpy."""
    with Reader(project) as reader:
        background = reader.array("aggregate", "background")  # (H, W, 3) uint8 RGB
        coverage = reader.array("aggregate", "coverage")  # (H, W) uint32: in how many frames a pixel was seen
        words = reader.table("inspect", "ocr")
        unprotected = reader.table("inspect", "unprotected")
    seen = coverage > 0
    lines = [
        f"background: {background.shape[1]}x{background.shape[0]}",
        f"coverage: {100 * seen.mean():.1f} % of the pixels were seen, {coverage[seen].mean():.0f} times on average",
        f"moments without blur: {len(unprotected)}",
        f"words: {len(words)}",
    ]
    return lines + [f"  {word['text']!r} on the {word['image']} picture ({word['confidence']:.2f})" for word in words]


def main() -> int:
    """Study, then tell."""
    if len(sys.argv) != 3:
        print("usage: python examples/study.py VIDEO OUT", file=sys.stderr)
        return 2
    try:
        print("\n".join(findings(study(Path(sys.argv[1]), Path(sys.argv[2])))))
    except VbtoolsError as problem:  # says the fact, the value and what to do
        print(f"error: {problem}", file=sys.stderr)
        return problem.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
