"""Score a project against the truth: every picture, the ceiling above them, and the curve against the call's length."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vbtools.backends import backend
from vbtools.backends.perceptual import Lpips
from vbtools.errors import MissingDependencyError, ModelError, NotBuiltError, VbtoolsError
from vbtools.evaluate import curve as shorter
from vbtools.evaluate import standard
from vbtools.evaluate.call import Call
from vbtools.evaluate.ceiling import Scene, study
from vbtools.evaluate.objects import score_objects
from vbtools.evaluate.pictures import PLATE, Estimate, estimates_of
from vbtools.evaluate.truth import Truth, load_truth
from vbtools.evaluate.words import score_words
from vbtools.ops.detail import detail
from vbtools.ops.unobserved import fill
from vbtools.stages import Progress, Silent
from vbtools.stages.inspect import Inspect
from vbtools.store import Reader

MORE_IS_BETTER: tuple[tuple[str, ...], ...] = (
    ("psnr",), ("ssim",), ("ms_ssim",), ("ciede2000", "share"),
    ("detail", "frame", "structure"), ("detail", "frame", "recovered"),
    ("detail", "swept", "structure"), ("detail", "swept", "recovered"),
    ("words", "recall"), ("words", "swept", "recall"), ("objects", "recall"),
)  # fmt: skip
LESS_IS_BETTER: tuple[tuple[str, ...], ...] = (("lpips",), ("words", "character_error_rate"))
"""Paths to the scores that have a ceiling."""
ONLY_A_PICTURE = "the truth is a picture: who stood where, what leaked and what is written there is not known"
YOLO_CONFIDENCE = 0.25
"""Ultralytics' own default: both pictures are judged by it, and what is false is counted."""
WORKERS = 2
NOT_IN_THE_CURVE = ("ms_ssim", "lpips", "objects")
"""Left out at shorter lengths: slow, and they say what the others say."""
IN_THE_CURVE = ("coverage", "psnr", "ssim", "ciede2000", "detail", "words")
NOT_OF_THE_CEILING = ("coverage", "words")
"""Nor are words read from the oracle's pictures of a shorter call."""


class Scorer:
    """Every measure, ready to be used on any picture of one room.

    Args:
        truth: what is known.
        scene: who stood where and what leaked; None where that is not known.
        progress: told after every picture.
        weights: a YOLO checkpoint, instead of the catalog's.

    Attributes:
        unscored: measure -> why it is None, with the command that mends it.
    """

    def __init__(
        self, truth: Truth, scene: Scene | None, progress: Progress | None = None, weights: Path | None = None
    ) -> None:
        standard.check()
        self._progress = progress or Silent()
        self.truth = truth
        self.unscored: dict[str, str] = {}
        self._scene = scene
        self._known = np.ones(truth.size, np.bool_) if truth.known is None else truth.known
        self._lpips: Lpips | None = self._tried("lpips", Lpips)
        self._words = self._tried("words", lambda: _detector("ocr")) if truth.texts is not None else None
        self._objects = self._tried("objects", lambda: _detector("yolo", weights))
        if self._objects is not None:
            everywhere = np.ones(truth.size, np.bool_)
            self._there = self._objects(truth.background, everywhere, 1.0)
        if scene is None:
            self.unscored |= dict.fromkeys(("ciede2000", "words", "detail.swept", "ceiling"), ONLY_A_PICTURE)

    def __call__(self, picture: Estimate, leave_out: Container[str] = ()) -> dict[str, Any]:
        """Every score of one picture; None for those that are left out or cannot be had.

        Returns:
            As ``docs/evaluate.md`` describes it.
        """
        known = self._known
        picture = replace(picture, observed=picture.observed & known)
        shown, truth, seen = picture.image, self.truth.background, picture.observed
        scores: dict[str, Any] = {
            "coverage": float(seen[known].mean()) if known.any() else None,
            "psnr": standard.psnr(shown, truth, seen),
            "ssim": standard.ssim(shown, truth, seen),
            "ms_ssim": None if "ms_ssim" in leave_out else standard.ms_ssim(shown, truth, seen),
            "lpips": None if self._lpips is None or "lpips" in leave_out else self._lpips(shown, truth, seen),
            "ciede2000": None if self._scene is None else standard.same_colour(shown, truth, seen, self._scene.leaked),
            "detail": self._detail(picture),
            "words": None if "words" in leave_out else self._read(picture),
            "objects": None if "objects" in leave_out else self._detect(picture),
        }
        return scores

    def all(self, pictures: Iterable[Estimate], leave_out: Container[str] = ()) -> dict[str, dict[str, Any]]:
        """The scores of each picture, by name; two at a time, and equal pictures once."""
        listed = list(pictures)
        first = [next(i for i, other in enumerate(listed) if _equal(one, other)) for one in listed]
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="score") as pool:
            working = {i: pool.submit(self, listed[i], leave_out) for i in dict.fromkeys(first)}
            scored = {}
            for i, work in working.items():
                scored[i] = work.result()
                self._progress.advance()
        return {picture.name: dict(scored[i]) for picture, i in zip(listed, first, strict=True)}

    def _detail(self, picture: Estimate) -> dict[str, Any]:
        region = self._known if self._scene is None else self._scene.shown & self._known
        truth = fill(self.truth.background, self._known)  # no edge where the knowledge ends
        found = detail(picture.image, truth, picture.observed, region)
        swept = None if self._scene is None else found.within(self._scene.swept).counts()
        return {"block_px": found.block, "frame": found.counts(), "swept": swept}

    def _read(self, picture: Estimate) -> dict[str, Any] | None:
        if self._words is None or self.truth.texts is None or self._scene is None:
            return None
        read = self._words(picture.original, picture.original_observed, self._scale(picture))
        return score_words(self.truth.texts, read, picture.observed, self._scene.swept)

    def _detect(self, picture: Estimate) -> dict[str, Any] | None:
        if self._objects is None:
            return None
        found = self._objects(picture.original, picture.original_observed, self._scale(picture))
        return score_objects(self._there, found, picture.observed)

    def _scale(self, picture: Estimate) -> float:
        """Pixels of the stored picture per pixel of the truth."""
        return picture.original.shape[1] / self.truth.size[1]

    def _tried(self, measure: str, load: Callable[[], Any]) -> Any:
        """What a measure needs; None, and the reason told, where it is not installed or not built."""
        try:
            return load()
        except (MissingDependencyError, NotBuiltError, ModelError) as reason:
            self.unscored[measure] = str(reason)
            return None


def evaluate(
    project: Path, truth: Path, *, blind: Sequence[Path] = (), curve: bool | None = None,
    weights: Path | None = None, progress: Progress | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Score ``/aggregate/background`` and every picture of ``/enhance`` against the truth.

    Args:
        project: the project.
        truth: a folder as simulate writes it, or a picture of the empty room.
        blind: other projects of the same call, whose pictures may raise the ceiling.
        curve: also score what the first quarter and half of the call give; None: where that is quick.
        weights: a YOLO checkpoint for the objects, instead of the catalog's.
        progress: where to say how far it is.

    Returns:
        What ``vbtools evaluate --json`` prints; ``docs/evaluate.md`` describes every key.

    Raises:
        InputError: the truth is missing, incomplete, or not of this call.
        StageMissingError: aggregate has not been run, or is out of date.
        MissingDependencyError: scikit-image is not installed.
    """
    progress = progress or Silent()
    known = load_truth(truth)
    with ExitStack() as stack:
        reader = stack.enter_context(Reader(project))
        pictures, notes = estimates_of(reader, known.size)
        others = [_renamed(one, path) for path in blind for one in _pictures_of(path, known, notes)]
        time_s, count = reader.array("extract", "time"), len(reader.array("extract", "index"))
        reason = _why_no_curve(reader, curve)
        lengths = () if reason else shorter.lengths_of(count)
        scene = None
        if known.folder is not None:
            call = Call(reader, known.size, known.sent)
            scene = study(known, call, lengths, progress)
            if call.recording is None:
                notes.append("the recording is gone or has changed: the ceiling is from the project's own frames")
        progress.start(None, "pictures")
        scorer = Scorer(known, scene, progress, weights)
        if reason:
            scorer.unscored["curve"] = reason
        scores = scorer.all(pictures)
        candidates = {} if scene is None else scorer.all((*scene.oracles, *others))
        answer = {
            "project": str(project), "truth": str(truth), "size": [known.size[1], known.size[0]],
            **scores[_name(PLATE)], "pictures": scores,
            "ceiling": None if scene is None else _ceiling(candidates | scores, candidates, scene),
        }  # fmt: skip
        if scene is not None:
            for one in (answer, *scores.values()):
                one["of_ceiling"] = _of_ceiling(one, answer["ceiling"])
        answer["curve"] = None if reason else [
            *(_point(reader, scorer, scene, n, time_s, notes) for n in lengths),
            _last_point(answer, count, time_s),
        ]  # fmt: skip
    return answer | {"unscored": scorer.unscored, "notes": notes}


def _equal(a: Estimate, b: Estimate) -> bool:
    return np.array_equal(a.original, b.original) and np.array_equal(a.original_observed, b.original_observed)


def _detector(name: str, weights: Path | None = None) -> Any:
    """A detector of inspect, able to run here; its parameters are the usual ones, but for YOLO's confidence."""
    values: dict[str, Any] = {"ocr": name == "ocr", "yolo": name == "yolo"}
    if name == "yolo":
        values["min_confidence"] = YOLO_CONFIDENCE
    params = Inspect.parameters(values if weights is None else {**values, "weights": str(weights)})
    kind = backend("inspect", name).load()
    kind.check(params)
    return kind(params)


def _pictures_of(path: Path, truth: Truth, notes: list[str]) -> list[Estimate]:
    with Reader(path) as reader:
        found, told = estimates_of(reader, truth.size)
    notes += [f"{path}: {note}" for note in told]
    return found


def _renamed(picture: Estimate, project: Path) -> Estimate:
    return replace(picture, name=f"{project}: {picture.name}")


def _why_no_curve(reader: Reader, asked: bool | None) -> str:
    """Why there is no curve; empty where there is to be one."""
    if asked is False:
        return "it was not asked for (--no-curve)"
    gone = reader.missing_bulk("extract") or reader.missing_bulk("segment")
    if gone:
        return f"the project's frames are not here: {gone}"
    if asked is None and not shorter.is_quick(reader):
        return f"aggregate took longer than {shorter.QUICK_S:g} s, and would be run again: ask for it with --curve"
    return ""


def _ceiling(
    scores: Mapping[str, Mapping[str, Any]], candidates: Mapping[str, Any], scene: Scene
) -> dict[str, Any]:
    """The best of every score, where it comes from, and all that the oracle and other methods scored."""
    found: dict[str, Any] = {"estimated": scene.is_estimated, "by": {}}
    for paths, better in ((MORE_IS_BETTER, max), (LESS_IS_BETTER, min)):
        for path in paths:
            values = {name: value for name, one in scores.items() if (value := _at(one, path)) is not None}
            best = better(values, key=lambda name: values[name]) if values else None
            _put(found, path, None if best is None else values[best])
            found["by"][".".join(path)] = best
    return {**found, "candidates": dict(candidates)}


def _of_ceiling(scores: Mapping[str, Any], ceiling: Mapping[str, Any]) -> dict[str, float | None]:
    """Each score as a share of the ceiling, 0-1; of LPIPS the inverse, of the error rate the share of right letters."""
    shares: dict[str, float | None] = {}
    for path in (*MORE_IS_BETTER, *LESS_IS_BETTER):
        mine, best = _at(scores, path), _at(ceiling, path)
        if path == ("lpips",):
            mine, best = best, mine
        elif path in LESS_IS_BETTER:
            mine, best = (None if value is None else 1 - value for value in (mine, best))
        shares[".".join(path)] = mine / best if mine is not None and best else None
    return shares


def _point(
    reader: Reader, scorer: Scorer, scene: Scene | None, count: int, time_s: Any, notes: list[str]
) -> dict[str, Any]:
    """The curve at one length; ``scores`` is None, and a note says why, where the method cannot use so few frames."""
    point: dict[str, Any] = {"frames": count, "seconds": shorter.seconds_of(time_s, count)}
    try:
        background = shorter.background_of_first(reader, count, scorer.truth.size)
    except VbtoolsError as problem:
        notes.append(f"no curve at {count} frames: {problem}")
        return point | {"scores": None, "ceiling": None}
    scores = scorer.all([background], NOT_IN_THE_CURVE)
    oracles = {} if scene is None else scorer.all(scene.earlier[count], (*NOT_IN_THE_CURVE, "words"))
    ceiling = None if scene is None else _ceiling(scores | oracles, {}, scene)
    return point | {"scores": _curved(scores[background.name]), "ceiling": _curved(ceiling, *NOT_OF_THE_CEILING)}


def _last_point(answer: Mapping[str, Any], count: int, time_s: Any) -> dict[str, Any]:
    """The curve at the call's full length: the same measures, from what has been scored already."""
    return {
        "frames": count, "seconds": shorter.seconds_of(time_s, count), "scores": _curved(answer),
        "ceiling": _curved(answer["ceiling"], *NOT_OF_THE_CEILING),
    }  # fmt: skip


def _curved(scores: Mapping[str, Any] | None, *but: str) -> dict[str, Any] | None:
    """The measures that the curve has."""
    if scores is None:
        return None
    return {name: scores[name] for name in IN_THE_CURVE if name in scores and name not in but}


def _name(place: tuple[str, str]) -> str:
    return f"/{'/'.join(place)}"


def _at(scores: Mapping[str, Any], path: Sequence[str]) -> Any:
    """The value at a path; None where there is none."""
    value: Any = scores
    for key in path:
        value = None if value is None else value.get(key)
    return value


def _put(scores: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for key in path[:-1]:
        scores = scores.setdefault(key, {})
    scores[path[-1]] = value
