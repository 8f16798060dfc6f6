"""A blur is told from what lies behind it: how wide, cut or not, whole frame or person kept out; or not at all."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from vbtools.ops import blur_kernel
from vbtools.ops.blur_bleeding import UNSEEN, Kind, Samples
from vbtools.ops.blur_edges import Width, width
from vbtools.ops.blur_kind import CANNOT_TELL, EXCLUDED, UNDECIDED, WHOLE, Kernel, answer, kernel_of, whole_or_excluded
from vbtools.ops.blur_spectrum import NOTHING, Falloff, falloff

SIZE = (360, 640)


def room(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Furniture: overlapping rectangles of many sizes and tones, (H, W) float32."""
    rng = np.random.default_rng(seed)
    plane = np.full(size, 120, np.float32)
    for side in (200, 120, 90, 60, 40):
        for _ in range(10):
            y, x = (int(rng.integers(-side // 2, limit)) for limit in size)
            high, wide = (int(side * rng.uniform(0.6, 1.6)) for _ in range(2))
            plane[max(y, 0) : max(y + high, 0), max(x, 0) : max(x + wide, 0)] = rng.uniform(20, 235)
    return plane


def everywhere(plane: np.ndarray) -> np.ndarray:
    return np.ones(plane.shape, bool)


@pytest.mark.parametrize("family", blur_kernel.FAMILIES)
@pytest.mark.parametrize("sigma", [2.3, 5.2, 14.0])
def test_a_kernel_has_the_sigma_that_it_is_asked_for(family: str, sigma: float) -> None:
    taps = blur_kernel.taps(family, sigma).astype(float)
    at = np.arange(len(taps)) - len(taps) // 2
    assert taps.sum() == pytest.approx(1, abs=1e-5)
    assert np.sqrt((taps * at * at).sum()) == pytest.approx(sigma, rel=0.03)


@pytest.mark.parametrize("family", blur_kernel.FAMILIES)
def test_the_transfer_is_the_kernel_s_fourier_transform(family: str) -> None:
    taps = blur_kernel.taps(family, 4.0)
    padded = np.zeros(128)
    padded[: len(taps)] = taps
    expected = np.abs(np.fft.rfft(padded))
    assert np.abs(blur_kernel.transfer(family, 4.0, np.fft.rfftfreq(128))) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("sigma", [4.0, 7.5, 14.0])
def test_edges_tell_how_wide_a_gaussian_is(sigma: float) -> None:
    plate = np.rint(cv2.GaussianBlur(room(3), (0, 0), sigma))
    found = width(plate, everywhere(plate))
    assert found.is_clear
    assert found.sigma == pytest.approx(sigma, rel=0.15)


def test_a_blank_wall_and_noise_tell_nothing() -> None:
    rng = np.random.default_rng(0)
    wall = (120 + rng.normal(0, 2, SIZE)).astype(np.float32)
    found = width(wall, everywhere(wall))
    assert not found.is_clear
    spectrum = falloff(wall, everywhere(wall))
    assert spectrum == NOTHING
    assert kernel_of(found, spectrum).family == CANNOT_TELL


def test_what_was_not_seen_has_next_to_no_say() -> None:
    plate = cv2.GaussianBlur(room(3), (0, 0), 6.0)
    known = everywhere(plate)
    known[:, 400:] = False
    sharp = plate.copy()
    sharp[:, 400:] = room(9)[:, 400:]
    other = width(np.where(known, plate, 120).astype(np.float32), known)
    assert width(sharp, known).sigma == pytest.approx(other.sigma, rel=0.02)  # a re-blur's tails reach a little further


@pytest.mark.parametrize("sigma", [5.0, 9.0, 16.0])
def test_the_spectrum_tells_how_wide_a_gaussian_is(sigma: float) -> None:
    plate = np.rint(cv2.GaussianBlur(room(3), (0, 0), sigma))
    found = falloff(plate, everywhere(plate))
    assert found.family == "gaussian"
    assert found.sigma == pytest.approx(sigma, rel=0.15)


@pytest.mark.parametrize(("family", "sigma"), [("truncated", 4.5), ("truncated", 7.0), ("short", 5.0), ("short", 8.3)])
def test_a_cut_kernel_s_zero_tells_its_sigma_closely(family: str, sigma: float) -> None:
    plate = np.rint(blur_kernel.blurred(room(6), family, sigma))
    found = falloff(plate, everywhere(plate))
    assert found.family not in ("", "gaussian")
    assert found.sigma == pytest.approx(sigma, rel=0.06)


def test_a_canvas_s_dark_borders_do_not_make_a_blur_look_narrower() -> None:
    wide = cv2.copyMakeBorder(room(3, (540, 960)), 90, 90, 90, 90, cv2.BORDER_CONSTANT, value=0)
    dark = np.rint(cv2.GaussianBlur(wide, (0, 0), 18.0)[90:-90, 90:-90])
    assert falloff(dark, everywhere(dark)).sigma == pytest.approx(18.0, rel=0.12)


def test_what_was_not_seen_does_not_reach_the_spectrum() -> None:
    plate = np.rint(cv2.GaussianBlur(room(3), (0, 0), 7.0))
    known = everywhere(plate)
    known[100:, 250:400] = False
    drawn = np.where(known, plate, room(9)).astype(np.float32)
    assert falloff(drawn, known).sigma == pytest.approx(falloff(plate, known).sigma, rel=0.01)


def test_edges_and_spectrum_that_contradict_each_other_make_the_answer_unsure() -> None:
    agreed = kernel_of(Width(8.0, 0.6, 500.0), Falloff("gaussian", 8.4, 0.2))
    apart = kernel_of(Width(8.0, 0.6, 500.0), Falloff("gaussian", 14.0, 0.2))
    assert agreed.sigma == pytest.approx(8.2, rel=0.02)
    assert agreed.error < 0.1
    assert apart.error > 0.25
    assert apart.sigma == pytest.approx(np.sqrt(8.0 * 14.0), rel=0.02)


def test_a_cut_kernel_is_told_from_a_bell() -> None:
    cut, bell = (blur_kernel.blurred(room(5), family, 5.2) for family in ("truncated", "gaussian"))
    for blurred, is_cut in ((cut, True), (bell, False)):
        plate = np.rint(blurred)
        kernel = kernel_of(width(plate, everywhere(plate)), falloff(plate, everywhere(plate)))
        assert (kernel.family != "gaussian") == is_cut
        assert kernel.sigma == pytest.approx(5.2, rel=0.15)


def call(sigma: float, whole: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames and masks of a bright person who moves before a room, and the plate: a product without any mask error."""
    background = room(4) * 0.6
    frames, persons = [], []
    for shift in np.linspace(-40, 40, 12):
        person = np.zeros(SIZE, np.uint8)
        cv2.ellipse(person, (int(320 + shift), 300), (70, 200), 0, 0, 360, 1, -1)
        drawn = np.where(person > 0, np.float32(235), background)
        if whole:
            blurred = cv2.GaussianBlur(drawn, (0, 0), sigma)
        else:
            free = 1 - person.astype(np.float32)
            share = cv2.GaussianBlur(free, (0, 0), sigma)
            blurred = cv2.GaussianBlur(drawn * free, (0, 0), sigma) / np.maximum(share, 1e-3)
        frames.append(np.where(person > 0, drawn, blurred))
        persons.append(person)
    stack = np.repeat(np.rint(np.stack(frames))[..., None], 3, axis=3).astype(np.uint8)
    return stack, np.stack(persons), cv2.GaussianBlur(background, (0, 0), sigma)


@pytest.mark.parametrize("sigma", [4.0, 7.0, 14.0])
@pytest.mark.parametrize(("whole", "expected"), [(True, WHOLE), (False, EXCLUDED)])
def test_the_person_s_colours_tell_whole_from_excluded(whole: bool, expected: int, sigma: float) -> None:
    frames, persons, plate = call(sigma, whole)
    samples = Samples(frames, persons, plate, everywhere(plate))
    kind = samples.kind(sigma)
    told, sure = whole_or_excluded(sigma, kind, SIZE[0])
    assert told == expected
    assert sure > 0.8
    assert (kind.whole < kind.excluded) == whole
    assert (kind.reach > 0.8) == whole  # more than 1: this mask has no margin


def test_where_reach_rest_and_strength_speak_against_each_other_nothing_is_decided() -> None:
    against = Kind(strength=0.56, anew=2.1, whole=0.99, excluded=0.98, contrast=1.2, pixels=10_000, reach=0.04)
    assert whole_or_excluded(25.0, against, 720)[0] == UNDECIDED
    agreed = Kind(strength=0.3, anew=0.6, whole=1.0, excluded=0.96, contrast=1.5, pixels=10_000, reach=0.07)
    assert whole_or_excluded(18.0, agreed, 720)[0] == EXCLUDED


def test_a_rim_that_the_mask_misses_is_not_taken_for_the_whole_frame() -> None:
    rim = Kind(strength=0.75, anew=-0.5, whole=0.76, excluded=1.0, contrast=4.0, pixels=10_000, reach=0.5)
    assert whole_or_excluded(6.0, rim, 720)[0] == UNDECIDED
    assert whole_or_excluded(15.0, rim, 720)[0] == WHOLE
    assert whole_or_excluded(6.0, replace(rim, reach=0.9), 720)[0] == WHOLE


def test_bleeding_is_strongest_explained_by_its_own_sigma() -> None:
    frames, persons, plate = call(13.0, whole=True)
    bleeding = Samples(frames, persons, plate, everywhere(plate)).bleeding()
    kernel = kernel_of(width(np.zeros_like(plate), everywhere(plate)), NOTHING, bleeding)
    assert kernel.sigma == pytest.approx(13.0, rel=0.25)


def test_without_evidence_the_answer_is_cannot_tell() -> None:
    found = answer(Kernel(), UNSEEN, float("nan"), 720)
    assert found.profile == found.family == CANNOT_TELL
    assert np.isnan(found.sigma)
    assert found.whole == UNDECIDED
    faint = Kind(strength=1.0, anew=0.0, whole=0.5, excluded=1.0, contrast=0.01, pixels=10_000)
    assert whole_or_excluded(15.0, faint, 720)[0] == UNDECIDED


def test_the_nearest_profile_has_its_sigma() -> None:
    strong = Kind(strength=1.0, anew=0.0, whole=0.5, excluded=1.0, contrast=2.0, pixels=10_000)
    found = answer(Kernel("gaussian", 25.0, 0.1), strong, float("nan"), 720)
    assert {found.profile, *found.others.split(", ")} == {"jitsi", "jitsi2", "bbb"}
    assert 0.2 < found.sure < 0.5
    assert answer(Kernel("gaussian", 90.0, 0.1), strong, float("nan"), 720).profile == CANNOT_TELL
