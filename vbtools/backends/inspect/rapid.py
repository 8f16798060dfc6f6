"""Words, read by RapidOCR: PaddleOCR's networks (PP-OCRv6, small) on onnxruntime, on the CPU.

They find lines of text and read them much as a person does whom ridges, holes and uneven contrast do not stop, where
Tesseract, which first separates ink from paper, reads little. The models come in the package: nothing is fetched.
"""

from __future__ import annotations

import os
import unicodedata
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from vbtools.backends.inspect.pieces import Piece
from vbtools.backends.inspect.seen import words_seen
from vbtools.errors import MissingDependencyError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INSTALL = "Run: pip install --force-reinstall rapidocr"
MODELS = ("PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx")
"""In the package: what finds lines, and what reads them. RapidOCR would fetch one that is not there."""
LEAST_LINE = 0.3
"""RapidOCR's own confidence in a line, 0-1, below which its words are not looked at."""
IDEOGRAPHIC = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")
"""How Unicode's names of letters begin that the models know too, and see in a few strokes of anything."""
WITH_IDEOGRAPHS = ("chi", "jpn", "kor")
"""How Tesseract's names of the languages begin that are written with those."""
_READING = Lock()


class RapidParams(Protocol):
    """What this backend reads of the stage's parameters."""

    @property
    def language(self) -> str: ...
    @property
    def min_confidence(self) -> float: ...


class RapidReader:
    """Read words on observed pixels.

    Args:
        params: ``language`` as Tesseract names it: ideographs count only where it is one that is written with them;
            ``min_confidence`` 0-1 (RapidOCR's own, of a word).
    """

    def __init__(self, params: RapidParams) -> None:
        self.params = params

    @classmethod
    def check(cls, _: RapidParams) -> None:
        """Raise what would stop reading.

        Raises:
            MissingDependencyError: a model is not in the package.
        """
        from importlib.util import find_spec

        found = find_spec("rapidocr")
        folder = Path(found.origin).parent / "models" if found and found.origin else Path()
        absent = [name for name in MODELS if not (folder / name).is_file()]
        if absent:
            raise MissingDependencyError(f"The Python package 'rapidocr' is without its model {absent[0]}", INSTALL)

    def __call__(self, image: NDArray[np.uint8], observed: NDArray[np.bool_], scale: float) -> list[dict[str, Any]]:
        """See :func:`vbtools.backends.inspect.seen.words_seen`; a small image is enlarged by RapidOCR itself."""
        return words_seen(image, observed, scale, self._words_of)

    def _words_of(self, image: NDArray[np.uint8], piece: Piece) -> list[dict[str, Any]]:
        """The words of one piece, certain enough and its own to tell; boxes in the whole image's pixels."""
        import cv2
        import numpy as np

        part = np.ascontiguousarray(image[piece.top : piece.bottom, piece.left : piece.right, ::-1])
        factor = piece.factor or 1.0
        if factor != 1:
            part = np.asarray(cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        with _READING:
            answer = _engine()(part)
        words = []
        lines = answer.word_results if answer.txts else ()  # without any line it holds something else
        for text, confidence, corners in (word for line in lines for word in line):
            (left, top), (right, bottom) = np.min(corners, axis=0) / factor, np.max(corners, axis=0) / factor
            x, y, width, height = (float(v) for v in (left + piece.left, top + piece.top, right - left, bottom - top))
            is_word = self._is_of_the_language(text) and confidence >= self.params.min_confidence
            if is_word and piece.owns(x, y, width, height):
                box = {"x": x, "y": y, "width": width, "height": height}
                words.append({"text": text.strip(), **box, "confidence": float(confidence)})
        return words

    def _is_of_the_language(self, text: str) -> bool:
        """Whether it holds a letter or a digit, and no ideograph where the language has none."""
        if not any(letter.isalnum() for letter in text):
            return False
        if any(name.startswith(WITH_IDEOGRAPHS) for name in self.params.language.split("+")):
            return True
        return not any(unicodedata.name(letter, "").startswith(IDEOGRAPHIC) for letter in text)


@cache
def _engine() -> Any:
    """RapidOCR with its own models, one for the process: it holds 0.25 GB, and 0.6 GB while it reads 1920x1080."""
    from rapidocr import RapidOCR

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return RapidOCR(params={
        "Global.log_level": "critical", "Global.use_cls": False, "Global.return_word_box": True,
        "Global.text_score": LEAST_LINE, "EngineConfig.onnxruntime.intra_op_num_threads": cores,
    })  # fmt: skip
