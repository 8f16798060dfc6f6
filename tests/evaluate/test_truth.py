"""A truth that is missing, incomplete, damaged or of another call is one sentence, from the command line too."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import made
import numpy as np
import pytest

from vbtools.backends.picture import write_picture
from vbtools.backends.video import VideoWriter
from vbtools.cli.main import run
from vbtools.errors import InputError
from vbtools.evaluate.truth import load_truth

pytest.importorskip("skimage", reason="needs the evaluate extra")


@pytest.fixture(scope="module")
def project(known: made.Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("project") / "study.h5"
    made.project(path, known, known.room)
    return path


@pytest.fixture
def truth(known: made.Made, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(known.folder, tmp_path / "truth"))


def gray(path: Path, count: int, size: tuple[int, int] = made.SIZE) -> None:
    with VideoWriter(path, size[1], size[0], made.FPS, codec="ffv1", pixel_format="gray") as writer:
        for _ in range(count):
            writer.write(np.zeros(size, np.uint8))


def without(name: str) -> Callable[[Path], None]:
    return lambda truth: (truth / name).unlink()


def saying(**changes: object) -> Callable[[Path], None]:
    def change(truth: Path) -> None:
        facts = json.loads((truth / "truth.json").read_text()) | changes
        (truth / "truth.json").write_text(json.dumps(facts))

    return change


SPOILED: dict[str, tuple[Callable[[Path], None], str]] = {
    "no background": (without("background.png"), "it holds no background.png"),
    "no alpha": (without("alpha.mkv"), "it holds no alpha.mkv"),
    "no facts": (without("truth.json"), "it holds no truth.json"),
    "no folder": (shutil.rmtree, "There is no truth"),
    "facts that are no JSON": (lambda t: (t / "truth.json").write_text("{"), "cannot be understood"),
    "facts that are a list": (lambda t: (t / "truth.json").write_text("[]"), "holds no JSON object"),
    "a text without a box": (saying(text=[{"text": "ROOM", "cap_px": 4}]), "cannot be understood"),
    "a box of three sides": (saying(text=[{"text": "A", "cap_px": 4, "box": [1, 2, 3]}]), "cannot be understood"),
    "texts that are no list": (saying(text=7), "cannot be understood"),
    "a size that is none": (saying(size="large"), "cannot be understood"),
    "a size of three sides": (saying(size=[480, 270, 3]), "cannot be understood"),
    "facts of another size": (saying(size=[640, 360]), "tells of frames of 640x360, but background.png is 480x270"),
    "facts of another length": (saying(frames=99), "tells of 99 frames, but alpha.mkv has 24"),
    "a background that is none": (lambda t: (t / "background.png").write_text("no"), "is not a picture"),
    "an alpha that is none": (lambda t: (t / "alpha.mkv").write_text("no"), "is not a video"),
    "an alpha of another size": (lambda t: gray(t / "alpha.mkv", 24, (90, 160)), "has frames of 160x90"),
    "too few leak weights": (lambda t: gray(t / "leak.mkv", 20), "leak.mkv has 20 frames, but alpha.mkv has more"),
    "too many leak weights": (lambda t: gray(t / "leak.mkv", 30), "leak.mkv has more frames than alpha.mkv"),
}


@pytest.mark.parametrize("spoil", SPOILED)
def test_a_spoiled_truth_is_one_sentence(
    spoil: str, truth: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, said = SPOILED[spoil]
    change(truth)
    assert run(["evaluate", "-p", str(project), "--truth", str(truth), "--no-curve"]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("error: ") == 1
    assert "Traceback" not in err


@pytest.mark.parametrize(("frames", "said"), [(20, "the truth"), (40, "has 24 frames, but the truth")])
def test_a_truth_of_another_length_is_not_of_this_call(
    frames: int, said: str, truth: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (truth / "leak.mkv").unlink()
    gray(truth / "alpha.mkv", frames)
    saying(frames=frames)(truth)
    assert run(["evaluate", "-p", str(project), "--truth", str(truth), "--no-curve"]) == 4
    assert said in capsys.readouterr().err


def test_a_project_without_a_background_says_what_to_run(
    tmp_path: Path, known: made.Made, capsys: pytest.CaptureFixture[str]
) -> None:
    from stored_project import Project

    one = Project(tmp_path / "bare.h5")
    one.extract()
    assert run(["evaluate", "-p", str(one.path), "--truth", str(known.folder)]) == 6
    assert "vbtools aggregate" in capsys.readouterr().err
    assert run(["evaluate", "-p", str(tmp_path / "none.h5"), "--truth", str(known.folder)]) == 5


def test_a_truth_must_be_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "-p", str(project)]) == 2
    assert "--truth" in capsys.readouterr().err


def test_the_answer_in_json_and_in_words(
    project: Path, known: made.Made, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pytesseract", reason="needs the ocr extra")
    monkeypatch.setattr("vbtools.backends.inspect.ocr.TesseractReader.__call__", lambda *_: [])
    command = ["evaluate", "-p", str(project), "--truth", str(known.folder)]
    assert run([*command, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    keys = {"psnr", "ssim", "ms_ssim", "lpips", "ciede2000", "detail", "words", "objects", "ceiling", "curve"}
    assert keys <= set(answer)
    assert len(answer["curve"]) == 2
    assert run(command) == 0
    said = capsys.readouterr().out
    assert "/aggregate/background" in said
    assert "oracle: weighted mean" in said
    assert "/aggregate/background reaches 100.0 % of that." in said


def test_a_curve_is_made_only_where_asked_or_quick(
    project: Path, known: made.Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vbtools.evaluate.score import evaluate

    picture = known.folder / "background.png"
    assert len(evaluate(project, picture)["curve"]) == 2
    monkeypatch.setattr("vbtools.evaluate.curve.QUICK_S", 0.5)
    slow = evaluate(project, picture)
    assert slow["curve"] is None
    assert "--curve" in slow["unscored"]["curve"]
    assert len(evaluate(project, picture, curve=True)["curve"]) == 2


def test_a_folder_of_simulate_and_a_picture_are_both_a_truth(known: made.Made, unknown: made.Made) -> None:
    assert load_truth(known.folder).has_leak
    assert not load_truth(unknown.folder).has_leak
    assert [line.text for line in load_truth(known.folder).texts or ()] == [text for text, _, _ in made.LINES]
    picture = load_truth(known.folder / "background.png")
    assert picture.texts is None
    assert picture.size == made.SIZE
    with pytest.raises(InputError, match="is a picture"):
        next(picture.alpha())


def test_grey_recordings_are_read_to_the_bit(known: made.Made) -> None:
    truth = load_truth(known.folder)
    for planes, wanted in ((truth.alpha(), known.alpha), (truth.leak(), known.leak)):
        for found, plane in zip(planes, wanted, strict=True):
            assert np.array_equal(found, plane)


def test_a_picture_with_other_proportions_is_refused(project: Path, tmp_path: Path) -> None:
    write_picture(tmp_path / "square.png", np.zeros((200, 200, 3), np.uint8))
    assert run(["evaluate", "-p", str(project), "--truth", str(tmp_path / "square.png")]) == 4
