"""inspect: which words and objects can be made out, and where."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vbtools.backends import Backend, backend
from vbtools.backends.inspect.merge import letters
from vbtools.backends.torch_device import DEVICES
from vbtools.config.element import Column, table
from vbtools.config.params import FilePath, ParameterError, param
from vbtools.errors import UsageError
from vbtools.stages.aggregate import is_not_blurred
from vbtools.stages.base import Job, Stage
from vbtools.stages.leak_reader import LeakReader, Under
from vbtools.stages.licences import tell_licence
from vbtools.stages.unprotected import unprotected_frames

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TABLES = {"ocr": "ocr", "rapidocr": "ocr", "yolo": "detections"}
"""The table that each backend's findings go to."""
KEYS = {"ocr": "text", "rapidocr": "text", "yolo": "label"}
"""What each backend's findings are called by."""
READERS = {"auto": ("ocr", "rapidocr"), "tesseract": ("ocr",), "rapidocr": ("rapidocr",)}
"""Who reads words: the backends for each choice. Of two the first reads pictures, the second what the edge showed."""
WITHOUT_RAPIDOCR = (
    "RapidOCR is not installed, so that Tesseract read what the edge showed: fewer of its words, and more wrong ones. "
    "Run: pip install 'vbtools[ocr]'"
)
YOLO_MODEL = "yolov8n"
"""The catalog's checkpoint that is used where none is named."""
NAMED_IN_NOTES = 8
"""So many words or moments are spelled out in a note; the tables have them all."""
TELLING_LETTERS = 4
"""Shorter words match by chance (16-53 % of random decoys of that shape, 0.4-3 % from four letters on)."""
NOT_BLURRED = (
    "the background is not blurred: every frame shows the room. The table of unprotected frames lists only those that "
    "are sharper than the others, so it may be empty"
)

_BOX = (
    Column("x", "float64", "left edge of the box, in the plate's pixels", "px"),
    Column("y", "float64", "top edge of the box, in the plate's pixels", "px"),
    Column("width", "float64", "of the box", "px"),
    Column("height", "float64", "of the box", "px"),
    Column("confidence", "float64", "the detector's own, 0-1"),
    Column("observed", "float64", "share of the box's pixels that were ever observed, 0-1"),
    Column(
        "exposure", "float64", "aggregate's exposure, mean under the box, 0-1; NaN where the method is not leak",
        default=math.nan,
    ),
    Column(
        "room", "float64", "aggregate's confidence that the detail is the room's, mean under the box; NaN likewise",
        default=math.nan,
    ),
    Column("overlay", "uint8", "1 where it is drawn over the picture (a label, a clock): not of the room", default=0),
    Column("also_on_raw", "uint8", "1 where the raw picture has the same at the same place; always 1 for its own"),
)


@dataclass(frozen=True)
class InspectParams:
    """Parameters of inspect."""

    ocr: bool = param(True, "read words")
    reader: str = param(
        "auto", "who reads words; auto: Tesseract, but RapidOCR what the person's edge showed (--method leak)",
        choices=tuple(READERS),
    )  # fmt: skip
    yolo: bool = param(False, "find objects with YOLO")
    on: str = param("raw", "which picture to look at", choices=("raw", "enhanced", "both"))
    weights: FilePath | None = param(None, "a YOLO checkpoint to use instead of the catalog's")
    language: str = param("eng", "Tesseract's name of the language, or several joined by +")
    psm: int = param(11, "Tesseract's page segmentation mode", minimum=0, maximum=13)
    min_confidence: float = param(0.5, "leave out what the detector itself believes less", minimum=0.0, maximum=1.0)
    device: str = param("auto", "where YOLO computes", choices=DEVICES)


class Inspect(Stage[InspectParams]):
    """Detect and read on observed pixels only; of findings on the enhanced picture, say if the raw one has them."""

    name = "inspect"
    version = 7
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
            "unprotected", "where and when the blur was off, sharpest first; of a frame one region or more",
            Column("row", "int64", "row in /extract/frames"),
            Column("index", "int64", "frame number in the source"),
            Column("time", "float64", "presentation time", "s"),
            Column("sharpness", "float64", "against just before or after it, or the call's usual", "ratio"),
            Column("x", "float64", "left edge of the region, in the plate's pixels", "px", default=math.nan),
            Column("y", "float64", "top edge of the region, in the plate's pixels", "px", default=math.nan),
            Column("width", "float64", "of the region", "px", default=math.nan),
            Column("height", "float64", "of the region", "px", default=math.nan),
            Column("whole", "uint8", "1 where the region is most of the picture", default=1),
        ),
    )

    def requires(self, params: InspectParams) -> tuple[str, ...]:
        """The frames and the background, and the enhanced picture where it is looked at."""
        return ("extract", "aggregate") + (("enhance",) if params.on != "raw" else ())

    def backends(self, params: InspectParams) -> tuple[Backend, ...]:
        """The detectors that are switched on."""
        readers = [backend("inspect", name) for name in READERS[params.reader]] if params.ocr else []
        present = [row for row in readers[1:] if not row.missing]  # the second helps, and is no must
        return (*readers[:1], *present, *((backend("inspect", "yolo"),) if params.yolo else ()))

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
        if is_not_blurred(job.inputs):
            job.notes.append(NOT_BLURRED)
        if unprotected:
            job.notes.append(_moments(unprotected))
        seen = job.inputs.array("aggregate", "coverage") > 0
        names = [row.name for row in self.backends(job.params)]
        rapidly = "rapidocr" in names
        rows = [backend("inspect", name) for name in names if name == "yolo" or name == READERS[job.params.reader][0]]
        if not rows:
            job.notes.append("neither ocr nor yolo is on: nothing was looked for on the background")
        elif not seen.all():
            hidden = math.ceil(1000 * (1 - seen.mean())) / 10
            job.notes.append(f"{hidden:.1f} % of the picture was never observed and was not looked at")
        # What the enhanced picture shows is looked for on the raw one too: at the same time, not afterwards.
        images = {name: _picture(job, name) for name in dict.fromkeys((*pictures, "raw"))}
        job.progress.start(len(rows) * len(images), "pictures")
        leak, under = LeakReader.of(job, rapidly), Under(job.inputs)
        if leak and "rapidocr" in READERS[job.params.reader] and job.params.ocr and not rapidly:
            job.notes.append(WITHOUT_RAPIDOCR)
        for row in rows:
            if row.name == "yolo":
                tell_licence(YOLO_MODEL, job.progress)  # ultralytics' own too, whatever the weights
            detector = row.load()(job.params)
            found = _looks(detector, images, seen, job)
            if leak and "raw" in pictures:
                found["raw"] = leak.findings(row.name, detector, found["raw"])
            for name in pictures:
                told = [{"image": name, **one, **under(one)} for one in found[name]]
                findings[TABLES[row.name]] += _compared(told, found["raw"], KEYS[row.name])
                job.notes.append(_found(row.name, [one for one in told if not one["overlay"]], name))
                if drawn := [one for one in told if one["overlay"]]:
                    job.notes.append(f"drawn over the picture, not of the room: {_list(row.name, drawn)}")
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


def _compared(told: Sequence[dict[str, Any]], raw: Sequence[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
    """Findings with what the raw picture says of them; see :func:`supported`."""
    return [one | {"also_on_raw": int(one["image"] == "raw" or supported(one, raw, key))} for one in told]


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


def _look(detector: Any, image: NDArray[np.uint8], seen: NDArray[np.bool_]) -> list[dict[str, Any]]:
    from vbtools.ops.unobserved import resize_observed

    observed = resize_observed(seen, *image.shape[:2])
    found: list[dict[str, Any]] = detector(image, observed, image.shape[1] / seen.shape[1])
    return found


def _moments(unprotected: Sequence[dict[str, Any]]) -> str:
    times = list(dict.fromkeys(f"{row['time']:.2f} s" for row in unprotected))
    if len(times) == 1:
        return f"1 unprotected frame at {times[0]}"
    more = len(times) - NAMED_IN_NOTES
    return f"{len(times)} unprotected frames, sharpest first at {', '.join(times[:NAMED_IN_NOTES])}" + (
        f" and {more} more" if more > 0 else ""
    )


def _found(detector: str, found: Sequence[dict[str, Any]], picture: str) -> str:
    """One line: how many, where, and the most telling ones."""
    is_word = TABLES[detector] == "ocr"
    verb, kind = ("read", "word") if is_word else ("found", "object")
    if not found:
        return f"{verb} no {kind}s on {picture}"
    chance = ""
    short = sum(letters(f["text"]) < TELLING_LETTERS for f in found) if is_word else 0
    if short:
        chance = f" ({short} of them shorter than {TELLING_LETTERS} letters: may be chance)"
    return f"{verb} {len(found)} {kind}{'' if len(found) == 1 else 's'} on {picture}: {_list(detector, found)}{chance}"


def _list(detector: str, found: Sequence[dict[str, Any]]) -> str:
    """The first few, telling ones first."""
    telling = [f for f in found if TABLES[detector] != "ocr" or letters(f["text"]) >= TELLING_LETTERS]
    shown = [*telling, *(f for f in found if f not in telling)][:NAMED_IN_NOTES]
    more = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    return ", ".join(f"'{f[KEYS[detector]]}'" for f in shown) + more
