"""What ``run`` decides: which stages of a recipe, in which order, and what is refused before anything is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_chain import install
from small_stages import NAMES, Small, contents, tasks

from vbtools.config.recipe import Recipe, load
from vbtools.errors import ProjectError, StageMissingError, UsageError
from vbtools.pipeline import execute, make_plan, tasks_from


@pytest.fixture(autouse=True)
def small_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    file = tmp_path / "call.mp4"
    file.write_bytes(b"a recording")
    return file


def names(recipe: Recipe, first: str | None = None, last: str | None = None) -> list[str]:
    return [t.stage.name for t in tasks_from(recipe, first, last)]


def recipe(tmp_path: Path, stages: str) -> Recipe:
    file = tmp_path / "r.yaml"
    file.write_text(f"version: 1\nstages: {stages}\n")
    return load(file, NAMES)


def test_tasks_are_in_pipeline_order_whatever_the_recipes(tmp_path: Path) -> None:
    stages = "{enhance: , aggregate: {tile: 32}, align: {method: farneback}, segment: , extract: {fps: 5}}"
    given = recipe(tmp_path, stages)
    made = tasks_from(given)
    assert [t.stage.name for t in made] == list(NAMES)
    assert (made[0].params.fps, made[2].params.method, made[3].params.tile, made[4].params.strength) == (
        5.0, "farneback", 32, 1,
    )  # fmt: skip


def test_stages_that_are_read_come_with_their_defaults(tmp_path: Path) -> None:
    assert names(recipe(tmp_path, "{enhance: {}}")) == list(NAMES)
    assert names(recipe(tmp_path, "{segment: {}}")) == ["extract", "segment"]


def test_from_and_until_are_inclusive(tmp_path: Path) -> None:
    given = recipe(tmp_path, "{enhance: {}}")
    assert names(given, "segment") == ["segment", "align", "aggregate", "enhance"]
    assert names(given, None, "segment") == ["extract", "segment"]
    assert names(given, "align", "align") == ["align"]
    with pytest.raises(UsageError) as caught:
        tasks_from(given, "align", "extract")
    assert str(caught.value) == (
        "--from align comes after --until extract. The order is extract, segment, align, aggregate, enhance"
    )


def test_until_takes_a_stage_that_the_recipe_lacks_and_what_it_reads(tmp_path: Path) -> None:
    assert names(recipe(tmp_path, "{segment: {}}"), None, "aggregate") == list(NAMES[:4])
    assert names(recipe(tmp_path, "{segment: {}}"), "segment", "align") == ["segment", "align"]


def test_from_reads_what_is_stored_and_warns_of_what_is_stale(tmp_path: Path, video: Path) -> None:
    project = tmp_path / "study.h5"
    execute(project, tasks(), video)
    assert make_plan(project, tasks({"align": {"method": "farneback"}}, NAMES[2:])).warnings == ()
    video.write_bytes(b"another")
    plan = make_plan(project, tasks(None, ("enhance",)))
    assert plan.warnings == ("aggregate: stale: extract is stale; segment is stale; align is stale",)
    assert not plan.to_run


@pytest.mark.parametrize("exists", [False, True])
def test_a_stage_whose_upstream_has_not_been_run_is_refused(tmp_path: Path, video: Path, exists: bool) -> None:
    project = tmp_path / "study.h5"
    if exists:
        execute(project, tasks(None, ("extract",)), video)
    before = contents(tmp_path)
    with pytest.raises(StageMissingError) as caught:
        execute(project, tasks(None, ("align",)), video)
    missing = "segment" if exists else "extract"
    assert str(caught.value) == (
        f"align reads {missing}, which has not been run on '{project}'. Run: vbtools {missing} -p {project}"
    )
    assert caught.value.exit_code == 6
    assert contents(tmp_path) == before


@pytest.mark.parametrize("stage", ["align", "aggregate", "enhance"])
def test_a_stage_is_not_built_on_an_upstream_that_does_not_fit(tmp_path: Path, video: Path, stage: str) -> None:
    """segment is of other frames than the extract that is stored now: align would mix the two."""
    project = tmp_path / "study.h5"
    execute(project, tasks({"extract": {"fps": 15}}), video)
    execute(project, tasks({"extract": {"fps": 30}}, ("extract",)), video)
    before = contents(tmp_path)
    reads = "segment" if stage != "enhance" else "aggregate"
    with pytest.raises(StageMissingError) as caught:
        execute(project, tasks(None, (stage,)), video, force=(stage,))
    assert str(caught.value) == (
        f"{stage} reads {reads}, which is stale (extract changed (fps 15 -> 30)). Run: vbtools {reads} -p {project}"
    )
    assert contents(tmp_path) == before


def test_planning_changes_nothing_and_runs_nothing(tmp_path: Path, video: Path) -> None:
    project = tmp_path / "study.h5"
    plan = make_plan(project, tasks(), video)
    assert [d.run for d in plan.decisions] == [True] * 5
    assert not project.exists()
    execute(project, tasks(), video)
    Small.ran.clear()
    before = contents(tmp_path)
    plan = make_plan(project, tasks({"aggregate": {"tile": 64}}), video, force=("extract",))
    assert plan.to_json() == {
        "project": str(project),
        "warnings": [],
        "stages": [
            {"stage": d.task.stage.name, "action": action, "state": state, "reason": reason, "reasons": reasons,
             "fingerprint": d.assessment.wanted.fingerprint}
            for d, (action, state, reason, reasons) in zip(plan.decisions, [
                ("run", "fresh", "forced", []),
                ("skip", "fresh", "fresh: nothing has changed", []),
                ("skip", "fresh", "fresh: nothing has changed", []),
                ("run", "stale", "stale: tile 256 -> 64", ["tile 256 -> 64"]),
                ("run", "stale", "stale: aggregate changed (tile 256 -> 64)", ["aggregate changed (tile 256 -> 64)"]),
            ], strict=True)
        ],
    }  # fmt: skip
    assert len({d.assessment.wanted.fingerprint for d in plan.decisions}) == 5
    assert contents(tmp_path) == before
    assert Small.ran == []


def test_a_plan_for_a_file_that_is_no_project_is_refused(tmp_path: Path, video: Path) -> None:
    (tmp_path / "study.h5").write_text("mine")
    with pytest.raises(ProjectError, match="is not a vbtools project"):
        execute(tmp_path / "study.h5", tasks(), video)
    assert (tmp_path / "study.h5").read_text() == "mine"
