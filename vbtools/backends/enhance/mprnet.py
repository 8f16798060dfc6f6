"""MPRNet, and any other network for one picture that spandrel can read from its weights alone."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vbtools.backends.torch_device import check_device, device_param, memory_budget, pick
from vbtools.config.params import FilePath, ParameterError, param
from vbtools.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.backends.enhance.forward import Progress

MODEL = "mprnet-deblurring"
"""The catalog's name of the official weights."""
ARCHITECTURE = "MPRNet"
"""spandrel's name of the architecture to which MPRNet's licence belongs."""
COLOURS = 3
_OTHER = "Name weights of a restoration or super-resolution network for single colour pictures"


@dataclass(frozen=True)
class MprNetParams:
    """Parameters of mprnet.

    Raises:
        ParameterError: tiles that leave nothing between their overlaps.
    """

    weights: FilePath | None = param(
        None, "weights to use instead of the catalog's: MPRNet's, or another network's for single pictures"
    )
    tile: int | None = param(
        None, "largest side of a tile; 0: the whole picture at once; where not given, whole if memory allows",
        minimum=0, unit="px",
    )  # fmt: skip
    overlap: int = param(32, "what a tile sees beyond its own part, on each side", minimum=8, maximum=512, unit="px")
    device: str = device_param()

    def __post_init__(self) -> None:
        if self.tile and self.tile < 4 * self.overlap:
            raise ParameterError(
                f"enhance.mprnet.tile cannot be {self.tile} where tiles overlap by {self.overlap} px",
                f"It must be 0 or at least {4 * self.overlap}, four overlaps",
                ("tile",),
            )

    @property
    def model(self) -> str | None:
        """The catalog's model that is loaded; None where a file of weights is named."""
        return None if self.weights else MODEL


class MprNet:
    """Restore a picture with MPRNet (Zamir et al., "Multi-Stage Progressive Image Restoration", CVPR 2021), or with the
    network of any weights that spandrel or spandrel-extra-arches recognises: NAFNet, Restormer, SwinIR, ...

    Attributes:
        notes: what the user should know of the run that has been.
    """

    Params = MprNetParams
    reports = True

    def __init__(self, params: MprNetParams) -> None:
        """Load the weights.

        Raises:
            MissingDependencyError: MPRNet's own weights are not installed.
            ModelError: the file is no such network's, or damaged.
            UsageError: there is no such device here.
        """
        from vbtools.models import resolve

        self.params = params
        self.notes: list[str] = []
        self.device = pick(params.device, "enhance.mprnet.device")
        path = Path(params.weights) if params.weights else resolve(MODEL)
        self.network = descriptor(path).to(self.device)
        self.network.eval()

    @staticmethod
    def preload() -> None:
        """Import torch and spandrel."""
        _registry()

    @staticmethod
    def check(params: MprNetParams) -> None:
        """Raise what would stop a run.

        Raises:
            ModelError, UsageError: as :meth:`__init__`, for weights that the user named and for the device.
        """
        check_device(params.device, "enhance.mprnet.device")
        if params.weights:
            descriptor(Path(params.weights))

    @property
    def licensed_as(self) -> str | None:
        """The catalog's model whose licence applies to what is being run, where that is known."""
        return MODEL if self.network.architecture.id == ARCHITECTURE else None

    def __call__(
        self, image: NDArray[np.uint8], observed: NDArray[np.bool_], progress: Progress | None = None
    ) -> NDArray[np.uint8]:
        """Return ``(H * scale, W * scale, 3)`` uint8 RGB; unobserved pixels are filled first.

        A picture that is too large for the memory is passed in tiles that overlap, see :mod:`vbtools.ops.seams`. That
        is exact for networks that do not look far, and without visible seams for those that look at all of it, as
        MPRNet's attention does. Sides that the network cannot take are padded, and cropped afterwards.

        Args:
            image: ``(H, W, 3)`` uint8 RGB.
            observed: ``(H, W)`` bool.
            progress: where to say how long it will take and how far it is.
        """
        import numpy as np

        from vbtools.backends.enhance.forward import measure, tell_estimate, telling
        from vbtools.ops.seams import in_tiles, spans
        from vbtools.ops.unobserved import fill

        given = image if observed.all() else fill(image, observed)
        network, overlap = self.network.model, self.params.overlap
        measured = measure(network, lambda part: self._pass(part.astype(np.float32) / 255.0), given, self.device)
        height, width = given.shape[:2]
        tile = self._tile(height, width, measured.pixels_in(memory_budget(self.device)))
        rows, columns = spans(height, tile[0], overlap), spans(width, tile[1], overlap)
        tiles, side = len(rows) * len(columns), (rows[0][1] - rows[0][0], columns[0][1] - columns[0][0])
        how = "whole" if tiles == 1 else f"in {tiles} tiles of {side[1]}x{side[0]} px"
        tell_estimate(progress, "mprnet", measured.seconds * tiles * side[0] * side[1], f"{how}, on {self.device}")
        with telling(network, measured, progress, tiles):
            restored = in_tiles(given.astype(np.float32) / 255.0, self._pass, tile, self.network.scale, overlap)
        self.notes = [f"mprnet: {how}"] if tiles > 1 else []
        clean: NDArray[np.uint8] = np.rint(np.clip(restored, 0.0, 1.0) * 255.0).astype(np.uint8)
        return clean

    def _tile(self, height: int, width: int, pixels: int) -> tuple[int, int]:
        from vbtools.ops.seams import side_for

        if self.params.tile is None:
            return side_for(height, width, pixels, self.params.overlap) or (height, width)
        return (self.params.tile, self.params.tile) if self.params.tile else (height, width)

    def _pass(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """One pass of ``(h, w, 3)`` float32 RGB, 0-1."""
        import torch

        tensor = torch.from_numpy(picture).permute(2, 0, 1)[None].to(self.device)
        passed: NDArray[np.float32] = self.network(tensor)[0].permute(1, 2, 0).float().cpu().numpy()
        return passed


def descriptor(path: Path) -> Any:
    """spandrel's descriptor of the network whose weights a file holds, on the CPU.

    Raises:
        ModelError: the file is missing, damaged or unsafe, or not of a network that makes a colour picture from one.
    """
    from vbtools.backends.checkpoint import read_state

    registry = _registry()
    import spandrel

    state = read_state(path)
    try:
        found = registry.load(state)
    except spandrel.UnsupportedModelError as error:
        raise ModelError(f"The weights in '{path}' are of no network that spandrel knows", _OTHER) from error
    except (RuntimeError, KeyError, ValueError, IndexError, AssertionError) as error:
        raise ModelError(f"The weights in '{path}' are incomplete or do not fit together", _OTHER) from error
    architecture = found.architecture.name
    if not isinstance(found, spandrel.ImageModelDescriptor):
        raise ModelError(f"'{path}' holds {architecture}, which needs more than a picture", _OTHER)
    if (found.input_channels, found.output_channels) != (COLOURS, COLOURS):
        raise ModelError(
            f"'{path}' holds {architecture} for {found.input_channels} channels in and {found.output_channels} out",
            _OTHER,
        )
    return found


def _registry() -> Any:
    """Every architecture of spandrel and spandrel-extra-arches, without changing spandrel's own list."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # they compile parts with torch.jit while they are imported
        import spandrel
        import spandrel_extra_arches

        registry = spandrel.ArchRegistry()
        registry.add(*spandrel.MAIN_REGISTRY, *spandrel_extra_arches.EXTRA_REGISTRY, ignore_duplicates=True)
    return registry
