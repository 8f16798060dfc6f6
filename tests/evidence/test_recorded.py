"""A replay's frames, stored without a look at them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vbtools.backends.video_writer import VideoWriter
from vbtools.evidence.recorded import Recorded
from vbtools.pipeline import Task, execute
from vbtools.stages import stage
from vbtools.store import Reader


def test_what_is_stored_is_what_extract_stores_when_it_keeps_everything(tmp_path: Path) -> None:
    video = tmp_path / "replay.mp4"
    chance = np.random.default_rng(0)
    with VideoWriter(video, 64, 48, 25) as writer:
        for _ in range(20):
            writer.write(chance.integers(0, 255, (48, 64, 3), dtype=np.uint8))
    extract = stage("extract")
    tasks = {
        "all": Task(extract, extract.parameters({"keep_all": True})),
        "recorded": Task(Recorded(), Recorded.parameters({})),
    }
    for name, task in tasks.items():
        execute(tmp_path / f"{name}.h5", [task], video)
    with Reader(tmp_path / "all.h5") as expected, Reader(tmp_path / "recorded.h5") as made:
        for name in ("frames", "time", "index"):
            assert np.array_equal(made.array("extract", name), expected.array("extract", name)), name
        assert len(made.array("extract", "time")) == 20
        assert not made.has("extract", "unprotected")
