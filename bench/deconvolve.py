"""What deconvolution with the blindly identified kernel brings back, against plain Wiener filters.

    python bench/deconvolve.py \
        ../shared/data/vendor/lfbw21_books/blurred_call.mp4 \
        ../shared/data/vendor/scene_books/background.png --project /tmp/lfbw21.h5

Structure, recovered, false and invented blocks (vbtools/ops/detail.py) of the plate, of leak alone, of both methods
with and without the leak, and of plain Wiener filters (one ratio of noise to signal) with the same kernel and with the
hand-set Gaussian of the findings.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from vbtools.backends.enhance.deconvolve import Deconvolve, DeconvolveParams
from vbtools.backends.picture import read_picture
from vbtools.ops.blur_kernel import transfer
from vbtools.ops.deconvolution import limits, restored
from vbtools.ops.detail import LUMA, detail
from vbtools.ops.unobserved import fill
from vbtools.store.reader import Reader

RATIOS = (0.1, 0.03, 0.01, 0.006, 0.003, 0.001)
HAND_SET = (6.0, 7.0, 8.0)
"""Sigmas, px, that findings.md, section 1, tried."""
MARGIN = 64


def line(name: str, estimate: NDArray[Any], truth: NDArray[np.uint8], observed: NDArray[np.bool_]) -> None:
    """Print the counts of one estimate."""
    found = detail(estimate, truth, observed).counts()
    told = " ".join(f"{key} {found[key]:4d}" for key in ("structure", "recovered", "false", "invented"))
    print(f"{name:34s} {told}", flush=True)


def plain(plate: NDArray[np.float32], family: str, sigma: float, ratio: float) -> NDArray[np.float32]:
    """A Wiener filter with one ratio of noise to signal."""
    padded = np.pad(plate, MARGIN, mode="reflect")
    down = transfer(family, sigma, scipy.fft.fftfreq(padded.shape[0]))[:, None]
    passed = (down * transfer(family, sigma, scipy.fft.rfftfreq(padded.shape[1]))[None]).astype(np.float32)
    made = scipy.fft.irfft2(scipy.fft.rfft2(padded) * (passed / (passed * passed + np.float32(ratio))), s=padded.shape)
    return np.asarray(made, np.float32)[MARGIN:-MARGIN, MARGIN:-MARGIN]


def main() -> None:
    """Run the stages if there is no project yet, and print a line an estimate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("background", type=Path)
    parser.add_argument("--project", type=Path, required=True)
    given = parser.parse_args()
    if not given.project.exists():
        here = ("-p", str(given.project))
        stages = (["extract", str(given.video), "--fps", "25", "--resize-long", "1280"], ["segment"])
        for stage in (*stages, ["align", "--method", "none"], ["aggregate", "--method", "leak"]):
            subprocess.run([sys.executable, "-m", "vbtools", *stage, *here], check=True, stdout=subprocess.DEVNULL)
    truth = read_picture(given.background)
    with Reader(given.project) as reader:
        background, observed = reader.array("aggregate", "background"), reader.array("aggregate", "coverage") > 0
        blur = reader.table("aggregate", "blur")[0]
        plate = np.asarray(fill(reader.array("aggregate", "plate"), observed), np.float32) @ LUMA
        print("identified:", blur)
        line("plate", plate, truth, observed)
        line("leak", background, truth, observed)
        for method in ("wiener", "tv"):
            step = Deconvolve(DeconvolveParams(method=method))
            step.prepare(reader)
            both = step(background, observed)
            if step.told is None:
                print(step.notes[-1])
                return
            family, sigma = step.told["family"], step.told["sigma"]
            alone = restored(plate, family, sigma, limits(plate, family, sigma), method)
            line(f"deconvolve {method}, plate alone", alone, truth, observed)
            line(f"deconvolve {method}, with leak", both, truth, observed)
            print("   ", step.notes[-1])
    for ratio in RATIOS:
        line(f"plain Wiener, same kernel, {ratio:g}", plain(plate, family, sigma, ratio), truth, observed)
    for hand in HAND_SET:
        for ratio in RATIOS:
            line(f"plain Wiener, Gaussian {hand:g}, {ratio:g}", plain(plate, "gaussian", hand, ratio), truth, observed)


if __name__ == "__main__":
    main()
