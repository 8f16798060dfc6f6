"""Drawing on pictures for people to look at: labels, boxes, panels side by side, a colour scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vbtools.ops.unobserved import hatch, show_unobserved

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

INK: Colour = (28, 28, 32)
PAPER: Colour = (250, 250, 250)
ORANGE: Colour = (235, 95, 0)
BLUE: Colour = (0, 95, 230)
GAP = 8
"""px between panels."""
SMALLEST_LEGEND = 460
"""px; a legend is not made narrower, or its words would not fit."""
LEAST_SCALE = 16.0
"""Grey levels; a scale of differences ends no lower, or noise would look like a difference."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_TEXT_TO_STRIP = 0.46
_TEXT_TO_TAG = 0.62
_TINT = 0.35


def titled(picture: Picture, title: str, *, below: bool = False) -> Picture:
    """The picture with a strip of paper above or below it that holds a title.

    Args:
        picture: ``(H, W, 3)`` uint8 RGB.
        title: one line; made smaller where it would not fit.
    """
    strip = _strip(picture.shape[1], _strip_height(*picture.shape[:2]))
    _write(strip, title, GAP, strip.shape[0] // 2)
    return np.vstack([picture, strip] if below else [strip, picture])


def side_by_side(panels: Sequence[tuple[str, Picture]], height: int, width: int) -> Picture:
    """Panels in a row, each brought to ``height`` by ``width`` and titled.

    Args:
        panels: title and ``(H, W, 3)`` uint8 RGB picture; all have about the same proportions.

    Returns:
        ``(height + strip, n * width + gaps, 3)`` uint8 RGB.
    """
    row: list[Picture] = []
    for title, picture in panels:
        panel = titled(_resized(picture, height, width), title)
        if row:
            row.append(np.full((panel.shape[0], GAP, 3), PAPER, np.uint8))
        row.append(panel)
    return np.hstack(row)


def boxed(picture: Picture, findings: Sequence[Mapping[str, Any]], key: str, colour: Colour, scale: float) -> Picture:
    """Draw a frame around each finding, with its text above it, or below where there is no room.

    Args:
        picture: ``(H, W, 3)`` uint8 RGB; not changed.
        findings: each with ``x``, ``y``, ``width``, ``height`` in px of the unscaled picture, and ``key``.
        scale: the picture's pixels per pixel of the boxes.
    """
    drawn = picture.copy()
    thick = max(1, round(max(picture.shape[:2]) / 640))
    for one in findings:
        left, top = round(one["x"] * scale) - thick - 1, round(one["y"] * scale) - thick - 1
        right = round((one["x"] + one["width"]) * scale) + thick
        bottom = round((one["y"] + one["height"]) * scale) + thick
        cv2.rectangle(drawn, (left, top), (right, bottom), colour, thick, cv2.LINE_AA)
        tag = _tag(str(one[key]), colour, max(14, round(max(picture.shape[:2]) / 90)))
        at = top - tag.shape[0] if top >= tag.shape[0] else bottom + 1
        _paste(drawn, tag, left, at)
    return drawn


def coverage_picture(coverage: NDArray[np.uint32]) -> Picture:
    """How often each pixel was observed, in colour, with its scale below; never observed is hatched.

    Args:
        coverage: ``(H, W)`` uint32, number of observations.

    Returns:
        uint8 RGB, ``(H + legend, max(W, 460), 3)``.
    """
    most = int(coverage.max(initial=0))
    levels = (coverage.astype(np.float64) * (255.0 / max(1, most))).round().astype(np.uint8)
    picture = show_unobserved(_coloured(levels), coverage > 0)
    return _with_legend(picture, 255 // max(1, most), "1", f"{most} observations", "never observed")


def difference_picture(difference: NDArray[np.float32], observed: NDArray[np.bool_]) -> Picture:
    """How far two pictures of the same scene are apart, in colour, with its scale below.

    Args:
        difference: ``(H, W)`` float32, mean absolute difference of the channels, grey levels 0-255.
        observed: ``(H, W)`` bool, whether both pictures show the pixel; hatched where not.

    Returns:
        uint8 RGB, ``(H + legend, max(W, 460), 3)``.
    """
    most = max(LEAST_SCALE, float(np.max(difference, where=observed, initial=0)))
    levels = np.where(observed, difference, 0) * (255.0 / most)
    picture = show_unobserved(_coloured(levels.round().astype(np.uint8)), observed)
    return _with_legend(picture, 0, "0", f"{most:.0f} grey levels", "not observed in both")


def share_picture(share: NDArray[np.float32], observed: NDArray[np.bool_], words: tuple[str, str, str]) -> Picture:
    """A share of 0 to 1 at each pixel, in colour, with its scale below; pixels that were never observed are hatched.

    Args:
        share: ``(H, W)`` float32, 0-1; NaN counts as 0.
        observed: ``(H, W)`` bool.
        words: what stands at the scale's ends, and at the hatch.

    Returns:
        uint8 RGB, ``(H + legend, max(W, 460), 3)``.
    """
    levels = (np.clip(np.nan_to_num(share), 0, 1) * 255.0).round().astype(np.uint8)
    return _with_legend(show_unobserved(_coloured(levels), observed), 0, *words)


def _with_legend(picture: Picture, start: int, low: str, high: str, hatched: str) -> Picture:
    height, width = picture.shape[:2]
    legend = _legend(max(width, SMALLEST_LEGEND), start, low, high, hatched)
    if legend.shape[1] > width:
        picture = np.hstack([picture, np.full((height, legend.shape[1] - width, 3), PAPER, np.uint8)])
    return np.vstack([picture, legend])


def _legend(width: int, start: int, low: str, high: str, hatched: str) -> Picture:
    """Colour bar from level ``start`` (0-255), called ``low``, to 255, called ``high``, and a swatch of the hatch."""
    strip = _strip(width, max(34, _strip_height(width // 2, width)))
    height = strip.shape[0]
    bar, swatch = width // 3, height
    inner = slice(height // 4, height - height // 4)
    ramp = np.linspace(start, 255, bar).round().astype(np.uint8)
    strip[inner, 4 * GAP : 4 * GAP + bar] = _coloured(ramp[None, :])
    _write(strip, low, GAP, height // 2, room=3 * GAP)
    after = _write(strip, high, 5 * GAP + bar, height // 2, room=width // 4)
    left = max(after + 3 * GAP, 2 * width // 3)
    strip[inner, left : left + swatch] = hatch(width, width)[inner, left : left + swatch]
    _write(strip, hatched, left + swatch + GAP, height // 2)
    return strip


def _coloured(levels: Picture) -> Picture:
    """Cividis: even steps look even, also to the colour-blind (Nunez et al., PLoS ONE 2018)."""
    coloured: Picture = cv2.applyColorMap(levels, cv2.COLORMAP_CIVIDIS)[..., ::-1]
    return coloured


def _tag(text: str, colour: Colour, height: int) -> Picture:
    scale = _text_scale(height, _TEXT_TO_TAG)
    width = _text_size(text, scale)[0] + 6
    tag = np.full((height, width, 3), colour, np.uint8)
    _write(tag, text, 3, height // 2, colour=(255, 255, 255), room=width, scale=scale)
    return tag


def _strip(width: int, height: int) -> Picture:
    return np.full((height, width, 3), PAPER, np.uint8)


def _strip_height(height: int, width: int) -> int:
    return max(28, round(max(height, width) / 24))


def _text_scale(height: int, share: float = _TEXT_TO_STRIP) -> float:
    return share * height / _text_size("Hg", 1.0)[1]


def _text_size(text: str, scale: float) -> tuple[int, int]:
    (width, height), _ = cv2.getTextSize(text, _FONT, scale, _thickness(scale))
    return int(width), int(height)


def _thickness(scale: float) -> int:
    return max(1, round(1.6 * scale))


def _write(
    image: Picture,
    text: str,
    x: int,
    middle: int,
    *,
    colour: Colour = INK,
    room: int | None = None,
    scale: float | None = None,
) -> int:
    """Write one line, centred vertically on ``middle``, small enough for its room; returns where it ends, px."""
    room = image.shape[1] - x - 2 if room is None else room
    scale = _text_scale(image.shape[0]) if scale is None else scale
    width = _text_size(text, scale)[0]
    if width > room > 0:
        scale *= room / width
    width, height = _text_size(text, scale)
    cv2.putText(image, text, (x, middle + height // 2), _FONT, scale, colour, _thickness(scale), cv2.LINE_AA)
    return x + width


def _paste(image: Picture, tag: Picture, left: int, top: int) -> None:
    """Put a tag on the picture, moved inside where it can be, else cut off."""
    left = max(0, min(left, image.shape[1] - tag.shape[1]))
    top = max(0, min(top, image.shape[0] - tag.shape[0]))
    target = image[top : top + tag.shape[0], left : left + tag.shape[1]]
    target[...] = tag[: target.shape[0], : target.shape[1]]


def _resized(picture: Picture, height: int, width: int) -> Picture:
    if picture.shape[:2] == (height, width):
        return picture
    method = cv2.INTER_AREA if picture.shape[1] > width else cv2.INTER_CUBIC
    resized: Picture = cv2.resize(picture, (width, height), interpolation=method)
    return resized


def person_marked(frame: Picture, person: NDArray[np.bool_], left_out: NDArray[np.bool_]) -> Picture:
    """A frame with the person tinted blue, and an orange line around everything that is left out with the person.

    Args:
        frame: ``(H, W, 3)`` uint8 RGB; not changed.
        person: ``(H, W)`` bool.
        left_out: ``(H, W)`` bool: the person and the margin around it.
    """
    marked = frame.copy()
    tint = np.clip(np.arange(256)[:, None] * (1 - _TINT) + _TINT * np.array(BLUE), 0, 255).astype(np.uint8)
    cv2.copyTo(cv2.LUT(frame, tint[None]), person.view(np.uint8), marked)
    outlines, _ = cv2.findContours(left_out.view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(marked, outlines, -1, ORANGE, max(2, round(max(frame.shape[:2]) / 480)))  # 4:2:0 halves colour
    return marked


def labelled(picture: Picture, lines: Sequence[tuple[str, Colour]]) -> Picture:
    """Put labels into the upper left corner, one below the other, each on a field of its colour.

    Args:
        picture: ``(H, W, 3)`` uint8 RGB; changed, and returned.
        lines: text and colour.
    """
    height = max(14, round(max(picture.shape[:2]) / 40))
    for row, (text, colour) in enumerate(lines):
        _paste(picture, _tag(text, colour, height)[:, : picture.shape[1]], 0, row * height)
    return picture
