"""The one place that makes basicsr, and so realesrgan, importable with today's torchvision.

basicsr 1.4.2, the last one, imports ``rgb_to_grayscale`` from ``torchvision.transforms.functional_tensor`` for the
degradations of its training data. torchvision took that module away in 0.17; the function lives on in
``torchvision.transforms.functional``. While realesrgan is imported, and no longer, a module of the old name that holds
this function stands in. Where torchvision has the module itself, nothing is done.
"""

from __future__ import annotations

import sys
import warnings
from importlib import util
from types import ModuleType
from typing import Any

GONE = "torchvision.transforms.functional_tensor"


def import_realesrgan() -> Any:
    """``realesrgan.utils`` (``RealESRGANer``); with it ``basicsr`` and its architectures can be imported.

    Raises:
        ImportError: realesrgan or something below it is not installed.
    """
    from torchvision.transforms import functional

    stands_in = None if util.find_spec(GONE) else ModuleType(GONE)
    if stands_in is not None:
        vars(stands_in)["rgb_to_grayscale"] = functional.rgb_to_grayscale
        sys.modules[GONE] = stands_in
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of basicsr's own code, about which a user can do nothing
            import realesrgan.utils
    finally:
        if stands_in is not None:
            del sys.modules[GONE]
    return realesrgan.utils
