"""Write docs/report.png: the top of a report in headless Chromium, as installed.

make demo && .venv/bin/python docs/screenshot.py results/demo/report.html
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

TARGET = Path(__file__).with_name("report.png")
WIDTH, HEIGHT = 1280, 1440
NAMES = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    """Photograph the page that is named; the exit status is 2 where that cannot be."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if len(sys.argv) != 2 or program is None:
        print("usage: docs/screenshot.py REPORT.html (needs Chromium: apt-get install chromium)", file=sys.stderr)
        return 2
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(Path(sys.argv[1]).absolute().as_uri())
        page.screenshot(path=TARGET)
        browser.close()
    print(TARGET)
    return 0


if __name__ == "__main__":
    sys.exit(main())
