"""The standard measures: equal to the libraries' own where all is observed, untouched by what is not."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from vbtools.evaluate.standard import BEST_PSNR, ms_ssim, psnr, same_colour, ssim

pytest.importorskip("skimage", reason="needs the evaluate extra")

SIZE = (200, 240)


def pair(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A picture and a noisy, slightly blurred one of it, (H, W, 3) uint8."""
    chance = np.random.default_rng(seed)
    smooth = cv2.GaussianBlur(chance.normal(size=(*SIZE, 3)).astype(np.float32), (0, 0), 3)
    truth = np.clip(128 + 300 * smooth, 0, 255).astype(np.uint8)
    worse = cv2.GaussianBlur(truth, (0, 0), 1.5) + chance.normal(0, 8, truth.shape)
    return np.clip(worse, 0, 255).astype(np.uint8), truth


ALL = np.ones(SIZE, np.bool_)
Measure = Callable[[np.ndarray, np.ndarray, np.ndarray], float | None]
MEASURES = (psnr, ssim, ms_ssim)


def test_an_equal_picture_has_the_best_score_of_each() -> None:
    _, truth = pair()
    assert psnr(truth, truth, ALL) == BEST_PSNR
    assert ssim(truth, truth, ALL) == pytest.approx(1)
    assert ms_ssim(truth, truth, ALL) == pytest.approx(1)


def test_psnr_and_ssim_are_the_librarys_where_all_is_observed() -> None:
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    estimate, truth = pair()
    assert psnr(estimate, truth, ALL) == pytest.approx(peak_signal_noise_ratio(truth, estimate), abs=1e-4)
    gray = [picture @ np.array([0.299, 0.587, 0.114]) for picture in (truth, estimate)]
    theirs = structural_similarity(*gray, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    assert ssim(estimate, truth, ALL) == pytest.approx(theirs, abs=1e-4)


def test_ms_ssim_is_what_another_library_gives() -> None:
    estimate, truth = pair()
    # multiscale_structural_similarity_index_measure of torchmetrics 1.9.0, on the luminance, data_range=255
    assert ms_ssim(estimate, truth, ALL) == pytest.approx(0.9731, abs=2e-4)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_worse_picture_scores_less(measure: Measure) -> None:
    estimate, truth = pair()
    worse = cv2.GaussianBlur(estimate, (0, 0), 6)
    assert measure(worse, truth, ALL) < measure(estimate, truth, ALL)
    assert measure(255 - truth, truth, ALL) < measure(worse, truth, ALL)


@pytest.mark.parametrize("measure", MEASURES)
def test_what_was_not_observed_has_no_influence(measure: Measure) -> None:
    estimate, truth = pair()
    observed = ALL.copy()
    observed[60:120, 100:180] = False
    before = measure(estimate, truth, observed)
    spoiled = estimate.copy()
    spoiled[~observed] = 0
    assert measure(spoiled, truth, observed) == before
    assert measure(spoiled, truth, ALL) < before
    assert measure(estimate, truth, ~ALL) is None


def test_a_picture_too_small_for_a_measure_has_no_score() -> None:
    estimate, truth = (picture[:100, :100] for picture in pair())
    seen = ALL[:100, :100]
    assert ms_ssim(estimate, truth, seen) is None
    assert ssim(estimate, truth, seen) is not None
    assert ssim(estimate[:10], truth[:10], seen[:10]) is None


def test_same_colour_counts_leaked_pixels_by_their_weight() -> None:
    truth = np.full((10, 10, 3), 120, np.uint8)
    estimate = truth.copy()
    estimate[:, 5:] = (200, 60, 60)
    weight = np.zeros((10, 10), np.float32)
    weight[:, 4:6] = (0.9, 0.3)
    everywhere = np.ones((10, 10), np.bool_)
    assert same_colour(estimate, truth, everywhere, weight) == pytest.approx({"share": 0.75, "observed_share": 1.0})
    seen = everywhere.copy()
    seen[:, 5:] = False
    assert same_colour(estimate, truth, seen, weight) == pytest.approx({"share": 1.0, "observed_share": 0.75})
    assert same_colour(estimate, truth, ~everywhere, weight) == {"share": None, "observed_share": 0.0}
    assert same_colour(estimate, truth, everywhere, 0 * weight) == {"share": None, "observed_share": None}


def test_a_colour_is_the_same_up_to_four_and_no_farther() -> None:
    truth = np.full((4, 4, 3), 120, np.uint8)
    leaked, seen = np.ones((4, 4), np.float32), np.ones((4, 4), np.bool_)
    near, far = truth + np.uint8(5), truth + np.uint8(15)  # CIEDE2000 of about 1.9 and 5.6
    assert same_colour(near, truth, seen, leaked)["share"] == 1.0
    assert same_colour(far, truth, seen, leaked)["share"] == 0.0
