"""What stands and hangs in the room. Every function draws one thing on a :class:`Canvas`, in reference pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vbtools.simulate.canvas import Box, Canvas
from vbtools.simulate.texture import Color, cloth, paper, plaster, wood

BOOK_COLORS: tuple[Color, ...] = (
    (122, 36, 38), (38, 62, 104), (46, 92, 70), (208, 168, 74), (226, 218, 200), (70, 60, 58), (150, 84, 48),
    (94, 116, 136), (176, 182, 160), (56, 38, 66), (196, 106, 58), (30, 34, 40), (236, 232, 224), (140, 30, 70),
)  # fmt: skip
PAPER: Color = (244, 243, 238)
INK: Color = (34, 36, 42)
Line = tuple[str, float, Color, float]
"""Text, cap height in reference pixels, colour, extra weight (see ``Canvas.write``)."""


def lines(canvas: Canvas, at: tuple[float, float], rows: Sequence[Line], kind: str, *, hand: bool = False) -> None:
    """Write lines below each other, from the upper left corner ``at``."""
    x, y = at
    for text, cap, color, weight in rows:
        canvas.write(text, (x, y), cap, color, kind, hand=hand, weight=weight)
        y += _advance(cap)


def _advance(cap: float) -> float:
    return cap * 1.22 + 9


def around(
    canvas: Canvas, at: tuple[float, float], rows: Sequence[Line], pad: float = 12.0, *, hand: bool = False
) -> Box:
    """The box of a paper that just holds the lines; its upper left corner is ``at``."""
    width = max(canvas.measure(text, cap, weight, hand=hand) for text, cap, _, weight in rows)
    height = sum(_advance(cap) for _, cap, _, _ in rows[:-1]) + rows[-1][1] * 1.25
    return at[0], at[1], at[0] + width + 2 * pad, at[1] + height + 2 * pad


def sheet(
    canvas: Canvas, rng: np.random.Generator, at: tuple[float, float], rows: Sequence[Line], kind: str, *,
    color: Color = PAPER, edge: Color | None = None, hand: bool = False,
) -> None:  # fmt: skip
    """A printed or written sheet on the wall, as large as its lines; ``edge`` draws a thin frame."""
    box = around(canvas, at, rows, 14.0, hand=hand)
    canvas.shadow(box, spread=5.0, drop=3.0)
    if edge is not None:
        canvas.fill((box[0] - 3, box[1] - 3, box[2] + 3, box[3] + 3), edge)
    canvas.paint(box, paper(rng, color))
    lines(canvas, (at[0] + 14, at[1] + 14), rows, kind, hand=hand)


def note(canvas: Canvas, rng: np.random.Generator, at: tuple[float, float], rows: Sequence[Line], color: Color) -> None:
    """A sticky note, as large as its lines."""
    x0, y0, x1, y1 = box = around(canvas, at, rows, hand=True)
    canvas.shadow(box, spread=4, drop=4, strength=0.35)
    canvas.paint(box, paper(rng, color))
    canvas.fill((x0, y1 - 2, x1, y1), (color[0] * 7 // 8, color[1] * 7 // 8, color[2] * 7 // 8))
    lines(canvas, (x0 + 12, y0 + 12), rows, "note", hand=True)


def sideboard(canvas: Canvas, rng: np.random.Generator, box: Box, labels: Sequence[str]) -> None:
    """A low cupboard that reaches down out of the picture; on its left end one binder a label, on its right a vase."""
    x0, y0, x1, y1 = box
    canvas.shadow(box, spread=14, drop=-4)
    canvas.paint(box, wood(rng, (150, 112, 78)), (1.04, 0.94))
    canvas.fill((x0, y0 + 10, x1, y0 + 13), (84, 60, 40))
    for x in np.linspace(x0, x1, 5)[1:-1]:
        canvas.fill((x - 1.5, y0 + 13, x + 1.5, y1), (84, 60, 40))
    canvas.place("cupboard", box)
    for index, label in enumerate(labels):
        left = x0 + 14 + 35 * index
        binder = (left, y0 - 112, left + 33, y0)
        canvas.paint(binder, cloth(rng, BOOK_COLORS[int(rng.integers(5))]), (1.1, 0.72))
        canvas.fill((left + 6, y0 - 104, left + 27, y0 - 16), PAPER)
        canvas.write(label, (left + 10, y0 - 20), 13, INK, "label", angle=90)
        canvas.place("binder", binder)
    middle = x1 - 40
    canvas.ellipse((middle - 26, y0 - 62, middle + 26, y0 + 2), (62, 96, 122))
    canvas.ellipse((middle - 20, y0 - 56, middle - 4, y0 - 20), (112, 148, 172))
    canvas.fill((middle - 9, y0 - 84, middle + 9, y0 - 56), (62, 96, 122))
    canvas.ellipse((middle - 13, y0 - 89, middle + 13, y0 - 80), (40, 66, 86))
    canvas.place("vase", (middle - 26, y0 - 89, middle + 26, y0 + 2))


def framed(canvas: Canvas, rng: np.random.Generator, box: Box, image: NDArray[np.uint8], name: str) -> None:
    """A picture behind a mat in a wooden frame."""
    x0, y0, x1, y1 = box
    canvas.shadow(box)
    canvas.paint(box, wood(rng, (74, 50, 34)), (1.08, 0.92))
    canvas.fill((x0 + 7, y0 + 7, x1 - 7, y1 - 7), (226, 222, 212))
    canvas.fill((x0 + 15, y0 + 15, x1 - 15, y1 - 15), (150, 146, 138))
    inner = (x0 + 16, y0 + 16, x1 - 16, y1 - 16)
    canvas.picture(inner, image)
    canvas.place(name, inner)


def bookshelf(canvas: Canvas, rng: np.random.Generator, box: Box, boards: int, titles: Sequence[str]) -> None:
    """A bookcase full of books; ``titles`` go on the backs that are thick enough."""
    x0, y0, x1, y1 = box
    color: Color = (164, 122, 82)
    canvas.shadow(box, spread=12, drop=6)
    canvas.paint(box, wood(rng, (112, 80, 52)), (0.85, 0.7))
    step = (y1 - y0) / boards
    left = list(titles)
    for shelf in range(boards):
        top, floor = y0 + shelf * step + 14, y0 + (shelf + 1) * step
        _books(canvas, rng, (x0 + 13, top, x1 - 13, floor), left)
        canvas.paint((x0, floor, x1, floor + 13), wood(rng, color))
        canvas.fill((x0 + 12, floor + 13, x1 - 12, floor + 16), (70, 48, 30))
    canvas.paint((x0, y0, x1, y0 + 13), wood(rng, color))
    for side in (x0, x1 - 12):
        canvas.paint((side, y0, side + 12, y1), wood(rng, color, upright=True), (1.05, 0.9))
    canvas.place("bookshelf", box)


def _books(canvas: Canvas, rng: np.random.Generator, box: Box, titles: list[str]) -> None:
    """Fill one board from left to right; titles are taken off the list as they are used."""
    x0, y0, x1, y1 = box
    x, room = x0, y1 - y0
    while x < x1 - 9:
        if rng.random() < 0.06 and x > x0 + 20:
            x += float(rng.uniform(14, 34))
            continue
        width = min(float(rng.uniform(9, 27)), x1 - x)
        height = room * float(rng.uniform(0.62, 0.93))
        color = BOOK_COLORS[int(rng.integers(len(BOOK_COLORS)))]
        _book(canvas, rng, (x, y1 - height, x + width, y1), color, titles)
        x += width + 0.6
    canvas.place("books", (x0, y0 + room * 0.1, x1, y1))


def _book(canvas: Canvas, rng: np.random.Generator, box: Box, color: Color, titles: list[str]) -> None:
    x0, y0, x1, y1 = box
    canvas.paint(box, cloth(rng, color), (1.12, 0.68))
    light = sum(color) > 400
    gilt: Color = (70, 54, 40) if light else (226, 200, 138)
    for band in rng.uniform(0.05, 0.16, int(rng.integers(1, 3))):
        canvas.fill((x0 + 1, y0 + band * (y1 - y0), x1 - 1, y0 + band * (y1 - y0) + 2), gilt)
    cap = min(14.0, (x1 - x0) * 0.52)
    fitting = [title for title in titles if canvas.measure(title, cap) <= (y1 - y0) * 0.78]
    if x1 - x0 < 17 or not fitting:
        return
    titles.remove(fitting[0])
    low = y1 - (y1 - y0 - canvas.measure(fitting[0], cap)) / 2 + 4
    canvas.write(fitting[0], ((x0 + x1 - cap) / 2, low), cap, gilt, "spine", angle=90)


def door(canvas: Canvas, rng: np.random.Generator, box: Box) -> None:
    """A panelled door in its frame, with a handle; it reaches down out of the picture."""
    x0, y0, x1, y1 = box
    canvas.paint((x0 - 16, y0 - 16, x1 + 16, y1), plaster(rng, (228, 226, 218)), (1.0, 0.96))
    canvas.fill((x0 - 3, y0 - 3, x1 + 3, y1), (92, 84, 74))
    canvas.paint(box, wood(rng, (176, 138, 100), upright=True, contrast=0.7), (1.04, 0.95))
    third = (y1 - y0) / 2
    for low, high in ((y0 + third * 0.62, y0 + third * 1.12), (y0 + third * 1.24, y1 + 20)):
        canvas.fill((x0 + 22, low, x1 - 22, high), (110, 82, 56))
        panel = (x0 + 26, low + 4, x1 - 22, high)
        canvas.paint(panel, wood(rng, (168, 130, 92), upright=True, contrast=0.7), (0.94, 1.05))
    handle = y0 + third * 1.18
    canvas.shadow((x0 + 10, handle - 5, x0 + 48, handle + 6), spread=3, drop=3)
    canvas.fill((x0 + 10, handle - 22, x0 + 21, handle + 26), (168, 170, 172))
    canvas.fill((x0 + 12, handle - 4, x0 + 48, handle + 4), (204, 206, 208))
    canvas.place("door", box)


def whiteboard(canvas: Canvas, rng: np.random.Generator, box: Box) -> None:
    """A whiteboard in an aluminium frame, wiped before, with its tray."""
    x0, y0, x1, y1 = box
    canvas.shadow(box, spread=9, drop=6)
    canvas.fill(box, (172, 176, 180))
    canvas.fill((x0 + 2, y0 + 2, x1 - 2, y0 + 4), (214, 218, 220))
    canvas.paint((x0 + 6, y0 + 6, x1 - 6, y1 - 6), plaster(rng, (238, 241, 243)), (1.0, 0.985))
    canvas.fill((x0 + 30, y1, x1 - 30, y1 + 7), (150, 154, 158))
    for x, color in ((x0 + 46, (30, 70, 150)), (x0 + 84, (170, 36, 40))):
        canvas.fill((x, y1 - 3, x + 28, y1 + 2), color)
    canvas.place("whiteboard", box)


def clock(canvas: Canvas, box: Box, hour: float) -> None:
    """A wall clock with hands; ``hour`` from 0 to 12."""
    x0, y0, x1, y1 = box
    x, y, r = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2
    canvas.shadow((x0 + 6, y0 + 6, x1 - 6, y1 - 6), spread=7, drop=5)
    canvas.ellipse(box, (40, 42, 46))
    canvas.ellipse((x0 + 5, y0 + 5, x1 - 5, y1 - 5), (242, 240, 232))
    for tick in range(12):
        a = np.pi * tick / 6
        inner = 0.66 if tick % 3 == 0 else 0.74
        ends = [(x + k * r * np.sin(a), y - k * r * np.cos(a)) for k in (inner, 0.82)]
        canvas.line(ends[0], ends[1], INK, 2.6 if tick % 3 == 0 else 1.4)
    for turn, length, width in ((hour / 12, 0.46, 3.4), (hour % 1, 0.68, 2.2)):
        a = 2 * np.pi * turn
        canvas.line((x, y), (x + length * r * np.sin(a), y - length * r * np.cos(a)), INK, width)
    canvas.place("clock", box)


def lamp(canvas: Canvas, x: float, y: float) -> None:
    """A pendant lamp that hangs into the picture, its shade ending at ``y``."""
    canvas.line((x, -4000), (x, y - 34), (40, 40, 42), 2.2)
    shade = [(x - 12, y - 36), (x + 12, y - 36), (x + 44, y), (x - 44, y)]
    canvas.polygon(shade, (196, 92, 52))
    canvas.polygon([(x - 12, y - 36), (x - 2, y - 36), (x - 16, y), (x - 44, y)], (214, 112, 66))
    canvas.ellipse((x - 44, y - 5, x + 44, y + 5), (255, 236, 190))
    canvas.place("lamp", (x - 44, y - 36, x + 44, y + 5))


def plant(canvas: Canvas, rng: np.random.Generator, x: float, y: float) -> None:
    """A potted plant, the foot of its pot at ``(x, y)``."""
    for _ in range(34):
        a, length = float(rng.uniform(-1.25, 1.25)), float(rng.uniform(34, 66))
        tip = (x + length * np.sin(a), y - 28 - length * np.cos(a))
        middle = ((x + tip[0]) / 2 + 5 * np.cos(a), (y - 28 + tip[1]) / 2 + 5 * np.sin(a))
        other = ((x + tip[0]) / 2 - 5 * np.cos(a), (y - 28 + tip[1]) / 2 - 5 * np.sin(a))
        green = int(rng.integers(66, 132))
        canvas.polygon([(x, y - 28), middle, tip, other], (green // 3, green, green // 2))
    canvas.polygon([(x - 23, y - 32), (x + 23, y - 32), (x + 17, y), (x - 17, y)], (186, 98, 66))
    canvas.fill((x - 25, y - 36, x + 25, y - 28), (200, 110, 76))
    canvas.place("potted plant", (x - 60, y - 94, x + 60, y))


def keypad(canvas: Canvas, box: Box) -> None:
    """A lock's keypad beside the door."""
    x0, y0, x1, y1 = box
    canvas.shadow(box, spread=3, drop=3)
    canvas.fill(box, (58, 60, 64))
    canvas.fill((x0 + 3, y0 + 3, x1 - 3, y0 + 11), (130, 170, 130))
    w, h = (x1 - x0) / 3, (y1 - y0 - 13) / 4
    for row in range(4):
        for column in range(3):
            x, y = x0 + column * w, y0 + 13 + row * h
            canvas.fill((x + 2, y + 1, x + w - 2, y + h - 2), (188, 190, 192))
    canvas.place("keypad", box)
