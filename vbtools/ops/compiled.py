"""The compiler of the kernels, numba, without what no kernel here needs; and getting ready to call them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType


class _Hider(MetaPathFinder):
    """Says of modules that there are none, to the thread that made it."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)
        self._thread = threading.get_ident()

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """None where others may look for the module.

        Raises:
            ModuleNotFoundError: it is one of those.
        """
        if name in self._names and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"'{name}' is not needed here", name=name)


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """From entering to leaving there are no such modules for this thread, unless they are loaded already."""
    hider = _Hider(names)
    sys.meta_path.insert(0, hider)
    try:
        yield
    finally:
        sys.meta_path.remove(hider)


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
