"""What a project shows, for people: pictures, tables and a film in a folder, and the findings in words."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vbtools.backends.inspect.merge import letters
from vbtools.backends.picture import write_picture, write_whole
from vbtools.errors import StorageError
from vbtools.pipeline.coco import coco
from vbtools.pipeline.film import write_film
from vbtools.pipeline.freshness import assess_stored
from vbtools.stages import Progress, Stage, stage_names
from vbtools.stages.aggregate import is_not_blurred
from vbtools.stages.enhance import stored_pictures
from vbtools.stages.inspect import TELLING_LETTERS
from vbtools.stages.unprotected import WHOLE_FROM, regions, unprotected_frames

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.store import Reader

FINDINGS = "findings.json"
FILM = "frames.mp4"
COCO = "detections.coco.json"
PICTURES = {"raw": "background.png", "enhanced": "enhanced.png"}
"""The exported picture on which inspect's findings of each kind were made."""
MOST_UNPROTECTED = 60
"""So many unprotected frames are written, sharpest first: two seconds of them."""
OTHER_SHOT = "another shot"
"""The reason that extract gives for frames of another background."""
OVERLAYS = (
    "Whether a word hangs in the room or is drawn over the picture (a name label, a clock, a watermark) is not told "
    "apart yet."
)
MOST_NAMED = 8
FINDINGS_SIDE = 1920
"""px; findings.png is enlarged to about this, so that the texts fit between the lines that they repeat."""
PANEL = 960
"""px; a panel of comparison.png is at most so wide or high."""
TABLES = (("inspect", "ocr"), ("inspect", "detections"), ("inspect", "unprotected"), ("extract", "dropped"))


class Shown:
    """What of a project may be shown: only what is stored and was made from what is stored.

    Args:
        reader: the open project.
        known: the stages that may be shown, in order; the pipeline's where none are given.

    Attributes:
        stale: stage -> why it is left out. Bulk that is gone does not make the small results that came from it stale.
    """

    def __init__(self, reader: Reader, known: Sequence[Stage[Any]] = ()) -> None:
        self.reader = reader
        self.stale: dict[str, str] = {}
        for one in assess_stored(reader, known):
            changed = one.record is not None and one.record.fingerprint != one.wanted.fingerprint
            if changed or any(name in self.stale for name in one.wanted.upstream):
                self.stale[one.stage] = "; ".join(one.reasons)

    def has(self, stage: str, name: str) -> bool:
        """Whether an element is stored, fresh, and its bulk is here."""
        record = self.reader.record(stage)
        if record is None or stage in self.stale or not self.reader.has(stage, name):
            return False
        return name not in record.bulk or not self.reader.missing_bulk(stage)

    def table(self, stage: str, name: str) -> list[dict[str, Any]]:
        """A table's rows; none where it is not shown."""
        return self.reader.table(stage, name) if self.has(stage, name) else []

    @cached_property
    def observed(self) -> NDArray[np.bool_]:
        """``(H, W)`` bool: pixels of the plate that were ever observed."""
        seen: NDArray[np.bool_] = self.reader.array("aggregate", "coverage") > 0
        return seen

    @cached_property
    def background(self) -> NDArray[np.uint8]:
        """``(H, W, 3)`` uint8 RGB, unobserved pixels hatched."""
        return self.hatched("aggregate", "background")

    @cached_property
    def unprotected(self) -> list[dict[str, Any]]:
        """Where and when the blur was off, sharpest first; a frame may have several regions."""
        return unprotected_frames(self.reader) if self.has("extract", "unprotected") else []

    def hatched(self, stage: str, name: str) -> NDArray[np.uint8]:
        """A stored picture of the plate, of any scale, with unobserved pixels hatched."""
        from vbtools.ops.unobserved import resize_observed, show_unobserved

        image = self.reader.array(stage, name)
        return show_unobserved(image, resize_observed(self.observed, *image.shape[:2]))

    def frame(self, row: int) -> NDArray[np.uint8]:
        """One stored frame, ``(H, W, 3)`` uint8 RGB."""
        picture: NDArray[np.uint8] = self.reader.dataset("extract", "frames")[row]
        return picture

    def middle_row(self) -> int:
        """The frame nearest the middle that is not an unprotected one."""
        total = len(self.reader.dataset("extract", "frames"))
        sharp = {one["row"] for one in self.unprotected}
        usual = [row for row in range(total) if row not in sharp]
        return min(usual or range(total), key=lambda row: abs(row - total // 2))

    def left_out(self) -> list[str]:
        """One phrase for everything that is not shown and would have been."""
        found = [f"{stage} is out of date ({why}): left out" for stage, why in self.stale.items()]
        stored = self.reader.stages()
        found += [f"{stage} has not been run" for stage in stage_names() if stage not in stored]
        if "extract" in stored and "extract" not in self.stale and self.reader.missing_bulk("extract"):
            found.append(f"no frames are shown: {self.reader.missing_bulk('extract')}")
        return found


def export(
    reader: Reader, folder: Path, *, video: bool = True, progress: Progress | None = None
) -> list[Path]:
    """Write pictures (PNG), tables (CSV), the frames with their masks (``frames.mp4``) and ``findings.json``.

    Where objects were looked for, also ``detections.coco.json``.

    What is stale or missing is left out, and said in ``findings.json``.

    Files that an earlier export listed in its ``findings.json`` and that are not written this time are removed, so that
    nothing outdated stays beside what is new. Other files in the folder are not touched.

    Args:
        reader: the open project.
        folder: made where it does not exist.
        video: whether to write ``frames.mp4``, about 12 ms a frame of 960x540.
        progress: where to say how far the video is.

    Returns:
        The files written, pictures first.

    Raises:
        StorageError: the folder cannot be made or written.
    """
    make_folder(folder)
    shown = Shown(reader)
    before = _listed(folder / FINDINGS)
    written = [write_picture(folder / name, picture) for name, picture in _pictures(shown)]
    for stage, name in TABLES:
        rows = shown.table(stage, name)
        if rows:
            written.append(write_whole(folder / f"{name}.csv", _csv(rows)))
    if shown.has("inspect", "detections") and shown.has("aggregate", "background") and _searched(shown):
        written.append(write_whole(folder / COCO, json.dumps(_coco(shown), indent=2, ensure_ascii=False).encode()))
    if video and shown.has("extract", "frames") and shown.has("segment", "person"):
        written.append(write_film(reader, folder / FILM, progress))
    names = [path.name for path in written]
    text = json.dumps(_everything(shown, names), indent=2, ensure_ascii=False, allow_nan=False)
    written.append(write_whole(folder / FINDINGS, text.encode()))
    for name in before.difference(names):
        (folder / name).unlink(missing_ok=True)
    return written


def make_folder(folder: Path) -> None:
    """Make a folder for results, and those above it; one that is there will do.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"'{folder}' cannot be made a folder ({error.strerror})", "Name another with -o") from error


def findings_in_words(reader: Reader) -> list[str]:
    """What was found, in plain sentences, the gravest first; and what the run did not look at.

    Returns:
        At least one sentence.
    """
    return words_of(Shown(reader))


def words_of(shown: Shown) -> list[str]:
    """As :func:`findings_in_words`, of what may be shown."""
    sentences = _sharp_words(shown) + _unprotected_words(shown.unprotected) + _other_shot_words(shown)
    if shown.has("inspect", "ocr"):
        sentences += _inspected_words(shown)
    if shown.has("aggregate", "coverage"):
        share = math.floor(1000.0 * float(shown.observed.mean())) / 10.0
        if not shown.observed.any():
            sentences.append("No pixel of the background was ever observed: this run can say nothing about the room.")
        elif not shown.observed.all():
            sentences.append(
                f"{share:.1f} % of the picture was observed; the rest is hatched and was neither read nor searched."
            )
    if not shown.has("inspect", "ocr") and "inspect" not in shown.stale:
        sentences.append(f"Nothing has been looked for yet. Run: vbtools inspect -p {shown.reader.path}")
    missing = [s for s in shown.left_out() if not s.startswith(("inspect has", "enhance has"))]
    return sentences + [f"{phrase[0].upper()}{phrase[1:]}." for phrase in missing]


def _sharp_words(shown: Shown) -> list[str]:
    """That there is no blur, where aggregate found none."""
    if not shown.has("aggregate", "blur") or not is_not_blurred(shown.reader):
        return []
    return [
        "The background is not blurred: every frame shows what is behind the person, the room or a picture instead."
    ]


def _pictures(shown: Shown) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """File name and picture of everything that can be shown, one at a time."""
    from vbtools.ops.draw import coverage_picture

    if shown.has("extract", "frames"):
        yield "first_frame.png", shown.frame(0)
        yield "frame.png", shown.frame(shown.middle_row())
        index_of = {one["row"]: one["index"] for one in shown.unprotected}  # sharpest first, each frame once
        for row, index in islice(index_of.items(), MOST_UNPROTECTED):
            yield f"unprotected-{index}.png", _unprotected_picture(shown, row)
    if shown.has("aggregate", "background"):
        yield "background.png", shown.background
        yield "coverage.png", coverage_picture(shown.reader.array("aggregate", "coverage"))
        for name in _enhanced(shown):
            yield ("enhanced.png" if name == "image" else f"enhanced-{name}.png"), shown.hatched("enhance", name)
        if any(shown.table("inspect", name) for name in ("ocr", "detections")):
            yield "findings.png", _findings_picture(shown)
        panels = _panels(shown)
        if len(panels) > 1:
            yield "comparison.png", _comparison(panels, *shown.observed.shape)


def _unprotected_picture(shown: Shown, row: int) -> NDArray[np.uint8]:
    return unprotected_marked(shown, row, shown.frame(row))


def unprotected_marked(shown: Shown, row: int, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The frame, with a box around each region; as it is where that would be around nearly all of it."""
    from vbtools.ops.draw import ORANGE, boxed

    here = [one for one in regions(shown.reader) if one["row"] == row]
    parts = [one for one in here if one["width"] * one["height"] < WHOLE_FROM * picture.shape[0] * picture.shape[1]]
    told = [one | {"told": f"{one['sharpness']:.1f} times as sharp"} for one in parts]
    return boxed(picture, told, "told", ORANGE, 1.0) if told else picture


def _enhanced(shown: Shown) -> tuple[str, ...]:
    """The elements of enhance, ``image`` first."""
    return tuple(reversed(stored_pictures(shown.reader))) if shown.has("enhance", "image") else ()


def _findings_picture(shown: Shown) -> NDArray[np.uint8]:
    """The background with a box around each word and object; those of the enhanced picture alone in another colour."""
    import cv2

    from vbtools.ops.draw import BLUE, ORANGE, boxed, titled

    factor = max(1, round(FINDINGS_SIDE / max(shown.observed.shape)))
    picture = cv2.resize(shown.background, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    alone = 0
    for table, key in (("ocr", "text"), ("detections", "label")):
        raw, enhanced = _by_picture(_of_room(shown.table("inspect", table)))
        unsupported = [row for row in enhanced if not row["also_on_raw"]]
        picture = boxed(picture, unsupported, key, BLUE, factor)
        picture = boxed(picture, raw, key, ORANGE, factor)  # last: what the background itself shows is never covered
        alone += len(unsupported)
    note = "orange: made out on the background itself"
    return titled(picture, f"{note}   blue: on the enhanced picture only" if alone else note, below=True)


def _panels(shown: Shown) -> list[tuple[str, NDArray[np.uint8]]]:
    panels = []
    if shown.has("extract", "frames"):
        panels.append(("the call: one frame", shown.frame(shown.middle_row())))
    panels.append(("what all frames together show", shown.background))
    if shown.has("enhance", "image"):
        panels.append(("the same, enhanced", shown.hatched("enhance", "image")))
    return panels


def _comparison(panels: Sequence[tuple[str, NDArray[np.uint8]]], height: int, width: int) -> NDArray[np.uint8]:
    from vbtools.ops.draw import side_by_side

    scale = min(1.0, PANEL / max(height, width))
    return side_by_side(panels, max(1, round(height * scale)), max(1, round(width * scale)))


def _of_room(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is not drawn over the picture."""
    return [row for row in rows if not row.get("overlay")]


def _by_picture(rows: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    raw = [row for row in rows if row["image"] == "raw"]
    return raw, [row for row in rows if row["image"] != "raw"]


def _unprotected_words(unprotected: Sequence[Mapping[str, Any]]) -> list[str]:
    """One sentence on frames that are sharp as a whole, and one on those of which a part is."""
    sharpest = {one["row"]: one for one in reversed(unprotected)}
    whole_rows = {one["row"] for one in unprotected if one["whole"]}
    in_order = sorted(sharpest.values(), key=lambda one: -one["sharpness"])
    whole = [one for one in in_order if one["row"] in whole_rows]
    part = [one for one in in_order if one["row"] not in whole_rows]
    return _moment_words(whole, "", "the room as it is") + _moment_words(
        part, " in a part of the picture", "that part of the room as it is"
    )


def _moment_words(frames: Sequence[Mapping[str, Any]], where: str, what: str) -> list[str]:
    if not frames:
        return []
    moments = [f"{one['time']:.2f} s ({one['sharpness']:.1f} times as sharp as usual)" for one in frames]
    if len(moments) == 1:
        return [f"The blur was off{where} in 1 frame, at {moments[0]}: it shows {what}."]
    more = f" and {len(moments) - MOST_NAMED} more" if len(moments) > MOST_NAMED else ""
    at = ", ".join(moments[:MOST_NAMED]) + more
    return [f"The blur was off{where} in {len(moments)} frames, at {at}: they show {what}."]


def _other_shot_words(shown: Shown) -> list[str]:
    """Frames that were left out as another shot: a background that was switched off is a shot of its own."""
    times = [row["time"] for row in shown.table("extract", "dropped") if row["reason"] == OTHER_SHOT]
    if not times:
        return []
    kept = shown.reader.record("extract")
    if kept is not None and kept.parameters.get("keep_all"):
        return []
    when = f"{len(times)} frames between {times[0]:.2f} s and {times[-1]:.2f} s"
    what = "If the virtual background was off in them, they show the room as it is"
    mend = "look at the recording there, or run extract with --keep-all"
    return [f"{when} show another background and were not looked at. {what}: {mend}."]


def _searched(shown: Shown) -> bool:
    """Whether objects were looked for."""
    record = shown.reader.record("inspect")
    return bool(record and record.parameters.get("yolo"))


def _coco(shown: Shown) -> dict[str, Any]:
    """The detections in COCO's format, on the pictures that are exported."""
    rows = shown.table("inspect", "detections")
    sizes = {"raw": shown.observed.shape}
    if shown.has("enhance", "image"):
        sizes["enhanced"] = shown.reader.dataset("enhance", "image").shape[:2]
    pictures = {kind: (PICTURES[kind], *sizes[kind]) for kind in PICTURES if kind in sizes}
    return coco(rows, pictures, shown.observed.shape[1])


def _inspected_words(shown: Shown) -> list[str]:
    record = shown.reader.record("inspect")
    wanted: Mapping[str, Any] = record.parameters if record else {}
    looked = [(table, key) for table, key, on in (("ocr", "text", "ocr"), ("detections", "label", "yolo"))
              if wanted.get(on)]  # fmt: skip
    if not looked:
        return ["Nothing was looked for on the background: neither words nor objects were asked for."]
    sentences: list[str] = []
    found = False
    for table, key in looked:
        rows = shown.table("inspect", table)
        raw, enhanced = _by_picture(_of_room(rows))
        kind, verb = ("word", "read") if table == "ocr" else ("object", "found")
        if raw:
            sentences.append(f"{_count(raw, kind)} {verb} on the background: {_named(raw, key)}.{_short(raw, key)}")
        if enhanced:
            sentences.append(_enhanced_words(enhanced, key, kind, verb))
        if drawn := [row for row in _by_picture(rows)[0] if row.get("overlay")]:
            it, is_ = ("It is", "is") if len(drawn) == 1 else ("They are", "are")
            count = _count(drawn, kind).removesuffix(" was").removesuffix(" were")
            sentences.append(f"{count} {is_} drawn over the picture: {_named(drawn, key)}. {it} not of the room.")
        if table == "ocr" and (raw or enhanced) and not shown.has("aggregate", "overlays"):
            sentences.append(OVERLAYS)
        found = found or bool(raw or enhanced)
    if not found:
        verbs = " or ".join("read" if table == "ocr" else "found" for table, _ in looked)
        start = f"Nothing was {verbs} on the background. That is not proof of safety"
        sentences.append(f"{start}: {_limits(shown, [table for table, _ in looked])}")
    return sentences


def _enhanced_words(enhanced: Sequence[Mapping[str, Any]], key: str, kind: str, verb: str) -> str:
    alone = [row for row in enhanced if not row["also_on_raw"]]
    start = f"{_count(enhanced, kind)} {verb} on the enhanced picture"
    if not alone:
        return f"{start}, and on the background itself too."
    which = "" if len(enhanced) == 1 else ", all of them" if len(alone) == len(enhanced) else f", {len(alone)} of them"
    return (
        f"{start}{which} on it alone: {_named(alone, key)}.{_short(alone, key)} "
        "Enhancing can invent what was never in the room."
    )


def _limits(shown: Shown, tables: Sequence[str]) -> str:
    record = shown.reader.record("aggregate")
    method = record.parameters.get("method", "combination") if record else "combination"
    frames = shown.reader.array("extract", "time").size if shown.has("extract", "time") else 0
    over = f" over {frames} frame{'' if frames == 1 else 's'}" if frames else ""
    things = " and ".join("words" if table == "ocr" else "objects" for table in tables)
    edge = "" if method == "leak" else ", and not at the person's edge, where a blurred call shows the most"
    return f"this run looked only at the {method}{over}, only for {things}{edge}."


def _count(rows: Sequence[Any], kind: str) -> str:
    return f"1 {kind} was" if len(rows) == 1 else f"{len(rows)} {kind}s were"


def _named(rows: Sequence[Mapping[str, Any]], key: str) -> str:
    """The first few, telling words before short ones, with the detector's confidence."""
    first = sorted(rows, key=lambda row: key == "text" and letters(row[key]) < TELLING_LETTERS)[:MOST_NAMED]
    more = f" and {len(rows) - len(first)} more" if len(rows) > len(first) else ""
    return ", ".join(f"'{row[key]}' ({100 * row['confidence']:.0f} %)" for row in first) + more


def _short(rows: Sequence[Mapping[str, Any]], key: str) -> str:
    short = sum(letters(row[key]) < TELLING_LETTERS for row in rows) if key == "text" else 0
    if not short:
        return ""
    few = f"fewer than {TELLING_LETTERS} letters"
    if short < len(rows):
        return f" Of these, {short} with {few} may have been read by chance."
    return f" {'It has' if len(rows) == 1 else 'All have'} {few} and may have been read by chance."


def _everything(shown: Shown, files: Sequence[str]) -> dict[str, Any]:
    """The content of findings.json."""
    reader = shown.reader
    tables: dict[str, Any] = {name: shown.table(stage, name) for stage, name in TABLES}
    for name in ("ocr", "detections"):
        tables[name] = [row | {"also_on_raw": bool(row["also_on_raw"])} for row in tables[name]]
    records = {stage: reader.record(stage) for stage in reader.stages() if stage not in shown.stale}
    everything = {
        "project": str(reader.path),
        "findings": words_of(shown),
        "observed": float(shown.observed.mean()) if shown.has("aggregate", "coverage") else None,
        **tables,
        "left_out": shown.left_out(),
        "stages": {
            name: {"parameters": dict(r.parameters), "fingerprint": r.fingerprint, "started": r.started}
            for name, r in records.items()
            if r is not None
        },
        "files": list(files),
    }
    plain: dict[str, Any] = _finite(everything)
    return plain


def _finite(value: Any) -> Any:
    """The same with null for what JSON has no number for."""
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _listed(path: Path) -> set[str]:
    """Names of the files that an earlier export wrote; none if that cannot be told."""
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):  # no export of ours
        return set()
    return {name for name in files if isinstance(name, str) and Path(name).name == name and name != FINDINGS}
