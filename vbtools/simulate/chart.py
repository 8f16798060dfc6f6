"""A test chart: words at falling cap heights, Landolt rings, slanted edges, and pictures of objects.

As a room, the chart hangs left and right of the person's head, where its edge sweeps over it; as a page it can be
printed and hung in a real room. Every word, ring and edge is listed with its place.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbtools.simulate import furniture as put
from vbtools.simulate.canvas import STAGE, Box, Canvas
from vbtools.simulate.room import PICTURES, WALLS, Room, object_picture
from vbtools.simulate.texture import Color, paper, plaster

WORDS = (
    "PASSPORT", "INVOICE", "KEYCODE", "MEETING", "SECRET", "ACCOUNT", "WINDOW", "HARBOUR", "DOCTOR", "GARDEN", "LETTER",
    "MARKET", "SILVER", "BRIDGE", "PLANET", "TICKET", "RECIPE", "SIGNAL", "CANDLE", "FOREST", "ISLAND", "PENCIL",
    "BUTTER", "ORANGE", "CASTLE", "WINTER", "SUMMER", "DINNER", "VIOLIN", "ROCKET", "MIRROR", "COTTON", "PEPPER",
    "SALMON", "TEMPLE", "VALLEY", "WALNUT", "YELLOW", "ZEBRAS", "HAMMER",
)  # fmt: skip
"""At least six letters each: shorter words match by chance too often to be scored (findings.md)."""
CAPS = (48.0, 36.0, 28.0, 22.0, 17.0, 14.0, 12.0)
"""Cap heights, reference px: each about 0.75 times the one before, the largest readable through a blur of sigma 15."""
RINGS = (60.0, 40.0, 28.0, 20.0, 14.0)
"""Outer diameters of the Landolt rings, reference px; the gap is a fifth (ISO 8596)."""
DIRECTIONS = ("right", "up", "left", "down")
SLANT_DEG = 5.0  # of the edges, as ISO 12233 has them
INK: Color = (18, 18, 20)
PAPER: Color = (246, 246, 243)
PAGE_MM, PAGE_DPI = (297, 210), 150  # A4, landscape
_SQUARE = ((-1, -1), (1, -1), (1, 1), (-1, 1))
PANELS = ((24.0, 40.0, 556.0, 600.0), (724.0, 40.0, 1256.0, 600.0))


@dataclass(frozen=True, slots=True)
class Ring:
    """A Landolt ring: where it is (px of the frame, end exclusive), where its gap points, and how wide the gap is."""

    box: tuple[int, int, int, int]
    gap: str
    gap_px: float


@dataclass(frozen=True, slots=True)
class Edge:
    """A slanted edge: the box of its dark square, and its angle from upright, degrees."""

    box: tuple[int, int, int, int]
    degrees: float


@dataclass(frozen=True, slots=True)
class Chart:
    """What is on a chart besides texts and things."""

    rings: tuple[Ring, ...]
    edges: tuple[Edge, ...]

    def told(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"rings": [asdict(r) | {"box": list(r.box)} for r in self.rings],
                "edges": [asdict(e) | {"box": list(e.box)} for e in self.edges]}  # fmt: skip


def render_chart(width: int, height: int, seed: int) -> tuple[Room, Chart]:
    """A room whose wall carries the chart on two panels, beside the person's head.

    Args:
        width, height: pixels.
        seed: chooses words, gaps and which picture hangs where.

    Raises:
        MissingDependencyError: scikit-image (with Pillow), of the extra ``simulate``, is not installed.
    """
    canvas = Canvas(width, height)
    beyond = 4000.0
    wall = plaster(np.random.default_rng([seed, 12]), WALLS[0])
    canvas.paint((-beyond, -beyond, STAGE[0] + beyond, float(STAGE[1])), wall)
    chart = _panels(canvas, seed)
    return Room(canvas.frame(), tuple(canvas.texts), tuple(canvas.things)), chart


def render_page(seed: int) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """The chart as an A4 page in landscape, and what is on it, in px of the page and in mm.

    Returns:
        (H, W, 3) uint8 RGB at :data:`PAGE_DPI`, and plain JSON.
    """
    width, height = (round(mm / 25.4 * PAGE_DPI) // 2 * 2 for mm in PAGE_MM)
    canvas = Canvas(width, height)
    canvas.rgb[:] = PAPER
    chart = _panels(canvas, seed)
    mm = 25.4 / PAGE_DPI
    texts = [asdict(t) | {"box": list(t.box), "cap_mm": round(t.cap_px * mm, 2)} for t in canvas.texts]
    things = [asdict(t) | {"box": list(t.box)} for t in canvas.things]
    told = {"size": [width, height], "dpi": PAGE_DPI, "size_mm": list(PAGE_MM), "text": texts, "objects": things}
    return canvas.frame(), told | chart.told()


def _panels(canvas: Canvas, seed: int) -> Chart:
    chance = np.random.default_rng([seed, 11])
    words = [WORDS[i] for i in chance.permutation(len(WORDS))]
    pictures = [list(PICTURES)[i] for i in chance.permutation(len(PICTURES))]
    found = [_panel(canvas, chance, box, words[i::2], pictures[i]) for i, box in enumerate(PANELS)]
    return Chart(tuple(r for rings, _ in found for r in rings), tuple(e for _, edges in found for e in edges))


def _panel(
    canvas: Canvas, chance: np.random.Generator, box: Box, words: list[str], picture: str
) -> tuple[list[Ring], list[Edge]]:
    """One sheet: words on the left, rings, edges and a picture on the right."""
    x0, y0, x1, y1 = box
    canvas.shadow(box, spread=6, drop=4)
    canvas.paint(box, paper(chance, PAPER))
    y, left = y0 + 24, list(words)
    for cap in CAPS:
        x = x0 + 16
        while word := next((w for w in left if x + canvas.measure(w, cap, 0.03) < x0 + 380), None):
            left.remove(word)
            x += canvas.write(word, (x, y), cap, INK, "chart", weight=0.03) + 0.6 * cap
        y += 1.5 * cap + 12
    rings, x = [], x0 + 16
    for diameter in RINGS:
        rings.append(_ring(canvas, chance, (x, y1 - 82), diameter))
        x += diameter + 18
    inner = (x0 + 392, y0 + 18, x1 - 18, y0 + 138)
    canvas.picture(inner, object_picture(picture))
    canvas.place(picture, inner)
    edges = [
        _edge(canvas, (x0 + 412, y0 + 176, x0 + 494, y0 + 258), SLANT_DEG),
        _edge(canvas, (x0 + 412, y0 + 296, x0 + 494, y0 + 378), 90 - SLANT_DEG),
    ]
    put.lines(canvas, (x0 + 392, y0 + 430), [("vbtools", 14.0, INK, 0.02)], "chart")
    return rings, edges


def _ring(canvas: Canvas, chance: np.random.Generator, at: tuple[float, float], diameter: float) -> Ring:
    gap = diameter / 5
    direction = DIRECTIONS[int(chance.integers(len(DIRECTIONS)))]
    box = (at[0], at[1], at[0] + diameter, at[1] + diameter)
    canvas.ellipse(box, INK)
    canvas.ellipse((box[0] + gap, box[1] + gap, box[2] - gap, box[3] - gap), PAPER)
    x, y, r = at[0] + diameter / 2, at[1] + diameter / 2, diameter / 2
    across, down = {"right": (1, 0), "up": (0, -1), "left": (-1, 0), "down": (0, 1)}[direction]
    far, half = r + 1, gap / 2
    a, b, c, d = (x, x + across * far, y - half, y + half) if across else (x - half, x + half, y, y + down * far)
    canvas.fill((min(a, b), min(c, d), max(a, b), max(c, d)), PAPER)
    return Ring(canvas.frame_box(box), direction, round(gap * canvas.scale, 2))


def _edge(canvas: Canvas, box: Box, degrees: float) -> Edge:
    """A dark square, turned."""
    x, y, half = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, (box[2] - box[0]) / 2
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = [(x + half * (a * cos - b * sin), y + half * (a * sin + b * cos)) for a, b in _SQUARE]
    canvas.polygon(corners, INK)
    xs, ys = [c[0] for c in corners], [c[1] for c in corners]
    return Edge(canvas.frame_box((min(xs), min(ys), max(xs), max(ys))), degrees if degrees < 45 else degrees - 90)


def write_page(path: Path, page: NDArray[np.uint8]) -> None:
    """Write a page as PDF, A4 in landscape."""
    from PIL import Image

    Image.fromarray(page).save(path, "PDF", resolution=PAGE_DPI)
