"""DeepLabV3 (Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017), torchvision's.

The weights know 21 classes, Pascal VOC's, and call one of them ``person``: its probability is the answer, not that of
"anything but background", which chairs and plants have too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from vbtools.backends.torch_device import pick
from vbtools.errors import InputError, ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHORT_SIDE = 520
"""px: to this the weights' own preprocessing brings a picture's shorter side (torchvision, COCO_WITH_VOC_LABELS_V1)."""
LONG_SIDE = 2080
"""px: a strip much longer than wide is brought to this instead, four times the shorter side, to bound the memory."""
BATCH = {"cuda": 8, "mps": 4, "cpu": 1}
"""Frames at once. On a CPU one frame keeps every core busy, and more only take memory."""
_LAST_LAYER = "classifier.4.weight"
_AUXILIARY = "aux_classifier."
_DEEP = "backbone.layer3.22.conv1.weight"
"""ResNet-101 has 23 blocks in its third layer, ResNet-50 six."""
_OTHER = "Name weights of torchvision's deeplabv3_resnet50, _resnet101 or _mobilenet_v3_large, 21 classes"


class DeepLabSegmenter:
    """Person probability for frames, in batches; the same frame gives the same mask whatever is in its batch.

    Args:
        model_path: a state dict of torchvision's DeepLabV3; which of the three it is, its own keys say.
        device: "auto", "cpu", "cuda" or "mps".

    Attributes:
        batch: so many frames are best given at once.
        device: where it computes, as PyTorch names it.

    Raises:
        ModelError: the file is missing, damaged, unsafe, or of another network.
        UsageError: there is no such device here.
    """

    def __init__(self, model_path: Path, device: str = "auto") -> None:
        from vbtools.backends.checkpoint import read_state

        self.device = pick(device, "segment.device")
        self.batch = BATCH[self.device]
        self._network: Any = _network(read_state(model_path), model_path).to(self.device)
        self._person, self._mean, self._std = _preset()

    @staticmethod
    def preload() -> None:
        """Import torch and torchvision's models."""
        import torchvision.models.segmentation  # noqa: F401

    @staticmethod
    def check(model_path: Path) -> None:
        """Raise ModelError where a file is not what :meth:`__init__` takes."""
        from vbtools.backends.checkpoint import read_state

        variant_of(read_state(model_path), model_path)

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Where the person is.

        Args:
            frame: (H, W, 3) uint8, RGB.

        Returns:
            (H, W) uint8: person probability x 255, rounded; 255 is surely the person.

        Raises:
            InputError: the array has another shape or dtype.
            RuntimeError: the segmenter was closed.
        """
        mask: NDArray[np.uint8] = self.frames(frame[None])[0]
        return mask

    def frames(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """As a call, of (N, H, W, 3) frames; (N, H, W)."""
        import numpy as np
        import torch

        if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8 or not frames.size:
            raise InputError(
                f"Frames of shape {frames.shape[1:]} and type {frames.dtype} cannot be segmented",
                "Give (H, W, 3) uint8, RGB",
            )
        if self._network is None:
            raise RuntimeError("the segmenter is closed")
        masks = np.empty(frames.shape[:3], np.uint8)
        for start in range(0, len(frames), self.batch):
            block = torch.from_numpy(np.ascontiguousarray(frames[start : start + self.batch])).to(self.device)
            masks[start : start + self.batch] = self._person_of(block).cpu().numpy()
        return masks

    def close(self) -> None:
        """Free the model; may be called twice."""
        self._network = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _person_of(self, block: Any) -> Any:
        """(n, H, W, 3) uint8 tensor -> (n, H, W) uint8 tensor."""
        import torch
        from torch.nn.functional import interpolate

        height, width = block.shape[1:3]
        with torch.inference_mode(), torch.autocast(self.device, dtype=torch.float16, enabled=self.device == "cuda"):
            scaled = interpolate(
                block.permute(0, 3, 1, 2).float() / 255.0, own_size(height, width), mode="bilinear",
                align_corners=False, antialias=True,
            )  # fmt: skip
            logits = self._network((scaled - self._tensor(self._mean)) / self._tensor(self._std))["out"].float()
            person = logits.softmax(dim=1)[:, self._person, None]
            person = interpolate(person, (height, width), mode="bilinear", align_corners=False)
            return (person[:, 0] * 255.0).round().clamp(0, 255).to(torch.uint8)

    def _tensor(self, values: tuple[float, ...]) -> Any:
        import torch

        return torch.tensor(values, device=self.device)[:, None, None]


def own_size(height: int, width: int) -> tuple[int, int]:
    """The size at which a frame is looked at: the shorter side is :data:`SHORT_SIDE`."""
    scale = min(SHORT_SIDE / min(height, width), LONG_SIDE / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def variant_of(state: Mapping[str, Any], path: Path) -> str:
    """Which of torchvision's DeepLabV3 the weights are of: ``resnet50``, ``resnet101`` or ``mobilenet_v3_large``.

    Raises:
        ModelError: none of them, or their classes are not the 21 of which one is known to be the person.
    """
    if _LAST_LAYER not in state or not any(name.startswith("backbone.") for name in state):
        raise ModelError(f"The weights in '{path}' are not of DeepLabV3", _OTHER)
    known = len(_categories())
    if len(state[_LAST_LAYER]) != known:
        raise ModelError(
            f"The weights in '{path}' know {len(state[_LAST_LAYER])} classes, and nothing says which is the person",
            f"Name weights with the {known} classes of COCO_WITH_VOC_LABELS_V1",
        )
    if "backbone.layer1.0.conv1.weight" in state:
        return "resnet101" if _DEEP in state else "resnet50"
    return "mobilenet_v3_large"


def _network(state: Mapping[str, Any], path: Path) -> Any:
    """The network with its weights, on the CPU, ready to look."""
    import torch
    from torchvision.models import segmentation

    build = getattr(segmentation, f"deeplabv3_{variant_of(state, path)}")
    auxiliary = any(name.startswith(_AUXILIARY) for name in state)
    with torch.device("meta"):  # no random weights, which take longer to draw than the file to read
        network = build(weights=None, weights_backbone=None, num_classes=len(_categories()), aux_loss=auxiliary)
    try:
        network.load_state_dict(state, strict=True, assign=True)
    except RuntimeError as error:
        raise ModelError(f"The weights in '{path}' are incomplete or do not fit together", _OTHER) from error
    network.aux_classifier = None  # a second answer, for training
    return network.float().eval()


def _weights() -> Any:
    """torchvision's description of the weights; all three variants were trained on the same classes."""
    from torchvision.models.segmentation import DeepLabV3_ResNet50_Weights

    return DeepLabV3_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1


def _categories() -> list[str]:
    found: list[str] = _weights().meta["categories"]
    return found


def _preset() -> tuple[int, tuple[float, ...], tuple[float, ...]]:
    """The person's class, and mean and deviation of each channel that a picture is brought to."""
    preset = _weights().transforms()
    return _categories().index("person"), tuple(preset.mean), tuple(preset.std)
