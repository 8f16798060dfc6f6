"""Real-ESRGAN through its makers' own class: what fits is recognised, what goes wrong is said, nothing else printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from weights import (
    ANIMEVIDEO,
    X4PLUS,
    Runs,
    all_of,
    needs_shared,
    picture,
    quiet_torch,
    save_compact,
    save_mprnet,
    save_rrdb,
)

from vbtools.backends.enhance import realesrgan
from vbtools.backends.enhance.mprnet import MprNet, MprNetParams
from vbtools.backends.enhance.realesrgan import RealEsrgan, RealEsrganParams, shape_of, weights_of
from vbtools.config.params import FilePath
from vbtools.errors import MissingDependencyError, ModelError, UsageError, VbtoolsError

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module", autouse=True)
def package() -> None:
    for name in ("realesrgan", "spandrel_extra_arches"):
        if not _installed(name):
            pytest.skip("needs the restore extra")


def _installed(name: str) -> bool:
    from importlib import util

    return util.find_spec(name) is not None


def step(path: Path, **values: Any) -> RealEsrgan:
    return RealEsrgan(RealEsrganParams(weights=FilePath(path), device="cpu", **values))


@pytest.fixture(scope="module")
def compact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_compact(tmp_path_factory.mktemp("realesrgan") / "compact.pth")


@needs_shared
@pytest.mark.shared
@pytest.mark.parametrize(("weights", "size"), [(ANIMEVIDEO, (45, 70)), (X4PLUS, (16, 24))], ids=lambda v: str(v)[-30:])
def test_the_same_weights_give_what_spandrel_gives(weights: Path, size: tuple[int, int]) -> None:
    image = picture(*size)
    enlarged = step(weights, tile=0)(image, all_of(image))
    other = MprNet(MprNetParams(weights=FilePath(weights), device="cpu", tile=0))(image, all_of(image))
    assert enlarged.shape == (4 * size[0], 4 * size[1], 3)
    assert np.abs(enlarged.astype(int) - other).max() <= 1
    assert enlarged.std() > 10


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("kind", ["compact", "rrdb"])
def test_any_compatible_checkpoint_is_recognised_with_its_scale(tmp_path: Path, kind: str, scale: int) -> None:
    path = tmp_path / "x.pth"
    save_compact(path, "params", scale) if kind == "compact" else save_rrdb(path, scale)
    image = picture(16, 22)
    enlarged = step(path)(image, all_of(image))
    assert enlarged.shape == (16 * scale, 22 * scale, 3)
    other = MprNet(MprNetParams(weights=FilePath(path), device="cpu"))(image, all_of(image))
    away = np.abs(enlarged.astype(int) - other)[: 8 * scale, : 12 * scale]  # beyond, each pads by its own rule
    assert away.max() <= 1
    odd = image[:15, :21]
    assert step(path)(odd, all_of(odd)).shape == (15 * scale, 21 * scale, 3)


@needs_shared
@pytest.mark.shared
def test_the_official_architectures_are_read_from_their_weights() -> None:
    assert shape_of(weights_of(X4PLUS), X4PLUS) == (
        "RRDBNet", {"num_feat": 64, "num_grow_ch": 32, "num_block": 23, "scale": 4}, 4,
    )  # fmt: skip
    assert shape_of(weights_of(ANIMEVIDEO), ANIMEVIDEO) == (
        "SRVGGNetCompact", {"num_feat": 64, "num_conv": 16, "upscale": 4}, 4,
    )  # fmt: skip


@pytest.mark.parametrize(("outscale", "shape"), [(None, (80, 120, 3)), (1.0, (20, 30, 3)), (2.5, (50, 75, 3))])
def test_the_size_of_the_result_can_be_chosen(compact: Path, outscale: float | None, shape: tuple[int, ...]) -> None:
    image = picture(20, 30)
    assert step(compact, outscale=outscale)(image, all_of(image)).shape == shape


def test_colours_stay_in_their_order(compact: Path, tmp_path: Path) -> None:
    """A network that only enlarges (its last layer gives nothing) gives the picture back, four times as large."""
    torch = quiet_torch()
    state = torch.load(compact, weights_only=True)["params"]
    for name in ("body.6.weight", "body.6.bias"):
        state[name] = torch.zeros_like(state[name])
    torch.save({"params": state}, tmp_path / "nothing.pth")
    image = picture(9, 12)
    enlarged = step(tmp_path / "nothing.pth")(image, all_of(image))
    assert np.array_equal(enlarged, np.kron(image, np.ones((4, 4, 1), np.uint8)))


def test_tiles_cover_the_picture_and_are_told(compact: Path, capfd: pytest.CaptureFixture[str]) -> None:
    image = picture(70, 90)
    whole = step(compact, tile=0)(image, all_of(image))
    tiled = step(compact, tile=40)
    assert np.array_equal(tiled(image, all_of(image)), whole)  # this network looks 4 px far
    assert tiled.notes == ["realesrgan: in 6 tiles of 40x40 px and 32 px around"]
    assert capfd.readouterr().out == "", "answers alone go to stdout"


def test_where_memory_is_short_it_works_in_tiles(compact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = picture(70, 200)
    monkeypatch.setattr(realesrgan, "memory_budget", lambda device: 1_000_000)
    short = step(compact)
    assert short(image, all_of(image)).shape == (280, 800, 3)
    assert short.notes[0].startswith("realesrgan: in 8 tiles of 64x64 px")


def test_a_tile_that_fails_is_an_error_and_not_passed_over(compact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RealESRGANer prints it and goes on with the tile before."""
    image = picture(20, 70)
    failing = step(compact, tile=40)
    forward, calls = failing._upsampler.model.forward, []

    def fail(tensor: Any) -> Any:
        calls.append(tensor.shape)
        if len(calls) == 4:  # two to measure, then the second tile
            raise RuntimeError("not enough memory: you tried to allocate 9 bytes")
        return forward(tensor)

    monkeypatch.setattr(failing._upsampler.model, "forward", fail)
    with pytest.raises(VbtoolsError, match="failed on a tile: Error not enough memory"):
        failing(image, all_of(image))


def test_unobserved_pixels_have_no_influence(compact: Path) -> None:
    image, observed = picture(16, 24), np.ones((16, 24), bool)
    observed[:, 12:] = False
    other = image.copy()
    other[:, 12:] = 0
    one = step(compact)
    assert np.array_equal(one(image, observed), one(other, observed))


def test_progress_goes_from_0_to_100_over_all_tiles(compact: Path) -> None:
    counted: list[int] = []

    class Counts:
        def start(self, total: int | None, unit: str) -> None:
            assert (total, unit) == (100, "%")

        def advance(self, done: int = 1) -> None:
            counted.append(done)

        def say(self, text: str) -> None:
            raise AssertionError(text)

    image = picture(70, 90)
    step(compact, tile=40)(image, all_of(image), Counts())
    assert sum(counted) == 100
    assert len(counted) > 6


def test_bad_weights_are_refused_before_the_run(compact: Path, tmp_path: Path) -> None:
    torch = quiet_torch()
    state = torch.load(compact, weights_only=True)["params"]
    torch.save(state, tmp_path / "bare.pth")
    torch.save({"params": {k: v for k, v in state.items() if not k.startswith("body.1.")}}, tmp_path / "less.pth")
    torch.save({"params": state, "x": Runs(f"touch {tmp_path / 'harm'}")}, tmp_path / "code.pth")
    (tmp_path / "cut.pth").write_bytes(compact.read_bytes()[:2000])
    save_mprnet(tmp_path / "mprnet.pth")
    for name, words in {
        "bare": "neither 'params_ema' nor 'params'", "less": "no Real-ESRGAN network", "code": "would run code",
        "cut": "damaged", "mprnet": "neither 'params_ema' nor 'params'", "absent": "no weights file",
    }.items():  # fmt: skip
        params = RealEsrganParams(weights=FilePath(tmp_path / f"{name}.pth"), device="cpu")
        for attempt in (RealEsrgan, RealEsrgan.check):
            with pytest.raises(ModelError, match=words):
                attempt(params)
    assert not (tmp_path / "harm").exists()


def test_weights_that_lack_a_layer_are_refused(compact: Path, tmp_path: Path) -> None:
    torch = quiet_torch()
    state = torch.load(compact, weights_only=True)["params"]
    del state["body.2.bias"]
    torch.save({"params": state}, tmp_path / "less.pth")
    with pytest.raises(ModelError, match="incomplete or do not fit together"):
        step(tmp_path / "less.pth")


def test_without_weights_the_catalog_s_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VBTOOLS_MODELS", str(tmp_path))
    for variant, name in realesrgan.MODELS.items():
        with pytest.raises(MissingDependencyError, match=f"vbtools models pull {name}"):
            RealEsrgan(RealEsrganParams(variant=variant, device="cpu"))


def test_a_device_that_is_not_here_is_told(compact: Path) -> None:
    if quiet_torch().cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(UsageError, match=r"enhance\.realesrgan\.device is 'cuda'"):
        RealEsrgan.check(RealEsrganParams(weights=FilePath(compact), device="cuda"))


def test_a_gpu_in_half_precision_gives_nearly_the_same_picture(compact: Path) -> None:
    if not quiet_torch().cuda.is_available():
        pytest.skip("there is no CUDA device here")
    image = picture(40, 50)
    on_gpu = RealEsrgan(RealEsrganParams(weights=FilePath(compact), device="cuda"))
    assert np.abs(on_gpu(image, all_of(image)).astype(int) - step(compact)(image, all_of(image))).max() <= 3


def test_realesrgan_is_imported_in_silence_and_leaves_no_stand_in() -> None:
    code = (
        "import sys\nfrom vbtools.backends.enhance.torchvision_alias import GONE, import_realesrgan\n"
        "assert hasattr(import_realesrgan(), 'RealESRGANer')\nassert GONE not in sys.modules\nimport_realesrgan()\n"
    )
    root = Path(realesrgan.__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_one_command_enlarges_one_picture(
    compact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The study's enhance_realesrgan_single and inference_mprnet_single."""
    from vbtools.backends.picture import read_picture, write_picture
    from vbtools.cli.main import run

    monkeypatch.chdir(tmp_path)
    write_picture(Path("in.png"), picture(20, 30))
    for name, options in (("realesrgan", ["--tile", "0"]), ("mprnet", ["--device", "cpu"])):
        command = ["enhance", "--image", "in.png", "--output", f"{name}.png", "--steps", name]
        assert run([*command, "--weights", str(compact), *options]) == 0
        assert read_picture(Path(f"{name}.png")).shape == (80, 120, 3)
    assert capfd.readouterr().out == "realesrgan.png\nmprnet.png\n"
    assert run([*command, "--weights", "in.png"]) == 9
    assert "damaged, cut short or no checkpoint" in capfd.readouterr().err
