"""What a stage writes comes back as it was, and what was not declared is refused."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_records import record
from stored import FRAMES, TIME, A, B, C, pictures, store, writing

from vbtools.store import Reader, Source, Writer

# ------------------------------------------------------------------------------------------------------- round trips


def test_bulk_comes_back_as_it_was_appended(project: Path) -> None:
    made, flow = pictures(37), np.arange(37 * 3 * 2 * 2, dtype=np.int16).reshape(37, 3, 2, 2) - 300
    with writing(project) as (writer, output):
        for start in (0, 1, 2, 20, 21):
            stop = {0: 1, 1: 2, 2: 20, 20: 21, 21: 37}[start]
            output.append("frames", made[start:stop])
            output.append("flow", flow[start:stop])
        writer.commit(output, record("extract", A))
    with Reader(project) as reader:
        np.testing.assert_array_equal(reader.array("extract", "frames"), made)
        np.testing.assert_array_equal(reader.array("extract", "flow"), flow)
        np.testing.assert_array_equal(np.concatenate(list(reader.blocks("extract", "frames", 10))), made)
        assert reader.dataset("extract", "frames").attrs["unit"] == "0-255"
        assert reader.dataset("extract", "frames").attrs["axes"] == "T, H, W, 3"


def test_bulk_of_no_rows_comes_back_empty(project: Path) -> None:
    with writing(project) as (writer, output):
        output.append("frames", pictures(0))
        writer.commit(output, record("extract", A))
    with Reader(project) as reader:
        assert reader.array("extract", "frames").shape == (0, 5, 7, 3)


def test_appended_rows_are_taken_as_they_are_at_that_moment(project: Path) -> None:
    buffer = pictures(1)
    first = buffer.copy()
    with writing(project) as (writer, output):
        output.append("frames", buffer)
        buffer[:] = 0
        output.append("frames", buffer)
        writer.commit(output, record("extract", A))
    with Reader(project) as reader:
        np.testing.assert_array_equal(reader.array("extract", "frames")[0], first[0])


@pytest.mark.parametrize("values", [[], [0.0], [np.nan, -np.inf, 1e300]])
def test_small_elements_come_back(project: Path, values: list[float]) -> None:
    with writing(project) as (writer, output):
        output.append("frames", pictures(1))
        output.write("time", np.array(values))
        output.write("clahe", pictures(1)[0])
        writer.commit(output, record("extract", A))
    with Reader(project) as reader:
        np.testing.assert_array_equal(reader.array("extract", "time"), values)
        np.testing.assert_array_equal(reader.array("extract", "clahe"), pictures(1)[0])
        assert reader.names("extract") == ("clahe", "frames", "time")


@pytest.mark.parametrize("texts", [[], [""], ["Zürich", "日本語 🎥", "a,b\n\"c\"", " "], ["x" * 70_000]])
def test_tables_come_back_with_their_texts(project: Path, texts: list[str]) -> None:
    rows = [{"text": t, "x": n / 3, "n": -n, "sure": n % 2} for n, t in enumerate(texts)]
    with writing(project) as (writer, output):
        output.append("frames", pictures(1))
        output.rows("words", rows)
        writer.commit(output, record("extract", A))
    with Reader(project) as reader:
        back = reader.table("extract", "words")
    assert back == rows
    assert all(type(v) in (str, int, float) for row in back for v in row.values())


def test_a_record_comes_back_whole(project: Path) -> None:
    source = Source("/tmp/Ünïcode call.mp4", "f" * 64, 12345678901, 1700000000123456789)
    made = record(
        "extract", A, parameters={"fps": 12.5, "steps": [{"clahe": {"clip": 2.0}}], "end": None, "on": True},
        backend=["mediapipe"], weights={"selfie": "0" * 64}, upstream={"x": B}, provenance={"x": {"version": 3}},
        seed=7, source=source, notes=["left out 2 frames", "naïve"], duration=0.125,
    )  # fmt: skip
    with writing(project) as (writer, output):
        output.append("frames", pictures(3))
        writer.commit(output, made)
    with Reader(project) as reader:
        back = reader.record("extract")
        log = reader.log()
    assert back is not None
    assert back.bulk["frames"]["file"] == f"study.data/extract-{A[:16]}.h5"
    assert back.to_json() | {"bulk": {}} == json.loads(json.dumps(made.to_json()))
    assert [entry["fingerprint"] for entry in log] == [A]


def test_a_file_name_that_is_no_text_can_be_recorded(project: Path) -> None:
    odd = os.fsdecode(b"caf\xe9.mp4")
    store(project, source=Source(odd, "f" * 64, 1, 2), command=f"vbtools extract {odd}", notes=[odd])
    with Reader(project) as reader:
        back = reader.record("extract")
        assert reader.log()[0]["source"]["path"] == odd
    assert back is not None
    assert back.source is not None
    assert back.source.path == odd


def test_the_log_keeps_replaced_runs(project: Path) -> None:
    store(project, A)
    store(project, B, stage="segment", upstream={"extract": A})
    store(project, C)
    with Reader(project) as reader:
        told = [(e["stage"], e["fingerprint"]) for e in reader.log()]
    assert told == [("extract", A), ("segment", B), ("extract", C)]


# -------------------------------------------------------------------------------------------- mistakes of a stage


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("frames", np.zeros((1, 5, 7, 3), np.float32), TypeError),
        ("frames", np.zeros((5, 7, 3), np.uint8), ValueError),
        ("frames", np.zeros((1, 5, 7, 4), np.uint8), ValueError),
        ("time", np.zeros(1), TypeError),
        ("words", np.zeros(1), TypeError),
    ],
)
def test_append_refuses_what_was_not_declared(project: Path, name: str, data: np.ndarray, kind: type) -> None:
    with writing(project) as (_, output), pytest.raises(kind):
        output.append(name, data)


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("time", np.zeros(3, np.float32), TypeError),
        ("time", np.zeros((3, 1)), ValueError),
        ("clahe", np.zeros((3, 4, 4), np.uint8), ValueError),
        ("frames", np.zeros((1, 5, 7, 3), np.uint8), TypeError),
    ],
)
def test_write_refuses_what_was_not_declared(project: Path, name: str, data: np.ndarray, kind: type) -> None:
    with writing(project) as (_, output), pytest.raises(kind):
        output.write(name, data)


def test_rows_of_another_shape_than_before_are_refused(project: Path) -> None:
    with writing(project) as (_, output):
        output.append("frames", pictures(2))
        with pytest.raises(ValueError, match="5, 7, 3"):
            output.append("frames", np.zeros((2, 1, 7, 3), np.uint8))


def test_an_undeclared_name_is_refused_where_there_is_no_pattern(project: Path) -> None:
    with Writer(project, "test") as writer, writer.output("extract", (FRAMES, TIME), A) as output:
        with pytest.raises(KeyError):
            output.write("thyme", np.zeros(1))
        with pytest.raises(KeyError):
            output.rows("thyme", [])


def test_a_stage_that_leaves_an_element_out_is_not_stored(project: Path) -> None:
    with writing(project) as (writer, output):
        output.write("time", np.zeros(1))
        with pytest.raises(KeyError, match="frames"):
            writer.commit(output, record("extract", A))
    assert not project.exists()


# ------------------------------------------------------------------------------------------------------------ reorder


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), count=st.integers(0, 50))
def test_reorder_keeps_these_rows_in_this_order(data: st.DataObject, count: int, tmp_path: Path) -> None:
    order = data.draw(st.lists(st.integers(0, count - 1), max_size=60) if count else st.just([]))
    more = data.draw(st.integers(0, 20))
    project = tmp_path / "reorder.h5"
    made, other, late = pictures(count), np.arange(count * 4, dtype=np.int16).reshape(count, 2, 1, 2), pictures(more, 9)
    with writing(project) as (writer, output):
        output.append("flow", other)
        output.append("frames", made)
        output.reorder("frames", order)
        output.append("frames", late)
        writer.commit(output, record("extract", A))
    with Reader(project) as reader:
        np.testing.assert_array_equal(reader.array("extract", "frames"), np.concatenate([made[order], late]))
        np.testing.assert_array_equal(reader.array("extract", "flow"), other)
    assert [f.suffix for f in tmp_path.joinpath("reorder.data").iterdir()].count(".part") == 0
    shutil.rmtree(tmp_path / "reorder.data")
    project.unlink()


@pytest.mark.parametrize("order", [[20], [-1], [0, 1, 99]])
def test_reorder_refuses_rows_that_are_not_there(project: Path, order: list[int]) -> None:
    with writing(project) as (_, output):
        output.append("frames", pictures(20))
        with pytest.raises(IndexError):
            output.reorder("frames", order)
    assert not list(project.parent.rglob("*.part*"))
