"""denoise: noise goes, edges and colours stay; tiles, and what was never observed, change nothing."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from vbtools.backends import backend
from vbtools.backends.enhance import denoise
from vbtools.backends.enhance.denoise import Denoise, DenoiseParams
from vbtools.backends.picture import read_picture, write_picture
from vbtools.cli.main import run
from vbtools.config.params import ParameterError, build
from vbtools.stages import stage


def room(height: int = 150, width: int = 210) -> np.ndarray:
    """A red wall with a blue cupboard and dark letters: ``(H, W, 3)`` uint8 RGB, no noise."""
    picture = np.full((height, width, 3), (190, 120, 100), np.uint8)
    cv2.rectangle(picture, (width // 2, 20), (width - 20, height - 10), (60, 90, 170), -1)
    cv2.putText(picture, "ROOM", (8, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (40, 35, 50), 3, cv2.LINE_AA)
    return picture


def noisy(picture: np.ndarray, sigma: float = 6.0) -> np.ndarray:
    noise = np.random.default_rng(3).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).round().astype(np.uint8)


def everywhere(image: np.ndarray) -> np.ndarray:
    return np.ones(image.shape[:2], bool)


def error(picture: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean((picture.astype(float) - truth) ** 2)))


def test_noise_goes_and_edges_stay() -> None:
    truth = room()
    image = noisy(truth)
    clean = Denoise(DenoiseParams(strength=8.0, colour_strength=8.0))(image, everywhere(image))
    assert clean.dtype == np.uint8
    assert error(clean, truth) < 0.6 * error(image, truth)  # measured 0.50
    column = slice(truth.shape[1] // 2 - 1, truth.shape[1] // 2 + 1)  # the cupboard's edge
    before, after = (np.abs(np.diff(p[60:120, column].astype(int), axis=1)).mean() for p in (truth, clean))
    assert after > 0.7 * before  # measured 0.79; a Gaussian of 1 px leaves 0.40


def test_it_is_opencv_s_on_channels_in_opencv_s_order() -> None:
    image = noisy(room())
    bgr = np.ascontiguousarray(image[..., ::-1])
    expected = cv2.fastNlMeansDenoisingColored(bgr, None, 5, 9, 5, 15)[..., ::-1]
    params = DenoiseParams(strength=5.0, colour_strength=9.0, template=5, search=15)
    assert np.array_equal(Denoise(params)(image, everywhere(image)), expected)
    wrong = cv2.fastNlMeansDenoisingColored(image, None, 5, 9, 5, 15)
    assert not np.array_equal(wrong, expected), "the order of the channels matters here"


@pytest.mark.parametrize(("template", "search"), [(7, 21), (1, 3), (9, 41)])
@pytest.mark.parametrize("tile", [31, 64])
def test_tiles_give_the_untiled_picture(
    tile: int, template: int, search: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = noisy(room())
    step = Denoise(DenoiseParams(template=template, search=search))
    whole = step(image, everywhere(image))
    monkeypatch.setattr(denoise, "TILE", tile)
    assert np.array_equal(step(image, everywhere(image)), whole)


def test_a_halo_too_small_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """That the test above can fail."""
    image = noisy(room())
    step = Denoise(DenoiseParams())
    whole = step(image, everywhere(image))
    monkeypatch.setattr(denoise, "TILE", 31)
    monkeypatch.setattr(DenoiseParams, "reach", 8)
    assert not np.array_equal(step(image, everywhere(image)), whole)


def test_what_unobserved_pixels_hold_changes_no_observed_pixel() -> None:
    image = noisy(room())
    observed = everywhere(image)
    observed[40:100, 60:140] = False
    black, wild = image.copy(), image.copy()
    black[~observed] = 0
    wild[~observed] = np.random.default_rng(2).integers(0, 256, (np.count_nonzero(~observed), 3))
    step = Denoise(DenoiseParams(strength=20.0, colour_strength=20.0))
    first, second = step(black, observed), step(wild, observed)
    assert np.array_equal(first[observed], second[observed])


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (7, 5), (101, 33)])
def test_any_size_is_taken(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(3).integers(0, 256, (*shape, 3)).astype(np.uint8)
    assert Denoise(DenoiseParams())(image, everywhere(image)).shape == image.shape


def test_a_window_without_a_middle_is_refused_with_its_neighbours() -> None:
    with pytest.raises(ParameterError, match=r"enhance\.denoise\.search cannot be 20\. It must be odd: 19 or 21"):
        build(DenoiseParams, {"search": 20}, "enhance.denoise")
    with pytest.raises(ParameterError) as caught:
        stage("enhance").parameters({"steps": ["clahe", {"denoise": {"template": 4}}]})
    assert caught.value.path == ("steps", 1, "denoise", "template")
    with pytest.raises(ParameterError, match="from 0 to 100"):
        build(DenoiseParams, {"strength": 101}, "enhance.denoise")


def test_a_single_picture_passes_the_steps_without_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    image = noisy(room())
    write_picture(Path("in.png"), image)
    assert run(["enhance", "--image", "in.png", "--output", "out.png", "--steps", "denoise,clahe"]) == 0
    clahe = backend("enhance", "clahe").load()
    expected = clahe(clahe.Params())(Denoise(DenoiseParams())(image, everywhere(image)), everywhere(image))
    assert np.array_equal(read_picture(Path("out.png")), expected)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.png", "out.png"]


def test_a_bad_option_on_the_command_line_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write_picture(tmp_path / "in.png", room())
    steps = "[{denoise: {search: 20}}]"
    arguments = ["--image", str(tmp_path / "in.png"), "--output", str(tmp_path / "out.png"), "--steps", steps]
    assert run(["enhance", *arguments]) == 2
    assert "enhance.denoise.search cannot be 20" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_the_table_leads_here() -> None:
    assert backend("enhance", "denoise").load() is Denoise
