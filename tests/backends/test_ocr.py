"""Reading: known words where they are, none where nothing was observed, and clear words when Tesseract is missing."""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from vbtools.backends import backend
from vbtools.backends.inspect import ocr
from vbtools.backends.inspect.ocr import TesseractReader, _without_colour, enlargement, find_tesseract, languages
from vbtools.errors import MissingDependencyError, UsageError, VbtoolsError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
POSTER = (
    "Reduce your risk of coronavirus infection: Clean hands with soap and water or alcohol-based hand rub Cover nose "
    "and mouth when coughing and sneezing with tissue or flexed elbow Avoid close contact with anyone with cold or "
    "flu-like symptoms Thoroughly cook meat and eggs No unprotected contact with live wild or farm animals World "
    "Health Organization"
)


def params(**changes: Any) -> SimpleNamespace:
    return SimpleNamespace(**({"language": "eng", "psm": 11, "min_confidence": 0.5} | changes))


def sign(words: dict[str, tuple[int, int]], height: int = 270, width: int = 480) -> np.ndarray:
    image = np.full((height, width, 3), (214, 205, 190), np.uint8)
    for word, origin in words.items():
        cv2.putText(image, word, origin, cv2.FONT_HERSHEY_SIMPLEX, 1.2, (40, 30, 90), 3, cv2.LINE_AA)
    return image


def ink(image: np.ndarray, left: int, right: int) -> tuple[int, int, int, int]:
    """x, y, width, height of what is darker than the wall between two columns."""
    rows, columns = np.nonzero(image[:, left:right].max(axis=2) < 150)
    return left + columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1


def everywhere(image: np.ndarray) -> np.ndarray:
    return np.ones(image.shape[:2], bool)


def read(image: np.ndarray, observed: np.ndarray | None = None, scale: float = 1.0, **changes: Any) -> list[dict]:
    return TesseractReader(params(**changes))(image, everywhere(image) if observed is None else observed, scale)


WORDS = {"LONDON": (30, 90), "HOUSE": (270, 90), "GARDEN": (30, 200)}


def test_known_words_are_read_with_boxes_right_to_a_few_pixels() -> None:
    image = sign(WORDS)
    found = {word["text"]: word for word in read(image)}
    assert set(found) == set(WORDS)
    top = image[:120]
    for word, (left, right) in {"LONDON": (0, 240), "HOUSE": (240, 480)}.items():
        box = [found[word][side] for side in ("x", "y", "width", "height")]
        assert np.abs(np.array(box) - ink(top, left, right)).max() <= 4
        assert 0.5 <= found[word]["confidence"] <= 1
        assert found[word]["observed"] == 1.0


def test_boxes_are_in_the_plate_s_pixels_whatever_the_picture_s_scale() -> None:
    image = sign(WORDS)
    larger = cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    plain, enlarged = ({w["text"]: w for w in read(*arguments)} for arguments in ((image,), (larger, None, 4.0)))
    assert set(plain) == set(enlarged) == set(WORDS)
    for word, found in plain.items():
        for side in ("x", "y", "width", "height"):
            assert enlarged[word][side] == pytest.approx(found[side], abs=4)


def test_a_word_under_unobserved_pixels_is_never_reported_though_the_array_holds_it() -> None:
    image = sign(WORDS)
    observed = everywhere(image)
    observed[40:110, 250:470] = False  # HOUSE
    assert {word["text"] for word in read(image, observed)} == {"LONDON", "GARDEN"}


def test_the_unobserved_half_of_a_word_is_not_guessed() -> None:
    image = sign({"LONDON": (30, 90)})
    observed = everywhere(image)
    observed[:, 100:] = False
    assert [word["text"] for word in read(image, observed)] in ([], ["LO"], ["LON"])  # what can be seen of it


def test_a_word_that_tesseract_reads_across_the_unobserved_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    image = sign({})
    observed = everywhere(image)
    observed[:, 235:] = False
    box = {"top": 30, "height": 30, "conf": 95}
    seen, guessed = ({"left": 300, "width": 90, **box}, {"left": 615, "width": 120, **box})
    rows = [{"text": "SEEN", **seen}, {"text": "GUESSED", **guessed}]
    monkeypatch.setattr(TesseractReader, "_read", lambda self, picture: rows)
    words = read(image, observed)
    assert [(word["text"], word["x"], word["width"]) for word in words] == [("SEEN", 100, 30)]


def test_tesseract_is_never_shown_what_was_not_observed(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[np.ndarray] = []
    monkeypatch.setattr(TesseractReader, "_read", lambda self, picture: shown.append(picture) or [])
    observed = everywhere(sign({}))
    observed[40:110, 250:470] = False
    for image in (sign(WORDS), sign(WORDS | {"SECRET": (260, 80)}), np.where(observed[..., None], sign(WORDS), 0)):
        read(image.astype(np.uint8), observed)
    assert np.array_equal(shown[0], shown[1])
    assert np.array_equal(shown[0], shown[2])


def test_where_nothing_was_observed_nothing_is_read() -> None:
    image = sign(WORDS)
    assert read(image, np.zeros(image.shape[:2], bool)) == []


def test_punctuation_alone_and_uncertain_words_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*_: Any, **__: Any) -> dict[str, list[Any]]:
        texts = ["", "--", "|", "Office", "noise", "9-11"]
        sides = {side: [10] * len(texts) for side in ("left", "top", "width", "height")}
        return {"text": texts, "conf": [-1, 96, 96, 91, 49, 50], **sides}

    monkeypatch.setattr("pytesseract.image_to_data", answer)
    words = read(sign({}))
    assert [(word["text"], word["confidence"]) for word in words] == [("Office", 0.91), ("9-11", 0.5)]


def test_tesseract_is_given_every_pixel_as_it_is_and_no_resolution(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []

    def look(picture: str, **_: Any) -> dict[str, list[Any]]:
        with Image.open(picture) as opened:
            shown.append((np.asarray(opened), opened.info.get("dpi", (0, 0))))
        return {name: [] for name in ("text", "conf", "left", "top", "width", "height")}

    monkeypatch.setattr("pytesseract.image_to_data", look)
    image = np.random.default_rng(0).integers(0, 256, (719, 1277, 3), dtype=np.uint8)  # too large to be enlarged
    read(image)
    [(pixels, resolution)] = shown
    assert np.array_equal(pixels, image)
    assert resolution == (0, 0)


def test_a_grey_picture_is_given_in_one_channel_and_reads_as_in_three(monkeypatch: pytest.MonkeyPatch) -> None:
    grey = cv2.cvtColor(sign(WORDS), cv2.COLOR_RGB2GRAY)
    grey = np.clip(grey * 0.6 + 60 + np.random.default_rng(0).normal(0, 12, grey.shape), 0, 255).astype(np.uint8)
    image = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    given: list[Any] = []

    def alone(picture: np.ndarray) -> np.ndarray:
        given.append(_without_colour(picture))
        return given[-1]

    monkeypatch.setattr("vbtools.backends.inspect.ocr._without_colour", alone)
    words = read(image)
    assert [one.ndim for one in given] == [2]
    assert {word["text"] for word in words} >= {"LONDON"}
    monkeypatch.setattr("vbtools.backends.inspect.ocr._without_colour", lambda picture: picture)
    assert read(image) == words


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (17, 3)])
def test_a_tiny_picture_has_no_words(shape: tuple[int, int]) -> None:
    assert read(np.full((*shape, 3), 200, np.uint8)) == []


def test_pictures_of_a_call_s_usual_sizes_are_enlarged() -> None:
    sizes = ((270, 480), (360, 640), (540, 960), (960, 540), (720, 1280))
    assert [enlargement(*size) for size in sizes] == [3, 3, 2, 2, 1]


def test_the_environment_s_own_tesseract_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("env", "path"):
        program = tmp_path / folder / "tesseract"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr("sys.executable", str(tmp_path / "env" / "python"))
    assert find_tesseract() == tmp_path / "env" / "tesseract"
    (tmp_path / "env" / "tesseract").unlink()
    assert find_tesseract() == tmp_path / "path" / "tesseract"


def test_what_is_started_reads_as_the_program_would_and_heeds_the_user_s_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = find_tesseract()
    monkeypatch.delenv("TESSDATA_PREFIX", raising=False)
    asked = subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=True, timeout=60)
    assert set(languages(program)) == set(asked.stdout.split("\n", 1)[1].split())
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    assert languages(program) == []


def test_without_tesseract_one_command_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(MissingDependencyError, match=r"pip install 'vbtools\[ocr\]'"):
        TesseractReader.check(params())


def test_a_tesseract_that_does_not_run_is_missing(tmp_path: Path) -> None:
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(MissingDependencyError, match="does not run"):
        languages(program)


def test_a_language_that_is_not_installed_lists_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"no language 'tlh'.*Installed: .*eng"):
        TesseractReader.check(params(language="eng+tlh"))
    TesseractReader.check(params())


@pytest.mark.parametrize("psm", ocr.MODES_THAT_DO_NOT_READ)
def test_a_mode_that_reads_nothing_is_refused(psm: int) -> None:
    with pytest.raises(UsageError, match="reads nothing"):
        TesseractReader.check(params(psm=psm))


@pytest.mark.parametrize("psm", [p for p in range(14) if p not in ocr.MODES_THAT_DO_NOT_READ])
def test_every_other_mode_runs(psm: int) -> None:
    TesseractReader(params(psm=psm))(sign({"LONDON": (30, 60)}, 80, 240), np.ones((80, 240), bool), 1.0)


def test_tesseract_s_own_trouble_is_told_in_its_words() -> None:
    with pytest.raises(VbtoolsError, match="Tesseract stopped with status"):
        read(sign({}), language="tlh")


def test_the_table_leads_here() -> None:
    assert backend("inspect", "ocr").load() is TesseractReader


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is not here")
def test_small_print_is_read_because_it_is_enlarged(monkeypatch: pytest.MonkeyPatch) -> None:
    poster = cv2.imread(str(SHARED / "photos" / "easyocr_english.png"), cv2.IMREAD_COLOR)[..., ::-1]
    half = cv2.resize(poster, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    expected = set(POSTER.split())
    right = len(expected & {word["text"] for word in read(half)})
    monkeypatch.setattr(ocr, "ENLARGE", ())
    right_without = len(expected & {word["text"] for word in read(half)})
    assert right >= 0.9 * len(expected)  # measured: 42 of 45
    assert right > right_without + 5  # measured: 29
