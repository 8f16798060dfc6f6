"""RapidOCR: words, boxes in the plate's pixels, and nothing that was not seen or is not of the language."""

from __future__ import annotations

import socket
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rapidocr", reason="pip install 'vbtools[ocr]'")

from vbtools.backends.inspect import rapid
from vbtools.backends.inspect.rapid import RapidReader
from vbtools.errors import MissingDependencyError

WORDS = {"LONDON": (30, 90), "HOUSE": (270, 90), "GARDEN": (30, 200)}


def params(**changes: Any) -> SimpleNamespace:
    return SimpleNamespace(**({"language": "eng", "min_confidence": 0.5} | changes))


def sign(words: dict[str, tuple[int, int]], height: int = 270, width: int = 480) -> np.ndarray:
    image = np.full((height, width, 3), (214, 205, 190), np.uint8)
    for word, origin in words.items():
        cv2.putText(image, word, origin, cv2.FONT_HERSHEY_SIMPLEX, 1.2, (40, 30, 90), 3, cv2.LINE_AA)
    return image


def read(image: np.ndarray, observed: np.ndarray | None = None, scale: float = 1.0, **changes: Any) -> list[dict]:
    seen = np.ones(image.shape[:2], bool) if observed is None else observed
    return RapidReader(params(**changes))(image, seen, scale)


def answers(monkeypatch: pytest.MonkeyPatch, *words: tuple[str, float]) -> None:
    """Let the engine answer so, with a box of 60x30 px for each word, below each other."""
    corners = [[[20, 20 + 40 * n], [80, 20 + 40 * n], [80, 50 + 40 * n], [20, 50 + 40 * n]] for n in range(len(words))]
    lines = tuple(((text, sure, box),) for (text, sure), box in zip(words, corners, strict=True))
    monkeypatch.setattr(rapid, "_engine", lambda: lambda _: SimpleNamespace(txts=words, word_results=lines))


def test_known_words_are_read_with_boxes_and_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("it asked for an address")

    rapid._engine.cache_clear()
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    found = {word["text"]: word for word in read(sign(WORDS))}
    assert set(found) == set(WORDS)
    for text, (left, baseline) in WORDS.items():
        word = found[text]
        assert abs(word["x"] - left) < 15
        assert word["y"] < baseline - 15 < baseline < word["y"] + word["height"] + 8
        assert word["confidence"] > 0.8
        assert word["observed"] == 1


def test_boxes_are_in_the_plate_s_pixels_whatever_the_picture_s_scale() -> None:
    image = sign(WORDS)
    larger = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    small, large = ({word["text"]: word for word in read(one, scale=k)} for one, k in ((image, 1), (larger, 2)))
    assert set(small) == set(large) == set(WORDS)
    for text, word in small.items():
        assert large[text]["x"] == pytest.approx(word["x"], abs=8)
        assert large[text]["width"] == pytest.approx(word["width"], abs=16)


def test_letters_under_ridges_at_a_low_contrast_are_read() -> None:
    y, x = np.mgrid[:270, :480]
    ridges = 12 * np.sin((x + 0.6 * y) / 1.3)[..., None]
    image = np.clip(140 + 0.18 * (sign(WORDS).astype(np.float32) - 200) + ridges, 0, 255).astype(np.uint8)
    assert {word["text"] for word in read(image)} == set(WORDS)


def test_what_was_never_observed_is_not_read() -> None:
    image = sign(WORDS)
    observed = np.ones(image.shape[:2], bool)
    observed[:, 240:] = False
    assert {word["text"] for word in read(image, observed)} == {"LONDON", "GARDEN"}
    assert read(image, np.zeros_like(observed)) == []


def test_uncertain_words_marks_and_ideographs_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ("Office", 0.9), ("noise", 0.4), ("--", 0.9), ("一", 0.9), ("9-11", 0.5))
    image = sign({})
    assert [(word["text"], word["confidence"]) for word in read(image)] == [("Office", 0.9), ("9-11", 0.5)]
    assert "一" in {word["text"] for word in read(image, language="eng+chi_sim")}


def test_an_empty_wall_has_no_words() -> None:
    assert read(sign({})) == []


def test_it_is_not_loaded_before_it_reads_since_most_runs_have_no_leak_image() -> None:
    code = (
        "import sys; from vbtools.stages import stage; one = stage('inspect'); one.preload(one.parameters({}))\n"
        "assert 'pytesseract' in sys.modules\n"
        "assert not {'rapidocr', 'onnxruntime'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_package_without_its_models_is_told_before_anything_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    RapidReader.check(params())
    monkeypatch.setattr(rapid, "MODELS", ("another.onnx",))
    with pytest.raises(MissingDependencyError, match=r"without its model another\.onnx"):
        RapidReader.check(params())
