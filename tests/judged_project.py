"""A project with all of its evidence, stored as a run would store it, made up in milliseconds."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from stored_project import FRAMES, SIZE, UNPROTECTED, Project, room, word

from vbtools.evidence.verdict import LEAK

NAN = math.nan
SECRET, CODE, LABEL = "Zanzibar", "QX-4711", "Melusine"
"""A word on the wall, one that only the enhanced picture shows, and a name label that is drawn over the picture."""
TRAILS = "the mask trails the person by 1.5 frames (0.9 to 2.0), as if averaged with 60% of the mask before"
MAGENTA = (255, 0, 255)
"""The person's colour, which nothing else here has."""
PLACES = {SECRET: (30, 70), CODE: (30, 140)}


def person(row: int) -> np.ndarray:
    """(H, W) bool: a person who goes to the right."""
    drawn = np.zeros(SIZE, np.uint8)
    cv2.ellipse(drawn, (250 + 6 * row, 269), (50, 150), 0, 0, 360, 1, -1)
    return drawn > 0


def frame(row: int) -> np.ndarray:
    """A frame whose person is magenta; one of them is not blurred."""
    image = room(PLACES)
    if row != UNPROTECTED:
        image = cv2.GaussianBlur(image, (0, 0), 7)
    image[person(row)] = MAGENTA
    return image


def box(text: str) -> dict[str, float]:
    """Where a word stands, px of the plate."""
    x, y = PLACES.get(text, (330, 250))
    return {"x": float(x), "y": y - 24.0, "width": 20.0 * len(text), "height": 28.0}


def finding(kind: str, what: str, **changes: Any) -> dict[str, Any]:
    """A row of ``/control/findings``."""
    values: dict[str, Any] = {
        "kind": kind, "what": what, **box(what), "confidence": 0.93, "exposure": 0.6, "passages": 3, "first": 0.2,
        "last": 1.0, "rooms": 4, "returned": 0, "likeness": 0.11, "follows": 1,
    }  # fmt: skip
    return values | changes


def judged(path: Path, answer: str = LEAK, **changes: Any) -> Project:
    """A project with all its stages and the whole evidence.

    Args:
        path: where it goes.
        answer: of the verdict.
        changes: of the verdict's row.
    """
    made = Project(path)
    pipeline(made)
    evidence(made, answer, **changes)
    return made


def pipeline(made: Project) -> None:
    """The pipeline's stages, with a leak."""
    marked = (np.arange(FRAMES) == UNPROTECTED).astype(np.uint8)
    made.store(
        "extract", {"fps": 5.0}, frames=np.stack([frame(row) for row in range(FRAMES)]), time=np.arange(FRAMES) * 0.2,
        index=np.arange(FRAMES) * 5, unprotected=marked, sharpness=np.where(marked, 8.1, 1.0).astype(np.float32),
        dropped=[], regions=[],
    )  # fmt: skip
    made.store("segment", {}, person=np.stack([person(row).astype(np.uint8) * 255 for row in range(FRAMES)]))
    made.store(
        "align", {"method": "none"}, transform=np.tile(np.eye(2, 3), (FRAMES, 1, 1)), used=np.ones(FRAMES, np.uint8),
        left_out=[],
    )  # fmt: skip
    coverage = sum((~person(row)).astype(np.uint32) for row in range(FRAMES))
    clean, blurred = room(PLACES), cv2.GaussianBlur(room(PLACES), (0, 0), 7)
    always = coverage < FRAMES / 2
    clean[always], blurred[always] = MAGENTA, MAGENTA  # a mask that failed: what redaction must not show
    clean[coverage == 0] = 0
    exposure = np.zeros(SIZE, np.float32)
    exposure[40:160, 20:220] = 0.6
    made.store(
        "aggregate", {"method": "leak"}, background=clean, coverage=coverage,
        plate=np.where(coverage[..., None] > 0, blurred, np.nan).astype(np.float32), exposure=exposure,
        confidence=(exposure * 1.5).astype(np.float32), overlays=np.zeros(SIZE, np.uint8),
        support=np.full(SIZE, 3, np.uint32), passages=np.full(SIZE, 3, np.uint16), blur=[BLUR],
    )  # fmt: skip
    made.store("enhance", {"steps": ["clahe"]}, run=True)
    words = [
        word(SECRET, "raw", 30.0) | box(SECRET), word(CODE, "enhanced", 30.0) | box(CODE),
        word(LABEL, "raw", 330.0) | box(LABEL) | {"overlay": 1},
    ]  # fmt: skip
    made.store("inspect", {"on": "both"}, ocr=words, detections=[], unprotected=[])


BLUR = {
    "family": "gaussian", "sigma": 7.0, "sigma_low": 6.1, "sigma_high": 8.2, "truncation": math.inf, "whole": 1,
    "whole_sure": 0.99, "feather": 3.9, "ema": NAN, "profile": "jitsi-slight", "sure": 0.4, "others": "chime",
}  # fmt: skip


def evidence(made: Project, answer: str = LEAK, **changes: Any) -> None:
    """The evidence on a project that holds the pipeline's stages."""
    seconds = (1.0, 5.0, 10.0, 30.0, 60.0)
    made.store("timeline", {}, exposure=[
        {"seconds": s, "share": 1 - math.exp(-s / 20), "low": (1 - math.exp(-s / 20)) * (1 if s <= 5 else 0.8),
         "high": min(1.0, (1 - math.exp(-s / 20)) * (1 if s <= 5 else 1.2)), "measured": int(s <= 5)} for s in seconds
    ])  # fmt: skip
    made.store(
        "replay", {"quick": True, "rooms": 2}, room=np.zeros((2, 27, 48, 3), np.uint8),
        background=np.zeros((2, 27, 48, 3), np.uint8), detail=np.zeros((2, 27, 48), np.float32),
        exposure=np.zeros((2, 27, 48), np.float32), confidence=np.zeros((2, 27, 48), np.float32), letters=[],
        decoys=[],
        replays=[{"seed": n, "scale": 0.5, "believed": 40, "right": 37 - n, "textured": 300, "recovered": 60}
                 for n in (0, 1)],
    )  # fmt: skip
    made.store("control", {}, follows=np.zeros(coverage_shape(made), np.uint8), findings=[
        finding("word", SECRET), finding("word", CODE, follows=0, returned=3, likeness=0.8, confidence=0.4),
        finding("place", "", x=120.0, y=40.0, width=60.0, height=40.0, first=NAN, last=NAN, likeness=NAN),
    ])  # fmt: skip
    made.store("power", {}, curve=curve(), limits=[
        {"channel": "fringe", "px": 20.0, "words": 120, "decoys": 60, "decoys_read": 1},
        {"channel": "blur", "px": NAN, "words": 120, "decoys": 60, "decoys_read": 0},
    ])  # fmt: skip
    made.store("gate", {}, reblurred=np.full((*coverage_shape(made), 3), 140, np.uint8), findings=[
        {"kind": "word", "what": SECRET, **box(SECRET), "signal": 9.0, "residual": 1.1, "leak": 0.7, "supported": 1,
         "why": f"'{SECRET}' reproduces what was seen"},
        {"kind": "word", "what": CODE, **box(CODE), "signal": 0.3, "residual": 1.0, "leak": NAN, "supported": 0,
         "why": "nothing of it survives the blur: what was seen cannot carry it"},
    ])  # fmt: skip
    made.store("advice", {}, settings=[
        {"setting": name, "shown": shown, "low": shown * 0.8, "high": shown * 1.2, "reduction": 1 - shown / 0.2,
         "reduction_low": 0.9 - shown / 0.2, "reduction_high": 1.1 - shown / 0.2}
        for name, shown in (("as it is", 0.2), ("a blur twice as wide", 0.19), ("a tighter mask", 0.04),
                            ("a solid colour instead of blur", 0.21))
    ], trail=[
        {"delay": 1.5, "low": 0.9, "high": 2.0, "late": 0, "keep": 0.6, "explained": 0.4, "trails": 1, "told": TRAILS},
    ])  # fmt: skip
    row = {
        "answer": answer,
        "sentence": f"{answer.capitalize()}: 31 places follow the room, '{SECRET}' among what they say.",
        "power": "letters of 20 px and more at the edge; through the blur, no size that was tried", "unprotected": 1,
        "blocks": 31, "words": 1, "fringe_px": 20.0, "blur_px": NAN,
    }  # fmt: skip
    reasons = [f"The word {SECRET} did not come back in 4 other rooms.", "1 frame shows the room as it is."]
    made.store("verdict", {"places": 5}, verdict=[row | changes], reasons=[{"reason": one} for one in reasons])


def coverage_shape(made: Project) -> tuple[int, int]:
    """(H, W) of the plate."""
    from vbtools.store import Reader

    with Reader(made.path) as reader:
        height, width = reader.dataset("aggregate", "coverage").shape
    return height, width


def curve() -> list[dict[str, Any]]:
    """Rows of ``/power/curve``."""
    sizes = {8: 0.0, 12: 0.25, 20: 0.6, 30: 0.85, 45: 0.95}
    return [
        {"channel": channel, "cap_height": float(px), "contrast": contrast, "words": 20,
         "read": round(20 * share * part), "share": share * part,
         "low": max(0.0, share * part - 0.15), "high": min(1.0, share * part + 0.15)}
        for channel, part in (("fringe", 1.0), ("blur", 0.0)) for contrast in (40.0, 120.0)
        for px, share in sizes.items()
    ]  # fmt: skip
