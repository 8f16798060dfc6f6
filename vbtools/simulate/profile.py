"""How products blur: one declarative row each, with the source of its values. Nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from vbtools.errors import UsageError, nearest

REFERENCE_ROWS = 720
"""Lengths in px are those at this height of the frame, and scale with the height."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What one product does to a frame.

    Attributes:
        name: as the user types it.
        summary: one line for help and documents.
        source: where the values come from.
        model: the segmentation model, by its name in the model catalog.
        mask_size: width and height of the picture that the model is given, px.
        feather_px: sigma of the Gaussian by which the mask is softened after it was enlarged, px at 720 rows.
        blur_px: sigma of the Gaussian by which the whole frame, person included, is blurred, px at 720 rows.
    """

    name: str
    summary: str
    source: str
    model: str
    mask_size: tuple[int, int]
    feather_px: float
    blur_px: float

    def values(self) -> dict[str, Any]:
        """Every value as plain JSON, in declaration order."""
        return asdict(self) | {"mask_size": list(self.mask_size)}


_ROWS = (
    Profile(
        name="gaussian",
        summary="whole frame, Gaussian; 256x144 mask, feathered, no memory from frame to frame",
        source="a plain stand-in: the scheme of Jitsi Meet's first engine (JitsiStreamBackgroundEffect.ts: 256x144"
        " mask, blurred by 8 px) with a medium blur, 15 px, as in Twilio's canvas and Amazon Chime's middle strength",
        model="selfie-landscape",
        mask_size=(256, 144),
        feather_px=8.0,
        blur_px=15.0,
    ),
)

PROFILES: dict[str, Profile] = {row.name: row for row in _ROWS}
"""The one table; a new product is one row."""


def profile(name: str) -> Profile:
    """Find a row.

    Raises:
        UsageError: there is no such profile.
    """
    if name not in PROFILES:
        raise UsageError(f"simulate has no profile '{name}'", nearest(name, tuple(PROFILES)))
    return PROFILES[name]
