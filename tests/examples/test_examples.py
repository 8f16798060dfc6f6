"""Every example does what its text says."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import jsonschema
import numpy as np
import pytest
from judged_project import SECRET, judged
from ruamel.yaml import YAML

from vbtools.backends import BACKENDS
from vbtools.config.recipe import load, plain
from vbtools.evidence.verdict import INCONCLUSIVE, LEAK, NONE
from vbtools.pipeline import tasks_from
from vbtools.pipeline.recipes import recipe_schema
from vbtools.stages import stage_names
from vbtools.store import Reader

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
RECIPES = sorted(f for f in EXAMPLES.glob("*.yaml"))
INSTALLED = (".venv/.installed-full", ".venv/.installed-light-dev", ".venv/.installed-light")

Program = Callable[..., CompletedProcess[str]]


def workflow(file: str = "ci.yml") -> list[dict[str, Any]]:
    (job,) = YAML(typ="safe").load(EXAMPLES / file)["jobs"].values()
    steps: list[dict[str, Any]] = job["steps"]
    return steps


def step(name: str, file: str = "ci.yml") -> str:
    return next(str(one["run"]) for one in workflow(file) if one["name"].startswith(name))


def fingerprints(project: Path) -> dict[str, str]:
    with Reader(project) as reader:
        return {name: reader.record(name).fingerprint for name in reader.stages()}  # type: ignore[union-attr]


# ----------------------------------------------------------------------------------------- the same study, three ways


def test_step_by_step_stores_every_stage_and_writes_pictures(step_by_step: Path) -> None:
    assert set(fingerprints(step_by_step / "study.h5")) == set(stage_names())
    written = {f.name for f in (step_by_step / "pictures").iterdir()}
    assert {"background.png", "coverage.png", "enhanced-denoise.png", "enhanced-clahe.png", "findings.json"} <= written
    found = json.loads((step_by_step / "pictures" / "findings.json").read_text())
    assert 0.3 < found["observed"] < 1
    assert found["left_out"] == []


def test_the_recipe_asks_for_what_the_shell_made(program: Program, video: Path, step_by_step: Path) -> None:
    done = program("vbtools", "run", EXAMPLES / "study.yaml", "--video", video, "-p", step_by_step / "study.h5")
    assert done.returncode == 0, done.stderr
    assert "everything is fresh; nothing was run" in done.stdout


def test_python_makes_the_same_study_and_tells_it(
    program: Program, video: Path, step_by_step: Path, tmp_path: Path
) -> None:
    done = program(sys.executable, EXAMPLES / "study.py", video, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "align: missing: has not been run" in done.stderr
    ours, theirs = tmp_path / "out" / "study.h5", step_by_step / "study.h5"
    assert fingerprints(ours) == fingerprints(theirs)
    with Reader(ours) as one, Reader(theirs) as other:
        for stage, name in (("aggregate", "background"), ("aggregate", "coverage"), ("enhance", "image")):
            assert np.array_equal(one.array(stage, name), other.array(stage, name))
        coverage = one.array("aggregate", "coverage")
        words = one.table("inspect", "ocr")
    lines = done.stdout.splitlines()
    assert lines[0] == "background: 320x180"
    assert lines[1].startswith(f"coverage: {100 * (coverage > 0).mean():.1f} % of the pixels were seen")
    assert lines[2:4] == ["moments without blur: 0", f"words: {len(words)}"]
    assert len(lines) == 4 + len(words)


def test_the_examples_are_the_cpu_recipe_but_for_models_that_have_to_be_fetched() -> None:
    example, shipped = (load(f, stage_names()) for f in (EXAMPLES / "study.yaml", ROOT / "recipes" / "cpu.yaml"))
    for stage in ("segment", "enhance", "inspect"):
        shipped.stages[stage].pop("device")  # the same on every machine that has no GPU
    assert shipped.stages["enhance"]["steps"].pop() == "mprnet"
    assert shipped.stages["inspect"].pop("yolo") is True
    assert [t.params for t in tasks_from(example)] == [t.params for t in tasks_from(shipped)]


# ------------------------------------------------------------------------------------------------------------- ablation


def test_the_ablation_changes_one_stage_and_compares(program: Program, step_by_step: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(step_by_step, folder)
    project = folder / "study.h5"
    before = hashlib.sha256(project.read_bytes()).digest()
    bulk = sorted(f.name for f in (folder / "study.data").iterdir())
    done = program(EXAMPLES / "ablation.sh", project, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(project.read_bytes()).digest() == before
    assert sorted(f.name for f in (folder / "study.data").iterdir()) == bulk
    assert not (folder / "study-mean.data").exists(), "a branch shares the frames"
    assert "aggregate: stale: method median -> mean" in done.stderr
    backgrounds = {}
    for method in ("mean", "max"):
        branch = folder / f"study-{method}.h5"
        same = {k for k, v in fingerprints(branch).items() if v == fingerprints(project)[k]}
        assert same == {"extract", "segment", "align"}
        with Reader(branch) as reader:
            backgrounds[method] = reader.array("aggregate", "plate")
        answer = json.loads((tmp_path / "out" / method / "compare.json").read_text())
        assert "aggregate" in json.dumps(answer)
        assert list((tmp_path / "out" / method).glob("*.png"))
    seen = ~np.isnan(backgrounds["mean"])
    assert (backgrounds["max"][seen] >= backgrounds["mean"][seen] - 0.001).all()
    assert (backgrounds["max"][seen] > backgrounds["mean"][seen]).any()


# ------------------------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    "command", [["step_by_step.sh"], ["step_by_step.sh", "a.mp4"], ["ablation.sh", "a.h5", "out", "more"], ["study.py"]]
)
def test_wrong_use_is_answered_with_the_usage(program: Program, command: list[str]) -> None:
    python = [sys.executable] if command[0].endswith(".py") else []
    done = program(*python, EXAMPLES / command[0], *command[1:])
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")


def test_an_error_ends_an_example_with_the_documented_code(program: Program, tmp_path: Path) -> None:
    for command in ([EXAMPLES / "step_by_step.sh"], [sys.executable, EXAMPLES / "study.py"]):
        done = program(*command, tmp_path / "no.mp4", tmp_path / "out")
        assert done.returncode == 4
        assert "There is no recording" in done.stderr
        assert "Traceback" not in done.stderr
    done = program(EXAMPLES / "ablation.sh", tmp_path / "no.h5", tmp_path / "out")
    assert done.returncode != 0


# ----------------------------------------------------------------------------------------------------- the CI workflow


def test_every_make_line_of_the_workflow_is_a_target_with_known_variables() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z_]+) \?=", makefile, re.MULTILINE))
    lines = [line for one in workflow() for line in str(one.get("run", "")).splitlines() if line.startswith("make")]
    assert len(lines) == 2
    for line in lines:
        words = line.split()[1:]
        assert {word for word in words if "=" not in word} <= targets
        assert {word.split("=")[0] for word in words if "=" in word} <= variables


@pytest.mark.parametrize("file", ["ci.yml", "verdict.yml"])
def test_the_workflows_steps_that_use_vbtools_stand_in_its_checkout(file: str) -> None:
    folder = next(one["with"]["path"] for one in workflow(file) if one["name"] == "vbtools")
    for one in workflow(file):
        if re.search(r"^(make |\.venv/)", str(one.get("run", "")), re.MULTILINE):
            assert one["working-directory"] == folder


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.skipif(not (ROOT / ".venv" / "bin" / "vbtools").exists(), reason="needs ./.venv, made by make setup")
def test_the_workflow_studies_a_recording_and_fails_when_the_blur_was_off(
    program: Program, video: Path, tmp_path: Path
) -> None:
    env = {"VIDEO": str(video), "OUT": str(tmp_path / "out")}
    held = " ".join(f"-o {stamp}" for stamp in INSTALLED)  # what is installed stays: no test installs anything
    gate = step("Fail if")
    for line in (step("Study").replace("make ", f"make {held} ", 1), step("Write pictures"), gate):
        done = program("bash", "-e", "-c", line, env=env, cwd=ROOT)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out" / "pictures" / "background.png").exists()
    findings = tmp_path / "out" / "pictures" / "findings.json"
    found = json.loads(findings.read_text())
    assert found["unprotected"] == []
    findings.write_text(json.dumps(found | {"unprotected": [{"row": 3, "index": 5, "time": 0.2, "sharpness": 9.0}]}))
    assert program("bash", "-e", "-c", gate, env=env).returncode == 1
    bad = program("bash", "-e", "-c", step("Study").replace("make ", f"make {held} ", 1), cwd=ROOT,
                  env=env | {"VIDEO": str(tmp_path / "no.mp4"), "OUT": str(tmp_path / "none")})  # fmt: skip
    assert bad.returncode == 2, "make's own status for a command that failed"
    assert "There is no recording" in bad.stderr
    assert re.search(r"Error 4\b", bad.stderr)


@pytest.mark.skipif(not (ROOT / ".venv" / "bin" / "vbtools").exists(), reason="needs ./.venv, made by make setup")
@pytest.mark.parametrize(("answer", "status"), [(LEAK, 10), (NONE, 0), (INCONCLUSIVE, 0)])
def test_the_workflow_of_a_verdict_fails_on_a_leak_and_keeps_a_redacted_report(
    program: Program, tmp_path: Path, answer: str, status: int
) -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    judged(tmp_path / "study.h5", answer)
    env = {"OUT": str(tmp_path), "VIDEO": "call.mp4"}
    done = program("bash", "-e", "-c", step("Fail on", "verdict.yml"), env=env, cwd=ROOT)
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout.startswith(answer)
    done = program("bash", "-e", "-c", step("Write the report", "verdict.yml"), env=env, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "report.json").read_text())["redacted"] == ["person", "text"]
    assert SECRET not in (tmp_path / "report.html").read_text()


def test_the_workflow_of_a_verdict_studies_with_a_command_that_there_is(program: Program, tmp_path: Path) -> None:
    line = next(one for one in step("Study", "verdict.yml").splitlines() if "vbtools" in one)
    env = {"OUT": str(tmp_path), "VIDEO": str(tmp_path / "no.mp4")}
    done = program("bash", "-c", line.replace(".venv/bin/vbtools", "vbtools") + " --dry-run", env=env)
    assert done.returncode == 4
    assert "There is no recording" in done.stderr


# ---------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("file", RECIPES, ids=lambda f: f.name)
def test_an_examples_recipe_fits_the_schema_and_can_be_read(file: Path) -> None:
    jsonschema.validate(plain(YAML(typ="safe").load(file)), recipe_schema())
    assert [t.stage.name for t in tasks_from(load(file, stage_names()))] == list(stage_names())


def test_the_readme_names_every_example() -> None:
    told = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    files = {f.name for f in EXAMPLES.iterdir() if f.is_file() and f.name != "README.md"}
    assert files >= {"step_by_step.sh", "study.yaml", "study.py", "ablation.sh", "ci.yml", "verdict.yml"}
    assert [name for name in sorted(files) if f"({name})" not in told] == []


# ------------------------------------------------------------------------------------------------------- docs/study.md

STUDY_FLAGS = (
    "--video", "--out_dir", "--seg_backend", "--device", "--align_method", "--aggregate", "--fps", "--resize_long",
    "--sample_every", "--denoise", "--clahe", "--mprnet_repo", "--mprnet_weights", "--yolo", "--ocr",
    "--ie_on_enhanced",
)  # fmt: skip


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "study.md").read_text(encoding="utf-8")


def test_the_page_on_the_study_has_every_flag_with_keys_that_recipes_take(page: str) -> None:
    flags = page.partition("## Flags")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in flags.splitlines() if line.startswith("| `--")]
    assert {flag for first, _ in rows for flag in re.findall(r"--\w+", first)} == set(STUDY_FLAGS)
    keys = [re.match(r"`(\w+: \{.*\})`", key.strip()) for _, key in rows]
    stages = [YAML(typ="safe").load(found[1]) for found in keys if found]
    assert len(stages) >= 13
    for given in stages:
        jsonschema.validate({"version": 1, "stages": given}, recipe_schema())


def test_the_page_on_the_study_names_tests_that_exist(page: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) >= 14
    missing = [f"{file}::{name}" for file, name in named if f"def {name}(" not in (ROOT / file).read_text()]
    assert missing == []


def test_the_page_on_the_study_says_that_everything_runs_and_so_it_is(page: str) -> None:
    assert "Everything in the study runs here." in page
    assert "not built" not in page.replace("what is not built is refused", "")
    assert not [row.name for row in BACKENDS if not row.is_built]
