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
from vbtools.simulate.steps import PX
from vbtools.simulate.texture import over

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


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
        with_model = next((i for i, (name, _) in enumerate(made) if name == "enlarge"), len(made))
        self._with_model = [step for _, step in made[:with_model]]
        self._with_frame = [step for _, step in made[with_model:]]
        self._frames = 0
        self._failures = 0
        self._late: deque[F32] = deque(maxlen=self.scheme.delay + 1)

    def __call__(self, frame: U8, *, fails: bool = False) -> tuple[U8, U8]:
        """Protect one frame; 50 to 150 ms at 720p on two cores, most of it the blur.

        Args:
            frame: (H, W, 3) uint8 RGB.
            fails: the model gives no answer for this frame.

        Returns:
            The frame as the product sends it, (H, W, 3) uint8 RGB, and the mask by which it was blended, (H, W) uint8:
            255 shows the frame, 0 the blurred one. A raw frame's mask is 255 everywhere.
        """
        self._frames += 1
        self._failures = self._failures + 1 if fails else 0
        if self._frames <= self.scheme.raw_frames or self._passes_raw():
            return frame, np.full(frame.shape[:2], 255, np.uint8)
        mask = np.rint(self._mask(frame) * 255).astype(np.uint8)
        return over(frame, self.blurred(frame), mask), mask

    def blurred(self, frame: U8) -> U8:
        """The copy of a frame that lies behind the person, (H, W, 3) uint8 RGB."""
        for step in self._blur:
            frame = step(frame)
        return frame

    def _passes_raw(self) -> bool:
        if not self._failures:
            return False
        return self.scheme.failing == "raw" or 0 < self.scheme.raw_after < self._failures

    def _mask(self, frame: U8) -> F32:
        """The product's mask, (H, W) float32, 0 to 1; all blurred while there is none."""
        nothing = np.zeros(frame.shape[:2], np.float32)
        if self._failures:
            if self.scheme.failing == "closed":
                return nothing
        elif (self._frames - self.scheme.raw_frames - 1) % self.scheme.every == 0 or not self._late:
            self._late.append(_through(self._with_model, self._probability(frame), frame))
        if not self._late:
            return nothing
        mask = _through(self._with_frame, self._late[0], frame)
        if mask.shape != frame.shape[:2]:
            mask = np.asarray(cv2.resize(mask, frame.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
        return mask

    def _probability(self, frame: U8) -> F32:
        """What the model says, on its own grid."""
        how = cv2.INTER_AREA if self.scheme.shrink == "area" else cv2.INTER_LINEAR
        small = cv2.resize(frame, INPUTS[self.scheme.model], interpolation=how)
        return np.asarray(self._segmenter(small), np.float32) / np.float32(255)

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


def _through(steps: list[MaskStep], mask: F32, frame: U8) -> F32:
    seen = Seen(frame)
    for step in steps:
        mask = step(mask, seen)
    return mask
