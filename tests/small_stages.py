"""Five stages that run in milliseconds, under the real ones' names: for tests of the store, the planner and the runner.

What they store follows from their parameters and from the recording's bytes alone, so that a test can say what must be
in a project without having run anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from vbtools.backends import Backend
from vbtools.config.element import Column, Element, table
from vbtools.config.params import FilePath, param
from vbtools.pipeline import Task
from vbtools.stages.base import Job, Stage
from vbtools.store import Reader

FRAMES = 21
"""Not a multiple of the chunks' depth."""
MODEL = "small-model"


def number(text: bytes | str) -> int:
    """A small number that stands for a content."""
    return sum(text if isinstance(text, bytes) else text.encode()) % 97


def frames(recording: bytes, fps: float | None) -> np.ndarray:
    """What extract stores."""
    made = np.arange(FRAMES * 4 * 6 * 3, dtype=np.uint32) * (1 + number(recording)) + round((fps or 0) * 7)
    return (made % 251).astype(np.uint8).reshape(FRAMES, 4, 6, 3)


@dataclass(frozen=True)
class ExtractParams:
    """Parameters of the small extract."""

    fps: float | None = param(None, "frames a second", minimum=0.01)
    keep_all: bool = param(False, "keep everything")


@dataclass(frozen=True)
class SegmentParams:
    """Parameters of the small segment."""

    threshold: float = param(0.3, "from which a pixel is the person", minimum=0.0, maximum=1.0)
    weights: FilePath | None = param(None, "a file of weights")


@dataclass(frozen=True)
class AlignParams:
    """Parameters of the small align."""

    method: str = param("none", "how", choices=("none", "farneback"))


@dataclass(frozen=True)
class AggregateParams:
    """Parameters of the small aggregate."""

    tile: int = param(256, "side", minimum=16)


@dataclass(frozen=True)
class EnhanceParams:
    """Parameters of the small enhance."""

    strength: int = param(1, "how much", minimum=0)


class Small(Stage[Any]):
    """What the small stages share: hooks for tests, and no look at installed models."""

    ran: ClassVar[list[str]] = []
    before: ClassVar[dict[str, Callable[[Job[Any]], None]]] = {}
    after: ClassVar[dict[str, Callable[[Job[Any]], None]]] = {}
    refuse: ClassVar[dict[str, Exception]] = {}
    backend_names: ClassVar[dict[str, tuple[str, ...]]] = {}
    summary = "small"
    example = "vbtools small"

    def check(self, params: Any) -> None:
        if self.name in self.refuse:
            raise self.refuse[self.name]

    def backends(self, params: Any) -> tuple[Backend, ...]:
        return tuple(Backend(self.name, n, "json:loads", "") for n in self.backend_names.get(self.name, ()))

    def run(self, job: Job[Any]) -> None:
        self.ran.append(self.name)
        self.before.get(self.name, _nothing)(job)
        self.work(job)
        self.after.get(self.name, _nothing)(job)

    def work(self, job: Job[Any]) -> None:
        """Write the elements."""
        raise NotImplementedError


class SmallExtract(Small):
    name = "extract"
    version = 1
    Params = ExtractParams
    reads_video = True
    elements = (
        Element("frames", "uint8", ("T", "H", "W", "3"), "the frames", "0-255", bulk=True),
        Element("time", "float64", ("T",), "when", "s"),
    )

    def work(self, job: Job[ExtractParams]) -> None:
        assert job.source is not None
        made = frames(job.source.read_bytes(), job.params.fps)
        for frame in made:
            job.output.append("frames", frame[None])
        job.output.write("time", np.arange(len(made)) / 25)


class SmallSegment(Small):
    name = "segment"
    version = 1
    Params = SegmentParams
    elements = (Element("person", "uint8", ("T", "h", "w"), "probability", bulk=True),)

    def requires(self, params: SegmentParams) -> tuple[str, ...]:
        return ("extract",)

    def models(self, params: SegmentParams) -> tuple[str, ...]:
        return () if params.weights else (MODEL,)

    def weight_files(self, params: SegmentParams) -> tuple[str, ...]:
        return (params.weights,) if params.weights else ()

    def work(self, job: Job[SegmentParams]) -> None:
        for block in job.inputs.blocks("extract", "frames"):
            job.output.append("person", block[..., 0] // 2)


class SmallAlign(Small):
    name = "align"
    version = 1
    Params = AlignParams
    elements = (
        Element("transform", "float64", ("T", "2", "3"), "motion"),
        table("left_out", "frames that could not be aligned", Column("row", "int64", "row"), Column("why", "str", "")),
    )

    def requires(self, params: AlignParams) -> tuple[str, ...]:
        return ("extract", "segment")

    def work(self, job: Job[AlignParams]) -> None:
        job.output.write("transform", np.tile(np.eye(2, 3), (len(job.inputs.dataset("segment", "person")), 1, 1)))
        job.output.rows("left_out", [{"row": 3, "why": "dünn"}])


class SmallAggregate(Small):
    name = "aggregate"
    version = 1
    Params = AggregateParams
    elements = (Element("background", "uint8", ("H", "W", "3"), "the background"),)

    def requires(self, params: AggregateParams) -> tuple[str, ...]:
        return ("extract", "segment", "align")

    def work(self, job: Job[AggregateParams]) -> None:
        job.output.write("background", job.inputs.array("extract", "frames").max(axis=0))


class SmallEnhance(Small):
    name = "enhance"
    version = 1
    Params = EnhanceParams
    elements = (Element("image", "uint8", ("H", "W", "3"), "the picture"),)

    def requires(self, params: EnhanceParams) -> tuple[str, ...]:
        return ("aggregate",)

    def work(self, job: Job[EnhanceParams]) -> None:
        job.output.write("image", 255 - job.inputs.array("aggregate", "background"))


STAGES: tuple[Small, ...] = (SmallExtract(), SmallSegment(), SmallAlign(), SmallAggregate(), SmallEnhance())
NAMES = tuple(s.name for s in STAGES)


def tasks(values: Mapping[str, Mapping[str, Any]] | None = None, only: tuple[str, ...] = NAMES) -> list[Task]:
    """The chain, or some of it, with the given parameters."""
    return [Task(s, s.parameters((values or {}).get(s.name, {}))) for s in STAGES if s.name in only]


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder: its bytes and the time of its last change."""
    files = (f for f in sorted(folder.rglob("*")) if f.is_file())
    return {str(f.relative_to(folder)): (f.read_bytes(), f.stat().st_mtime_ns) for f in files}


def everything(project: Path) -> dict[str, Any]:
    """All that is stored: records without what tells of bulk files, log, and every element."""
    found: dict[str, Any] = {}
    with Reader(project) as reader:
        found["log"] = reader.log()
        for stage in reader.stages():
            kept = reader.record(stage)
            assert kept is not None
            found[stage] = kept.to_json() | {"bulk": None}
            for name in reader.names(stage):
                data = reader.dataset(stage, name)
                rows = reader.table(stage, name) if data.dtype.names else data[()].tolist()
                found[f"{stage}/{name}"] = (str(data.dtype), data.shape, rows, sorted(data.attrs))
    return found


def _nothing(job: Job[Any]) -> None:
    """Do nothing."""
