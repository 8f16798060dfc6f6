"""The pictures of a report, each ready to stand in a page: encoded, covered where something is redacted, described."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vbtools.pipeline.pictures import unprotected_marked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.pipeline.pictures import Shown
    from vbtools.report.redaction import Redaction

LONGEST = 1600
"""px; a photograph is shown no larger, so that a page stays well under 15 MB."""
MAP_LONGEST = 960
"""px; a map is shown no larger. Its numbers come in full."""
FRAME_LONGEST = 960
"""px; an unprotected frame, of which there can be several."""
MOST_UNPROTECTED = 6
MOST_FINDINGS = 24
"""So many findings are shown with a crop each; the table has all."""
QUALITY = 85
CROP_QUALITY = 90
CROP_HEIGHT = 96
"""px; a crop is enlarged to this height."""
CROP_MOST = (360, 270)
"""Width and height, px; a crop is shrunk to these."""
CROP_PAD = 0.5
"""A crop shows so much of a finding's height around it."""
LEAST_PAD = 10


@dataclass(frozen=True, slots=True)
class Picture:
    """One encoded picture.

    Attributes:
        name: what a file of it would be called, and its id in the page.
        title: a few words.
        alt: what it shows, for those who cannot see it.
        caption: what it shows and what it does not.
        data: the encoded bytes; kind: their MIME type; width, height: px.
        numbers: the values behind a map, 8 bits of grey, as PNG; empty for photographs.
    """

    name: str
    title: str
    alt: str
    caption: str
    data: bytes
    kind: str
    width: int
    height: int
    numbers: bytes = b""

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return data_uri(self.data, self.kind)

    @property
    def numbers_uri(self) -> str:
        """The values behind it as a data URI."""
        return data_uri(self.numbers, "image/png")


@dataclass(slots=True)
class Album:
    """All pictures of a page.

    Attributes:
        compared: frame, plate, leak image, enhanced picture: those that there are, one of which covers the other.
        maps: exposure, confidence, coverage.
        unprotected: frames without blur, sharpest first; each with its row of ``unprotected``.
        findings: each with its row: pairs of what is shown and what the blur alone shows.
        enhanced: each with its row: the enhanced picture, that one blurred again, and what was seen.
        notes: what is not shown, and why.
    """

    compared: list[Picture] = field(default_factory=list)
    maps: list[Picture] = field(default_factory=list)
    unprotected: list[tuple[dict[str, Any], Picture]] = field(default_factory=list)
    findings: list[tuple[dict[str, Any], list[Picture]]] = field(default_factory=list)
    enhanced: list[tuple[dict[str, Any], list[Picture]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def data_uri(data: bytes, kind: str) -> str:
    """Bytes as a URI that needs no file."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def make_album(shown: Shown, redaction: Redaction, content: Mapping[str, Any]) -> Album:
    """Make every picture of a report.

    Args:
        shown: what of the project may be shown.
        redaction: what must not be.
        content: from :func:`vbtools.report.content.gather`; its rows come back with their pictures.
    """
    album = Album()
    _add_frame(album, shown, redaction)
    if shown.has("aggregate", "background"):
        _add_plates(album, shown, redaction)
        _add_maps(album, shown, redaction)
        _add_findings(album, shown, redaction, content["findings"] or [])
        _add_enhanced(album, shown, redaction, content["enhanced"] or [])
    _add_unprotected(album, shown, redaction, content["unprotected"] or [])
    return album


def _add_frame(album: Album, shown: Shown, redaction: Redaction) -> None:
    if not shown.has("extract", "frames"):
        album.notes.append("No frame is shown: the frames are not stored here any more.")
        return
    row = shown.middle_row()
    frame = redaction.frame(shown.frame(row), row)
    if frame is None:
        album.notes.append("No frame is shown: without the person's masks the person cannot be covered.")
        return
    album.compared.append(_photograph(
        "frame", "One frame of the call", "A frame from the middle of the call, as the others in it saw it.",
        "What the others saw. It does not show what many frames together give away.", frame,
    ))  # fmt: skip


def _add_plates(album: Album, shown: Shown, redaction: Redaction) -> None:
    is_leak = shown.has("aggregate", "exposure")
    if is_leak:
        album.compared.append(_photograph(
            "plate", "Blurred background", "The blurred background without the person, from all frames together.",
            "The background as blurred, averaged over time. It does not show what the person's edge uncovered.",
            redaction.plate(_plate(shown)),
        ))  # fmt: skip
    title = "Leak image" if is_leak else "Background"
    leaked = "the background, its blur undone where it can be, with what the person's edge uncovered of the room"
    what = leaked if is_leak else "the background"
    album.compared.append(_photograph(
        "leak" if is_leak else "background", title,
        f"{title}: {what}, from all frames together; hatched where nothing was ever observed.",
        f"{what[0].upper()}{what[1:]}. Hatched: never observed. Not every detail in it is the room's: see below.",
        redaction.plate(shown.background),
    ))  # fmt: skip
    if shown.has("enhance", "image"):
        album.compared.append(_photograph(
            "enhanced", "Enhanced", "The same picture, enhanced.",
            "Easier to look at. It can show what was never in the room; what is supported is listed below.",
            redaction.plate(shown.hatched("enhance", "image")),
        ))  # fmt: skip


def _plate(shown: Shown) -> NDArray[np.uint8]:
    """``(H, W, 3)`` uint8 RGB: the plate, hatched where it was never observed."""
    import numpy as np

    from vbtools.ops.unobserved import show_unobserved

    plate = np.nan_to_num(shown.reader.array("aggregate", "plate"))
    return show_unobserved(np.clip(np.rint(plate), 0, 255).astype(np.uint8), shown.observed)


def _add_maps(album: Album, shown: Shown, redaction: Redaction) -> None:
    if not shown.has("aggregate", "exposure"):
        return
    exposure, confidence = (shown.reader.array("aggregate", name) for name in ("exposure", "confidence"))
    album.maps.append(_map(
        "exposure", "Exposure", "Map of how clearly the person's edge ever showed the room at each place.",
        "The largest opacity at which the person's edge ever showed the room here. Dark: not observed to be shown in "
        "this clip. It does not say whether there was anything to see.",
        exposure, shown, redaction, ("0", "shown fully", "never observed"),
    ))  # fmt: skip
    album.maps.append(_map(
        "confidence", "Confidence", "Map of how far to believe that detail shown at each place is the room's.",
        "Probability that the detail shown here is the room's. It is cautious: on weak blurs most true detail stays "
        "below 0.8. It says nothing of places without detail.",
        confidence, shown, redaction, ("0", "certain", "never observed"),
    ))  # fmt: skip


def _add_unprotected(album: Album, shown: Shown, redaction: Redaction, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows or not shown.has("extract", "frames"):
        return
    if redaction.text:
        album.notes.append(
            "Frames without blur are not shown: their words were not read, so that they cannot be covered one by one."
        )
        return
    sharpest = {row["row"]: row for row in reversed(rows)}
    for row in sorted(sharpest.values(), key=lambda one: -one["sharpness"])[:MOST_UNPROTECTED]:
        frame = redaction.unprotected(shown.frame(row["row"]), row["row"])
        if frame is not None:
            frame = unprotected_marked(shown, row["row"], frame)
            told = f"The frame at {row['time']:.2f} s, in which the blur was off" + (
                "." if row["whole"] else " in a part of the picture."
            )
            picture = _photograph(f"unprotected-{row['index']}", told, told, "", frame, FRAME_LONGEST)
            album.unprotected.append((dict(row), picture))


def _add_findings(album: Album, shown: Shown, redaction: Redaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """The findings that follow the room first, the largest and most believed of them first."""
    sources = [("leak", "what the edge showed", redaction.plate(shown.background))]
    if shown.has("aggregate", "exposure"):
        sources.append(("plate", "the blur alone", redaction.plate(_plate(shown))))
    ranked = sorted(enumerate(rows), key=lambda one: _rank(one[1]))
    for number, row in ranked[:MOST_FINDINGS]:
        crops = [_crop(f"finding-{number}-{name}", told, picture, row) for name, told, picture in sources]
        album.findings.append((dict(row), [crop for crop in crops if crop is not None]))


def _rank(row: Mapping[str, Any]) -> tuple[float, ...]:
    area = (row["width"] or 0) * (row["height"] or 0)
    return -row["follows"], row["kind"] == "place", -(row["confidence"] or 0) * area


def _add_enhanced(album: Album, shown: Shown, redaction: Redaction, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows or not shown.has("enhance", "image"):
        return
    sources = [("enhanced", "the enhanced picture", redaction.plate(shown.reader.array("enhance", "image")))]
    if shown.has("gate", "reblurred"):
        again = redaction.plate(shown.reader.array("gate", "reblurred"))
        sources.append(("reblurred", "that, blurred as the product does", again))
    sources.append(("seen", "what was seen", redaction.plate(_plate(shown))))
    ranked = sorted(enumerate(rows), key=lambda one: (one[1]["supported"], one[0]))
    for number, row in ranked[:MOST_FINDINGS]:
        wide = shown.observed.shape[1]
        crops = [_crop(f"enhanced-{number}-{n}", told, p, row, p.shape[1] / wide) for n, told, p in sources]
        album.enhanced.append((dict(row), [crop for crop in crops if crop is not None]))


def _crop(
    name: str, told: str, picture: NDArray[np.uint8], row: Mapping[str, Any], scale: float = 1.0
) -> Picture | None:
    """A finding's place with a margin, enlarged; None where it lies outside."""
    import cv2

    pad = max(LEAST_PAD, CROP_PAD * row["height"])
    left, top = (max(0, math.floor((row[side] - pad) * scale)) for side in ("x", "y"))
    right = math.ceil((row["x"] + row["width"] + pad) * scale)
    bottom = math.ceil((row["y"] + row["height"] + pad) * scale)
    cut = picture[top:bottom, left:right]
    if not cut.size:
        return None
    factor = min(max(1.0, CROP_HEIGHT / cut.shape[0]), CROP_MOST[0] / cut.shape[1], CROP_MOST[1] / cut.shape[0])
    size = (max(1, round(cut.shape[1] * factor)), max(1, round(cut.shape[0] * factor)))
    cut = cv2.resize(cut, size, interpolation=cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA)
    what = row["what"] or f"a {row['kind']}"
    return _encoded(name, told, f"{what}: {told}", "", cut, CROP_QUALITY)


def _photograph(
    name: str, title: str, alt: str, caption: str, picture: NDArray[np.uint8], longest: int = LONGEST
) -> Picture:
    return _encoded(name, title, alt, caption, _fitted(picture, longest), QUALITY)


def _map(
    name: str, title: str, alt: str, caption: str, share: NDArray[np.float32], shown: Shown, redaction: Redaction,
    words: tuple[str, str, str],
) -> Picture:  # fmt: skip
    """A map in colour, and its values x 255 as grey."""
    import cv2
    import numpy as np

    from vbtools.ops.draw import share_picture

    height, width = share.shape
    factor = min(1.0, MAP_LONGEST / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    clean = np.clip(np.nan_to_num(share), 0, 1)
    small = cv2.resize(clean, size, interpolation=cv2.INTER_AREA)
    observed = cv2.resize(shown.observed.view(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    drawn = share_picture(small, observed, words)
    drawn[: size[1], : size[0]] = redaction.plate(drawn[: size[1], : size[0]])
    levels = redaction.levels((clean * 255).round().astype(np.uint8))
    data = _png(drawn)
    return Picture(name, title, alt, caption, data, "image/png", drawn.shape[1], drawn.shape[0], _png(levels))


def _fitted(picture: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    import cv2

    factor = longest / max(picture.shape[:2])
    if factor >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor)))
    fitted: NDArray[np.uint8] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return fitted


def _encoded(name: str, title: str, alt: str, caption: str, picture: NDArray[np.uint8], quality: int) -> Picture:
    """A photograph as JPEG."""
    import cv2
    import numpy as np

    bgr = np.ascontiguousarray(picture[..., ::-1])
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    height, width = picture.shape[:2]
    return Picture(name, title, alt, caption, data.tobytes(), "image/jpeg", width, height)


def _png(picture: NDArray[np.uint8]) -> bytes:
    import cv2
    import numpy as np

    bgr = np.ascontiguousarray(picture[..., ::-1] if picture.ndim == 3 else picture)
    _, data = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    whole: bytes = data.tobytes()
    return whole
