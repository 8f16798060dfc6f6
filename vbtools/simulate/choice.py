"""Which profile is simulated: a built-in one or the user's own file, with single values changed. Nothing heavy here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vbtools.config.params import ParameterError, Step, to_json
from vbtools.config.recipe import load_profile, parse_value
from vbtools.errors import UsageError, nearest
from vbtools.simulate.profile import PROFILES, STEP_TABLES, Profile, Scheme, profile, scheme

YAML_SUFFIXES = (".yaml", ".yml")
OWN_KEYS = ("base", "name")


def choose(name: str, overrides: Sequence[str] = ()) -> Profile:
    """The profile that a name or a file means, with the overrides applied.

    Args:
        name: of a built-in profile, or the path of a YAML file with a ``profile``.
        overrides: ``key=value``, the value in YAML; ``mask.feather.sigma=4`` reaches into the options of a step,
            ``mask.decide-2.above=0.8`` into those of its second occurrence.

    Raises:
        UsageError: there is no such profile, or an override makes no sense.
        RecipeError: the file is not a profile; with the place.
    """
    is_file = name.endswith(YAML_SUFFIXES) or (name not in PROFILES and Path(name).is_file())
    chosen = from_file(Path(name)) if is_file else profile(name)
    for override in overrides:
        chosen = _overridden(chosen, override)
    return chosen


def from_file(path: Path) -> Profile:
    """The ``profile`` of a YAML file; what it does not give is as in its ``base``, or has the default.

    Raises:
        RecipeError: with the place in the file.
    """
    section = load_profile(path)
    return section.parameters(lambda values: _made(values, path.stem))


def _made(values: Mapping[str, Any], stem: str) -> Profile:
    for key in OWN_KEYS:
        if not isinstance(values.get(key, ""), str):
            raise ParameterError(f"profile.{key} cannot be {values[key]!r}", "It must be a text", (key,))
    base_name = values.get("base")
    if base_name is not None and base_name not in PROFILES:
        raise ParameterError(f"there is no profile '{base_name}'", nearest(base_name, tuple(PROFILES)), ("base",))
    base = PROFILES[base_name] if base_name else None
    made = scheme({key: v for key, v in values.items() if key not in OWN_KEYS}, base.scheme if base else None)
    return Profile(
        name=values.get("name", stem),
        summary=f"as {base_name}, changed" if base_name else "the user's own",
        source=f"the user's file, from the built-in {base_name}: {base.source}" if base else "the user's file",
        setting=base.setting if base else "as the blur steps say",
        scheme=made,
        not_modelled=base.not_modelled if base else "",
    )


def _overridden(chosen: Profile, override: str) -> Profile:
    path, equals, text = override.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise UsageError(f"--set {override}: not of the form key=value", "For example: --set strength=20")
    try:
        value = parse_value(text)
        made = scheme(_changed(chosen.scheme, keys, value), chosen.scheme)
    except ValueError as error:
        raise UsageError(f"--set {override}: the value is not YAML ({error})", "Quote it") from error
    except ParameterError as error:
        raise UsageError(f"--set {override}: {error.fact}", error.hint) from error
    return replace(chosen, scheme=made, source=f"{chosen.source}; changed: {override}")


def _changed(base: Scheme, keys: Sequence[str], value: Any) -> dict[str, Any]:
    """What a value at ``key`` or ``key.step.option`` changes of a scheme."""
    if len(keys) == 1:
        return {keys[0]: value}
    if keys[0] not in STEP_TABLES or len(keys) != 3:
        path = ".".join(keys)
        raise ParameterError(f"'{path}' leads nowhere", "Write key, or mask.step.option, or blur.step.option", ())
    key, wanted, option = keys
    steps: tuple[Step, ...] = getattr(base, key)
    position = _position(steps, key, wanted)
    entries = to_json(base)[key]
    entries[position] = {steps[position].name: {**steps[position].options, option: value}}
    return {key: entries}


def _position(steps: Sequence[Step], key: str, wanted: str) -> int:
    """Where a step stands: ``decide`` the first, ``decide-2`` the second of that name."""
    seen: dict[str, int] = {}
    names = []
    for step in steps:
        seen[step.name] = seen.get(step.name, 0) + 1
        names.append(step.name if seen[step.name] == 1 else f"{step.name}-{seen[step.name]}")
    if wanted not in names:
        raise ParameterError(f"the profile's {key} has no step '{wanted}'", nearest(wanted, names), (key,))
    return names.index(wanted)
