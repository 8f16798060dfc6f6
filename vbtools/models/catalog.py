"""Which models there are: one table, with licence, size, checksum and the sources to get each from.

A model is *pinned* by the sha256 of its file. Where no official full checksum is published the entry is *unpinned*:
what holds then is the hash prefix that the file's name carries (torchvision's convention), if any, and the checksum
of what was installed first, which :mod:`vbtools.models.cache` records beside the file.

To add a model: one row in :data:`CATALOG`. Command line, checks and docs derive from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vbtools.errors import UsageError, nearest

_NAME_PREFIX = re.compile(r"-([0-9a-f]{8,64})\.[A-Za-z0-9]+$")


@dataclass(frozen=True, slots=True)
class Url:
    """A file behind an official http(s) address."""

    address: str

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True, slots=True)
class WheelMember:
    """A file inside a wheel on the Python index: ``member`` is its path in the wheel."""

    package: str
    version: str
    member: str

    def __str__(self) -> str:
        return f"{self.member} in the wheel {self.package}=={self.version}"


Source = Url | WheelMember


@dataclass(frozen=True, slots=True)
class Model:
    """One row of the catalog.

    Attributes:
        name: what the user types.
        kind: the task: ``segmentation``, ``super-resolution``, ``deblurring``, ``detection`` or ``perceptual
            measure``.
        file: file name in the cache directory; unique in the catalog.
        licence: SPDX identifier where there is one.
        licence_note: what the licence means for the user, in a sentence; empty where there is nothing to mind.
        size: bytes, or None where it is not known.
        sha256: 64 lower-case hex digits, or None where it is not known (unpinned).
        sources: tried in order; empty where nothing can be fetched automatically.
        used_by: the stages and options that use it.
        homepage: where the makers offer and describe it.
    """

    name: str
    kind: str
    file: str
    licence: str
    licence_note: str
    size: int | None
    sha256: str | None
    sources: tuple[Source, ...]
    used_by: tuple[str, ...]
    homepage: str

    @property
    def name_prefix(self) -> str | None:
        """The leading hex digits of the sha256 that the file name carries (``...-cd0a2569.pth``), or None."""
        found = _NAME_PREFIX.search(self.file)
        return found.group(1) if found else None

    @property
    def how_to_get(self) -> str:
        """The command that installs this model."""
        if self.sources:
            return f"Run: vbtools models pull {self.name}"
        return f"Get {self.file} from {self.homepage}, then run: vbtools models add {self.name} FILE"


_TORCHVISION_NOTE = "Trained on COCO pictures with Pascal VOC labels, which have terms of their own."
_AGPL_NOTE = "Who offers a product or service with it must publish its source, or buy a licence from Ultralytics."
_MPRNET_NOTE = (
    "For academic, non-commercial use only. The makers offer it as a Google Drive file, with no direct address."
)

_SELFIE = "mediapipe/modules/selfie_segmentation"
_SELFIE_HOME = "https://ai.google.dev/edge/mediapipe/solutions/vision/image_segmenter"
_REALESRGAN_HOME = "https://github.com/xinntao/Real-ESRGAN"
_TORCHVISION_HOME = "https://docs.pytorch.org/vision/stable/models/deeplabv3.html"

# Sizes and checksums: the selfie models were computed from the wheel itself; Real-ESRGAN and YOLOv8n are those that
# several independent projects pin for the same release addresses (among them Arch Linux's package of Real-ESRGAN).
# torchvision publishes 8 digits, in the name; MPRNet's makers publish none.
_ROWS: tuple[Model, ...] = (
    Model(
        name="selfie-landscape",
        kind="segmentation",
        file="selfie_segmentation_landscape.tflite",
        licence="Apache-2.0",
        licence_note="",
        size=250145,
        sha256="a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd",
        sources=(WheelMember("mediapipe", "0.10.21", f"{_SELFIE}/selfie_segmentation_landscape.tflite"),),
        used_by=("segment: mediapipe",),
        homepage=_SELFIE_HOME,
    ),
    Model(
        name="selfie-square",
        kind="segmentation",
        file="selfie_segmentation.tflite",
        licence="Apache-2.0",
        licence_note="",
        size=249505,
        sha256="9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
        sources=(WheelMember("mediapipe", "0.10.21", f"{_SELFIE}/selfie_segmentation.tflite"),),
        used_by=("segment: mediapipe", "simulate"),
        homepage=_SELFIE_HOME,
    ),
    Model(
        name="deeplabv3-resnet50",
        kind="segmentation",
        file="deeplabv3_resnet50_coco-cd0a2569.pth",
        licence="BSD-3-Clause",
        licence_note=_TORCHVISION_NOTE,
        size=None,
        sha256=None,
        sources=(Url("https://download.pytorch.org/models/deeplabv3_resnet50_coco-cd0a2569.pth"),),
        used_by=("segment: deeplabv3",),
        homepage=_TORCHVISION_HOME,
    ),
    Model(
        name="deeplabv3-resnet101",
        kind="segmentation",
        file="deeplabv3_resnet101_coco-586e9e4e.pth",
        licence="BSD-3-Clause",
        licence_note=_TORCHVISION_NOTE,
        size=None,
        sha256=None,
        sources=(Url("https://download.pytorch.org/models/deeplabv3_resnet101_coco-586e9e4e.pth"),),
        used_by=("segment: deeplabv3",),
        homepage=_TORCHVISION_HOME,
    ),
    Model(
        name="deeplabv3-mobilenet-v3-large",
        kind="segmentation",
        file="deeplabv3_mobilenet_v3_large-fc3c493d.pth",
        licence="BSD-3-Clause",
        licence_note=_TORCHVISION_NOTE,
        size=None,
        sha256=None,
        sources=(Url("https://download.pytorch.org/models/deeplabv3_mobilenet_v3_large-fc3c493d.pth"),),
        used_by=("segment: deeplabv3",),
        homepage=_TORCHVISION_HOME,
    ),
    Model(
        name="mprnet-deblurring",
        kind="deblurring",
        file="model_deblurring.pth",
        licence="Academic Public License (non-commercial)",
        licence_note=_MPRNET_NOTE,
        size=None,
        sha256=None,
        sources=(),
        used_by=("enhance: mprnet",),
        homepage="https://github.com/swz30/MPRNet",
    ),
    Model(
        name="realesrgan-x4plus",
        kind="super-resolution",
        file="RealESRGAN_x4plus.pth",
        licence="BSD-3-Clause",
        licence_note="",
        size=67040989,
        sha256="4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1",
        sources=(Url(f"{_REALESRGAN_HOME}/releases/download/v0.1.0/RealESRGAN_x4plus.pth"),),
        used_by=("enhance: realesrgan",),
        homepage=_REALESRGAN_HOME,
    ),
    Model(
        name="realesr-animevideov3",
        kind="super-resolution",
        file="realesr-animevideov3.pth",
        licence="BSD-3-Clause",
        licence_note="",
        size=2504012,
        sha256="b8a8376811077954d82ca3fcf476f1ac3da3e8a68a4f4d71363008000a18b75d",
        sources=(Url(f"{_REALESRGAN_HOME}/releases/download/v0.2.5.0/realesr-animevideov3.pth"),),
        used_by=("enhance: realesrgan",),
        homepage=_REALESRGAN_HOME,
    ),
    Model(
        name="yolov8n",
        kind="detection",
        file="yolov8n.pt",
        licence="AGPL-3.0",
        licence_note=_AGPL_NOTE,
        size=6549796,
        sha256="f59b3d833e2ff32e194b5bb8e08d211dc7c5bdf144b90d2c8412c47ccfc83b36",
        sources=(
            Url("https://github.com/ultralytics/assets/releases/download/v8.3.0/yolov8n.pt"),
            Url("https://github.com/ultralytics/assets/releases/download/v8.4.0/yolov8n.pt"),
        ),
        used_by=("inspect: yolo",),
        homepage="https://docs.ultralytics.com/models/yolov8/",
    ),
    Model(
        name="alexnet",
        kind="perceptual measure",
        file="alexnet-owt-7be5be79.pth",
        licence="BSD-3-Clause",
        licence_note="Trained on ImageNet pictures, which have terms of their own.",
        size=None,
        sha256=None,
        sources=(Url("https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"),),
        used_by=("evaluate: lpips",),
        homepage="https://docs.pytorch.org/vision/stable/models/alexnet.html",
    ),
)

CATALOG: dict[str, Model] = {row.name: row for row in _ROWS}
"""Every model by name."""


def model(name: str) -> Model:
    """The catalog's entry for ``name``.

    Raises:
        UsageError: there is no such model; the hint is the nearest name.
    """
    try:
        return CATALOG[name]
    except KeyError:
        raise UsageError(f"There is no model '{name}' in the catalog", nearest(name, tuple(CATALOG))) from None
