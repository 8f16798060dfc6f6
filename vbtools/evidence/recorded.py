"""extract for a recording that was made here: every frame is of the call, so none is looked at."""

from __future__ import annotations

from vbtools.errors import InputError
from vbtools.stages.base import Job
from vbtools.stages.extract import Extract, ExtractParams


class Recorded(Extract):
    """Store every frame of a recording as it is; stands for extract where only the frames and their times are read."""

    elements = tuple(e for e in Extract.elements if e.name in {"frames", "time", "index"})  # type: ignore[assignment]

    def run(self, job: Job[ExtractParams]) -> None:
        """Decode and store.

        Raises:
            InputError: the recording cannot be used.
        """
        import numpy as np

        from vbtools.backends.video import open_video

        if job.source is None:
            raise InputError("a replay was given no recording")
        index, time = [], []
        with open_video(job.source) as video:
            for frame in video.frames():
                job.output.append("frames", frame.rgb()[None])
                index.append(frame.index)
                time.append(frame.time_s)
        job.output.write("index", np.array(index, np.int64))
        job.output.write("time", np.array(time, np.float64))
