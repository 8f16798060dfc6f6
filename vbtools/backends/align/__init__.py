"""Aligners: one module each, all following :class:`Aligner`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, runtime_checkable

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

    @property
    def features(self) -> int:
        """Key points wanted of a frame."""

    @property
    def fixed_below(self) -> float:
        """Motion of the background, px of a frame 960 px wide, that a fixed camera may seem to have."""

    @property
    def seed(self) -> int:
        """Of the random choices."""


class Aligner(Protocol):
    """How the background of one frame after the other lies against the reference frame's.

    An aligner is made with the stage's ``AlignParams``, gets the reference once, then any frame in any order; what it
    answers depends on that frame and the reference alone. Motion is a backward map: where in the *frame* the thing
    lies that the *reference* shows at x.

    Attributes:
        produces: ``"transform"``: a (2, 3) float64 affine map, reference to frame coordinates, px, or a (3, 3)
            homography where no affine map explains the motion;
            ``"flow"``: an (h, w, 2) float32 displacement (dx, dy) in px of the frame, on a grid of ``grid`` samples.
        needs_frames: False if the pictures are not looked at: the stage then gives empty arrays, and reads nothing.
        grid: (h, w) of the flow, known after :meth:`set_reference`; None where transforms are produced.
        transform: the affine map (2, 3) that fits the last frame's best, whatever was returned.
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


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the choice of a method needs to know of one frame.

    Attributes:
        moved: root mean square displacement of its background against the reference, px; NaN where it can't be told.
        spread: what no affine map explains of it, px; NaN where it can't be told.
    """

    moved: float
    spread: float


@dataclass(frozen=True, slots=True)
class Choice:
    """What a chooser takes for a clip.

    Attributes:
        method: ``"none"``; ``"affine"``: the transforms that it measured; else the backend of align to run.
        note: why, in one line for the user.
    """

    method: str
    note: str


@runtime_checkable
class Chooser(Protocol):
    """An :class:`Aligner` of transforms that also says, once it has seen all frames, which method the clip needs.

    Attributes:
        evidence: of the last frame.
    """

    evidence: Evidence

    def choose(self, found: Sequence[Evidence]) -> Choice:
        """What to take for the clip, from the evidence of each of its frames, in order of time."""
