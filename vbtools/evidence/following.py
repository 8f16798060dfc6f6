"""Whether findings follow the room: what the same place shows when the room behind it is another one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.store.reader import Reader

    F32 = NDArray[np.float32]
    U8 = NDArray[np.uint8]
    Mask = NDArray[np.bool_]

BACK_R = 0.5
"""Correlation of the clip's detail with a replay's from which the same has come back."""
SHOWS = 3.0
"""Standard deviation of detail, grey levels, from which a block shows something."""
LEAST_SHARE = 0.5
"""A place follows the room if at least so much of it does."""
EDGE_PX = (-4.0, 18.0)
"""px at 720 rows from the mask between which the edge shows a place: where products' fringes are."""


@dataclass(frozen=True)
class Following:
    """A project's detail beside that of its replays, at the replays' size.

    Attributes:
        inputs: the project.
        detail: (h, w) float32: the clip's own, high-passed.
        others: (K, h, w) float32: the replays', high-passed.
        believed: (rows, columns) bool: blocks of believed detail that show something, overlays left out.
        returned: (K, rows, columns) bool: blocks in which a replay shows the same.
        block: side of a block, px of the replays.
        scale: the replays' rows against the plate's.
    """

    inputs: Reader
    detail: F32
    others: F32
    believed: Mask
    returned: NDArray[np.bool_]
    block: int
    scale: float

    @property
    def count(self) -> int:
        """How many replays there are."""
        return len(self.others)

    @classmethod
    def of(cls, inputs: Reader, least: float) -> Following:
        """Read a project with aggregate and replay; ``least``: confidence from which a place is a finding."""
        import cv2
        import numpy as np

        from vbtools.ops.detail import alike, block_means, high_pass, scaled

        others = inputs.array("replay", "detail")
        size = others.shape[1:]
        own = inputs.array("aggregate", "coverage").shape
        # What was undone of the blur is beside it: a finding is what the edge showed.
        leak = inputs.array("aggregate", "leak") if inputs.has("aggregate", "leak") else np.zeros(own, np.float32)
        seen = inputs.array("aggregate", "coverage") > 0
        block, sigma = scaled(size[0])

        def fitted(plane: NDArray[Any]) -> F32:
            small = cv2.resize(plane.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
            return np.asarray(small, np.float32)

        detail = high_pass(fitted(np.where(seen, leak, 0)), sigma)
        passed = np.stack([high_pass(plane, sigma) for plane in others]) if len(others) else others
        maps = [inputs.array("aggregate", name) if inputs.has("aggregate", name) else np.zeros(own, np.float32)
                for name in ("confidence", "overlays")]  # fmt: skip
        confidence, overlays = (block_means(fitted(plane), block) for plane in maps)
        _, std, _ = alike(detail, detail, block)
        believed = (confidence >= least) & (std >= SHOWS) & (overlays < LEAST_SHARE)
        back = []
        for plane in passed:
            r, _, other = alike(detail, plane, block)
            back.append((np.abs(r) > BACK_R) & (other >= SHOWS))
        returned = np.stack(back) if back else np.zeros((0, *believed.shape), np.bool_)
        return cls(inputs, detail, passed, believed, returned, block, size[0] / own[0])

    def follows(self) -> U8:
        """(H, W) uint8: 1 where detail is believed and came back in no replay; 0 everywhere without replays."""
        import cv2
        import numpy as np

        height, width = self.inputs.array("aggregate", "coverage").shape
        made = np.zeros((height, width), np.uint8)
        blocks = self._following.astype(np.uint8).repeat(self.block, 0).repeat(self.block, 1)
        rows, columns = (round(side / self.scale) for side in blocks.shape)
        large = cv2.resize(blocks, (columns, rows), interpolation=cv2.INTER_NEAREST)[:height, :width]
        made[: large.shape[0], : large.shape[1]] = large
        return made

    @property
    def _following(self) -> Mask:
        """Blocks whose detail follows the room."""
        import numpy as np

        if not self.count:
            return np.zeros_like(self.believed)
        return np.asarray(self.believed & ~self.returned.any(axis=0))

    def findings(self) -> list[dict[str, Any]]:
        """Rows of ``findings``: places, largest first, then words and objects."""
        under = _Under(self.inputs)
        rows = [self._place(*one, under) for one in self._places()]
        for kind, name, key in (("word", "ocr", "text"), ("object", "detections", "label")):
            found = self.inputs.table("inspect", name) if self.inputs.has("inspect", name) else []
            rows += [self._named(kind, one[key], one, under) for one in found if one["image"] == "raw"]
        return rows

    def _places(self) -> list[tuple[Mask, tuple[float, float, float, float]]]:
        """Connected blocks of believed detail, most blocks first, and their boxes in the plate's pixels."""
        import cv2

        count, labels, stats, _ = cv2.connectedComponentsWithStats(self.believed.astype("uint8"), connectivity=4)
        order = sorted(range(1, count), key=lambda one: -stats[one, cv2.CC_STAT_AREA])
        side = self.block / self.scale
        return [(labels == one, tuple(float(side * value) for value in stats[one, :4])) for one in order]  # type: ignore[misc]

    def _place(self, blocks: Mask, box: tuple[float, float, float, float], under: _Under) -> dict[str, Any]:
        likeness, returned = self._likeness(blocks)
        following = bool(self._following[blocks].mean() >= LEAST_SHARE) and returned == 0
        return self._row("place", "", box, under, likeness, returned, following)

    def _likeness(self, blocks: Mask) -> tuple[float, int]:
        """The largest correlation with a replay over some blocks, and in how many replays the same came back."""
        import numpy as np

        region = np.zeros(self.detail.shape, np.bool_)
        part = blocks.repeat(self.block, 0).repeat(self.block, 1)
        region[: part.shape[0], : part.shape[1]] = part
        return self._alike(region)

    def _alike(self, region: Mask) -> tuple[float, int]:
        import numpy as np

        mine = self.detail[region]
        if mine.size < 2 or mine.std() < 1e-3:
            return 0.0, 0
        found = []
        for plane in self.others:
            theirs = plane[region]
            r = float(np.corrcoef(mine, theirs)[0, 1]) if theirs.std() > 1e-3 else 0.0
            found.append((abs(r), bool(abs(r) > BACK_R and theirs.std() >= SHOWS / 2)))
        return max((r for r, _ in found), default=0.0), sum(back for _, back in found)

    def _named(self, kind: str, what: str, row: Mapping[str, Any], under: _Under) -> dict[str, Any]:
        """A word or object of inspect: it follows where its place holds believed detail that is not another room's."""
        import numpy as np

        box = (row["x"], row["y"], row["width"], row["height"])
        region = np.zeros(self.detail.shape, np.bool_)
        x, y, w, h = (value * self.scale for value in box)
        region[max(0, int(y)) : int(y + h) + 1, max(0, int(x)) : int(x + w) + 1] = True
        likeness, returned = self._alike(region)
        following = self.count > 0 and returned == 0 and not row["overlay"] and self._rests_on_leak(region)
        return self._row(kind, what, box, under, likeness, returned, following)

    def _rests_on_leak(self, region: Mask) -> bool:
        from vbtools.ops.detail import block_means

        share = block_means(region, self.block)
        total = float(share.sum())
        return total > 0 and float((share * self._following).sum()) >= LEAST_SHARE * total

    def _row(
        self, kind: str, what: str, box: tuple[float, ...], under: _Under, likeness: float, returned: int,
        following: bool,
    ) -> dict[str, Any]:  # fmt: skip
        x, y, width, height = box
        return {
            "kind": kind, "what": what, "x": x, "y": y, "width": width, "height": height, **under(box),
            "rooms": self.count, "returned": returned, "likeness": likeness, "follows": int(following),
        }  # fmt: skip


class _Under:
    """What aggregate and the masks tell of a box."""

    def __init__(self, inputs: Reader) -> None:

        self._maps = {
            name: inputs.array("aggregate", name) if inputs.has("aggregate", name) else None
            for name in ("confidence", "exposure", "passages")
        }
        self._shape = inputs.array("aggregate", "coverage").shape
        self._first, self._last = _when_shown(inputs)

    def __call__(self, box: tuple[float, ...]) -> dict[str, Any]:
        """``confidence``, ``exposure``, ``passages``, ``first`` and ``last`` of a box in the plate's pixels."""
        import numpy as np

        part = _slices(box)
        confidence, exposure = (self._mean(name, part) for name in ("confidence", "exposure"))
        passages = self._maps["passages"]
        count = 0 if passages is None or not passages[part].size else int(np.median(passages[part]))
        first, last = self._when(box)
        return {
            "confidence": confidence, "exposure": exposure, "passages": count, "first": first, "last": last,
        }  # fmt: skip

    def _mean(self, name: str, part: tuple[slice, slice]) -> float:
        plane = self._maps[name]
        return math.nan if plane is None or not plane[part].size else float(plane[part].mean())

    def _when(self, box: tuple[float, ...]) -> tuple[float, float]:
        """When the edge first and last lay over a box, s."""
        import numpy as np

        height, width = self._shape
        rows, columns = self._first.shape
        x, w = (value * columns / width for value in (box[0], box[2]))
        y, h = (value * rows / height for value in (box[1], box[3]))
        part = _slices((x, y, w, h))
        first, last = self._first[part], self._last[part]
        if not np.isfinite(first).any():
            return math.nan, math.nan
        return float(first.min()), float(last.max())


def _slices(box: tuple[float, ...]) -> tuple[slice, slice]:
    x, y, width, height = box
    left, top = max(0, int(x)), max(0, int(y))
    return slice(top, max(top + 1, round(y + height))), slice(left, max(left + 1, round(x + width)))


def _when_shown(inputs: Reader) -> tuple[F32, F32]:
    """When the edge first and last showed each place, (h, w) float32, s, on the grid of ``Edges``; inf, -inf: never."""
    import numpy as np

    from vbtools.evidence.edges import Edges
    from vbtools.ops.fringe import EDGES_PX

    record = inputs.record("aggregate")
    edges = Edges(inputs, float(record.parameters["threshold"]) if record else 0.3)
    nearest, farthest = (EDGES_PX.index(px) for px in EDGE_PX)
    first, last = np.full(edges.size, np.inf, np.float32), np.full(edges.size, -np.inf, np.float32)
    for edge in edges:
        over = (edge.bins >= nearest) & (edge.bins < farthest)
        first[over] = np.minimum(first[over], np.float32(edge.time_s))
        last[over] = np.float32(edge.time_s)
    return first, last
