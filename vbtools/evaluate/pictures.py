"""What is scored: a project's background and enhancements, brought to the truth's size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.errors import InputError, StageMissingError
from vbtools.ops.unobserved import fill, resize_observed
from vbtools.pipeline.pictures import Shown
from vbtools.stages.enhance import stored_pictures
from vbtools.store import Reader

U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

PLATE = ("aggregate", "background")
SAME_PROPORTIONS = 0.02
"""Width over height may differ by this share, by rounding to whole pixels, for two pictures to be of the same view."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One picture of the room, to be scored.

    Attributes:
        name: ``/aggregate/background``, ``/enhance/clahe``, ...
        original: (h, w, 3) uint8 RGB, as it is stored; words and objects are looked for on it.
        original_observed: (h, w) bool.
        image: (H, W, 3) uint8 RGB, at the truth's size; filled smoothly where it was not observed.
        observed: (H, W) bool.
    """

    name: str
    original: U8
    original_observed: Mask
    image: U8
    observed: Mask


def estimates_of(reader: Reader, size: tuple[int, int]) -> tuple[list[Estimate], list[str]]:
    """A project's pictures at the truth's size (H, W), the background first; and notes on what is left out.

    Raises:
        StageMissingError: aggregate has not been run, or what it was made from has changed since.
        InputError: the project's pictures have other proportions than the truth.
    """
    reader.dataset(*PLATE)  # says what to run where there is none
    shown = Shown(reader)
    if not shown.has(*PLATE):
        raise StageMissingError(
            f"The background of '{reader.path}' is out of date ({shown.stale.get('aggregate', 'its bulk is gone')})",
            f"Run: vbtools aggregate -p {reader.path}",
        )
    names = [PLATE]
    if reader.record("enhance") is not None:
        names += [("enhance", name) for name in stored_pictures(reader)]
    kept = [place for place in names if shown.has(*place)]
    notes = [f"/{'/'.join(place)} is out of date: left out" for place in names if place not in kept]
    return [estimate(f"/{'/'.join(p)}", reader.array(*p), shown.observed, size) for p in kept], notes


def estimate(name: str, image: U8, observed: Mask, size: tuple[int, int]) -> Estimate:
    """A picture of any size, with the mask of observed pixels of any size, at the truth's size (H, W).

    Raises:
        InputError: its proportions are not the truth's.
    """
    H, W = size
    h, w = image.shape[:2]
    if abs(w * H / (h * W) - 1) > SAME_PROPORTIONS:
        raise InputError(
            f"{name} is {w}x{h} and the truth {W}x{H}: their proportions differ, so they do not show the same view",
            "Name the truth of this very call",
        )
    seen = resize_observed(observed, h, w)
    filled = fill(image, seen)
    if (h, w) == size:
        return Estimate(name, image, seen, filled, seen)
    method = cv2.INTER_AREA if h > H else cv2.INTER_CUBIC
    resized: U8 = cv2.resize(filled, (W, H), interpolation=method)
    return Estimate(name, image, seen, resized, resize_observed(observed, H, W))
