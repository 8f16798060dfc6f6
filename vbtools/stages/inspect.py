"""inspect: which words and objects can be made out, and where."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vbtools.backends import Backend, backend
from vbtools.config.element import Column, table
from vbtools.config.params import FilePath, param
from vbtools.errors import UsageError
from vbtools.stages.base import Job, Stage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.store.reader import Reader

TABLES = {"ocr": "ocr", "yolo": "detections"}
"""The table that each backend's findings go to."""
NAMED_IN_NOTES = 8
"""So many words or moments are spelled out in a note; the tables have them all."""
TELLING_LETTERS = 4
"""Shorter words match by chance (16-53 % of random decoys of that shape, 0.4-3 % from four letters on)."""

_BOX = (
    Column("x", "float64", "left edge of the box, in the plate's pixels", "px"),
    Column("y", "float64", "top edge of the box, in the plate's pixels", "px"),
    Column("width", "float64", "of the box", "px"),
    Column("height", "float64", "of the box", "px"),
    Column("confidence", "float64", "the detector's own, 0-1"),
    Column("observed", "float64", "share of the box's pixels that were ever observed, 0-1"),
)


@dataclass(frozen=True)
class InspectParams:
    """Parameters of inspect."""

    ocr: bool = param(True, "read words with Tesseract")
    yolo: bool = param(False, "find objects with YOLO")
    on: str = param("raw", "which picture to look at", choices=("raw", "enhanced", "both"))
    weights: FilePath | None = param(None, "a YOLO checkpoint to use instead of the catalog's")
    language: str = param("eng", "Tesseract's language, or several joined by +")
    psm: int = param(11, "Tesseract's page segmentation mode", minimum=0, maximum=13)
    min_confidence: float = param(0.5, "leave out what the detector itself believes less", minimum=0.0, maximum=1.0)


class Inspect(Stage[InspectParams]):
    """Detect and read on observed pixels only."""

    name = "inspect"
    version = 1
    summary = "findings: yolo, ocr"
    example = "vbtools inspect -p study.h5 --ocr --on both"
    Params = InspectParams
    elements = (
        table(
            "ocr", "words, in reading order, picture by picture",
            Column("image", "str", "raw or enhanced"), Column("text", "str", "the word as read"), *_BOX,
        ),
        table(
            "detections", "objects, most certain first, picture by picture",
            Column("image", "str", "raw or enhanced"), Column("label", "str", "class name"), *_BOX,
        ),
        table(
            "unprotected", "moments at which the blur was off, sharpest first",
            Column("row", "int64", "row in /extract/frames"),
            Column("index", "int64", "frame number in the source"),
            Column("time", "float64", "presentation time", "s"),
            Column("sharpness", "float64", "background sharpness against the call's usual", "ratio"),
        ),
    )

    def requires(self, params: InspectParams) -> tuple[str, ...]:
        """The frames and the background, and the enhanced picture where it is looked at."""
        return ("extract", "aggregate") + (("enhance",) if params.on != "raw" else ())

    def backends(self, params: InspectParams) -> tuple[Backend, ...]:
        """The detectors that are switched on."""
        wanted = {"ocr": params.ocr, "yolo": params.yolo}
        return tuple(backend("inspect", name) for name, on in wanted.items() if on)

    def check(self, params: InspectParams) -> None:
        """Raise what would stop a detector: a package, a program, a language or a model that is not there."""
        for row in self.backends(params):
            row.load().check(params)

    def run(self, job: Job[InspectParams]) -> None:
        """Write the three tables, and say in the notes what was found where.

        Raises:
            UsageError: the enhanced picture is asked for, but enhance had no steps.
        """
        pictures = _pictures(job)
        findings: dict[str, list[dict[str, Any]]] = {"ocr": [], "detections": []}
        unprotected = unprotected_frames(job.inputs)
        job.output.rows("unprotected", unprotected)
        if unprotected:
            job.notes.append(_moments(unprotected))
        seen = job.inputs.array("aggregate", "coverage") > 0
        rows = self.backends(job.params)
        if not rows:
            job.notes.append("neither ocr nor yolo is on: nothing was looked for on the background")
        elif not seen.all():
            hidden = math.ceil(1000 * (1 - seen.mean())) / 10
            job.notes.append(f"{hidden:.1f} % of the picture was never observed and was not looked at")
        job.progress.start(len(rows) * len(pictures), "pictures")
        images = {name: _picture(job, name) for name in pictures}
        for row in rows:
            detector = row.load()(job.params)
            with ThreadPoolExecutor(len(images), thread_name_prefix="inspect") as pool:
                looks = [pool.submit(_look, detector, image, seen) for image in images.values()]
                for name, look in zip(images, looks, strict=True):
                    found = look.result()
                    findings[TABLES[row.name]] += [{"image": name, **one} for one in found]
                    job.notes.append(_found(row.name, found, name))
                    job.progress.advance()
        for table_name, found in findings.items():
            job.output.rows(table_name, found)


def unprotected_frames(project: Reader) -> list[dict[str, Any]]:
    """The frames at which the blur was off, sharpest first: ``row``, ``index``, ``time`` (s), ``sharpness`` (ratio).

    Raises:
        StageMissingError: extract has not been run.
    """
    marked, sharpness, time, index = (
        project.array("extract", name) for name in ("unprotected", "sharpness", "time", "index")
    )
    rows = [
        {"row": row, "index": int(index[row]), "time": float(time[row]), "sharpness": float(sharpness[row])}
        for row in marked.nonzero()[0].tolist()
    ]
    return sorted(rows, key=lambda row: -row["sharpness"])


def _pictures(job: Job[InspectParams]) -> tuple[str, ...]:
    """Which of "raw" and "enhanced" to look at, given what enhance stored."""
    wanted = {"raw": ("raw",), "enhanced": ("enhanced",), "both": ("raw", "enhanced")}[job.params.on]
    if "enhanced" not in wanted or job.inputs.has("enhance", "image"):
        return wanted
    if job.params.on == "enhanced":
        raise UsageError(
            "inspect.on is 'enhanced', but enhance had no steps, so there is no enhanced picture",
            "Use on: raw, or give enhance a step (--steps clahe)",
        )
    job.notes.append("enhance had no steps: only the raw background was looked at")
    return ("raw",)


def _picture(job: Job[InspectParams], name: str) -> NDArray[np.uint8]:
    return job.inputs.array(*(("aggregate", "background") if name == "raw" else ("enhance", "image")))


def _look(detector: Any, image: NDArray[np.uint8], seen: NDArray[np.bool_]) -> list[dict[str, Any]]:
    from vbtools.ops.unobserved import resize_observed

    observed = resize_observed(seen, *image.shape[:2])
    found: list[dict[str, Any]] = detector(image, observed, image.shape[1] / seen.shape[1])
    return found


def _moments(unprotected: Sequence[dict[str, Any]]) -> str:
    times = [f"{row['time']:.2f} s" for row in unprotected]
    if len(times) == 1:
        return f"1 unprotected frame at {times[0]}"
    more = len(times) - NAMED_IN_NOTES
    return f"{len(times)} unprotected frames, sharpest first at {', '.join(times[:NAMED_IN_NOTES])}" + (
        f" and {more} more" if more > 0 else ""
    )


def _found(detector: str, found: Sequence[dict[str, Any]], picture: str) -> str:
    """One line: how many, where, and the most telling ones."""
    verb, kind, key = ("read", "word", "text") if detector == "ocr" else ("found", "object", "label")
    if not found:
        return f"{verb} no {kind}s on {picture}"
    telling = [f for f in found if detector != "ocr" or letters(f["text"]) >= TELLING_LETTERS]
    shown = [*telling, *(f for f in found if f not in telling)][:NAMED_IN_NOTES]
    listed = ", ".join(f"'{f[key]}'" for f in shown)
    more = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    chance = ""
    if detector == "ocr" and len(telling) < len(found):
        chance = f" ({len(found) - len(telling)} of them shorter than {TELLING_LETTERS} letters: may be chance)"
    return f"{verb} {len(found)} {kind}{'' if len(found) == 1 else 's'} on {picture}: {listed}{more}{chance}"


def letters(text: str) -> int:
    """How many letters and digits a word has."""
    return sum(c.isalnum() for c in text)
