"""LPIPS, on a network of random weights: AlexNet's own cannot be had everywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vbtools.errors import MissingDependencyError, ModelError

SIZE = (96, 128)
ALL = np.ones(SIZE, np.bool_)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as torchvision writes AlexNet's weights."""
    pytest.importorskip("lpips", reason="needs the lpips extra")
    import torch
    from torchvision.models import alexnet

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("alexnet") / "alexnet.pth"
    torch.save(alexnet(weights=None).state_dict(), path)
    return path


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


@pytest.mark.torch
def test_equal_pictures_do_not_differ_and_what_was_not_observed_has_no_influence(
    weights: Path, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vbtools.backends.perceptual import Lpips

    monkeypatch.setattr("vbtools.models.resolve", lambda name: weights)
    measure = Lpips()
    assert measure(picture, picture, ALL) == 0
    near, far = (np.clip(picture + np.float32(by), 0, 255).astype(np.uint8) for by in (10, 90))
    assert 0 < measure(near, picture, ALL) < measure(far, picture, ALL)
    observed = ALL.copy()
    observed[:, 64:] = False
    spoiled = picture.copy()
    spoiled[~observed] = 0
    assert measure(spoiled, picture, observed) == 0
    assert measure(spoiled, picture, ALL) > 0
    assert measure(picture, picture, ~ALL) is None
    assert measure(picture[:40], picture[:40], ALL[:40]) is None


@pytest.mark.torch
def test_the_weights_are_the_given_ones_not_random(
    weights: Path, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vbtools.backends.perceptual import Lpips

    monkeypatch.setattr("vbtools.models.resolve", lambda name: weights)
    first, second = Lpips(), Lpips()
    assert first(255 - picture, picture, ALL) == second(255 - picture, picture, ALL)


@pytest.mark.torch
def test_weights_of_another_network_are_refused(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from vbtools.backends.perceptual import Lpips

    other = weights.with_name("other.pth")
    torch.save({"features.0.weight": torch.zeros(3)}, other)
    monkeypatch.setattr("vbtools.models.resolve", lambda name: other)
    with pytest.raises(ModelError, match="vbtools models pull alexnet"):
        Lpips()


def test_a_missing_package_is_the_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from vbtools.backends import perceptual

    monkeypatch.setattr(perceptual.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'vbtools\[lpips\]'"):
        perceptual.Lpips()
