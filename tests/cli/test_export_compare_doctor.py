"""The commands export, compare and doctor: what they say, what they write, how they end."""

import json
from pathlib import Path

import numpy as np
import pytest
from stored_project import Project, room

from vbtools.cli.main import run
from vbtools.pipeline import doctor


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    made = Project(Path("a.h5"))
    made.extract()
    made.upstream_of_plate()
    made.aggregate()
    return made


def test_export_writes_the_film_unless_told_not_to(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "-p", "a.h5", "-o", "out"]) == 0
    assert "out/frames.mp4" in capsys.readouterr().out
    assert run(["export", "-p", "a.h5", "-o", "bare", "--no-video", "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert "bare/background.png" in files
    assert "bare/frames.mp4" not in files


def test_compare_says_what_differs_and_writes_pictures(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    other = Project(Path("b.h5"))
    other.extract()
    other.upstream_of_plate()
    other.store(
        "aggregate", {"method": "max"}, background=room(), coverage=np.full(room().shape[:2], 7, np.uint32),
        plate=room().astype(np.float32),
    )  # fmt: skip
    for one, strength in ((project, 3.0), (other, 5.0)):
        one.store("enhance", {"steps": ["clahe", {"denoise": {"strength": strength}}]}, run=True)
    assert run(["compare", "a.h5", "b.h5", "-o", "out"]) == 0
    told = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "aggregate method median max" in told
    assert "enhance steps clahe, denoise clahe, denoise (strength 5.0)" in told
    assert not any(line.startswith("aggregate backend") for line in told), "the method has named it"
    assert any(line.startswith("raw ") and " dB " in line for line in told)
    assert "written: out/enhanced-difference.png" in told
    assert {p.name for p in Path("out").iterdir()} == {
        "raw.png", "raw-difference.png", "enhanced.png", "enhanced-difference.png", "compare.json",
    }  # fmt: skip


def test_compare_answers_in_json_and_writes_nothing_unasked(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(Path().iterdir())
    assert run(["compare", "a.h5", "a.h5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["differences"] == []
    assert run(["compare", "a.h5", "a.h5"]) == 0
    assert "Nothing was done differently." in capsys.readouterr().out
    assert sorted(Path().iterdir()) == before


def test_compare_with_a_project_that_is_not_there_says_so(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", "a.h5", "nowhere.h5"]) == 5
    assert "nowhere.h5" in capsys.readouterr().err
    Path("out").write_text("a file")
    assert run(["compare", "a.h5", "a.h5", "-o", "out"]) == 12
    assert "cannot be made a folder" in capsys.readouterr().err


def report(state: doctor.State) -> doctor.Report:
    gap = doctor.Check("model", "selfie-landscape", state, "", "vbtools models pull selfie-landscape", needed=True)
    other = doctor.Check("model", "yolov8n", doctor.State.ABSENT, "", "vbtools models pull yolov8n")
    return doctor.Report((gap, other))


def test_doctor_ends_with_0_when_the_light_path_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: report(doctor.State.OK))
    assert run(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "The light path works" in out
    assert "vbtools models pull yolov8n" in out


@pytest.mark.parametrize("state", [doctor.State.ABSENT, doctor.State.BAD])
@pytest.mark.parametrize("as_json", [True, False])
def test_doctor_ends_with_8_and_a_command_when_it_does_not(
    state: doctor.State, as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: report(state))
    assert run(["doctor", *(["--json"] if as_json else [])]) == 8
    out, err = capsys.readouterr()
    assert "does not work: model selfie-landscape. Run: vbtools models pull selfie-landscape" in err
    if as_json:
        assert json.loads(out)["works"] is False
