"""The person of a frame is made only where the person is, and is the same as if it had been made everywhere."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from vbtools.evidence.forward import OUTLINE, _layer, _smooth, mask_distance
from vbtools.ops import forward, fringe

SIZE = (180, 320)


def probabilities() -> dict[str, np.ndarray]:
    """A segmenter's answers on its own grid, 0-255."""
    blob = np.zeros((72, 128), np.float32)
    cv2.ellipse(blob, (50, 60), (18, 30), 0, 0, 360, 255, -1)
    cv2.circle(blob, (110, 12), 5, 255, -1)
    soft = cv2.GaussianBlur(blob, (0, 0), 2).astype(np.uint8)
    return {"person": soft, "nobody": np.zeros_like(soft), "everywhere": np.full_like(soft, 255), "faint": soft // 3}


@pytest.mark.parametrize("name", probabilities())
def test_the_person_is_the_same_as_made_everywhere(name: str) -> None:
    probability, unit = probabilities()[name], SIZE[0] / 720
    frame = np.random.default_rng(3).integers(0, 256, (*SIZE, 3), np.uint8)
    clip = SimpleNamespace(size=SIZE, threshold=0.3)
    layer = _layer(clip, 7, frame, probability)  # type: ignore[arg-type]

    outline = mask_distance(probability, SIZE, OUTLINE)
    alpha = forward.person_alpha(_smooth(outline, unit), unit)
    core = (outline <= -forward.CORE_PX * unit).astype(np.uint8)
    person = forward.extended(frame, core, forward.SMOOTH_PX * unit)

    assert layer.number == 7
    assert_array_equal(layer.alpha, alpha)
    shown = alpha > 0
    assert_array_equal(layer.person[shown], person[shown])
    mask = mask_distance(probability, SIZE, clip.threshold)
    within = mask <= fringe.EDGES_PX[-1] * unit
    assert layer.distance[within] == pytest.approx(mask[within], abs=1e-4)
    assert (layer.distance[~within] > fringe.EDGES_PX[-1] * unit).all()
