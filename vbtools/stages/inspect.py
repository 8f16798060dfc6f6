"""inspect: which words and objects can be made out, and where."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vbtools.backends import Backend, backend
from vbtools.backends.torch_device import DEVICES
from vbtools.config.element import Column, table
from vbtools.config.params import FilePath, ParameterError, param
from vbtools.errors import UsageError
from vbtools.stages.base import Job, Stage
from vbtools.stages.licences import tell_licence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.store.reader import Reader

TABLES = {"ocr": "ocr", "yolo": "detections"}
"""The table that each backend's findings go to."""
KEYS = {"ocr": "text", "yolo": "label"}
"""What each backend's findings are called by."""
YOLO_MODEL = "yolov8n"
"""The catalog's checkpoint that is used where none is named."""
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
    Column("also_on_raw", "uint8", "1 where the raw picture has the same at the same place; always 1 for its own"),
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
    device: str = param("auto", "where YOLO computes", choices=DEVICES)


class Inspect(Stage[InspectParams]):
    """Detect and read on observed pixels only; of findings on the enhanced picture, say if the raw one has them."""

    name = "inspect"
    version = 2
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

    @classmethod
    def parameters(cls, values: Mapping[str, Any]) -> InspectParams:
        """As :meth:`Stage.parameters`; weights are for YOLO, so that they need it."""
        params = super().parameters(values)
        if params.weights and not params.yolo:
            raise ParameterError(
                f"inspect.weights is '{params.weights}', but only YOLO takes weights, and it is off",
                "Switch it on (yolo: true, --yolo), or leave the weights out", ("weights",),
            )  # fmt: skip
        return params

    def models(self, params: InspectParams) -> tuple[str, ...]:
        """YOLO's, unless other weights are named."""
        return (YOLO_MODEL,) if params.yolo and not params.weights else ()

    def weight_files(self, params: InspectParams) -> tuple[str, ...]:
        """The checkpoint that the user names."""
        return (params.weights,) if params.weights else ()

    def check(self, params: InspectParams) -> None:
        """Raise what would stop a detector: a package, a program, a language or a model that is not there."""
        super().check(params)
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
            if row.name == "yolo":
                tell_licence(YOLO_MODEL, job.progress)  # ultralytics' own too, whatever the weights
            detector = row.load()(job.params)
            found = _looks(detector, images, seen, job)
            raw = found["raw"] if "raw" in found else _raw_of(detector, found["enhanced"], seen, job)
            for name, rows_found in found.items():
                findings[TABLES[row.name]] += [
                    {"image": name, **one, "also_on_raw": int(name == "raw" or supported(one, raw, KEYS[row.name]))}
                    for one in rows_found
                ]
                job.notes.append(_found(row.name, rows_found, name))
        for table_name, rows_of_table in findings.items():
            job.output.rows(table_name, rows_of_table)


def supported(finding: Mapping[str, Any], raw: Sequence[Mapping[str, Any]], key: str) -> bool:
    """Whether a finding on the enhanced picture was made on the raw one too: the same name, at the same place.

    Args:
        finding: with ``x``, ``y``, ``width``, ``height`` in the plate's pixels and the text or label under ``key``.
        raw: the findings on the raw picture.
    """
    x, y = finding["x"] + finding["width"] / 2, finding["y"] + finding["height"] / 2
    return any(
        other[key].casefold() == finding[key].casefold()
        and other["x"] <= x <= other["x"] + other["width"]
        and other["y"] <= y <= other["y"] + other["height"]
        for other in raw
    )


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


def _looks(
    detector: Any, images: Mapping[str, NDArray[np.uint8]], seen: NDArray[np.bool_], job: Job[InspectParams]
) -> dict[str, list[dict[str, Any]]]:
    """What a detector finds on each picture, all of them looked at side by side."""
    with ThreadPoolExecutor(len(images), thread_name_prefix="inspect") as pool:
        looks = {name: pool.submit(_look, detector, image, seen) for name, image in images.items()}
        found = {}
        for name, look in looks.items():
            found[name] = look.result()
            job.progress.advance()
    return found


def _raw_of(
    detector: Any, found: Sequence[Mapping[str, Any]], seen: NDArray[np.bool_], job: Job[InspectParams]
) -> list[dict[str, Any]]:
    """What the raw picture has, where only the enhanced one was asked for; looked at only if there is a question."""
    return _look(detector, _picture(job, "raw"), seen) if found else []


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
    verb, kind = ("read", "word") if detector == "ocr" else ("found", "object")
    key = KEYS[detector]
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
