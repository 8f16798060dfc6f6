"""align: how each frame's background lies against the reference frame's."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vbtools.backends import Backend, backend, names
from vbtools.backends.align import Chooser
from vbtools.config.element import Column, Element, table
from vbtools.config.params import param
from vbtools.errors import InputError, UsageError
from vbtools.stages.base import Job, Stage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.backends.align import Aligner, Evidence

BLOCK_ROWS = 16
"""Frames that are shared out at a time, while the next are read: as many as a stored chunk holds, so that each chunk is
unpacked once."""
MOST_WORKERS = 8
"""Aligners at most; each holds the reference at several sizes."""


@dataclass(frozen=True)
class AlignParams:
    """Parameters of align."""

    method: str = param("auto", "how to find the background's motion", choices=names("align"))
    scale: float = param(
        0.5, "farneback, dis: size at which flow is computed, against the frames'", minimum=0.1, maximum=1.0
    )
    levels: int = param(5, "farneback: pyramid levels of the flow", minimum=1, maximum=12)
    window: int = param(25, "farneback: averaging window of the flow, at its scale", minimum=5, maximum=255, unit="px")
    features: int = param(1000, "orb: key points wanted of a frame", minimum=50, maximum=100_000)
    fixed_below: float = param(
        0.15, "auto: a background that moves less belongs to a fixed camera (for frames 960 px wide; larger ones in "
        "proportion)", minimum=0.0, unit="px",
    )  # fmt: skip
    threshold: float = param(0.3, "person probability from which a pixel is not background", minimum=0.0, maximum=1.0)
    dilate: int = param(10, "grow the person by this much before", minimum=0, unit="px")
    reference: int | None = param(None, "row of the frame to align to; the middle one where not given", minimum=0)
    seed: int = param(0, "orb: of RANSAC's random choices", minimum=0)


class Align(Stage[AlignParams]):
    """The background's motion against a reference frame: a transform or a flow, never warped copies."""

    name = "align"
    version = 4
    summary = "motion: none | orb | farneback | dis | auto"
    example = "vbtools align -p study.h5 --method auto"
    Params = AlignParams
    elements = (
        Element(
            "transform", "float64", ("T", "2", "3"),
            "affine map from reference coordinates to the frame's: (x, y, 1) -> (x', y'); NaN where the frame was left "
            "out. Where there is a flow or homography, that is the motion and this the affine map nearest to it", "px",
        ),
        Element(
            "homography", "float64", ("T", "3", "3"),
            "stored where an affine map does not explain the motion of some frame: "
            "(x, y, 1) -> (x' w, y' w, w), of every frame; NaN where it was left out", "px", optional=True,
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
        from vbtools.ops.threads import opencv_threads

        with opencv_threads(1):
            self._run(job)

    def _run(self, job: Job[AlignParams]) -> None:
        total = len(job.inputs.dataset("extract", "frames"))
        reference = reference_row(job.params.reference, total)
        aligners = _make(job, job.params.method, reference)
        job.progress.start(total, "frames")
        if isinstance(aligners[0], Chooser):
            found = list(_measure_all(job, aligners, total))
            choice = aligners[0].choose([one.evidence for one in found if one.evidence])
            job.notes.append(choice.note)
            if choice.method == "none":
                found = [_fixed(one) for one in found]
            elif choice.method != "affine":
                job.progress.start(total, "frames")
                _store(job, _measure_all(job, _make(job, choice.method, reference), total), total)
                return
            _store(job, found, total)
            return
        _store(job, _measure_all(job, aligners, total), total)


@dataclass(frozen=True)
class Measured:
    """What was found of one frame.

    Attributes:
        transform: (2, 3) float64; NaN where the frame is left out.
        flow: (h, w, 2) int16 in 1/32 px; None where the aligner gives transforms.
        reason: why the frame is left out; empty where it is not.
        homography: (3, 3) float64; None where the transform is all of the motion.
        evidence: for the choice of a method, where one is to be made.
    """

    transform: NDArray[np.float64]
    flow: NDArray[np.int16] | None
    reason: str
    homography: NDArray[np.float64] | None = None
    evidence: Evidence | None = None


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


def _make(job: Job[AlignParams], method: str, reference: int) -> list[Aligner]:
    """Aligners that have the reference frame, one for each frame that is worked on at once."""
    make = backend("align", method).load()
    aligners: list[Aligner] = [make(job.params) for _ in range(_workers(make))]
    if make.needs_frames:
        row = slice(reference, reference + 1)
        frames, likely = job.inputs.dataset("extract", "frames")[row], job.inputs.dataset("segment", "person")[row]
        frame, person = _pictures(job.params, frames, likely)[0]
        for aligner in aligners:
            aligner.set_reference(frame, person())
    return aligners


def _fixed(measured: Measured) -> Measured:
    """The identity instead of what was measured; a frame that was left out stays so."""
    import numpy as np

    return measured if measured.reason else Measured(np.eye(2, 3), None, "")


def _store(job: Job[AlignParams], measured: Iterable[Measured], total: int) -> None:
    """Write what was found of all frames, in order.

    Raises:
        InputError: not one of them could be aligned.
    """
    import numpy as np

    transform = np.full((total, 2, 3), np.nan)
    homographies: dict[int, NDArray[np.float64]] = {}
    left_out: list[dict[str, Any]] = []
    for row, one in enumerate(measured):
        transform[row] = one.transform
        if one.reason:
            left_out.append({"row": row, "reason": one.reason})
        if one.homography is not None:
            homographies[row] = one.homography
        if one.flow is not None:
            job.output.append("flow", one.flow[None])
    if len(left_out) == total:
        raise InputError(f"None of the {total} frames can be aligned: {left_out[0]['reason']}", "Try --method none")
    used = np.ones(total, np.uint8)
    used[[one["row"] for one in left_out]] = 0
    job.output.write("transform", transform)
    if homographies:
        job.output.write("homography", _homographies(transform, homographies))
    job.output.write("used", used)
    job.output.rows("left_out", left_out)
    if left_out:
        job.notes.append(f"left out {len(left_out)} of {total} frames that could not be aligned")


def _homographies(
    transform: NDArray[np.float64], needed: dict[int, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """(T, 3, 3): those that are needed, and the transforms (T, 2, 3) of all other frames."""
    import numpy as np

    full = np.zeros((len(transform), 3, 3))
    full[:, :2] = transform
    full[:, 2] = np.where(np.isnan(transform[:, 0]), np.nan, (0.0, 0.0, 1.0))
    for row, homography in needed.items():
        full[row] = homography
    return full


def _workers(make: Any) -> int:
    """Flow is computed on one core a frame, so that several frames go at once; where nothing is computed, one does."""
    if not make.needs_frames:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


def _measure_all(job: Job[AlignParams], aligners: Sequence[Aligner], total: int) -> Iterator[Measured]:
    """All frames, in order, counted; a block of them at a time, shared out among the aligners."""
    import numpy as np

    if not aligners[0].needs_frames:
        nothing = np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0), np.bool_)
        for _ in range(total):
            yield _measure(aligners[0], *nothing)
            job.progress.advance()
        return
    frames = job.inputs.blocks("extract", "frames", BLOCK_ROWS)
    likely = job.inputs.blocks("segment", "person", BLOCK_ROWS)
    with ThreadPoolExecutor(len(aligners), thread_name_prefix="align") as pool:
        for pair in zip(frames, likely, strict=True):
            pictures = _pictures(job.params, *pair)

            def share(worker: int, pictures: Any = pictures) -> list[Measured]:
                mine = pictures[worker :: len(aligners)]
                return [_measure(aligners[worker], frame, person()) for frame, person in mine]

            shares = list(pool.map(share, range(len(aligners))))
            for row in range(len(pictures)):
                yield shares[row % len(aligners)][row // len(aligners)]
                job.progress.advance()


def _pictures(params: AlignParams, frames: NDArray[np.uint8], likely: NDArray[np.uint8]) -> list[Any]:
    """Each frame (H, W, 3) uint8 with a function that makes its person mask (H, W) bool from the probability."""
    from functools import partial

    from vbtools.ops.masks import person_mask

    size = (int(frames.shape[1]), int(frames.shape[2]))
    return [
        (frame, partial(person_mask, probability, size, params.threshold, params.dilate))
        for frame, probability in zip(frames, likely, strict=True)
    ]


def _measure(aligner: Aligner, frame: NDArray[np.uint8], person: NDArray[np.bool_]) -> Measured:
    import numpy as np

    motion = aligner(frame, person)
    evidence = aligner.evidence if isinstance(aligner, Chooser) else None
    if motion is None:
        flow = None if aligner.grid is None else np.zeros((*aligner.grid, 2), np.int16)
        return Measured(np.full((2, 3), np.nan), flow, aligner.reason, None, evidence)
    if aligner.produces == "transform":
        whole = np.asarray(motion, np.float64) if motion.shape == (3, 3) else None
        return Measured(aligner.transform.copy(), None, "", whole, evidence)
    from vbtools.ops.warp import encode_flow  # brings numba, which takes half a second that a transform does not need

    return Measured(aligner.transform.copy(), encode_flow(motion), "")
