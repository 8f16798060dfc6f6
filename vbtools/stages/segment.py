"""segment: how likely each pixel of each frame shows the person."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vbtools.backends import Backend, backend, names
from vbtools.backends.torch_device import DEVICES, check_device
from vbtools.config.element import Element
from vbtools.config.params import FilePath, ParameterError, param
from vbtools.stages.base import Job, Progress, Stage
from vbtools.stages.licences import tell_licence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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


class Segment(Stage[SegmentParams]):
    """Soft person probabilities, a frame at a time; thresholds and dilation act where masks are used."""

    name = "segment"
    version = 1
    summary = "person masks: MediaPipe selfie | DeepLabV3"
    example = "vbtools segment -p study.h5 --backend mediapipe"
    Params = SegmentParams
    elements = (
        Element("person", "uint8", ("T", "h", "w"), "probability that the pixel shows a person, x 255", bulk=True),
    )

    def requires(self, params: SegmentParams) -> tuple[str, ...]:
        return ("extract",)

    def backends(self, params: SegmentParams) -> tuple[Backend, ...]:
        return (backend("segment", params.backend),)

    def models(self, params: SegmentParams) -> tuple[str, ...]:
        return () if params.weights else (self._model(params),)

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
        from vbtools.models import resolve

        params = job.params
        path = Path(params.weights) if params.weights else resolve(self._model(params))
        frames = job.inputs.dataset("extract", "frames")
        if not params.weights:
            tell_licence(self._model(params), job.progress)
        job.progress.start(len(frames), "frames")
        with backend("segment", params.backend).load()(path, params.device) as person_probability:
            begun, told = time.monotonic(), False
            for block in job.inputs.blocks("extract", "frames"):
                for masks in _masks(person_probability, block):
                    job.output.append("person", masks)
                    job.progress.advance(len(masks))
                    if not told:
                        _tell_estimate(job.progress, (time.monotonic() - begun) * len(frames) / len(masks))
                        told = True

    def check(self, params: SegmentParams) -> None:
        """As :meth:`Stage.check`; weights that the user named are looked into, and the device is looked for."""
        super().check(params)
        row = backend("segment", params.backend)
        own = getattr(row.load(), "check", None)
        if own is not None and params.weights:
            own(Path(params.weights))
        if "torch" in row.packages:
            check_device(params.device, "segment.device")

    @staticmethod
    def _model(params: SegmentParams) -> str:
        variants = VARIANTS[params.backend]
        return next(iter(variants.values())) if params.variant is None else variants[params.variant]


def _masks(segmenter: Any, block: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """The masks of a block of frames, (n, h, w), as many at once as the segmenter likes."""
    size = getattr(segmenter, "batch", 1)
    for start in range(0, len(block), size):
        part = block[start : start + size]
        yield segmenter.frames(part) if size > 1 else segmenter(part[0])[None]


def _tell_estimate(progress: Progress, seconds: float) -> None:
    """Say after the first frames that the rest will take minutes, where it will."""
    if seconds >= LONG_S:
        progress.say(f"segment: will take about {seconds / 60:.0f} min")
