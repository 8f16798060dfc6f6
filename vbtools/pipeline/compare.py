"""Two projects side by side: what was done differently, and what came of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vbtools.backends.picture import write_picture, write_whole
from vbtools.pipeline.pictures import PANEL, Shown, make_folder
from vbtools.stages import all_stages

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.store import Reader, Record

PICTURES = {"raw": ("aggregate", "background"), "enhanced": ("enhance", "image")}
"""What inspect calls each picture, and where it is stored."""
ANSWER = "compare.json"
SAME_PROPORTIONS = 0.02
"""Width over height may differ by this share, by rounding to whole pixels, for two pictures to be of the same view."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was done differently; ``a`` and ``b`` are plain JSON values, None where there is none."""

    stage: str
    what: str
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class PictureDifference:
    """How far one picture is apart in A and in B.

    Attributes:
        picture: ``raw`` or ``enhanced``.
        size_a, size_b: (H, W), px.
        compared_at: (H, W) of the smaller one, at which they were compared; None where they cannot be.
        observed_a, observed_b: share of the pixels that was ever observed, 0-1, each at its own size.
        both, only_a, only_b: share of the pixels that are observed in both, in one only, 0-1; None where not compared.
        mean_difference: mean absolute difference over the pixels observed in both, grey levels 0-255; None without one.
        psnr: peak signal-to-noise ratio over the same, dB; None where there is none, or where they are equal.
        note: what has to be known about this comparison; empty where nothing.
    """

    picture: str
    size_a: tuple[int, int]
    size_b: tuple[int, int]
    compared_at: tuple[int, int] | None
    observed_a: float
    observed_b: float
    both: float | None = None
    only_a: float | None = None
    only_b: float | None = None
    mean_difference: float | None = None
    psnr: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class FindingDifference:
    """Words or objects found on a picture in one project only; repeated as often as they were found there more."""

    picture: str
    kind: str
    both: int
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole answer of :func:`compare`.

    Attributes:
        observations_a, observations_b: mean number of observations of a pixel; None without a background.
        notes: what could not be compared, and why.
        files: written, relative to the folder.
    """

    a: str
    b: str
    differences: tuple[Difference, ...]
    observations_a: float | None
    observations_b: float | None
    pictures: tuple[PictureDifference, ...]
    findings: tuple[FindingDifference, ...]
    notes: tuple[str, ...]
    files: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, for ``--json`` and ``compare.json``."""
        return asdict(self)


def compare(a: Reader, b: Reader, folder: Path | None = None) -> Comparison:
    """Compare two open projects; of each only what is stored and fresh.

    Args:
        a, b: open projects.
        folder: where to write ``compare.json`` and, for the background and the enhanced picture, A and B side by side
            and a map of their difference (PNG; hatched where either never observed the pixel). None: nothing.

    Raises:
        StorageError: the folder cannot be made or written.
        ProjectError: something that is stored cannot be read.
    """
    if folder is not None:
        make_folder(folder)
    shown_a, shown_b = Shown(a), Shown(b)
    notes = [f"{name}: {phrase}" for name, shown in (("A", shown_a), ("B", shown_b)) for phrase in shown.left_out()]
    pictures, files = [], []
    for name, place in PICTURES.items():
        if not (shown_a.has(*place) and shown_b.has(*place)):
            continue
        found, images = _picture_difference(name, shown_a, shown_b)
        pictures.append(found)
        if folder is not None:
            files += [write_picture(folder / file, image).name for file, image in images.items()]
    answer = Comparison(
        str(a.path), str(b.path), tuple(_differences(a, b)), _observations(shown_a), _observations(shown_b),
        tuple(pictures), tuple(_finding_differences(shown_a, shown_b, notes)), tuple(notes), tuple(files),
    )  # fmt: skip
    if folder is not None:
        text = json.dumps(answer.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
        write_whole(folder / ANSWER, text.encode("utf-8", "backslashreplace"))
    return answer


def _differences(a: Reader, b: Reader) -> list[Difference]:
    """Everything that was done differently, stage by stage."""
    found = []
    for one in all_stages():
        record_a, record_b = a.record(one.name), b.record(one.name)
        if record_a is None or record_b is None:
            if record_a is not record_b:
                found.append(Difference(one.name, "stored", record_a is not None, record_b is not None))
            continue
        paths = {spec.name for spec in one.specs() if spec.kind == "path"}  # their content decides: see weights
        facts_a, facts_b = _facts(record_a, paths), _facts(record_b, paths)
        found += [
            Difference(one.name, what, facts_a.get(what), facts_b.get(what))
            for what in dict.fromkeys([*facts_a, *facts_b])
            if facts_a.get(what) != facts_b.get(what)
        ]
    return found


def _facts(record: Record, paths: set[str]) -> dict[str, Any]:
    """What a stage's result depends on, by name."""
    facts: dict[str, Any] = {"recording": record.source.sha256} if record.source else {}
    facts |= {name: value for name, value in record.parameters.items() if name not in paths}
    facts |= {"backend": list(record.backend)} | {f"weights of {name}": sha for name, sha in record.weights.items()}
    facts |= {"stage version": record.version, "seed": record.seed}
    return facts | {f"software {name}": version for name, version in record.software.items()}


def _observations(shown: Shown) -> float | None:
    if not shown.has("aggregate", "coverage"):
        return None
    return float(shown.reader.array("aggregate", "coverage").mean())


def _picture_difference(
    name: str, shown_a: Shown, shown_b: Shown
) -> tuple[PictureDifference, dict[str, NDArray[np.uint8]]]:
    """The numbers, and pictures by file name."""
    import numpy as np

    from vbtools.ops.draw import difference_picture
    from vbtools.ops.unobserved import resize_observed

    images = [shown.reader.array(*PICTURES[name]) for shown in (shown_a, shown_b)]
    sizes = [(int(image.shape[0]), int(image.shape[1])) for image in images]
    seen = [resize_observed(s.observed, *size) for s, size in zip((shown_a, shown_b), sizes, strict=True)]
    shares = [float(mask.mean()) for mask in seen]
    if abs(sizes[0][1] * sizes[1][0] / (sizes[0][0] * sizes[1][1]) - 1) > SAME_PROPORTIONS:
        note = "their proportions differ, so they do not show the same view: not compared"
        return PictureDifference(name, sizes[0], sizes[1], None, shares[0], shares[1], note=note), {}
    size = min(sizes)
    scaled = [_at(image, mask, size) for image, mask in zip(images, seen, strict=True)]
    seen_a, seen_b = scaled[0][1], scaled[1][1]
    both = seen_a & seen_b
    difference = np.abs(scaled[0][0].astype(np.float32) - scaled[1][0])
    note = "" if sizes[0] == sizes[1] else f"their sizes differ: compared at {size[1]}x{size[0]}"
    answer = PictureDifference(
        name, sizes[0], sizes[1], size, shares[0], shares[1], float(both.mean()), float((seen_a & ~seen_b).mean()),
        float((seen_b & ~seen_a).mean()), *_mean_and_psnr(difference[both]),
        note or ("" if both.any() else "no pixel was observed in both"),
    )  # fmt: skip
    return answer, {
        f"{name}.png": _beside((f"A: {shown_a.reader.path.name}", f"B: {shown_b.reader.path.name}"), scaled, size),
        f"{name}-difference.png": difference_picture(difference.mean(axis=2), both),
    }


def _mean_and_psnr(difference: NDArray[np.float32]) -> tuple[float | None, float | None]:
    """Mean (grey levels) and PSNR (dB) of absolute differences; no PSNR where all are 0."""
    import numpy as np

    if not difference.size:
        return None, None
    square = float(np.mean(difference**2, dtype=np.float64))
    return float(difference.mean(dtype=np.float64)), float(10 * np.log10(255**2 / square)) if square > 0 else None


def _at(
    image: NDArray[np.uint8], observed: NDArray[np.bool_], size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Picture and mask made smaller; a pixel counts as observed where all that it comes from was."""
    import cv2
    import numpy as np

    from vbtools.ops.unobserved import fill

    if image.shape[:2] == size:
        return image, observed
    smaller = cv2.resize(fill(image, observed), size[::-1], interpolation=cv2.INTER_AREA)
    share = cv2.resize(observed.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    return smaller, share > 1 - 1e-4


def _beside(
    titles: tuple[str, str], scaled: Sequence[tuple[NDArray[np.uint8], NDArray[np.bool_]]], size: tuple[int, int]
) -> NDArray[np.uint8]:
    from vbtools.ops.draw import side_by_side
    from vbtools.ops.unobserved import show_unobserved

    scale = min(1.0, PANEL / max(size))
    panels = [(title, show_unobserved(*one)) for title, one in zip(titles, scaled, strict=True)]
    return side_by_side(panels, max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))


def _finding_differences(shown_a: Shown, shown_b: Shown, notes: list[str]) -> list[FindingDifference]:
    """Words and objects; what only one project looked for goes to the notes."""
    found = []
    for kind, table, key in (("words", "ocr", "text"), ("objects", "detections", "label")):
        for picture in PICTURES:
            looked = [_looked(shown, kind, picture) for shown in (shown_a, shown_b)]
            if all(looked):
                rows = [
                    [row for row in shown.table("inspect", table) if row["image"] == picture]
                    for shown in (shown_a, shown_b)
                ]
                found.append(_finding_difference(picture, kind, key, *rows))
            elif any(looked):
                notes.append(f"only {'A' if looked[0] else 'B'} looked for {kind} on the {picture} picture")
    return found


def _looked(shown: Shown, kind: str, picture: str) -> bool:
    """Whether inspect looked for this kind of thing on this picture."""
    record = shown.reader.record("inspect")
    if record is None or not shown.has("inspect", "ocr"):
        return False
    on = record.parameters.get("on")
    asked = record.parameters.get("ocr" if kind == "words" else "yolo")
    return bool(asked) and on in (picture, "both") and shown.reader.has(*PICTURES[picture])


def _finding_difference(
    picture: str, kind: str, key: str, rows_a: Sequence[Mapping[str, Any]], rows_b: Sequence[Mapping[str, Any]]
) -> FindingDifference:
    counted_a, counted_b = (Counter(str(row[key]).casefold() for row in rows) for rows in (rows_a, rows_b))
    return FindingDifference(
        picture, kind, (counted_a & counted_b).total(),
        _named(counted_a - counted_b, [str(row[key]) for row in rows_a]),
        _named(counted_b - counted_a, [str(row[key]) for row in rows_b]),
    )  # fmt: skip


def _named(counted: Counter[str], names: Sequence[str]) -> tuple[str, ...]:
    """Names as they were found, as many of each as are counted, in the order found."""
    left = Counter(counted)
    found = []
    for name in names:
        if left[name.casefold()] > 0:
            left[name.casefold()] -= 1
            found.append(name)
    return tuple(found)
