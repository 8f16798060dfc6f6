"""A product at work: what it remembers, when it looks, and what it does without a mask. The model is a stand-in."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from vbtools.simulate import product as module
from vbtools.simulate.product import Product
from vbtools.simulate.profile import PROFILES, scheme

ROWS, COLUMNS = 90, 160


class BrightIsPerson:
    """A model that takes what is bright for the person, and counts how often it was asked."""

    asked = 0

    def __init__(self, weights: object) -> None:
        type(self).asked = 0

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        type(self).asked += 1
        return np.where(frame[..., 0] > 127, 255, 0).astype(np.uint8)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch):
    monkeypatch.setattr(module, "backend", lambda *_: SimpleNamespace(load=lambda: BrightIsPerson))
    monkeypatch.setattr(module.models, "resolve", lambda name: name)


def frame(left: int) -> np.ndarray:
    """A dark, finely striped room with a bright person 40 px wide."""
    picture = np.full((ROWS, COLUMNS, 3), 40, np.uint8)
    picture[::2] = 70
    picture[:, left : left + 40] = 230
    return picture


def work(values: dict, lefts: list[int], fails: tuple[int, ...] = ()) -> list[tuple[np.ndarray, np.ndarray]]:
    simple = {"mask": ["enlarge"], "blur": [{"gaussian": {"sigma": 3}}]}
    with Product(scheme(simple | values), ROWS) as product:
        return [product(frame(left), fails=number in fails) for number, left in enumerate(lefts)]


def place(mask: np.ndarray) -> float:
    """Where the middle of what is shown lies."""
    return float((mask[ROWS // 2] > 127).nonzero()[0].mean())


def test_the_mask_shows_the_person_and_nothing_else():
    (shown, mask), *_ = work({}, [60])
    assert np.array_equal(shown[:, 65:95], frame(60)[:, 65:95])
    assert mask[:, 65:95].min() == 255
    assert mask[:, :50].max() == 0
    assert shown[:, :40, 0].std() < frame(60)[:, :40, 0].std() / 4


def test_raw_frames_pass_at_the_start_and_again_after_unmuting():
    with Product(scheme({"mask": ["enlarge"], "blur": ["gaussian"], "strength": 3, "raw_frames": 2}), ROWS) as product:
        seen = [product(frame(60)) for _ in range(4)]
        product.restart()
        seen += [product(frame(60)) for _ in range(3)]
    raw = [bool((mask == 255).all()) for _, mask in seen]
    assert raw == [True, True, False, False, True, True, False]
    assert np.array_equal(seen[0][0], frame(60))


def test_a_late_mask_shows_where_the_person_was_and_all_is_blurred_before():
    seen = work({"delay": 2}, [10, 40, 70, 100])
    assert [int(mask.max()) for _, mask in seen] == [0, 0, 255, 255]
    assert place(seen[2][1]) == pytest.approx(30, abs=2)
    assert place(seen[3][1]) == pytest.approx(60, abs=2)


def test_the_model_runs_on_every_nth_frame():
    seen = work({"every": 3}, [10, 20, 30, 40, 50])
    assert BrightIsPerson.asked == 2
    assert [round(place(mask), -1) for _, mask in seen] == [30, 30, 30, 60, 60]


def test_a_gate_holds_the_mask_while_little_changes():
    work({"gate": 30}, [60, 60, 60, 100])
    assert BrightIsPerson.asked == 2
    work({}, [60, 60, 60, 100])
    assert BrightIsPerson.asked == 4


@pytest.mark.parametrize(("values", "expected"), [
    ({"failing": "hold"}, ["seen", "held", "held", "held", "seen"]),
    ({"failing": "closed"}, ["seen", "none", "none", "none", "seen"]),
    ({"failing": "raw"}, ["seen", "raw", "raw", "raw", "seen"]),
    ({"failing": "hold", "raw_after": 2}, ["seen", "held", "held", "raw", "seen"]),
], ids=str)  # fmt: skip
def test_what_happens_while_the_model_fails(values, expected):
    seen = work(values, [10, 30, 50, 70, 90], fails=(1, 2, 3))

    def kind(number: int, mask: np.ndarray) -> str:
        if mask.min() == 255:
            return "raw"
        if mask.max() == 0:
            return "none"
        return "held" if abs(place(mask) - 30) < 3 and number else "seen"

    assert [kind(number, mask) for number, (_, mask) in enumerate(seen)] == expected


def test_a_centred_view_never_shows_what_lies_beside_it():
    seen = work({"view": "centre", "model": "selfie-square"}, [0, 60])
    assert seen[0][1][:, :35].max() == 0  # the person is there, but the model sees only the middle 90 columns
    assert seen[1][1][:, 65:95].min() == 255


def test_an_average_trails_and_a_decay_forgets_in_three_frames():
    trailing = work({"mask": ["enlarge", {"average": {"keep": 0.5}}]}, [10, 110, 110, 110])
    assert [int(mask[45, 30]) for _, mask in trailing] == [255, 128, 64, 32]
    forgetting = work({"mask": ["decay", "enlarge"]}, [110, 10, 10, 10])
    background = [255 - int(mask[45, 30]) for _, mask in forgetting]
    assert background == [224, 28, 3, 0]


def test_lengths_scale_with_the_frame_where_the_scheme_has_rows():
    def spread(rows: int) -> float:
        (shown, _), *_ = work({"strength": 8, "blur": ["gaussian"], "rows": rows}, [60])
        return float(np.abs(np.diff(shown[45, :60, 0].astype(int))).max())

    assert spread(360) > 1.5 * spread(0)  # sigma 2 instead of 8: a steeper flank beside the person


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_product_works_on_frames_of_any_shape(name):
    with Product(PROFILES[name].scheme, 90) as product:
        for _ in range(4):
            shown, mask = product(frame(60))
    assert shown.shape == (ROWS, COLUMNS, 3)
    assert shown.dtype == mask.dtype == np.uint8
    assert mask.shape == (ROWS, COLUMNS)
    tall = np.ascontiguousarray(frame(60).transpose(1, 0, 2))
    with Product(PROFILES[name].scheme, 160) as product:
        assert product(tall)[0].shape == tall.shape


def test_the_same_frames_give_the_same_call_again():
    for name in ("volcomix", "obs", "kaito", "jitsi2"):
        runs = []
        for _ in range(2):
            with Product(PROFILES[name].scheme, ROWS) as product:
                runs.append([product(frame(left)) for left in (20, 40, 60)])
        for (a, b), (c, d) in zip(*runs, strict=True):
            assert np.array_equal(a, c)
            assert np.array_equal(b, d)
