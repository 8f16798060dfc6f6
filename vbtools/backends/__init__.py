"""Implementations that a stage can choose between, and the one table of them.

A new backend is one file in the folder of its stage and one row of :data:`BACKENDS`; options, recipe keys, help,
schema, documents and contract tests derive from the row. Nothing here imports a backend before it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module, util
from typing import Any

from vbtools.errors import MissingDependencyError, NotBuiltError, UsageError, nearest


@dataclass(frozen=True, slots=True)
class Backend:
    """One row of the table.

    Args:
        stage: the stage that can use it.
        name: as the user types it.
        target: ``module:attribute`` of its class or function; empty while it is registered but not built.
        summary: one line for help and documents.
        extra: the pip extra that installs what it needs; empty for the base install.
        packages: importable packages that must be there.
        models: names in the model catalog that it may load.
    """

    stage: str
    name: str
    target: str
    summary: str
    extra: str = ""
    packages: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    @property
    def is_built(self) -> bool:
        """Whether this version can run it."""
        return bool(self.target)

    @property
    def missing(self) -> tuple[str, ...]:
        """The packages that are not there."""
        return tuple(package for package in self.packages if util.find_spec(package) is None)

    def check(self) -> None:
        """Raise the error that says which one command mends it, if this backend cannot run here."""
        missing = self.missing
        if missing:
            raise MissingDependencyError(
                f"{self.stage}: {self.name} needs the Python package '{missing[0]}', which is not installed",
                f"Run: pip install 'vbtools[{self.extra}]'",
            )
        if not self.is_built:
            others = [b.name for b in of_stage(self.stage) if b.is_built]
            raise NotBuiltError(
                f"{self.stage}: {self.name} is registered, but not built in this version",
                f"Use one of: {', '.join(others)}" if others else "Update vbtools",
            )

    def parameters(self) -> type:
        """The dataclass of the backend's own options, without checking that it can run here."""
        params: type = getattr(self._target(), "Params")  # noqa: B009
        return params

    def preload(self) -> None:
        """Import what a run will use: the backend's module, and what its own ``preload()`` imports, if it has one."""
        own = getattr(self._target(), "preload", None)
        if own is not None:
            own()

    def load(self) -> Any:
        """Import and return the backend's class or function, after :meth:`check`."""
        self.check()
        return self._target()

    def _target(self) -> Any:
        module, _, attribute = self.target.partition(":")
        return getattr(import_module(module), attribute)


_HERE = "vbtools.backends."

BACKENDS: tuple[Backend, ...] = (
    Backend(
        "segment", "mediapipe", _HERE + "segment.mediapipe:MediaPipeSegmenter",
        "MediaPipe selfie segmentation: fast on a CPU", "mediapipe", ("mediapipe",),
        ("selfie-landscape", "selfie-square"),
    ),
    Backend(
        "segment", "deeplabv3", _HERE + "segment.deeplabv3:DeepLabSegmenter",
        "DeepLabV3, person class: cleaner masks, wants a GPU", "torch",
        ("torch", "torchvision"), ("deeplabv3-resnet50", "deeplabv3-resnet101", "deeplabv3-mobilenet-v3-large"),
    ),
    Backend("align", "none", _HERE + "align.none:NoMotion", "take the camera as fixed"),
    Backend("align", "farneback", _HERE + "align.farneback:Farneback", "dense Farneback optical flow"),
    Backend("align", "orb", _HERE + "align.orb:Orb", "ORB features, partial affine motion"),
    Backend("align", "dis", _HERE + "align.dis:Dis", "dense inverse search optical flow"),
    Backend("align", "auto", _HERE + "align.auto:Auto", "measure the camera's motion, then choose"),
    Backend("aggregate", "median", _HERE + "aggregate.median:TemporalMedian", "masked temporal median, exact"),
    Backend("aggregate", "mean", _HERE + "aggregate.mean:TemporalMean", "masked temporal mean, from exact sums"),
    Backend("aggregate", "max", _HERE + "aggregate.max:TemporalMaximum", "masked temporal maximum of each channel"),
    Backend(
        "aggregate", "leak", _HERE + "aggregate.leak:Leak",
        "what the sharp fringe at the person's edge shows of the room",
    ),
    Backend("enhance", "clahe", _HERE + "enhance.clahe:Clahe", "contrast-limited adaptive histogram equalisation"),
    Backend("enhance", "denoise", _HERE + "enhance.denoise:Denoise", "non-local means denoising"),
    Backend(
        "enhance", "deconvolve", _HERE + "enhance.deconvolve:Deconvolve",
        "non-blind deconvolution with the identified blur",
    ),
    Backend(
        "enhance", "mprnet", _HERE + "enhance.mprnet:MprNet",
        "MPRNet deblurring, or any network for single pictures that spandrel reads", "restore",
        ("torch", "spandrel", "spandrel_extra_arches"), ("mprnet-deblurring",),
    ),
    Backend(
        "enhance", "realesrgan", _HERE + "enhance.realesrgan:RealEsrgan", "Real-ESRGAN super-resolution", "restore",
        ("torch", "realesrgan"), ("realesrgan-x4plus", "realesr-animevideov3"),
    ),
    Backend(
        "inspect", "ocr", _HERE + "inspect.ocr:TesseractReader", "words, read by Tesseract", "ocr", ("pytesseract",)
    ),
    Backend(
        "inspect", "rapidocr", _HERE + "inspect.rapid:RapidReader", "words, read by RapidOCR", "ocr",
        ("rapidocr", "onnxruntime"),
    ),
    Backend(
        "inspect", "yolo", _HERE + "inspect.yolo:YoloDetector", "objects, found by YOLOv8", "yolo",
        ("torch", "ultralytics"), ("yolov8n",),
    ),
)


def of_stage(stage: str) -> tuple[Backend, ...]:
    """The rows of one stage, in table order."""
    return tuple(b for b in BACKENDS if b.stage == stage)


def names(stage: str) -> tuple[str, ...]:
    """The names a stage can choose between, in table order."""
    return tuple(b.name for b in of_stage(stage))


def backend(stage: str, name: str) -> Backend:
    """Find a row.

    Raises:
        UsageError: for a name that is not registered.
    """
    for row in of_stage(stage):
        if row.name == name:
            return row
    raise UsageError(f"{stage} has no backend '{name}'", nearest(name, names(stage)))
