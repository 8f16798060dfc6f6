"""A project with stages stored as a run would store them, made up in milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vbtools.config.params import to_json
from vbtools.evidence import all_with_evidence
from vbtools.pipeline.freshness import provenance_of, wanted_of
from vbtools.stages import Job, stage
from vbtools.store import Record, Source, Writer

SIZE = (270, 480)
FRAMES = 7
UNPROTECTED = 2


def room(words: Mapping[str, tuple[int, int]] | None = None) -> np.ndarray:
    rows, columns = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    image = np.stack([205 - rows / 8, 190 - columns / 16, 170 + rows / 10], axis=-1).astype(np.uint8)
    cv2.rectangle(image, (330, 150), (440, 269), (120, 84, 50), -1)
    for word, origin in (words or {}).items():
        cv2.putText(image, word, origin, cv2.FONT_HERSHEY_SIMPLEX, 1.0, (30, 40, 90), 3, cv2.LINE_AA)
    return image


def frame(row: int) -> np.ndarray:
    image = room({"OFFICE": (30, 70)})
    if row != UNPROTECTED:
        image = cv2.GaussianBlur(image, (0, 0), 7)
    cv2.ellipse(image, (200 + 8 * row, 260), (60, 120), 0, 0, 360, (70, 60, 90), -1)
    return image


class Project:
    """Stages stored as a run would store them, with what a test wants in them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: dict[str, Record] = {}
        self.source = Source("/nowhere/call.mp4", "ab" * 32, 1, 1)
        self.started = "2026-01-01T00:00:00+00:00"

    def store(self, name: str, values: Mapping[str, Any], run: Any = None, **elements: Any) -> None:
        one = next(s for s in all_with_evidence() if s.name == name)
        params = one.parameters(values)
        source = self.source if one.reads_video else None
        upstream = {n: self.records[n].fingerprint for n in one.requires(params)}
        wanted = wanted_of(one, params, upstream, source, None)
        with Writer(self.path, "test") as writer, writer.output(name, one.elements, wanted.fingerprint) as output:
            writer.create()
            notes: list[str] = []
            if run:
                with writer.reader() as reader:
                    one.run(Job(params, reader, output, notes=notes))
            for element, data in elements.items():
                kind = next((e for e in one.elements if e.name == element), None)
                if kind and kind.columns:
                    output.rows(element, data)
                elif kind and kind.bulk:
                    output.append(element, data)
                else:
                    output.write(element, data)
            self.records[name] = Record(
                name, wanted.version, wanted.fingerprint, to_json(params), list(wanted.backend), dict(wanted.weights),
                dict(upstream), {n: provenance_of(r) for n, r in self.records.items()}, {}, 0,
                self.started, 1.0, "u", "h", "test", source=source, notes=notes,
            )
            writer.commit(output, self.records[name])

    def extract(self, unprotected: tuple[int, ...] = (UNPROTECTED,), fps: float = 5.0, **elements: Any) -> None:
        marked = np.isin(np.arange(FRAMES), unprotected)
        self.store(
            "extract", {"fps": fps}, frames=np.stack([frame(row) for row in range(FRAMES)]),
            time=np.arange(FRAMES) * 0.2, index=np.arange(FRAMES) * 5, unprotected=marked.astype(np.uint8),
            sharpness=np.where(marked, 8.1, 1.0).astype(np.float32),
            dropped=[{"index": 99, "time": 9.9, "reason": "black"}], **elements,
        )

    def upstream_of_plate(self) -> None:
        self.store("segment", {}, person=np.zeros((FRAMES, 36, 64), np.uint8))
        nothing: dict[str, Any] = {}
        for element in stage("align").elements:
            if element.name == "transform":
                nothing["transform"] = np.tile(np.eye(2, 3), (FRAMES, 1, 1))
        one = stage("align")
        for element in one.elements:
            if not element.optional and element.name not in nothing:
                shape = tuple(int(d) if d.isdigit() else FRAMES if d == "T" else 4 for d in element.dims)
                nothing[element.name] = [] if element.columns else np.zeros(shape, element.dtype)
        self.store("align", {"method": "none"}, **nothing)

    def aggregate(self, background: np.ndarray | None = None, hole: bool = True) -> None:
        image = room({"OFFICE": (30, 70), "HOURS": (30, 130)}) if background is None else background
        coverage = np.full(SIZE, FRAMES, np.uint32)
        coverage[:, :240] = np.linspace(1, FRAMES, 240).astype(np.uint32)
        if hole:
            coverage[90:, 140:290] = 0
            image[coverage == 0] = 0
        self.store(
            "aggregate", {"method": "median"}, background=image, coverage=coverage,
            plate=np.where(coverage[..., None] > 0, image, np.nan).astype(np.float32),
        )


def word(text: str, picture: str, x: float, confidence: float = 0.9, also_on_raw: bool = False) -> dict[str, Any]:
    box = {"x": x, "y": 40.0, "width": 60.0, "height": 20.0}
    support = int(also_on_raw or picture == "raw")
    return {
        "image": picture, "text": text, **box, "confidence": confidence, "observed": 1.0, "also_on_raw": support,
    }  # fmt: skip
