"""Aligners: one module each, all following :class:`Aligner`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class FlowParams(Protocol):
    """What an aligner reads of the stage's ``AlignParams``; its help texts say what each means."""

    @property
    def scale(self) -> float:
        """Size at which flow is computed, against the frames'."""

    @property
    def levels(self) -> int:
        """Pyramid levels."""

    @property
    def window(self) -> int:
        """Averaging window, px at the scale."""


class Aligner(Protocol):
    """How the background of one frame after the other lies against the reference frame's.

    An aligner is made with the stage's ``AlignParams``, gets the reference once, then any frame in any order; what it
    answers depends on that frame and the reference alone. Motion is a backward map: where in the *frame* the thing
    lies that the *reference* shows at x.

    Attributes:
        produces: ``"transform"``: a (2, 3) float64 affine map, reference to frame coordinates, px;
            ``"flow"``: an (h, w, 2) float32 displacement (dx, dy) in px of the frame, on a grid of ``grid`` samples.
        needs_frames: False if the pictures are not looked at: the stage then gives empty arrays, and reads nothing.
        grid: (h, w) of the flow, known after :meth:`set_reference`; None where transforms are produced.
        transform: with flow, the affine map (2, 3) that fits the last frame's best.
        reason: why the last call returned None.
    """

    produces: ClassVar[Literal["transform", "flow"]]
    needs_frames: ClassVar[bool]
    grid: tuple[int, int] | None
    transform: NDArray[np.float64]
    reason: str

    def set_reference(self, frame: NDArray[np.uint8], person: NDArray[np.bool_]) -> None:
        """Take the frame that all others are aligned to.

        Args:
            frame: (H, W, 3) uint8 RGB.
            person: (H, W) bool, True on the person.

        Raises:
            InputError: it shows no background to align to.
        """

    def __call__(
        self, frame: NDArray[np.uint8], person: NDArray[np.bool_]
    ) -> NDArray[np.float64] | NDArray[np.float32] | None:
        """The motion of one frame, given as the reference is; None where it cannot be told, with ``reason``."""
