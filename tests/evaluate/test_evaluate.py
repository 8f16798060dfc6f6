"""A whole evaluation of a small call: what is scored, the ceiling above it, and the curve."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import made
import numpy as np
import pytest

from vbtools.backends import BACKENDS, Backend
from vbtools.backends.picture import write_picture
from vbtools.errors import InputError, StageMissingError
from vbtools.evaluate import score
from vbtools.evaluate.curve import FirstFrames, FirstRows, background_of_first, lengths_of
from vbtools.evaluate.score import evaluate
from vbtools.store import Reader

pytest.importorskip("skimage", reason="needs the evaluate extra")
pytest.importorskip("pytesseract", reason="needs the ocr extra")

ORACLES = {"oracle: sharpest exposure", "oracle: weighted mean"}


@pytest.fixture
def nothing_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares a test that is not about words the reader's second a picture."""
    monkeypatch.setattr("vbtools.backends.inspect.ocr.TesseractReader.__call__", lambda *_: [])


@pytest.fixture(scope="module")
def blurred(known: made.Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose background is the mean of what is not the person: the study's way."""
    path = tmp_path_factory.mktemp("mean") / "study.h5"
    made.project(path, known)
    return path


@pytest.fixture(scope="module")
def answer(known: made.Made, blurred: Path) -> dict[str, Any]:
    return evaluate(blurred, known.folder)


@pytest.fixture(scope="module")
def perfect(known: made.Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose background is the true room, with an inverted and a flattened picture as its enhancements."""
    path = tmp_path_factory.mktemp("perfect") / "study.h5"
    flat = np.clip(128 + 0.3 * (known.room.astype(np.float32) - 128), 0, 255).astype(np.uint8)
    large = cv2.resize(known.room, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    made.project(path, known, known.room, steps={"clahe": 255 - known.room, "denoise": flat, "clahe-2": large})
    return path


@pytest.fixture(scope="module")
def perfect_answer(known: made.Made, perfect: Path) -> dict[str, Any]:
    return evaluate(perfect, known.folder, curve=False)


def test_the_true_room_has_full_scores(perfect_answer: dict[str, Any]) -> None:
    frame = perfect_answer["detail"]["frame"]
    assert frame["recovered"] == frame["structure"] == frame["observed"] == frame["textured"] > 500
    assert (frame["false"], frame["invented"]) == (0, 0)
    assert perfect_answer["psnr"] == 100
    assert perfect_answer["ssim"] == pytest.approx(1)
    assert perfect_answer["ms_ssim"] == pytest.approx(1)
    assert perfect_answer["ciede2000"] == {"share": 1.0, "observed_share": 1.0}
    assert perfect_answer["coverage"] == 1.0
    assert perfect_answer["words"]["recall"] == 1.0
    assert perfect_answer["words"]["decoy_rate"] < 0.05


def test_the_true_room_reaches_the_whole_ceiling_and_sets_it(perfect_answer: dict[str, Any]) -> None:
    shares = {name: share for name, share in perfect_answer["of_ceiling"].items() if share is not None}
    assert set(shares.values()) == {1.0}
    assert {"psnr", "detail.frame.recovered", "words.recall", "ciede2000.share"} <= set(shares)
    assert perfect_answer["ceiling"]["by"]["psnr"] == "/aggregate/background"


def test_every_enhancement_is_scored_and_the_last_one_under_both_names(perfect_answer: dict[str, Any]) -> None:
    pictures = perfect_answer["pictures"]
    assert set(pictures) == {
        "/aggregate/background", "/enhance/clahe", "/enhance/denoise", "/enhance/clahe-2", "/enhance/image"
    }  # fmt: skip
    assert pictures["/enhance/image"] == pictures["/enhance/clahe-2"]
    assert perfect_answer["psnr"] == pictures["/aggregate/background"]["psnr"]


def test_an_inverted_picture_is_false_and_a_flat_one_not_recovered(perfect_answer: dict[str, Any]) -> None:
    inverted = perfect_answer["pictures"]["/enhance/clahe"]["detail"]["frame"]
    assert inverted["false_share"] == 1.0
    assert inverted["structure"] == 0
    flat = perfect_answer["pictures"]["/enhance/denoise"]["detail"]["frame"]
    assert flat["structure_share"] > 0.99
    assert flat["recovered"] == 0


def test_a_picture_of_another_size_is_brought_to_the_truths(perfect_answer: dict[str, Any]) -> None:
    large = perfect_answer["pictures"]["/enhance/clahe-2"]
    assert large["detail"]["frame"]["recovered_share"] > 0.99
    assert large["psnr"] > 30
    assert large["words"]["recall"] == 1.0


def test_the_oracle_finds_what_the_mean_throws_away(answer: dict[str, Any], known: made.Made) -> None:
    mine, best = answer["detail"]["frame"]["recovered"], answer["ceiling"]["detail"]["frame"]["recovered"]
    assert mine < 10
    assert best > 300
    assert answer["of_ceiling"]["detail.frame.recovered"] == mine / best
    assert answer["ceiling"]["estimated"] is False
    assert set(answer["ceiling"]["candidates"]) == ORACLES
    assert answer["ceiling"]["by"]["detail.frame.recovered"] in ORACLES
    leaked = known.leak.max(axis=0) > 0
    assert best < 1.1 * leaked.sum() / answer["detail"]["block_px"] ** 2  # it shows nothing that did not leak


@pytest.mark.usefixtures("nothing_read")
def test_unknown_leak_weights_are_estimated_and_give_about_the_same_ceiling(
    answer: dict[str, Any], unknown: made.Made, tmp_path: Path
) -> None:
    made.project(tmp_path / "study.h5", unknown)
    found = evaluate(tmp_path / "study.h5", unknown.folder, curve=False)["ceiling"]
    assert found["estimated"] is True
    wanted = answer["ceiling"]["detail"]["frame"]["recovered"]
    assert found["detail"]["frame"]["recovered"] == pytest.approx(wanted, rel=0.15)


@pytest.mark.usefixtures("nothing_read")
def test_another_projects_pictures_may_raise_the_ceiling(
    answer: dict[str, Any], blurred: Path, perfect: Path, known: made.Made
) -> None:
    found = evaluate(blurred, known.folder, blind=[perfect], curve=False)
    name = f"{perfect}: /aggregate/background"
    assert found["ceiling"]["by"]["detail.frame.recovered"] == name
    assert found["ceiling"]["detail"]["frame"]["recovered"] > answer["ceiling"]["detail"]["frame"]["recovered"]
    assert found["pictures"].keys() == answer["pictures"].keys()


@pytest.mark.usefixtures("nothing_read")
def test_what_was_never_observed_is_not_scored(known: made.Made, tmp_path: Path) -> None:
    coverage = np.ones(made.SIZE, np.uint32)
    coverage[:, 240:] = 0
    holed = known.room.copy()
    holed[coverage == 0] = 0
    made.project(tmp_path / "study.h5", known, holed, coverage)
    found = evaluate(tmp_path / "study.h5", known.folder, curve=False)
    assert found["coverage"] == 0.5
    assert found["psnr"] == 100
    assert found["detail"]["frame"]["observed_share"] == pytest.approx(0.5, abs=0.03)
    assert found["detail"]["frame"]["false"] == 0
    assert found["words"]["observed"] == 2
    assert 0.3 < found["ciede2000"]["observed_share"] < 0.7


@pytest.mark.usefixtures("nothing_read")
def test_a_hole_in_a_smaller_project_is_a_hole_at_the_truths_size(known: made.Made, tmp_path: Path) -> None:
    half = (made.SIZE[0] // 2, made.SIZE[1] // 2)
    coverage = np.ones(half, np.uint32)
    coverage[:, : half[1] // 4] = 0
    made.project(tmp_path / "study.h5", known, cv2.resize(known.room, half[::-1]), coverage)
    found = evaluate(tmp_path / "study.h5", known.folder, curve=False)
    assert found["coverage"] == pytest.approx(0.75, abs=0.01)
    assert found["detail"]["frame"]["observed_share"] == pytest.approx(0.75, abs=0.03)


def test_the_oracle_takes_nothing_of_the_person_for_the_room(known: made.Made, tmp_path: Path) -> None:
    project = made.project(tmp_path / "study.h5", known)
    folder = _copy(known.folder, tmp_path / "truth")
    hiding = known.alpha.copy()
    hiding[:, 200:, 200:280] = 255
    made.gray(folder / "alpha.mkv", hiding)
    made.gray(folder / "leak.mkv", np.full_like(known.leak, 255))  # as if the person were glass
    with Reader(project.path) as reader:
        truth = score.load_truth(folder)
        scene = score.study(truth, score.Call(reader, truth.size), (), score.Silent())
    always_hidden = (hiding == 255).all(axis=0)
    for oracle in scene.oracles:
        assert not oracle.observed[always_hidden].any()
        assert oracle.observed[~always_hidden].all()


@pytest.mark.usefixtures("nothing_read")
def test_a_smaller_project_is_scored_at_the_truths_size(known: made.Made, tmp_path: Path) -> None:
    small = cv2.resize(known.room, (made.SIZE[1] // 2, made.SIZE[0] // 2), interpolation=cv2.INTER_AREA)
    made.project(tmp_path / "study.h5", known, small)
    found = evaluate(tmp_path / "study.h5", known.folder, curve=False)
    assert found["size"] == [made.SIZE[1], made.SIZE[0]]
    assert found["detail"]["block_px"] == 9
    assert found["detail"]["frame"]["structure_share"] > 0.9


def test_a_picture_alone_gives_what_it_can_and_says_why_there_is_no_more(blurred: Path, known: made.Made) -> None:
    found = evaluate(blurred, known.folder / "background.png", curve=False)
    assert found["psnr"] > 10
    assert found["detail"]["frame"]["textured"] > 500
    for measure in ("ceiling", "words", "ciede2000"):
        assert found[measure] is None
        assert "is a picture" in found["unscored"][measure]
    assert found["detail"]["swept"] is None


@pytest.mark.usefixtures("nothing_read")
def test_a_recording_that_is_gone_is_replaced_by_the_projects_frames(
    answer: dict[str, Any], known: made.Made, tmp_path: Path
) -> None:
    project = made.project(tmp_path / "study.h5", replace(known, folder=_copy(known.folder, tmp_path / "moved")))
    (tmp_path / "moved" / "blurred.mp4").unlink()
    found = evaluate(project.path, known.folder, curve=False)
    assert "the recording is gone" in found["notes"][0]
    wanted = answer["ceiling"]["detail"]["frame"]["recovered"]
    assert found["ceiling"]["detail"]["frame"]["recovered"] == pytest.approx(wanted, rel=0.1)


def test_the_curve_grows_with_the_call_and_ends_at_the_whole_of_it(answer: dict[str, Any]) -> None:
    points = answer["curve"]
    assert [point["frames"] for point in points] == [6, 12]
    assert [point["seconds"] for point in points] == pytest.approx([1.2, 2.4])
    recovered = [point["ceiling"]["detail"]["frame"]["recovered"] for point in points]
    assert recovered[0] < recovered[1] == answer["ceiling"]["detail"]["frame"]["recovered"]
    assert points[-1]["scores"]["psnr"] == answer["psnr"]
    assert points[0]["scores"]["words"]["words"] == 4


def test_the_projects_own_method_is_run_again_on_the_first_frames(blurred: Path, known: made.Made) -> None:
    with Reader(blurred) as reader:
        whole = background_of_first(reader, 12, made.SIZE)
        half = background_of_first(reader, 6, made.SIZE)
        assert np.array_equal(whole.original, reader.array("aggregate", "background"))
    assert not np.array_equal(half.original, whole.original)
    assert half.observed.sum() <= whole.observed.sum()


def test_first_rows_are_sliced_as_the_dataset_is() -> None:
    data = np.arange(60).reshape(10, 6)
    first, plain = FirstRows(data, 4), data[:4]
    assert (len(first), first.shape, first.dtype, first.ndim) == (4, (4, 6), data.dtype, 2)
    every = slice(None)
    pairs = ((slice(0, 8), 3), (1, every), (every, slice(2, 4)))
    for key in (every, slice(1, 9), slice(-2, None), 2, -1, (), ..., *pairs):
        assert np.array_equal(first[key], plain[key]), key
    assert np.array_equal(first[np.array([True, False, True, False])], plain[[0, 2]])
    with pytest.raises(IndexError):
        first[4]


def test_a_cut_project_shortens_what_has_a_row_a_frame_and_nothing_else(blurred: Path) -> None:
    with Reader(blurred) as reader:
        cut = FirstFrames(reader, 5)
        assert cut.array("extract", "frames").shape[0] == 5
        assert cut.array("extract", "time").tolist() == reader.array("extract", "time")[:5].tolist()
        assert sum(len(block) for block in cut.blocks("segment", "person", 2)) == 5
        assert cut.array("aggregate", "coverage").shape == made.SIZE
        assert cut.record("extract") == reader.record("extract")


@pytest.mark.parametrize(("count", "lengths"), [(1, ()), (7, (4,)), (12, (6,)), (16, (4, 8)), (225, (57, 113))])
def test_the_curve_has_a_quarter_and_half_of_the_call_if_that_is_enough(count: int, lengths: tuple[int, ...]) -> None:
    assert lengths_of(count) == lengths


@pytest.mark.usefixtures("nothing_read")
def test_objects_are_scored_by_the_table_s_detector_and_explained_where_there_is_none(
    answer: dict[str, Any], perfect: Path, known: made.Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tuple(row for row in BACKENDS if (row.stage, row.name) != ("inspect", "yolo"))
    unbuilt = Backend("inspect", "yolo", "", "objects")
    monkeypatch.setattr("vbtools.backends.BACKENDS", (*rows, unbuilt))
    found = evaluate(perfect, known.folder, curve=False)
    assert found["objects"] is None
    assert "not built" in found["unscored"]["objects"]
    monkeypatch.setattr("vbtools.backends.BACKENDS", (*rows, replace(unbuilt, target="test_evaluate:BlackThings")))
    found = evaluate(perfect, known.folder, curve=False)
    assert "objects" not in found["unscored"]
    assert found["objects"] == {
        "objects": 1, "observed": 1, "found": 1, "recall": 1.0, "false": 0, "labels": ["ink"]
    }  # fmt: skip
    assert found["pictures"]["/enhance/denoise"]["objects"]["recall"] == 0.0
    assert found["of_ceiling"]["objects.recall"] == 1.0


class BlackThings:
    """A detector of the darkest things, as one object."""

    def __init__(self, params: Any) -> None: ...

    @classmethod
    def check(cls, params: Any) -> None: ...

    def __call__(self, image: np.ndarray, observed: np.ndarray, scale: float) -> list[dict[str, Any]]:
        y, x = np.nonzero((image.max(axis=2) < 25) & observed)
        if not len(y):
            return []
        sides = (x.min(), y.min(), x.max() - x.min() + 1, y.max() - y.min() + 1)
        box = {side: float(value) / scale for side, value in zip(("x", "y", "width", "height"), sides, strict=True)}
        return [{"label": "ink", **box, "confidence": 0.9, "observed": 1.0}]


def test_an_uninstalled_measure_says_the_one_command(answer: dict[str, Any]) -> None:
    if answer["lpips"] is None:
        assert answer["unscored"]["lpips"].count("Run: ") == 1


def test_the_answer_is_plain_json(answer: dict[str, Any]) -> None:
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer


@pytest.mark.usefixtures("nothing_read")
def test_an_outdated_background_is_refused_and_an_outdated_enhancement_left_out(
    known: made.Made, tmp_path: Path
) -> None:
    project = made.project(tmp_path / "study.h5", known, known.room, steps={"clahe": known.room})
    darker = (known.room // 2).astype(np.uint8)
    project.store(
        "aggregate", {"method": "max"}, background=darker, coverage=np.ones(made.SIZE, np.uint32),
        plate=darker.astype(np.float32),
    )  # fmt: skip
    found = evaluate(project.path, known.folder, curve=False)
    assert set(found["pictures"]) == {"/aggregate/background"}
    assert any("/enhance/clahe is out of date" in note for note in found["notes"])
    project.store("segment", {"backend": "deeplabv3"}, person=known.alpha[::2])
    with pytest.raises(StageMissingError, match="out of date"):
        evaluate(project.path, known.folder)


def test_measures_that_need_the_scene_are_not_made_up(known: made.Made) -> None:
    scorer = score.Scorer(score.load_truth(known.folder / "background.png"), None)
    assert scorer.unscored["detail.swept"] == score.ONLY_A_PICTURE


@pytest.mark.usefixtures("nothing_read")
def test_dropped_frames_and_a_title_card_are_found_in_the_truth(
    answer: dict[str, Any], known: made.Made, tmp_path: Path
) -> None:
    folder = _copy(known.folder, tmp_path / "truth")
    facts = json.loads((folder / "truth.json").read_text())
    sent = [None, None, *(n for n in range(made.FRAMES) if n % 4 != 3)]
    (folder / "truth.json").write_text(json.dumps(facts | {"call": {"frames": sent}}))
    frames = [np.zeros_like(known.calls[0]) if n is None else known.calls[n] for n in sent]
    made.film(folder / "blurred.mp4", frames)
    rows = np.arange(2, len(sent))
    project = made.project(tmp_path / "study.h5", replace(known, folder=folder, calls=np.stack(frames)), rows=rows)
    found = evaluate(project.path, folder, curve=False)["ceiling"]["detail"]["frame"]["recovered"]
    assert found > 0.9 * answer["ceiling"]["detail"]["frame"]["recovered"]
    (folder / "truth.json").write_text(json.dumps(facts | {"call": {"frames": sent[:10]}}))
    with pytest.raises(InputError, match="tells of 10"):
        evaluate(project.path, folder, curve=False)


@pytest.mark.usefixtures("nothing_read")
def test_only_where_the_background_is_known_anything_is_scored(perfect: Path, known: made.Made, tmp_path: Path) -> None:
    folder = _copy(known.folder, tmp_path / "truth")
    mask = np.zeros(made.SIZE, np.uint8)
    mask[:, :240] = 255
    write_picture(folder / "known.png", mask)
    wrong = known.room.copy()
    wrong[:, 240:] = 0
    write_picture(folder / "background.png", wrong)
    found = evaluate(perfect, folder, curve=False)
    assert (found["psnr"], found["coverage"]) == (100, 1.0)
    assert found["detail"]["frame"]["false"] == 0
    assert found["words"]["observed"] == 2


def _copy(folder: Path, to: Path) -> Path:
    to.mkdir()
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to
