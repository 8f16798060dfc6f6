"""A rendered room with things to read, to find, and to keep private.

The layout is fixed, so that the person's edge sweeps over known places; the seed chooses colours, names, numbers,
books and which picture hangs where. Cap heights run from 12 to 90 px at 720p.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbtools.errors import MissingDependencyError
from vbtools.simulate import furniture as put
from vbtools.simulate.canvas import STAGE, Canvas, TextLine, Thing
from vbtools.simulate.texture import Color, cloth, daylight, plaster

WALLS: tuple[Color, ...] = ((214, 206, 192), (190, 202, 196), (184, 198, 212), (220, 206, 186), (206, 196, 204))
NOTES: tuple[Color, ...] = ((250, 226, 104), (252, 178, 190), (168, 222, 240), (186, 232, 150))
RED: Color = (172, 28, 34)
BLUE: Color = (28, 58, 146)
GREEN: Color = (22, 108, 66)

PICTURES = {"cat": "chelsea", "cup of coffee": "coffee", "rocket": "rocket", "galaxies": "hubble_deep_field"}
"""What hangs on the wall: pictures of ``skimage.data`` that lie in its wheel (CC0 or public domain, see its README)."""

SURNAMES = ("Marchetti", "Lindqvist", "Okafor", "Novak", "Ferreira", "Tanaka", "Haddad", "Kowalski")
TITLES = (
    "Signals", "Atlas of Rivers", "Linear Models", "The Harbour", "Tax Law 2024", "Optics", "Cold Stars",
    "Bread", "Winter Birds", "Field Notes", "Divorce Guide", "Chess Endings", "Organic Synthesis", "Maps",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Room:
    """An empty room: ``background`` (H, W, 3) uint8 RGB, and what is in it."""

    background: NDArray[np.uint8]
    texts: tuple[TextLine, ...]
    things: tuple[Thing, ...]


def render_room(width: int, height: int, seed: int, *, lettering: bool = True) -> Room:
    """Render a room.

    Args:
        width, height: pixels. Another shape than 16:9 shows more wall above or beside the same furniture.
        seed: same seed, same room.
        lettering: False leaves out every letter and nothing else; the texts are listed all the same.

    Raises:
        MissingDependencyError: scikit-image (with Pillow), of the extra ``simulate``, is not installed.
    """
    canvas = Canvas(width, height, lettering)
    wall, words, looks = (np.random.default_rng([seed, stream]) for stream in range(3))
    beyond = 4000.0  # more than any frame shows of the wall
    x0, y0 = -(width / canvas.scale - STAGE[0]) / 2, -(height / canvas.scale - STAGE[1])
    stage = (max(x0, -beyond), max(y0, -beyond), min(STAGE[0] - x0, beyond), float(STAGE[1]))
    canvas.paint(stage, plaster(wall, WALLS[int(wall.integers(len(WALLS)))]))
    _left_side(canvas, looks, words)
    _beside_the_head(canvas, looks, words)
    _right_side(canvas, looks, words)
    light = daylight(wall, *canvas.rgb.shape[:2])
    canvas.rgb = np.clip(np.rint(canvas.rgb * light), 0, 255).astype(np.uint8)
    return Room(canvas.frame(), tuple(canvas.texts), tuple(canvas.things))


def _left_side(canvas: Canvas, looks: np.random.Generator, words: np.random.Generator) -> None:
    """Bookcase with a plant and a labelled box on it, and a sideboard behind the person."""
    put.sideboard(canvas, looks, (275, 622, 1046, 760), ("PAYROLL", "MEDICAL"))
    put.bookshelf(canvas, looks, (-6, 124, 262, 704), 4, [TITLES[i] for i in words.permutation(len(TITLES))])
    put.plant(canvas, looks, 60, 124)
    label = (112, 78, 254, 124)
    canvas.shadow(label)
    canvas.paint(label, cloth(looks, (92, 98, 108)), (1.1, 0.85))
    canvas.fill((116, 90, 250, 116), put.PAPER)
    canvas.write(f"TAXES {words.integers(2016, 2025)}", (121, 95), 15, put.INK, "label")
    canvas.place("box", label)


def _beside_the_head(canvas: Canvas, looks: np.random.Generator, words: np.random.Generator) -> None:
    """What the person's edge sweeps over: whiteboard, poster and notes on both sides of head and shoulders."""
    number = words.integers(100, 999, 8)
    put.whiteboard(canvas, looks, (280, 112, 532, 352))
    rows: list[put.Line] = [
        ("LAUNCH", 34.0, RED, 0.05), (f"{words.integers(1, 28)} October", 24.0, BLUE, 0.03),
        (f"budget {number[0]} 000", 20.0, put.INK, 0.03), (f"wifi: tulip-{number[1]}", 16.0, put.INK, 0.02),
        ("do not tell the press", 14.0, GREEN, 0.02), (f"admin / orchid{number[2]}", 12.0, BLUE, 0.02),
    ]  # fmt: skip
    put.lines(canvas, (298, 130), rows, "whiteboard", hand=True)

    name = SURNAMES[int(words.integers(len(SURNAMES)))]
    rows = [
        ("ROOM", 40.0, put.INK, 0.06), (str(number[3] // 10), 90.0, RED, 0.05), (f"Dr. {name}", 17.0, put.INK, 0.03),
        ("Office hours 9-11", 13.0, put.INK, 0.0), (f"{name[:5].lower()}@uni-nord.edu", 12.0, BLUE, 0.0),
        ("KEEP QUIET", 18.0, BLUE, 0.05),
    ]  # fmt: skip
    put.sheet(canvas, looks, (702, 112), rows, "poster", edge=(40, 44, 52))

    colors = [NOTES[i] for i in looks.permutation(len(NOTES))]
    notes: tuple[tuple[tuple[float, float], list[put.Line]], ...] = (
        ((540, 64), [("call MOM", 18, put.INK, 0.02), (f"0171 55 {number[4]}", 14, put.INK, 0.0)]),
        ((284, 384), [("Dentist", 18, put.INK, 0.02), ("Tue 8:30 Oak St", 12, put.INK, 0.0)]),
        ((458, 378), [("rent", 20, RED, 0.03), (f"{number[5]}0 EUR", 14, put.INK, 0.0)]),
        ((700, 436), [("Flight LH", 20, put.INK, 0.02), (f"{number[6]} seat 14C", 14, put.INK, 0.0)]),
    )
    for (at, text), color in zip(notes, colors, strict=True):
        put.note(canvas, looks, at, text, color)


def _right_side(canvas: Canvas, looks: np.random.Generator, words: np.random.Generator) -> None:
    """Pictures, clock and lamp, a bank's letter beside the shoulder, and the door with its sign and code."""
    names = [list(PICTURES)[i] for i in looks.permutation(len(PICTURES))]
    frames = ((916, 112, 1034, 230), (916, 248, 1034, 366), (392, 12, 512, 96), (276, 12, 380, 96))
    for box, name in zip(frames, names, strict=True):
        put.framed(canvas, looks, box, object_picture(name), name)
    put.clock(canvas, (722, 12, 806, 96), float(words.uniform(0, 12)))
    put.lamp(canvas, 968, 62)

    number = words.integers(1000, 9999, 4)
    rows: list[put.Line] = [
        ("NORDBANK", 16.0, BLUE, 0.04), ("final notice", 14.0, RED, 0.02), ("IBAN DE44", 12.0, put.INK, 0.0),
        (f"{number[0]} {number[1]} 17", 12.0, put.INK, 0.0),
    ]  # fmt: skip
    put.sheet(canvas, looks, (874, 408), rows, "sign")

    put.door(canvas, looks, (1066, 96, 1256, 720))
    rows = [("LAB", 44.0, put.INK, 0.05), ("Authorised", 16.0, put.INK, 0.02), ("staff only", 16.0, put.INK, 0.02)]
    put.sheet(canvas, looks, (1088, 130), rows, "door", color=(232, 226, 206), edge=(120, 100, 60))
    put.keypad(canvas, (1140, 400, 1172, 450))
    rows = [("door code", 15.0, put.INK, 0.0), (f"{number[2]} #", 20.0, RED, 0.03)]
    put.sheet(canvas, looks, (1096, 290), rows, "door", color=(250, 248, 230), hand=True)


def object_picture(name: str) -> NDArray[np.uint8]:
    """A key of :data:`PICTURES` as (H, W, 3) uint8 RGB.

    Raises:
        MissingDependencyError: scikit-image is not installed.
    """
    try:
        from skimage import data
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "The Python package 'scikit-image' is not installed", "Run: pip install 'vbtools[simulate]'"
        ) from error
    read: Any = getattr(data, PICTURES[name])
    return np.ascontiguousarray(read()[..., :3])
