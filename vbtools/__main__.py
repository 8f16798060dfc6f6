"""``vbtools`` and ``python -m vbtools``."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is still loading ends as one later does."""
    try:
        from vbtools.cli.main import main as command_line
    except KeyboardInterrupt:
        sys.stderr.write("error: Interrupted. Nothing had begun\n")
        sys.exit(130)
    command_line()


if __name__ == "__main__":
    main()
