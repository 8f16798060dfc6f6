"""The test chart: every word, ring and edge is where the truth says."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from vbtools.backends.picture import read_picture
from vbtools.cli import main as cli
from vbtools.simulate.chart import CAPS, DIRECTIONS, render_chart, render_page

pytest.importorskip("skimage", reason="needs the simulate extra")


@pytest.fixture(scope="module")
def chart():
    return render_chart(1280, 720, 3)


def test_words_of_every_cap_height_are_on_it(chart):
    room, _ = chart
    words = [t for t in room.texts if t.kind == "chart" and t.text.isupper()]
    assert {t.cap_px for t in words} == set(CAPS)
    assert len({t.text for t in words}) == len(words)
    assert min(len(t.text) for t in words) >= 6
    for line in words:
        x0, y0, x1, y1 = line.box
        part = room.background[y0:y1, x0:x1]
        assert part.min() < 60, line
        assert part.max() > 200, line


def test_a_ring_is_open_where_it_is_said_to_be(chart):
    room, told = chart
    gray = cv2.cvtColor(room.background, cv2.COLOR_RGB2GRAY).astype(int)
    assert len(told.rings) >= 8
    for ring in told.rings:
        x0, y0, x1, y1 = ring.box
        middle, reach = ((x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2), (x1 - x0) * 0.4
        sides = {
            "right": (reach, 0), "up": (0, -reach), "left": (-reach, 0), "down": (0, reach),
        }  # fmt: skip
        levels = {d: gray[round(middle[1] + dy), round(middle[0] + dx)] for d, (dx, dy) in sides.items()}
        assert max(levels, key=lambda d: levels[d]) == ring.gap, ring
        assert set(levels) == set(DIRECTIONS)
        assert ring.gap_px == pytest.approx((x1 - x0) / 5, abs=1)


def test_an_edge_has_its_angle(chart):
    room, told = chart
    gray = cv2.cvtColor(room.background, cv2.COLOR_RGB2GRAY).astype(np.float32)
    for edge in told.edges:
        x0, y0, x1, y1 = edge.box
        rows = np.arange(y0 + 24, y1 - 24)
        dark = gray[rows, x0 - 6 : (x0 + x1) // 2] < 128
        slope = np.polyfit(rows, dark.argmax(axis=1), 1)[0]
        assert np.degrees(np.arctan(-slope)) == pytest.approx(edge.degrees, abs=0.6)


def test_the_page_can_be_printed(tmp_path, capsys):
    assert cli.run(["simulate", "-o", str(tmp_path / "c"), "--chart", "page", "--seed", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {p.name for p in (tmp_path / "c").iterdir()} == {"chart.pdf", "chart.png", "chart.json"}
    assert (tmp_path / "c" / "chart.pdf").read_bytes().startswith(b"%PDF")
    page = read_picture(tmp_path / "c" / "chart.png")
    assert list(page.shape[1::-1]) == told["size"]
    assert np.array_equal(page, render_page(3)[0])
    largest = max(told["text"], key=lambda t: t["cap_px"])
    assert largest["cap_mm"] == pytest.approx(largest["cap_px"] * 25.4 / told["dpi"], abs=0.01)
    assert cli.run(["simulate", "-o", str(tmp_path / "c"), "--chart", "page"]) == 4  # not overwritten
