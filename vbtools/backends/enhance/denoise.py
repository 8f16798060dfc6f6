"""Non-local means: each pixel becomes the average of those around it whose surroundings look alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vbtools.config.params import ParameterError, param

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TILE = 1024
"""px; larger pictures are denoised in tiles of this side, with as much around them as the windows reach."""


@dataclass(frozen=True)
class DenoiseParams:
    """Parameters of denoise; the defaults are OpenCV's, and those of the method's authors for light noise.

    Raises:
        ParameterError: a window with an even side, which has no middle.
    """

    strength: float = param(3.0, "how unlike surroundings may be and count, lightness", minimum=0.0, maximum=100.0)
    colour_strength: float = param(3.0, "the same for the two colour channels", minimum=0.0, maximum=100.0)
    template: int = param(7, "side of the surroundings that are compared; odd", minimum=1, maximum=31, unit="px")
    search: int = param(21, "side of the window that is searched; odd", minimum=3, maximum=101, unit="px")

    def __post_init__(self) -> None:
        for name in ("template", "search"):
            side = getattr(self, name)
            if side % 2 == 0:
                raise ParameterError(
                    f"enhance.denoise.{name} cannot be {side}", f"It must be odd: {side - 1} or {side + 1}", (name,)
                )

    @property
    def reach(self) -> int:
        """px: how far from a pixel its new value looks."""
        return self.template // 2 + self.search // 2


class Denoise:
    """Non-local means in CIE Lab, lightness and colour each with its own strength.

    Buades, Coll, Morel, "Non-Local Means Denoising", Image Processing On Line 1, 2011; byte for byte what OpenCV's
    ``fastNlMeansDenoisingColored`` gives, see :mod:`vbtools.ops.nonlocal_means`. Noise goes and edges stay, but faint
    texture may go with the noise.
    """

    Params = DenoiseParams

    @staticmethod
    def preload() -> None:
        """Load the compiled functions."""
        from vbtools.ops.nonlocal_means import warm_up

        warm_up()

    def __init__(self, params: DenoiseParams) -> None:
        self.params = params

    def __call__(self, image: NDArray[np.uint8], observed: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Return ``(H, W, 3)`` uint8 RGB; unobserved pixels are filled first, so that what they hold counts nowhere.

        The result is the same as of the whole picture at once, in memory for a tile more than the picture.

        Args:
            image: ``(H, W, 3)`` uint8 RGB.
            observed: ``(H, W)`` bool.
        """
        import numpy as np

        from vbtools.ops.unobserved import fill

        noisy = image if observed.all() else fill(image, observed)
        clean = np.empty_like(noisy)
        height, width = image.shape[:2]
        for tile, around, inside in _tiles(height, width, self.params.reach):
            clean[tile] = self._denoised(np.ascontiguousarray(noisy[around]))[inside]
        return clean

    def _denoised(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """``fastNlMeansDenoisingColored`` of a picture (H, W, 3) uint8 RGB."""
        import cv2
        import numpy as np

        from vbtools.ops.nonlocal_means import denoised

        lab = cv2.cvtColor(picture, cv2.COLOR_LRGB2Lab)
        planes = np.ascontiguousarray(np.moveaxis(lab, 2, 0))
        windows = self.params.template, self.params.search
        planes[:1] = denoised(planes[:1], self.params.strength, *windows)
        planes[1:] = denoised(planes[1:], self.params.colour_strength, *windows)
        return np.asarray(cv2.cvtColor(cv2.merge(list(planes)), cv2.COLOR_Lab2LRGB))


Slices = tuple[slice, slice]


def _tiles(height: int, width: int, reach: int) -> Iterator[tuple[Slices, Slices, Slices]]:
    """Each tile, the tile grown by ``reach`` within the picture, and where the tile lies in that."""
    for y in range(0, height, TILE):
        for x in range(0, width, TILE):
            bottom, right = min(y + TILE, height), min(x + TILE, width)
            top, left = max(0, y - reach), max(0, x - reach)
            around = (slice(top, min(bottom + reach, height)), slice(left, min(right + reach, width)))
            inside = (slice(y - top, bottom - top), slice(x - left, right - left))
            yield (slice(y, bottom), slice(x, right)), around, inside
