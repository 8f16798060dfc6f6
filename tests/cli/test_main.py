"""The command line as a user meets it: quick, helpful, with documented exit codes and no traceback."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vbtools import errors
from vbtools.cli.main import AFTER_THE_STAGES, commands, exit_codes, run
from vbtools.errors import VERDICT_EXIT_CODES, NotBuiltError, VbtoolsError
from vbtools.evidence import all_with_evidence
from vbtools.pipeline import Task, execute
from vbtools.stages import Job, stage_names
from vbtools.stages.extract import Extract
from vbtools.store import Reader

HEAVY = ("mediapipe", "torch", "cv2", "numpy", "h5py", "numba", "av", "rich.progress")
PYTHON = [sys.executable, "-m", "vbtools"]


def vbtools(*arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PYTHON, *map(str, arguments)], capture_output=True, text=True, check=False, **more)


class TinyExtract(Extract):
    """The real stage's name, parameters and elements, without a video."""

    def run(self, job: Job[Any]) -> None:
        job.output.append("frames", np.full((5, 8, 8, 3), 7, np.uint8))
        for name in ("time", "index", "unprotected", "sharpness"):
            element = next(e for e in self.elements if e.name == name)
            job.output.write(name, np.arange(5).astype(element.dtype))
        job.output.rows("dropped", [{"index": 9, "time": 0.5, "reason": "black"}])
        job.notes.append("left out 1 frame: black")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "call.mp4").write_bytes(b"a recording")
    made = tmp_path / "study.h5"
    stage = TinyExtract()
    execute(made, [Task(stage, stage.parameters({"fps": 5}))], tmp_path / "call.mp4")
    return made


# ------------------------------------------------------------------------------------------------------------ quickness


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import json, sys\nfrom vbtools.cli.main import run\n"
        "assert run(['--help']) == 0\n"
        f"print('\\n' + json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_help_takes_less_than_300_ms_of_cpu() -> None:
    used = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert vbtools("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(used) < 0.3, used


# ----------------------------------------------------------------------------------------------------------------- help


def test_help_lists_every_command_in_order_and_every_exit_code() -> None:
    done = vbtools("--help")
    lines = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    expected = [*stage_names(), *(name for name, _, _ in AFTER_THE_STAGES)]
    assert [word for word in lines if word in expected] == expected
    for code, meaning in exit_codes().items():
        assert f"{code} " in done.stdout
        assert meaning[:30] in " ".join(done.stdout.split())


@pytest.mark.parametrize("name", [*stage_names(), *(name for name, _, _ in AFTER_THE_STAGES)])
def test_every_command_has_help_with_an_example(name: str) -> None:
    command = commands.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    assert command.help
    assert "Example:" in command.help
    assert "vbtools " + name in command.help


def test_exit_codes_are_complete_and_unique() -> None:
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, VbtoolsError)]
    declared = Counter(k.exit_code for k in kinds if "exit_code" in vars(k))
    declared.update(VERDICT_EXIT_CODES.keys())
    assert [code for code, n in declared.items() if n > 1] == []
    assert set(exit_codes()) == {0, *declared}
    assert all(k.meaning for k in kinds)
    assert all(("exit_code" in vars(k)) == ("meaning" in vars(k)) for k in kinds)
    assert not {code for code in declared if code >= 124 and code != 130}, "shells use these"
    assert (exit_codes()[10], exit_codes()[11]) == ("verdict: leak shown", "verdict: inconclusive")


# ------------------------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["extrct"], 2, "There is no command 'extrct'. Did you mean 'extract'?"),
        (["run", "quick", "--vidoe", "x"], 2, "No such option '--vidoe'. Did you mean '--video'?"),
        (["align", "--methd", "none"], 2, "'--method'"),
        (["align", "--method", "magic"], 2, "'magic' is not one of 'none', 'farneback'"),
        (["extract", "--fps", "fast", "a.mp4"], 2, "'fast' is not a valid float"),
        (["extract", "--fps", "nan", "a.mp4"], 2, "extract.fps cannot be nan. It must be a number"),
        (["extract", "--resize-long", "3", "a.mp4"], 2, "extract.resize_long cannot be 3. It must be at least 16"),
        (["extract"], 2, "Missing argument 'VIDEO'"),
        (["enhance", "--steps", "clahee"], 2, "enhance.steps has no step 'clahee'. Did you mean 'clahe'?"),
        (["enhance", "--steps", "[clahe"], 2, "--steps [clahe: not YAML"),
        (["enhance", "--steps", "[2020-13-45]"], 2, "--steps [2020-13-45]: not YAML"),
        (["enhance", "--image", "a.png"], 2, "--image and --output go together"),
        (["run"], 2, "run needs a recipe"),
        (["run", "qick"], 3, "There is no recipe 'qick'. Did you mean 'quick'?"),
        (["run", "quick", "--set", "extract.fsp=3"], 3, "--set extract.fsp=3: extract has no parameter 'fsp'"),
        (["run", "quick", "--from", "align", "--until", "extract"], 2, "--from align comes after --until extract"),
        (["run", "quick", "--until", "align", "--force", "enhance"], 2, "--force enhance: that stage is not part of"),
        (["run", "quick", "--video", "no.mp4", "-p", "p.h5"], 4, "There is no recording 'no.mp4'"),
        (["run", "quick", "-p", "p.h5"], 4, "There is no recording to read"),
        (["extract", "no.mp4"], 4, "There is no recording 'no.mp4'"),
        (["segment"], 6, "segment reads extract, which has not been run on 'project.h5'"),
        (["status", "-p", "no.h5"], 5, "There is no project 'no.h5'"),
        (["log", "-p", "."], 5, "'.' is a folder, not a project"),
        (["gc", "-p", "no/no.h5"], 5, "There is no project"),
        (["pack", "out.h5", "-p", "no.h5"], 5, "There is no project"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else "",
)
def test_a_mistake_is_one_clear_sentence_and_leaves_nothing(
    arguments: list[str], code: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == code
    out, err = capsys.readouterr()
    assert told in err
    assert out == ""
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_no_text_is_shown_escaped(tmp_path: Path) -> None:
    command = [*map(os.fsencode, PYTHON), b"status", b"-p", b"caf\xe9.h5"]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (5, b"")
    assert done.stderr.decode().startswith(r"error: There is no project 'caf\udce9.h5'")


def test_a_mistake_in_the_code_is_not_hidden(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("vbtools.pipeline.assess_stored", fail)
    with pytest.raises(ZeroDivisionError):
        run(["status", "-p", str(project)])


def test_any_error_of_ours_is_its_exit_code(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    def fail(*_: object) -> None:
        raise NotBuiltError("no", "yes")

    monkeypatch.setattr("vbtools.pipeline.assess_stored", fail)
    assert run(["status", "-p", str(project)]) == NotBuiltError.exit_code


# ---------------------------------------------------------------------------------------------------- status, log, ...


def test_status_tells_what_is_fresh_stale_and_missing(project: Path) -> None:
    done = vbtools("status", "-p", project)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[:2] for row in rows if row and row[0] in stage_names()] == [
        ["extract", "fresh"], *([name, "missing"] for name in stage_names()[1:]),
    ]  # fmt: skip
    Path("call.mp4").write_bytes(b"something else")
    done = vbtools("status", "-p", project)
    assert "the recording has changed (sha256 " in done.stdout


def test_status_and_log_answer_in_json(project: Path) -> None:
    answer = json.loads(vbtools("status", "-p", project, "--json").stdout)
    assert answer["project"] == str(project)
    assert [s["stage"] for s in answer["stages"]] == [s.name for s in all_with_evidence()]
    first = answer["stages"][0]
    assert (first["state"], first["reasons"], first["record"]["parameters"]["fps"]) == ("fresh", [], 5.0)
    assert answer["stages"][1] == {"stage": "segment", "state": "missing", "reasons": [], "record": None}
    (entry,) = json.loads(vbtools("log", "-p", project, "--json").stdout)
    assert entry["notes"] == ["left out 1 frame: black"]
    assert {"stage", "started", "duration", "user", "host", "command", "fingerprint", "software"} <= set(entry)


def test_log_tells_who_made_what(project: Path) -> None:
    told = vbtools("log", "-p", project).stdout
    for part in ("UTC  extract  ", "  by ", 'parameters {"fps": 5.0,', "note: left out 1 frame: black", "fingerprint "):
        assert part in told


def test_pack_and_gc_tell_what_they_did(project: Path) -> None:
    done = vbtools("pack", "packed.h5", "-p", project)
    assert done.stdout == f"packed.h5: {Path('packed.h5').stat().st_size / 1e6:.1f} MB, self-contained\n"
    assert vbtools("pack", "packed.h5", "-p", project).returncode == 2
    answer = json.loads(vbtools("pack", "packed.h5", "-p", project, "--force", "--json").stdout)
    assert answer == {"file": "packed.h5", "bytes": Path("packed.h5").stat().st_size}
    with Reader(Path("packed.h5")) as reader:
        assert reader.array("extract", "frames").shape == (5, 8, 8, 3)
    assert vbtools("gc", "-p", project).stdout == "0 files, 0.0 MB freed\n"
    orphan = Path("study.data") / f"segment-{'0' * 16}.h5"
    orphan.write_bytes(bytes(1_500_000))
    answer = json.loads(vbtools("gc", "-p", project, "--json").stdout)
    assert answer == [{"file": str(orphan.absolute()), "bytes": 1_500_000}]


def test_the_plan_of_a_run_is_told_and_answers_in_json(project: Path) -> None:
    told = vbtools("run", "quick", "-p", project, "--dry-run").stdout
    assert "missing: has not been run" in told
    answer = json.loads(vbtools("run", "quick", "-p", project, "--dry-run", "--json").stdout)
    assert [(s["stage"], s["action"]) for s in answer["stages"]] == [
        ("extract", "run"), *((name, "run") for name in stage_names()[1:]),
    ]  # fmt: skip
    assert answer["stages"][0]["reason"] == "stale: resize_long none -> 640"


def test_a_run_in_which_all_is_fresh_says_so_and_runs_nothing(project: Path) -> None:
    before = {f: (f.read_bytes(), f.stat().st_mtime_ns) for f in project.parent.rglob("*") if f.is_file()}
    Path(project.parent / "r.yaml").write_text("version: 1\nstages: {extract: {fps: 5}}\n")
    done = vbtools("run", "r.yaml", "-p", project)
    assert done.stdout == f"{project}: everything is fresh; nothing was run\n"
    assert done.stderr == "extract: fresh: nothing has changed; skipped\n"
    assert {f: (f.read_bytes(), f.stat().st_mtime_ns) for f in before} == before


def test_recipes_and_the_schema_can_be_listed() -> None:
    told = vbtools("run", "--list").stdout
    assert all(name in told for name in ("quick", "demo", "cpu", "gpu"))
    assert json.loads(vbtools("run", "--schema").stdout)["title"] == "vbtools recipe"


# ---------------------------------------------------------------------------------------------- ends that are no errors


def test_a_reader_that_goes_away_is_no_traceback(project: Path) -> None:
    shutil.copy(project, "many.h5")
    for arguments in (["log", "-p", str(project)], ["status", "-p", str(project)], ["run", "--schema"], ["--help"]):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([*PYTHON, *arguments], stdout=write, stderr=subprocess.PIPE, text=True, check=False)
        os.close(write)
        assert done.stderr == "", arguments
        assert done.returncode in (0, 1), arguments


WAITING = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal: `make test &` has Ctrl-C ignored
from vbtools.cli.main import main
import vbtools.pipeline
def wait(*_):
    print("ready", flush=True)
    time.sleep(60)
vbtools.pipeline.assess_stored = wait
main(["status", "-p", sys.argv[1]])
"""


def test_ctrl_c_is_one_line_and_130(project: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", WAITING, project], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=20)
    assert child.returncode == 130
    assert out == ""
    assert err.strip() == "error: Interrupted. What had finished is kept; run the same command again to go on"


@pytest.mark.parametrize(("given", "then"), [(None, "4"), ("9", "9")])
def test_idle_threads_of_openblas_are_let_sleep_before_any_is_started_unless_the_user_says_else(
    given: str | None, then: str
) -> None:
    code = (
        "import os, sys; sys.argv = ['vbtools', '--version']; from vbtools.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "assert 'numpy' not in sys.modules\n"
        f"assert os.environ['OPENBLAS_THREAD_TIMEOUT'] == '{then}'"
    )
    others = {name: value for name, value in os.environ.items() if name != "OPENBLAS_THREAD_TIMEOUT"}
    own = {} if given is None else {"OPENBLAS_THREAD_TIMEOUT": given}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=others | own)
