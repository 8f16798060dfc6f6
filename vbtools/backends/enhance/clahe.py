"""Contrast-limited adaptive histogram equalisation of the lightness; colours stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vbtools.config.params import param

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SMALLEST_TILE = 8
"""px; with fewer pixels a tile's histogram says nothing, and equalising it would only amplify noise."""


@dataclass(frozen=True)
class ClaheParams:
    """Parameters of clahe; the defaults are the study's."""

    clip_limit: float = param(2.0, "cut histogram bins at so many times the average bin", minimum=0.0)
    grid: int = param(8, "tiles along each side", minimum=1, maximum=256)


class Clahe:
    """Equalise the L channel of CIE Lab tile by tile (Zuiderveld, "Contrast limited adaptive histogram equalization",
    Graphics Gems IV, 1994; OpenCV's CLAHE)."""

    Params = ClaheParams

    def __init__(self, params: ClaheParams) -> None:
        self.params = params

    def __call__(self, image: NDArray[np.uint8], observed: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Return ``(H, W, 3)`` uint8 RGB; unobserved pixels are filled first, so that what they hold counts nowhere.

        Args:
            image: ``(H, W, 3)`` uint8 RGB.
            observed: ``(H, W)`` bool.
        """
        import cv2

        from vbtools.ops.unobserved import fill

        lab = cv2.cvtColor(fill(image, observed), cv2.COLOR_RGB2LAB)
        height, width = image.shape[:2]
        across = max(1, min(self.params.grid, width // SMALLEST_TILE))
        down = max(1, min(self.params.grid, height // SMALLEST_TILE))
        equalise = cv2.createCLAHE(clipLimit=self.params.clip_limit, tileGridSize=(across, down))
        lab[..., 0] = equalise.apply(lab[..., 0])
        enhanced: NDArray[np.uint8] = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
        return enhanced
