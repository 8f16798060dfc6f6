"""vbtools tells you, with evidence, how much of your room a blurred video-call background still gives away."""

__version__ = "0.1.0"
