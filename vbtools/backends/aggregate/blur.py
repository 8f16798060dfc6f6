"""Blur identification: how wide the clip's blur is, what of the frame it takes in, and whose it may be.

To be called at the end of an aggregator that has a plate without the person's halo: :func:`write_blur`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vbtools.backends.aggregate.observations import Observations
from vbtools.ops import fringe
from vbtools.ops.blur_bleeding import UNSEEN, Samples
from vbtools.ops.blur_edges import width
from vbtools.ops.blur_kind import NO_BLUR, NONE, WHOLE, Blur, answer, feather_of, kernel_of
from vbtools.ops.blur_spectrum import falloff
from vbtools.ops.masks import level

if TYPE_CHECKING:
    from vbtools.backends.aggregate.tiles import AggregateJob

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

SAMPLES = 16
"""Frames from which the bleeding is measured; read in :data:`STRETCHES` stretches, so that few chunks are unpacked."""
STRETCHES = 8


def identified(job: AggregateJob, plate: F32, known: Mask, opacity: F32 | None = None, *, sharp: bool = False) -> Blur:
    """Identify the blur; 1 to 2 s at 720p.

    Args:
        job: of the aggregate stage.
        plate: (H, W) float32, luminance 0-255 of the blurred background, without halo and without anything added to it.
        known: (H, W) bool: where the plate was observed and nothing is drawn over it.
        opacity: (:data:`vbtools.ops.fringe.BINS`,) float32, the room's opacity by distance, 1 at its strongest.
        sharp: the background is not blurred, which :func:`vbtools.ops.blur_presence.is_sharp` tells.
    """
    if sharp:
        return NO_BLUR
    rows = plate.shape[0]
    with Observations(job.inputs, job.params.threshold, job.params.dilate) as seen:
        samples = Samples(*_samples(seen, level(job.params.threshold)), plate, known)
    kernel = kernel_of(width(plate, known), falloff(plate, known), samples.bleeding())
    kind = samples.kind(kernel.sigma) if np.isfinite(kernel.sigma) else UNSEEN
    feather = float("nan") if opacity is None else feather_of(opacity, np.array(fringe.EDGES_PX, np.float32), rows)
    return answer(kernel, kind, feather, rows)


def write_blur(job: AggregateJob, found: Blur) -> None:
    """Write ``blur`` and say in the notes what it is."""
    job.output.rows("blur", [asdict(found)])
    job.notes.append(_told(found))


def _samples(seen: Observations, limit: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Frames (n, H, W, 3) uint8 RGB, evenly over the clip, and the person in them (n, H, W) uint8, 0 or 1."""
    each = max(1, SAMPLES // STRETCHES)
    parts: list[Any] = list(seen.stretches(STRETCHES, each))
    frames = np.concatenate([part.frames for part in parts])
    return frames, (np.concatenate([part.person for part in parts]) >= limit).astype(np.uint8)


def _told(found: Blur) -> str:
    if found.family == NONE:
        return "no blur found: the background is as sharp as the person (a picture in its place, or no blur)"
    if not np.isfinite(found.sigma):
        return "blur: cannot tell how wide it is"
    kind = {WHOLE: "whole frame", 0: "person kept out"}.get(found.whole, "whole frame or person kept out: cannot tell")
    told = f"blur: sigma {found.sigma:.1f} px ({found.sigma_low:.1f} to {found.sigma_high:.1f}), {found.family}, {kind}"
    return f"{told}; nearest of the known profiles, if it is one of them: {found.profile} ({found.sure:.0%})"
