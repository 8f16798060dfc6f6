"""Makes what the tests share (``fakes``, ``moving_room``) importable: pytest puts this folder on the path."""
