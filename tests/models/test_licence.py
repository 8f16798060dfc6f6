"""A licence that restricts something is said at first use, and not again."""

from __future__ import annotations

import pytest

from vbtools.models import CATALOG, first_use, licence_words


@pytest.mark.parametrize(
    ("name", "word"), [("yolov8n", "AGPL-3.0"), ("mprnet-deblurring", "non-commercial"), ("deeplabv3-resnet50", "VOC")]
)
def test_a_restricting_licence_is_told_once(cache_directory, name, word):
    assert word in first_use(name)
    assert first_use(name) is None
    assert first_use(next(other for other in ("yolov8n", "mprnet-deblurring") if other != name)) is not None


def test_a_permissive_licence_is_not_told(cache_directory):
    assert first_use("realesrgan-x4plus") is None
    assert not cache_directory.exists(), "nothing is written for it"


def test_where_it_cannot_be_remembered_it_is_told_every_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VBTOOLS_MODELS", str(tmp_path / "file" / "models"))
    assert first_use("yolov8n") == first_use("yolov8n") == licence_words(CATALOG["yolov8n"])
