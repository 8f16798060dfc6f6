"""Where ``vbtools run`` spends its time and memory on the clip of bench/study.py: stages, and the functions in them.

    python bench/_profile.py [--align auto] [--frames 343] [--work results/bench]

The pipeline runs in this process and a thread looks at it; that costs a little, so that the figures of bench/study.py
are somewhat lower.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from study import FRAMES, RECIPE, STAGES, WITHOUT_TORCH, clip_in


class Sampled:
    """A listener that looks every few milliseconds at what each thread does, and sums it up by stage and function.

    A thread that waits counts as nothing. Time in native code counts for the function of vbtools that called it, time
    in ``import`` as "imports".
    """

    EVERY_S = 0.004
    WAITING = ("wait", "_worker", "select", "_recv_bytes", "_try_wait", "poll")
    """Innermost functions of a thread that has nothing to do."""

    def __init__(self) -> None:
        self.stage = "start"
        self.wall: dict[str, float] = {}
        self.cpu: dict[str, float] = {}
        self.peak: dict[str, float] = {}
        self.where: dict[tuple[str, str], float] = {}
        self._begun = (time.perf_counter(), _cpu_s())
        self._over = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()

    def decided(self, decision: Any) -> None:
        """A stage begins; what came before is its own line."""
        self._end()
        self.stage = decision.task.stage.name

    @contextmanager
    def working(self, decision: Any) -> Iterator[Any]:
        """Show nothing."""
        from vbtools.stages import Silent

        yield Silent()

    def finished(self, decision: Any, seconds: float, notes: list[str]) -> None:
        """A stage has been stored."""
        self._end()
        self.stage = "between"

    def stop(self) -> None:
        """No more samples."""
        self._over.set()
        self._sampler.join()

    def lines(self, most: int = 5) -> list[str]:
        """Seconds of each stage, and of the functions that took most of them."""
        told = []
        for stage in ("start", *STAGES):
            wall, cpu = self.wall.get(stage, 0.0), self.cpu.get(stage, 0.0)
            told.append(f"{stage:10} {wall:6.2f} s, CPU {cpu:6.2f} s, peak memory so far {self.peak[stage]:.0f} MB")
            found = sorted(((v, what) for (of, what), v in self.where.items() if of == stage), reverse=True)
            told += [f"    {seconds:6.2f} s  {what}" for seconds, what in found[:most]]
        return told

    def _end(self) -> None:
        now = (time.perf_counter(), _cpu_s())
        self.wall[self.stage] = self.wall.get(self.stage, 0.0) + now[0] - self._begun[0]
        self.cpu[self.stage] = self.cpu.get(self.stage, 0.0) + now[1] - self._begun[1]
        self.peak[self.stage] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self._begun = now

    def _sample(self) -> None:
        before = time.perf_counter()
        while not self._over.wait(self.EVERY_S):
            now = time.perf_counter()
            for thread, frame in sys._current_frames().items():
                if thread != threading.get_ident() and frame.f_code.co_name not in self.WAITING:
                    key = (self.stage, _what(frame))
                    self.where[key] = self.where.get(key, 0.0) + now - before
            before = now


def _what(frame: Any) -> str:
    """The innermost function of vbtools that a thread is in, as ``ops/masks.py dilated``; or "imports"."""
    leaf = frame
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return "imports"
        if f"{os.sep}vbtools{os.sep}" in file:
            return f"{file.rpartition(f'{os.sep}vbtools{os.sep}')[2]} {frame.f_code.co_name}"
        frame = frame.f_back
    return f"elsewhere: {Path(leaf.f_code.co_filename).name} {leaf.f_code.co_name}"


def _cpu_s() -> float:
    """Seconds of CPU time of this process and of the programs that it called."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def profile(clip: Path, folder: Path, method: str) -> list[str]:
    """Run the CPU recipe with an aligner in this process; the table's lines."""
    listener = Sampled()
    from vbtools.config.recipe import load
    from vbtools.pipeline import execute, tasks_from
    from vbtools.stages import stage_names

    recipe = load(RECIPE, stage_names())
    for setting in (f"align.method={method}", *WITHOUT_TORCH):
        recipe.set(setting, stage_names())
    project = folder / f"profile-{method}.h5"
    project.unlink(missing_ok=True)
    execute(project, tasks_from(recipe), clip, listener=listener)
    listener.stop()
    return listener.lines()


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--align", default="auto", help="the aligner; auto where not given")
    asked.add_argument("--frames", type=int, default=FRAMES, help=f"of the clip; {FRAMES} where not given")
    asked.add_argument("--work", type=Path, help="a folder for clip and project, which then stay")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="vbtools-profile-") as temporary:
        folder = given.work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print("\n".join(profile(clip_in(folder, given.frames), folder, given.align)))


if __name__ == "__main__":
    sys.exit(main())
