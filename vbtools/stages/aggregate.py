"""aggregate: from all frames to one picture of the background, with how often each pixel was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vbtools.backends import Backend, backend, names
from vbtools.config.element import Column, Element, table
from vbtools.config.params import param
from vbtools.stages.base import Job, Stage

if TYPE_CHECKING:
    from vbtools.store.reader import Reader


def is_not_blurred(project: Reader) -> bool:
    """Whether aggregate, with method leak, found no blur: a picture in the room's place, or none at all."""
    if not project.has("aggregate", "blur"):
        return False
    from vbtools.ops.blur_kind import NONE  # brings SciPy's transforms, a tenth of a second that other methods save

    return bool(project.table("aggregate", "blur")[0]["family"] == NONE)


@dataclass(frozen=True)
class AggregateParams:
    """Parameters of aggregate."""

    method: str = param("median", "how observations of a pixel become one", choices=names("aggregate"))
    tile: int = param(256, "work on tiles of at most this side", minimum=16, unit="px")
    threshold: float = param(0.3, "person probability from which a pixel is not background", minimum=0.0, maximum=1.0)
    dilate: int = param(10, "grow the person by this much, to keep the halo out", minimum=0, unit="px")


class Aggregate(Stage[AggregateParams]):
    """Combine the background's observations, tile by tile, person excluded."""

    name = "aggregate"
    version = 10
    summary = "background: median | mean | max | leak"
    example = "vbtools aggregate -p study.h5 --method median --dilate 10"
    Params = AggregateParams
    elements = (
        Element("background", "uint8", ("H", "W", "3"), "the background, RGB; no meaning where coverage is 0", "0-255"),
        Element(
            "plate", "float32", ("H", "W", "3"),
            "the same before rounding, with leak the blurred background alone; NaN where coverage is 0",
            "0-255",
        ),
        Element("coverage", "uint32", ("H", "W"), "observations of the pixel; 0 = never seen", "frames"),
        Element(
            "exposure", "float32", ("H", "W"),
            "method leak: the largest opacity at which the person's edge ever showed the room here, 0-1", optional=True,
        ),
        Element(
            "confidence", "float32", ("H", "W"),
            "method leak: probability that the detail shown in this block (24 px at 720 rows) is the room's, 0-1; see "
            "vbtools/ops/confidence.py",
            optional=True,
        ),
        Element(
            "leak", "float32", ("H", "W"),
            "method leak: the detail that the person's edge gives away, of the luminance, at its contrast",
            "grey levels", optional=True,
        ),
        Element(
            "overlays", "uint8", ("H", "W"),
            "method leak: 1 where something still and sharp is drawn over the blur (a label, a clock); 0 elsewhere, and"
            " everywhere if there is no blur",
            optional=True,
        ),
        Element(
            "unblurred", "uint8", ("H", "W"),
            "method leak: 1 where something is as still and sharp, but behind the person: the blur leaves it out",
            optional=True,
        ),
        Element(
            "support", "uint32", ("H", "W"),
            "method leak: frames in which the person's edge lay over the pixel", "frames", optional=True,
        ),
        Element(
            "passages", "uint16", ("H", "W"),
            "method leak: disjoint passages of the person's edge over the pixel; saturates", optional=True,
        ),
        Element(
            "opacity", "float32", ("15",),
            "method leak: the room's opacity by distance to the mask, against the strongest; bins between -16, -12, -9,"
            " -6, -4, -2, 0, 2, 4, 6, 8, 11, 14, 18, 22 and 28 px at 720 rows, negative within the mask",
            optional=True,
        ),
        table(
            "blur",
            "method leak: the product's blur, from the clip alone; one row; NaN, -1, 'cannot tell' where it is silent",
            Column("family", "str", "gaussian (any bell), truncated, none (not blurred), or cannot tell"),
            Column("sigma", "float64", "effective: standard deviation of the kernel that results; 0: no blur", "px"),
            Column("sigma_low", "float64", "sigma lies above this with 95 %", "px"),
            Column("sigma_high", "float64", "sigma lies below this with 95 %", "px"),
            Column("truncation", "float64", "where the kernel ends, in its own sigmas; inf for a bell"),
            Column("whole", "int8", "1 the whole frame is blurred, 0 the person is kept out, -1 cannot tell"),
            Column("whole_sure", "float64", "probability of that; of the likelier where it cannot tell; 0: no blur"),
            Column("feather", "float64", "standard deviation of the mask's mean edge, lag and errors included", "px"),
            Column("ema", "float64", "weight of the mask before in the next; always NaN: steps after it hide it"),
            Column("profile", "str", "nearest profile of simulate, none (no blur), or cannot tell"),
            Column("sure", "float64", "its probability among the known products at their default settings"),
            Column("others", "str", "profiles at least half as likely, comma-separated"),
            optional=True,
        ),
    )

    def requires(self, params: AggregateParams) -> tuple[str, ...]:
        return ("extract", "segment", "align")

    def backends(self, params: AggregateParams) -> tuple[Backend, ...]:
        return (backend("aggregate", params.method),)

    def run(self, job: Job[AggregateParams]) -> None:
        backend("aggregate", job.params.method).load()()(job)
