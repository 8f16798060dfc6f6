"""Calls whose truth is known to the pixel: a person before a room, blurred as a product blurs, encoded as a call.

:func:`vbtools.simulate.write.simulate` does all of it. One file a question: ``person`` (who), ``room`` (where),
``motion`` (how the person moves), ``scene`` (person before room, with the true alpha), ``profile`` (which product),
``steps`` (of what its mask and blur are made; computed in ``masks`` and ``blurs``), ``product`` (a product at work),
``call`` (the encoders), ``truth`` (what is said about it).

``profile``, ``steps`` and ``motion`` import nothing heavy, so that the command line can list their names at once.
"""
