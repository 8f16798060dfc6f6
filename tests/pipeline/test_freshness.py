"""Every cause of a rerun, one test each, with the words that the user reads; and what is no cause."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import pytest
from small_chain import install, pin
from small_stages import MODEL, NAMES, Small, SmallAlign, SmallExtract, contents, everything, tasks

from vbtools.errors import InputError
from vbtools.models import CATALOG
from vbtools.pipeline import Plan, assess_stored, execute, make_plan
from vbtools.store import Reader

Values = Mapping[str, Mapping[str, Any]]


@pytest.fixture(autouse=True)
def small_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    file = tmp_path / "call.mp4"
    file.write_bytes(b"a recording")
    return file


@pytest.fixture
def project(tmp_path: Path, video: Path) -> Path:
    """A project in which everything has run, at 15 frames a second."""
    folder = tmp_path / "results"
    folder.mkdir()
    run(folder / "study.h5", video=video)
    Small.ran.clear()
    return folder / "study.h5"


AT_15: Values = {"extract": {"fps": 15}}


def run(project: Path, values: Values = AT_15, video: Path | None = None, force: tuple[str, ...] = ()) -> Plan:
    return execute(project, tasks(values), video, force).plan


def reasons(plan: Plan) -> dict[str, str]:
    return {d.task.stage.name: d.reason for d in plan.decisions if d.run}


def status(project: Path) -> list[str]:
    with Reader(project) as reader:
        return [str(found) for found in assess_stored(reader)]


ALL_FRESH = [f"{name}: fresh" for name in NAMES]


def test_a_first_run_runs_everything(tmp_path: Path, video: Path) -> None:
    plan = run(tmp_path / "study.h5", video=video)
    assert reasons(plan) == dict.fromkeys(NAMES, "missing: has not been run")
    assert Small.ran == list(NAMES)
    assert status(tmp_path / "study.h5") == ALL_FRESH


def test_a_second_run_touches_no_file(project: Path, video: Path) -> None:
    before = contents(project.parent)
    for recording in (video, None):
        plan = run(project, video=recording)
        assert [str(d) for d in plan.decisions] == [f"{name}: fresh: nothing has changed" for name in NAMES]
    assert Small.ran == []
    assert contents(project.parent) == before


def test_the_same_value_written_otherwise_is_no_change(project: Path) -> None:
    assert reasons(run(project, {"extract": {"fps": 15.0, "keep_all": False}, "align": {"method": "none"}})) == {}


def test_a_parameter(project: Path) -> None:
    assert reasons(run(project, AT_15 | {"align": {"method": "farneback"}})) == {
        "align": "stale: method none -> farneback",
        "aggregate": "stale: align changed (method none -> farneback)",
        "enhance": "stale: align changed (method none -> farneback)",
    }
    assert Small.ran == ["align", "aggregate", "enhance"]


def test_several_parameters_are_all_told(project: Path) -> None:
    told = reasons(make_plan(project, tasks({"extract": {"keep_all": True}})))
    assert told["extract"] == "stale: fps 15 -> none; keep_all false -> true"


def test_upstream_is_told_with_its_own_cause_by_all_that_follow(project: Path) -> None:
    after = "stale: extract changed (fps 15 -> 30)"
    assert reasons(run(project, {"extract": {"fps": 30}})) == {
        "extract": "stale: fps 15 -> 30", "segment": after, "align": after, "aggregate": after, "enhance": after,
    }  # fmt: skip
    assert Small.ran == list(NAMES)


def test_a_backend(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Small.backend_names, "align", ("orb", "dis"))
    assert reasons(run(project)) == {
        "align": "stale: backend [] -> [orb, dis]",
        "aggregate": "stale: align changed (backend [] -> [orb, dis])",
        "enhance": "stale: align changed (backend [] -> [orb, dis])",
    }


def test_the_catalogs_weights(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin(monkeypatch, "2" * 64)
    cause = f"weights of {MODEL} have changed (sha256 11111111 -> 22222222)"
    assert status(project)[1] == f"segment: stale: {cause}"
    told = reasons(run(project))
    assert told["segment"] == f"stale: {cause}"
    assert told["enhance"] == f"stale: segment changed ({cause})"
    assert "extract" not in told


def test_weights_that_the_catalog_does_not_pin_are_known_by_what_is_installed(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    monkeypatch.setenv("VBTOOLS_MODELS", str(tmp_path / "models"))
    monkeypatch.setitem(CATALOG, MODEL, replace(CATALOG[MODEL], sha256=None, size=None))
    assert reasons(run(project)) == {}  # not installed any more: what made the result is all that is known


def test_a_weights_file_counts_by_its_content_not_its_name(project: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.pth", tmp_path / "b.pth"
    first.write_bytes(b"weights")
    second.write_bytes(b"weights")
    run(project, AT_15 | {"segment": {"weights": str(first)}})
    assert reasons(run(project, AT_15 | {"segment": {"weights": str(second)}})) == {}
    second.write_bytes(b"others")
    old, new = (hashlib.sha256(content).hexdigest()[:8] for content in (b"weights", b"others"))
    cause = f"weights of file 1 have changed (sha256 {old} -> {new})"
    told = reasons(run(project, AT_15 | {"segment": {"weights": str(second)}}))
    assert told["segment"] == f"stale: {cause}"
    assert told["align"] == f"stale: segment changed ({cause})"
    second.unlink()
    assert status(project) == ALL_FRESH  # a weights file that is gone is no change


def test_a_weights_file_instead_of_the_catalogs(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.pth"
    file.write_bytes(b"weights")
    assert reasons(run(project, AT_15 | {"segment": {"weights": str(file)}}))["segment"].startswith("stale: weights of")


def test_the_stages_version(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SmallAlign, "version", 2)
    assert status(project) == [
        "extract: fresh", "segment: fresh", "align: stale: stage version 1 -> 2", "aggregate: stale: align is stale",
        "enhance: stale: aggregate is stale",
    ]  # fmt: skip
    assert reasons(run(project)) == {
        "align": "stale: stage version 1 -> 2",
        "aggregate": "stale: align changed (stage version 1 -> 2)",
        "enhance": "stale: align changed (stage version 1 -> 2)",
    }
    assert status(project) == ALL_FRESH


def test_the_recordings_content(project: Path, video: Path) -> None:
    old = hashlib.sha256(video.read_bytes()).hexdigest()[:8]
    video.write_bytes(b"another recording")
    new = hashlib.sha256(video.read_bytes()).hexdigest()[:8]
    cause = f"the recording has changed (sha256 {old} -> {new})"
    assert status(project)[:2] == [f"extract: stale: {cause}", "segment: stale: extract is stale"]
    told = reasons(run(project, video=video))
    assert told["extract"] == f"stale: {cause}"
    assert told["enhance"] == f"stale: extract changed ({cause})"


def test_the_recordings_content_at_the_same_size(project: Path, video: Path) -> None:
    video.write_bytes(video.read_bytes()[::-1])
    assert "extract" in reasons(run(project, video=video))


def test_a_recording_that_was_only_touched_is_read_again_and_nothing_is_written(
    project: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vbtools.models import sha256_of

    read: list[Path] = []

    def noted(path: Path) -> str:
        read.append(path)
        return sha256_of(path)

    monkeypatch.setattr("vbtools.pipeline.freshness._HASHES", {})
    monkeypatch.setattr("vbtools.pipeline.freshness.sha256_of", noted)
    before = contents(project.parent)
    assert reasons(run(project, video=video)) == {}
    assert read == []
    os.utime(video, (1, 1))
    assert reasons(run(project, video=video)) == {}
    assert read == [video]
    assert contents(project.parent) == before


def test_a_moved_recording_is_the_same_recording(project: Path, video: Path) -> None:
    moved = video.rename(video.with_name("moved.mp4"))
    assert reasons(run(project, video=moved)) == {}


def test_a_recording_that_is_gone_is_no_reason_to_run(project: Path, video: Path) -> None:
    video.unlink()
    before = contents(project.parent)
    assert reasons(run(project, video=video)) == {}
    assert reasons(run(project)) == {}
    assert status(project) == ALL_FRESH
    assert contents(project.parent) == before
    assert list(reasons(run(project, AT_15 | {"align": {"method": "farneback"}}))) == ["align", "aggregate", "enhance"]


@pytest.mark.parametrize(
    "again", [(("extract",), AT_15, "forced"), ((), {"extract": {"fps": 30}}, "stale: fps 15 -> 30")]
)
def test_a_recording_that_is_gone_and_needed_is_said_before_anything_runs(
    project: Path, video: Path, again: tuple[tuple[str, ...], Values, str]
) -> None:
    force, values, why = again
    sha = hashlib.sha256(video.read_bytes()).hexdigest()
    video.unlink()
    before = contents(project.parent)
    with pytest.raises(InputError) as caught:
        run(project, values, force=force)
    assert str(caught.value) == (
        f"extract has to run ({why}), but the recording '{video}' is not there any more. "
        f"Put it back, or name it where it is now (its sha256 is {sha})"
    )
    assert contents(project.parent) == before


def test_no_recording_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no recording to read\. Name one"):
        run(tmp_path / "study.h5")
    with pytest.raises(InputError, match=r"There is no recording '.*no\.mp4' \(No such file or directory\)"):
        run(tmp_path / "study.h5", video=tmp_path / "no.mp4")
    with pytest.raises(InputError, match="is a folder, not a recording"):
        run(tmp_path / "study.h5", video=tmp_path)
    assert list(tmp_path.iterdir()) == []


def bulk(project: Path, stage: str) -> Path:
    return next(project.with_suffix(".data").glob(f"{stage}-*.h5"))


def test_missing_bulk(project: Path) -> None:
    file = bulk(project, "segment")
    file.unlink()
    why = f"bulk data is missing: /segment/person is gone ('{file}')"
    assert status(project)[1:3] == [f"segment: stale: {why}", "align: fresh"]
    assert reasons(run(project)) == {"segment": f"stale: {why}"}  # it gives the same again: what follows stays fresh
    assert status(project) == ALL_FRESH


def test_truncated_bulk(project: Path) -> None:
    file = bulk(project, "segment")
    size = file.stat().st_size
    file.write_bytes(file.read_bytes()[:-7])
    assert reasons(run(project)) == {
        "segment": f"stale: bulk data is missing: /segment/person has {size - 7} bytes instead of {size} ('{file}')"
    }
    assert status(project) == ALL_FRESH


def test_foreign_bulk(project: Path) -> None:
    file = bulk(project, "segment")
    with h5py.File(file, "r") as opened:
        print_ = opened.attrs["fingerprint"]
    file.write_bytes(file.read_bytes().replace(print_.encode(), b"0" * 64))
    assert reasons(run(project)) == {
        "segment": f"stale: bulk data is missing: /segment/person belongs to another run ('{file}')"
    }
    assert status(project) == ALL_FRESH


def test_a_stage_can_be_forced_although_it_is_fresh(project: Path, video: Path) -> None:
    before = everything(project)
    assert reasons(run(project, force=("segment",))) == {"segment": "forced"}
    assert Small.ran == ["segment"]
    after = everything(project)
    assert len(after.pop("log")) == len(before.pop("log")) + 1
    for one in (before, after):
        for key in ("started", "duration", "command"):
            one["segment"].pop(key)
    assert after == before


def test_nothing_downstream_is_deleted_but_all_of_it_is_stale(project: Path) -> None:
    before = everything(project)
    execute(project, tasks({"extract": {"fps": 30}}, ("extract",)))
    after = everything(project)
    for stage in NAMES[1:]:
        assert {k: v for k, v in after.items() if k.startswith(stage)} == {
            k: v for k, v in before.items() if k.startswith(stage)
        }
    assert status(project) == [
        "extract: fresh", "segment: stale: extract changed (fps 15 -> 30)",
        "align: stale: extract changed (fps 15 -> 30)", "aggregate: stale: extract changed (fps 15 -> 30)",
        "enhance: stale: aggregate is stale",
    ]  # fmt: skip


def test_going_back_makes_everything_fresh_again(project: Path) -> None:
    execute(project, tasks({"extract": {"fps": 30}}, ("extract",)))
    assert reasons(run(project, AT_15)) == {"extract": "stale: fps 30 -> 15"}
    assert status(project) == ALL_FRESH


def test_parameters_of_another_version_are_stale_not_an_error(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Fewer:
        """The stage has lost a parameter."""

    monkeypatch.setattr(SmallAlign, "Params", Fewer)
    assert status(project)[2] == "align: stale: another version made it: align has no parameter 'method'"


def test_an_unreadable_recording_is_an_input_error(project: Path, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("vbtools.pipeline.freshness.sha256_of", refuse)
    os.utime(video, (1, 1))
    with pytest.raises(InputError, match=r"The recording '.*call\.mp4' cannot be read \(Permission denied\)"):
        run(project, video=video)


def test_what_changes_a_fingerprint() -> None:
    from vbtools.store import fingerprint

    base: dict[str, Any] = {
        "stage": "align", "version": 1, "parameters": {"a": 1, "b": [1, 2]}, "backends": ["x"], "weights": {"w": "1"},
        "upstream": {"extract": "1"}, "source_sha256": "1",
    }  # fmt: skip
    other: dict[str, list[Any]] = {
        "stage": ["aligned"], "version": [2], "parameters": [{"a": 2, "b": [1, 2]}, {"a": 1, "b": [2, 1]}, {"a": 1}],
        "backends": [["y"], [], ["x", "x"]], "weights": [{"w": "2"}, {"v": "1"}, {}],
        "upstream": [{"extract": "2"}, {"segment": "1"}, {}], "source_sha256": ["2", ""],
    }  # fmt: skip
    prints = [fingerprint(**base)] + [fingerprint(**base | {key: v}) for key, values in other.items() for v in values]
    assert len(set(prints)) == len(prints)
    assert fingerprint(**base | {"parameters": {"b": [1, 2], "a": 1}}) == prints[0]
    assert all(len(one) == 64 for one in prints)


def test_extract_runs_again_where_only_the_recording_differs(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(b"something else")
    run(project, video=other)
    assert Small.ran == list(NAMES)
    with Reader(project) as reader:
        record = reader.record(SmallExtract.name)
    assert record is not None
    assert record.source is not None
    assert record.source.path == str(other)
