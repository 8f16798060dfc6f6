"""What is known of a call: the empty room; in a folder as simulate writes it also who stood where, and what leaked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbtools.backends.picture import read_picture
from vbtools.backends.video import Frame, open_video
from vbtools.errors import InputError

U8 = NDArray[np.uint8]

BACKGROUND, ALPHA, LEAK, FACTS = "background.png", "alpha.mkv", "leak.mkv", "truth.json"
KNOWN = "known.png"
NEEDED = (BACKGROUND, ALPHA, FACTS)
WHAT = "Name the folder that vbtools simulate wrote, or a picture of the empty room"


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text in the room.

    Attributes:
        text: as it is written.
        cap_px: height of its capitals, px of the truth.
        box: left, top, right, bottom, px of the truth.
    """

    text: str
    cap_px: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of a call.

    Attributes:
        path: as it was named.
        background: the empty room, (H, W, 3) uint8 RGB.
        texts: every line of text in it; None where only a picture is known.
        folder: where alpha.mkv is; None where only a picture is known.
        frames: how many frames alpha.mkv should have; None where that is not told.
        sent: of each frame of the call the number of the truth's frame that it shows, None for one that shows none (a
            title card); None where the call has the truth's frames, one after the other.
        known: (H, W) bool: where the background is known; None where it is everywhere.
    """

    path: Path
    background: U8
    texts: tuple[Text, ...] | None = None
    folder: Path | None = None
    frames: int | None = None
    sent: tuple[int | None, ...] | None = None
    known: NDArray[np.bool_] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(H, W), px."""
        return self.background.shape[0], self.background.shape[1]

    @property
    def has_leak(self) -> bool:
        """Whether the leak weight of every pixel and frame is known."""
        return self.folder is not None and (self.folder / LEAK).exists()

    def alpha(self) -> Iterator[U8]:
        """The person's alpha, (H, W) uint8, frame by frame."""
        return self._planes(ALPHA)

    def leak(self) -> Iterator[U8]:
        """The leak weight x 255, (H, W) uint8, frame by frame."""
        return self._planes(LEAK)

    def _planes(self, name: str) -> Iterator[U8]:
        if self.folder is None:
            raise InputError(f"'{self.path}' is a picture: it has no {name}", "Name the folder that simulate wrote")
        yield from frames_of(self.folder / name, Frame.gray, self.size)


def load_truth(path: Path) -> Truth:
    """Read what is known of a call; recordings in the folder are opened later.

    Args:
        path: a folder with background.png, alpha.mkv, truth.json and, where leak weights are known, leak.mkv; or a
            picture.

    Raises:
        InputError: it is missing, incomplete, not readable, or its parts do not fit.
    """
    if not path.exists():
        raise InputError(f"There is no truth '{path}'", WHAT)
    if not path.is_dir():
        return Truth(path, read_picture(path))
    for name in NEEDED:
        if not (path / name).is_file():
            raise InputError(f"'{path}' is no whole truth: it holds no {name}", WHAT)
    background, facts = read_picture(path / BACKGROUND), _Facts(path / FACTS)
    width, height = facts.size or (background.shape[1], background.shape[0])
    if (height, width) != background.shape[:2]:
        raise InputError(
            f"'{path / FACTS}' tells of frames of {width}x{height}, but {BACKGROUND} is "
            f"{background.shape[1]}x{background.shape[0]}",
            "Simulate the call again",
        )
    known = read_picture(path / KNOWN)[..., 0] > 127 if (path / KNOWN).exists() else None
    if known is not None and known.shape != background.shape[:2]:
        raise InputError(
            f"'{path / KNOWN}' is {known.shape[1]}x{known.shape[0]}, but {BACKGROUND} is {width}x{height}",
            "Simulate the call again",
        )
    return Truth(path, background, facts.texts, path, facts.frames, facts.sent, known)


def frames_of(
    path: Path, take: Callable[[Frame], U8] = Frame.rgb, size: tuple[int, int] | None = None
) -> Iterator[U8]:
    """What is to be taken of a recording's frames, each decoded while the one before is worked on.

    Raises:
        InputError: it cannot be used, or its frames are not of ``size`` (H, W), where one is given.
    """
    with open_video(path) as video, ThreadPoolExecutor(1, thread_name_prefix="truth") as decoding:
        frames = video.frames()
        ahead = decoding.submit(_next_of, frames, take)
        while (frame := ahead.result()) is not None:
            ahead = decoding.submit(_next_of, frames, take)
            if size is not None and frame.shape[:2] != size:
                raise InputError(
                    f"'{path}' has frames of {frame.shape[1]}x{frame.shape[0]}, but the truth is {size[1]}x{size[0]}",
                    "Name the truth of this very call",
                )
            yield frame


def _next_of(frames: Iterator[Frame], take: Callable[[Frame], U8]) -> U8 | None:
    frame = next(frames, None)
    return None if frame is None else take(frame)


class _Facts:
    """What truth.json says, of all that it may say.

    Attributes:
        size: width and height, px; None where that is not told.
        frames: how many; None where that is not told.
        texts: every line of text.
        sent: see :class:`Truth`.
    """

    def __init__(self, path: Path) -> None:
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"'{path}' cannot be understood ({error})", "Simulate the call again") from error
        if not isinstance(told, dict):
            raise InputError(f"'{path}' holds no JSON object", "Simulate the call again")
        try:
            self.size = None if told.get("size") is None else _size(told["size"])
            self.frames = None if told.get("frames") is None else int(told["frames"])
            sent = (told.get("call") or {}).get("frames")
            self.sent = None if sent is None else tuple(None if source is None else int(source) for source in sent)
            self.texts = tuple(_text(line) for line in told.get("text", ()))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"'{path}' cannot be understood ({type(error).__name__}: {error})",
                "It needs size: [width, height], frames, and of each text: text, cap_px, box: [x0, y0, x1, y1]",
            ) from error


def _size(sides: Any) -> tuple[int, int]:
    width, height = (int(side) for side in sides)
    return width, height


def _text(line: Any) -> Text:
    left, top, right, bottom = (float(side) for side in line["box"])
    return Text(str(line["text"]), float(line["cap_px"]), (left, top, right, bottom))
