"""The same pipeline on the call made again, and what came of it against the known room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from vbtools.evidence.forward import Clip, Forward, Setting, record
from vbtools.evidence.reading import errors, read_at
from vbtools.evidence.replay import ENOUGH_BELIEVED
from vbtools.evidence.rooms import CAP_HEIGHTS, WORDS, Lettered, OtherRoom, other_room

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.stages.base import Progress
    from vbtools.store.reader import Reader

    U8 = NDArray[np.uint8]
    F32 = NDArray[np.float32]

T = TypeVar("T")

BELIEVED = 0.8
"""Confidence from which a block is believed."""
SHOWS = 3.0
"""Standard deviation of the high-pass, grey levels, from which a block shows something: half of what counts as texture
in a truth."""
STAGES = ("segment", "align", "aggregate")
"""What is run again, on the frames of :class:`vbtools.evidence.recorded.Recorded`."""
DECOYS = 12
"""Places without letters that are read for each room."""
AT_ONCE = 2
"""Replays that are examined at once: memory grows with them."""


@dataclass(frozen=True)
class Again:
    """One replay.

    Attributes:
        room, background: (H, W, 3) uint8 RGB: the truth, and what aggregate made of it.
        detail, exposure, confidence: (H, W) float32.
        letters, decoys: rows of the tables, without ``replay``.
        facts: the row of the table ``replays``.
    """

    room: U8
    background: U8
    detail: F32
    exposure: F32
    confidence: F32
    letters: list[dict[str, Any]]
    decoys: list[dict[str, Any]]
    facts: dict[str, Any]


def learned(inputs: Reader) -> bool:
    """Whether aggregate has told what a replay needs; only its method leak does."""
    return all(inputs.has("aggregate", name) for name in ("exposure", "confidence", "overlays"))


def played(inputs: Reader, rooms: int, rows: int, seed: int, progress: Progress, notes: list[str]) -> list[Again]:
    """Make the call again before other rooms, examine each as the call was, and compare with the truth.

    Args:
        inputs: the project.
        rooms: how many; twice as many where the call believes something, and these too little to tell how often that
            is right.
        rows: of the picture, at most.
        seed: of the first room; the others follow.
        progress: told of frames and rooms.
        notes: added to: what could not be known.
    """
    clip = Clip.of(inputs, rows)
    notes += clip.notes
    if inputs.has("align", "flow"):
        notes.append("the camera's motion is a flow: the replay takes it as standing still")
    found = _before(clip, made_rooms(clip, rooms, seed), progress)
    believes = bool((inputs.array("aggregate", "confidence") >= BELIEVED).any())
    if believes and sum(one.facts["believed"] for one in found) < ENOUGH_BELIEVED:
        found += _before(clip, made_rooms(clip, 2 * rooms, seed)[rooms:], progress)
        notes.append(f"so little was believed before {rooms} rooms that as many more were tried")
    return found


def _before(clip: Clip, made: list[OtherRoom], progress: Progress) -> list[Again]:
    """The call before these rooms."""
    import tempfile

    progress.start(clip.count + len(made) * clip.count, "frames")
    with tempfile.TemporaryDirectory(prefix="vbtools-replay-") as folder:
        paths = [Path(folder) / f"{number}.mp4" for number in range(len(made))]
        record([Forward(clip, [one.picture for one in made])], [paths], progress.advance)

        def compared(room: OtherRoom, path: Path) -> Again:
            return _compared(examined(clip, path), room, clip)

        return side_by_side(compared, made, paths, done=lambda: progress.advance(clip.count))


def side_by_side(work: Callable[..., T], *each: Sequence[Any], done: Callable[[], None]) -> list[T]:
    """What ``work`` makes of each, in order; ``done`` is called after each.

    :data:`AT_ONCE` at a time: one replay alone leaves half a core idle.
    """
    from concurrent.futures import ThreadPoolExecutor

    from vbtools.ops.threads import opencv_threads

    found = []
    with opencv_threads(1), ThreadPoolExecutor(AT_ONCE, thread_name_prefix="replay") as pool:
        waiting = [pool.submit(work, *one) for one in zip(*each, strict=True)]
        try:
            for one in waiting:
                found.append(one.result())
                done()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return found


def made_rooms(clip: Clip, rooms: int, seed: int) -> list[OtherRoom]:
    """Rooms for a clip, with words where its edge sweeps and elsewhere."""
    import cv2
    import numpy as np

    exposure = clip.inputs.array("aggregate", "exposure")
    coverage = (clip.inputs.array("aggregate", "coverage") > 0).astype(np.float32)
    shape = clip.size[::-1]
    swept = np.asarray(cv2.resize(exposure, shape, interpolation=cv2.INTER_AREA), np.float32)
    swept = np.where(clip.overlays > 0, np.float32(0), swept)
    seen = np.asarray(cv2.resize(coverage, shape, interpolation=cv2.INTER_AREA), np.float32)
    return [other_room(clip.size, 1000 * seed + number, swept, seen) for number in range(rooms)]


def examined(clip: Clip, video: Path) -> Path:
    """Run the stored stages up to aggregate, with their own parameters, on another recording; the new project.

    Every frame is taken: which are of the call is known. Where the camera stands still, that is known too, and the
    replay is not aligned: what the aligner makes of a replay's coding is not what is asked.
    """
    from vbtools.evidence.recorded import Recorded
    from vbtools.pipeline import Task, execute
    from vbtools.stages import stage

    project = video.with_suffix(".h5")
    tasks = [Task(Recorded(), Recorded.parameters({}))]
    for name in STAGES:
        stored = clip.inputs.record(name)
        values = dict(stored.parameters) if stored is not None else {}
        if name == "align" and not clip.moves:
            values = {"method": "none"}
        tasks.append(Task(stage(name), stage(name).parameters(values)))
    execute(project, tasks, video)
    return project


def preload() -> None:
    """Import what :func:`examined` needs."""
    from vbtools.backends import backend
    from vbtools.stages import stage

    segment = stage("segment")
    segment.preload(segment.parameters({}))
    backend("aggregate", "leak").preload()


def _compared(project: Path, room: OtherRoom, clip: Clip) -> Again:
    import numpy as np

    from vbtools.store import Reader

    with Reader(project) as reader:
        background = reader.array("aggregate", "background")
        detail = reader.array("aggregate", "leak")
        exposure, confidence = reader.array("aggregate", "exposure"), reader.array("aggregate", "confidence")
        covered = reader.array("aggregate", "coverage") > 0
    detail = np.where(covered, detail, np.float32(0))
    decoys = _decoys(room, exposure, clip)
    readings = read_at(background, [*(one.told() for one in room.letters), *decoys])
    letters = []
    for one, told in zip(room.letters, readings, strict=False):
        read, rate = errors(one.text, told)
        letters.append(one.told() | {"shown": _mean(exposure, one.told()), "read": read, "errors": rate})
    for decoy, told in zip(decoys, readings[len(room.letters) :], strict=True):
        decoy["read"], decoy["errors"], decoy["text"] = _by_chance(told)
    facts = {"seed": room.seed, "scale": clip.scale} | counted(background, room.picture, confidence, covered)
    return Again(room.picture, background, detail, exposure, confidence, letters, decoys, facts)


def counted(background: U8, room: U8, confidence: F32, covered: NDArray[np.bool_]) -> dict[str, int]:
    """``believed``, ``right``, ``textured`` and ``recovered`` blocks of a replay; see the stage's table."""
    from vbtools.ops.detail import block_means, detail

    score = detail(background, room, covered)
    believed = (block_means(confidence, score.block) >= BELIEVED) & score.observed & (score.estimate_std >= SHOWS)
    alike = score.r > 0.5
    return {
        "believed": int(believed.sum()), "right": int((believed & alike).sum()),
        "textured": int((score.textured & score.observed).sum()),
        "recovered": int((score.textured & score.observed & alike).sum()),
    }  # fmt: skip


def _decoys(room: OtherRoom, exposure: F32, clip: Clip) -> list[dict[str, Any]]:
    """Places of a word's shape in which there is none."""
    import numpy as np

    chance = np.random.default_rng([room.seed, 8])
    height, width = clip.size
    found: list[dict[str, Any]] = []
    for _ in range(40 * DECOYS):
        cap = float(chance.choice(CAP_HEIGHTS)) * height / 720
        wide = 4.2 * cap
        if wide >= width or cap >= height:
            continue
        box = {
            "x": float(chance.uniform(0, width - wide)), "y": float(chance.uniform(0, height - cap)),
            "width": wide, "height": cap,
        }  # fmt: skip
        if not any(_touch(box, one) for one in room.letters):
            found.append(box | {"shown": _mean(exposure, box)})
        if len(found) == DECOYS:
            break
    return found


def _touch(box: dict[str, Any], word: Lettered) -> bool:
    apart = 0.3 * word.height
    return not (
        box["x"] > word.x + word.width + apart + 0.6 * box["height"]
        or word.x > box["x"] + box["width"] + apart + 0.6 * box["height"]
        or box["y"] > word.y + word.height + apart + 0.6 * box["height"]
        or word.y > box["y"] + box["height"] + apart + 0.6 * box["height"]
    )


def _by_chance(readings: Sequence[str]) -> tuple[str, float, str]:
    """The reading that is nearest to any word of the vocabulary, its error rate, and that word."""
    tried = [(*errors(word, readings)[::-1], word) for word in WORDS]
    rate, read, word = min(tried)
    return read, rate, word


def _mean(plane: F32, box: dict[str, Any]) -> float:
    x, y = int(box["x"]), int(box["y"])
    part = plane[y : round(box["y"] + box["height"]) + 1, x : round(box["x"] + box["width"]) + 1]
    return float(part.mean()) if part.size else 0.0


__all__ = ["Again", "Forward", "Setting", "counted", "examined", "learned", "made_rooms", "played", "preload"]
