"""The halo gives the blur away; what is drawn over the picture is told from what is blurred."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vbtools.ops import halo
from vbtools.ops.overlays import overlays, shines_through, unblurred

SIZE = (360, 640)


def haloed(sigma: float, strength: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Frames, probabilities and distances of a dark person before a blurred wall, and the plate."""
    rng = np.random.default_rng(1)
    plate = cv2.GaussianBlur(rng.normal(150, 300, (*SIZE, 3)).astype(np.float32), (0, 0), 12)
    frames, probability, distance = [], [], []
    for x in np.linspace(150, 490, 12):
        body = np.zeros(SIZE, np.uint8)
        cv2.ellipse(body, (int(x), 360), (70, 200), 0, 0, 360, 1, -1)
        spread = cv2.GaussianBlur(body[..., None] * (40 - plate), (0, 0), sigma)
        frame = np.where(body[..., None] > 0, 40, plate + strength * spread) + rng.normal(0, 1, (*SIZE, 1))
        frames.append(np.clip(frame, 0, 255).astype(np.uint8))
        probability.append(body * np.uint8(255))
        distance.append(cv2.distanceTransform(1 - body, cv2.DIST_L2, 5) - cv2.distanceTransform(body, cv2.DIST_L2, 5))
    return np.stack(frames), np.stack(probability), np.stack(distance), plate


def fitted(sigma: float, strength: float = 1.0) -> tuple[halo.Halo, np.ndarray, np.ndarray]:
    frames, probability, distance, plate = haloed(sigma, strength)
    small = [np.stack([halo.shrunk(one) for one in planes]) for planes in (frames, probability, distance)]
    return (*halo.fit(*small, SIZE[0])[:2], plate)


@pytest.mark.parametrize("sigma", [7.5, 11.0, 16.5])
def test_the_sigma_of_a_whole_frame_blur_is_read_from_the_halo(sigma: float) -> None:
    found, plate, truth = fitted(sigma)
    assert found.sigma == pytest.approx(sigma, rel=0.15)
    assert found.strength > 0.9
    assert np.abs(plate - halo.shrunk(truth)).mean() < 1.5


def test_a_blur_that_keeps_the_person_out_has_no_halo() -> None:
    found, _, _ = fitted(11.0, strength=0.0)
    assert found == halo.NO_HALO


def test_the_halo_of_a_frame_takes_it_to_the_plate() -> None:
    frames, probability, distance, plate = haloed(11.0, 1.0)
    one = halo.enlarged(halo.of_frame(frames[4], probability[4], halo.shrunk(plate), halo.Halo(11.0, 1.0, 1.0)), SIZE)
    beside = (distance[4] > 4) & (distance[4] < 30)
    left = np.abs(frames[4] - plate - one)[beside].mean()
    assert left < 2.5 < np.abs(frames[4] - plate)[beside].mean()


def drawn(sigma: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    wall = np.full(SIZE, 150, np.float32)
    for _ in range(60):
        x, y = rng.integers(0, SIZE[1]), rng.integers(0, SIZE[0])
        cv2.rectangle(wall, (int(x), int(y)), (int(x) + 40, int(y) + 30), float(rng.integers(0, 255)), -1)
    picture = cv2.GaussianBlur(wall, (0, 0), sigma) if sigma else wall
    label = np.zeros(SIZE, np.uint8)
    cv2.putText(label, "Anna 12:30", (30, 330), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 1, 2)
    picture[label > 0] = 250
    return picture, label > 0


@pytest.mark.parametrize("sigma", [4.0, 8.0, 15.0])
def test_a_label_over_a_blur_is_found_and_nothing_else(sigma: float) -> None:
    picture, label = drawn(sigma)
    found = overlays(picture, np.ones(SIZE, np.float32), np.ones(SIZE, np.bool_), 0.5)
    assert found[label].mean() > 0.9
    near = cv2.dilate(label.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    assert not found[~near].any()


def test_what_moves_or_was_hardly_seen_is_no_overlay() -> None:
    picture, _ = drawn(8.0)
    assert not overlays(picture, np.full(SIZE, 9, np.float32), np.ones(SIZE, np.bool_), 0.5).any()
    assert not overlays(picture, np.ones(SIZE, np.float32), np.zeros(SIZE, np.bool_), 0.5).any()


def test_a_watermark_with_the_person_behind_it_is_found_by_its_edges_and_an_edge_of_the_room_is_not() -> None:
    rng = np.random.default_rng(5)
    picture, mark = drawn(8.0)
    person = cv2.GaussianBlur(rng.normal(90, 400, SIZE).astype(np.float32), (0, 0), 6)
    watermarked = np.where(mark, 0.4 * person + 150, person).astype(np.float32)
    changes, known = np.full(SIZE, 9, np.float32), np.ones(SIZE, np.bool_)
    shown = shines_through(picture, changes, watermarked, known, 0.5)
    assert overlays(picture, changes, known, 0.5, shown)[mark].mean() > 0.9
    covered = shines_through(picture, changes, person, known, 0.5)
    assert overlays(picture, changes, known, 0.5, covered)[mark].mean() < 0.1
    assert not shines_through(picture, changes, watermarked, ~known, 0.5).any()
    assert not shines_through(picture, np.full(SIZE, 60, np.float32), watermarked, known, 0.5).any()


def test_what_is_sharp_and_covered_by_the_person_is_not_blurred_and_what_is_drawn_over_her_is() -> None:
    picture, sign = drawn(8.0)
    everywhere, still, changes = np.ones(SIZE, np.bool_), np.ones(SIZE, np.float32), np.full(SIZE, 9, np.float32)
    nowhere, side = ~everywhere, np.zeros(SIZE, np.bool_)
    side[:, : int(np.argwhere(sign)[:, 1].mean())] = True  # where she stood at times
    covered = np.where(side, np.float32(90), picture)
    deviation = np.where(side, changes, still)
    assert unblurred(picture, still, deviation, covered, side, nowhere, everywhere, 0.5)[sign].mean() > 0.9
    assert not unblurred(picture, still, deviation, picture, side, nowhere, everywhere, 0.5).any()  # its edges stay
    assert not unblurred(picture, changes, deviation, covered, side, nowhere, everywhere, 0.5).any()  # it is not still
    assert not unblurred(picture, still, still, covered, side, nowhere, everywhere, 0.5).any()  # nobody was there
    assert not unblurred(picture, still, deviation, covered, nowhere, nowhere, everywhere, 0.5).any()


def test_what_masks_take_for_the_person_though_nothing_changes_is_not_blurred() -> None:
    picture, sign = drawn(8.0)
    everywhere, still, changes = np.ones(SIZE, np.bool_), np.ones(SIZE, np.float32), np.full(SIZE, 9, np.float32)
    nowhere, side = ~everywhere, np.zeros(SIZE, np.bool_)
    side[:, : int(np.argwhere(sign)[:, 1].mean())] = True  # where masks saw a person at times
    assert unblurred(picture, still, still, picture, side, side, everywhere, 0.5)[sign].mean() > 0.9
    assert not unblurred(picture, still, changes, picture, side, side, everywhere, 0.5).any()  # she was there
    assert not unblurred(picture, still, still, picture, side, nowhere, everywhere, 0.5).any()
