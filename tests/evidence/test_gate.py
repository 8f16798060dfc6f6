"""gate: words that a blur left readable are supported, what an enhancement or a reader adds is invented."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from fakes import run_stage

from vbtools.evidence.gate import Gate, _notes, looked_at
from vbtools.ops.blur_kernel import blurred
from vbtools.ops.detail import luminance
from vbtools.ops.word_likeness import likeness

SIZE, SIGMA = (180, 320), 4.0
BOX = {"x": 62.0, "y": 68.0, "width": 170.0, "height": 34.0}
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def room(text: str = "LEASE", seed: int = 0) -> np.ndarray:
    """A wall with a word whose letters are 30 px high, at :data:`BOX`; in a font that the gate does not write."""
    page = np.full((*SIZE, 3), 190, np.uint8)
    cv2.rectangle(page, (250, 20), (300, 160), (120, 90, 60), -1)
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 1.4, 3)
    word = np.full((60, width + 10, 3), 190, np.uint8)
    cv2.putText(word, text, (5, 45), cv2.FONT_HERSHEY_DUPLEX, 1.4, (40, 40, 40), 3, cv2.LINE_AA)
    ys, xs = np.nonzero(word[..., 0] < 120)
    ink = word[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1] if len(ys) else word
    page[70:100, 64:230] = cv2.resize(ink, (166, 30), interpolation=cv2.INTER_AREA)
    return page


def plate(scene: np.ndarray, sigma: float = SIGMA) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, 0.7, (*SIZE, 1))
    return (blurred(scene.astype(np.float32), "gaussian", sigma) + noise).astype(np.float32)


def project(seen: np.ndarray, image: np.ndarray | None = None, sigma: float = SIGMA, **more: Any) -> dict[str, Any]:
    """What the gate reads: a plate, its enhanced picture (its contrast doubled, if none is given), one word."""
    enhanced = np.clip(2 * (seen - 128) + 128, 0, 255) if image is None else image
    word = {"image": "enhanced", "text": "LEASE", **BOX, "overlay": 0}
    return {
        "aggregate": {
            "plate": seen, "background": np.clip(seen, 0, 255).astype(np.uint8),
            "coverage": np.ones(SIZE, np.uint32), "blur": [{"family": "gaussian", "sigma": sigma}],
        } | more.pop("aggregate", {}),
        "enhance": {"image": enhanced.astype(np.uint8)},
        "inspect": {"ocr": [{**word, **more.pop("word", {})}], "detections": more.pop("detections", [])},
        **more,
    }  # fmt: skip


def judged(stages: dict[str, Any], **values: Any) -> Any:
    """What the gate writes, and its job; the replays are asked where there are some."""
    return run_stage(Gate(), stages, **{"replays": "replay" in stages, **values})


def verdict(stages: dict[str, Any], **values: Any) -> dict[str, Any]:
    rows: list[dict[str, Any]] = judged(stages, **values)[0]["findings"]
    assert len(rows) == 1
    return rows[0]


def test_a_word_that_the_blur_left_readable_is_supported() -> None:
    row = verdict(project(plate(room())))
    assert row["supported"] == 1, row["why"]
    assert row["signal"] > 2
    assert row["residual"] < 2
    assert "explains what was seen best" in row["why"]


@pytest.mark.parametrize("text", ["HOUSE", "TIGER", "MAPLE", "QUICK", "lease9"])
def test_another_word_than_the_one_that_is_there_is_invented(text: str) -> None:
    row = verdict(project(plate(room()), word={"text": text}))
    assert row["supported"] == 0, row["why"]


def test_a_word_read_off_a_texture_is_invented() -> None:
    rng = np.random.default_rng(3)
    bars = room("")
    for x in range(64, 230, 12):
        cv2.rectangle(bars, (x, 70), (x + int(rng.integers(3, 8)), 100), (40, 40, 40), -1)
    for text in ("lllll", "HHEHH", "MINIM", "WHEEL"):
        row = verdict(project(plate(bars), word={"text": text}))
        assert row["supported"] == 0, (text, row["why"])
        assert "is not what was seen: correlation" in row["why"]


def test_a_word_that_enhancement_painted_is_invented() -> None:
    """Nothing of it was seen: an even wall. Blurred again it would have been."""
    wall = room("")
    wall[60:110, 55:240] = 190
    row = verdict(project(plate(wall), image=room()))
    assert row["supported"] == 0
    assert row["residual"] > 2


def test_a_word_is_invented_where_other_letters_explain_as_much() -> None:
    """At sigma 8 letters of 30 px are like others: 0.92 for two that are wrong, 0.89 for strings drawn by chance."""
    row = verdict(project(plate(room(), 8.0), sigma=8.0, word={"text": "LFASF"}))
    assert row["supported"] == 0
    assert "other letters explain" in row["why"]
    assert verdict(project(plate(room(), 8.0), sigma=8.0))["supported"] == 1


def test_a_picture_that_shows_something_else_than_was_seen_supports_nothing() -> None:
    """Even though the word that is read there is the one that was seen."""
    row = verdict(project(plate(room()), image=room("HOVXK")))
    assert row["supported"] == 0
    assert "blurred again it is not what was seen" in row["why"]


def test_a_word_too_small_for_the_blur_is_invented() -> None:
    """Its letters are 4 sigma high at sigma 4, 2 at sigma 16: nothing of them survives."""
    row = verdict(project(plate(room(), 16.0), image=room(), sigma=16.0))
    assert row["supported"] == 0
    assert row["signal"] < 2
    assert "does not survive the blur" in row["why"]


def test_short_words_are_not_believed_through_the_blur() -> None:
    row = verdict(project(plate(room("LEA")), word={"text": "LEA"}))
    assert row["supported"] == 0
    assert "fewer than 4 letters" in row["why"]


def test_an_unknown_blur_supports_nothing() -> None:
    stages = project(plate(room()), sigma=float("nan"))
    stored, job = judged(stages)
    row = stored["findings"][0]
    assert row["supported"] == 0
    assert np.isnan(row["signal"])
    assert "not known" in row["why"]
    assert any("blur is not known" in note for note in job.notes)


def test_what_the_leak_shows_is_supported_whatever_the_blur() -> None:
    """A blur of 16 hides the word; the background has it from the edge, where it is believed."""
    seen = plate(room(), 16.0)
    leak = {"leak": luminance(room()) - luminance(seen), "confidence": np.full(SIZE, 0.9, np.float32)}
    shown = verdict(project(seen, image=room(), sigma=16.0, aggregate=leak))
    assert shown["supported"] == 1
    assert shown["leak"] > 0.9
    doubted = verdict(
        project(seen, image=room(), sigma=16.0, aggregate={**leak, "confidence": np.full(SIZE, 0.5, np.float32)})
    )
    assert doubted["supported"] == 0
    assert np.isnan(doubted["leak"])
    other = verdict(project(seen, image=room("HOVXK"), sigma=16.0, aggregate=leak))
    assert other["leak"] < shown["leak"] - 0.3


def test_what_comes_back_before_another_room_is_invented() -> None:
    seen = plate(room())
    claim = np.clip(2 * (seen - 128) + 128, 0, 255) @ LUMA
    same = (claim - cv2.GaussianBlur(claim, (0, 0), 1.0)).astype(np.float32)[None]
    other = np.random.default_rng(5).normal(0, 5, (2, *SIZE)).astype(np.float32)
    assert verdict(project(seen, replay={"detail": other}))["supported"] == 1
    row = verdict(project(seen, replay={"detail": np.concatenate([same, other])}))
    assert row["supported"] == 0
    assert "before 1 of 3 other rooms" in row["why"]
    assert verdict(project(seen, replay={"detail": np.concatenate([same, other])}), replays=False)["supported"] == 1


def test_the_replays_are_required_where_they_are_asked_and_only_there() -> None:
    assert "replay" in Gate().requires(Gate().parameters({}))
    assert "replay" not in Gate().requires(Gate().parameters({"replays": False}))


def test_what_is_drawn_over_the_picture_is_not_of_the_room() -> None:
    row = verdict(project(plate(room()), word={"overlay": 1}))
    assert row["supported"] == 0
    assert "drawn over" in row["why"]


@pytest.mark.parametrize("in_room", [True, False])
def test_an_object_must_be_what_was_seen(in_room: bool) -> None:
    """A clock is in the claim and in the room, or in the claim alone."""
    thing = {"image": "enhanced", "label": "clock", "x": 60.0, "y": 110.0, "width": 50.0, "height": 50.0, "overlay": 0}
    claimed = room()
    cv2.circle(claimed, (85, 135), 22, (30, 30, 30), -1)
    cv2.circle(claimed, (85, 135), 12, (220, 220, 220), -1)
    stages = project(plate(claimed if in_room else room()), image=claimed, detections=[thing])
    stages["inspect"]["ocr"] = []
    row = verdict(stages)
    assert (row["kind"], row["what"]) == ("object", "clock")
    assert row["supported"] == in_room, row["why"]
    if not in_room:
        assert "blurred again" in row["why"]
        assert "the layout alone" in verdict(stages, noise=99.0)["why"]


def test_the_picture_of_the_evidence_is_the_enhanced_one_blurred_again() -> None:
    large = cv2.resize(room(), None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    stored, _ = judged(project(plate(room()), image=large))
    wanted = blurred(room().astype(np.float32), "gaussian", SIGMA)
    assert stored["reblurred"].shape == (*SIZE, 3)
    assert np.abs(stored["reblurred"] - wanted).max() <= 1


def test_without_enhancement_there_is_nothing_to_judge() -> None:
    stages = project(plate(room()))
    stages["enhance"] = {}
    stored, job = judged(stages)
    assert stored["findings"] == []
    assert "nothing to judge" in job.notes[0]


def test_only_what_was_found_on_the_enhanced_picture_is_judged() -> None:
    stages = project(plate(room()))
    stages["inspect"]["ocr"].append({**stages["inspect"]["ocr"][0], "image": "raw"})
    assert len(judged(stages)[0]["findings"]) == 1


def test_a_word_leads_others_of_its_shape_and_no_other_does() -> None:
    seen = (plate(room("BRIDGE")) @ LUMA).astype(np.float32)
    box = (BOX["x"], BOX["y"], BOX["width"], BOX["height"])
    lead = {text: likeness(seen, box, text, "gaussian", SIGMA, 0).lead for text in ("BRIDGE", "SCHOOL", "WINTER")}
    assert lead["BRIDGE"] > 3
    assert max(lead["SCHOOL"], lead["WINTER"]) < 2.5


def test_accents_and_other_scripts_raise_nothing() -> None:
    seen = (plate(room("BRIDGE")) @ LUMA).astype(np.float32)
    box = (BOX["x"], BOX["y"], BOX["width"], BOX["height"])
    assert likeness(seen, box, "BRÍDGE", "gaussian", SIGMA, 0).lead > 3
    assert likeness(seen, box, "建筑建筑", "gaussian", SIGMA, 0).word == 0


@pytest.mark.parametrize(("on", "said"), [("raw", "did not look at"), ("both", "nothing was found on")])
def test_a_picture_that_was_not_read_is_not_called_empty(on: str, said: str) -> None:
    reader = SimpleNamespace(record=lambda stage: SimpleNamespace(parameters={"on": on}))
    (note,) = _notes([], True, looked_at(reader))  # type: ignore[arg-type]
    assert said in note
