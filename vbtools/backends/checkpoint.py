"""Reading weights without running what may be in the file: PyTorch's ``weights_only`` loading, or safetensors."""

from __future__ import annotations

import pickle
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vbtools.errors import ModelError

SAFETENSORS = ".safetensors"
_WRAPPERS = ("model_state_dict", "state_dict", "params_ema", "params-ema", "params", "model", "net")
"""Keys under which training programs put the weights, in the order in which they are preferred (spandrel's)."""
_PREFIXES = ("module.", "netG.")
_GLOBAL = re.compile(r"GLOBAL (\w+(?:\.\w+)+)")
_UNREADABLE = (
    RuntimeError, EOFError, ValueError, KeyError, IndexError, AttributeError, TypeError, struct.error, OSError,
    AssertionError, OverflowError, MemoryError,
)  # fmt: skip
"""What a damaged file makes ``torch.load`` raise, depending on where it is damaged."""
_OTHER_FILE = "Name a whole .pth file of weights"


def read(path: Path) -> dict[str, Any]:
    """What a checkpoint holds, on the CPU.

    Args:
        path: a .pth or .pt file (PyTorch's zip or its older format), or .safetensors.

    Raises:
        ModelError: the file is missing, damaged, no checkpoint, or asks for code to be run.
    """
    if not path.is_file():
        raise ModelError(f"There is no weights file '{path}'", "Check the path")
    try:
        if path.suffix.lower() == SAFETENSORS:
            from safetensors.torch import load_file

            found: Any = load_file(path)
        else:
            import torch

            found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _refused(path, error) from error
    except Exception as error:
        if not isinstance(error, _UNREADABLE) and type(error).__name__ != "SafetensorError":
            raise
        raise ModelError(f"The weights file '{path}' is damaged, cut short or no checkpoint", _OTHER_FILE) from error
    if not isinstance(found, Mapping):
        raise ModelError(f"The weights file '{path}' holds a {type(found).__name__}, not weights by name", _OTHER_FILE)
    return dict(found)


def read_state(path: Path) -> dict[str, Any]:
    """The weights by name, out of what a training program wrapped around them, without prefixes such as ``module.``.

    Raises:
        ModelError: as :func:`read`, or there are no weights in it.
    """
    return state_of(read(path), path)


def state_of(found: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """As :func:`read_state`, of what :func:`read` gave."""
    import torch

    wrapped = next((found[key] for key in _WRAPPERS if isinstance(found.get(key), Mapping)), found)
    state = {str(name): value for name, value in wrapped.items() if isinstance(value, torch.Tensor)}
    if not state:
        raise ModelError(f"The weights file '{path}' has no weights in it", _OTHER_FILE)
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _refused(path: Path, error: pickle.UnpicklingError) -> ModelError:
    named = _GLOBAL.search(str(error))
    if named is None:
        return ModelError(f"The weights file '{path}' is damaged, cut short or no checkpoint", _OTHER_FILE)
    return ModelError(
        f"The weights file '{path}' was refused: loading it would run code ({named[1]})",
        "Get it from its makers, or as .safetensors, which holds no code",
    )
