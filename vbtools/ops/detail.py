"""How much of a room's detail an estimate shows: what is there, what is there at its true contrast, what is invented.

Luminance, high-passed by subtracting a Gaussian, is compared block by block where the truth has texture. A score by
correlation alone would reward a picture of any contrast, one by difference alone would reward a grey one; so a block
counts as recovered only if both its pattern and its contrast are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.unobserved import fill

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

REFERENCE_ROWS = 720
BLOCK_PX = 24
"""Side of a block, px at 720 rows; block and sigma scale with the height."""
SIGMA_PX = 4.0
"""Of the Gaussian that the high-pass subtracts, px at 720 rows."""
TEXTURE = 6.0
"""Standard deviation of the high-pass, grey levels, from which a block has something to show."""
STRUCTURE_R = 0.5
FALSE_R = 0.2
CONTRAST = (0.5, 2.0)
"""A recovered block's standard deviation lies within these multiples of the truth's."""
LEAST_SHARE = 0.5
"""A block belongs to a mask if so much of its area does."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


@dataclass(frozen=True, slots=True)
class Detail:
    """One estimate's blocks; all arrays are (rows, columns) of blocks from the upper left corner.

    Attributes:
        block: side of a block, px.
        inside: at least half of the block lies in the region.
        textured: inside, and the true high-pass has a standard deviation of at least :data:`TEXTURE`.
        observed: at least half of the block was observed.
        r: Pearson correlation of estimate and truth, both high-passed, over the block's observed pixels; 0 where
            either is constant or nothing is observed.
        ratio: standard deviation of the estimate over the truth's, over the same pixels; 0 where the truth is constant.
        estimate_std: of the estimate's high-pass over the same pixels, grey levels.
    """

    block: int
    inside: Mask
    textured: Mask
    observed: Mask
    r: F32
    ratio: F32
    estimate_std: F32

    @property
    def structure(self) -> Mask:
        """The pattern is there, whatever its contrast."""
        return self._scored & (self.r > STRUCTURE_R)

    @property
    def recovered(self) -> Mask:
        """The pattern is there at about its true contrast."""
        return self.structure & (self.ratio >= CONTRAST[0]) & (self.ratio <= CONTRAST[1])

    @property
    def false(self) -> Mask:
        """Another pattern than the true one is there, as strong as texture."""
        return self._scored & (self.estimate_std >= TEXTURE) & (self.r < FALSE_R)

    @property
    def invented(self) -> Mask:
        """Texture where the truth has none."""
        return self.inside & self.observed & ~self.textured & (self.estimate_std >= TEXTURE) & (self.r < FALSE_R)

    @property
    def _scored(self) -> Mask:
        return self.textured & self.observed

    def within(self, region: Mask) -> Detail:
        """The same blocks, of which only those count that lie in a further region too, (H, W) bool."""
        kept = self.inside & (_blocks(region, self.block).mean(axis=2) >= LEAST_SHARE)
        return Detail(self.block, kept, self.textured & kept, self.observed, self.r, self.ratio, self.estimate_std)

    def counts(self) -> dict[str, Any]:
        """Blocks by kind: ``textured``; of these ``observed``; of those ``structure``, ``recovered`` and ``false``.

        ``observed_share`` is of the textured blocks, ``structure_share``, ``recovered_share`` and ``false_share`` are
        of the observed ones; None where there is none. ``invented`` counts blocks without texture that show some.
        """
        textured, observed = int(self.textured.sum()), int(self._scored.sum())
        found: dict[str, Any] = {"textured": textured, "observed": observed}
        found["observed_share"] = observed / textured if textured else None
        for name, blocks in (("structure", self.structure), ("recovered", self.recovered), ("false", self.false)):
            found[name] = int(blocks.sum())
            found[f"{name}_share"] = found[name] / observed if observed else None
        return {**found, "invented": int(self.invented.sum())}


def detail(
    estimate: NDArray[Any], truth: NDArray[Any], observed: Mask | None = None, region: Mask | None = None
) -> Detail:
    """Compare an estimate of a background with the true one, block by block; about 60 ms at 720p.

    Args:
        estimate: (H, W, 3) RGB or (H, W) luminance, uint8 or floating, 0-255; what it holds where it was not
            observed, NaN included, has no influence: the high-pass sees a smooth continuation there.
        truth: the same size, of either form.
        observed: (H, W) bool; all where not given. Pass all True for an estimate whose holes are to be scored as they
            are drawn.
        region: (H, W) bool of what is to be scored; all where not given.

    Raises:
        ValueError: the sizes differ, or the picture is smaller than one block.
    """
    size = truth.shape[:2]
    observed = np.ones(size, np.bool_) if observed is None else observed
    for name, plane in (("estimate", estimate), ("observed", observed), ("region", region)):
        if plane is not None and plane.shape[:2] != size:
            raise ValueError(f"the {name} is {plane.shape[:2]}, the truth {size}: resample it first")
    block, sigma = scaled(size[0])
    if min(size) < block:
        raise ValueError(f"a picture of {size} has no block of {block} px")
    seen = _blocks(observed, block)
    shown = luminance(estimate)
    if not observed.all():
        shown = fill(shown, observed)
    mine, true = (_blocks(high_pass(plane, sigma), block) for plane in (shown, luminance(truth)))
    r, mine_std, true_std = _compare(mine, true, seen)
    inside = np.ones(r.shape, np.bool_) if region is None else _blocks(region, block).mean(axis=2) >= LEAST_SHARE
    return Detail(
        block=block,
        inside=inside,
        textured=inside & (true.std(axis=2) >= TEXTURE),
        observed=seen.mean(axis=2) >= LEAST_SHARE,
        r=r,
        ratio=np.divide(mine_std, true_std, out=np.zeros_like(r), where=true_std > 0),
        estimate_std=mine_std,
    )


def scaled(rows: int) -> tuple[int, float]:
    """Side of a block (px) and sigma (px) in a picture of so many rows."""
    return max(2, round(BLOCK_PX * rows / REFERENCE_ROWS)), SIGMA_PX * rows / REFERENCE_ROWS


def luminance(image: NDArray[Any]) -> F32:
    """(H, W) float32 of a (H, W, 3) RGB or (H, W) picture."""
    plane: F32 = image.astype(np.float32)
    return plane if plane.ndim == 2 else plane @ LUMA


def high_pass(plane: F32, sigma: float) -> F32:
    """What a Gaussian of ``sigma`` px takes away, (H, W) float32."""
    passed: F32 = plane - cv2.GaussianBlur(plane, (0, 0), sigma)
    return passed


def block_means(plane: NDArray[Any], side: int) -> F32:
    """Mean of a plane (H, W) over each block of ``side`` px, (rows, columns) float32; as :class:`Detail` counts."""
    return np.asarray(_blocks(plane.astype(np.float32), side).mean(axis=2), np.float32)


def alike(mine: F32, other: F32, side: int) -> tuple[F32, F32, F32]:
    """How alike two high-passed planes (H, W) are in each block of ``side`` px.

    Returns:
        Pearson's r, and both standard deviations, (rows, columns) float32 each; r is 0 where either is constant.
    """
    seen = np.ones(mine.shape, np.bool_)
    return _compare(*(_blocks(plane, side) for plane in (mine, other, seen)))


def _blocks(plane: NDArray[Any], side: int) -> NDArray[Any]:
    """(rows, columns, side * side); what is left over at the right and lower edge is left out."""
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    whole = plane[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return whole.swapaxes(1, 2).reshape(rows, columns, side * side)


def _compare(mine: F32, true: F32, seen: Mask) -> tuple[F32, F32, F32]:
    """Pearson r and both standard deviations over each block's seen pixels, (rows, columns) float32 each."""
    count = np.maximum(seen.sum(axis=2), 1).astype(np.float32)
    mine, true = ((x - ((x * seen).sum(axis=2) / count)[..., None]) * seen for x in (mine, true))
    squares = [np.einsum("ijk,ijk->ij", x, x) / count for x in (mine, true)]
    product = np.einsum("ijk,ijk->ij", mine, true) / count
    mine_std, true_std = (np.sqrt(square) for square in squares)
    both = mine_std * true_std
    r = np.divide(product, both, out=np.zeros_like(product), where=both > _ROUNDING)
    return r, mine_std, true_std


_ROUNDING = 1e-4
"""Grey levels squared: below this a block is constant but for float32's rounding."""
