"""enhance: steps in order, each one's picture kept, options checked where they were written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_store import Ran

from vbtools.backends import Backend
from vbtools.backends.enhance.clahe import Clahe, ClaheParams
from vbtools.config.params import FilePath, ParameterError, Step, param, to_json
from vbtools.errors import ModelError, NotBuiltError, UsageError
from vbtools.stages import enhance as module
from vbtools.stages.enhance import Enhance, enhance_image, picture_names


@dataclass(frozen=True)
class DoubleParams:
    """A step that enlarges and takes weights."""

    factor: int = param(2, "times as large", minimum=1)
    weights: FilePath | None = param(None, "weights")


class Double:
    Params = DoubleParams

    def __init__(self, params: DoubleParams) -> None:
        self.params = params

    def __call__(self, image: np.ndarray, observed: np.ndarray) -> np.ndarray:
        assert observed.shape == image.shape[:2]
        assert observed.dtype == bool
        return np.kron(image, np.ones((self.params.factor, self.params.factor, 1), np.uint8))


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make 'realesrgan' a built step that enlarges and takes weights."""
    row = Backend("enhance", "realesrgan", f"{__name__}:Double", "doubles")
    real = module.backend
    monkeypatch.setattr(module, "backend", lambda stage, name: row if name == "realesrgan" else real(stage, name))


@pytest.fixture
def unbuilt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make 'deconvolve' a step that is registered, but not built."""
    row = Backend("enhance", "deconvolve", "", "not there yet")
    real = module.backend
    monkeypatch.setattr(module, "backend", lambda stage, name: row if name == "deconvolve" else real(stage, name))


def project(height: int = 48, width: int = 64) -> dict:
    rng = np.random.default_rng(0)
    background = rng.integers(60, 180, (height, width, 3)).astype(np.uint8)
    coverage = np.full((height, width), 9, np.uint32)
    coverage[10:20, 10:30] = 0
    return {("aggregate", "background"): background, ("aggregate", "coverage"): coverage}


def test_each_step_s_picture_is_kept_and_the_last_is_the_image() -> None:
    stored = project()
    ran = Ran(Enhance(), {"steps": ["clahe", {"clahe": {"clip_limit": 6.0}}]}, stored)
    assert set(ran.arrays) == {"clahe", "clahe-2", "image"}
    background, observed = stored["aggregate", "background"], stored["aggregate", "coverage"] > 0
    first = Clahe(ClaheParams())(background, observed)
    assert np.array_equal(ran.arrays["clahe"], first)
    assert np.array_equal(ran.arrays["clahe-2"], Clahe(ClaheParams(clip_limit=6.0))(first, observed))
    assert np.array_equal(ran.arrays["image"], ran.arrays["clahe-2"])
    assert (ran.progress.total, ran.progress.done) == (2, 2)


def test_an_enlarging_step_is_given_and_gives_a_mask_that_fits(double: None) -> None:
    ran = Ran(Enhance(), {"steps": ["realesrgan", "clahe", "realesrgan"]}, project())
    assert [ran.arrays[n].shape[:2] for n in ("realesrgan", "clahe", "realesrgan-2")] == [
        (96, 128),
        (96, 128),
        (192, 256),
    ]


def test_no_steps_write_nothing_and_say_so() -> None:
    ran = Ran(Enhance(), {"steps": []}, {})
    assert ran.arrays == {}
    assert ran.notes[0].startswith("no steps")


def test_a_background_that_was_never_observed_is_told() -> None:
    stored = project()
    stored["aggregate", "coverage"][:] = 0
    assert any("ever observed" in note for note in Ran(Enhance(), {}, stored).notes)


def test_every_option_is_resolved_so_that_a_fingerprint_sees_it() -> None:
    assert to_json(Enhance.parameters({})) == {
        "steps": [{"clahe": {"clip_limit": 2.0, "grid": 8}}], "weights": None, "tile": None, "device": None,
    }  # fmt: skip
    assert Enhance.parameters({"steps": ["clahe"]}) == Enhance.parameters({"steps": [{"clahe": {"grid": 8}}]})


def test_parameters_read_back_from_a_project_are_the_same(double: None) -> None:
    once = Enhance.parameters({"steps": ["clahe", "realesrgan"], "weights": "a.pth"})
    assert Enhance.parameters(to_json(once)) == once


@pytest.mark.parametrize(
    ("options", "key", "at_key", "words"),
    [
        ({"clip_limt": 3}, "clip_limt", True, "enhance.clahe has no parameter 'clip_limt'.*clip_limit"),
        ({"grid": "many"}, "grid", False, "enhance.clahe.grid cannot be 'many'"),
        ({"grid": 0}, "grid", False, "enhance.clahe.grid cannot be 0"),
    ],
)
def test_a_wrong_option_is_told_with_its_place(options: dict, key: str, at_key: bool, words: str) -> None:
    with pytest.raises(ParameterError, match=words) as caught:
        Enhance.parameters({"steps": ["denoise", {"clahe": options}]})
    assert caught.value.path == ("steps", 1, "clahe", key)
    assert caught.value.at_key is at_key


def test_a_step_that_is_not_built_keeps_its_options_as_given(unbuilt: None) -> None:
    params = Enhance.parameters({"steps": [{"deconvolve": {"strength": 256}}]})
    assert params.steps == (Step("deconvolve", {"strength": 256}),)


def test_weights_go_to_the_one_step_that_takes_them(double: None) -> None:
    params = Enhance.parameters({"steps": ["clahe", "realesrgan"], "weights": "a.pth"})
    assert params.steps[1].options == {"factor": 2, "weights": "a.pth"}
    assert "weights" not in params.steps[0].options
    assert Enhance().weight_files(params) == ("a.pth",)
    given_there = Enhance.parameters({"steps": ["clahe", {"realesrgan": {"weights": "a.pth"}}]})
    assert params == given_there


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (["clahe"], "but 0 of the steps do"),
        ([], "but 0 of the steps do"),
        (["realesrgan", "realesrgan"], "but 2 of the steps do"),
        (["mprnet", "realesrgan"], r"but 2 of the steps do \(mprnet, realesrgan\)"),
        ([{"realesrgan": {"weights": "b.pth"}}], "given twice: 'b.pth' and 'a.pth'"),
    ],
)
def test_weights_without_one_taker_are_refused(double: None, steps: list, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Enhance.parameters({"steps": steps, "weights": "a.pth"})


def test_a_picture_is_enhanced_without_a_project() -> None:
    image = project()["aggregate", "background"]
    enhanced = enhance_image(image, Enhance.parameters({}))
    assert np.array_equal(enhanced, Clahe(ClaheParams())(image, np.ones(image.shape[:2], bool)))
    assert enhance_image(image, Enhance.parameters({"steps": []})) is image


def test_a_step_that_cannot_run_is_told_before_the_first_starts(monkeypatch: pytest.MonkeyPatch, unbuilt: None) -> None:
    def never(*_: object) -> None:
        pytest.fail("a step was started")

    monkeypatch.setattr(Clahe, "__call__", never)
    with pytest.raises(NotBuiltError, match="deconvolve"):
        enhance_image(project()["aggregate", "background"], Enhance.parameters({"steps": ["clahe", "deconvolve"]}))


def test_a_step_taken_again_is_numbered() -> None:
    steps = [Step(name, {}) for name in ("clahe", "denoise", "clahe", "clahe")]
    assert picture_names(steps) == ("clahe", "denoise", "clahe-2", "clahe-3")


class Slow:
    """A step that counts its own work, has something to say, and a licence."""

    Params = DoubleParams
    reports = True
    licensed_as = "mprnet-deblurring"

    def __init__(self, params: DoubleParams) -> None:
        self.notes: list[str] = []

    def __call__(self, image: np.ndarray, observed: np.ndarray, progress: Any) -> np.ndarray:
        progress.start(100, "%")
        progress.advance(100)
        progress.say("slow: will take about 4 min")
        self.notes = ["slow: in 4 tiles"]
        return image


def test_a_slow_step_tells_how_long_its_licence_and_what_it_did(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VBTOOLS_MODELS", str(tmp_path))
    row = Backend("enhance", "realesrgan", f"{__name__}:Slow", "slow")
    real = module.backend
    monkeypatch.setattr(module, "backend", lambda stage, name: row if name == "realesrgan" else real(stage, name))
    ran = Ran(Enhance(), {"steps": ["clahe", "realesrgan", "clahe"]}, project())
    licence, estimate = ran.progress.said
    assert "non-commercial" in licence
    assert estimate == "slow: will take about 4 min"
    assert ran.notes == ["slow: in 4 tiles"]
    assert ran.progress.total == 3, "the steps are counted again after it"
    again = Ran(Enhance(), {"steps": ["realesrgan"]}, project())
    assert again.progress.said == ["slow: will take about 4 min"], "a licence is told at first use"


def test_models_are_those_of_the_steps_that_name_no_weights() -> None:
    one = Enhance()
    steps = ["clahe", "mprnet", {"realesrgan": {"variant": "animevideov3"}}, "realesrgan"]
    named = [{"mprnet": {"weights": "a.pth"}}]
    assert one.models(one.parameters({"steps": steps})) == (
        "mprnet-deblurring", "realesr-animevideov3", "realesrgan-x4plus",
    )  # fmt: skip
    assert one.models(one.parameters({"steps": named})) == ()
    assert one.weight_files(one.parameters({"steps": named})) == ("a.pth",)


def test_tile_and_device_go_to_every_step_that_takes_them_and_was_not_given_its_own() -> None:
    steps = ["clahe", "mprnet", {"realesrgan": {"tile": 64}}]
    params = Enhance.parameters({"steps": steps, "tile": 256, "device": "cpu"})
    assert [(step.options.get("tile"), step.options.get("device")) for step in params.steps] == [
        (None, None), (256, "cpu"), (64, "cpu"),
    ]  # fmt: skip
    assert (params.tile, params.device) == (None, None)
    assert Enhance.parameters(to_json(params)) == params
    assert Enhance.parameters({"device": "cpu"}) == Enhance.parameters({}), "nothing here can choose"
    with pytest.raises(ParameterError, match=r"enhance\.tile is 256, but none of the steps takes it"):
        Enhance.parameters({"tile": 256})


@pytest.mark.torch
def test_bad_weights_are_found_before_the_run_starts(tmp_path: Path) -> None:
    pytest.importorskip("spandrel_extra_arches", reason="needs the restore extra")
    (tmp_path / "bad.pth").write_bytes(b"nothing" * 99)
    one = Enhance()
    for name in ("mprnet", "realesrgan"):
        params = one.parameters({"steps": [name], "weights": str(tmp_path / "bad.pth"), "device": "cpu"})
        with pytest.raises(ModelError, match="damaged, cut short or no checkpoint"):
            one.check(params)
