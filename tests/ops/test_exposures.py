"""The oracle's sums: they undo a known mixture, and the leak weight can be found again."""

from __future__ import annotations

import cv2
import numpy as np

from vbtools.ops.exposures import LEAST_LEAK, Exposures, LeakEstimator, Plate, Regions

SIZE = (90, 160)


def scene(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A textured room and its blurred picture, (H, W, 3) float32."""
    noise = np.random.default_rng(seed).normal(size=(*SIZE, 3)).astype(np.float32)
    room = np.clip(128 + 40 * cv2.GaussianBlur(noise, (0, 0), 1.0) * 3, 0, 255)
    return room, cv2.GaussianBlur(room, (0, 0), 10)


def frames(room: np.ndarray, plate: np.ndarray, weight: float, count: int = 8) -> list[tuple[np.ndarray, np.ndarray]]:
    """Frames with a leaking stripe that wanders; each with its leak weights."""
    made = []
    for number in range(count):
        a = np.zeros(SIZE, np.float32)
        a[:, 10 * number : 10 * number + 30] = weight
        made.append((np.rint(a[..., None] * room + (1 - a[..., None]) * plate).astype(np.uint8), a))
    return made


def test_both_oracles_undo_a_known_mixture_where_something_leaked_and_only_there() -> None:
    room, plate = scene()
    for weight, tolerance in ((1.0, 3.0), (0.5, 8.0)):
        exposures = Exposures(*SIZE)
        for call, a in frames(room, plate, weight):
            exposures.add(call, a)
        leaked = exposures.largest > 0
        assert leaked.any()
        assert not leaked[:, 100:].any()
        for picture in (exposures.from_sharpest(plate), exposures.from_weighted_mean(plate)):
            assert np.abs(picture - room)[leaked].mean() < tolerance
            assert np.array_equal(picture[~leaked], plate[~leaked])
        assert np.abs(plate - room)[leaked].mean() > 20


def test_the_weighted_mean_beats_the_sharpest_exposure_where_there_is_noise() -> None:
    room, plate = scene()
    chance = np.random.default_rng(1)
    exposures = Exposures(*SIZE)
    for _ in range(12):
        a = np.full(SIZE, 0.5, np.float32)
        exposures.add(np.clip(0.5 * room + 0.5 * plate + chance.normal(0, 6, room.shape), 0, 255).astype(np.uint8), a)
    sharpest, mean = exposures.from_sharpest(plate), exposures.from_weighted_mean(plate)
    assert np.abs(mean - room).mean() < 0.5 * np.abs(sharpest - room).mean()


def test_weights_too_small_to_be_told_from_noise_are_no_exposures() -> None:
    room, plate = scene()
    exposures = Exposures(*SIZE)
    exposures.add(room.astype(np.uint8), np.full(SIZE, 0.9 * LEAST_LEAK, np.float32))
    assert not exposures.largest.any()
    assert np.array_equal(exposures.from_weighted_mean(plate), plate)


def test_leak_weights_are_found_again_from_room_and_blurred_background() -> None:
    room, plate = scene()
    estimate = LeakEstimator(room, plate)
    everywhere = np.ones(SIZE, np.bool_)
    for weight in (0.0, 0.3, 0.8, 1.0):
        call = np.rint(weight * room + (1 - weight) * plate).astype(np.uint8)
        assert np.abs(estimate(call, everywhere) - weight).mean() < 0.04


def test_no_leak_is_estimated_on_the_person_nor_where_there_is_nothing_to_lose() -> None:
    room, plate = scene()
    free = np.ones(SIZE, np.bool_)
    free[:, :40] = False
    assert not LeakEstimator(room, plate)(room.astype(np.uint8), free)[:, :40].any()
    wall = np.full((*SIZE, 3), 128, np.float32)
    noisy = (wall + np.random.default_rng(0).normal(0, 4, wall.shape)).astype(np.uint8)
    assert not LeakEstimator(wall, wall)(noisy, np.ones(SIZE, np.bool_)).any()


def test_the_person_spoils_no_weight_beside_it() -> None:
    room, plate = scene()
    call = np.rint(0.8 * room + 0.2 * plate).astype(np.uint8)
    free = np.ones(SIZE, np.bool_)
    free[:, :80] = False
    call[:, :80] = (10, 250, 30)
    assert np.abs(LeakEstimator(room, plate)(call, free)[:, 80:84] - 0.8).mean() < 0.1


def test_regions_tell_what_was_shown_and_what_was_swept() -> None:
    regions = Regions(720, 1280, 25.0)
    alpha = np.zeros((720, 1280), np.uint8)
    alpha[200:, 400:800] = 255
    free, far = regions.add(alpha)
    assert not free[500, 500]
    assert free[500, 399]
    assert not far[500, 390]
    assert far[500, 370]
    assert not regions.shown[500, 600]
    assert regions.swept[500, 390]
    assert not regions.swept[500, 370]
    assert not regions.swept[500, 410]
    moved = np.roll(alpha, 200, axis=1)
    regions.add(moved)
    assert regions.shown[500, 410]
    assert regions.swept[500, 590]
    assert not regions.shown[500, 700]
    assert regions.frames == 2


def test_without_a_person_all_is_far_and_nothing_swept() -> None:
    regions = Regions(*SIZE, 25.0)
    free, far = regions.add(np.zeros(SIZE, np.uint8))
    assert free.all()
    assert far.all()
    assert not regions.swept.any()


def test_the_plate_is_the_mean_of_what_is_far_and_is_filled_smoothly_elsewhere() -> None:
    plate = Plate(*SIZE)
    far = np.ones(SIZE, np.bool_)
    far[30:60, 60:90] = False
    for level in (100, 110):
        frame = np.full((*SIZE, 3), level, np.uint8)
        frame[~far] = 0
        plate.add(frame, far)
    assert np.array_equal(plate.observed, far)
    assert np.abs(plate.picture() - 105).max() < 0.01
