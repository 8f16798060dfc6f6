"""Whether a stored stage is still what would be computed, and if not, why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from vbtools.backends import of_stage
from vbtools.config.params import FilePath, ParameterError, specs, to_json
from vbtools.errors import InputError
from vbtools.models import installed as installed_model
from vbtools.models import model, sha256_of
from vbtools.stages import Stage, all_stages
from vbtools.store import Reader, Record, Source, fingerprint

_HASHES: dict[tuple[str, int, int, int], str] = {}


BULK_IS_MISSING = "bulk data is missing"


class State(StrEnum):
    """What can be said of a stage in a project."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything that a stage's result would depend on if it ran now."""

    version: int
    parameters: Mapping[str, Any]
    backend: tuple[str, ...]
    weights: Mapping[str, str]
    upstream: Mapping[str, str]
    source: Source | None
    fingerprint: str

    def provenance(self) -> dict[str, Any]:
        """The part that those downstream remember, to tell later what has changed."""
        return {
            "version": self.version,
            "parameters": dict(self.parameters),
            "backend": list(self.backend),
            "weights": dict(self.weights),
            "source": self.source.sha256 if self.source else "",
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """A stage's state with its reasons, one short phrase each: ``method none -> farneback``."""

    stage: str
    state: State
    reasons: tuple[str, ...]
    wanted: Wanted
    record: Record | None

    def __str__(self) -> str:
        why = f": {'; '.join(self.reasons)}" if self.reasons else ""
        return f"{self.stage}: {self.state}{why}"


def wanted_of(
    stage: Stage[Any], params: Any, upstream: Mapping[str, str], source: Source | None, record: Record | None
) -> Wanted:
    """Collect what a stage depends on. ``record``: of an earlier run, for weights that are not here any more."""
    weights = {name: _model_sha(name, record) for name in stage.models(params)}
    weights |= {f"file {n}": _file_sha(f, record, n) for n, f in enumerate(stage.weight_files(params), 1)}
    parameters = to_json(params)
    backend = tuple(b.name for b in stage.backends(params))
    sha = source.sha256 if source else ""
    # The content of a weights file decides, not where it lies.
    hashed = _without_files(parameters, _paths(stage))
    print_ = fingerprint(stage.name, stage.version, hashed, backend, weights, upstream, sha)
    return Wanted(stage.version, parameters, backend, weights, upstream, source, print_)


def assess(
    reader: Reader | None,
    stage: Stage[Any],
    wanted: Wanted,
    ancestors: Mapping[str, Any],
) -> Assessment:
    """Compare what is stored with what is wanted.

    Args:
        reader: the open project; None if there is none yet.
        wanted: from :func:`wanted_of`.
        ancestors: stage -> provenance as wanted, of everything upstream.
    """
    record = reader.record(stage.name) if reader else None
    if reader is None or record is None:
        return Assessment(stage.name, State.MISSING, (), wanted, None)
    reasons = _differences(stage, record, wanted, ancestors)
    if record.bulk:
        trouble = reader.missing_bulk(stage.name)
        reasons += [f"{BULK_IS_MISSING}: {trouble}"] if trouble else []
    if not reasons and record.fingerprint != wanted.fingerprint:
        reasons = ["its fingerprint differs"]
    return Assessment(stage.name, State.STALE if reasons else State.FRESH, tuple(reasons), wanted, record)


def assess_stored(reader: Reader, known: Sequence[Stage[Any]] = ()) -> list[Assessment]:
    """Assess every stage of a project against itself: its own parameters, today's code, weights, upstream, source.

    Args:
        reader: the open project.
        known: the stages to assess, in order; the pipeline's where none are given.
    """
    found = []
    provenance: dict[str, Any] = {}
    fingerprints: dict[str, str] = {}
    for stage in known or all_stages():
        record = reader.record(stage.name)
        if record is None:
            empty = Wanted(stage.version, {}, (), {}, {}, None, "")
            found.append(Assessment(stage.name, State.MISSING, (), empty, None))
            continue
        try:
            params = stage.parameters(record.parameters)
        except ParameterError as error:
            wanted = Wanted(stage.version, record.parameters, tuple(record.backend), record.weights, {}, None, "")
            why = (f"another version made it: {error.fact}",)
            found.append(Assessment(stage.name, State.STALE, why, wanted, record))
        else:
            needs = stage.requires(params)
            upstream = {name: fingerprints.get(name, "") for name in needs}
            source = current_source(record.source) if stage.reads_video else None
            wanted = wanted_of(stage, params, upstream, source, record)
            one = assess(reader, stage, wanted, {n: p for n, p in provenance.items() if n in record.provenance})
            found.append(_inherit(one, found, needs))
        provenance[stage.name] = provenance_of(record)
        fingerprints[stage.name] = record.fingerprint
    return found


def provenance_of(record: Record) -> dict[str, Any]:
    """A stored stage's part of the provenance, as :meth:`Wanted.provenance`."""
    return {
        "version": record.version,
        "parameters": dict(record.parameters),
        "backend": list(record.backend),
        "weights": dict(record.weights),
        "source": record.source.sha256 if record.source else "",
    }


def current_source(known: Source | None, path: Path | None = None) -> Source | None:
    """The recording as it is now; its content is hashed again only when its size or time has changed.

    Args:
        known: what an earlier run recorded.
        path: the recording asked for; where not given, the recorded one.

    Returns:
        None if nothing is known and nothing asked for; ``known`` if the recording is not here any more.

    Raises:
        InputError: the recording asked for is not there, and none was recorded under that path.
    """
    if path is None and known is None:
        return None
    place = path if path is not None else Path(known.path) if known else Path()
    try:
        stat = place.stat()
    except OSError as error:
        if known is not None and str(place.absolute()) == known.path:
            return known
        raise InputError(f"There is no recording '{place}' ({error.strerror})", "Check the path") from error
    absolute = str(place.absolute())
    if known is not None and (stat.st_size, stat.st_mtime_ns, absolute) == (known.size, known.mtime_ns, known.path):
        return known
    if place.is_dir():
        raise InputError(f"'{place}' is a folder, not a recording", "Name a video file")
    return Source(absolute, _hash(place, "recording"), stat.st_size, stat.st_mtime_ns)


def _inherit(one: Assessment, before: list[Assessment], needs: tuple[str, ...]) -> Assessment:
    """A stage above a stale one is stale too, even though its own record matches.

    Not so where only bulk is gone: making that again gives the same result, with the same fingerprint.
    """
    stale = [a.stage for a in before if a.stage in needs and a.state is not State.FRESH and not _lacks_only_bulk(a)]
    if not stale or one.state is State.STALE:
        return one
    return Assessment(one.stage, State.STALE, tuple(f"{name} is stale" for name in stale), one.wanted, one.record)


def _lacks_only_bulk(one: Assessment) -> bool:
    return bool(one.reasons) and all(reason.startswith(BULK_IS_MISSING) for reason in one.reasons)


def _differences(stage: Stage[Any], record: Record, wanted: Wanted, ancestors: Mapping[str, Any]) -> list[str]:
    old, new = provenance_of(record), wanted.provenance()
    reasons = changes(old, new, _paths(stage))
    for name, print_ in wanted.upstream.items():
        if record.upstream.get(name) != print_:
            reasons.append(_upstream_change(name, record.provenance.get(name), ancestors.get(name)))
    reasons += [f"does not read {name} any more" for name in record.upstream if name not in wanted.upstream]
    # A change further up shows at its nearest stage only: say what it was.
    far = [n for n in ancestors if n not in wanted.upstream]
    for name in far:
        if reasons and name in record.provenance and changes(record.provenance[name], ancestors[name], _ignored(name)):
            reasons.append(_upstream_change(name, record.provenance[name], ancestors[name]))
    return _without_bare(reasons)


def changes(old: Mapping[str, Any], new: Mapping[str, Any], ignore: tuple[str, ...]) -> list[str]:
    """What differs between two provenances of a stage, a phrase each."""
    found = []
    if old["version"] != new["version"]:
        found.append(f"stage version {old['version']} -> {new['version']}")
    if old["source"] != new["source"]:
        found.append(f"the recording has changed (sha256 {old['source'][:8]} -> {new['source'][:8]})")
    before, after = (_without_files(one["parameters"], ignore) for one in (old, new))
    keys = [k for k in dict.fromkeys([*before, *after]) if before.get(k) != after.get(k)]
    found += [f"{key} {_short(before.get(key))} -> {_short(after.get(key))}" for key in keys]
    if list(old["backend"]) != list(new["backend"]) and not found:
        found.append(f"backend {_short(old['backend'])} -> {_short(new['backend'])}")
    for key in dict.fromkeys([*old["weights"], *new["weights"]]):
        a, b = old["weights"].get(key, ""), new["weights"].get(key, "")
        if a != b and ((a and b) or not found):
            found.append(f"weights of {key} have changed (sha256 {a[:8] or 'none'} -> {b[:8] or 'none'})")
    return found


def _upstream_change(name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    what = changes(old, new, _ignored(name)) if old and new else []
    return f"{name} changed ({'; '.join(what)})" if what else f"{name} changed"


def _without_bare(reasons: list[str]) -> list[str]:
    """Leave out "X changed" without a cause where another reason gives the cause."""
    told = [r for r in reasons if not r.endswith(" changed")]
    return told or reasons


def _paths(stage: Stage[Any]) -> tuple[str, ...]:
    """Parameters that name files, those of the stage's steps among them."""
    found = [s.name for s in specs(stage.Params) if s.kind == "path"]
    for spec in specs(stage.Params):
        if spec.kind == "steps":
            rows = [row for row in of_stage(stage.name) if row.is_built]
            found += [s.name for row in rows for s in specs(row.parameters()) if s.kind == "path"]
    return tuple(dict.fromkeys(found))


def _without_files(parameters: Mapping[str, Any], paths: tuple[str, ...]) -> dict[str, Any]:
    """Parameters, and the options of steps, without those that name files."""
    return {
        name: [_step_without_files(entry, paths) for entry in value] if isinstance(value, list) else value
        for name, value in parameters.items()
        if name not in paths
    }


def _step_without_files(entry: Any, paths: tuple[str, ...]) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    return {
        step: {k: v for k, v in options.items() if k not in paths} if isinstance(options, Mapping) else options
        for step, options in entry.items()
    }


def _ignored(name: str) -> tuple[str, ...]:
    """As :func:`_paths`, of a stage that is given by name."""
    return next((_paths(s) for s in all_stages() if s.name == name), ())


def _model_sha(name: str, record: Record | None) -> str:
    """The sha256 that a catalog model has; for one that the catalog doesn't pin, of the file that is installed."""
    pinned = model(name).sha256
    if pinned:
        return pinned
    path = installed_model(name)
    if path is not None:
        return _hash(path, "model")
    return record.weights.get(name, "") if record else ""


def _file_sha(file: str, record: Record | None, number: int) -> str:
    path = Path(FilePath(file))
    if path.is_file():
        return _hash(path, "weights file")
    return record.weights.get(f"file {number}", "") if record else ""


def _hash(path: Path, what: str) -> str:
    """The sha256 of a file; within one process it is read again only when its size or time has changed."""
    try:
        stat = path.stat()
        key = (str(path.absolute()), stat.st_size, stat.st_mtime_ns, stat.st_ino)
        if key not in _HASHES:
            _HASHES[key] = sha256_of(path)
        return _HASHES[key]
    except OSError as error:
        raise InputError(f"The {what} '{path}' cannot be read ({error.strerror})", "Check its rights") from error


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_short(v) for v in value) + "]"
    if isinstance(value, Mapping) and len(value) == 1 and not next(iter(value.values())):
        return str(next(iter(value)))
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
