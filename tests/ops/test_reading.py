"""A leak image's versions: exposed detail at even contrast, the rest plain, at the sizes that a reader needs."""

import cv2
import numpy as np

from vbtools.ops import reading
from vbtools.ops.reading import SCALES, evened, few_versions, versions


def faint() -> np.ndarray:
    """Letters on a bright slope, at a quarter of their contrast on the right."""
    ink = np.full((120, 300), 255, np.uint8)
    cv2.putText(ink, "ROOM ROOM", (20, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 0, 4, cv2.LINE_AA)
    gain = np.where(np.arange(300) < 150, 0.4, 0.1)
    return np.clip(100 + np.arange(300) / 4 - gain * (255.0 - ink), 0, 255).astype(np.uint8)


def test_letters_of_faint_and_of_strong_contrast_come_out_alike() -> None:
    before, after = faint(), evened(faint(), np.ones((120, 300), np.float32), reading.FINE)
    halves = [[part[35:75, 25:140].std(), part[35:75, 160:275].std()] for part in (before, after)]
    assert halves[0][0] > 2.5 * halves[0][1]
    assert halves[1][0] < 1.4 * halves[1][1]


def test_what_was_not_exposed_is_plain_grey() -> None:
    weight = np.zeros((120, 300), np.float32)
    weight[:, :150] = 1
    after = evened(faint(), weight, reading.FINE)
    assert after[:, 170:].std() < 1
    assert after[:, :140].std() > 10


def test_versions_cover_what_was_exposed_at_every_scale() -> None:
    background = cv2.cvtColor(faint(), cv2.COLOR_GRAY2RGB)
    exposure = np.zeros((120, 300), np.float32)
    exposure[30:80, 40:200] = 0.5
    made = list(versions(background, exposure, exposure))
    assert {one.scale for one in made} == set(SCALES)
    assert {(one.left, one.top) for one in made} == {(20, 10)}
    for one in made:
        assert one.picture.dtype == np.uint8
        assert np.allclose(np.array(one.picture.shape) / (one.scale, one.scale, 1), (89, 199, 3), atol=1)
    inside = [one.picture[25:65, 30:170, 0].astype(float).ravel() for one in made if one.scale == 1]
    signs = {np.sign(np.corrcoef(inside[0], other)[0, 1]) for other in inside[1:]}
    assert signs == {1.0, -1.0}, "both polarities"


def test_few_versions_are_the_picture_itself_and_two_evened_ones() -> None:
    background = cv2.cvtColor(faint(), cv2.COLOR_GRAY2RGB)
    background[..., 0] //= 2
    exposure = np.zeros((120, 300), np.float32)
    exposure[30:80, 40:200] = 0.5
    plain, fine, coarse = few_versions(background, exposure)
    assert {(one.left, one.top) for one in (plain, fine, coarse)} == {(20, 10)}
    assert np.array_equal(plain.picture, background[10:99, 20:219])
    assert (fine.scale, coarse.scale) == (1, reading.LARGER)
    for one in (fine, coarse):
        assert np.allclose(np.array(one.picture.shape) / (one.scale, one.scale, 1), (89, 199, 3), atol=1)
        assert one.picture[:4].std() < 1, "what was not exposed is plain grey"
    assert list(few_versions(background, np.zeros_like(exposure))) == []


def test_there_is_no_version_where_nothing_was_exposed() -> None:
    nothing = np.zeros((120, 300), np.float32)
    assert list(versions(cv2.cvtColor(faint(), cv2.COLOR_GRAY2RGB), nothing, nothing)) == []
