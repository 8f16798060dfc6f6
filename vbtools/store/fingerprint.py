"""The hash that decides whether a stored result is still the one that would be computed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any


def fingerprint(
    stage: str,
    version: int,
    parameters: Mapping[str, Any],
    backends: Sequence[str],
    weights: Mapping[str, str],
    upstream: Mapping[str, str],
    source_sha256: str = "",
) -> str:
    """Hash everything that a stage's result depends on.

    Args:
        stage: the stage's name.
        version: of the stage's code; raised when its results change.
        parameters: plain JSON values.
        backends: names of the backends that ran.
        weights: model name or role -> sha256 of the file.
        upstream: stage -> fingerprint, of the stages that were read.
        source_sha256: of the recording; for extract only.

    Returns:
        64 hexadecimal digits (SHA-256 of canonical JSON).
    """
    everything = {
        "stage": stage,
        "version": version,
        "parameters": parameters,
        "backends": list(backends),
        "weights": weights,
        "upstream": upstream,
        "source": source_sha256,
    }
    text = json.dumps(everything, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
