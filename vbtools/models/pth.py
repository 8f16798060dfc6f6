"""Write weights as ``torch.save`` lays them out, without PyTorch, and in the same bytes whatever Python writes them.

A .pth file is a zip archive, uncompressed: a pickle that names the tensors, and each tensor's numbers as a member of
its own. PyTorch's own bytes differ from version to version, so that no checksum of them could be pinned.
"""

from __future__ import annotations

import math
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

_FORMAT = b"3\n"
"""PyTorch's number of this layout."""
_FOLDER = "archive"
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_UNIX = 3


class Tensor(NamedTuple):
    """A tensor's form and its numbers, little-endian, the last axis the fastest."""

    kind: Literal["Half", "Float"]
    shape: tuple[int, ...]
    data: bytes


def write(path: Path, key: str, tensors: Mapping[str, Tensor]) -> None:
    """Write ``{key: {name: tensor}}`` as a checkpoint that ``torch.load(path, weights_only=True)`` reads.

    Raises:
        OSError: ``path`` cannot be written.
    """
    pickled = [pickle.PROTO, b"\2", pickle.EMPTY_DICT, pickle.MARK, _text(key), pickle.EMPTY_DICT, pickle.MARK]
    for number, (name, tensor) in enumerate(tensors.items()):
        pickled += [_text(name), _rebuild(tensor, str(number))]
    pickled += [pickle.SETITEMS, pickle.SETITEMS, pickle.STOP]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        _put(archive, "data.pkl", b"".join(pickled))
        _put(archive, "byteorder", b"little")
        for number, tensor in enumerate(tensors.values()):
            _put(archive, f"data/{number}", tensor.data)
        _put(archive, "version", _FORMAT)


def _rebuild(tensor: Tensor, member: str) -> bytes:
    """The call that makes a tensor: its storage, where it begins there, its sides and their strides, no gradient and no
    hooks."""
    strides = [math.prod(tensor.shape[axis + 1 :]) for axis in range(len(tensor.shape))]
    numbers = _int(math.prod(tensor.shape))
    storage = _tuple(_text("storage"), _global("torch", f"{tensor.kind}Storage"), _text(member), _text("cpu"), numbers)
    no_hooks = _global("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE
    return (
        _global("torch._utils", "_rebuild_tensor_v2")
        + _tuple(
            *(storage + pickle.BINPERSID, _int(0), _tuple(*map(_int, tensor.shape)), _tuple(*map(_int, strides))),
            *(pickle.NEWFALSE, no_hooks),
        )
        + pickle.REDUCE
    )


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(f"{_FOLDER}/{name}", _EARLIEST)
    member.create_system, member.external_attr = _UNIX, 0o644 << 16
    archive.writestr(member, content)


def _tuple(*values: bytes) -> bytes:
    return pickle.MARK + b"".join(values) + pickle.TUPLE


def _text(text: str) -> bytes:
    encoded = text.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(encoded)) + encoded


def _int(value: int) -> bytes:
    return pickle.BININT + struct.pack("<i", value)


def _global(module: str, name: str) -> bytes:
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()
