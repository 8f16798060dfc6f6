"""Steps that make a background easier to read: one module each.

A step is a class with a frozen dataclass ``Params``, whose fields are made by :func:`vbtools.config.params.param`, and

    ``__init__(params: Params)``
        Loads what it needs (models, weights).
    ``__call__(image, observed) -> image``
        ``image`` is ``(H, W, 3)`` uint8 RGB, ``observed`` ``(H, W)`` bool; returns ``(H', W', 3)`` uint8 RGB. What it
        puts where ``observed`` is False is never looked at, but must not depend on the pixels there.

A step may have ``prepare(inputs)``: as the first step of a project's run it is given the project, open, before it is
called; and ``notes``, lines for the user. A step that loads weights has the parameter ``weights: FilePath | None``; ``--weights`` then reaches it. The modules
import nothing heavy at the top: the command line reads ``Params``.
"""
