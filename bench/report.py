"""How long a report takes, how large it is, and how long a browser needs for it, on 300 frames of 720p.

    python bench/report.py [VIDEO] [--whole]

Simulates a call of 12 s (or takes VIDEO), runs the recipe leak on it, then ``vbtools report --quick`` with the whole
evidence; with ``--whole`` also ``vbtools report --whole``. Prints seconds, megabytes, verdict, and the seconds until
headless Chromium, where it is installed, has loaded the page.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
SIMULATED = ("--profile", "jitsi", "--seed", "3", "--seconds", "12")


def timed(*words: str | Path) -> float:
    """Run ``vbtools``; seconds that it took."""
    begun = time.monotonic()
    subprocess.run([sys.executable, "-m", "vbtools", *map(str, words)], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


def load_s(page: Path) -> float | None:
    """Seconds until a browser has loaded a page; None where there is no browser."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        opened = browser.new_page()
        begun = time.monotonic()
        opened.goto(page.as_uri())
        seconds = time.monotonic() - begun
        browser.close()
    return seconds


def tell(kind: str, seconds: float, page: Path) -> None:
    """Print one report's figures."""
    content = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    loaded = load_s(page)
    browser = "no browser" if loaded is None else f"{loaded:.2f} s to load"
    frames = content["recording"]["frames"]
    size = page.stat().st_size / 1e6
    print(f"{kind}: {seconds:.0f} s for {frames} frames, {size:.1f} MB, {browser}: {content['verdict']['answer']}")


def main() -> int:
    """Measure and print."""
    videos = [word for word in sys.argv[1:] if word != "--whole"]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if not videos:
            timed("simulate", "-o", place / "clip", *SIMULATED)
        video = Path(videos[0]) if videos else place / "clip" / "blurred.mp4"
        project, page = place / "study.h5", place / "report.html"
        print(f"pipeline: {timed('run', 'leak', '--video', video, '-p', project):.0f} s")
        tell("quick", timed("report", "-p", project, "-o", page, "--quick"), page)
        tell("again", timed("report", "-p", project, "-o", page), page)
        if "--whole" in sys.argv:
            tell("whole", timed("report", "-p", project, "-o", page, "--whole"), page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
