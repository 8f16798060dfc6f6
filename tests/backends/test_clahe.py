"""clahe: lightness is spread, colours stay, what was never observed has no say."""

import cv2
import numpy as np
import pytest

from vbtools.backends import backend
from vbtools.backends.enhance.clahe import Clahe, ClaheParams
from vbtools.config.params import ParameterError, build


def dull_room(height: int = 240, width: int = 320) -> np.ndarray:
    rng = np.random.default_rng(1)
    grain = cv2.GaussianBlur(rng.normal(0, 60, (height, width)).astype(np.float32), (0, 0), 6) * 4
    lightness = np.clip(120 + grain, 100, 140)
    rows, columns = np.mgrid[0:height, 0:width]
    lab = np.stack([lightness, 128 + 20 * np.sin(rows / 40), 128 + 25 * np.cos(columns / 60)], axis=-1)
    return cv2.cvtColor(lab.round().astype(np.uint8), cv2.COLOR_LAB2RGB)


def everywhere(image: np.ndarray) -> np.ndarray:
    return np.ones(image.shape[:2], bool)


def test_contrast_grows_and_colours_stay() -> None:
    image = dull_room()
    enhanced = Clahe(ClaheParams())(image, everywhere(image))
    before, after = (cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(int) for picture in (image, enhanced))
    assert enhanced.dtype == np.uint8
    assert enhanced.shape == image.shape
    assert after[..., 0].std() > 1.5 * before[..., 0].std()
    assert np.abs(after[..., 1:] - before[..., 1:]).mean() < 1.0
    assert np.percentile(np.abs(after[..., 1:] - before[..., 1:]), 99) <= 3


def test_channels_are_red_green_blue() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[...] = (180, 60, 40)
    red = Clahe(ClaheParams())(image, everywhere(image)).reshape(-1, 3).mean(axis=0)
    assert red[0] > red[1] + 60
    assert red[0] > red[2] + 60


def test_it_is_opencv_s_clahe_of_lab_with_the_study_s_numbers() -> None:
    image = dull_room()
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(lab[..., 0])
    assert np.array_equal(Clahe(ClaheParams())(image, everywhere(image)), cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))


def test_what_unobserved_pixels_hold_changes_no_observed_pixel() -> None:
    image = dull_room()
    observed = everywhere(image)
    observed[60:200, 80:240] = False
    black, noisy = image.copy(), image.copy()
    black[~observed] = 0
    noisy[~observed] = np.random.default_rng(2).integers(0, 256, (np.count_nonzero(~observed), 3))
    step = Clahe(ClaheParams())
    first, second = step(black, observed), step(noisy, observed)
    assert np.array_equal(first[observed], second[observed])
    # and the hole pulls its surroundings less than black pixels in the histogram would (measured: 0.63 times)
    whole = step(image, everywhere(image)).astype(int)
    naive = step(black, everywhere(image)).astype(int)
    border = cv2.dilate((~observed).astype(np.uint8), np.ones((31, 31))).astype(bool) & observed
    assert np.abs(first - whole)[border].mean() < 0.8 * np.abs(naive - whole)[border].mean()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (7, 5), (101, 33), (539, 961)])
def test_any_size_is_taken(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(3).integers(0, 256, (*shape, 3)).astype(np.uint8)
    assert Clahe(ClaheParams())(image, everywhere(image)).shape == image.shape


def test_parameters_have_bounds_and_act() -> None:
    image = dull_room()
    weak, strong = (Clahe(ClaheParams(clip_limit=limit))(image, everywhere(image)) for limit in (1.0, 8.0))
    assert strong.std() > weak.std()
    with pytest.raises(ParameterError, match="at least 0"):
        build(ClaheParams, {"clip_limit": -1}, "enhance.clahe")
    with pytest.raises(ParameterError, match="whole number"):
        build(ClaheParams, {"grid": 2.5}, "enhance.clahe")


def test_the_table_leads_here() -> None:
    assert backend("enhance", "clahe").load() is Clahe
