"""One dataclass is the whole contract of a stage's parameters: what it declares is read, checked, converted, told."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vbtools.config.params import (
    FilePath,
    ParameterError,
    Spec,
    Step,
    Steps,
    bounds,
    build,
    param,
    specs,
    to_json,
)
from vbtools.stages import all_stages


@dataclass(frozen=True)
class Params:
    """One parameter of each kind."""

    on: bool = param(True, "a switch")
    count: int = param(3, "how many", minimum=1, maximum=9)
    rate: float | None = param(None, "how fast", minimum=0.5, unit="Hz")
    most: float = param(1.0, "how much", maximum=2.0)
    method: str = param("a", "how", choices=("a", "bc"))
    variant: str | None = param(None, "which", choices=("x", "y"))
    name: str = param("n", "any text")
    file: FilePath | None = param(None, "a file")
    steps: Steps = param((Step("one", {}),), "what to do", choices=("one", "two"))


def test_specs_tell_everything_that_was_declared_in_order() -> None:
    found = {s.name: s for s in specs(Params)}
    assert list(found) == ["on", "count", "rate", "most", "method", "variant", "name", "file", "steps"]
    assert [s.kind for s in found.values()] == ["bool", "int", "float", "float", "str", "str", "str", "path", "steps"]
    assert [s.optional for s in found.values()] == [False, False, True, False, False, True, False, True, False]
    assert found["rate"] == Spec("rate", "float", True, None, "how fast", (), 0.5, None, "Hz")
    assert found["method"].choices == ("a", "bc")
    assert Spec("resize_long", "int", True, None, "").option == "--resize-long"


def test_a_type_that_nobody_can_set_is_refused() -> None:
    @dataclass(frozen=True)
    class Odd:
        """A parameter of a type that has no option."""

        when: complex = param(1j, "when")

    with pytest.raises(TypeError, match="complex"):
        specs(Odd)


def test_what_is_not_given_takes_its_default() -> None:
    assert build(Params, {}, "stage") == Params()


GOOD: list[tuple[str, Any, Any]] = [
    ("on", False, False), ("count", 1, 1), ("count", 9, 9), ("rate", 2, 2.0), ("rate", 0.5, 0.5), ("rate", None, None),
    ("most", -1e9, -1e9), ("method", "bc", "bc"), ("variant", None, None), ("variant", "y", "y"), ("name", "", ""),
    ("file", "a.pth", "a.pth"), ("file", None, None), ("steps", [], ()), ("steps", "", ()),
    ("steps", "two, one", (Step("two", {}), Step("one", {}))),
    ("steps", ["one", {"two": None}, {"one": {"k": [1]}}], (Step("one", {}), Step("two", {}), Step("one", {"k": [1]}))),
    ("steps", (Step("two", {"k": 1}),), (Step("two", {"k": 1}),)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "expected"), GOOD)
def test_a_good_value_becomes_the_parameters_own_type(name: str, value: Any, expected: Any) -> None:
    made = getattr(build(Params, {name: value}, "stage"), name)
    assert made == expected
    assert type(made) is (FilePath if name == "file" and value else type(expected))


BAD: list[tuple[str, Any, str]] = [
    ("on", 1, "stage.on cannot be 1. It must be true or false"),
    ("on", "on", "stage.on cannot be 'on'. It must be true or false"),
    ("on", None, "stage.on cannot be None. It must be true or false"),
    ("count", 0, "stage.count cannot be 0. It must be from 1 to 9"),
    ("count", 10, "stage.count cannot be 10. It must be from 1 to 9"),
    ("count", 2.0, "stage.count cannot be 2.0. It must be a whole number"),
    ("count", True, "stage.count cannot be True. It must be a whole number"),
    ("count", "3", "stage.count cannot be '3'. It must be a whole number"),
    ("rate", 0.49, "stage.rate cannot be 0.49. It must be at least 0.5"),
    ("rate", math.inf, "stage.rate cannot be inf. It must be a number"),
    ("rate", math.nan, "stage.rate cannot be nan. It must be a number"),
    ("rate", False, "stage.rate cannot be False. It must be a number"),
    ("most", 2.1, "stage.most cannot be 2.1. It must be at most 2"),
    ("method", "d", "stage.method cannot be 'd'. Valid: a, bc"),
    ("method", "bcc", "stage.method cannot be 'bcc'. Did you mean 'bc'?"),
    ("method", None, "stage.method cannot be None. It must be a text (a, bc)"),
    ("method", True, "stage.method cannot be True. It must be a text (a, bc)"),
    ("name", 3, "stage.name cannot be 3. It must be a text"),
    ("file", "", "stage.file cannot be ''. It must be a file path"),
    ("file", 3, "stage.file cannot be 3. It must be a file path"),
    ("steps", None, "stage.steps cannot be None. It must be a list of step names"),
    ("steps", [3], "stage.steps cannot be [3]. It must be a list of step names"),
    ("steps", "one,twoo", "stage.steps has no step 'twoo'. Did you mean 'two'?"),
    ("steps", [{"one": 3}], "stage.steps: the options of 'one' must be names with values, not 3. Write"),
    ("steps", [{"one": {"k": math.nan}}], "stage.steps: one.k cannot be nan. It must be a text, a number"),
    ("steps", [{"one": {"k": {1: 2}}}], "stage.steps: one.k cannot be {1: 2}"),
    ("steps", [{"one": {"k": b"x"}}], "stage.steps: one.k cannot be b'x'"),
    ("steps", [{"one": {}, "two": {}}], "stage.steps cannot be"),
    ("coutn", 3, "stage has no parameter 'coutn'. Did you mean 'count'?"),
    ("zzz", 3, "stage has no parameter 'zzz'. Valid: on, count, rate, most, method, variant, name, file, steps"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "told"), BAD)
def test_a_bad_value_is_told_with_what_it_must_be(name: str, value: Any, told: str) -> None:
    with pytest.raises(ParameterError) as caught:
        build(Params, {name: value}, "stage")
    assert str(caught.value).startswith(told)
    assert caught.value.path[0] == name
    assert caught.value.at_key == (not hasattr(Params(), name))
    assert caught.value.exit_code == 2


def test_a_mistake_in_a_step_has_its_position() -> None:
    with pytest.raises(ParameterError) as caught:
        build(Params, {"steps": ["one", "two", "three"]}, "stage")
    assert caught.value.path == ("steps", 2)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["one", "a", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("one") | st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(name=st.sampled_from([s.name for s in specs(Params)]), value=VALUES)
def test_any_value_is_either_refused_or_can_be_stored_and_read_again(name: str, value: Any) -> None:
    try:
        made = build(Params, {name: value}, "stage")
    except ParameterError:
        return
    text = json.dumps(to_json(made), allow_nan=False)
    assert build(Params, json.loads(text), "stage") == made


@pytest.mark.parametrize("stage", all_stages(), ids=lambda s: s.name)
def test_every_stages_defaults_pass_their_own_checks(stage: Any) -> None:
    made = stage.parameters({})
    assert stage.parameters(json.loads(json.dumps(to_json(made)))) == made


def test_bounds_in_words() -> None:
    made = {s.name: bounds(s) for s in specs(Params)}
    assert (made["count"], made["rate"], made["most"], made["on"]) == (
        "from 1 to 9", "at least 0.5", "at most 2", "any number",
    )  # fmt: skip
