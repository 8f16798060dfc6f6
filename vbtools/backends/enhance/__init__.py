"""Steps that make a background easier to read: one module each.

A step is a class with a frozen dataclass ``Params``, whose fields are made by :func:`vbtools.config.params.param`, and

    ``__init__(params: Params)``
        Loads what it needs (models, weights).
    ``__call__(image, observed) -> image``
        ``image`` is ``(H, W, 3)`` uint8 RGB, ``observed`` ``(H, W)`` bool; returns ``(H', W', 3)`` uint8 RGB. What it
        puts where ``observed`` is False is never looked at, but must not depend on the pixels there.

A step that loads weights has the parameter ``weights: FilePath | None``, one that works in tiles ``tile``, one that can
compute elsewhere than on the CPU ``device``; ``--weights``, ``--tile`` and ``--device`` then reach it. ``Params.model``
is the catalog's model that it loads, None for none, and a static ``check(params)`` raises what would stop it before
anything runs. A slow step has ``reports = True``: it is called with a :class:`vbtools.stages.Progress` as third
argument, has ``notes`` afterwards, and ``licensed_as``, the catalog's model whose licence the user is told at first
use, or None. A step may have ``prepare(inputs)``: as the first one of a project's run it is given the project, open,
before it is called. The modules import nothing heavy at the top: the command line reads ``Params``.
"""
