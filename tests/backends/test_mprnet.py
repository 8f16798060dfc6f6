"""MPRNet, and what else spandrel reads: official keys, any size, tiles without seams, and bad files refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from weights import (
    ANIMEVIDEO,
    OFFICIAL_MPRNET,
    Runs,
    all_of,
    needs_shared,
    picture,
    quiet_torch,
    save_compact,
    save_deeplab,
    save_mprnet,
)

from vbtools.backends.enhance import forward, mprnet
from vbtools.backends.enhance.mprnet import MprNet, MprNetParams
from vbtools.config.params import FilePath, ParameterError, build
from vbtools.errors import MissingDependencyError, ModelError, UsageError
from vbtools.ops.seams import fades, spans

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module", autouse=True)
def spandrel() -> Any:
    pytest.importorskip("spandrel_extra_arches", reason="needs the restore extra")
    return pytest.importorskip("spandrel", reason="needs the restore extra")


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Random weights, laid out as model_deblurring.pth is; 80 MB, so they go when the tests have run."""
    path = save_mprnet(tmp_path_factory.mktemp("mprnet") / "model_deblurring.pth")
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def step(official: Path) -> MprNet:
    return MprNet(MprNetParams(weights=FilePath(official), device="cpu"))


def with_params(step: MprNet, **values: Any) -> MprNet:
    """The same network with other parameters."""
    changed = object.__new__(MprNet)
    vars(changed).update(vars(step))
    changed.params = build(MprNetParams, {"weights": "any.pth", **values}, "enhance.mprnet")
    return changed


def test_the_official_file_s_keys_give_the_official_network(step: MprNet) -> None:
    network = step.network.model
    assert step.network.architecture.id == "MPRNet"
    assert step.licensed_as == "mprnet-deblurring"
    assert {key: network.hyperparameters[key] for key in OFFICIAL_MPRNET} == OFFICIAL_MPRNET
    assert sum(p.numel() for p in network.parameters()) == 20_127_073


def test_what_comes_out_is_the_network_s_own_answer(step: MprNet, official: Path) -> None:
    """Against the network called by hand, built from the makers' numbers and loaded without the code under test."""
    torch = quiet_torch()
    from spandrel_extra_arches.architectures.MPRNet import MPRNet

    network = MPRNet(**OFFICIAL_MPRNET).eval()
    state = torch.load(official, weights_only=True)["state_dict"]
    network.load_state_dict({name.removeprefix("module."): value for name, value in state.items()})
    image = picture(24, 40)
    with torch.inference_mode():
        last_stage = network(torch.from_numpy(image).permute(2, 0, 1)[None] / 255.0)[0]
    expected = (last_stage[0].permute(1, 2, 0).clamp(0, 1) * 255).numpy()
    restored = step(image, all_of(image))
    assert np.abs(restored - expected).max() < 1
    assert np.abs(restored.astype(int) - image).max() > 3, "or passing the picture through would do"


@pytest.mark.parametrize("size", [(17, 23), (8, 9), (1, 1)])
def test_sizes_that_do_not_divide_are_padded_and_cropped_back(step: MprNet, size: tuple[int, int]) -> None:
    image = picture(*size)
    restored = step(image, all_of(image))
    assert restored.shape == image.shape
    assert restored.dtype == np.uint8
    assert np.array_equal(step(image, all_of(image)), restored), "the same picture gives the same bytes"


def test_unobserved_pixels_have_no_influence(step: MprNet) -> None:
    image, observed = picture(16, 24), np.ones((16, 24), bool)
    observed[:, 12:] = False
    other = image.copy()
    other[:, 12:] = 0
    assert np.array_equal(step(image, observed), step(other, observed))


def test_tiles_leave_no_visible_seam(step: MprNet) -> None:
    """MPRNet's attention averages over all that it is given, so that tiles differ: the step must not show."""
    image = picture(48, 104)
    tiled = with_params(step, tile=64, overlap=16)
    restored = tiled(image, all_of(image)).astype(float)
    assert tiled.notes == ["mprnet: in 3 tiles of 56x48 px"]
    whole = with_params(step, tile=0)(image, all_of(image)).astype(float)
    assert np.abs(restored - whole).max() > 0, "or nothing was tiled"
    seam = np.zeros(103, bool)
    for start, stop in fades(spans(104, 64, 16)):
        seam[start - 1 : stop + 1] = True
    ratio = gradient(restored)[seam].mean() / gradient(restored)[~seam].mean()
    usual = gradient(whole)[seam].mean() / gradient(whole)[~seam].mean()
    assert ratio <= 1.1 * usual


def gradient(image: np.ndarray) -> np.ndarray:
    """Of each column to the next, averaged over rows and colours."""
    return np.abs(np.diff(image, axis=1)).mean(axis=(0, 2))


@needs_shared
@pytest.mark.shared
def test_tiles_are_exact_where_the_network_does_not_look_far() -> None:
    """Real-ESRGAN's animevideov3 looks 18 px far, and tiles overlap by 32."""
    image = picture(90, 200)
    params = MprNetParams(weights=FilePath(ANIMEVIDEO), device="cpu", tile=128)
    tiled = MprNet(params)
    restored = tiled(image, all_of(image))
    assert tiled.notes
    assert restored.shape == (360, 800, 3)
    assert np.array_equal(restored, with_params(tiled, tile=0)(image, all_of(image)))


def test_where_memory_is_short_it_works_in_tiles_and_says_so(step: MprNet, monkeypatch: pytest.MonkeyPatch) -> None:
    image = picture(16, 160)
    short = with_params(step, overlap=8)
    assert short(image, all_of(image)).shape == image.shape
    assert short.notes == []
    monkeypatch.setattr(mprnet, "memory_budget", lambda device: 20_000_000)
    assert short(image, all_of(image)).shape == image.shape
    assert short.notes[0].startswith("mprnet: in 2 tiles of ")


def test_other_networks_for_single_pictures_are_taken(tmp_path: Path) -> None:
    path = save_compact(tmp_path / "compact.pth", scale=2)
    other = MprNet(MprNetParams(weights=FilePath(path), device="cpu"))
    assert other.licensed_as is None
    image = picture(20, 33)
    assert other(image, all_of(image)).shape == (40, 66, 3)


def test_restoration_networks_of_spandrel_are_taken(tmp_path: Path, spandrel: Any) -> None:
    torch = quiet_torch()
    from spandrel.architectures.NAFNet import NAFNet

    network = NAFNet(width=8, middle_blk_num=1, enc_blk_nums=[1, 1], dec_blk_nums=[1, 1])
    torch.save({"params": network.state_dict()}, tmp_path / "nafnet.pth")
    other = MprNet(MprNetParams(weights=FilePath(tmp_path / "nafnet.pth"), device="cpu"))
    assert other.network.architecture.id == "NAFNet"
    image = picture(21, 30)
    assert other(image, all_of(image)).shape == image.shape


class Said:
    """A progress that remembers everything."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0
        self.said: list[str] = []

    def start(self, total: int | None, unit: str) -> None:
        self.total, self.done = total, 0

    def advance(self, done: int = 1) -> None:
        assert done > 0
        self.done += done

    def say(self, text: str) -> None:
        self.said.append(text)


def test_progress_goes_from_0_to_100_and_a_long_pass_is_told_before(
    step: MprNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, progress = picture(24, 40), Said()
    step(image, all_of(image), progress)
    assert (progress.total, progress.done, progress.said) == (100, 100, [])
    monkeypatch.setattr("vbtools.backends.enhance.forward.TELL_FROM_S", 0.0)
    step(image, all_of(image), progress)
    assert progress.said[0].startswith("mprnet: will take about ")
    assert progress.said[0].endswith("s (whole, on cpu)")


def test_threads_that_wait_for_each_other_do_not_spoil_the_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a busy machine: many threads lose in a small part what they don't in a large one."""
    torch = quiet_torch()
    monkeypatch.setattr(forward, "TELL_FROM_S", 0.0)
    torch.set_num_threads(2)
    try:
        measured = forward.measure(
            torch.nn.Identity(),
            lambda part: time.sleep(0.4 if torch.get_num_threads() > 1 else 0.02),
            np.zeros((64, 64, 3), np.uint8),
            "cpu",
        )
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert 0.02 < measured.seconds * 64 * 64 < 0.2


def test_ctrl_c_stops_a_pass_in_its_middle(step: MprNet) -> None:
    ended: list[str] = []

    class Stops(Said):
        def start(self, *args: object) -> None:
            super().start(*args)
            self.hook = step.network.model.register_forward_hook(lambda *_: ended.append("a pass"))

        def advance(self, done: int = 1) -> None:
            super().advance(done)
            if self.done > 20:
                raise KeyboardInterrupt

    image, progress = picture(24, 40), Stops()
    with pytest.raises(KeyboardInterrupt):
        step(image, all_of(image), progress)
    progress.hook.remove()
    assert ended == []
    assert progress.done < 100
    assert np.array_equal(step(image, all_of(image)), step(image, all_of(image), Said())), "no hook is left behind"


def test_bad_weights_are_refused_before_the_run(official: Path, tmp_path: Path) -> None:
    torch = quiet_torch()
    state = torch.load(official, weights_only=True)["state_dict"]
    (tmp_path / "cut.pth").write_bytes(official.read_bytes()[:1_000_000])
    torch.save({"state_dict": {k: v for k, v in state.items() if "stage2_encoder" not in k}}, tmp_path / "less.pth")
    torch.save({"state_dict": {**state, "module.tail.weight": torch.zeros(5, 4, 3, 3)}}, tmp_path / "odd.pth")
    torch.save({"state_dict": state, "x": Runs(f"touch {tmp_path / 'harm'}")}, tmp_path / "code.pth")
    save_deeplab(tmp_path / "deeplab.pth", "mobilenet_v3_large")
    for name, words in {
        "cut": "damaged", "less": "of no network that spandrel knows", "odd": "do not fit together",
        "code": "would run code", "deeplab": "of no network that spandrel knows", "absent": "no weights file",
    }.items():  # fmt: skip
        params = MprNetParams(weights=FilePath(tmp_path / f"{name}.pth"), device="cpu")
        for attempt in (MprNet, MprNet.check):
            with pytest.raises(ModelError, match=words):
                attempt(params)
    assert not (tmp_path / "harm").exists()


def test_a_network_for_grey_pictures_is_refused(tmp_path: Path) -> None:
    torch = quiet_torch()
    from spandrel.architectures.NAFNet import NAFNet

    network = NAFNet(img_channel=1, width=8, middle_blk_num=1, enc_blk_nums=[1], dec_blk_nums=[1])
    torch.save(network.state_dict(), tmp_path / "grey.pth")
    with pytest.raises(ModelError, match="NAFNet for 1 channels in and 1 out"):
        MprNet.check(MprNetParams(weights=FilePath(tmp_path / "grey.pth")))


def test_without_weights_the_catalog_s_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VBTOOLS_MODELS", str(tmp_path))
    with pytest.raises(MissingDependencyError, match="vbtools models add mprnet-deblurring FILE"):
        MprNet(MprNetParams(device="cpu"))


def test_tiles_smaller_than_their_overlaps_are_refused() -> None:
    with pytest.raises(ParameterError, match="at least 128, four overlaps"):
        build(MprNetParams, {"tile": 100}, "enhance.mprnet")


def test_a_device_that_is_not_here_is_told(official: Path) -> None:
    if quiet_torch().cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(UsageError, match=r"enhance\.mprnet\.device is 'cuda', but PyTorch sees no such device"):
        MprNet.check(MprNetParams(weights=FilePath(official), device="cuda"))


def test_a_gpu_gives_the_same_picture(step: MprNet, official: Path) -> None:
    if not quiet_torch().cuda.is_available():
        pytest.skip("there is no CUDA device here")
    image = picture(48, 64)
    on_gpu = MprNet(MprNetParams(weights=FilePath(official), device="cuda"))
    assert np.abs(on_gpu(image, all_of(image)).astype(int) - step(image, all_of(image))).max() <= 1
