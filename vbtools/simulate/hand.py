"""A gesturing hand and forearm, drawn: skin, sleeve, fingers; as a cut-out with soft edges."""

from __future__ import annotations

import cv2
import numpy as np

from vbtools.simulate.person import Person

Color = tuple[int, int, int]

SIZE = (220, 560)  # width and height, px of a 720-row frame; fingertips at the top
SKIN: Color = (214, 164, 136)
SHADE: Color = (172, 118, 94)
SLEEVE: Color = (70, 78, 104)
FINE = 4  # drawn so many times finer, then averaged: soft edges
FINGERS = (  # base and tip, px, and thickness
    ((70, 172), (46, 66), 34), ((98, 160), (90, 28), 36), ((128, 162), (134, 36), 35), ((154, 176), (174, 72), 31),
    ((62, 232), (8, 168), 36),
)  # fmt: skip


def forearm(scale: float) -> Person:
    """The cut-out, upright.

    Args:
        scale: 1 for a frame of 720 rows.
    """
    width, height = SIZE
    fine = FINE
    rgb = np.full((height * fine, width * fine, 3), SKIN, np.uint8)
    alpha = np.zeros(rgb.shape[:2], np.uint8)

    def at(x: float, y: float) -> tuple[int, int]:
        return round(x * fine), round(y * fine)

    for base, tip, thick in FINGERS:
        cv2.line(rgb, at(*base), at(*tip), SHADE, round((thick + 3) * fine), cv2.LINE_AA)
        cv2.line(rgb, at(*base), at(*tip), SKIN, round((thick - 5) * fine), cv2.LINE_AA)
        cv2.line(alpha, at(*base), at(*tip), 255, round(thick * fine), cv2.LINE_AA)
    cv2.ellipse(rgb, at(112, 226), (64 * fine, 84 * fine), 0, 0, 360, SKIN, -1, cv2.LINE_AA)
    cv2.ellipse(alpha, at(112, 226), (64 * fine, 84 * fine), 0, 0, 360, 255, -1, cv2.LINE_AA)
    arm = np.array([at(70, 250), at(154, 250), at(172, height), at(52, height)], np.int32)
    cv2.fillPoly(alpha, [arm], 255, cv2.LINE_AA)
    sleeve = np.array([at(50, 350), at(176, 350), at(190, height), at(36, height)], np.int32)
    cv2.fillPoly(rgb, [sleeve], SLEEVE, cv2.LINE_AA)
    cv2.fillPoly(alpha, [sleeve], 255, cv2.LINE_AA)
    light = np.linspace(1.08, 0.86, width * fine, dtype=np.float32)[None, :, None]
    shaded = np.clip(rgb * light, 0, 255).astype(np.uint8)
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    small, shape = (cv2.resize(a, size, interpolation=cv2.INTER_AREA) for a in (shaded, alpha))
    return Person(np.asarray(small, np.uint8), np.asarray(shape, np.uint8))
