"""``python -m vbtools`` is ``vbtools``."""

from vbtools.cli.main import main

if __name__ == "__main__":
    main()
