"""The generated parts of the documents are what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_generated_documents_are_up_to_date() -> None:
    answer = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr + "\nRun: make docs"


def test_no_registry_host_is_named() -> None:
    hosts = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org")
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    named = [f for f in files if (ROOT / f).is_file() and any(h.encode() in (ROOT / f).read_bytes() for h in hosts)]
    assert named == []
