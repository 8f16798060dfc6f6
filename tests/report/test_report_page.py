"""The page and its JSON: everything is there, in order, explained, downloadable, and by itself."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from judged_project import CODE, SECRET, TRAILS, evidence, finding, judged, pipeline
from page_parts import embedded, pictures
from ruamel.yaml import YAML
from stored_project import Project

from vbtools.config.recipe import load, plain
from vbtools.errors import MissingDependencyError, UsageError
from vbtools.evidence import all_with_evidence
from vbtools.evidence.verdict import INCONCLUSIVE, NONE
from vbtools.pipeline import make_plan, tasks_from
from vbtools.pipeline.recipes import recipe_schema
from vbtools.report import Report, plots, write_report
from vbtools.report.album import MOST_FINDINGS
from vbtools.report.schema import report_schema
from vbtools.store import Reader

ORDER = (
    "verdict", "pictures", "maps", "findings", "blur", "power", "exposure-time", "advice", "made", "limits", "again",
)  # fmt: skip


class Page(HTMLParser):
    """Ids, pictures without alt text, and addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.without_alt: list[str] = []
        self.addresses: list[str] = []
        self.downloads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "img" and not given.get("alt"):
            self.without_alt.append(str(given.get("src"))[:60])
        self.addresses += [str(given[key]) for key in ("src", "href", "xlink:href", "action") if given.get(key)]
        if "download" in given:
            self.downloads.append(str(given["download"]))


def text_of(report: Report) -> str:
    return report.page.read_text(encoding="utf-8")


def made(path: Path, **kind: str) -> Report:
    project = judged(path / "study.h5", **kind)
    with Reader(project.path) as reader:
        return write_report(reader, path / "report.html")


def test_the_sections_stand_in_order_and_ids_are_unique(report: Report) -> None:
    page = Page(text_of(report))
    assert [one for one in page.ids if one in ORDER] == list(ORDER)
    assert len(page.ids) == len(set(page.ids))


def test_nothing_but_the_file_itself_is_named(report: Report) -> None:
    page = Page(text_of(report))
    outside = [a for a in page.addresses if not a.startswith(("data:", "#"))]
    assert outside == []
    assert "url(http" not in text_of(report)
    assert "@import" not in text_of(report)


def test_every_picture_has_an_alt_text_and_every_plot_a_title(report: Report) -> None:
    text = text_of(report)
    assert Page(text).without_alt == []
    assert len(re.findall(r'<svg [^>]*role="img" aria-labelledby="([\w-]+)"[^>]*><title id="\1">', text)) == 3


def test_the_verdict_comes_first_with_its_sentence(report: Report) -> None:
    text = text_of(report)
    told = report.content["verdict"]
    assert told["sentence"].replace("'", "&#39;") in text
    assert text.index(told["answer"]) < text.index("The call and what it shows")


def test_the_json_fits_its_schema_and_the_stored_schema_is_that_of_the_code(report: Report) -> None:
    content = json.loads(report.data.read_text(encoding="utf-8"))
    jsonschema.validate(content, report_schema())
    assert content["verdict"]["exit_code"] == 10
    assert content["verdict"]["blur_px"] is None
    assert [row["what"] for row in content["findings"]] == [SECRET, CODE, ""]
    assert content["absent"] == {}
    stored = Path(plots.__file__).with_name("report.schema.json")
    assert json.loads(stored.read_text(encoding="utf-8")) == json.loads(json.dumps(report_schema()))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content | {"verdict": content["verdict"] | {"answer": "safe"}}, report_schema())


def test_how_the_mask_trails_stands_under_the_advice(report: Report) -> None:
    assert report.content["trail"]["told"] == TRAILS
    advice = text_of(report).partition('id="advice"')[2].partition("</section>")[0]
    assert f"Measured on this call: {TRAILS}." in advice


def test_the_numbers_behind_every_picture_can_be_taken_from_the_page(report: Report) -> None:
    page = Page(text_of(report))
    assert set(page.downloads) == {
        "exposure.png", "confidence.png", "unprotected.csv", "findings.csv", "enhanced.csv", "words.csv", "blur.csv",
        "power.csv", "replays.csv", "exposure.csv", "advice.csv", "recipe.yaml", "report.json",
    }  # fmt: skip
    carried = embedded(text_of(report))
    tables = [data.decode() for kind, data in carried if kind == "text/csv"]
    assert any(
        one.startswith("channel,cap_height,contrast,words,read,share,low,high\nfringe,8.0,40.0") for one in tables
    )
    assert json.loads(next(data for kind, data in carried if kind == "application/json")) == report.content
    maps = [one for one in pictures(text_of(report)) if one.shape[:2] == (270, 480) and set(one.ravel()) == {0, 153}]
    assert maps, "exposure is 0 or 0.6: 153 of 255"


def test_the_recipe_makes_the_same_project_again(report: Report, project: Path, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(report.content["recipe"], encoding="utf-8")
    jsonschema.validate(plain(YAML(typ="safe").load(file)), recipe_schema(all_with_evidence()))
    names = [one.name for one in all_with_evidence()]
    tasks = tasks_from(load(file, names), known=all_with_evidence())
    assert [task.stage.name for task in tasks] == names
    stages = make_plan(project, tasks).to_json()["stages"]
    assert [one["reason"] for one in stages if one["action"] == "run"] == []


def test_what_is_absent_is_said_to_be_absent_and_why(tmp_path: Path) -> None:
    project = Project(tmp_path / "study.h5")
    project.extract()
    project.upstream_of_plate()
    project.aggregate()
    with Reader(project.path) as reader:
        report = write_report(reader, tmp_path / "report.html")
    absent, text = report.content["absent"], text_of(report)
    jsonschema.validate(report.content, report_schema())
    assert report.content["verdict"] is None
    assert "verdict has not been run; vbtools report" in absent["verdict"]
    assert absent["maps"] == "only aggregate with --method leak tells it, and this project's method is median"
    assert absent["enhanced"] == "nothing was enhanced: there is no enhanced picture to judge"
    for why in set(absent.values()):
        assert why.replace("'", "&#39;") in text
    assert "No verdict" in text
    assert "inspect has not been run" in " ".join(report.content["limits"]).lower()


@pytest.mark.parametrize(("on", "told"), [("raw", "was not read"), ("both", "No word and no object was found on")])
def test_not_looked_at_is_not_nothing_found(tmp_path: Path, on: str, told: str) -> None:
    project = Project(tmp_path / "study.h5")
    pipeline(project)
    project.store("inspect", {"on": on}, ocr=[], detections=[], unprotected=[])
    evidence(project)
    with Reader(project.path) as reader:
        gate = {name: reader.array("gate", name) for name in ("reblurred",)}
    project.store("gate", {}, findings=[], **gate)
    with Reader(project.path) as reader:
        report = write_report(reader, tmp_path / "report.html")
    section = text_of(report).partition("supported or invented</h3>")[2].partition("<h3>")[0]
    assert told in section
    assert ("was not read" in section) == (on == "raw")


def test_empty_tables_make_a_page_too(tmp_path: Path) -> None:
    project = judged(tmp_path / "study.h5")
    project.store("power", {}, curve=[], limits=[])
    project.store("timeline", {}, exposure=[])
    project.store("advice", {}, settings=[])
    project.store("control", {}, follows=project_zeros(project), findings=[])
    with Reader(project.path) as reader:
        report = write_report(reader, tmp_path / "report.html")
    jsonschema.validate(report.content, report_schema())
    assert "No words were injected: there is no curve." in text_of(report)
    assert text_of(report).count("it was looked at, and there is nothing to tell") == 2
    assert "<svg" not in text_of(report)


def test_an_evidence_that_is_stale_is_left_out(tmp_path: Path) -> None:
    project = judged(tmp_path / "study.h5")
    project.store("enhance", {"steps": ["denoise"]}, run=True)
    with Reader(project.path) as reader:
        report = write_report(reader, tmp_path / "report.html")
    assert report.content["verdict"] is None
    assert "out of date" in report.content["absent"]["verdict"]
    assert "verdict is out of date" in " ".join(report.content["limits"]).lower()


@pytest.mark.parametrize("answer", [NONE, INCONCLUSIVE])
def test_no_report_says_safe(tmp_path: Path, answer: str) -> None:
    report = made(tmp_path, answer=answer)
    words = re.sub(r"<style>.*?</style>|<script>.*?</script>|<[^>]+>", " ", text_of(report), flags=re.DOTALL)
    assert re.findall(r"\bsafe(?:ty|ly)?\b", words, re.IGNORECASE) == []
    assert f'class="verdict {answer.split(maxsplit=1)[0]}"' in text_of(report)


def test_many_findings_keep_the_page_small_and_are_all_in_the_table(tmp_path: Path) -> None:
    project = Project(tmp_path / "study.h5")
    pipeline(project)
    evidence(project)
    many = [finding("place", "", x=5.0 + 6 * n, y=40.0, width=30.0, height=30.0) for n in range(MOST_FINDINGS + 9)]
    project.store("control", {}, follows=project_zeros(project), findings=many)
    with Reader(project.path) as reader:
        report = write_report(reader, tmp_path / "report.html")
    assert text_of(report).count('class="tag bad">follows the room') == MOST_FINDINGS
    assert len(report.content["findings"]) == len(many)
    assert f"{MOST_FINDINGS} of {len(many)} are shown" in text_of(report)


def project_zeros(project: Project) -> object:
    with Reader(project.path) as reader:
        return reader.array("control", "follows")


def test_text_from_the_recording_is_never_markup(tmp_path: Path) -> None:
    project = judged(tmp_path / "study.h5")
    nasty = "<script>alert(1)</script>"
    project.store("control", {}, follows=project_zeros(project), findings=[finding("word", nasty)])
    with Reader(project.path) as reader:
        report = write_report(reader, tmp_path / "report.html")
    assert nasty not in text_of(report)
    assert text_of(report).count("<script>") == 1


def test_a_page_must_be_named_as_one(project: Path, tmp_path: Path) -> None:
    with Reader(project) as reader, pytest.raises(UsageError, match="is no name for a page"):
        write_report(reader, tmp_path / "report.json")
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_one_sentence_says_what_to_install(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with Reader(project) as reader, pytest.raises(MissingDependencyError, match=r"pip install 'vbtools\[report\]'"):
        write_report(reader, tmp_path / "report.html")
