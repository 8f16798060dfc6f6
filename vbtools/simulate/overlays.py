"""What a conferencing program draws over the picture: a name label, a clock, a watermark, a title card before it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.simulate.canvas import Canvas, TextLine
from vbtools.simulate.texture import Color, over

U8 = NDArray[np.uint8]

NAME = "Alex Marchetti"
MARK = "vbtools call"
TITLE = ("Weekly planning", "The call begins in a moment")
TITLE_S = 1.0  # how long the title card is shown
STARTS_AT = 9 * 3600 + 58 * 60 + 30  # what the clock shows first, s after midnight
WHITE: Color = (250, 250, 250)
BAR: Color = (24, 26, 30)
MARK_OPACITY, BAR_OPACITY = 110, 190  # of 255


class Overlays:
    """Overlays of a call, drawn at its own size.

    Args:
        names: of ``settings.OVERLAYS``.
        size: width and height of the call, px.
    """

    def __init__(self, names: tuple[str, ...], size: tuple[int, int]) -> None:
        self.names = names
        self._size = size
        self._drawn: dict[str, tuple[U8, U8, tuple[TextLine, ...]]] = {}

    @property
    def title_s(self) -> float:
        """How long the title card before the call is shown, s."""
        return TITLE_S if "title" in self.names else 0.0

    def title(self) -> U8:
        """The title card, (H, W, 3) uint8 RGB."""
        canvas = Canvas(*self._size)
        canvas.rgb[:] = (32, 44, 72)
        canvas.write(TITLE[0], (380, 300), 52, WHITE, "overlay", weight=0.03)
        canvas.write(TITLE[1], (380, 392), 24, WHITE, "overlay")
        return canvas.frame()

    def draw(self, frame: U8, time_s: float) -> U8:
        """A frame of the call (H, W, 3) uint8 RGB with everything drawn over it."""
        for name in self.names:
            if name != "title":
                picture, opacity, _ = self._overlay(name, time_s)
                frame = over(picture, frame, opacity)
        return frame

    def told(self) -> list[dict[str, Any]]:
        """What is drawn where, as plain JSON; of the clock, what it shows first."""
        found = []
        for name in self.names:
            entry: dict[str, Any] = {"name": name}
            if name == "title":
                entry |= {"text": " / ".join(TITLE), "seconds": TITLE_S}
            else:
                lines = self._overlay(name, 0.0)[2]
                entry |= {"text": lines[0].text, "box": list(lines[0].box)}
            found.append(entry)
        return found

    def _overlay(self, name: str, time_s: float) -> tuple[U8, U8, tuple[TextLine, ...]]:
        """Picture, opacity (H, W) and texts of one overlay."""
        text = clock(time_s) if name == "clock" else {"label": NAME, "watermark": MARK}[name]
        key = f"{name} {text}"
        if key not in self._drawn:
            self._drawn = {k: v for k, v in self._drawn.items() if not k.startswith(f"{name} ")}
            self._drawn[key] = self._draw(name, text)
        return self._drawn[key]

    def _draw(self, name: str, text: str) -> tuple[U8, U8, tuple[TextLine, ...]]:
        at = {"label": (34.0, 672.0), "clock": (1150.0, 24.0), "watermark": (1040.0, 664.0)}[name]
        cap = {"label": 17.0, "clock": 17.0, "watermark": 22.0}[name]
        ink, bar = Canvas(*self._size), Canvas(*self._size)
        length = ink.write(text, at, cap, WHITE, "overlay", weight=0.03)
        letters = ink.frame().max(axis=2)
        opacity = np.rint(letters * (MARK_OPACITY / 255 if name == "watermark" else 1)).astype(np.uint8)
        picture = np.full((*letters.shape, 3), WHITE, np.uint8)
        if name != "watermark":
            bar.fill((at[0] - 12, at[1] - 11, at[0] + length + 12, at[1] + cap + 11), (BAR_OPACITY,) * 3)
            behind = bar.frame()[..., 0]
            picture = over(picture, np.full_like(picture, BAR), letters)
            opacity = np.asarray(cv2.max(letters, behind), np.uint8)
        return picture, opacity, tuple(ink.texts)


def clock(time_s: float) -> str:
    """What the clock shows at an instant of the call."""
    now = STARTS_AT + int(time_s)
    return f"{now // 3600 % 24:02d}:{now // 60 % 60:02d}:{now % 60:02d}"
