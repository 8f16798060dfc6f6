"""``vbtools`` and ``python -m vbtools``."""

import ctypes
import os
import sys

BLAS_IDLE = "4"
"""log2 of the processor's ticks for which a thread of OpenBLAS without work keeps a core busy before it sleeps; its own
default is 2^26. NumPy, OpenCV and SciPy bring one each, which spins from the import on: 0.4 s of CPU time of a run."""


ARENAS = 2
"""Heaps of the C library, which gives threads eight for each core and returns little of what lies between what is still
used: a run takes 40 MB more with those, and no less time."""
_M_ARENA_MAX = -8  # malloc.h of glibc


def main() -> None:
    """Run the command line; Ctrl-C while it is still loading ends as one later does."""
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", BLAS_IDLE)
    _share_heaps()
    try:
        from vbtools.cli.main import main as command_line
    except KeyboardInterrupt:
        sys.stderr.write("error: Interrupted. Nothing had begun\n")
        sys.exit(130)
    command_line()


def _share_heaps() -> None:
    """Let threads share a few heaps, where the C library is glibc and nobody has chosen otherwise."""
    if sys.platform == "linux" and "MALLOC_ARENA_MAX" not in os.environ and "GLIBC_TUNABLES" not in os.environ:
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)
        if set_option is not None:
            set_option(_M_ARENA_MAX, ARENAS)


if __name__ == "__main__":
    main()
