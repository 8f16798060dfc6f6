"""``vbtools simulate`` on the command line."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from vbtools.cli import main as cli


def test_the_command_loads_nothing_heavy_to_show_its_help():
    code = (
        "import sys, vbtools.cli.simulate; "
        "sys.exit(' '.join(m for m in ('numpy', 'cv2', 'av', 'mediapipe', 'skimage', 'PIL') if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0


def test_json_is_the_truth(selfie_models, tmp_path, capsys):
    folder = tmp_path / "call"
    arguments = ["simulate", "-o", str(folder), "--seed", "2", "--seconds", "0.2", "--size", "320x180", "--json"]
    assert cli.run([*arguments, "--motion", "talking", "--fps", "10"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told.pop("folder") == str(folder)
    assert told == json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    assert (told["frames"], told["fps"], told["motion"]["name"], told["seed"]) == (2, 10.0, "talking", 2)


@pytest.mark.parametrize("size", ["320", "320x", "axb", "320x180x3", "-320x180", "321x180"])
def test_a_bad_size_gets_one_sentence(size, tmp_path, capsys):
    assert cli.run(["simulate", "-o", str(tmp_path / "call"), "--size", size]) == 2
    assert "--size 1280x720" in capsys.readouterr().err
    assert not (tmp_path / "call").exists()


def test_a_file_in_the_way_is_refused(tmp_path, capsys):
    taken = tmp_path / "taken"
    taken.write_text("mine", encoding="utf-8")
    assert cli.run(["simulate", "-o", str(taken)]) == 4
    assert "not a folder" in capsys.readouterr().err
