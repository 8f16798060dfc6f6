"""The study's way against ours, on one clip in one run: time of each stage and in all, and peak memory.

    python bench/study.py                                     the whole comparison, 2-4 minutes
    python bench/study.py --frames 60                         a quick try; too short for the figures to be held
    python bench/study.py --only ours --work results/bench    one side; clip and projects stay, to be looked at

The clip is 1080p, 25 fps, 343 frames, of which 15 a second make 206. Three programs work on it in turn, each
in a process of its own that is measured by what the kernel says of it (``wait4``: wall time, CPU time, largest resident
memory, the programs it called included):

- the *stand-in* for the study's script (:func:`stand_in`), written from the study's text and issue 3. It is meant to be
  fair: each stage is the call that such a script makes, with OpenCV's own threads and the lists that its main function
  holds, frames, masks, masked and aligned frames, in the smallest type that will do. On a calm machine it takes less
  time and memory than the 43 s and 2.7 GB that the study's own script was measured to take;
- ours: ``recipes/cpu.yaml`` with the default aligner, ``align.method=auto``, without MPRNet and YOLO, which the
  stand-in does not have either (bench/restore.py measures those);
- ours with the study's own, ``align.method=farneback``.

Where ours spends its time is told by ``bench/_profile.py``.

Both read words on the enhanced picture only (the study's ``--ie_on_enhanced``). Before, ours runs once on a few frames,
so that compiled code and models are in their caches, and the stand-in's packages in the system's. Exits 1 where a
figure of issue 3 is missed. This process imports nothing large: what a parent holds would count as its children's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SHARED_CLIP = ROOT.parent / "shared" / "data" / "vendor" / "lfbw21_books" / "blurred_call.mp4"
RECIPE = ROOT / "recipes" / "cpu.yaml"
SIZE = (1920, 1080)
CLIP_FPS = 25
FRAMES = 343
"""Of the clip; 15 a second of them are 206, the study's number."""
FEW_FRAMES = 25
FPS, RESIZE_LONG = 15.0, 960
BIT_RATE = 2_500_000
STAGES = ("extract", "segment", "align", "aggregate", "enhance", "inspect")
AT_MOST = {
    ("ours, auto", "time"): 1 / 6,
    ("ours, auto", "memory"): 1 / 4,
    ("ours, farneback", "time"): 1 / 2,
}
"""Issue 3's figures: share of the stand-in's."""
STUDY_SECONDS, STUDY_GB = 43, 2.7
WITHOUT_TORCH = ("enhance.steps=[denoise, clahe]", "inspect.yolo=false", "inspect.on=enhanced")
"""What is compared is what the stand-in does too."""


@dataclass(frozen=True)
class Run:
    """What one program took.

    Attributes:
        wall, cpu: seconds; cpu over all threads and called programs.
        others: CPU seconds that the machine spent on anything else meanwhile; on a calm one next to nothing.
        peak: largest resident memory, MB.
        stages: seconds of each stage, as the program itself says.
        frames: how many it worked on.
        words: what it read.
    """

    name: str
    wall: float
    cpu: float
    others: float
    peak: float
    stages: dict[str, float]
    frames: int
    words: list[str] = field(default_factory=list)

    @property
    def rest(self) -> float:
        """Seconds outside the stages: starting, imports, checking, storing."""
        return self.wall - sum(self.stages.values())


# --------------------------------------------------------------------------------------------------------- the stand-in


def stand_in(video: Path) -> dict[str, Any]:
    """The study's pipeline in its order (study, 2.1), a list a stage; the answer goes to stdout as JSON.

    Frames in a list; MediaPipe on each, the person blacked out; Farneback of each against the first at full size and
    0.5/5/25/3/5/1.2, and warped by it; the median of the whole stack; non-local means, CLAHE, Tesseract.
    """
    seconds: dict[str, float] = {}
    with _timed(seconds, "extract"):
        frames = _frames(video)
    with _timed(seconds, "segment"):
        masks = _masks(frames)
        masked = _masked(frames, masks)
    with _timed(seconds, "align"):
        aligned = _aligned(masked)
    with _timed(seconds, "aggregate"):
        background = _median(aligned)
    with _timed(seconds, "enhance"):
        enhanced = _enhanced(background)
    with _timed(seconds, "inspect"):
        words = _words(enhanced)
    return {"stages": seconds, "frames": len(frames), "words": words}


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - begun


def _frames(video: Path) -> list[Any]:
    """The same frames that ours chooses, (H, W, 3) uint8 BGR, so that both do the same work."""
    import cv2

    from vbtools.ops.sampling import Sampler

    reader, sampler, frames, number = cv2.VideoCapture(str(video)), Sampler(FPS), [], 0
    while True:
        there, frame = reader.read()
        if not there:
            return frames
        if sampler.takes(number / CLIP_FPS):
            scale = RESIZE_LONG / max(frame.shape[:2])
            size = (round(frame.shape[1] * scale), round(frame.shape[0] * scale))
            frames.append(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))
        number += 1


def _masks(frames: list[Any]) -> list[Any]:
    """Where the person is, (H, W) bool, of each frame."""
    import cv2
    import mediapipe
    from mediapipe.tasks.python import vision
    from mediapipe.tasks.python.core.base_options import BaseOptions

    from vbtools.models import resolve

    options = vision.ImageSegmenterOptions(
        base_options=BaseOptions(model_asset_path=str(resolve("selfie-landscape"))), output_confidence_masks=True
    )
    masks = []
    with vision.ImageSegmenter.create_from_options(options) as segmenter:
        for frame in frames:
            rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            found = segmenter.segment(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb))
            masks.append(found.confidence_masks[0].numpy_view().reshape(frame.shape[:2]) > 0.5)
    return masks


def _masked(frames: list[Any], masks: list[Any]) -> list[Any]:
    """Each frame with the person blacked out."""
    masked = []
    for frame, person in zip(frames, masks, strict=True):
        background = frame.copy()
        background[person] = 0
        masked.append(background)
    return masked


def _aligned(masked: list[Any]) -> list[Any]:
    """Each frame warped onto the first."""
    import cv2
    import numpy as np

    height, width = masked[0].shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    reference = cv2.cvtColor(masked[0], cv2.COLOR_BGR2GRAY)
    aligned = [masked[0]]
    for frame in masked[1:]:
        gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        flow = cv2.calcOpticalFlowFarneback(reference, gray, None, 0.5, 5, 25, 3, 5, 1.2, 0)
        aligned.append(cv2.remap(frame, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR))
    return aligned


def _median(aligned: list[Any]) -> Any:
    import numpy as np

    return np.median(np.stack(aligned), axis=0).astype(np.uint8)


def _enhanced(picture: Any) -> Any:
    import cv2

    clean = cv2.fastNlMeansDenoisingColored(picture, None, 3, 3, 7, 21)
    lab = cv2.cvtColor(clean, cv2.COLOR_BGR2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(lab[..., 0])
    return cv2.cvtColor(lab, cv2.COLOR_LAB2BGR)


def _words(picture: Any) -> list[str]:
    import cv2
    import pytesseract

    from vbtools.backends.inspect.ocr import find_tesseract

    pytesseract.pytesseract.tesseract_cmd = str(find_tesseract())
    rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    found = pytesseract.image_to_data(rgb, config="--psm 11", output_type=pytesseract.Output.DICT)
    pairs = zip(found["text"], found["conf"], strict=True)
    return [text for text, confidence in pairs if text.strip() and float(confidence) >= 50]


# ------------------------------------------------------------------------------------------------------------- the clip


def make_clip(path: Path, frames: int) -> None:
    """The vendor's clip at 1080p, forwards and backwards as long as needed; a simulated one where it is absent."""
    import cv2

    from vbtools.backends.video import open_video
    from vbtools.backends.video_writer import VideoWriter

    if not SHARED_CLIP.is_file():
        _simulate(path, frames)
        return
    with open_video(SHARED_CLIP) as video:
        pictures = [frame.rgb() for frame, _ in zip(video.frames(), range(frames), strict=False)]
    order = [*range(len(pictures)), *range(len(pictures) - 2, 0, -1)]
    options = {"preset": "veryfast"}
    with VideoWriter(path, *SIZE, CLIP_FPS, bit_rate=BIT_RATE, options=options) as writer:
        for number in range(frames):
            picture = pictures[order[number % len(order)]]
            writer.write(cv2.resize(picture, SIZE, interpolation=cv2.INTER_CUBIC))


def _simulate(path: Path, frames: int) -> None:
    folder = path.with_suffix("")
    size, seconds = f"{SIZE[0]}x{SIZE[1]}", f"{frames / CLIP_FPS}"
    command = [sys.executable, "-m", "vbtools", "simulate", "-o", str(folder), "--force"]
    subprocess.run([*command, "--size", size, "--seconds", seconds, "--fps", f"{CLIP_FPS}"], check=True)
    (folder / "blurred.mp4").replace(path)


def clip_in(folder: Path, frames: int) -> Path:
    """The clip of so many frames, made if it is not there; in a process of its own, see the module's text."""
    path = folder / f"call-{frames}.mp4"
    if not path.is_file():
        _say(f"making {path.name}")
        part = path.with_name(f"part-{path.name}")
        subprocess.run([sys.executable, __file__, "--make-clip", str(part), "--frames", str(frames)], check=True)
        part.replace(path)
    return path


# ------------------------------------------------------------------------------------------------------------ measuring


def measured(name: str, command: list[str], after: Callable[[str], dict[str, Any]]) -> Run:
    """Run a program to its end; ``after`` turns its stdout into stages, frames and words."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as told:
        busy, begun = _busy_s(), time.perf_counter()
        child = subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=said, stderr=told)
        _, status, usage = os.wait4(child.pid, 0)
        wall, busy = time.perf_counter() - begun, _busy_s() - busy
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        told.seek(0)
        if child.returncode:
            raise SystemExit(f"{' '.join(command)} failed ({child.returncode}): {told.read().decode()[-2000:]}")
        answer = after(said.read().decode())
    cpu = usage.ru_utime + usage.ru_stime
    peak = usage.ru_maxrss / 1024
    return Run(name, wall, cpu, busy - cpu, peak, answer["stages"], answer["frames"], answer["words"])


def _environment() -> dict[str, str]:
    """This process's, in which Python may keep compiled modules: warm caches are part of the comparison."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _busy_s() -> float:
    """CPU seconds that the machine has worked since it started; 0 where Linux does not say."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split()[1:9]
    except OSError:
        return 0.0
    idle = (3, 4)  # idle, and waiting for a disk
    return sum(int(ticks) for n, ticks in enumerate(fields) if n not in idle) / os.sysconf("SC_CLK_TCK")


def run_stand_in(clip: Path) -> Run:
    """The stand-in, in its own process."""
    return measured("stand-in", [sys.executable, __file__, "--stand-in", str(clip)], json.loads)


def run_ours(clip: Path, folder: Path, method: str) -> Run:
    """``vbtools run recipes/cpu.yaml`` with an aligner, in its own process and an empty project."""
    project = folder / f"{method}-{clip.stem}.h5"
    project.unlink(missing_ok=True)
    command = [sys.executable, "-m", "vbtools", "run", str(RECIPE), "--video", str(clip), "-p", str(project)]
    for setting in (f"align.method={method}", *WITHOUT_TORCH):
        command += ["--set", setting]
    return measured(f"ours, {method}", command, lambda _: _history(project))


def _history(project: Path) -> dict[str, Any]:
    """Seconds of each stage from ``vbtools log``, and what was found; read in a process of its own, afterwards."""
    code = (
        "import json, sys; from pathlib import Path; from vbtools.store import Reader\n"
        "with Reader(Path(sys.argv[1])) as project:\n"
        "    print(json.dumps({'stages': {e['stage']: e['duration'] for e in project.log()},\n"
        "                      'frames': len(project.array('extract', 'time')),\n"
        "                      'words': [w['text'] for w in project.table('inspect', 'ocr')]}))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(project)], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# ------------------------------------------------------------------------------------------------------------ reporting


def table(runs: list[Run]) -> list[str]:
    """Seconds of each stage, in all, and memory; with the share of the stand-in's where that ran too."""
    base = next((run for run in runs if run.name == "stand-in"), None)
    rows: list[tuple[str, Callable[[Run], float], str]] = [
        *((stage, lambda run, stage=stage: run.stages.get(stage, 0.0), "s") for stage in STAGES),
        ("start and the rest", lambda run: run.rest, "s"),
        ("in all", lambda run: run.wall, "s"),
        ("CPU time", lambda run: run.cpu, "s"),
        ("peak memory", lambda run: run.peak, "MB"),
        ("others' CPU time", lambda run: max(0.0, run.others), "s"),
    ]
    lines = [f"{'':18}" + "".join(f"{run.name:>26}" for run in runs)]
    for label, value, unit in rows:
        cells = []
        for run in runs:
            of = "" if base is None or run is base or label.startswith("others") else _ratio(value(run), value(base))
            number = f"{value(run):.0f}" if unit == "MB" else f"{value(run):.2f}"
            cells.append(f"{number + ' ' + unit:>12}{of:>14}")
        lines.append(f"{label:18}" + "".join(cells))
    return lines


def _ratio(value: float, base: float) -> str:
    """``1/7.4`` where ours takes less, ``1.3 x`` where it takes more."""
    if value <= 0 or base <= 0:
        return ""
    return f"1/{base / value:.1f}" if value <= base else f"{value / base:.1f} x"


def missed(runs: list[Run]) -> list[str]:
    """Says each figure of issue 3 with whether it is met; returns those that are not."""
    base = next((run for run in runs if run.name == "stand-in"), None)
    lost = []
    for (name, what), most in AT_MOST.items():
        run = next((run for run in runs if run.name == name), None)
        if base is None or run is None:
            continue
        share = run.wall / base.wall if what == "time" else run.peak / base.peak
        met = share <= most
        told = f"{name}, {what}: {_ratio(share, 1.0)} of the stand-in's, at most 1/{1 / most:.0f}"
        _say(f"{told}: {'met' if met else 'MISSED'}")
        if not met:
            lost.append(told)
    return lost


def _say(text: str) -> None:
    print(text, flush=True)


def compare(folder: Path, frames: int, only: str) -> int:
    """Run what is asked for, print the table, return the exit status."""
    clip, few = clip_in(folder, frames), clip_in(folder, FEW_FRAMES)
    runs = []
    if only in ("both", "stand-in"):
        run_stand_in(few)
        runs.append(run_stand_in(clip))
    if only in ("both", "ours"):
        for method in ("auto", "farneback"):
            run_ours(few, folder, method)
            runs.append(run_ours(clip, folder, method))
    _say(f"{os.cpu_count()} cores")
    _say("\n".join(table(runs)))
    for run in runs:
        busy = "; the machine was busy with something else" if run.others > run.wall / 10 else ""
        _say(f"{run.name}: {run.frames} frames, {len(run.words)} words read{busy}")
    _say(f"(the study's own script, measured before on a machine of this kind: {STUDY_SECONDS} s, {STUDY_GB} GB)")
    lost = missed(runs)
    if frames < FRAMES:
        _say(f"{frames} of {FRAMES} frames: too short for the figures to be held")
        return 0
    return 1 if lost else 0


def main() -> int:
    """Compare; or, for the processes that are measured, be the stand-in or make the clip."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--frames", type=int, default=FRAMES, help=f"of the clip; {FRAMES} where not given")
    asked.add_argument("--only", choices=("both", "ours", "stand-in"), default="both")
    asked.add_argument("--work", type=Path, help="a folder for clip and projects, which then stay")
    asked.add_argument("--stand-in", type=Path, metavar="CLIP", help=argparse.SUPPRESS)
    asked.add_argument("--make-clip", type=Path, metavar="CLIP", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.stand_in:
        _say(json.dumps(stand_in(given.stand_in)))
    elif given.make_clip:
        make_clip(given.make_clip, given.frames)
    else:
        with tempfile.TemporaryDirectory(prefix="vbtools-study-") as temporary:
            folder = given.work or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            return compare(folder, given.frames, given.only)
    return 0


if __name__ == "__main__":
    sys.exit(main())
