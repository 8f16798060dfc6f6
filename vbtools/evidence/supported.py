"""Whether a finding on an enhanced picture is supported by what was seen: through the blur, or by the leak.

Through the blur, a finding must pass four questions. Is the detail that it rests on, blurred as the product blurs,
stronger than the plate's noise? Does it then reproduce what was seen? And, of a word: does this word explain what was
seen better than other words of the same shape (:mod:`vbtools.ops.word_likeness`)? An enhancement that is consistent
with the plate passes the first two whatever it is read as. And where the replays are asked: does it stay away before
other rooms? What the leak shows supports a finding by itself, where it is believed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.backends.inspect.merge import STRIPPED, letters
from vbtools.ops.blur_kernel import FAMILIES, blurred
from vbtools.ops.detail import luminance, scaled
from vbtools.ops.fill import fill
from vbtools.ops.reblur import Box, Compared, compared, correlation
from vbtools.ops.word_likeness import Likeness, likeness
from vbtools.stages.inspect import TELLING_LETTERS

if TYPE_CHECKING:
    from vbtools.store.reader import Reader

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

CLEAR = 2.0
"""Noise levels that detail must have to be clearly there."""
LIKE = 0.65
"""Correlation with what was seen from which a word explains it. Words that were there have 0.65 to 0.96 at sigma 2.5 to
7, other strings of their shape a mean of 0.3 to 0.8 (``bench/gate.py``)."""
LEAD = 2.5
"""Standard deviations by which the word must be before the mean of other strings; and before each of them by"""
AHEAD = 0.02
EXPLAINED = 0.5
"""An object's detail must leave less than this share of what was seen, or the layout alone explains it as well."""
PARTS = 4.0
"""An object is told by parts of about a quarter of its height."""
BELIEVED = 0.8
LEAK_R = 0.5
LEAST_BELIEVED = 0.5
"""Confidence, correlation and share of the box from which the leak supports a finding."""
WORKERS = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """Supported or not, and why."""

    supported: bool
    why: str


@dataclass(frozen=True, slots=True)
class Judge:
    """What a project's findings on the enhanced picture are held against; planes (H, W) float32, luminance.

    Attributes:
        seen: the blurred plate, filled where it was never seen.
        claimed: the enhanced picture at the plate's size.
        again: the same, blurred as identified; as it is where the blur is not known.
        reblurred: (H, W, 3) uint8 RGB: again, as a picture.
        blur: family and sigma (px); None where it is not known.
        leak: the leak's own detail and where it is believed; None where there is none.
        replays: the detail of each replay before another room; none where they are not asked.
        noise: noise levels up to which a residual counts as noise.
    """

    seen: F32
    claimed: F32
    again: F32
    reblurred: U8
    blur: tuple[str, float] | None
    leak: tuple[F32, Mask] | None
    replays: tuple[F32, ...]
    noise: float

    @classmethod
    def of(cls, inputs: Reader, noise: float, *, replays: bool) -> Judge:
        """Read what is needed of a project with aggregate and enhance, and replay where the replays are asked."""
        coverage = inputs.array("aggregate", "coverage") > 0
        plate = np.nan_to_num(np.asarray(inputs.array("aggregate", "plate"), np.float32))
        plate = fill(plate, coverage)
        height, width = coverage.shape
        enhanced = _sized(np.asarray(inputs.array("enhance", "image"), np.float32), (height, width))
        blur = _blur(inputs)
        again = blurred(enhanced, *blur) if blur else enhanced
        return cls(
            seen=luminance(plate),
            claimed=luminance(enhanced),
            again=luminance(again),
            reblurred=np.clip(np.rint(again), 0, 255).astype(np.uint8),
            blur=blur,
            leak=_leak(inputs),
            replays=_replays(inputs, (height, width)) if replays else (),
            noise=noise,
        )

    def all(self, findings: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """A row of ``/gate/findings`` for each finding, in order."""
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="gate") as pool:
            yield from pool.map(self.judged, findings)

    def judged(self, finding: Mapping[str, Any]) -> dict[str, Any]:
        """One row.

        Args:
            finding: ``kind`` (word or object), ``what``, ``x``, ``y``, ``width``, ``height`` (px of the plate), and
                ``overlay``, 1 where it is drawn over the picture.
        """
        box = (finding["x"], finding["y"], finding["width"], finding["height"])
        measured = self._measured(finding["kind"], box)
        leak = self._leaked(box)
        answer = self._answer(finding, box, measured, leak)
        row = {key: finding[key] for key in ("kind", "what", "x", "y", "width", "height")}
        signal = measured.signal / measured.noise if measured else math.nan
        residual = _unexplained(measured) if measured else math.nan
        told = {"signal": signal, "residual": residual, "leak": leak}
        return {**row, **told, "supported": int(answer.supported), "why": answer.why}

    def _measured(self, kind: str, box: Box) -> Compared | None:
        if self.blur is None:
            return None
        size = box[3] if kind == "word" else box[3] / PARTS
        return compared(self.seen, self.claimed, self.again, box, self.blur[1], size)

    def _leaked(self, box: Box) -> float:
        """Correlation with the leak's detail, NaN where too little of it is believed."""
        if self.leak is None:
            return math.nan
        return correlation(self.claimed, self.leak[0], box, self.leak[1], self._detail, LEAST_BELIEVED)

    @property
    def _detail(self) -> float:
        return scaled(self.seen.shape[0])[1]

    def _answer(self, finding: Mapping[str, Any], box: Box, measured: Compared | None, leak: float) -> Answer:
        if finding["overlay"]:
            return Answer(False, "it is drawn over the picture: not of the room")
        returned = self._returned(box)
        if returned:
            return Answer(False, f"the same comes back before {returned} of {len(self.replays)} other rooms")
        if leak > LEAK_R:
            return Answer(True, f"the person's edge showed it: correlation {leak:.2f} with the leak's own detail")
        if measured is None:
            return Answer(False, "the blur is not known, and the leak does not show it")
        doubt = _doubt(measured, self.noise)
        if doubt:
            return Answer(False, doubt)
        return self._word(finding, box) if finding["kind"] == "word" else _object(measured)

    def _word(self, finding: Mapping[str, Any], box: Box) -> Answer:
        text = finding["what"].strip(STRIPPED)
        if letters(text) < TELLING_LETTERS:
            return Answer(False, f"fewer than {TELLING_LETTERS} letters: other strings of that shape match by chance")
        if self.blur is None:
            raise ValueError("a word cannot be compared without a blur")
        return _told(likeness(self.seen, box, text, *self.blur, seed=0))

    def _returned(self, box: Box) -> int:
        """In how many replays before other rooms the same detail comes back."""
        everywhere = np.ones(self.claimed.shape, np.bool_)
        found = [correlation(self.claimed, other, box, everywhere, self._detail, 0.0) for other in self.replays]
        return sum(r > LEAK_R for r in found)


def _unexplained(measured: Compared) -> float:
    """What a claim leaves of what was seen, in noise levels: blurred again, or, if it adds nothing, as it is."""
    return min(measured.residual, measured.adds) / measured.doubt


def _doubt(measured: Compared, noise: float) -> str:
    """Why the picture's own detail is none; empty where it is."""
    signal = measured.signal / measured.noise
    if signal < CLEAR:
        return f"what it rests on does not survive the blur: {signal:.1f} times the noise"
    left = _unexplained(measured)
    if left > noise:
        return f"blurred again it is not what was seen: {left:.1f} noise levels are left"
    return ""


def _told(found: Likeness) -> Answer:
    best = float(found.others.max())
    if found.word < LIKE:
        return Answer(False, f"the word, blurred, is not what was seen: correlation {found.word:.2f}")
    if found.lead < LEAD or found.word < best + AHEAD:
        return Answer(False, f"other letters explain what was seen as well: {found.word:.2f} against {best:.2f}")
    return Answer(True, f"of words of its shape it explains what was seen best: {found.word:.2f} against {best:.2f}")


def _object(measured: Compared) -> Answer:
    share = min(measured.residual, measured.adds) / max(measured.seen, 1e-6)
    if share >= EXPLAINED:
        return Answer(False, f"it leaves {share:.0%} of what was seen: the layout alone explains as much")
    return Answer(True, f"its detail is what was seen, all but {share:.0%}; what it is called is the detector's word")


def _sized(image: F32, size: tuple[int, int]) -> F32:
    if image.shape[:2] == size:
        return image
    return np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA), np.float32)


def _blur(inputs: Reader) -> tuple[str, float] | None:
    """Family and sigma; a family that cannot be told is a Gaussian's, None where there is no sigma."""
    if not inputs.has("aggregate", "blur"):
        return None
    found = inputs.table("aggregate", "blur")[0]
    sigma = float(found["sigma"])
    if not math.isfinite(sigma) or sigma <= 0:
        return None
    return (found["family"] if found["family"] in FAMILIES else "gaussian"), sigma


def _leak(inputs: Reader) -> tuple[F32, Mask] | None:
    if not inputs.has("aggregate", "leak"):
        return None
    believed = np.asarray(inputs.array("aggregate", "confidence")) >= BELIEVED
    return np.asarray(inputs.array("aggregate", "leak"), np.float32), believed


def _replays(inputs: Reader, size: tuple[int, int]) -> tuple[F32, ...]:
    return tuple(_sized(np.asarray(one, np.float32), size) for one in inputs.array("replay", "detail"))
