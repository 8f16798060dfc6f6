"""The deep models against calling their packages directly, and the study's CPU recipe whole: time, memory, agreement.

    python bench/restore.py                                   everything but what takes minutes, 1-2 minutes
    python bench/restore.py --only realesrgan --rounds 5      one part: realesrgan, spandrel, seams, yolo
    python bench/restore.py --only x4plus                     4 minutes: the large model on a whole background
    python bench/restore.py --only recipe                     3 minutes: recipes/cpu.yaml, MPRNet with random weights

It needs the sample weights, photographs and clips in ../shared/data. Real-ESRGAN is compared in processes of its own,
ours and theirs in turn, several rounds: time of loading and enlarging, imports left out, and the largest memory that
the kernel tells of them (``wait4``). The share that counts is of CPU time, which depends least on what else the machine
does; wall time stands beside it. Exits 1 where a figure of issue 4 is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
ANIMEVIDEO = SHARED / "models" / "realesr-animevideov3_from_ncnn_fp16.pth"
X4PLUS = SHARED / "models" / "RealESRGAN_x4plus_from_ncnn_fp16.pth"
YOLO = SHARED / "models" / "yolov8n_dequantised.pt"
PHOTO = SHARED / "photos" / "twilio_office.jpg"
BACKGROUND = SHARED / "vendor" / "lfbw_blur40_books" / "background_blurred_by_vendor.png"
CLIP = SHARED / "vendor" / "lfbw21_books" / "blurred_call.mp4"
SIZE = (960, 540)
SEAM_SIZE = (320, 180)
SEAM_TILE = 160
AT_MOST = {"realesrgan": 1.05, "spandrel": 1, "seams": 1.1, "recipe": 4000}
"""Issue 4's figures: share of RealESRGANer's own time and memory; grey levels; gradient at a seam; MB."""
LEAST_OVERLAP = 0.99

OURS = """
import sys, time
from pathlib import Path
from vbtools.backends.enhance.realesrgan import RealEsrgan
from vbtools.backends.picture import read_picture, write_picture
from vbtools.stages.enhance import Enhance, enhance_image
RealEsrgan.preload()
image = read_picture(Path(sys.argv[2]))
begun = time.perf_counter(), time.process_time()
params = Enhance.parameters({"steps": [{"realesrgan": {"weights": sys.argv[1], "device": "cpu"}}]})
enlarged = enhance_image(image, params)
print(time.perf_counter() - begun[0], time.process_time() - begun[1])
write_picture(Path(sys.argv[3]), enlarged)
"""
THEIRS = """
import sys, time
import cv2
import torch
from vbtools.backends.enhance.torchvision_alias import import_realesrgan
RealESRGANer = import_realesrgan().RealESRGANer
image = cv2.imread(sys.argv[2])
begun = time.perf_counter(), time.process_time()
if "anime" in sys.argv[1]:
    from realesrgan.archs.srvgg_arch import SRVGGNetCompact
    network = SRVGGNetCompact(num_in_ch=3, num_out_ch=3, num_feat=64, num_conv=16, upscale=4, act_type="prelu")
else:
    from basicsr.archs.rrdbnet_arch import RRDBNet
    network = RRDBNet(num_in_ch=3, num_out_ch=3, num_feat=64, num_block=23, num_grow_ch=32, scale=4)
upsampler = RealESRGANer(scale=4, model_path=sys.argv[1], model=network, pre_pad=0, device=torch.device("cpu"))
enlarged = upsampler.enhance(image)[0]
print(time.perf_counter() - begun[0], time.process_time() - begun[1])
cv2.imwrite(sys.argv[3], enlarged)
"""
"""Untiled, with the padding of the makers' own script (none)."""


@dataclass(frozen=True)
class Run:
    """What a process took: seconds of wall and CPU time, largest resident memory in MB."""

    wall: float
    cpu: float
    peak: float


def measured(*command: object, told: Path | None = None) -> Run:
    """Run a program to its end; what it says goes to a file, or nowhere."""
    begun = time.perf_counter()
    with (told or Path(os.devnull)).open("wb") as file:
        child = subprocess.Popen([str(part) for part in command], cwd=ROOT, stdout=file, stderr=file)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        said = told.read_text()[-2000:] if told else ""
        raise SystemExit(f"{' '.join(str(part) for part in command)} failed ({child.returncode}) {said}")
    return Run(time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def realesrgan(folder: Path, rounds: int, weights: Path = ANIMEVIDEO) -> list[str]:
    """Ours and RealESRGANer called directly, in turn, on a background of 960x540."""
    picture = _background(folder)
    sides: dict[str, list[Run]] = {"ours": [], "RealESRGANer": []}
    for _ in range(rounds):
        for name, code in (("ours", OURS), ("RealESRGANer", THEIRS)):
            output = folder / f"{name}.png"
            told = folder / "seconds.txt"
            run = measured(sys.executable, "-c", code, weights, picture, output, told=told)
            wall, cpu = map(float, told.read_text().split()[-2:])  # of loading and enlarging, without imports
            sides[name].append(Run(wall, cpu, run.peak))
    _say(f"{weights.name} on {SIZE[0]}x{SIZE[1]}, {rounds} rounds, medians (and the least)")
    for name, runs in sides.items():
        values = [(f"{what} {statistics.median(v):.1f} ({min(v):.1f}) {unit}") for what, unit, v in _columns(runs)]
        _say(f"  {name:14}{', '.join(values)}")
    _say(f"  largest difference of the results: {_difference(folder / 'ours.png', folder / 'RealESRGANer.png')}")
    missed = []
    for (what, _, ours), (_, _, theirs) in zip(_columns(sides["ours"]), _columns(sides["RealESRGANer"]), strict=True):
        if what != "wall":
            missed += _figure("realesrgan", f"{what} against RealESRGANer's", min(ours) / min(theirs))
    return missed


def _columns(runs: list[Run]) -> list[tuple[str, str, list[float]]]:
    return [("wall", "s", [r.wall for r in runs]), ("CPU", "s", [r.cpu for r in runs]),
            ("memory", "MB", [r.peak for r in runs])]  # fmt: skip


def spandrel(folder: Path) -> list[str]:
    """The same weights through RealESRGANer and through spandrel, untiled."""
    import cv2
    import numpy as np

    from vbtools.stages.enhance import Enhance, enhance_image

    missed = []
    for weights, size in ((ANIMEVIDEO, (480, 270)), (X4PLUS, (96, 54))):
        image = cv2.resize(cv2.imread(str(_background(folder))), size, interpolation=cv2.INTER_AREA)[..., ::-1].copy()
        one, other = (
            enhance_image(image, Enhance.parameters({"steps": [{name: {"weights": str(weights), "tile": 0}}]}))
            for name in ("realesrgan", "mprnet")
        )
        worst = int(np.abs(one.astype(int) - other).max())
        missed += _figure("spandrel", f"{weights.name}, {size[0]}x{size[1]}: grey levels from spandrel's", worst)
    return missed


def seams(folder: Path) -> list[str]:
    """MPRNet's official architecture with random weights, in tiles: gradient across seams against the interior's."""
    import cv2
    import numpy as np

    from vbtools.ops.seams import fades, spans
    from vbtools.stages.enhance import Enhance, enhance_image

    weights = _random_mprnet(folder)
    image = cv2.resize(cv2.imread(str(_background(folder))), SEAM_SIZE, interpolation=cv2.INTER_AREA)[..., ::-1].copy()
    image = np.clip(image + np.random.default_rng(0).normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    ratios = {}
    at_seam = np.zeros(SEAM_SIZE[0] - 1, bool)
    for start, stop in fades(spans(SEAM_SIZE[0], SEAM_TILE)):
        at_seam[start - 1 : stop + 1] = True
    for name, tile in (("tiles", SEAM_TILE), ("whole", 0)):
        step = {"mprnet": {"weights": str(weights), "tile": tile, "device": "cpu"}}
        restored = enhance_image(image, Enhance.parameters({"steps": [step]}))
        steps = np.abs(np.diff(restored.astype(float), axis=1)).mean(axis=(0, 2))
        ratios[name] = steps[at_seam].mean() / steps[~at_seam].mean()
    _say(f"gradient where tiles meet against elsewhere: {ratios['tiles']:.3f}; in the whole: {ratios['whole']:.3f}")
    return _figure("seams", "gradient across seams against the interior's", ratios["tiles"] / ratios["whole"])


def yolo() -> list[str]:
    """Boxes on a photograph against ultralytics called directly on the file."""
    from types import SimpleNamespace

    import numpy as np

    from vbtools.backends.inspect.yolo import YoloDetector
    from vbtools.backends.picture import read_picture

    image = read_picture(PHOTO)
    asked = SimpleNamespace(weights=YOLO, min_confidence=0.25, device="cpu")
    found = YoloDetector(asked)(image, np.ones(image.shape[:2], bool), 1.0)
    import ultralytics

    (direct,) = ultralytics.YOLO(str(YOLO)).predict(str(PHOTO), device="cpu", verbose=False)
    boxes = [(b["x"], b["y"], b["x"] + b["width"], b["y"] + b["height"]) for b in found]
    least = min(max(_overlap(one, other) for other in boxes) for one in direct.boxes.xyxy.tolist())
    _say(f"{PHOTO.name}: {len(found)} objects, directly {len(direct.boxes)}; least overlap (IoU) {least:.4f}")
    good = len(found) == len(direct.boxes) and least > LEAST_OVERLAP
    _say(f"  more than {LEAST_OVERLAP}, and as many: {'met' if good else 'MISSED'}")
    return [] if good else ["yolo"]


def recipe(folder: Path) -> list[str]:
    """``vbtools run recipes/cpu.yaml`` on a real product's call, MPRNet's architecture with random weights."""
    project, told = folder / "cpu.h5", folder / "cpu.log"
    settings = [f"enhance.weights={_random_mprnet(folder)}", f"inspect.weights={YOLO}"]
    command = [sys.executable, "-m", "vbtools", "run", "recipes/cpu.yaml", "--video", CLIP, "-p", project]
    run = measured(*command, *(part for setting in settings for part in ("--set", setting)), told=told)
    _say(told.read_text())
    _say(f"recipes/cpu.yaml: {run.wall:.0f} s, CPU {run.cpu:.0f} s, {os.cpu_count()} cores")
    return _figure("recipe", "largest resident memory, MB", run.peak)


def _figure(name: str, what: str, value: float) -> list[str]:
    met = value <= AT_MOST[name]
    told = f"{what}: {value:.3g}, at most {AT_MOST[name]}"
    _say(f"  {told}: {'met' if met else 'MISSED'}")
    return [] if met else [told]


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, across) * max(0.0, down)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)


def _background(folder: Path) -> Path:
    import cv2

    path = folder / "background.png"
    if not path.is_file():
        source = BACKGROUND if BACKGROUND.is_file() else PHOTO
        cv2.imwrite(str(path), cv2.resize(cv2.imread(str(source)), SIZE, interpolation=cv2.INTER_AREA))
    return path


def _random_mprnet(folder: Path) -> Path:
    """As tests/weights.py makes it."""
    path = folder / "model_deblurring.pth"
    if not path.is_file():
        code = f"import sys; sys.path.insert(0, 'tests'); from weights import *; save_mprnet(Path({str(path)!r}))"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    return path


def _difference(one: Path, other: Path) -> int:
    import cv2
    import numpy as np

    return int(np.abs(cv2.imread(str(one)).astype(int) - cv2.imread(str(other))).max())


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    """Run the parts; 1 where a figure is missed."""
    quick = ("realesrgan", "spandrel", "seams", "yolo")
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--only", choices=(*quick, "x4plus", "recipe"))
    asked.add_argument("--rounds", type=int, default=3, help="of Real-ESRGAN's comparison")
    asked.add_argument("--work", type=Path, help="a folder for what is made, which then stays")
    given = asked.parse_args()
    if not SHARED.is_dir():
        _say(f"{SHARED} is not here: nothing can be measured")
        return 1
    with tempfile.TemporaryDirectory(prefix="vbtools-restore-") as temporary:
        folder = given.work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        parts: dict[str, Callable[[], list[str]]] = {
            "realesrgan": lambda: realesrgan(folder, given.rounds),
            "spandrel": lambda: spandrel(folder),
            "seams": lambda: seams(folder),
            "yolo": yolo,
            "x4plus": lambda: realesrgan(folder, 1, X4PLUS),
            "recipe": lambda: recipe(folder),
        }
        missed = [figure for name in ([given.only] if given.only else quick) for figure in parts[name]()]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
