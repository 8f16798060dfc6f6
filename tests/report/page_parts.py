"""What a page carries: its embedded files, and its pictures."""

from __future__ import annotations

import base64
import re

import cv2
import numpy as np


def embedded(page: str) -> list[tuple[str, bytes]]:
    """MIME type and bytes of everything that a page carries."""
    found = re.findall(r'"data:([\w/+-]+)(?:;charset=utf-8)?;base64,([^"]*)"', page)
    return [(kind, base64.b64decode(data)) for kind, data in found]


def pictures(page: str) -> list[np.ndarray]:
    """Every picture of a page, decoded, (H, W, 3) uint8 RGB."""
    data = [np.frombuffer(data, np.uint8) for kind, data in embedded(page) if kind.startswith("image/")]
    return [cv2.imdecode(one, cv2.IMREAD_COLOR)[..., ::-1] for one in data]
