"""The table of products: complete, checked, as wide as the products were measured, and open to the user's own."""

from __future__ import annotations

import jsonschema
import numpy as np
import pytest

from vbtools.config.params import build
from vbtools.errors import RecipeError, UsageError
from vbtools.pipeline.recipes import recipe_schema
from vbtools.simulate import blurs, masks
from vbtools.simulate.choice import choose
from vbtools.simulate.profile import PROFILES, STEP_TABLES, Profile

NAMES = {
    "gaussian", "jitsi", "jitsi-slight", "jitsi2", "bbb", "twilio", "twilio-webgl", "livekit", "chime", "volcomix",
    "obs", "kaito", "backscrub", "lfbw", "shiguredo",
}  # fmt: skip


def test_every_product_of_the_design_has_a_row():
    assert set(PROFILES) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_row_says_where_its_values_come_from(name):
    row = PROFILES[name]
    assert len(row.source) > 40
    assert row.summary
    assert row.setting
    assert row.values()["mask"]


@pytest.mark.parametrize(("key", "makers"), [("mask", masks.MAKERS), ("blur", blurs.MAKERS)])
def test_every_step_can_be_made(key, makers):
    assert set(STEP_TABLES[key]) == set(makers)


def blurred(chosen: Profile, picture: np.ndarray) -> np.ndarray:
    for step in chosen.scheme.blur:
        options = build(STEP_TABLES["blur"][step.name], step.options, "profile")
        picture = blurs.MAKERS[step.name](options, chosen.scheme.strength)(picture, None)
    return picture


def effective_sigma(chosen: Profile) -> float:
    """Standard deviation of the kernel that really results, px, from a blurred step."""
    step = np.zeros((160, 480, 3), np.uint8)
    step[:, 240:] = 255
    row = blurred(chosen, step)[80, 40:440, 0].astype(float)
    kernel, places = np.maximum(np.diff(row), 0), np.arange(399)
    mean = (kernel * places).sum() / kernel.sum()
    return float(np.sqrt((kernel * (places - mean) ** 2).sum() / kernel.sum()))


@pytest.mark.parametrize(("name", "sigma"), [
    ("jitsi-slight", 8.0), ("twilio", 15.0), ("twilio-webgl", 8.3), ("livekit", 5.2), ("volcomix", 5.9),
    ("backscrub", 4.1), ("lfbw", 5.2), ("shiguredo", 15.0), ("obs", 18.0),
])  # fmt: skip
def test_blurs_are_as_wide_as_the_products_own(name, sigma):
    """The effective sigmas of shared/vendors.md."""
    assert effective_sigma(PROFILES[name]) == pytest.approx(sigma, rel=0.07)


def test_lfbw_takes_its_own_setting():
    """blur=40: a Gaussian of kernel 41 and sigma 13.7, then kernel 41 by OpenCV's formula, sigma 6.5."""
    alone = effective_sigma(choose("lfbw", ["strength=40"]))
    assert alone == pytest.approx(np.hypot(10.4, 6.4), rel=0.05)  # both are cut at 20 px


def test_a_strength_of_nothing_blurs_nothing():
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    for name in NAMES - {"lfbw"}:  # there 0 means: not set
        assert np.array_equal(blurred(choose(name, ["strength=0"]), picture), picture), name


@pytest.mark.parametrize("step", ["canvas", "gaussian", "taps", "odd_kernel", "box", "stack", "dual_kawase", "kernels"])
def test_any_blur_can_keep_a_person_out(step):
    picture = np.full((64, 96, 3), 100, np.uint8)
    picture[:, 40:56] = (255, 0, 0)
    share = np.ones((64, 96), np.float32)
    share[:, 40:56] = 0
    run = blurs.MAKERS[step](STEP_TABLES["blur"][step](), 4.0)
    assert np.abs(run(picture, share)[20:44, 20:40].astype(int) - 100).max() <= 1
    assert np.abs(run(picture, None)[20:44, 36:40].astype(int) - 100).max() > 20


def test_values_can_be_changed_one_by_one():
    chosen = choose("lfbw", ["strength=40", "mask.decide-2.above=0.8", "every=2", "blur=[stack]"])
    told = chosen.values()
    assert (told["strength"], told["every"], told["blur"]) == (40.0, 2, [{"stack": {"radius": 0}}])
    decisions = [s["decide"]["above"] for s in told["mask"] if "decide" in s]
    assert decisions == [0.5, 0.8]
    assert "strength=40" in told["source"]
    assert PROFILES["lfbw"].scheme.strength == 0


@pytest.mark.parametrize(("override", "said"), [
    ("strength", "key=value"), ("strenght=3", "Did you mean 'strength'"),
    ("mask.dcide.above=1", "Did you mean 'decide'"),
    ("mask.decide.abov=1", "Did you mean 'above'"), ("mask.decide.above=3", "from 0 to 1"), ("a.b=1", "leads nowhere"),
    ("blur=[kwase]", "kawase"), ("mask.feather.kernel=4", "must be odd"), ("strength=[", "not YAML"),
    ("mask=[{smoothstep: {low: 0.9, high: 0.1}}]", "at most high"), ("mask=[feather]", "neither sigma nor kernel"),
])  # fmt: skip
def test_an_override_that_makes_no_sense_gets_one_sentence(override, said):
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        choose("lfbw", [override])


OWN = """\
version: 1
profile:
  base: livekit
  name: ours
  strength: 24
  mask: [enlarge, {smoothstep: {low: 0.2, high: 0.9}}]
"""


def test_a_user_defines_a_profile_in_yaml(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(OWN, encoding="utf-8")
    chosen = choose(str(file), ["raw_frames=0"])
    told = chosen.values()
    assert (told["name"], told["strength"], told["model"], told["raw_frames"]) == ("ours", 24.0, "selfie-square", 0)
    assert [next(iter(step)) for step in told["mask"]] == ["enlarge", "smoothstep"]
    assert [step.name for step in chosen.scheme.blur] == ["taps"]


@pytest.mark.parametrize(("text", "said"), [
    (OWN.replace("strength: 24", "strength: loud"), "own.yaml:5:13: profile.strength cannot be 'loud'"),
    (OWN.replace("livekit", "livekid"), "own.yaml:3:9: there is no profile 'livekid'. Did you mean 'livekit'?"),
    (OWN.replace("low: 0.2", "lo: 0.2"), "own.yaml:6:33: profile.mask.smoothstep has no parameter 'lo'"),
    (OWN.replace("name: ours", "name: [ours]"), r"own.yaml:4:9: profile.name cannot be \['ours'\]"),
    ("version: 1\nstages: {extract: {}}\n", "the recipe has no profile"),
    ("version: 1\nprofile: jitsi\n", "own.yaml:2:10: profile must be a mapping"),
])  # fmt: skip
def test_a_mistake_in_a_profile_is_shown_where_it_stands(text, said, tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=said.replace(".yaml", r"\.yaml")):
        choose(str(file))


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(RecipeError, match="There is no recipe"):
        choose(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(("profile", "valid"), [
    ({"base": "lfbw"}, True), ({"mask": ["enlarge", {"feather": {"sigma": 3}}], "blur": ["canvas"]}, True),
    ({"base": "lfbv"}, False), ({"mask": [{"feather": {"sgma": 3}}]}, False), ({"strength": -1}, False),
])  # fmt: skip
def test_the_recipe_schema_covers_profiles(profile, valid):
    validator = jsonschema.Draft202012Validator(recipe_schema())
    assert validator.is_valid({"version": 1, "profile": profile}) is valid
    stages = {"extract": {}}
    assert validator.is_valid({"version": 1, "profile": profile, "stages": stages}) is valid
