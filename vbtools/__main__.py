"""``vbtools`` and ``python -m vbtools``."""

import os
import sys

BLAS_IDLE = "4"
"""log2 of the processor's ticks for which a thread of OpenBLAS without work keeps a core busy before it sleeps; its own
default is 2^26. NumPy, OpenCV and SciPy bring one each, which spins from the import on: 0.4 s of CPU time of a run."""


def main() -> None:
    """Run the command line; Ctrl-C while it is still loading ends as one later does."""
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", BLAS_IDLE)
    try:
        from vbtools.cli.main import main as command_line
    except KeyboardInterrupt:
        sys.stderr.write("error: Interrupted. Nothing had begun\n")
        sys.exit(130)
    command_line()


if __name__ == "__main__":
    main()
