"""LPIPS: how different two pictures look to a network (Zhang et al. 2018), through the package ``lpips``.

The package carries its own linear weights (version 0.1) and takes AlexNet's from the model catalog; it would otherwise
fetch them itself, unasked and unchecked. Nothing heavy is imported at the top.
"""

from __future__ import annotations

import warnings
from importlib import util
from typing import TYPE_CHECKING, Any

from vbtools import models
from vbtools.errors import MissingDependencyError, ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MODEL = "alexnet"
PACKAGES = ("lpips", "torch", "torchvision")
SMALLEST = 64
"""px; below this AlexNet's last layers have nothing left to compare."""


class Lpips:
    """The measure, loaded once.

    Raises:
        MissingDependencyError: a package or AlexNet's weights are not installed.
        ModelError: the weights are not AlexNet's.
    """

    def __init__(self) -> None:
        for package in PACKAGES:
            if util.find_spec(package) is None:
                raise MissingDependencyError(
                    f"LPIPS needs the Python package '{package}', which is not installed",
                    "Run: pip install 'vbtools[lpips]'",
                )
        weights = models.resolve(MODEL)
        import lpips
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it calls torchvision in a way that is going out of use
            self._network = lpips.LPIPS(net="alex", pnet_rand=True, spatial=True, verbose=False).eval()
        _load_features(self._network.net, torch.load(weights, map_location="cpu", weights_only=True))

    def __call__(
        self, estimate: NDArray[np.uint8], truth: NDArray[np.uint8], observed: NDArray[np.bool_]
    ) -> float | None:
        """Mean of LPIPS's map over observed pixels, 0 (equal) to about 1; about 1 s at 720p on two cores.

        Args:
            estimate, truth: (H, W, 3) uint8 RGB; where it was not observed, the estimate is taken as the truth is.
            observed: (H, W) bool.

        Returns:
            None where nothing is observed, or the picture is smaller than :data:`SMALLEST`.
        """
        import numpy as np
        import torch

        if not observed.any() or min(truth.shape[:2]) < SMALLEST:
            return None
        shown = np.where(observed[..., None], estimate, truth)
        planes = (np.ascontiguousarray(picture.transpose(2, 0, 1)[None]) for picture in (shown, truth))
        pair = [torch.from_numpy(one).float() / 127.5 - 1 for one in planes]  # the network takes -1..1
        with torch.inference_mode():
            values = self._network(*pair)[0, 0].numpy()
        return float(values[observed].mean(dtype=np.float64))


def _load_features(network: Any, state: Any) -> None:
    """Put AlexNet's convolutions, ``features.N.weight``, into LPIPS's slices, which number them the same way."""
    wanted = network.state_dict()
    given = {name: state.get("features." + name.split(".", 1)[1]) for name in wanted}
    wrong = [name for name, value in given.items() if value is None or value.shape != wanted[name].shape]
    if wrong:
        raise ModelError(
            f"The model {MODEL} is not AlexNet as torchvision has it: {wrong[0]} does not fit",
            f"Run: vbtools models pull {MODEL}",
        )
    network.load_state_dict(given)
