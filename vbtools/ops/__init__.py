"""Arithmetic on arrays: numpy, OpenCV and numba only, no files and no command line."""
