"""frames.mp4: every frame at its own time, the mask where it is, labels where something is the matter."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from stored_project import FRAMES, SIZE, UNPROTECTED, Project, frame

from vbtools.backends import video
from vbtools.errors import StorageError
from vbtools.ops.draw import BLUE, ORANGE, labelled, person_marked
from vbtools.pipeline import film
from vbtools.pipeline.film import write_film
from vbtools.pipeline.pictures import export
from vbtools.store import Reader

TIMES = np.array([5.0, 5.04, 5.11, 5.2, 5.7, 5.72, 6.0])  # s; as variable as a call's
LEFT_OUT = 4


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A person in the middle; row 2 unprotected, row 4 left out by align."""
    made = Project(tmp_path / "study.h5")
    marked = np.arange(FRAMES) == UNPROTECTED
    made.store(
        "extract", {}, frames=np.stack([frame(row) for row in range(FRAMES)]), time=TIMES,
        index=np.arange(FRAMES) * 5, unprotected=marked.astype(np.uint8),
        sharpness=np.where(marked, 8.1, 1.0).astype(np.float32), dropped=[],
    )  # fmt: skip
    person = np.zeros((FRAMES, *SIZE), np.uint8)
    person[:, 100:220, 180:300] = 255
    made.store("segment", {}, person=person)
    used = (np.arange(FRAMES) != LEFT_OUT).astype(np.uint8)
    made.store(
        "align", {"method": "none"}, transform=np.tile(np.eye(2, 3), (FRAMES, 1, 1)), used=used,
        left_out=[{"row": LEFT_OUT, "reason": "too few features"}],
    )  # fmt: skip
    return made


def decoded(path: Path) -> tuple[list[np.ndarray], list[float]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [f.to_ndarray(format="rgb24") for f in frames], [float(f.time) for f in frames]


def near(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(picture.astype(int) - colour).max(axis=2) < 40


def test_every_frame_is_there_at_its_time_with_its_mask_and_labels(project: Project, tmp_path: Path) -> None:
    with Reader(project.path) as reader:
        write_film(reader, tmp_path / "frames.mp4")
    pictures, times = decoded(tmp_path / "frames.mp4")
    assert len(pictures) == FRAMES
    np.testing.assert_allclose(times, TIMES - TIMES[0], atol=1e-4)
    for row, picture in enumerate(pictures):
        plain = frame(row).astype(int)
        assert np.abs(picture[230:, :150] - plain[230:, :150]).mean() < 6, "the background stays as it is"
        inside = (picture[120:200, 200:280] - plain[120:200, 200:280]).mean(axis=(0, 1))
        assert inside[2] - inside[0] > 25, "the person is tinted blue"
        assert near(picture[155:165, 165:175], ORANGE).any(), "the line a line 10 px beyond the person"
        assert near(picture[12:26, :150], ORANGE).any() == (row == UNPROTECTED)
        assert near(picture[12:26, :150], BLUE).any() == (row == LEFT_OUT)
    assert [p.name for p in tmp_path.glob(".*")] == []


def test_blocks_change_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with Reader(project.path) as reader:
        one = list(film._drawn(reader))
        monkeypatch.setattr(film, "BLOCK", 2)
        two = list(film._drawn(reader))
    assert len(one) == FRAMES
    assert np.array_equal(one, two)


@pytest.mark.parametrize("count", [1, 3])
def test_odd_sides_masks_of_another_size_and_a_single_frame_are_taken(tmp_path: Path, count: int) -> None:
    made = Project(tmp_path / "odd.h5")
    frames = np.full((count, 45, 71, 3), (200, 180, 160), np.uint8)
    zeros = np.zeros(count, np.uint8)
    made.store(
        "extract", {}, frames=frames, time=np.arange(count) * 0.1, index=np.arange(count), unprotected=zeros,
        sharpness=np.ones(count, np.float32), dropped=[],
    )  # fmt: skip
    made.store("segment", {}, person=np.zeros((count, 9, 16), np.uint8))
    with Reader(made.path) as reader:
        pictures, _ = decoded(write_film(reader, tmp_path / "odd.mp4"))
    assert [picture.shape for picture in pictures] == [(46, 72, 3)] * count


def test_what_fails_leaves_the_old_film_and_no_scraps(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "frames.mp4"
    target.write_bytes(b"before")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(video.VideoWriter, "write", full)
    with Reader(project.path) as reader, pytest.raises(StorageError, match=r"No space left.*--no-video"):
        write_film(reader, target)
    assert target.read_bytes() == b"before"
    assert [p.name for p in tmp_path.glob(".*")] == []


def test_export_writes_it_unless_told_not_to(project: Project, tmp_path: Path) -> None:
    class Counted:
        total, done = None, 0

        def start(self, total: int | None, unit: str) -> None:
            self.total = total

        def advance(self, done: int = 1) -> None:
            self.done += done

        def say(self, text: str) -> None:
            raise AssertionError(text)

    counted = Counted()
    with Reader(project.path) as reader:
        assert "frames.mp4" in {p.name for p in export(reader, tmp_path / "out", progress=counted)}
        assert counted.done == counted.total == FRAMES
        assert "frames.mp4" not in {p.name for p in export(reader, tmp_path / "out", video=False)}
    assert not (tmp_path / "out" / "frames.mp4").exists(), "nothing outdated stays"


def test_drawing_leaves_the_frame_and_touches_only_what_it_should() -> None:
    picture = frame(0)
    before = picture.copy()
    person = np.zeros(SIZE, bool)
    person[100:150, 100:150] = True
    marked = person_marked(picture, person, person)
    assert np.array_equal(picture, before)
    changed = (marked != picture).any(axis=2)
    assert changed[105:145, 105:145].all()
    assert not changed[:98].any()
    assert not changed[152:].any()
    nobody = np.zeros(SIZE, bool)
    assert np.array_equal(person_marked(picture, nobody, nobody), picture)
    tiny = np.zeros((3, 5, 3), np.uint8)
    assert labelled(tiny, [("a long label", BLUE), ("another", ORANGE)]).shape == (3, 5, 3)
