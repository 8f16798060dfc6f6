"""segment: how likely each pixel of each frame shows the person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vbtools.backends import Backend, backend, names
from vbtools.config.element import Element
from vbtools.config.params import FilePath, ParameterError, param
from vbtools.stages.base import Job, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


@dataclass(frozen=True)
class SegmentParams:
    """Parameters of segment."""

    backend: str = param("mediapipe", "segmentation model family", choices=names("segment"))
    variant: str | None = param(
        None, "model variant; the backend's first where not given", choices=[v for b in VARIANTS.values() for v in b]
    )
    device: str = param("auto", "where to compute", choices=("auto", "cpu", "cuda", "mps"))
    weights: FilePath | None = param(None, "a model file to use instead of the catalog's")


class Segment(Stage[SegmentParams]):
    """Soft person probabilities, a frame at a time; thresholds and dilation act where masks are used."""

    name = "segment"
    version = 2
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
        frames = job.inputs.dataset("extract", "frames")
        job.progress.start(len(frames), "frames")
        self.follow(job, (frame for block in job.inputs.blocks("extract", "frames") for frame in block))

    def follow(self, job: Job[SegmentParams], rows: Iterable[NDArray[Any]]) -> None:
        """Segment frames (H, W, 3) uint8 RGB one by one, each by itself, at the model's own size."""
        from vbtools.models import resolve

        params = job.params
        path = Path(params.weights) if params.weights else resolve(self._model(params))
        with backend("segment", params.backend).load()(path) as person_probability:
            grid = getattr(person_probability, "grid", None)
            for frame in rows:
                job.output.append("person", person_probability(_at_most(frame, grid))[None])
                job.progress.advance()

    @staticmethod
    def _model(params: SegmentParams) -> str:
        variants = VARIANTS[params.backend]
        return next(iter(variants.values())) if params.variant is None else variants[params.variant]


def _at_most(frame: NDArray[Any], grid: tuple[int, int] | None) -> NDArray[Any]:
    """The frame at a model's size (h, w), bilinear as in the products that run it; as it is where it is smaller."""
    if grid is None or frame.shape[0] < grid[0] or frame.shape[1] < grid[1]:
        return frame
    import cv2

    small: NDArray[Any] = cv2.resize(frame, grid[::-1], interpolation=cv2.INTER_LINEAR)
    return small
