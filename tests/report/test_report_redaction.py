"""--redact: in nothing that is handed on is the person to be seen or a found word to be read."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import numpy as np
import pytest
from judged_project import CODE, LABEL, MAGENTA, SECRET, box, judged
from page_parts import embedded, pictures

from vbtools.errors import UsageError
from vbtools.evidence import all_with_evidence
from vbtools.pipeline.pictures import Shown
from vbtools.report import Report, write_report
from vbtools.report.redaction import Redaction, kinds_of, shape_of
from vbtools.report.schema import report_schema
from vbtools.store import Reader

SECRETS = (SECRET, CODE, LABEL)


def everything(report: Report) -> str:
    """All texts of a report: the page, what it carries, and the JSON beside it."""
    page = report.page.read_text(encoding="utf-8")
    carried = [data.decode() for kind, data in embedded(page) if not kind.startswith("image/")]
    return "\n".join([page, *carried, report.data.read_text(encoding="utf-8")])


def magenta(report: Report) -> int:
    """Pixels of the person, of all pictures."""
    near = 90  # JPEG and shrinking change it
    found = 0
    for picture in pictures(report.page.read_text(encoding="utf-8")):
        far = np.abs(picture.astype(int) - np.array(MAGENTA)).sum(axis=2)
        found += int((far < near).sum())
    return found


def test_no_secret_and_no_person_is_left(report: Report, redacted: Report) -> None:
    assert all(secret in everything(report) for secret in SECRETS), "or the test would prove nothing"
    assert magenta(report) > 10_000
    assert [secret for secret in SECRETS if secret in everything(redacted)] == []
    assert [secret for secret in SECRETS if secret.lower() in everything(redacted).lower()] == []
    assert magenta(redacted) == 0


def test_the_report_says_that_it_was_redacted_and_still_fits_its_schema(redacted: Report) -> None:
    assert redacted.content["redacted"] == ["person", "text"]
    jsonschema.validate(redacted.content, report_schema())
    assert "This report was redacted (person, text)." in redacted.page.read_text(encoding="utf-8")
    assert [row["what"] for row in redacted.content["findings"]][:2] == [shape_of(SECRET), shape_of(CODE)]
    assert shape_of(SECRET) == "[8 characters: Aaaaaaaa]"
    assert shape_of(CODE) == "[7 characters: AA-0000]"


def test_names_of_people_machines_and_folders_are_left_out(report: Report, redacted: Report) -> None:
    assert all("user" in one and "host" in one for one in report.content["stages"])
    assert not any(key in one for one in redacted.content["stages"] for key in ("user", "host", "command"))
    assert redacted.content["recording"]["path"] == "call.mp4"
    assert "/nowhere" not in everything(redacted)
    assert str(redacted.page.parent) not in everything(redacted)


def test_words_are_black_wherever_the_plate_is_shown(project: Path) -> None:
    with Reader(project) as reader:
        shown = Shown(reader, all_with_evidence())
        redaction = Redaction(shown, ("text",))
        covered = redaction.plate(shown.background)
        large = redaction.plate(np.full((540, 960, 3), 200, np.uint8))
        frame = redaction.frame(shown.frame(3), 3)
        plain = Redaction(shown).plate(shown.background)
    for text in SECRETS:
        place = box(text)
        rows = slice(int(place["y"]), int(place["y"] + place["height"]))
        columns = slice(int(place["x"]), int(place["x"] + place["width"]))
        assert not covered[rows, columns].any()
        assert frame is not None
        assert not frame[rows, columns].any()
        twice = slice(2 * rows.start, 2 * rows.stop), slice(2 * columns.start, 2 * columns.stop)
        assert not large[twice].any()
    assert np.array_equal(plain, shown.background)
    assert (covered == shown.background).all(axis=2).mean() > 0.5, "not everything is covered"


def test_text_alone_leaves_the_person_and_person_alone_the_words(project: Path, tmp_path: Path) -> None:
    with Reader(project) as reader:
        text = write_report(reader, tmp_path / "text.html", ("text",))
        person = write_report(reader, tmp_path / "person.html", ("person",))
    assert magenta(text) > 10_000
    assert not any(secret in everything(text) for secret in SECRETS)
    assert magenta(person) == 0
    assert SECRET in everything(person)
    assert LABEL not in everything(person), "a name label names the person"


def test_frames_without_blur_are_not_shown_where_words_are_hidden(report: Report, redacted: Report) -> None:
    assert 'alt="The frame at 0.40 s' in report.page.read_text(encoding="utf-8")
    page = redacted.page.read_text(encoding="utf-8")
    assert 'alt="The frame at 0.40 s' not in page
    assert "Frames without blur are not shown" in page


def test_without_masks_no_frame_is_shown(tmp_path: Path) -> None:
    project = judged(tmp_path / "study.h5")
    for file in (tmp_path / "study.data").glob("segment-*"):
        file.unlink()
    with Reader(project.path) as reader:
        report = write_report(reader, tmp_path / "report.html", ("person",))
    page = report.page.read_text(encoding="utf-8")
    assert "without the person&#39;s masks the person cannot be covered" in page
    assert magenta(report) == 0


@pytest.mark.parametrize(
    ("sentence", "hidden"),
    [
        ("read 'Zanzibar' there", "read '[8 characters: Aaaaaaaa]' there"),
        ("Zanzibar, and Zanzibars", "[8 characters: Aaaaaaaa], and Zanzibars"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_a_sentence_loses_whole_words_only(project: Path, sentence: str, hidden: str) -> None:
    with Reader(project) as reader:
        assert Redaction(Shown(reader, all_with_evidence()), ("text",)).prose(sentence) == hidden


def test_what_cannot_be_redacted_is_refused() -> None:
    assert kinds_of("person, text") == {"person", "text"}
    assert kinds_of("") == frozenset()
    with pytest.raises(UsageError, match=r"'persn' cannot be redacted.*Did you mean 'person'"):
        kinds_of("persn")
