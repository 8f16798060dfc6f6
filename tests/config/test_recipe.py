"""A mistake in a recipe is shown where it stands, with the nearest valid name; nothing else ever comes out."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vbtools.config.params import Step
from vbtools.config.recipe import Recipe, load
from vbtools.errors import RecipeError
from vbtools.pipeline import tasks_from
from vbtools.stages import stage_names

NAMES = stage_names()
LIST = ", ".join(NAMES)
HEAD = "version: 1\nstages:\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str | bytes, *options: str) -> dict[str, Any]:
    """The parameters of each stage of a recipe, after ``--set``."""
    Path("r.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    recipe = load(Path("r.yaml"), NAMES)
    for option in options:
        recipe.set(option, NAMES)
    return {task.stage.name: task.params for task in tasks_from(recipe)}


def message(text: str | bytes, *options: str) -> str:
    with pytest.raises(RecipeError) as caught:
        read(text, *options)
    assert caught.value.exit_code == 3
    return str(caught.value)


EXACT = {
    "unknown key": (
        "version: 1\nvidoe: call.mp4\nstages: {extract: {}}\n",
        "r.yaml:2:1: unknown key 'vidoe'. Did you mean 'video'?\n    2 | vidoe: call.mp4\n      | ^",
    ),
    "unknown stage": (
        HEAD + "  extract: {fps: 15}\n  algin: {method: none}\n",
        "r.yaml:4:3: there is no stage 'algin'. Did you mean 'align'?\n    4 |   algin: {method: none}\n      |   ^",
    ),
    "unknown parameter": (
        HEAD + "  extract: {fps: 15, sampel_every: 2}\n",
        ("r.yaml:3:22: extract has no parameter 'sampel_every'. Did you mean 'sample_every'?\n"
        "    3 |   extract: {fps: 15, sampel_every: 2}\n"
        "      |                      ^"),
    ),
    "wrong type": (
        HEAD + "  extract:\n    fps: fast\n",
        "r.yaml:4:10: extract.fps cannot be 'fast'. It must be a number\n    4 |     fps: fast\n      |          ^",
    ),
    "out of bounds": (
        HEAD + "  aggregate: {threshold: 1.5}\n",
        ("r.yaml:3:26: aggregate.threshold cannot be 1.5. It must be from 0 to 1\n"
        "    3 |   aggregate: {threshold: 1.5}\n"
        "      |                          ^"),
    ),
    "bad choice": (
        HEAD + "  align: {method: farnebak}\n",
        ("r.yaml:3:19: align.method cannot be 'farnebak'. Did you mean 'farneback'?\n"
        "    3 |   align: {method: farnebak}\n"
        "      |                   ^"),
    ),
    "bad step": (
        HEAD + "  enhance: {steps: [denoise, clahee]}\n",
        ("r.yaml:3:30: enhance.steps has no step 'clahee'. Did you mean 'clahe'?\n"
        "    3 |   enhance: {steps: [denoise, clahee]}\n"
        "      |                              ^"),
    ),
    "bad step option": (
        HEAD + "  enhance: {steps: [clahe, {clahe: {cliplimit: 3}}]}\n",
        ("r.yaml:3:37: enhance.clahe has no parameter 'cliplimit'. Did you mean 'clip_limit'?\n"
        "    3 |   enhance: {steps: [clahe, {clahe: {cliplimit: 3}}]}\n"
        "      |                                     ^"),
    ),
    "bad value of a step's option": (
        HEAD + "  enhance:\n    steps:\n      - clahe: {clip_limit: high}\n",
        ("r.yaml:5:29: enhance.clahe.clip_limit cannot be 'high'. It must be a number\n"
        "    5 |       - clahe: {clip_limit: high}\n"
        "      |                             ^"),
    ),
    "tab": (
        HEAD + "\textract: {}\n",
        (
            "r.yaml:3:1: not valid YAML: found character '\\t' that cannot start any token\n"
            "    3 | \textract: {}\n      | ^"
        ),
    ),
    "a mistake after a tab": (
        HEAD + "  extract: {fps:\t15,\tfsp: 2}\n",
        ("r.yaml:3:22: extract has no parameter 'fsp'. Did you mean 'fps'?\n"
        "    3 |   extract: {fps:\t15,\tfsp: 2}\n"
        "      |                 \t   \t^"),
    ),
    "empty": (
        "",
        (
            "r.yaml:1:1: a recipe is a mapping. It has the keys version, video, project, stages, profile\n"
            "    1 | \n      | ^"
        ),
    ),
    "newer": (
        "stages: {extract: {}}\nversion: 2\n",
        "r.yaml:2:10: version 2 is not known. This vbtools reads version 1\n    2 | version: 2\n      |          ^",
    ),
    "not UTF-8": (
        b"version: 1\n# caf\xe9\n",
        "r.yaml:2:6: this is not a text in UTF-8. Name a YAML file\n    2 | # caf\ufffd\n      |      ^",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EXACT)
def test_a_mistake_is_shown_exactly_so(case: str) -> None:
    text, expected = EXACT[case]
    assert message(text) == expected


PLACES: dict[str, tuple[str | bytes, str, str]] = {
    "duplicate key": (HEAD + "  extract: {fps: 15}\n  extract: {fps: 5}\n", "4:3", 'duplicate key "extract"'),
    "unclosed": (HEAD + "  extract: {fps: 15\n  align: {}\n", "4:8", "not valid YAML"),
    "bad indent": ("version: 1\nstages:\n  extract:\n   fps: 15\n  keep_all: true\n", "5:3", "no stage 'keep_all'"),
    "scalar": ("hello\n", "1:1", "a recipe is a mapping"),
    "list": ("- extract\n", "1:1", "a recipe is a mapping"),
    "no version": ("# mine\nstages: {extract: {}}\n", "1:1", "the recipe has no version. Begin with: version: 1"),
    "a bool as version": ("version: true\nstages: {extract: {}}\n", "1:10", "version True is not known"),
    "a text as version": ("version: '1'\nstages: {extract: {}}\n", "1:10", "version '1' is not known"),
    "video is no path": ("version: 1\nvideo: 12\nstages: {extract: {}}\n", "2:8", "video must be a file path"),
    "project is no path": ("version: 1\nproject: [a]\nstages: {extract: {}}\n", "2:10", "project must be a file path"),
    "no stages": ("version: 1\n", "1:1", f"stages must be a mapping of stages. Stages: {LIST}"),
    "empty stages": ("version: 1\nstages: {}\n", "2:1", "stages must be a mapping of stages"),
    "a list of stages": ("version: 1\nstages: [extract, align]\n", "2:1", "stages must be a mapping of stages"),
    "null as stage": ("version: 1\nstages: {null: {}}\n", "2:10", f"there is no stage 'None'. Valid: {LIST}"),
    "a list of parameters": (HEAD + "  extract: [15]\n", "3:12", "extract must be a mapping of parameters"),
    "on is no bool": (HEAD + "  inspect: {ocr: on}\n", "3:18", "inspect.ocr cannot be 'on'. It must be true or false"),
    "null": (HEAD + "  extract: {sample_every: }\n", "3:26", "extract.sample_every cannot be None"),
    "a fraction": (HEAD + "  extract: {sample_every: 1.5}\n", "3:27", "It must be a whole number"),
    "a bool as number": (HEAD + "  extract: {sample_every: true}\n", "3:27", "It must be a whole number"),
    "infinity": (HEAD + "  extract: {fps: .inf}\n", "3:18", "extract.fps cannot be inf. It must be a number"),
    "no number": (HEAD + "  extract: {fps: .nan}\n", "3:18", "extract.fps cannot be nan. It must be a number"),
    "a list": (HEAD + "  extract: {fps: [15]}\n", "3:18", "extract.fps cannot be [15]. It must be a number"),
    "a date": (HEAD + "  extract: {fps: 2020-01-01}\n", "3:18", "It must be a number"),
    "a number as parameter": (HEAD + "  extract: {15: fps}\n", "3:13", "extract has no parameter '15'"),
    "one step with two names": (
        HEAD + "  enhance: {steps: [{clahe: {}, denoise: {}}]}\n", "3:20", "It must be a list of step names",
    ),
    "options are a list": (HEAD + "  enhance: {steps: [{clahe: [3]}]}\n", "3:21", "options of 'clahe' must be names"),
    "a date in an unbuilt step": (
        HEAD + "  enhance: {steps: [{mprnet: {when: 2020-01-01}}]}\n", "3:37", "mprnet.when cannot be",
    ),
    "not a number in an unbuilt step": (
        HEAD + "  enhance: {steps: [{mprnet: {x: [1, .nan]}}]}\n", "3:34", "mprnet.x cannot be",
    ),
    "two documents": ("version: 1\n---\nversion: 1\n", "2:1", "another document"),
    "impossible date": ("version: 1\nvideo: 2020-13-45\nstages: {extract: {}}\n", "1:1", "not valid YAML: month"),
    "a control character": ("version: 1\nstages: {extract: {}}\n#  \0\n", "3:4", "unacceptable character"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "1:1", "this is not a text in UTF-8"),
    "an anchor": (HEAD + "  extract: &b {fps: 1, tile: 3}\n  aggregate: {<<: *b}\n", "3:24", "parameter 'tile'"),
}  # fmt: skip


@pytest.mark.parametrize("case", PLACES)
def test_a_mistake_is_shown_with_its_place(case: str) -> None:
    text, place, words = PLACES[case]
    told = message(text).split("\n")
    assert told[0].startswith(f"r.yaml:{place}: ")
    assert words in told[0]
    row, column = map(int, place.split(":"))
    decoded = text.encode() if isinstance(text, str) else text
    lines = decoded.decode("utf-8", "replace").splitlines()
    shown = lines[row - 1] if lines else ""
    assert told[1] == f"{row:5d} | {shown}"
    assert told[2] == "      | " + " " * (column - 1) + "^"
    assert len(told) == 3


def test_a_mistake_that_a_merge_key_brings_in_is_shown_at_the_stage() -> None:
    told = message(HEAD + "  align: &b {method: none, scale: 1.0}\n  extract: {<<: *b}\n")
    assert told.startswith("r.yaml:4:")
    assert "extract has no parameter 'method'" in told


def test_values_behind_anchors_and_merge_keys_are_read() -> None:
    made = read(HEAD + "  align: &b {threshold: 0.5, dilate: 3}\n  aggregate: {<<: *b, tile: 32}\n")
    assert (made["aggregate"].threshold, made["aggregate"].dilate, made["aggregate"].tile) == (0.5, 3, 32)


def test_a_missing_or_unreadable_recipe_is_said() -> None:
    with pytest.raises(RecipeError, match=r"There is no recipe 'no\.yaml'"):
        load(Path("no.yaml"), NAMES)
    Path("folder.yaml").mkdir()
    with pytest.raises(RecipeError, match=r"The recipe 'folder\.yaml' cannot be read \(Is a directory\)"):
        load(Path("folder.yaml"), NAMES)


def test_what_a_recipe_says_is_read() -> None:
    Path("r.yaml").write_text(
        "version: 1\nvideo: Büro.mp4\nproject: a/b.h5\nstages:\n  extract: {fps: 15}\n  enhance:\n",
        encoding="utf-8-sig",
    )
    recipe = load(Path("r.yaml"), NAMES)
    assert (recipe.video, recipe.project) == ("Büro.mp4", "a/b.h5")
    assert recipe.stages == {"extract": {"fps": 15}, "enhance": {}}
    made = {t.stage.name: t.params for t in tasks_from(recipe)}
    assert made["extract"].fps == 15.0
    assert type(made["extract"].fps) is float
    assert made["enhance"].steps[0].name == "clahe"


# ----------------------------------------------------------------------------------------------------------- --set

STEPS = HEAD + "  extract: {fps: 15}\n  enhance: {steps: [denoise, clahe, {deconvolve: {sigma: 1}}]}\n"


def test_set_changes_a_value_and_its_type_is_checked() -> None:
    made = read(STEPS, "extract.fps=30", "inspect.yolo=true", "extract.end=null", "align.method=farneback")
    assert (made["extract"].fps, made["inspect"].yolo, made["extract"].end) == (30.0, True, None)
    assert made["align"].method == "farneback"


def test_set_reaches_into_a_steps_options() -> None:
    made = read(STEPS, "enhance.clahe.clip_limit=3")
    assert [s.name for s in made["enhance"].steps] == ["denoise", "clahe", "deconvolve"]
    assert made["enhance"].steps[1].options["clip_limit"] == 3.0
    whole = {"method": "tv", "sigma": 1.0, "family": "identified"}
    assert made["enhance"].steps[2] == Step("deconvolve", whole)
    made = read(STEPS, "enhance.deconvolve.method=wiener", "enhance.deconvolve.sigma=2")
    assert made["enhance"].steps[2] == Step("deconvolve", {**whole, "method": "wiener", "sigma": 2.0})


def test_set_takes_a_list_of_steps() -> None:
    made = read(STEPS, "enhance.steps=[clahe, {clahe: {clip_limit: 4}}]")
    assert [(s.name, s.options["clip_limit"]) for s in made["enhance"].steps][1] == ("clahe", 4.0)
    assert read(STEPS, "enhance.steps=[]")["enhance"].steps == ()


def test_the_last_set_counts() -> None:
    assert read(STEPS, "extract.fps=30", "extract.fps=5")["extract"].fps == 5.0


SET = {
    "extract.fps": "not of the form stage.key=value. For example: --set extract.fps=15",
    "fps=15": "not of the form stage.key=value. For example: --set extract.fps=15",
    "=": "not of the form stage.key=value. For example: --set extract.fps=15",
    ".fps=3": "not of the form stage.key=value. For example: --set extract.fps=15",
    "extract.=3": "not of the form stage.key=value. For example: --set extract.fps=15",
    "extract..fps=3": "not of the form stage.key=value. For example: --set extract.fps=15",
    "extrct.fps=3": "there is no stage 'extrct'. Did you mean 'extract'?",
    "extract.fsp=3": "extract has no parameter 'fsp'. Did you mean 'fps'?",
    "extract.resize-long=960": "extract has no parameter 'resize-long'. Did you mean 'resize_long'?",
    "extract.fps=fast": "extract.fps cannot be 'fast'. It must be a number",
    "extract.fps=0": "extract.fps cannot be 0.0. It must be at least 0.01",
    "extract.sample_every=": "extract.sample_every cannot be None. It must be a whole number",
    "extract.fps=[1": "the value is not YAML (",
    "extract.fps=2020-13-45": "the value is not YAML (month must be in 1..12). Quote it",
    "extract.fps.x=3": "the recipe's extract lists no step 'fps'. Write extract.key=value, or set the whole list",
    "align.method=magic": "align.method cannot be 'magic'. Valid: none, farneback, orb, dis, auto",
    "enhance.clahe.cliplimit=3": "enhance.clahe has no parameter 'cliplimit'. Did you mean 'clip_limit'?",
    "enhance.clahe.clip_limit=x": "enhance.clahe.clip_limit cannot be 'x'. It must be a number",
    "enhance.clahee.clip_limit=3": "the recipe's enhance lists no step 'clahee'. Did you mean 'clahe'?",
    "enhance.clahe.clip_limit.more=3": "too many keys. Write stage.step.option=value",
    "enhance.deconvolve.sigma=.nan": "enhance.steps: deconvolve.sigma cannot be nan",
    "enhance.steps=clahee": "enhance.steps has no step 'clahee'. Did you mean 'clahe'?",
    "enhance.steps=3": "enhance.steps cannot be 3. It must be a list of step names",
}


@pytest.mark.parametrize("option", SET)
def test_a_mistake_in_set_names_the_option_and_the_nearest(option: str) -> None:
    told = message(STEPS, option)
    assert told.startswith(f"--set {option}: {SET[option]}")
    assert "\n" not in told


@pytest.mark.parametrize("steps", ["[[clahe]]", "[3]", "clahe", "[{clahe: 3}]", "[{1: 2}]", "{clahe: {}}", ""])
def test_set_into_steps_that_are_wrong_themselves_is_a_recipe_error(steps: str) -> None:
    try:
        made = read(HEAD + f"  enhance: {{steps: {steps}}}\n", "enhance.clahe.clip_limit=3")
    except RecipeError:
        return
    assert made["enhance"].steps[0].options["clip_limit"] == 3.0


# ------------------------------------------------------------------------------------------------------------- fuzz

QUICK = partial(
    settings, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
WORDS = st.sampled_from([
    "version: 1", "version", ":", " ", "  ", "\n", "\n  ", "\n    ", "stages:",
    *NAMES, "fps", "steps", "clahe", "{",
    "}", "[", "]", ",", "- ", "? ", "&a ", "*a", "<<: ", "!x ", "!!int ", "!!set ", "!!binary ", "|", ">", "'", '"',
    "#",
    "---", "...", "%YAML 1.1", "null", "~", "true", "on", ".nan", "-.inf", "0o7", "0x", "1e400", "1_0", "2020-13-45",
    "2001-12-14t21:59:43.10-05:00", "12:30:45", "\t", "\r", "\ufeff", "\u2028", "\x85", "\0", "é", "🎥", "\\", "@",
    "`", "=",
])  # fmt: skip
LINES = st.lists(WORDS, max_size=14).map("".join)
HEADED = st.builds("version: 1\nstages: {}".format, LINES)
STAGE = st.builds("version: 1\nstages:\n  {}: {}\n".format, st.sampled_from(NAMES), LINES)
STEP = st.builds("version: 1\nstages: {{enhance: {{steps: [{}]}}}}\n".format, LINES)


@QUICK(max_examples=400)
@given(text=st.one_of(LINES, HEADED, STAGE, STEP, st.text(max_size=60)))
def test_no_text_gives_anything_but_a_recipe_or_a_recipe_error(text: str) -> None:
    try:
        read(text.encode("utf-8", "surrogatepass"))
    except RecipeError as error:
        told = str(error)
        assert re.match(r"r\.yaml:\d+:\d+: .", told), told


@QUICK(max_examples=200)
@given(stage=st.sampled_from(["extract", "enhance", "enhance.clahe", "x", ""]), key=LINES, value=LINES)
def test_no_set_gives_anything_but_a_recipe_or_a_recipe_error(stage: str, key: str, value: str) -> None:
    option = f"{stage}.{key}={value}"
    try:
        read(STEPS, option)
    except RecipeError as error:
        assert str(error).startswith(f"--set {option}: ")  # noqa: PT017


def test_a_recipe_made_in_python_can_be_used() -> None:
    assert [t.stage.name for t in tasks_from(Recipe("here", stages={"extract": {"fps": 5}}))] == ["extract"]
    with pytest.raises(RecipeError, match="extract has no parameter 'fsp'"):
        tasks_from(Recipe("here", stages={"extract": {"fsp": 5}}))
