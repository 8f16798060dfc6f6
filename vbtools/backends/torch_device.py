"""Where PyTorch computes: the device that was asked for, and how much memory a picture may take there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vbtools.config.params import param
from vbtools.errors import UsageError

DEVICES = ("auto", "cpu", "cuda", "mps")
MOST_ON_CPU = 2_000_000_000
"""bytes for one picture in a model, so that a whole run stays below 4 GB: PyTorch, MediaPipe and the project's own
pictures take up to 1.5 GB beside it."""
OF_FREE = 0.5
"""Of the memory that is free at most so much, since others want some too."""
OF_FREE_ON_GPU = 0.8
MEMINFO = Path("/proc/meminfo")


def device_param() -> Any:
    """The parameter ``device`` of a step or detector."""
    return param("auto", "where to compute", choices=DEVICES)


def pick(asked: str, owner: str) -> str:
    """The device to use, as PyTorch names it.

    Args:
        asked: one of :data:`DEVICES`; "auto" takes CUDA where there is one, else the CPU (MPS only when asked for).
        owner: the parameter, named in messages: ``segment.device``.

    Raises:
        UsageError: it was asked for by name, and PyTorch does not see it.
    """
    if asked == "cpu":
        return asked
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if asked == "auto":
        return "cuda" if there["cuda"] else "cpu"
    if not there[asked]:
        raise UsageError(f"{owner} is '{asked}', but PyTorch sees no such device here", "Use auto or cpu")
    return asked


def check_device(asked: str, owner: str) -> None:
    """Raise what :func:`pick` would, without importing torch where nothing can be missing."""
    if asked not in ("auto", "cpu"):
        pick(asked, owner)


def memory_budget(device: str) -> int:
    """Bytes that one picture may take in a model on a device.

    On the CPU a constant, :data:`MOST_ON_CPU`, so that the same picture is cut into the same tiles on every machine
    that has twice as much free; only where less is free, less.
    """
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0] * OF_FREE_ON_GPU)
    free = _free_bytes()
    return MOST_ON_CPU if free is None else min(MOST_ON_CPU, int(free * OF_FREE))


def _free_bytes() -> int | None:
    """What the kernel says could be had without swapping; None where it does not say."""
    if not MEMINFO.is_file():
        return None
    for line in MEMINFO.read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None
