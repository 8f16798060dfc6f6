"""segment: how likely each pixel of each frame shows the person."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vbtools.backends import Backend, backend, names
from vbtools.backends.segment.second_look import SecondLook
from vbtools.backends.torch_device import DEVICES, check_device
from vbtools.config.element import Element
from vbtools.config.params import FilePath, ParameterError, param
from vbtools.stages.base import Job, Progress, Stage
from vbtools.stages.licences import tell_licence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

VARIANTS: Mapping[str, Mapping[str, str]] = {
    "mediapipe": {"landscape": "selfie-landscape", "square": "selfie-square"},
    "deeplabv3": {
        "resnet101": "deeplabv3-resnet101",
        "resnet50": "deeplabv3-resnet50",
        "mobilenet_v3_large": "deeplabv3-mobilenet-v3-large",
    },
}
"""Model variants of each backend and their names in the catalog; the first is the default."""
SECOND = {"selfie-landscape": "selfie-square", "selfie-square": "selfie-landscape"}
"""The model that looks where another one misses what is sharp."""
LONG_S = 60.0
"""A run that will take longer says so when it has begun."""


@dataclass(frozen=True)
class SegmentParams:
    """Parameters of segment."""

    backend: str = param("mediapipe", "segmentation model family", choices=names("segment"))
    variant: str | None = param(
        None, "model variant; the backend's first where not given", choices=[v for b in VARIANTS.values() for v in b]
    )
    device: str = param("auto", "where to compute", choices=DEVICES)
    weights: FilePath | None = param(None, "a model file to use instead of the catalog's")
    second_look: bool = param(True, "where MediaPipe's model misses something sharp, ask its other one, if it is here")


class Segment(Stage[SegmentParams]):
    """Soft person probabilities, a frame at a time; thresholds and dilation act where masks are used."""

    name = "segment"
    version = 3
    summary = "person masks: MediaPipe selfie | DeepLabV3"
    example = "vbtools segment -p study.h5 --backend mediapipe"
    Params = SegmentParams
    follows = ("extract", "frames")
    elements = (
        Element(
            "person", "uint8", ("T", "h", "w"),
            "probability that the pixel shows a person, x 255, on the model's own grid over the whole frame", bulk=True,
        ),
    )

    def requires(self, params: SegmentParams) -> tuple[str, ...]:
        return ("extract",)

    def backends(self, params: SegmentParams) -> tuple[Backend, ...]:
        return (backend("segment", params.backend),)

    def models(self, params: SegmentParams) -> tuple[str, ...]:
        if params.weights:
            return ()
        first, second = self._model(params), self._second(params)
        return (first, second) if second else (first,)

    def weight_files(self, params: SegmentParams) -> tuple[str, ...]:
        return (params.weights,) if params.weights else ()

    @classmethod
    def parameters(cls, values: Mapping[str, Any]) -> SegmentParams:
        """As :meth:`Stage.parameters`; a variant must be one of the backend's."""
        params = super().parameters(values)
        variants = VARIANTS[params.backend]
        if params.variant is not None and params.variant not in variants:
            raise ParameterError(
                f"segment: {params.backend} has no variant '{params.variant}'",
                f"It has: {', '.join(variants)}",
                ("variant",),
            )
        return params

    def run(self, job: Job[SegmentParams]) -> None:
        total = len(job.inputs.dataset("extract", "frames"))
        if not job.params.weights:
            tell_licence(self._model(job.params), job.progress)
        job.progress.start(total, "frames")
        self._segment(job, (frame for block in job.inputs.blocks("extract", "frames") for frame in block), total)

    def can_follow(self, params: SegmentParams) -> bool:
        """MediaPipe is quicker than decoding; a slow model shows its own progress and time left in its own turn."""
        return params.backend == "mediapipe"

    def follow(self, job: Job[SegmentParams], rows: Iterable[NDArray[Any]]) -> None:
        """Segment frames (H, W, 3) uint8 RGB that come in one by one."""
        self._segment(job, rows, 0)

    def _segment(self, job: Job[SegmentParams], frames: Iterable[NDArray[np.uint8]], total: int) -> None:
        """Frames by themselves, at the model's own size; ``total``: how many will come, 0 where nobody waits."""
        from vbtools.models import resolve

        params = job.params
        path = Path(params.weights) if params.weights else resolve(self._model(params))
        load, second = backend("segment", params.backend).load(), self._second(params)
        segmenter = load(path, params.device)
        if second:
            segmenter = SecondLook(segmenter, lambda: load(resolve(second), params.device))
        with segmenter:
            begun, told = time.monotonic(), False
            for masks in masks_of(segmenter, frames):
                job.output.append("person", masks)
                job.progress.advance(len(masks))
                if not told:
                    _tell_estimate(job.progress, (time.monotonic() - begun) * total / len(masks))
                    told = True
        job.notes += self._told(params, getattr(segmenter, "added", None))

    def _told(self, params: SegmentParams, added: int | None) -> Iterator[str]:
        """What is to be said of the model that looks again; ``added``: in how many frames it saw more, None if none."""
        first, second = self._model(params), SECOND.get(self._model(params))
        if added:
            yield f"{first} missed the person in {added} frame{'' if added == 1 else 's'}, {second} saw it"
        elif added is None and params.second_look and not params.weights and second:
            yield f"{second} is not here to look where {first} may fail. Run: vbtools models pull {second}"

    def check(self, params: SegmentParams) -> None:
        """As :meth:`Stage.check`; weights that the user named are looked into, and the device is looked for."""
        super().check(params)
        row = backend("segment", params.backend)
        own = getattr(row.load(), "check", None)
        if own is not None and params.weights:
            own(Path(params.weights))
        if "torch" in row.packages:
            check_device(params.device, "segment.device")

    @classmethod
    def _second(cls, params: SegmentParams) -> str | None:
        """The model that looks again; None where none is asked for or it is not installed: it helps, and is no must."""
        from vbtools.models import model
        from vbtools.models.cache import is_good

        other = SECOND.get(cls._model(params)) if params.second_look and not params.weights else None
        return other if other and is_good(model(other)) else None

    @staticmethod
    def _model(params: SegmentParams) -> str:
        variants = VARIANTS[params.backend]
        return next(iter(variants.values())) if params.variant is None else variants[params.variant]


def masks_of(segmenter: Any, frames: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """The masks of frames, (n, h, w), as many at once as the segmenter likes."""
    import numpy as np

    size, grid = getattr(segmenter, "batch", 1), getattr(segmenter, "grid", None)
    if isinstance(segmenter, SecondLook):
        yield from (segmenter(_at_most(frame, grid), partial(_at_most, frame))[None] for frame in frames)
        return
    if size == 1:
        yield from (segmenter(_at_most(frame, grid))[None] for frame in frames)
        return
    waiting = iter(frames)
    while part := list(islice(waiting, size)):
        yield segmenter.frames(np.stack(part))


def _at_most(frame: NDArray[Any], grid: tuple[int, int] | None) -> NDArray[Any]:
    """The frame at a model's size (h, w), bilinear as in the products that run it; as it is where it is smaller."""
    if grid is None or frame.shape[0] < grid[0] or frame.shape[1] < grid[1]:
        return frame
    import cv2

    small: NDArray[Any] = cv2.resize(frame, grid[::-1], interpolation=cv2.INTER_LINEAR)
    return small


def _tell_estimate(progress: Progress, seconds: float) -> None:
    """Say after the first frames that the rest will take minutes, where it will."""
    if seconds >= LONG_S:
        progress.say(f"segment: will take about {seconds / 60:.0f} min")
