"""deconvolve: what the blur left is brought back, what noise drowned is not, and an unknown kernel changes nothing."""

import cv2
import numpy as np
import pytest
from fakes import FakeReader

from vbtools.backends.enhance.deconvolve import Deconvolve, DeconvolveParams
from vbtools.errors import InputError
from vbtools.ops import blur_kernel
from vbtools.ops.deconvolution import away_from_holes, best_of_both, carried, channel, limits, restored, within_borders

SIZE = (240, 360)


def room() -> np.ndarray:
    rng = np.random.default_rng(7)
    plane = np.full(SIZE, 130, np.float32)
    for side in (90, 60, 40, 25):
        for _ in range(12):
            y, x = (int(rng.integers(0, limit)) for limit in SIZE)
            plane[y : y + side, x : x + int(side * 1.4)] = rng.uniform(20, 235)
    return plane


def error(estimate: np.ndarray) -> float:
    inner = (slice(20, -20), slice(20, -20))
    return float(np.sqrt(np.mean((estimate[inner].astype(float) - room()[inner]) ** 2)))


@pytest.mark.parametrize("method", ["wiener", "tv"])
def test_a_known_blur_is_undone(method: str) -> None:
    plate = np.rint(blur_kernel.blurred(room(), "truncated", 4.0))
    undone = restored(plate, "truncated", 4.0, limits(plate, "truncated", 4.0), method)
    assert error(undone) < (0.65 if method == "tv" else 0.75) * error(plate)


def test_noise_lowers_the_cut_off_and_is_not_amplified() -> None:
    clean = blur_kernel.blurred(room(), "gaussian", 4.0)
    noisy = (clean + np.random.default_rng(1).normal(0, 8, SIZE)).astype(np.float32)
    found = limits(noisy, "gaussian", 4.0)
    assert found.noise == pytest.approx(8, rel=0.2)
    assert found.cutoff <= limits(clean, "gaussian", 4.0).cutoff
    flat = np.full(SIZE, 120, np.float32) + np.random.default_rng(2).normal(0, 8, SIZE).astype(np.float32)
    undone = restored(flat, "gaussian", 4.0, limits(flat, "gaussian", 4.0), "tv")
    assert undone.std() < flat.std()


def test_a_stronger_blur_has_a_lower_cut_off_and_carries_less() -> None:
    weak, strong = (limits(blur_kernel.blurred(room(), "gaussian", s), "gaussian", s) for s in (3.0, 9.0))
    assert strong.cutoff < 0.5 * weak.cutoff
    assert carried("gaussian", 9.0, strong, 4.0) < carried("gaussian", 3.0, weak, 4.0)


def test_each_pixel_s_detail_is_from_the_channel_that_carries_more() -> None:
    plate = np.zeros(SIZE, np.float32)
    rng = np.random.default_rng(3)
    leak, undone = (rng.normal(0, 10, SIZE).astype(np.float32) for _ in range(2))
    believed = np.zeros(SIZE, np.float32)
    believed[:, 180:] = 1
    both = best_of_both(undone, plate, leak, believed, 0.5, 2.0)
    assert np.corrcoef(both[:, :160].ravel(), undone[:, :160].ravel())[0, 1] > 0.99
    assert np.corrcoef(both[:, 200:].ravel(), leak[:, 200:].ravel())[0, 1] > 0.9


def test_a_picture_alone_tells_its_own_kernel_and_says_what_was_done() -> None:
    blurred = cv2.cvtColor(np.rint(cv2.GaussianBlur(room(), (0, 0), 4.0)).astype(np.uint8), cv2.COLOR_GRAY2RGB)
    step = Deconvolve(DeconvolveParams(sigma=4.0))
    undone = step(blurred, np.ones(SIZE, bool))
    assert error(undone[..., 0]) < 0.8 * error(blurred[..., 0])
    assert "cycles/px" in step.notes[0]
    assert step.told is not None
    assert step.told["cutoff"] > 0


def test_where_the_kernel_cannot_be_told_nothing_is_changed() -> None:
    wall = np.random.default_rng(0).integers(118, 123, (*SIZE, 3)).astype(np.uint8)
    step = Deconvolve(DeconvolveParams())
    assert np.array_equal(step(wall, np.ones(SIZE, bool)), wall)
    assert step.told is None
    assert "cannot tell" in step.notes[0]
    with pytest.raises(InputError, match="family"):
        Deconvolve(DeconvolveParams(family="box"))(wall, np.ones(SIZE, bool))


def test_a_picture_without_blur_stays_as_it_is_and_that_is_said() -> None:
    sharp = cv2.cvtColor(np.rint(cv2.GaussianBlur(room(), (0, 0), 0.6)).astype(np.uint8), cv2.COLOR_GRAY2RGB)
    step = Deconvolve(DeconvolveParams())
    assert np.array_equal(step(sharp, np.ones(SIZE, bool)), sharp)
    assert step.told is None
    assert "not blurred" in step.notes[0]


def test_what_unobserved_pixels_hold_changes_no_observed_pixel() -> None:
    image = cv2.cvtColor(np.rint(cv2.GaussianBlur(room(), (0, 0), 4.0)).astype(np.uint8), cv2.COLOR_GRAY2RGB)
    observed = np.ones(SIZE, bool)
    observed[60:120, 80:200] = False
    other = image.copy()
    other[~observed] = 255
    first, second = (Deconvolve(DeconvolveParams(sigma=4.0))(picture, observed) for picture in (image, other))
    assert np.array_equal(first[observed], second[observed])


def test_nothing_is_undone_at_the_borders_and_everything_six_sigma_inside() -> None:
    share = within_borders(*SIZE, 4.0)
    assert share[0].max() == share[-1].max() == share[:, 0].max() == share[:, -1].max() == 0
    assert (share[24:-24, 24:-24] == 1).all()
    assert (np.diff(share[:120, 180]) >= 0).all()


def test_nothing_is_undone_in_a_hole_and_everything_two_sigma_from_it() -> None:
    where = np.ones(SIZE, bool)
    where[100:140, 100:200] = False
    share = away_from_holes(where, 4.0)
    assert share[~where].max() == 0
    assert (np.diff(share[139:, 150]) >= 0).all()
    assert share[148:, :].min() == share[:, :91].min() == 1
    assert (away_from_holes(np.ones(SIZE, bool), 4.0) == 1).all()


def test_a_kernel_that_is_not_known_leaves_the_plate_and_a_known_one_brings_detail_above_its_noise() -> None:
    plate = np.rint(blur_kernel.blurred(room(), "truncated", 4.0)).astype(np.float32)
    where = np.ones(SIZE, bool)
    where[100:140, 100:200] = False
    nothing = channel(plate, "gaussian", float("nan"), where, 2.0)
    assert nothing.undone is plate
    assert nothing.carried == 0
    found = channel(plate, "truncated", 4.0, where, 2.0)
    assert error(found.undone) < 0.9 * error(plate)
    assert np.array_equal(found.undone[~where], plate[~where])
    assert 0.3 < found.carried <= 1
    noise = np.random.default_rng(5).normal(0, found_noise(plate), SIZE).astype(np.float32)
    assert found.noise < 6 * noise.std()


def found_noise(plate: np.ndarray) -> float:
    return limits(plate, "truncated", 4.0).noise


def test_what_aggregate_has_undone_already_is_not_undone_again() -> None:
    plate = np.repeat(np.rint(blur_kernel.blurred(room(), "truncated", 4.0))[..., None], 3, axis=2).astype(np.float32)
    seen = np.ones(SIZE, bool)
    once = restored(plate[..., 0], "truncated", 4.0, limits(plate[..., 0], "truncated", 4.0), "tv")
    pictures = []
    for background in (plate, np.repeat(once[..., None], 3, axis=2)):
        nothing = np.zeros(SIZE, np.float32)
        held = {"plate": plate, "leak": nothing, "confidence": nothing, "support": nothing, "background": background}
        step = Deconvolve(DeconvolveParams(family="truncated", sigma=4.0))
        step.prepare(FakeReader({"aggregate": held}))  # type: ignore[arg-type]
        pictures.append(step(np.clip(background, 0, 255).astype(np.uint8), seen))
    assert np.array_equal(*pictures)
