"""DeepLabV3 as torchvision makes it, with random weights: the person's class alone, whatever is in the batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from weights import PERSON, Runs, mprnet_state, picture, quiet_torch, save_deeplab

from vbtools.backends.segment import deeplabv3
from vbtools.backends.segment.deeplabv3 import DeepLabSegmenter, own_size
from vbtools.errors import InputError, ModelError, UsageError

pytestmark = pytest.mark.torch
VARIANTS = ("resnet50", "resnet101", "mobilenet_v3_large")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torchvision", reason="needs the torch extra")
    return tmp_path_factory.mktemp("deeplab")


@pytest.fixture(scope="module")
def light(folder: Path) -> Path:
    return save_deeplab(folder / "light.pth", "mobilenet_v3_large")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at frames at an eighth of the size; what is promised here does not depend on it."""
    monkeypatch.setattr(deeplabv3, "SHORT_SIDE", 65)
    monkeypatch.setattr(deeplabv3, "LONG_SIDE", 260)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_is_known_by_its_keys_and_gives_the_person_s_probability(folder: Path, variant: str) -> None:
    """Against torchvision's own preprocessing and network, for the class that its weights call person."""
    torch = quiet_torch()
    from torchvision.models import segmentation
    from torchvision.models.segmentation import DeepLabV3_ResNet50_Weights as Weights

    path = save_deeplab(folder / f"{variant}.pth", variant)
    state = torch.load(path, weights_only=True)
    assert deeplabv3.variant_of(state, path) == variant
    network = getattr(segmentation, f"deeplabv3_{variant}")(weights=None, weights_backbone=None, aux_loss=True)
    network.load_state_dict(state)
    frame = picture(65, 116)  # of the size at which it is looked at, so that the masks can be compared exactly
    preset = Weights.COCO_WITH_VOC_LABELS_V1.transforms(resize_size=65)
    assert Weights.COCO_WITH_VOC_LABELS_V1.meta["categories"][PERSON] == "person"
    with torch.inference_mode():
        scaled = preset(torch.from_numpy(frame).permute(2, 0, 1))[None]
        expected = 255 * network.eval()(scaled)["out"].softmax(1)[0, PERSON].numpy()
    with DeepLabSegmenter(path, "cpu") as segmenter:
        person = segmenter(frame)
    assert (person.shape, person.dtype) == ((65, 116), np.uint8)
    assert np.ptp(expected) > 20, "or the comparison says nothing"
    assert np.abs(person - expected).max() < 1


def test_soft_values_are_between_the_extremes(light: Path) -> None:
    person = DeepLabSegmenter(light, "cpu")(picture(90, 160))
    assert len(np.unique(person)) > 20


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_a_frame_s_mask_does_not_depend_on_its_batch(light: Path, batch: int) -> None:
    frames = np.stack([picture(54, 96, seed) for seed in range(5)])
    segmenter = DeepLabSegmenter(light, "cpu")
    segmenter.batch = batch
    alone = np.stack([segmenter(frame) for frame in frames])
    assert np.abs(segmenter.frames(frames).astype(int) - alone).max() <= 1  # float sums in another order
    assert np.abs(alone[0].astype(int) - alone[1]).max() > 10, "or any order would do"


def test_the_same_frame_gives_the_same_bytes(light: Path) -> None:
    frame = picture(54, 96)
    first = DeepLabSegmenter(light, "cpu")
    before = first(frame)
    first(picture(54, 96, seed=9))
    assert np.array_equal(first(frame), before)
    assert np.array_equal(DeepLabSegmenter(light, "cpu")(frame), before)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (135, 241), (8, 900)])
def test_frames_of_any_size_are_taken(light: Path, shape: tuple[int, int]) -> None:
    assert DeepLabSegmenter(light, "cpu")(picture(*shape)).shape == shape


def test_a_frame_is_looked_at_at_the_weights_own_size_and_a_strip_within_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    assert own_size(1080, 1920) == (520, 924)
    assert own_size(270, 480) == (520, 924)
    assert own_size(16, 4000) == (8, 2080)
    assert own_size(1, 1) == (520, 520)


@pytest.mark.parametrize("bad", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_frame_is_refused(light: Path, bad: np.ndarray) -> None:
    with pytest.raises(InputError, match="cannot be segmented"):
        DeepLabSegmenter(light, "cpu")(bad)


def test_a_closed_segmenter_says_so(light: Path) -> None:
    segmenter = DeepLabSegmenter(light, "cpu")
    segmenter.close()
    segmenter.close()
    with pytest.raises(RuntimeError, match="closed"):
        segmenter(picture(4, 4))


def test_weights_of_another_network_or_of_other_classes_are_refused(folder: Path) -> None:
    torch = quiet_torch()
    torch.save(mprnet_state(), folder / "mprnet.pth")
    other = save_deeplab(folder / "19.pth", "mobilenet_v3_large", classes=19)
    for check in (DeepLabSegmenter, DeepLabSegmenter.check):
        with pytest.raises(ModelError, match="are not of DeepLabV3"):
            check(folder / "mprnet.pth")
        with pytest.raises(ModelError, match="know 19 classes, and nothing says which is the person"):
            check(other)


def test_weights_that_lack_a_layer_are_refused(folder: Path, light: Path) -> None:
    torch = quiet_torch()
    state = torch.load(light, weights_only=True)
    del state["classifier.1.weight"]
    torch.save(state, folder / "less.pth")
    with pytest.raises(ModelError, match="incomplete or do not fit together"):
        DeepLabSegmenter(folder / "less.pth", "cpu")


def test_a_damaged_file_and_one_with_code_are_refused(folder: Path, light: Path, tmp_path: Path) -> None:
    (folder / "cut.pth").write_bytes(light.read_bytes()[:100_000])
    with pytest.raises(ModelError, match="damaged"):
        DeepLabSegmenter(folder / "cut.pth", "cpu")
    quiet_torch().save({"x": Runs(f"touch {tmp_path / 'harm'}")}, folder / "bad.pth")
    with pytest.raises(ModelError, match="refused"):
        DeepLabSegmenter(folder / "bad.pth", "cpu")
    assert not (tmp_path / "harm").exists()


def test_a_device_that_is_not_here_is_told(light: Path) -> None:
    if quiet_torch().cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(UsageError, match=r"segment\.device is 'cuda', but PyTorch sees no such device here"):
        DeepLabSegmenter(light, "cuda")
    assert DeepLabSegmenter(light, "auto").device == "cpu"


@pytest.mark.parametrize("device", ["cuda"])
def test_a_gpu_gives_the_same_mask_but_for_its_precision(light: Path, device: str) -> None:
    if not quiet_torch().cuda.is_available():
        pytest.skip("there is no CUDA device here")
    frames = np.stack([picture(54, 96, seed) for seed in range(3)])
    on_cpu = DeepLabSegmenter(light, "cpu").frames(frames)
    on_gpu = DeepLabSegmenter(light, device).frames(frames)
    assert np.abs(on_gpu.astype(int) - on_cpu).mean() < 2
