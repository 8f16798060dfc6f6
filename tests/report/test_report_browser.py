"""The page in a real browser: headless Chromium, as installed; no browser is fetched."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vbtools.report import Report

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), "")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium")
WIDTHS = {"phone": 390, "desktop": 1280}
LONGEST_S = 2.0
LARGEST_BYTES = 15_000_000
LEAST_CONTRAST = 4.5  # WCAG 2.1, AA

UNREADABLE = """
least => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = text => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
                         return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = c => { const [r, g, b] = c.slice(0, 3).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 :
                       ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = one => { for (; one; one = one.parentElement) { const c = rgba(getComputedStyle(one).backgroundColor);
                          if (c[3] > 0) return c; } return [255, 255, 255, 255]; };
  const found = [];
  for (const one of document.querySelectorAll('body *')) {
    const own = [...one.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || ['SCRIPT', 'STYLE', 'TITLE', 'OPTION'].includes(one.tagName.toUpperCase())) continue;
    const style = getComputedStyle(one);
    const [a, b] = [light(rgba(one.closest('svg') ? style.fill : style.color)), light(ground(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least) found.push(`${ratio.toFixed(2)} ${one.tagName} ${one.textContent.trim().slice(0, 40)}`);
  }
  return found;
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium."""
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright: make setup")
    with api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


class Visit:
    """A page that was opened, with what it asked for and complained of."""

    def __init__(self, browser: Any, file: Path, width: int = 1280, scheme: str = "light", **more: Any) -> None:
        self.trouble: list[str] = []
        self.asked: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, **more)
        self.page.on("console", lambda one: self.trouble.append(f"{one.type}: {one.text}"))
        self.page.on("pageerror", lambda one: self.trouble.append(str(one)))
        self.page.on("request", lambda one: self.asked.append(one.url))
        begun = time.monotonic()
        self.page.goto(file.as_uri())
        self.seconds = time.monotonic() - begun

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *error: object) -> None:
        self.page.close()

    def at(self) -> float:
        """Where the slider's edge stands, percent of the picture."""
        place = "getComputedStyle(document.querySelector('.compare .above')).clipPath"
        inset = self.page.evaluate(f"(() => {{ const a = document.querySelector('.compare .above'); "
                                   f"return [{place}, a.getBoundingClientRect().width]; }})()")  # fmt: skip
        right = inset[0].partition("(")[2].split()[1]
        if right.startswith("calc"):
            return 100.0 - float(inset[0].partition("100% - ")[2].partition("%")[0])
        return 100.0 - float(right.rstrip("%"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_it_opens_quickly_alone_and_without_complaint(
    browser: Any, report: Report, tmp_path: Path, width: int, scheme: str
) -> None:
    with Visit(browser, report.page, width, scheme) as visit:
        assert visit.trouble == []
        assert [one for one in visit.asked if not one.startswith("data:")] == [report.page.as_uri()]
        assert visit.seconds < LONGEST_S
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, "nothing sticks out sideways"
        assert visit.page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
        assert visit.page.evaluate(UNREADABLE, LEAST_CONTRAST) == []
        assert len(visit.page.evaluate(UNREADABLE, 22)) > 0, "the measure itself works: nothing has 22 : 1"
        visit.page.screenshot(path=tmp_path / "page.png")
    shot = cv2.imread(str(tmp_path / "page.png"), cv2.IMREAD_GRAYSCALE)
    ground = np.median(shot[-200:, :15])  # the page's margin
    assert ground > 200 if scheme == "light" else ground < 60
    assert report.page.stat().st_size < LARGEST_BYTES


def test_the_slider_moves_by_keyboard(browser: Any, report: Report) -> None:
    with Visit(browser, report.page) as visit:
        assert visit.at() == 50
        visit.page.locator(".compare input[type=range]").focus()
        for _ in range(10):
            visit.page.keyboard.press("ArrowLeft")
        assert visit.at() == 40
        visit.page.keyboard.press("End")
        assert visit.at() == 100
        told = visit.page.locator(".compare input[type=range]").get_attribute("aria-valuetext")
        assert told == "100 % One frame of the call, 0 % Leak image"
        assert visit.trouble == []


def test_the_slider_moves_by_mouse_on_the_picture(browser: Any, report: Report, tmp_path: Path) -> None:
    with Visit(browser, report.page) as visit:
        stage = visit.page.locator(".compare .stage")
        stage.scroll_into_view_if_needed()
        place = stage.bounding_box()
        middle = place["y"] + place["height"] / 2
        visit.page.mouse.move(place["x"] + place["width"] * 0.5, middle)
        visit.page.mouse.down()
        visit.page.mouse.move(place["x"] + place["width"] * 0.9, middle, steps=4)
        visit.page.mouse.up()
        assert visit.at() == pytest.approx(90, abs=1)
        stage.screenshot(path=tmp_path / "right.png")
        visit.page.mouse.click(place["x"] + place["width"] * 0.1, middle)
        assert visit.at() == pytest.approx(10, abs=1)
        stage.screenshot(path=tmp_path / "left.png")
        one, other = (cv2.imread(str(tmp_path / f"{name}.png")).astype(int) for name in ("left", "right"))
        changed = np.abs(one - other).max(axis=2) > 8
        width = changed.shape[1]
        assert changed[:, int(0.12 * width) : int(0.88 * width)].mean() > 0.05, "another picture is shown between them"


def test_the_slider_moves_by_touch_on_the_picture(browser: Any, report: Report) -> None:
    with Visit(browser, report.page, WIDTHS["phone"], has_touch=True) as visit:
        stage = visit.page.locator(".compare .stage")
        stage.scroll_into_view_if_needed()
        place = stage.bounding_box()
        visit.page.touchscreen.tap(place["x"] + place["width"] * 0.25, place["y"] + place["height"] / 2)
        assert visit.at() == pytest.approx(25, abs=1)


def test_what_is_compared_can_be_chosen(browser: Any, report: Report) -> None:
    with Visit(browser, report.page) as visit:
        before = visit.page.locator(".compare .below").get_attribute("src")
        visit.page.locator("select.right").select_option("plate")
        assert visit.page.locator(".compare .below").get_attribute("src") != before
        assert "Blurred background: The background as blurred" in visit.page.locator(".told").inner_text()


def test_everything_can_be_reached_by_keyboard(browser: Any, report: Report) -> None:
    with Visit(browser, report.page) as visit:
        visit.page.keyboard.press("Tab")
        assert visit.page.evaluate("document.activeElement.textContent") == "Skip to the pictures"
        reached = set()
        for _ in range(120):
            visit.page.keyboard.press("Tab")
            reached.add(visit.page.evaluate("document.activeElement.tagName"))
        assert {"A", "SELECT", "INPUT", "SUMMARY", "DIV"} <= reached


def test_a_table_is_downloaded_from_the_page(browser: Any, report: Report, tmp_path: Path) -> None:
    with Visit(browser, report.page) as visit:
        with visit.page.expect_download() as waiting:
            visit.page.locator('a[download="power.csv"]').click()
        waiting.value.save_as(tmp_path / "power.csv")
    assert (tmp_path / "power.csv").read_text(encoding="utf-8").startswith("channel,cap_height,contrast")


def test_paper_is_light_and_has_every_picture(browser: Any, report: Report) -> None:
    with Visit(browser, report.page, scheme="dark") as visit:
        visit.page.emulate_media(media="print", color_scheme="dark")
        assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not visit.page.locator(".compare .stage").is_visible()
        assert visit.page.locator(".alone img").first.is_visible()
        assert len(visit.page.pdf()) > 10_000


def test_without_scripts_the_pictures_are_there(browser: Any, report: Report) -> None:
    with Visit(browser, report.page, java_script_enabled=False) as visit:
        assert visit.page.locator(".compare .stage").is_visible()
        assert visit.page.locator(".verdict .answer").inner_text().lower() == "leak shown"
