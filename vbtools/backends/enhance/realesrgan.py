"""Real-ESRGAN, run by its makers' own ``RealESRGANer``."""

from __future__ import annotations

import contextlib
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vbtools.backends.torch_device import check_device, device_param, memory_budget, pick
from vbtools.config.params import FilePath, param
from vbtools.errors import ModelError, VbtoolsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.backends.enhance.forward import Progress

MODELS = {"x4plus": "realesrgan-x4plus", "animevideov3": "realesr-animevideov3"}
"""The catalog's names of the variants; the first is the default: photographs."""
KEYS = ("params_ema", "params")
"""Where the makers' checkpoints have the weights; RealESRGANer takes the first that is there."""
UNSHUFFLED = {3: 4, 12: 2, 48: 1}
"""RRDBNet's input channels -> its scale: smaller scales get the picture's pixels folded into channels."""
SMALLEST_TILE = 64
_OTHER = "Name a Real-ESRGAN checkpoint (RRDBNet or SRVGGNetCompact); the step mprnet takes other networks too"
_BODY = re.compile(r"body\.(\d+)\.")


@dataclass(frozen=True)
class RealEsrganParams:
    """Parameters of realesrgan."""

    variant: str = param("x4plus", "which of the catalog's models, where no weights are named", choices=tuple(MODELS))
    weights: FilePath | None = param(None, "a Real-ESRGAN checkpoint to use instead of the catalog's")
    outscale: float | None = param(
        None, "size of the result against the picture's; the network's own where not given", minimum=0.1, maximum=16.0
    )
    tile: int | None = param(
        None, "side of a tile without its surroundings; 0: the whole picture at once; where not given, whole if memory "
        "allows", minimum=0, unit="px",
    )  # fmt: skip
    overlap: int = param(32, "what a tile sees beyond its own part, on each side", minimum=0, maximum=512, unit="px")
    half: bool = param(True, "compute in half precision; on a CUDA device only")
    device: str = device_param()

    @property
    def model(self) -> str | None:
        """The catalog's model that is loaded; None where a file of weights is named."""
        return None if self.weights else MODELS[self.variant]


class RealEsrgan:
    """Enlarge and sharpen with Real-ESRGAN (Wang et al., "Real-ESRGAN: Training Real-World Blind Super-Resolution with
    Pure Synthetic Data", ICCVW 2021). It invents texture: what it shows need not have been in the room.

    Attributes:
        notes: what the user should know of the run that has been.
    """

    Params = RealEsrganParams
    reports = True
    licensed_as = None

    def __init__(self, params: RealEsrganParams) -> None:
        """Load the weights.

        Raises:
            MissingDependencyError: the catalog's model is not installed.
            ModelError: the file is no Real-ESRGAN checkpoint, or damaged.
            UsageError: there is no such device here.
        """
        from vbtools.models import resolve

        self.params = params
        self.notes: list[str] = []
        self.device = pick(params.device, "enhance.realesrgan.device")
        path = Path(params.weights) if params.weights else resolve(MODELS[params.variant])
        network, scale = _network(weights_of(path), path)
        try:
            self._upsampler: Any = self._package().RealESRGANer(
                scale=scale, model_path=str(path), model=network, tile=0, tile_pad=params.overlap, pre_pad=0,
                half=params.half and self.device == "cuda", device=self._torch_device(),
            )  # fmt: skip
        except RuntimeError as error:
            raise ModelError(f"The weights in '{path}' are incomplete or do not fit together", _OTHER) from error

    @staticmethod
    def preload() -> None:
        """Import torch and realesrgan."""
        RealEsrgan._package()

    @staticmethod
    def check(params: RealEsrganParams) -> None:
        """Raise what would stop a run.

        Raises:
            ModelError, UsageError: as :meth:`__init__`, for weights that the user named and for the device.
        """
        check_device(params.device, "enhance.realesrgan.device")
        if params.weights:
            path = Path(params.weights)
            shape_of(weights_of(path), path)

    def __call__(
        self, image: NDArray[np.uint8], observed: NDArray[np.bool_], progress: Progress | None = None
    ) -> NDArray[np.uint8]:
        """Return ``(H', W', 3)`` uint8 RGB, ``outscale`` or the network's scale as large; unobserved pixels are filled
        first. A picture that is too large for the memory is passed in RealESRGANer's own tiles.

        Args:
            image: ``(H, W, 3)`` uint8 RGB.
            observed: ``(H, W)`` bool.
            progress: where to say how long it will take and how far it is.

        Raises:
            VbtoolsError: a tile failed.
        """
        import numpy as np

        from vbtools.backends.enhance.forward import measure, tell_estimate, telling
        from vbtools.ops.unobserved import fill

        given = image if observed.all() else fill(image, observed)
        network, height, width = self._upsampler.model, *given.shape[:2]
        self._upsampler.tile_size = 0
        measured = measure(network, self._pass, given, self.device)
        side = self._tile(height, width, measured.pixels_in(memory_budget(self.device)))
        tiles = math.ceil(height / side) * math.ceil(width / side) if side else 1
        self._upsampler.tile_size = side
        how = "whole" if tiles == 1 else f"in {tiles} tiles of {side}x{side} px and {self.params.overlap} px around"
        seconds = measured.seconds * _pixels(height, width, side, self.params.overlap)
        tell_estimate(progress, "realesrgan", seconds, f"{how}, on {self.device}")
        with telling(network, measured, progress, tiles):
            enlarged = self._pass(given, self.params.outscale)
        self.notes = [f"realesrgan: {how}"] if tiles > 1 else []
        return np.ascontiguousarray(enlarged)

    def _tile(self, height: int, width: int, pixels: int) -> int:
        """The side of RealESRGANer's tiles; 0 for the whole picture."""
        if self.params.tile is not None:
            return self.params.tile
        if height * width <= pixels:
            return 0
        return max(SMALLEST_TILE, math.isqrt(pixels) - 2 * self.params.overlap)

    def _pass(self, image: NDArray[np.uint8], outscale: float | None = None) -> NDArray[np.uint8]:
        """RealESRGANer's ``enhance``, RGB to RGB.

        It prints the number of each tile, and prints and passes over what goes wrong in one: here that is an error.
        """
        import numpy as np

        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            enlarged, _ = self._upsampler.enhance(np.ascontiguousarray(image[..., ::-1]), outscale=outscale)
        failed = [line for line in said.getvalue().splitlines() if line.strip().startswith("Error")]
        if failed:
            raise VbtoolsError(f"Real-ESRGAN failed on a tile: {failed[0].strip()}", "Try a smaller tile")
        rgb: NDArray[np.uint8] = enlarged[..., ::-1]
        return rgb

    @staticmethod
    def _package() -> Any:
        from vbtools.backends.enhance.torchvision_alias import import_realesrgan

        return import_realesrgan()

    def _torch_device(self) -> Any:
        import torch

        return torch.device(self.device)


def weights_of(path: Path) -> Mapping[str, Any]:
    """The weights by name that RealESRGANer will take from a checkpoint.

    Raises:
        ModelError: the file is missing, damaged, unsafe or laid out otherwise.
    """
    from vbtools.backends.checkpoint import read

    found = read(path)
    state = next((found[key] for key in KEYS if key in found), None)
    if not isinstance(state, Mapping):
        raise ModelError(f"'{path}' is no Real-ESRGAN checkpoint: it has neither '{KEYS[0]}' nor '{KEYS[1]}'", _OTHER)
    return state


def shape_of(state: Mapping[str, Any], path: Path) -> tuple[str, dict[str, int], int]:
    """Which architecture the weights are of, what it is built with, and its scale.

    Returns:
        ``"RRDBNet"`` or ``"SRVGGNetCompact"``, its arguments, and the scale.

    Raises:
        ModelError: neither.
    """
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    last = max((int(found[1]) for found in map(_BODY.match, shapes) if found), default=-1)
    try:
        if "conv_first.weight" in shapes:
            features, channels = shapes["conv_first.weight"][:2]
            scale = UNSHUFFLED[channels]
            built = {"num_feat": features, "num_grow_ch": shapes["body.0.rdb1.conv1.weight"][0], "num_block": last + 1}
            return "RRDBNet", built | {"scale": scale}, scale
        if len(shapes["body.1.weight"]) == 1 and shapes["body.0.weight"][1] == 3:  # PReLU: one value a channel
            scale = math.isqrt(shapes[f"body.{last}.weight"][0] // 3)
            features = shapes["body.0.weight"][0]
            # a convolution and its activation, num_conv times the same, and a last convolution
            return "SRVGGNetCompact", {"num_feat": features, "num_conv": (last - 2) // 2, "upscale": scale}, scale
    except (KeyError, IndexError) as error:
        raise ModelError(f"The weights in '{path}' are incomplete or of no Real-ESRGAN network", _OTHER) from error
    raise ModelError(f"The weights in '{path}' are of no Real-ESRGAN network", _OTHER)


def _network(state: Mapping[str, Any], path: Path) -> tuple[Any, int]:
    """The network with its first, random weights, and its scale."""
    name, arguments, scale = shape_of(state, path)
    RealEsrgan.preload()  # makes basicsr importable
    if name == "SRVGGNetCompact":
        from realesrgan.archs.srvgg_arch import SRVGGNetCompact

        return SRVGGNetCompact(num_in_ch=3, num_out_ch=3, act_type="prelu", **arguments), scale
    from basicsr.archs.rrdbnet_arch import RRDBNet

    return RRDBNet(num_in_ch=3, num_out_ch=3, **arguments), scale


def _pixels(height: int, width: int, side: int, overlap: int) -> int:
    """Pixels that pass the network in all: tiles with what they see around them."""
    if not side:
        return height * width
    rows = sum(min(y + side + overlap, height) - max(y - overlap, 0) for y in range(0, height, side))
    columns = sum(min(x + side + overlap, width) - max(x - overlap, 0) for x in range(0, width, side))
    return rows * columns
