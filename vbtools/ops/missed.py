"""What a person's mask misses: behind a blur the person is what is sharp, so that something sharp beside the mask is
either a part of the person that the segmenter did not see, or the room, or drawn over the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

WORKING_ROWS = 144
"""The constants below are px of a picture of so many rows, that of the smaller selfie model."""
FINE_PX = 1.0
"""Sigma of the Gaussian whose rest is fine."""
WINDOW_PX = 5
NEAR_PX = 6
"""What lies so near to the mask is its own edge."""
STEEP = 95
"""Percentile of a frame's fineness against which a pixel's is judged: that of the person's edges."""
SHARP = 0.5
"""Share of that percentile from which a pixel is sharp."""
LEAST = 2.5
"""Grey levels of fineness below which nothing is sharp: coded noise has 1, a person's face 5 and more."""
PERSON = 77
"""Probability x 255 from which a pixel is taken for the person: 0.3, the other stages' default."""
NOTICED = 0.005
"""Share of the frame that is sharp beside the mask from which it is worth to look again."""
GAINED = 0.02
"""Share of the frame by which a second mask must be larger: the models take a poster for a person, too, now and then,
up to 0.011 of the frame in data/vendor; a person who is missed has 0.04 and more."""
DENSITY = 0.2
"""Share of a missed person's pixels that are sharp; 0.4 to 0.6 were seen, and at most 0.1 where the second mask was
merely wider than the first."""
AGAINST = 1.5
"""The same against what neither mask has: where a room is not blurred a mask that grows gains sharp pixels anywhere."""


@dataclass(frozen=True, slots=True)
class Sharp:
    """Where a frame is sharp.

    Attributes:
        where: (h, w) bool.
        near: px.
    """

    where: Mask
    near: int

    @classmethod
    def of(cls, frame: U8) -> Sharp:
        """Of a frame (h, w, 3) uint8 RGB, at about :data:`WORKING_ROWS` rows."""
        scale = frame.shape[0] / WORKING_ROWS
        gray = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.float32)
        side = 2 * round(WINDOW_PX * scale / 2) + 1
        fine = cv2.boxFilter(np.abs(gray - cv2.GaussianBlur(gray, (0, 0), FINE_PX * scale)), -1, (side, side))
        least = max(LEAST, SHARP * float(np.percentile(fine[::2, ::2], STEEP)))
        return cls(fine > least, max(1, round(NEAR_PX * scale)))

    def beside(self, person: U8) -> float:
        """Share of the frame, 0-1, that is sharp and not near a mask (h, w) uint8, probability x 255."""
        return float((self.where & ~self._around(person >= PERSON)).mean())

    def speaks_for(self, first: U8, second: U8) -> bool:
        """Whether what a second mask has beyond a first one is sharp as a person is, and more so than the rest.

        Args:
            first, second: (h, w) uint8, probability x 255.
        """
        had, either = first >= PERSON, (first >= PERSON) | (second >= PERSON)
        gained, neither = either & ~self._around(had), ~self._around(either)
        if gained.mean() < GAINED:
            return False
        density = float(self.where[gained].mean())
        beside = float(self.where[neither].mean()) if neither.any() else 0.0
        return density >= max(DENSITY, AGAINST * beside)

    def _around(self, mask: Mask) -> Mask:
        side = 2 * self.near + 1
        return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8))) > 0
