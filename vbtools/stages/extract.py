"""extract: from a recording to the frames of the call, with their times, and a list of what was left out and why."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vbtools.config.element import Column, Element, table
from vbtools.config.params import ParameterError, param
from vbtools.errors import InputError
from vbtools.stages.base import Job, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vbtools.backends.video import Frame, Video
    from vbtools.ops.call import Call


@dataclass(frozen=True)
class ExtractParams:
    """Parameters of extract."""

    fps: float | None = param(None, "frames a second to keep, chosen by time; all where not given", minimum=0.01)
    resize_long: int | None = param(None, "longest side; never enlarges", minimum=16, unit="px")
    sample_every: int = param(1, "of the chosen frames, keep every n-th", minimum=1)
    start: float = param(0.0, "where to begin in the recording", minimum=0.0, unit="s")
    end: float | None = param(None, "where to stop in the recording", minimum=0.0, unit="s")
    keep_all: bool = param(False, "keep lead-ins, title cards and other shots too")


class Extract(Stage[ExtractParams]):
    """Decode every frame, decide which belong to the call, keep those that were asked for."""

    name = "extract"
    version = 3
    summary = "frames: sample, resize, drop what is not the call"
    example = "vbtools extract call.mp4 -p study.h5 --fps 15 --resize-long 960"
    Params = ExtractParams
    reads_video = True
    elements = (
        Element("frames", "uint8", ("T", "H", "W", "3"), "the frames, RGB", "0-255", bulk=True),
        Element("time", "float64", ("T",), "presentation time in the source", "s"),
        Element("index", "int64", ("T",), "frame number in the source, in presentation order from 0"),
        Element(
            "unprotected", "uint8", ("T",),
            "1 where the frame is much sharper than its neighbours, wholly or in part: the blur failed for an instant",
        ),
        Element(
            "sharpness", "float32", ("T",),
            "background sharpness against the call's own usual; 1 is usual", "ratio",
        ),
        table(
            "regions", "where unprotected frames are sharp, in the order of the frames; of a frame one or more",
            Column("row", "int64", "row in /extract/frames"),
            Column("x", "float64", "left edge, in the frames' pixels", "px"),
            Column("y", "float64", "top edge, in the frames' pixels", "px"),
            Column("width", "float64", "of the region", "px"),
            Column("height", "float64", "of the region", "px"),
            Column("sharpness", "float64", "against just before or after it, or the call's usual", "ratio"),
            optional=True,
        ),
        table(
            "dropped", "frames that are not of the call, in source order",
            Column("index", "int64", "frame number in the source"),
            Column("time", "float64", "presentation time", "s"),
            Column("reason", "str", "why it was left out"),
        ),
    )

    @classmethod
    def parameters(cls, values: Mapping[str, Any]) -> ExtractParams:
        """As :meth:`Stage.parameters`; the end must come after the start."""
        params = super().parameters(values)
        if params.end is not None and params.end <= params.start:
            raise ParameterError(
                f"extract.end ({params.end:g} s) is not after extract.start ({params.start:g} s)",
                "Give a later end, or leave it out",
                ("end",),
            )
        return params

    def run(self, job: Job[ExtractParams]) -> None:
        """Decode and look at every frame from ``start`` to ``end``; store those of the call that were asked for.

        Ticks of ``fps`` count from the first frame at or after ``start``, whatever is left out later. Unprotected
        frames of the call are stored whether or not ``fps`` chose them; those that it did not choose are fetched by
        decoding the recording once more. Memory: a few hundred bytes for each decoded frame.

        Raises:
            InputError: the recording cannot be used, ends before ``start``, or nothing of the call was chosen.
        """
        from vbtools.ops.threads import opencv_threads

        source = _source(job)
        with opencv_threads(1):
            self._run(job, source)

    def _run(self, job: Job[ExtractParams], source: Path) -> None:
        params = job.params
        chosen, call, size = _first_pass(job, source)
        if params.keep_all:
            kept = set(call.index.tolist())
        else:
            kept = set(call.index[call.reason == 0].tolist())
        unprotected = set(call.index[call.unprotected].tolist())
        stored = [*chosen, *_fetch(job, source, sorted(unprotected - set(chosen)))]
        order = [row for row, _ in sorted(enumerate(stored), key=lambda entry: entry[1]) if stored[row] in kept]
        if not order:
            raise InputError(
                f"None of the {len(chosen)} frames chosen from '{source}' is of the call",
                "Choose more with --fps and --sample-every, or keep everything with --keep-all",
            )
        job.output.reorder("frames", order)
        _store_facts(job, call, [stored[row] for row in order], size)


def _source(job: Job[ExtractParams]) -> Path:
    if job.source is None:
        raise InputError("extract was given no recording", "Name one: vbtools extract VIDEO -p study.h5")
    return job.source


def _first_pass(job: Job[ExtractParams], source: Path) -> tuple[list[int], Call, tuple[int, int]]:
    """Store the frames that the parameters choose.

    Returns:
        their numbers, what is what in the recording, and height and width of stored frames, px.
    """
    from vbtools.backends.video import open_video
    from vbtools.ops.call import LONG_SIDE, CallFinder
    from vbtools.ops.sampling import Sampler, fit_long_side

    params = job.params
    sampler, finder = Sampler(params.fps, params.sample_every), CallFinder()
    chosen: list[int] = []
    looked_at, size = 0, (0, 0)
    # Converting, shrinking and packing a frame goes on while the next one is analysed.
    with open_video(source) as video, ThreadPoolExecutor(1, thread_name_prefix="extract") as storing:
        stored: Future[None] | None = None
        job.progress.start(_expected(video, params), "frames")
        for frame in video.frames():
            if params.end is not None and frame.time_s >= params.end:
                break
            job.progress.advance()
            if frame.time_s < params.start:
                continue
            looked_at, size = looked_at + 1, frame.size
            planes = frame.planes(LONG_SIDE)
            if sampler.takes(frame.time_s):
                if stored is not None:
                    stored.result()
                stored = storing.submit(_append, job, frame)
                chosen.append(frame.index)
            finder.add(frame.index, frame.time_s, *planes)
        if stored is not None:
            stored.result()
        ended = params.end is None or video.last_time_s < params.end
        length = video.length_s if ended else max(video.duration_s or 0.0, video.length_s)
        job.notes.extend(video.notes)
    if not looked_at:
        asked = f"from {params.start:g} s" + ("" if params.end is None else f" to {params.end:g} s")
        raise InputError(f"There is no frame {asked} in '{source}', which is {length:.2f} s long")
    if params.end is not None and params.end > length:
        job.notes.append(f"the recording ends at {length:.2f} s, before the {params.end:g} s that were asked for")
    width, height = fit_long_side(size[1], size[0], params.resize_long)
    return chosen, finder.decide(), (height, width)


def _fetch(job: Job[ExtractParams], source: Path, wanted: list[int]) -> list[int]:
    """Store frames by their numbers, given in growing order, with a second decoding; return the numbers."""
    if not wanted:
        return []
    from vbtools.backends.video import open_video

    missing = set(wanted)
    with open_video(source) as video:
        for frame in video.frames():
            if frame.index in missing:
                _append(job, frame)
                missing.discard(frame.index)
            if not missing:
                return wanted
    raise InputError(f"'{source}' decoded differently the second time", "Is something still writing to it?")


def _store_facts(job: Job[ExtractParams], call: Call, stored: list[int], size: tuple[int, int]) -> None:
    import numpy as np

    from vbtools.ops.call import REASONS, left_out

    rows = np.searchsorted(call.index, np.array(stored, np.int64))
    job.output.write("index", call.index[rows])
    job.output.write("time", call.time_s[rows])
    job.output.write("unprotected", call.unprotected[rows].astype(np.uint8))
    job.output.write("sharpness", call.sharpness[rows])
    height, width = size
    row_of = {int(frame): row for row, frame in enumerate(rows)}
    job.output.rows("regions", [
        {"row": row_of[one.frame], "x": one.box[0] * width, "y": one.box[1] * height, "width": one.box[2] * width,
         "height": one.box[3] * height, "sharpness": one.ratio}
        for one in call.regions if one.frame in row_of
    ])
    gone = [] if job.params.keep_all else np.flatnonzero(call.reason).tolist()
    job.output.rows("dropped", [
        {"index": int(call.index[i]), "time": float(call.time_s[i]), "reason": REASONS[call.reason[i]]}
        for i in gone
    ])
    if words := left_out(call.reason):
        job.notes.append(f"kept although not of the call: {words}" if job.params.keep_all else f"left out {words}")
    job.notes.extend(call.notes)


def _append(job: Job[ExtractParams], frame: Frame) -> None:
    from vbtools.ops.sampling import fit_long_side

    height, width = frame.size
    job.output.append("frames", frame.rgb(fit_long_side(width, height, job.params.resize_long)[::-1])[None])


def _expected(video: Video, params: ExtractParams) -> int | None:
    """How many frames will be decoded, about."""
    total = video.frame_estimate
    if total is None or params.end is None or not video.duration_s:
        return total
    return max(1, round(total * min(1.0, params.end / video.duration_s)))
