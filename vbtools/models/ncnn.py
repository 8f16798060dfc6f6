"""Rewrite a network in ncnn's format as the .pth file that its makers would have saved, without PyTorch.

ncnn keeps a network as a pair: ``.param``, a line of text for each layer, and ``.bin``, the weights in the order of the
layers. A convolution's weights stand behind a flag that says in which form they are; its bias, and a PReLU's slopes,
are bare float32 (https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure). No number is changed on the way:
the tensors have the precision that they have there.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path

from vbtools.errors import ModelError
from vbtools.models import pth
from vbtools.models.catalog import NcnnInWheel
from vbtools.models.pth import Tensor

MAGIC = "7767517"
HALF_FLAG = 0x01306B47
"""What stands before weights in float16, which are padded to a multiple of 4 bytes."""
_IN_BLOCK = [f"rdb{dense}.conv{layer}" for dense in range(1, 4) for layer in range(1, 6)]
_AFTER_BLOCKS = ["conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]


def convert(param: Path, weights: Path, target: Path, source: NcnnInWheel) -> None:
    """Write the pair as a checkpoint under ``source.key`` with the official names; the same pair gives the same bytes.

    Raises:
        ModelError: the pair is damaged, stored in another form, or of another network.
        OSError: a file cannot be read or written.
    """
    try:
        layers = list(_layers(param.read_text(encoding="ascii"), weights.read_bytes()))
    except (ValueError, KeyError, IndexError, ZeroDivisionError) as error:
        raise ModelError(f"{source.member}.param is no graph of ncnn's: {error}") from error
    named = zip(_names(source.network, len(layers)), layers, strict=True)
    pth.write(target, source.key, {f"{name}.{part}": value for name, layer in named for part, value in layer.items()})


def _layers(graph: str, weights: bytes) -> Iterator[dict[str, Tensor]]:
    """The tensors of each layer that has any, by their names in PyTorch."""
    magic, _, *lines = graph.splitlines()
    if magic.strip() != MAGIC:
        raise ValueError(f"it begins with '{magic[:20]}', not {MAGIC}")
    stream = io.BytesIO(weights)
    for line in lines:
        kind, _, inputs, outputs, *rest = line.split()
        values = dict(word.split("=", 1) for word in rest[int(inputs) + int(outputs) :])
        if kind == "Convolution":
            out, side, count = int(values["0"]), int(values["1"]), int(values["6"])
            layer = {"weight": Tensor("Half", (out, count // (out * side * side), side, side), _half(stream, count))}
            if values.get("5") == "1":
                layer["bias"] = Tensor("Float", (out,), _take(stream, 4 * out))
            yield layer
        elif kind == "PReLU":
            slopes = int(values["0"])
            yield {"weight": Tensor("Float", (slopes,), _take(stream, 4 * slopes))}
    if more := len(weights) - stream.tell():
        raise ModelError(f"ncnn's weights go on for {more} bytes where its graph ends")


def _half(stream: io.BytesIO, count: int) -> bytes:
    (flag,) = struct.unpack("<I", _take(stream, 4))
    if flag != HALF_FLAG:
        raise ModelError(f"ncnn's weights are in another form than float16: flag {flag:#010x}")
    size = 2 * count
    return _take(stream, size + -size % 4)[:size]


def _take(stream: io.BytesIO, size: int) -> bytes:
    taken = stream.read(size)
    if len(taken) != size:
        raise ModelError("ncnn's weights end where its graph goes on")
    return taken


def _names(network: str, layers: int) -> list[str]:
    """PyTorch's names of the layers with weights, in the order in which they are passed."""
    if network == "SRVGGNetCompact":
        return [f"body.{layer}" for layer in range(layers)]
    blocks, odd = divmod(layers - 1 - len(_AFTER_BLOCKS), len(_IN_BLOCK))
    if odd or blocks < 1:
        raise ModelError(f"{layers} layers with weights make no {network}")
    return ["conv_first", *(f"body.{n}.{name}" for n in range(blocks) for name in _IN_BLOCK), *_AFTER_BLOCKS]
