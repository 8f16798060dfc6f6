"""align: how each frame's background lies against the reference frame's."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vbtools.backends import Backend, backend, names
from vbtools.config.element import Column, Element, table
from vbtools.config.params import param
from vbtools.errors import InputError, UsageError
from vbtools.stages.base import Job, Stage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.backends.align import Aligner

BLOCK_BYTES = 16 * 1024 * 1024
"""Frames held at a time."""
MOST_WORKERS = 8


@dataclass(frozen=True)
class AlignParams:
    """Parameters of align."""

    method: str = param("none", "how to find the background's motion", choices=names("align"))
    scale: float = param(0.5, "size at which flow is computed, against the frames'", minimum=0.1, maximum=1.0)
    levels: int = param(5, "pyramid levels of the flow", minimum=1, maximum=12)
    window: int = param(25, "averaging window of the flow, at its scale", minimum=5, maximum=255, unit="px")
    threshold: float = param(0.3, "person probability from which a pixel is not background", minimum=0.0, maximum=1.0)
    dilate: int = param(10, "grow the person by this much before", minimum=0, unit="px")
    reference: int | None = param(None, "row of the frame to align to; the middle one where not given", minimum=0)


class Align(Stage[AlignParams]):
    """The background's motion against a reference frame: a transform or a flow, never warped copies."""

    name = "align"
    version = 1
    summary = "motion: none | orb | farneback | dis | auto"
    example = "vbtools align -p study.h5 --method farneback"
    Params = AlignParams
    elements = (
        Element(
            "transform", "float64", ("T", "2", "3"),
            "affine map from reference coordinates to the frame's: (x, y, 1) -> (x', y'); NaN where the frame was left "
            "out. Where there is a flow, the flow is the motion and this the affine map nearest to it", "px",
        ),
        Element(
            "flow", "int16", ("T", "h", "w", "2"),
            "displacement (dx, dy) from reference coordinates to the frame's, at the flow's own grid, in units of "
            "1/32 px of the frames' scale; the pixel of frame t that shows reference pixel x lies at x + flow[t](x)",
            "1/32 px", bulk=True, optional=True,
        ),
        Element("used", "uint8", ("T",), "1 where the frame could be aligned; 0 leaves it out of the background"),
        table(
            "left_out", "frames that could not be aligned",
            Column("row", "int64", "row in /extract/frames"),
            Column("reason", "str", "why"),
        ),
    )

    def requires(self, params: AlignParams) -> tuple[str, ...]:
        return ("extract", "segment")

    def backends(self, params: AlignParams) -> tuple[Backend, ...]:
        return (backend("align", params.method),)

    def run(self, job: Job[AlignParams]) -> None:
        """Measure every frame against the reference; see :class:`vbtools.backends.align.Aligner`.

        Raises:
            UsageError: the reference row is not in the clip.
            InputError: there is no frame, or none can be aligned.
        """
        import numpy as np

        total = len(job.inputs.dataset("extract", "frames"))
        reference = reference_row(job.params.reference, total)
        make = backend("align", job.params.method).load()
        aligners: list[Aligner] = [make(job.params) for _ in range(_workers(make))]
        if make.needs_frames:
            frame, person = _pictures(job, reference, reference + 1)[0]
            for aligner in aligners:
                aligner.set_reference(frame, person())
        job.progress.start(total, "frames")
        transform = np.full((total, 2, 3), np.nan)
        used = np.zeros(total, np.uint8)
        left_out: list[dict[str, Any]] = []
        for row, measured in enumerate(_measure_all(job, aligners, total)):
            transform[row] = measured.transform
            used[row] = not measured.reason
            if measured.reason:
                left_out.append({"row": row, "reason": measured.reason})
            if measured.flow is not None:
                job.output.append("flow", measured.flow[None])
            job.progress.advance()
        if not used.any():
            raise InputError(f"None of the {total} frames can be aligned: {left_out[0]['reason']}", "Try --method none")
        job.output.write("transform", transform)
        job.output.write("used", used)
        job.output.rows("left_out", left_out)
        if left_out:
            job.notes.append(f"left out {len(left_out)} of {total} frames that could not be aligned")


@dataclass(frozen=True)
class Measured:
    """What was found of one frame.

    Attributes:
        transform: (2, 3) float64; NaN where the frame is left out.
        flow: (h, w, 2) int16 in 1/32 px; None where the aligner gives transforms.
        reason: why the frame is left out; empty where it is not.
    """

    transform: NDArray[np.float64]
    flow: NDArray[np.int16] | None
    reason: str


def reference_row(asked: int | None, total: int) -> int:
    """The row of the frame to align to: the one asked for, else the middle one.

    Raises:
        UsageError: the clip has no such row.
        InputError: the clip has no frame.
    """
    if total < 1:
        raise InputError("There is no frame to align", "Run: vbtools extract with other options, or --keep-all")
    if asked is None:
        return total // 2
    if asked >= total:
        raise UsageError(
            f"align: there is no frame {asked} to take as reference: the clip has {total}",
            f"Give --reference 0 to {total - 1}",
        )
    return asked


def _workers(make: Any) -> int:
    """Flow is computed on one core a frame, so that several frames go at once; where nothing is computed, one does."""
    if not make.needs_frames:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


def _measure_all(job: Job[AlignParams], aligners: Sequence[Aligner], total: int) -> Iterator[Measured]:
    """All frames, in order; a block of them at a time, shared out among the aligners."""
    import numpy as np

    if not aligners[0].needs_frames:
        nothing = np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0), np.bool_)
        for _ in range(total):
            yield _measure(aligners[0], *nothing)
        return
    _, height, width, channels = job.inputs.dataset("extract", "frames").shape
    rows = max(len(aligners), BLOCK_BYTES // (height * width * channels))
    with ThreadPoolExecutor(len(aligners), thread_name_prefix="align") as pool:
        for start in range(0, total, rows):
            pictures = _pictures(job, start, min(start + rows, total))

            def share(worker: int, pictures: Any = pictures) -> list[Measured]:
                mine = pictures[worker :: len(aligners)]
                return [_measure(aligners[worker], frame, person()) for frame, person in mine]

            shares = list(pool.map(share, range(len(aligners))))
            for row in range(len(pictures)):
                yield shares[row % len(aligners)][row // len(aligners)]


def _pictures(job: Job[AlignParams], start: int, stop: int) -> list[Any]:
    """Frames ``start:stop``, each (H, W, 3) uint8 with a function that makes its person mask (H, W) bool."""
    from functools import partial

    from vbtools.ops.masks import person_mask

    params = job.params
    frames = job.inputs.dataset("extract", "frames")[start:stop]
    likely = job.inputs.dataset("segment", "person")[start:stop]
    size = (int(frames.shape[1]), int(frames.shape[2]))
    return [
        (frame, partial(person_mask, probability, size, params.threshold, params.dilate))
        for frame, probability in zip(frames, likely, strict=True)
    ]


def _measure(aligner: Aligner, frame: NDArray[np.uint8], person: NDArray[np.bool_]) -> Measured:
    import numpy as np

    motion = aligner(frame, person)
    if motion is None:
        flow = None if aligner.grid is None else np.zeros((*aligner.grid, 2), np.int16)
        return Measured(np.full((2, 3), np.nan), flow, aligner.reason)
    if aligner.produces == "transform":
        return Measured(np.asarray(motion, np.float64), None, "")
    from vbtools.ops.warp import encode_flow  # brings numba, which takes half a second that a transform does not need

    return Measured(aligner.transform.copy(), encode_flow(motion), "")
