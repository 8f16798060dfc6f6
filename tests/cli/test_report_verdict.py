"""The commands report and verdict: what they run, what they keep, what they say, how they end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judged_project import SECRET, evidence, judged, pipeline
from stored_project import Project

from vbtools.cli.main import run
from vbtools.errors import StageMissingError
from vbtools.evidence import all_parts, all_with_evidence, tasks
from vbtools.evidence.answer import EXIT_CODES, exit_status
from vbtools.evidence.tasks import evidence_tasks
from vbtools.evidence.verdict import ANSWERS, INCONCLUSIVE, LEAK, NONE
from vbtools.pipeline import assess_stored
from vbtools.stages.enhance import Enhance
from vbtools.store import Reader


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return judged(Path("study.h5"))


def planned(path: Path, quick: bool | None = None) -> dict[str, Any]:
    """Part -> parameters, as they would run."""
    with Reader(path) as reader:
        return {task.stage.name: task.params for task in evidence_tasks(reader, quick)}


# ------------------------------------------------------------------------------------------------------- what is run


def test_stored_parameters_are_kept(project: Project) -> None:
    found = planned(project.path)
    assert list(found) == [part.name for part in all_parts()]
    assert found["verdict"].places == 5, "a recipe's threshold"
    assert (found["replay"].quick, found["replay"].rooms) == (True, 2)


def test_quick_asks_for_less_but_keeps_what_is_whole_and_fresh(project: Project) -> None:
    assert planned(project.path, quick=True)["replay"].quick
    assert not planned(project.path, quick=False)["replay"].quick
    whole = Project(Path("whole.h5"))
    pipeline(whole)
    evidence(whole)
    with Reader(whole.path) as reader:
        rows = reader.table("advice", "settings")
    whole.store("advice", {"quick": False}, settings=rows)
    found = planned(whole.path, quick=True)
    assert not found["advice"].quick, "whole and fresh"
    assert found["replay"].quick
    whole.store("segment", {"backend": "mediapipe", "variant": "square"}, person=np.zeros((7, 36, 64), np.uint8))
    assert planned(whole.path, quick=True)["advice"].quick, "whole but stale"


def test_parts_never_run_have_their_defaults(tmp_path: Path) -> None:
    bare = Project(tmp_path / "bare.h5")
    pipeline(bare)
    assert planned(bare.path) == {part.name: part.parameters({}) for part in all_parts()}
    assert planned(bare.path, quick=True)["replay"] == replace(planned(bare.path)["replay"], quick=True)


def test_without_an_enhanced_picture_there_is_no_gate(tmp_path: Path) -> None:
    bare = Project(tmp_path / "bare.h5")
    bare.extract()
    bare.upstream_of_plate()
    bare.aggregate()
    bare.store("inspect", {}, ocr=[], detections=[], unprotected=[])
    found = planned(bare.path)
    assert "gate" not in found
    assert found["verdict"].gate is False
    assert tasks.without_gate([]) is True


def test_an_enhanced_picture_that_came_after_the_verdict_is_judged(tmp_path: Path) -> None:
    late = Project(tmp_path / "late.h5")
    pipeline(late)
    evidence(late)
    with Reader(late.path) as reader:
        rows, why = reader.table("verdict", "verdict"), reader.table("verdict", "reasons")
    late.store("verdict", {"gate": False}, verdict=rows, reasons=why)
    assert planned(late.path)["verdict"].gate is False, "as the recipe had it"
    late.started = "2026-01-02T00:00:00+00:00"
    late.store("enhance", {"steps": ["denoise"]}, run=True)
    assert planned(late.path)["verdict"].gate is True


@pytest.mark.parametrize("command", [["report", "-o", "r.html"], ["verdict"]])
def test_missing_stages_are_one_sentence_with_the_command(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    bare = Project(Path("bare.h5"))
    bare.extract()
    bare.upstream_of_plate()
    assert run([*command, "-p", "bare.h5"]) == StageMissingError.exit_code
    told = capsys.readouterr().err
    assert "A verdict reads aggregate, inspect, which have not been run on 'bare.h5'" in told
    assert "Run: vbtools run leak --video VIDEO -p bare.h5" in told
    assert not Path("r.html").exists()


# ----------------------------------------------------------------------------------------------------------- verdict


@pytest.mark.parametrize(
    ("answer", "options", "status"),
    [
        (LEAK, [], 10), (NONE, [], 0), (INCONCLUSIVE, [], 11), (LEAK, ["--fail-on", "leak"], 10),
        (INCONCLUSIVE, ["--fail-on", "leak"], 0), (NONE, ["--fail-on", "leak"], 0),
        (INCONCLUSIVE, ["--fail-on", "leak", "--fail-on", "inconclusive"], 11),
        (LEAK, ["--fail-on", "inconclusive"], 0),
    ],
)  # fmt: skip
def test_the_verdict_sets_the_exit_status(
    tmp_path: Path, answer: str, options: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    judged(tmp_path / "study.h5", answer)
    assert run(["verdict", "-p", str(tmp_path / "study.h5"), *options]) == status
    assert capsys.readouterr().out.startswith(f"{answer}: ")


def test_every_answer_has_its_documented_code() -> None:
    assert EXIT_CODES == {LEAK: 10, NONE: 0, INCONCLUSIVE: 11}
    assert {answer: exit_status(answer) for answer in ANSWERS} == EXIT_CODES


def test_the_verdict_answers_in_json(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verdict", "-p", "study.h5", "--json", "--fail-on", "inconclusive"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["answer"], told["exit_code"], told["exit_status"]) == (LEAK, 10, 0)
    assert told["blur_px"] is None
    assert told["reasons"]


# ------------------------------------------------------------------------------------------------------------ report


def test_the_report_tells_what_was_run_where_it_is_and_the_verdict(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    assert run(["report", "-p", "study.h5", "-o", "out/r.html"]) == 0
    out, err = capsys.readouterr()
    assert "replay: fresh: nothing has changed; skipped" in err
    lines = out.splitlines()
    assert lines[0] == "Report: out/r.html (its data: out/r.json)"
    assert lines[1].startswith(f"Verdict: {LEAK}: ")
    assert json.loads(Path("out/r.json").read_text(encoding="utf-8"))["verdict"]["answer"] == LEAK


def test_a_verdict_that_is_out_of_date_is_one_sentence_with_the_command(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    monkeypatch.setattr(Enhance, "version", Enhance.version + 1)
    assert run(["report", "-p", str(project.path), "-o", "page.html"]) == StageMissingError.exit_code
    said = capsys.readouterr().err
    assert "error: The page tells no verdict: verdict is out of date" in said
    assert "vbtools status -p study.h5" in said
    assert Path("page.html").exists()


def test_no_verdict_is_told_that_rests_on_what_is_out_of_date(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Enhance, "version", Enhance.version + 1)
    assert run(["verdict", "-p", str(project.path)]) == StageMissingError.exit_code
    out, err = capsys.readouterr()
    assert "error: The verdict is out of date (" in err
    assert "vbtools status -p study.h5" in err
    assert not out


def test_the_report_answers_in_json_and_redacts(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    assert run(["report", "-p", "study.h5", "-o", "r.html", "--redact", "person,text", "--json"]) == 0
    out = capsys.readouterr().out
    assert json.loads(out)["report"] == "r.html"
    assert SECRET not in out
    assert SECRET not in Path("r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["-o", "r.pdf"], "'r.pdf' is no name for a page"),
        (["-o", "r.html", "--redact", "faces"], "'faces' cannot be redacted"),
        ([], "Missing option '-o'"),
    ],
)
def test_a_mistake_is_told_before_anything_is_run(
    project: Project, options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(Path().iterdir())
    assert run(["report", "-p", "study.h5", *options]) == 2
    assert told in capsys.readouterr().err
    assert sorted(Path().iterdir()) == before


def write_recipe(project: Project) -> None:
    """``again.yaml``: everything with the parameters that it was run with."""
    from vbtools.pipeline.pictures import Shown
    from vbtools.report.content import recipe
    from vbtools.report.redaction import Redaction

    with Reader(project.path) as reader:
        shown = Shown(reader, all_with_evidence())
        Path("again.yaml").write_text(recipe(shown, Redaction(shown)), encoding="utf-8")


def restore_replay(project: Project) -> None:
    """The same replays, stored by a run with other parameters."""
    with Reader(project.path) as reader:
        stored = {name: reader.array("replay", name) for name in ("room", "background", "detail")}
        stored |= {name: reader.array("replay", name) for name in ("exposure", "confidence")}
        tables = {name: reader.table("replay", name) for name in ("letters", "decoys", "replays")}
    project.store("replay", {"quick": True, "rooms": 3}, **stored, **tables)


def test_a_run_with_a_verdict_says_it_last(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write_recipe(project)
    assert run(["run", "again.yaml", "-p", "study.h5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith(f"Verdict: {LEAK}: ")
    assert lines[-1] == "Read it: vbtools report -p study.h5 -o study.html"


def test_a_part_can_be_run_alone_on_the_stored_ones(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write_recipe(project)
    alone = ["run", "again.yaml", "-p", "study.h5", "--from", "verdict"]
    assert run([*alone, "--dry-run", "--json"]) == 0
    planned_alone = json.loads(capsys.readouterr().out)
    assert [(one["stage"], one["action"]) for one in planned_alone["stages"]] == [("verdict", "skip")]
    assert planned_alone["warnings"] == []
    assert run([*alone, "--force", "verdict"]) == 0
    assert capsys.readouterr().out.startswith("study.h5: ran verdict\n")
    with Reader(project.path) as reader:
        found = {one.stage: str(one.state) for one in assess_stored(reader, all_with_evidence())}
    assert set(found.values()) == {"fresh"}, found


def test_a_part_is_not_built_on_one_that_does_not_fit(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """control is of another replay than the one that is stored now."""
    write_recipe(project)
    restore_replay(project)
    assert run(["run", "again.yaml", "-p", "study.h5", "--from", "verdict"]) == StageMissingError.exit_code
    told = capsys.readouterr().err
    assert "verdict reads control, which is stale (replay" in told
    assert "Run: vbtools verdict -p study.h5" in told


def test_the_gate_and_what_rests_on_it_are_stale_when_the_replays_change(project: Project) -> None:
    def states() -> dict[str, str]:
        with Reader(project.path) as reader:
            return {one.stage: str(one.state) for one in assess_stored(reader, all_with_evidence())}

    assert states()["gate"] == "fresh"
    restore_replay(project)
    assert (states()["replay"], states()["gate"], states()["verdict"]) == ("fresh", "stale", "stale")


def test_a_part_that_was_never_run_is_told_with_a_command_that_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    bare = Project(Path("bare.h5"))
    pipeline(bare)
    Path("r.yaml").write_text("version: 1\nstages: {verdict: {}}\n")
    assert run(["run", "r.yaml", "-p", "bare.h5", "--from", "verdict"]) == StageMissingError.exit_code
    told = capsys.readouterr().err
    assert "verdict reads replay, which has not been run on 'bare.h5'. Run: vbtools verdict -p bare.h5" in told
