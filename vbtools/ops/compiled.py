"""The compiler of the kernels, numba, without what no kernel here needs; and getting ready to call them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """From entering to leaving there are no such modules, unless they are loaded already."""
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    hidden = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]


with _without("coverage"):  # numba looks for a measurement of tests to tell it what it compiles: 0.03 s
    from numba import njit

__all__ = ["njit", "warm_up"]


def warm_up() -> None:
    """Load what the first call of any compiled function needs, so that it can be done while something else waits.

    Numba then asks for SciPy's linear algebra, which takes a quarter of a second, and for cffi, and does without where
    there is none; no kernel here multiplies matrices or calls into C. So there is none while it asks.
    """
    import numpy as np

    with _without("scipy.linalg", "cffi"):
        from vbtools.ops.masks import person_mask

        person_mask(np.zeros((2, 2), np.uint8), (4, 4), 0.5, 1)
