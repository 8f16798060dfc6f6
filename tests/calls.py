"""Small made-up calls: a detailed room, blurred as a product does, before it a sharp person who moves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]

SIZE = (320, 180)  # width, height
BLUR = 6.0  # px: sigma 25 at 720p, here at a quarter of the size
WORDS = ("LEASE 2024", "call MOM", "IBAN 4711", "Flight 438", "KEEP OUT", "Room 24")


def room(seed: int = 0, size: tuple[int, int] = SIZE) -> U8:
    """A wall with shelves, book spines and notes: ``(h, w, 3)`` uint8 RGB, detailed nearly everywhere."""
    rng = np.random.default_rng(seed)
    w, h = size
    base = rng.integers(70, 180, 3)
    picture = np.empty((h, w, 3), np.uint8)
    picture[:] = base
    walls = [(int(x), tuple(int(c) for c in rng.integers(50, 200, 3))) for x in np.linspace(0, w, max(2, w // 80) + 1)]
    for top in range(0, h, 36):
        x = 0
        while x < w:
            width = int(rng.integers(4, 14))
            near = next(colour for left, colour in reversed(walls) if left <= x)
            colour = tuple(int(c) for c in np.clip(near + rng.integers(-50, 50, 3), 0, 255))
            cv2.rectangle(picture, (x, top + int(rng.integers(2, 9))), (x + width - 1, top + 33), colour, -1)
            x += width
    for word in WORDS:
        x, y = int(rng.integers(0, w - 70)), int(rng.integers(12, h - 20))
        cv2.rectangle(picture, (x, y - 12), (x + 68, y + 6), (240, 240, 230), -1)
        cv2.putText(picture, word, (x + 3, y + 1), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (20, 20, 60), 1, cv2.LINE_AA)
    return picture


def person(picture: U8, x: float, scale: float = 1.0) -> U8:
    """The picture with a head and a striped shirt before it, centred at ``x`` (share of the width)."""
    h, w = picture.shape[:2]
    mask = np.zeros((h, w), np.uint8)
    cx, r = int(x * w), scale * h
    cv2.ellipse(mask, (cx, int(h - 0.62 * r)), (int(0.13 * r), int(0.18 * r)), 0, 0, 360, 255, -1)
    cv2.ellipse(mask, (cx, h), (int(0.34 * r), int(0.46 * r)), 0, 0, 360, 255, -1)
    body = np.empty_like(picture)
    body[:] = (190, 150, 125)
    stripes = ((np.arange(w) - cx) // 3 % 2 * 40).astype(np.uint8)
    body[int(h - 0.46 * r) :] = np.array((50, 60, 110), np.uint8) + stripes[None, :, None]
    cv2.circle(body, (cx - int(0.05 * r), int(h - 0.65 * r)), 3, (20, 20, 20), -1)
    cv2.circle(body, (cx + int(0.05 * r), int(h - 0.65 * r)), 3, (20, 20, 20), -1)
    return np.where(mask[..., None] > 0, body, picture)


def sway(t: int) -> float:
    """Where a calm person is at frame ``t``: share of the width."""
    return 0.5 + 0.08 * float(np.sin(t / 7.0))


def call(
    frames: int,
    *,
    raw: Collection[int] = (),
    blur: float = BLUR,
    noise: float = 1.0,
    seed: int = 0,
    background: Callable[[int], U8] | None = None,
    place: Callable[[int], float] = sway,
    scale: Callable[[int], float] = lambda t: 1.0,
    overlay: bool = False,
) -> Iterator[U8]:
    """Frames of a call, ``(180, 320, 3)`` uint8 RGB.

    Args:
        frames: how many.
        raw: frames in which the blur is off.
        blur: sigma of the background blur, px; 0 for a call without one.
        noise: standard deviation of the camera's noise, grey levels; the blur takes it out of the background.
        background: the room at each frame; a fixed one where not given.
        place, scale: where the person is, and how large.
        overlay: draw a name label, a clock that counts, and a watermark.
    """
    rng = np.random.default_rng(seed + 1)
    fixed = room(seed)
    for t in range(frames):
        behind = fixed if background is None else background(t)
        behind = np.clip(behind + rng.normal(0, noise, behind.shape), 0, 255).astype(np.uint8)
        if blur and t not in raw:
            behind = cv2.GaussianBlur(behind, (0, 0), blur)
        picture = person(behind, place(t), scale(t))
        yield _labelled(picture, t) if overlay else picture


def title(text: str = "Weekly sync") -> U8:
    """A title card."""
    card = np.full((SIZE[1], SIZE[0], 3), (28, 32, 70), np.uint8)
    cv2.putText(card, text, (40, 95), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (250, 250, 250), 2, cv2.LINE_AA)
    return card


def black() -> U8:
    """A black frame."""
    return np.zeros((SIZE[1], SIZE[0], 3), np.uint8)


def _labelled(picture: U8, t: int) -> U8:
    picture = picture.copy()
    cv2.rectangle(picture, (4, 164), (70, 177), (20, 20, 20), -1)
    for text, place in (("A. Person", (7, 174)), (f"10:{t // 15:02d}", (280, 12)), ("zapp", (285, 172))):
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.35, (255, 255, 255), 1, cv2.LINE_AA)
    return picture
