"""How near the profiles come to the real products on the same clean clip; exits 1 where one misses a target.

    python bench/faithful.py [--data ../shared/data/vendor] [NAME ...]

Each clip under --data that a row of CLIPS names is made again with that row's profile from scene_books/clean.mkv, and
compared with what the product made of it, frame by frame:

- PSNR in the far background (more than 25 px outside the true person, the frame's borders included), at least 34 dB;
- PSNR in the fringe band (3 to 25 px outside), at least 28 dB;
- leaked: the share of the band that lies in the fringe at some time whose largest leak weight is over 0.5, within a
  quarter of the real one. The weight is estimated in both alike: a = <C - B, x - B> / |x - B|^2 over 9x9 px, clipped to
  0..1, with C the output, B the empty room as the profile blurs it, and x the clean frame.

A product's call as H.264 is compared with the emulated one through the same encoder at the same rate.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.backends.picture import read_picture
from vbtools.backends.video import open_video
from vbtools.simulate.call import call
from vbtools.simulate.product import Product
from vbtools.simulate.profile import Scheme, profile, scheme

SCENE = "scene_books"
FAR_PX, NEAR_PX = 25, 3
LEAST_FAR_DB, LEAST_FRINGE_DB, MOST_LEAK_OFF = 34.0, 28.0, 0.25
SIZE, FPS = (1280, 720), 25.0


@dataclass(frozen=True)
class Clip:
    """A product's clip: its folder, and the profile with the settings that it was made with."""

    folder: str
    profile: str
    settings: dict[str, object]

    @property
    def scheme(self) -> Scheme:
        """The profile with these settings. The samples begin when the first mask is there: no frame is raw."""
        return scheme(self.settings | {"raw_frames": 0}, profile(self.profile).scheme)


CLIPS = (
    Clip("shiguredo15_books", "shiguredo", {"strength": 15}),
    Clip("livekit50_books", "livekit", {"strength": 50}),
    Clip("lfbw_blur40_books", "lfbw", {"strength": 40}),
    Clip("lfbw21_books", "lfbw", {}),
)


class Compared:
    """Errors and leak weights, gathered frame by frame.

    Args:
        plate: the empty room as the profile blurs it, (H, W, 3).
    """

    def __init__(self, plate: NDArray[np.uint8]) -> None:
        self._plate = plate.astype(np.float32)
        self._errors = {"far": [0.0, 0], "fringe": [0.0, 0]}
        self._band = np.zeros(plate.shape[:2], np.bool_)
        self._largest = np.zeros((2, *plate.shape[:2]), np.float32)

    def add(self, clean: NDArray[np.uint8], alpha: NDArray[np.uint8], outputs: list[NDArray[np.uint8]]) -> None:
        """Take in one frame: the real output and the emulated one."""
        distance = cv2.distanceTransform((alpha < 128).astype(np.uint8), cv2.DIST_L2, 5)
        fringe = (distance >= NEAR_PX) & (distance <= FAR_PX)
        squared = ((outputs[0].astype(np.float32) - outputs[1]) ** 2).mean(axis=2)
        for name, where in (("far", distance > FAR_PX), ("fringe", fringe)):
            self._errors[name][0] += float(squared[where].sum())
            self._errors[name][1] += int(where.sum())
        self._band |= fringe
        for largest, output in zip(self._largest, outputs, strict=True):
            np.maximum(largest, np.where(fringe, self._weight(clean, output), 0), out=largest)

    def psnr(self, name: str) -> float:
        """Over all frames, dB."""
        total, count = self._errors[name]
        return float(10 * np.log10(255**2 / max(total / max(count, 1), 1e-10)))

    def leaked(self) -> tuple[float, float]:
        """Share of the swept band that is leaked: real, emulated."""
        real, emulated = (float((largest[self._band] > 0.5).mean()) for largest in self._largest)
        return real, emulated

    def _weight(self, clean: NDArray[np.uint8], output: NDArray[np.uint8]) -> NDArray[np.float32]:
        room, shown = clean - self._plate, output - self._plate
        along = cv2.blur((room * shown).sum(axis=2), (9, 9))
        whole = cv2.blur((room * room).sum(axis=2), (9, 9))
        return np.clip(along / np.maximum(whole, 1e-3), 0, 1)


def frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """A recording's frames, RGB."""
    with open_video(path) as video:
        for frame in video.frames():
            yield frame.rgb()


def compare(data: Path, clip: Clip, every: int) -> Compared:
    """Make a clip again and compare every ``every``-th frame of it."""
    scene = data / SCENE
    lossless = data / clip.folder / "blurred_lossless.mkv"
    real = lossless if lossless.exists() else data / clip.folder / "blurred_call.mp4"
    with tempfile.TemporaryDirectory() as work, Product(clip.scheme, SIZE[1]) as product:
        compared = Compared(product.blurred(read_picture(scene / "background.png")))
        made = Path(work) / "call.mp4"
        kept = []
        with call(made, SIZE, FPS) as sent:
            for number, frame in enumerate(frames(scene / "clean.mkv")):
                output = product(frame)[0]
                if real != lossless:
                    sent.write(output)
                elif number % every == 0:
                    kept.append(output)
        emulated = iter(kept) if real == lossless else (f for n, f in enumerate(frames(made)) if n % every == 0)
        truth = zip(frames(scene / "clean.mkv"), frames(scene / "alpha.mkv"), frames(real), strict=True)
        for number, (clean, alpha, shown) in enumerate(truth):
            if number % every == 0:
                compared.add(clean, alpha[..., 0], [shown, next(emulated)])
    return compared


def main() -> int:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("names", nargs="*", help="folders of --data; all that are there where none is given")
    asked.add_argument("--data", type=Path, default=Path("../shared/data/vendor"))
    asked.add_argument("--every", type=int, default=5, help="compare every n-th frame; all are made")
    given = asked.parse_args()
    chosen = [clip for clip in CLIPS if clip.folder in (given.names or [c.folder for c in CLIPS])]
    missed = 0
    print("| clip | profile | far, dB | fringe, dB | leaked, real | leaked, emulated | |\n" + "| --- " * 7 + "|")
    for clip in chosen:
        if not (given.data / clip.folder).is_dir():
            raise SystemExit(f"There is no {given.data / clip.folder}; name the vendors' folder with --data")
        compared = compare(given.data, clip, given.every)
        far, fringe = compared.psnr("far"), compared.psnr("fringe")
        real, emulated = compared.leaked()
        good = far >= LEAST_FAR_DB and fringe >= LEAST_FRINGE_DB and abs(emulated - real) <= MOST_LEAK_OFF * real
        missed += not good
        settings = ", ".join(f"{key} {value}" for key, value in clip.settings.items())
        print(
            f"| {clip.folder} | {clip.profile} {settings} | {far:.1f} | {fringe:.1f} | {100 * real:.1f} % |"
            f" {100 * emulated:.1f} % | {'reached' if good else 'missed'} |",
            flush=True,
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
