"""Getting ready to call compiled functions."""

from __future__ import annotations

import sys
from types import ModuleType

_BLAS = "scipy.linalg"


def warm_up() -> None:
    """Load what the first call of any compiled function needs, so that it can be done while something else waits.

    Numba then asks for SciPy's linear algebra, which takes a quarter of a second, and does without where there is none;
    no kernel here multiplies matrices. So there is none while it asks, unless it is loaded already.
    """
    import numpy as np

    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    hidden = _BLAS not in modules
    if hidden:
        modules[_BLAS] = None
    try:
        from vbtools.ops.masks import person_mask

        person_mask(np.zeros((2, 2), np.uint8), (4, 4), 0.5, 1)
    finally:
        if hidden:
            del modules[_BLAS]
