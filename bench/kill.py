"""SIGKILL ``vbtools run`` on a clip at random moments: is the project always whole, and does the next run complete?

    python bench/kill.py --kills 200 [--seed 1] [--clip call.mp4]

Every kill begins with an empty folder; after it the project is opened and every element of every stored stage is read;
then the run is started again and must complete with everything fresh. Half of the moments are uniform over the length
of one whole run; the other half come within 40 ms after an unfinished file has appeared, so that commits are hit far
more often than by chance. Linux only: the runs are forked from a process that has imported what they need. Prints one
line; exits 1 if a stage was lost.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from importlib import import_module
from pathlib import Path

import numpy as np

RECIPE = """version: 1
stages:
  extract: {resize_long: 320}
  segment: {backend: mediapipe}
  align: {method: farneback, scale: 0.5, levels: 2}
  aggregate: {method: median, tile: 64}
  enhance: {steps: [clahe]}
  inspect: {ocr: %s}
"""
PART = re.compile(r"study\.h5\.\d+\.part")


def main() -> int:
    """Kill, look, finish; again and again."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--kills", type=int, default=200)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--clip", type=Path, help="a recording; made here where not given")
    asked.add_argument("--frames", type=int, default=40, help="of the clip that is made")
    given = asked.parse_args()
    dice = random.Random(given.seed)
    with tempfile.TemporaryDirectory(prefix="vbtools-kill-") as name:
        folder = Path(name)
        clip = given.clip or make_clip(folder / "call.mp4", given.frames)
        recipe = folder / "kill.yaml"
        recipe.write_text(RECIPE % ("true" if shutil.which("tesseract") else "false"))
        for module in ("cv2", "mediapipe", "numba", "vbtools.cli.run", "vbtools.pipeline"):
            import_module(module)
        length = 0.0
        for warm in ("cold", "warm"):
            begun = time.monotonic()
            check_finished(run_to_the_end(recipe, clip, folder / warm / "study.h5"), folder / warm / "study.h5")
            length = time.monotonic() - begun
        counts = dict.fromkeys(("writing bulk", "committing", "between stages", "before the first"), 0)
        lost = 0
        for number in range(given.kills):
            project = folder / f"{number}" / "study.h5"
            if number % 2:
                told = kill(0.0, recipe, clip, project, dice.randint(1, 8), dice.uniform(0.0, 0.04))
            else:
                told = kill(dice.uniform(0.0, length), recipe, clip, project)
            counts[where(project, told)] += 1
            lost += look(project, told)
            check_finished(run_to_the_end(recipe, clip, project), project)
            shutil.rmtree(project.parent)
    hits = ", ".join(f"{n} {what}" for what, n in counts.items())
    sys.stdout.write(
        f"{given.kills} kills over a run of {length:.1f} s ({hits}): {lost} stored stages lost, "
        f"{given.kills} projects opened, {given.kills} next runs completed\n"
    )
    return 1 if lost else 0


def fork(recipe: Path, clip: Path, project: Path) -> int:
    """Start ``vbtools run`` in another process; its messages go to a file beside the project."""
    project.parent.mkdir(exist_ok=True)
    pid = os.fork()
    if pid:
        return pid
    try:
        log = os.open(project.parent / "said.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        from vbtools.cli.main import run

        os._exit(run(["run", str(recipe), "--video", str(clip), "-p", str(project)]))
    except BaseException:  # noqa: BLE001 - or the fork would go on as this process
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(99)


def run_to_the_end(recipe: Path, clip: Path, project: Path) -> int:
    """Run; the exit status."""
    _, status = os.waitpid(fork(recipe, clip, project), 0)
    return os.waitstatus_to_exitcode(status)


def kill(seconds: float, recipe: Path, clip: Path, project: Path, part: int = 0, after: float = 0.0) -> list[str]:
    """Run, and kill it; the stages that it had said to have finished.

    Args:
        seconds: when, if ``part`` is 0.
        part: else so many unfinished files must have appeared first.
        after: so many seconds after the last of them.
    """
    pid = fork(recipe, clip, project)
    time.sleep(seconds)
    appeared, before = 0, set[Path]()
    while appeared < part and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        now = {f for folder in (project.parent, project.with_suffix(".data")) for f in folder.glob("*.part*")}
        appeared += len(now - before)
        before = now
        time.sleep(0.0005)
    time.sleep(after)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    said = project.parent / "said.txt"
    return re.findall(r"^  (\w+) took ", said.read_text(), re.MULTILINE) if said.exists() else []


def where(project: Path, told: list[str]) -> str:
    """What the kill hit, from what it left."""
    from vbtools.store import Reader

    files = [f for f in project.parent.rglob("*") if f.is_file()]
    referred: set[Path] = set()
    stored: tuple[str, ...] = ()
    if project.exists():
        with Reader(project) as reader:
            stored = reader.stages()
            records = [r for s in stored if (r := reader.record(s))]
        referred = {project.parent / place["file"] for r in records for place in r.bulk.values()}
    whole_bulk = {f for f in files if f.parent.name == "study.data" and f.suffix == ".h5"}
    if any(PART.fullmatch(f.name) for f in files) or whole_bulk - referred or set(stored) - set(told):
        return "committing"
    if any(".part" in f.name for f in files):
        return "writing bulk"
    return "between stages" if stored else "before the first"


def look(project: Path, told: list[str]) -> int:
    """Read everything; the number of stages that were said to be stored and are not."""
    from vbtools.store import Reader

    if not project.exists():
        return len(told)
    with Reader(project) as reader:
        stored = reader.stages()
        for stage in stored:
            for name in reader.names(stage):
                reader.array(stage, name)
    return len(set(told) - set(stored))


def check_finished(code: int, project: Path) -> None:
    """Stop with what was said if a run did not complete, or if not all of it is fresh."""
    from vbtools.pipeline import assess_stored
    from vbtools.store import Reader

    if code == 0:
        with Reader(project) as reader:
            states = [str(a) for a in assess_stored(reader)]
        if all(state.endswith(": fresh") for state in states) and not list(project.parent.rglob("*.part*")):
            return
        raise SystemExit(f"the run did not leave everything fresh: {states}")
    raise SystemExit(f"a run ended with {code}:\n{(project.parent / 'said.txt').read_text()}")


def make_clip(path: Path, frames: int) -> Path:
    """A still, textured room with something moving before it."""
    import av

    noise = np.random.default_rng(0)
    room = np.kron(noise.integers(40, 216, (18, 32, 3), dtype=np.uint8), np.ones((10, 10, 1), np.uint8))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(frames):
            picture = room.copy()
            picture[60:, 100 + number : 180 + number] = (200, 160, 140)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


if __name__ == "__main__":
    raise SystemExit(main())
