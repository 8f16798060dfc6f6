"""What every reader of words does alike: fill what was never seen, look piece by piece, keep what was seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vbtools.backends.inspect.pieces import Piece, pieces, without_doubles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_OBSERVED = 0.9
"""A word counts only if so much of its box was ever observed."""


def words_seen(
    image: NDArray[np.uint8],
    observed: NDArray[np.bool_],
    scale: float,
    words_of: Callable[[NDArray[np.uint8], Piece], list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """Return one dict a word, in reading order, see :mod:`vbtools.backends.inspect`.

    Args:
        image: ``(H', W', 3)`` uint8 RGB.
        observed: ``(H', W')`` bool; words that were read where less than :data:`LEAST_OBSERVED` of the box is True
            are dropped.
        scale: pixels of the image per pixel of the plate.
        words_of: reads one piece of the image and gives the words that are the piece's own to tell, each with
            ``text``, ``confidence`` and its box in the image's pixels.
    """
    from vbtools.ops.unobserved import fill, share_observed

    if not observed.any():
        return []
    filled = image if observed.all() else fill(image, observed)
    looked_at = list(pieces(*image.shape[:2]))
    found = [word for piece in looked_at for word in words_of(filled, piece)]
    words = []
    for word in found if len(looked_at) == 1 else without_doubles(found):
        share = share_observed(observed, word["x"], word["y"], word["width"], word["height"])
        if share >= LEAST_OBSERVED:
            box = {side: word[side] / scale for side in ("x", "y", "width", "height")}
            words.append({**word, **box, "observed": share})
    return words
