"""No motion: the camera stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vbtools.backends.align import FlowParams


class NoMotion:
    """The identity for every frame; an :class:`vbtools.backends.align.Aligner` that reads no picture."""

    produces: ClassVar[Literal["transform", "flow"]] = "transform"
    needs_frames: ClassVar[bool] = False

    def __init__(self, params: FlowParams) -> None:
        self.grid: tuple[int, int] | None = None
        self.transform = np.eye(2, 3)
        self.reason = ""

    def set_reference(self, frame: NDArray[np.uint8], person: NDArray[np.bool_]) -> None:
        """Nothing is needed of it."""

    def __call__(self, frame: NDArray[np.uint8], person: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The identity, (2, 3) float64."""
        return np.eye(2, 3)
