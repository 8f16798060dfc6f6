"""inspect on a leak image: every detector looks at several versions of it, and each finding tells what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from vbtools.backends import backend

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.stages.base import Job
    from vbtools.store.reader import Reader

MAPS = ("exposure", "confidence")
OVERLAID = 0.25
"""A finding is drawn over the picture where so much of its box is: letters fill about that much of theirs."""
GROWN = 3
"""px by which overlays are grown before they are compared, so that letters join."""
SUPPORTING = 0.2
"""Detector's confidence from which a reading may support another one."""
LEAST_ROOM = 0.3
"""aggregate's confidence, mean under an exposed word, from which it is told: where the detail is not believed, letters
made of it are not. Of four products' clips true words have 0.36 and more; what is read on calls that show nothing, 0.28
and less."""
AT_ONCE = 2
"""Versions that are read at the same time."""


class Under:
    """What lies under a finding: mean exposure and confidence, and whether it is an overlay."""

    def __init__(self, project: Reader) -> None:
        self._maps = {name: project.array("aggregate", name) for name in MAPS if project.has("aggregate", name)}
        self._overlays: NDArray[np.uint8] | None = None
        if project.has("aggregate", "overlays"):
            import cv2
            import numpy as np

            side = 2 * GROWN + 1
            overlays = (project.array("aggregate", "overlays") > 0).astype(np.uint8)
            self._overlays = cv2.morphologyEx(overlays, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))

    def __call__(self, finding: Mapping[str, Any]) -> dict[str, Any]:
        """``exposure``, ``room`` (NaN where aggregate tells neither) and ``overlay`` (0 or 1) of a finding's box."""
        exposure, room = (self._mean(self._maps.get(name), finding, float("nan")) for name in MAPS)
        return {
            "exposure": exposure, "room": room,
            "overlay": int(self._mean(self._overlays, finding, 0.0) >= OVERLAID),
        }  # fmt: skip

    @staticmethod
    def _mean(values: NDArray[Any] | None, box: Mapping[str, Any], otherwise: float) -> float:
        if values is None:
            return otherwise
        left, top = max(0, int(box["x"])), max(0, int(box["y"]))
        right, bottom = round(box["x"] + box["width"]), round(box["y"] + box["height"])
        part = values[top : max(bottom, top + 1), left : max(right, left + 1)]
        return float(part.mean()) if part.size else otherwise


@dataclass(frozen=True)
class LeakReader:
    """Reads versions of a leak image beside the image itself.

    Attributes:
        job: of the stage *inspect*.
        rapidly: whether RapidOCR reads the versions; else Tesseract does.
    """

    job: Job[Any]
    rapidly: bool

    @classmethod
    def of(cls, job: Job[Any], rapidly: bool) -> LeakReader | None:
        """One for the project's leak image; None where aggregate made none."""
        return cls(job, rapidly) if all(job.inputs.has("aggregate", name) for name in MAPS) else None

    def findings(self, name: str, detector: Any, on_image: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The findings on all versions, merged with those on the image as it is.

        Args:
            name: of the detector's backend. Objects are looked for on the versions that are not enlarged.
            detector: the one that looked at the image.
            on_image: what it found there. Words that lie where nothing was exposed stay as they are.
        """
        from vbtools.backends.inspect.merge import merged_objects
        from vbtools.ops.reading import EXPOSED, versions

        if name == "yolo":
            made, seen = versions(self._picture(), *self._maps()), self._seen()
            return merged_objects([on_image, *(self._look(detector, one, seen) for one in made if one.scale == 1)])
        under = Under(self.job.inputs)
        elsewhere = [dict(word) for word in on_image if under(word)["exposure"] < EXPOSED]
        exposed = [word for word in on_image if under(word)["exposure"] >= EXPOSED]
        words = self._read_rapidly(exposed) if self.rapidly else self._read_often(exposed)
        return elsewhere + [word for word in words if (on := under(word))["room"] >= LEAST_ROOM or on["overlay"]]

    def _read_rapidly(self, on_image: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What RapidOCR reads on a few versions; it uses all cores for each."""
        from vbtools.backends.inspect.merge import agreed_words
        from vbtools.ops.reading import few_versions

        look = backend("inspect", "rapidocr").load()(replace(self.job.params, min_confidence=SUPPORTING))
        seen, exposure = self._seen(), self.job.inputs.array("aggregate", "exposure")
        found = [self._look(look, one, seen) for one in few_versions(self._picture(), exposure)]
        return agreed_words([on_image, *found], self.job.params.min_confidence)

    def _read_often(self, on_image: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What Tesseract reads, which needs many versions."""
        from vbtools.backends.inspect.merge import merged_words
        from vbtools.ops.reading import versions

        look = backend("inspect", "ocr").load()(replace(self.job.params, min_confidence=SUPPORTING))
        made, seen = versions(self._picture(), *self._maps()), self._seen()
        found: list[list[dict[str, Any]]] = []
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="reading") as pool:
            while some := list(islice(made, AT_ONCE)):
                found += pool.map(lambda one: self._look(look, one, seen, enlarge=False), some)
        return merged_words([on_image, *found], self.job.params.min_confidence)

    def _maps(self) -> list[NDArray[np.float32]]:
        return [self.job.inputs.array("aggregate", one) for one in MAPS]

    def _seen(self) -> NDArray[np.bool_]:
        return self.job.inputs.array("aggregate", "coverage") > 0

    def _picture(self) -> NDArray[np.uint8]:
        """The plain plate with what the edge showed; the background itself where that is not stored.

        The background may also hold what was undone of the blur. That carries more of a room, but its rings cost more
        letters than they give.
        """
        import numpy as np

        inputs = self.job.inputs
        if not inputs.has("aggregate", "leak"):
            return inputs.array("aggregate", "background")
        plate = np.nan_to_num(inputs.array("aggregate", "plate"))
        shown = np.clip(plate + inputs.array("aggregate", "leak")[..., None], 0, 255)
        return np.asarray(shown.round(), np.uint8)

    @staticmethod
    def _look(detector: Any, version: Any, seen: NDArray[np.bool_], **options: Any) -> list[dict[str, Any]]:
        from vbtools.ops.unobserved import resize_observed

        height, width = version.picture.shape[:2]
        rows, columns = round(height / version.scale), round(width / version.scale)
        part = seen[version.top : version.top + rows, version.left : version.left + columns]
        observed = resize_observed(part, height, width)
        found = detector(version.picture, observed, version.scale, **options)
        return [one | {"x": one["x"] + version.left, "y": one["y"] + version.top} for one in found]
