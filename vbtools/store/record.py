"""What each stage group says about how it was made: the attributes of the group."""

from __future__ import annotations

import getpass
import json
import os
import platform
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib import metadata
from typing import Any

import h5py

from vbtools import __version__

SOFTWARE = (
    "numpy", "opencv-contrib-python", "opencv-python", "av", "numba", "h5py", "hdf5plugin", "mediapipe", "pytesseract",
    "rapidocr", "onnxruntime", "torch", "torchvision", "ultralytics", "realesrgan", "spandrel",
)  # fmt: skip
"""Distributions whose versions can change a result."""


@dataclass(frozen=True, slots=True)
class Source:
    """The recording that extract read, so that it can be recognised later."""

    path: str
    sha256: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Record:
    """How one stored stage was made.

    Attributes:
        fingerprint: see :func:`vbtools.store.fingerprint.fingerprint`.
        parameters: every parameter with its value, defaults included.
        backend: names of the backends that ran.
        weights: model name or role -> sha256.
        upstream: stage -> fingerprint of what was read.
        provenance: stage -> {version, parameters, backend, weights, source} of everything upstream, so that a
            difference can be told even after the upstream has been replaced.
        started: UTC, ISO 8601.
        duration: seconds.
        bulk: element -> {file, bytes}, relative to the project's folder.
        notes: one-line facts of this run.
    """

    stage: str
    version: int
    fingerprint: str
    parameters: Mapping[str, Any]
    backend: Sequence[str]
    weights: Mapping[str, str]
    upstream: Mapping[str, str]
    provenance: Mapping[str, Any]
    software: Mapping[str, str]
    seed: int
    started: str
    duration: float
    user: str
    host: str
    command: str
    source: Source | None = None
    bulk: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, for ``--json`` and the log."""
        return asdict(self)

    def write_to(self, group: h5py.Group) -> None:
        """Store as attributes: scalars as they are, everything else as JSON text."""
        for f in fields(self):
            value = getattr(self, f.name)
            plain = isinstance(value, (str, int, float))
            if isinstance(value, Source):
                value = asdict(value)
            group.attrs[f.name] = storable(value) if plain else to_text(value)

    @classmethod
    def read_from(cls, group: h5py.Group) -> Record:
        """Load from a stage group's attributes."""
        values: dict[str, Any] = {}
        for f in fields(cls):
            value = group.attrs[f.name]
            if f.name in ("stage", "fingerprint", "started", "user", "host", "command"):
                values[f.name] = str(value)
            elif f.name in ("version", "seed"):
                values[f.name] = int(value)
            elif f.name == "duration":
                values[f.name] = float(value)
            else:
                values[f.name] = json.loads(str(value))
        if values["source"] is not None:
            values["source"] = Source(**values["source"])
        return cls(**values)


def to_text(value: Any) -> str:
    """JSON that UTF-8 can hold: readable where it can be, escaped where a file's name is not valid UTF-8."""
    text = json.dumps(value, ensure_ascii=False)
    return text if storable(text) == text else json.dumps(value)


def storable(value: Any) -> Any:
    """A text without what UTF-8 cannot hold (bytes of a file's name that are no text); anything else as it is."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def software_versions() -> dict[str, str]:
    """Versions of everything installed here that can change a result."""
    return {"vbtools": __version__, "python": platform.python_version(), **dict(_installed())}


@cache
def _installed() -> tuple[tuple[str, str], ...]:
    """Looked up once: it takes 4 ms, and every stage of a run asks."""
    found = []
    for name in SOFTWARE:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:  # an extra that is not installed has no version to tell
            continue
    return tuple(found)


def who() -> tuple[str, str]:
    """The user's and the machine's name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user id without an entry in the password file
        user = f"uid {os.getuid()}"
    return user, socket.gethostname()
