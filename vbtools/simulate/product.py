"""A product at work on a call: the person's mask from the real model, and the blur behind it."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools import models
from vbtools.backends import backend
from vbtools.config.params import Step, build, specs
from vbtools.simulate import blurs, masks
from vbtools.simulate.masks import MaskStep, Seen
from vbtools.simulate.profile import INPUTS, STEP_TABLES, Scheme
from vbtools.simulate.steps import PX, TO_FRAME
from vbtools.simulate.texture import over

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

DENOISE = (5, 100.0, 100.0)
"""Diameter and both sigmas of the bilateral filter by which backscrub calms the model's picture (libbackscrub.cc)."""


class Product:
    """A product at work on one call; use it in a ``with`` statement. It remembers, as products do.

    Args:
        scheme: what it does.
        height: rows of the frames; lengths scale with it where the scheme has ``rows``.

    Raises:
        MissingDependencyError: mediapipe or the scheme's model is not installed.
        ModelError: the model's file is not what it should be.
    """

    def __init__(self, scheme: Scheme, height: int) -> None:
        self.scheme = scheme
        self._scale = height / scheme.rows if scheme.rows else 1.0
        self._blur = [
            blurs.MAKERS[step.name](self._options("blur", step), scheme.strength * self._scale) for step in scheme.blur
        ]
        self._segmenter: Any = backend("segment", "mediapipe").load()(models.resolve(scheme.model))
        self.restart()

    def restart(self) -> None:
        """Forget everything, as after unmuting: the scheme's raw frames come again."""
        made = [(step.name, masks.MAKERS[step.name](self._options("mask", step))) for step in self.scheme.mask]
        with_model = next((i for i, (name, _) in enumerate(made) if name in TO_FRAME), len(made))
        self._with_model = [step for _, step in made[:with_model]]
        self._with_frame = [step for _, step in made[with_model:]]
        self._frames = 0
        self._failures = 0
        self._late: deque[F32] = deque(maxlen=self.scheme.delay + 1)
        self._looked_at: U8 | None = None

    def __call__(self, frame: U8, *, fails: bool = False) -> tuple[U8, U8]:
        """Protect one frame; 50 to 200 ms at 720p on two cores, most of it the blur.

        Args:
            frame: (H, W, 3) uint8 RGB.
            fails: the model gives no answer for this frame.

        Returns:
            The frame as the product sends it, (H, W, 3) uint8 RGB, and the mask by which it was blended, (H, W) uint8:
            255 shows the frame, 0 the blurred one. A raw frame's mask is 255 everywhere.
        """
        self._failures = self._failures + 1 if fails else 0
        if not fails:
            self._look(frame)
        self._frames += 1
        if self._frames <= self.scheme.raw_frames or self._passes_raw():
            return frame, np.full(frame.shape[:2], 255, np.uint8)
        if not self._has_mask():
            return self.blurred(frame), np.zeros(frame.shape[:2], np.uint8)
        mask, kept_out = self._mask(frame)
        shown = np.rint(mask * 255).astype(np.uint8)
        return over(frame, self.blurred(frame, kept_out), shown), shown

    def blurred(self, frame: U8, kept_out: F32 | None = None) -> U8:
        """The copy of a frame that lies behind the person, (H, W, 3) uint8 RGB.

        Args:
            frame: (H, W, 3) uint8 RGB.
            kept_out: (H, W) float32, 1 where the blur must not use the frame; None blurs the whole of it.
        """
        share = None if kept_out is None else 1 - kept_out
        for step in self._blur:
            frame = step(frame, share)
        return frame

    def _passes_raw(self) -> bool:
        if not self._failures:
            return False
        return self.scheme.failing == "raw" or 0 < self.scheme.raw_after < self._failures

    def _has_mask(self) -> bool:
        """Not before the first mask is there, late as it may be; and a product may close while the model fails."""
        if self._failures and self.scheme.failing == "closed":
            return False
        return len(self._late) > self.scheme.delay or bool(self._failures and self._late)

    def _look(self, frame: U8) -> None:
        """Run the model, where it is this frame's turn and there is something new to see."""
        if self._frames % self.scheme.every == 0 and not self._like_before(frame):
            mask, _ = _through(self._with_model, self._probability(frame), frame)
            self._late.append(mask)
            self._looked_at = frame
        elif self._late:
            self._late.append(self._late[-1])

    def _like_before(self, frame: U8) -> bool:
        """Whether the frame is nearer to the last one that the model saw than the scheme's gate."""
        if not self.scheme.gate or self._looked_at is None:
            return False
        return cv2.PSNR(frame, self._looked_at) > self.scheme.gate

    def _mask(self, frame: U8) -> tuple[F32, F32 | None]:
        """The product's mask, (H, W) float32, 0 to 1, and what the blur keeps out, if anything."""
        part = self._view(frame)
        size = frame[part].shape[1::-1]
        mask, kept_out = _through(self._with_frame, self._late[0], frame[part])
        if mask.shape != size[::-1]:
            mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR), np.float32)
        whole = np.zeros(frame.shape[:2], np.float32)
        whole[part] = mask
        if kept_out is None:
            return whole, None
        whole_kept_out = np.zeros(frame.shape[:2], np.float32)
        whole_kept_out[part] = kept_out
        return whole, whole_kept_out

    def _view(self, frame: U8) -> tuple[slice, slice]:
        """The part of the frame that the model sees: all of it, or the middle that has the model's shape."""
        height, width = frame.shape[:2]
        if self.scheme.view == "whole":
            return slice(None), slice(None)
        columns, rows = INPUTS[self.scheme.model]
        w, h = min(width, height * columns // rows), min(height, width * rows // columns)
        x, y = (width - w) // 2, (height - h) // 2
        return slice(y, y + h), slice(x, x + w)

    def _probability(self, frame: U8) -> F32:
        """What the model says, on its own grid."""
        how = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST}[self.scheme.shrink]
        small = cv2.resize(frame[self._view(frame)], INPUTS[self.scheme.model], interpolation=how)
        if self.scheme.denoise:
            small = cv2.bilateralFilter(small, *DENOISE)
        return np.asarray(self._segmenter(np.asarray(small, np.uint8)), np.float32) / np.float32(255)

    def _options(self, key: str, step: Step) -> Any:
        """A step's options, lengths at the frame's own scale."""
        kind = STEP_TABLES[key][step.name]
        made: Any = build(kind, step.options, f"profile.{key}.{step.name}")
        lengths = {s.name: getattr(made, s.name) for s in specs(kind) if s.unit == PX}
        return replace(made, **{name: v * self._scale for name, v in lengths.items() if v is not None})

    def close(self) -> None:
        """Free the model."""
        self._segmenter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _through(steps: list[MaskStep], mask: F32, frame: U8) -> tuple[F32, F32 | None]:
    """A mask through steps, and what the blur shall keep out."""
    seen = Seen(frame)
    for step in steps:
        mask = step(mask, seen)
    return mask, seen.kept_out
