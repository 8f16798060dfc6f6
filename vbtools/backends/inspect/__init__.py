"""Detectors of what can be made out in a picture: one module each.

A detector is a class with

    ``check(params) -> None`` (classmethod)
        Raises what would stop a run (a program, a model or a language that is not installed) before anything starts.
    ``__init__(params)``
        ``params`` are the parameters of the stage *inspect*.
    ``__call__(image, observed, scale) -> list[dict]``
        ``image`` is ``(H', W', 3)`` uint8 RGB, ``observed`` ``(H', W')`` bool, ``scale`` the image's pixels per pixel
        of the plate. Each finding has ``x``, ``y``, ``width``, ``height`` in the plate's pixels, ``confidence`` 0-1,
        ``observed`` 0-1, and ``text`` (words) or ``label`` (objects).

Nothing is found on unobserved pixels: they are filled before a detector looks, and what lies mostly on them is dropped.
The modules import nothing heavy at the top.
"""
