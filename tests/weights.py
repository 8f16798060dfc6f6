"""Checkpoints with random weights: the exact architecture and key names of the official files, none of their knowledge.

MPRNet's and torchvision's DeepLabV3 weights cannot be had everywhere; the code that loads and runs them can be tested
all the same. Import only inside tests that need torch.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the sample data are not here: {SHARED}")
YOLO = SHARED / "models" / "yolov8n_dequantised.pt"
X4PLUS = SHARED / "models" / "RealESRGAN_x4plus_from_ncnn_fp16.pth"
ANIMEVIDEO = SHARED / "models" / "realesr-animevideov3_from_ncnn_fp16.pth"
OFFICIAL_MPRNET = {
    "in_c": 3, "out_c": 3, "n_feat": 96, "scale_unetfeats": 48, "scale_orsnetfeats": 32, "num_cab": 8,
    "kernel_size": 3, "reduction": 4, "bias": False,
}  # fmt: skip
"""Of Deblurring/MPRNet.py in the makers' repository; 20.1 million parameters."""
PERSON = 15
"""Of Pascal VOC's classes, background first."""


class Runs:
    """What a malicious pickle holds: loading it runs a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def quiet_torch() -> Any:
    """torch, seeded, on one thread: so small are the pictures here."""
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    return torch


def mprnet_state() -> dict[str, Any]:
    """The network's weights by name. What it adds to its input is made small, as in a network that restores."""
    quiet_torch()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        from spandrel_extra_arches.architectures.MPRNet import MPRNet
    state = MPRNet(**OFFICIAL_MPRNET).state_dict()
    state["tail.weight"] *= 0.02
    return state


def save_mprnet(path: Path) -> Path:
    """As the makers save it: under ``state_dict``, every name with the prefix of ``DataParallel``."""
    state = mprnet_state()
    quiet_torch().save({"epoch": 1, "state_dict": {f"module.{name}": value for name, value in state.items()}}, path)
    return path


def save_deeplab(path: Path, variant: str, classes: int = 21, seen: np.ndarray | None = None) -> Path:
    """As torchvision's files are: the bare weights, the auxiliary classifier's among them.

    ``seen``, (N, H, W, 3) uint8, are frames on which the answer will differ from pixel to pixel.
    """
    torch = quiet_torch()
    from torchvision.models import segmentation

    build = getattr(segmentation, f"deeplabv3_{variant}")
    network = build(weights=None, weights_backbone=None, num_classes=classes, aux_loss=True)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    preset = segmentation.DeepLabV3_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1.transforms(resize_size=65)
    seen = np.stack([picture(65, 116, seed) for seed in range(6)]) if seen is None else seen
    tensor = preset(torch.from_numpy(seen).permute(0, 3, 1, 2))
    with torch.no_grad():  # normalisation that has seen no picture lets nothing through
        network.train()(tensor)
        network.classifier[4].weight *= 6.0  # so that the answer differs from pixel to pixel, and is not always no
        logits = network.eval()(tensor[:1])["out"][0]
        others = torch.cat([logits[:PERSON], logits[PERSON + 1 :]]).logsumexp(0)
        network.classifier[4].bias[PERSON] += (others - logits[PERSON]).median()
    torch.save(network.state_dict(), path)
    return path


def save_compact(path: Path, key: str = "params", scale: int = 4) -> Path:
    """A small SRVGGNetCompact, the network of Real-ESRGAN's animevideov3."""
    torch = quiet_torch()
    from vbtools.backends.enhance.torchvision_alias import import_realesrgan

    import_realesrgan()
    from realesrgan.archs.srvgg_arch import SRVGGNetCompact

    network = SRVGGNetCompact(num_in_ch=3, num_out_ch=3, num_feat=8, num_conv=2, upscale=scale, act_type="prelu")
    torch.save({key: network.state_dict()}, path)
    return path


def save_rrdb(path: Path, scale: int) -> Path:
    """A small RRDBNet, the network of Real-ESRGAN's x4plus and x2plus."""
    torch = quiet_torch()
    from vbtools.backends.enhance.torchvision_alias import import_realesrgan

    import_realesrgan()
    from basicsr.archs.rrdbnet_arch import RRDBNet

    network = RRDBNet(num_in_ch=3, num_out_ch=3, num_feat=8, num_block=2, num_grow_ch=32, scale=scale)
    torch.save({"params_ema": network.state_dict()}, path)
    return path


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Soft colours with some texture, uint8 (height, width, 3) RGB."""
    import cv2

    noise = np.random.default_rng(seed).normal(128, 70, (height, width, 3)).astype(np.float32)
    return np.clip(cv2.GaussianBlur(noise, (0, 0), 1.5) * 1.5 - 64, 0, 255).astype(np.uint8)


def all_of(image: np.ndarray) -> np.ndarray:
    """Every pixel observed."""
    return np.ones(image.shape[:2], bool)
