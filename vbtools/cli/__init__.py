"""The command line: parses and reports; the library computes. ``click`` and ``rich`` are imported only here."""
