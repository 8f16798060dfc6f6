"""The catalog says what it must, and only what can be true."""

from __future__ import annotations

import re

import pytest

from vbtools.errors import UsageError
from vbtools.models import CATALOG, Url, WheelMember, model

ROWS = list(CATALOG.values())
EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@EACH
def test_each_model_tells_its_licence_and_who_uses_it(row):
    assert row.kind in {"segmentation", "super-resolution", "deblurring", "detection", "perceptual measure"}
    assert row.licence
    assert row.used_by
    assert row.homepage.startswith("https://")


@EACH
def test_checksums_and_sizes_are_well_formed(row):
    assert row.sha256 is None or re.fullmatch("[0-9a-f]{64}", row.sha256)
    assert row.size is None or row.size > 0
    assert row.sha256 is None or row.size is not None, "a pinned model knows its size"


@EACH
def test_a_source_names_the_file_that_is_installed(row):
    for source in row.sources:
        if isinstance(source, Url):
            assert source.address.startswith("https://")
            assert source.address.endswith("/" + row.file)
        else:
            assert isinstance(source, WheelMember)
            assert re.fullmatch(r"[0-9.]+", source.version), "a wheel is taken at one version"


@EACH
def test_a_model_without_a_source_says_how_to_get_it(row):
    command = f"vbtools models pull {row.name}" if row.sources else f"vbtools models add {row.name} FILE"
    assert command in row.how_to_get


def test_files_do_not_share_a_name():
    assert len({row.file for row in ROWS}) == len(ROWS)


def test_restricting_licences_are_explained():
    assert "non-commercial" in model("mprnet-deblurring").licence_note
    assert model("yolov8n").licence == "AGPL-3.0"
    assert "source" in model("yolov8n").licence_note


def test_the_hash_prefix_is_read_from_the_file_name():
    assert model("deeplabv3-resnet50").name_prefix == "cd0a2569"
    assert model("mprnet-deblurring").name_prefix is None


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(UsageError, match="selfie-landscape"):
        model("selfie-landscap")
