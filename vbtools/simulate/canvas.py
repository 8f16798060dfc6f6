"""A drawing surface in reference pixels that remembers what was written and put on it.

Everything in a room is placed in *reference pixels*: a stage of 1280x720, its bottom centre standing on the bottom
centre of the frame, scaled to fit the frame's narrower side. The surface is twice as fine as the frame and
is averaged down at the end, so that edges and letters are antialiased.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.errors import MissingDependencyError
from vbtools.simulate.texture import Color, Texture, over

STAGE = (1280, 720)
SUPERSAMPLING = 2
SHADOW = 0.45
SLANT = 0.18  # of handwriting: horizontal shift per row
Box = tuple[float, float, float, float]
PixelBox = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of readable text in the room.

    Attributes:
        text: what it says.
        cap_px: height of its capital letters, in pixels of the frame.
        box: x0, y0, x1, y1 in pixels of the frame, x1 and y1 exclusive; holds every pixel that has ink.
        kind: what it is written on: sign, poster, whiteboard, note, door, spine or label.
        angle: degrees by which the writing is turned counter-clockwise: 0, or 90 for the backs of books.
    """

    text: str
    cap_px: float
    box: PixelBox
    kind: str
    angle: int = 0


@dataclass(frozen=True, slots=True)
class Thing:
    """An object or picture in the room: what it is and its box (x0, y0, x1, y1; pixels of the frame, end exclusive)."""

    name: str
    box: PixelBox


@lru_cache(maxsize=64)
def _font(size: float) -> Any:
    """Pillow's own scalable font, so that no font of the system changes the picture."""
    try:
        from PIL import ImageFont
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "The Python package 'pillow' is not installed", "Run: pip install 'vbtools[simulate]'"
        ) from error
    return ImageFont.load_default(size)


@lru_cache(maxsize=1)
def _cap_ratio() -> float:
    """Height of a capital letter in parts of the font's size."""
    _, top, _, bottom = _font(1000.0).getbbox("H")
    return float((bottom - top) / 1000.0)


class Canvas:
    """The surface.

    Args:
        width, height: of the frame, pixels.
        lettering: False draws everything but the text (a room with nothing to read).
    """

    def __init__(self, width: int, height: int, lettering: bool = True) -> None:
        self.scale = min(width / STAGE[0], height / STAGE[1])
        self.lettering = lettering
        self.texts: list[TextLine] = []
        self.things: list[Thing] = []
        self._fine = self.scale * SUPERSAMPLING
        self._offset = ((width / self.scale - STAGE[0]) / 2, height / self.scale - STAGE[1])
        self.rgb: NDArray[np.uint8] = np.zeros((height * SUPERSAMPLING, width * SUPERSAMPLING, 3), np.uint8)

    def frame(self) -> NDArray[np.uint8]:
        """The picture, (height, width, 3) uint8 RGB: the mean of each 2x2 fine pixels."""
        height, width = self.rgb.shape[:2]
        half = (width // SUPERSAMPLING, height // SUPERSAMPLING)
        return np.asarray(cv2.resize(self.rgb, half, interpolation=cv2.INTER_AREA), np.uint8)

    def length(self, reference: float) -> float:
        """A length in fine pixels."""
        return reference * self._fine

    def point(self, x: float, y: float) -> tuple[int, int]:
        """A place in fine pixels."""
        return round((x + self._offset[0]) * self._fine), round((y + self._offset[1]) * self._fine)

    def _fine_box(self, box: Box) -> PixelBox:
        return *self.point(box[0], box[1]), *self.point(box[2], box[3])

    def _clip(self, box: PixelBox) -> PixelBox:
        height, width = self.rgb.shape[:2]
        x0, y0, x1, y1 = box
        return max(0, min(x0, width)), max(0, min(y0, height)), max(0, min(x1, width)), max(0, min(y1, height))

    def fill(self, box: Box, color: Color) -> None:
        """Fill a box with one colour."""
        x0, y0, x1, y1 = self._clip(self._fine_box(box))
        self.rgb[y0:y1, x0:x1] = color

    def paint(self, box: Box, texture: Texture, shading: tuple[float, float] = (1.0, 1.0)) -> None:
        """Cover a box with a texture, darkened from ``shading[0]`` at its left to ``shading[1]`` at its right."""
        x0, y0, x1, y1 = self._fine_box(box)
        if x1 <= x0 or y1 <= y0:
            return
        patch = texture(y1 - y0, x1 - x0, self._fine)
        patch = patch * np.linspace(shading[0], shading[1], x1 - x0, dtype=np.float32)[None, :, None]
        self._put(np.clip(np.rint(patch), 0, 255).astype(np.uint8), (x0, y0))

    def picture(self, box: Box, image: NDArray[np.uint8]) -> None:
        """Cover a box with a picture, cropped about its middle to the box's shape."""
        x0, y0, x1, y1 = self._fine_box(box)
        height, width = max(1, y1 - y0), max(1, x1 - x0)
        zoom = max(width / image.shape[1], height / image.shape[0])
        size = (max(width, round(image.shape[1] * zoom)), max(height, round(image.shape[0] * zoom)))
        resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)
        top, left = (size[1] - height) // 2, (size[0] - width) // 2
        self._put(resized[top : top + height, left : left + width], (x0, y0))

    def polygon(self, points: Sequence[tuple[float, float]], color: Color) -> None:
        """Fill a polygon, antialiased."""
        corners = np.array([self.point(x, y) for x, y in points], np.int32)
        cv2.fillPoly(self.rgb, [corners], color, cv2.LINE_AA)

    def ellipse(self, box: Box, color: Color) -> None:
        """Fill the ellipse that touches the box's sides."""
        x0, y0, x1, y1 = self._fine_box(box)
        axes = (max(1, (x1 - x0) // 2), max(1, (y1 - y0) // 2))
        cv2.ellipse(self.rgb, ((x0 + x1) // 2, (y0 + y1) // 2), axes, 0, 0, 360, color, -1, cv2.LINE_AA)

    def line(self, start: tuple[float, float], end: tuple[float, float], color: Color, thickness: float) -> None:
        """Draw a line; ``thickness`` in reference pixels."""
        width = max(1, round(self.length(thickness)))
        cv2.line(self.rgb, self.point(*start), self.point(*end), color, width, cv2.LINE_AA)

    def shadow(self, box: Box, spread: float = 7.0, drop: float = 4.0, strength: float = SHADOW) -> None:
        """Darken what lies around and below a box that something flat is about to be hung in."""
        pad = 3 * spread
        area = self._clip(self._fine_box((box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad + drop)))
        x0, y0, x1, y1 = self._fine_box((box[0], box[1] + drop, box[2] + drop / 2, box[3] + drop))
        dark = np.zeros((area[3] - area[1], area[2] - area[0]), np.float32)
        if not dark.size:
            return
        dark[max(0, y0 - area[1]) : max(0, y1 - area[1]), max(0, x0 - area[0]) : max(0, x1 - area[0])] = strength
        dark = cv2.GaussianBlur(dark, (0, 0), max(0.5, self.length(spread)))
        part = self.rgb[area[1] : area[3], area[0] : area[2]]
        part[:] = np.rint(part * (1 - dark[..., None])).astype(np.uint8)

    def write(
        self,
        text: str,
        at: tuple[float, float],
        cap: float,
        color: Color,
        kind: str,
        *,
        hand: bool = False,
        weight: float = 0.0,
        angle: int = 0,
    ) -> float:
        """Write one line and remember it.

        Args:
            text: one line.
            at: left end and top of the capitals (for ``angle`` 90: left side and lower end), reference pixels.
            cap: height of the capitals, reference pixels.
            color: of the ink.
            kind: see :class:`TextLine`.
            hand: slanted, as written by hand.
            weight: extra stroke width in parts of the cap height; 0.05 looks bold.
            angle: 0 or 90.

        Returns:
            The length of the line, reference pixels.
        """
        mask, top = self._mask(text, cap, weight, hand)
        if angle == 90:
            mask = np.ascontiguousarray(np.rot90(mask))
        x, y = self.point(*at)
        corner = (x - top, y - mask.shape[0]) if angle == 90 else (x, y - top)
        rows, columns = np.nonzero(mask.max(axis=1))[0], np.nonzero(mask.max(axis=0))[0]
        ink = self._clip(
            (
                corner[0] + int(columns[0]),
                corner[1] + int(rows[0]),
                corner[0] + int(columns[-1]) + 1,
                corner[1] + int(rows[-1]) + 1,
            )
        )
        self.texts.append(TextLine(text, round(cap * self.scale, 1), _outer(ink), kind, angle))
        if self.lettering:
            self._ink(mask, corner, color)
        return max(mask.shape) / self._fine

    def measure(self, text: str, cap: float, weight: float = 0.0, *, hand: bool = False) -> float:
        """The length that a line would have, reference pixels."""
        return self._mask(text, cap, weight, hand)[0].shape[1] / self._fine

    def frame_box(self, box: Box) -> PixelBox:
        """The frame's pixels that a box touches, end exclusive."""
        return _outer(self._clip(self._fine_box(box)))

    def place(self, name: str, box: Box) -> None:
        """Remember an object."""
        self.things.append(Thing(name, self.frame_box(box)))

    def _mask(self, text: str, cap: float, weight: float, hand: bool) -> tuple[NDArray[np.uint8], int]:
        """Coverage of a line (h, w) uint8, and the row of its capitals' top."""
        font = _font(max(4.0, self.length(cap) / _cap_ratio()))
        from PIL import Image, ImageDraw

        stroke = weight * self.length(cap)
        left, top, right, bottom = font.getbbox(text, stroke_width=stroke)
        cap_top = font.getbbox("H")[1]
        pad = 2
        size = (int(right - left) + 2 * pad, int(bottom - min(top, cap_top)) + 2 * pad)
        image = Image.new("L", size, 0)
        origin = (pad - left, pad - min(top, cap_top))
        ImageDraw.Draw(image).text(origin, text, fill=255, font=font, stroke_width=stroke)
        mask = np.array(image, np.uint8)
        if hand:
            width = mask.shape[1] + int(np.ceil(SLANT * mask.shape[0]))
            shear = np.array([[1, -SLANT, SLANT * mask.shape[0]], [0, 1, 0]])
            mask = np.asarray(cv2.warpAffine(mask, shear, (width, mask.shape[0])), np.uint8)
        return mask, int(cap_top + origin[1])

    def _ink(self, mask: NDArray[np.uint8], corner: tuple[int, int], color: Color) -> None:
        x0, y0, x1, y1 = self._clip((*corner, corner[0] + mask.shape[1], corner[1] + mask.shape[0]))
        part = self.rgb[y0:y1, x0:x1]
        cut = mask[y0 - corner[1] : y1 - corner[1], x0 - corner[0] : x1 - corner[0]]
        part[:] = over(np.broadcast_to(np.array(color, np.uint8), part.shape), part, cut)

    def _put(self, patch: NDArray[np.uint8], corner: tuple[int, int]) -> None:
        x0, y0, x1, y1 = self._clip((*corner, corner[0] + patch.shape[1], corner[1] + patch.shape[0]))
        self.rgb[y0:y1, x0:x1] = patch[y0 - corner[1] : y1 - corner[1], x0 - corner[0] : x1 - corner[0]]


def _outer(fine: PixelBox) -> PixelBox:
    """The frame's pixels that a box of fine pixels touches."""
    x0, y0, x1, y1 = fine
    return x0 // SUPERSAMPLING, y0 // SUPERSAMPLING, -(-x1 // SUPERSAMPLING), -(-y1 // SUPERSAMPLING)
