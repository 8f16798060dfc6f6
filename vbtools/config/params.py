"""The parameter contract: one frozen dataclass a stage, from which everything else derives.

A field made with :func:`param` becomes a command-line option (underscores become dashes), a recipe key, a line of
``--help``, a property of the JSON schema and a row of ``docs/stages.md``. Values from all of these pass through
:func:`build`, so that they are checked in one place.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from vbtools.errors import UsageError, nearest

P = TypeVar("P")
Kind = Literal["bool", "int", "float", "str", "path", "steps"]
KIND_WORDS: dict[Kind, str] = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "path": "a file path",
    "steps": "a list of step names, each with or without options",
}


class FilePath(str):
    """A parameter that names a file; its content, not its name, decides about freshness."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of an ordered list of steps: its name and the options given for it."""

    name: str
    options: Mapping[str, Any]


Steps = tuple[Step, ...]


class ParameterError(UsageError):
    """A parameter that is unknown or has a bad value.

    Attributes:
        path: keys from the stage inwards, so that a recipe can show the line.
        at_key: whether the key itself is wrong (else its value is).
    """

    def __init__(self, fact: str, hint: str, path: tuple[str | int, ...], *, at_key: bool = False) -> None:
        super().__init__(fact, hint)
        self.path = path
        self.at_key = at_key


@dataclass(frozen=True, slots=True)
class Spec:
    """One parameter as the command line, the recipe, the schema and the documents see it."""

    name: str
    kind: Kind
    optional: bool
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""

    @property
    def option(self) -> str:
        """The long option, without a value: ``--resize-long``."""
        return "--" + self.name.replace("_", "-")


def param(
    default: Any,
    help: str,
    *,
    choices: Sequence[str] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    unit: str = "",
) -> Any:
    """Declare one parameter of a stage: a dataclass field that knows its help, bounds (inclusive) and unit."""
    metadata = {"help": help, "choices": tuple(choices), "minimum": minimum, "maximum": maximum, "unit": unit}
    return field(default=default, metadata=metadata)


def specs(params: type) -> tuple[Spec, ...]:
    """Read the parameters that a dataclass declares, in order."""
    hints = get_type_hints(params)
    found = []
    for f in fields(params):
        kind, optional = _kind_of(hints[f.name])
        default = None if f.default is MISSING else f.default
        found.append(Spec(name=f.name, kind=kind, optional=optional, default=default, **f.metadata))
    return tuple(found)


def build(params: type[P], values: Mapping[str, Any], owner: str) -> P:
    """Make a parameter object from given values; what is not given takes its default.

    Args:
        params: the stage's dataclass.
        values: names with underscores to values, as YAML or the command line give them.
        owner: the stage, named in messages.

    Raises:
        ParameterError: for an unknown name, a wrong type, a value out of bounds or not among the choices.
    """
    known = {s.name: s for s in specs(params)}
    checked: dict[str, Any] = {}
    for name, value in values.items():
        spec = known.get(str(name))
        if spec is None:
            raise ParameterError(
                f"{owner} has no parameter '{name}'", nearest(str(name), list(known)), (name,), at_key=True
            )
        checked[spec.name] = check(spec, value, owner)
    return params(**checked)


def check(spec: Spec, value: Any, owner: str) -> Any:
    """Return ``value`` as the parameter's own type, or raise ParameterError saying what it must be."""
    if value is None:
        if spec.optional:
            return None
        raise _wrong(spec, value, owner)
    converted = _convert(spec, value, owner)
    if spec.choices and spec.kind == "str" and converted not in spec.choices:
        raise ParameterError(
            f"{owner}.{spec.name} cannot be '{value}'", nearest(str(value), spec.choices), (spec.name,)
        )
    _check_bounds(spec, converted, owner)
    return converted


def to_json(params: Any) -> dict[str, Any]:
    """Parameters as plain JSON values, in declaration order: what is stored, hashed and compared."""
    return {f.name: _plain(getattr(params, f.name)) for f in fields(params)}


def _plain(value: Any) -> Any:
    if isinstance(value, Step):
        return {value.name: {k: _plain(v) for k, v in value.options.items()}}
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, FilePath) else value


def _kind_of(hint: Any) -> tuple[Kind, bool]:
    optional = False
    if get_origin(hint) in (Union, types.UnionType):
        arms = [a for a in get_args(hint) if a is not type(None)]
        optional = len(arms) < len(get_args(hint))
        hint = arms[0]
    if hint == Steps:
        return "steps", optional
    kinds: dict[Any, Kind] = {bool: "bool", int: "int", float: "float", str: "str", FilePath: "path"}
    if hint not in kinds:
        raise TypeError(f"a parameter cannot have the type {hint!r}")
    return kinds[hint], optional


def _convert(spec: Spec, value: Any, owner: str) -> Any:
    match spec.kind:
        case "bool" if isinstance(value, bool):
            return value
        case "int" if isinstance(value, int) and not isinstance(value, bool):
            return int(value)
        case "float" if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        case "str" if isinstance(value, str):
            return str(value)
        case "str" if spec.choices and isinstance(value, bool):  # YAML 1.1 habits: on/off, yes/no as names
            raise _wrong(spec, value, owner)
        case "path" if isinstance(value, str) and value:
            return FilePath(value)
        case "steps":
            return _steps(spec, value, owner)
    raise _wrong(spec, value, owner)


def _steps(spec: Spec, value: Any, owner: str) -> Steps:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, (list, tuple)):
        raise _wrong(spec, value, owner)
    found = []
    for position, entry in enumerate(value):
        if isinstance(entry, Step):
            name, options = entry.name, entry.options
        elif isinstance(entry, str):
            name, options = entry, {}
        elif isinstance(entry, Mapping) and len(entry) == 1:
            name, options = next(iter(entry.items()))
            options = {} if options is None else options
        else:
            raise _wrong(spec, value, owner)
        if name not in spec.choices:
            raise ParameterError(
                f"{owner}.{spec.name} has no step '{name}'", nearest(str(name), spec.choices), (spec.name, position)
            )
        if not isinstance(options, Mapping):
            raise ParameterError(
                f"{owner}.{spec.name}: the options of '{name}' must be names with values, not {options!r}",
                f"Write {{{name}: {{name: value}}}}",
                (spec.name, position),
            )
        for option, given in options.items():
            if not _is_storable(given):
                raise ParameterError(
                    f"{owner}.{spec.name}: {name}.{option} cannot be {given!r}",
                    "It must be a text, a number, true, false, null, or a list or mapping of these",
                    (spec.name, position, str(name), str(option)),
                )
        found.append(Step(str(name), dict(options)))
    return tuple(found)


def _is_storable(value: Any) -> bool:
    """Whether JSON can hold it, so that it can be hashed and stored: not a date, not infinity."""
    if isinstance(value, Mapping):
        return all(isinstance(k, str) and _is_storable(v) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return all(_is_storable(v) for v in value)
    return math.isfinite(value) if isinstance(value, float) else isinstance(value, (str, int, type(None)))


def _check_bounds(spec: Spec, value: Any, owner: str) -> None:
    low, high = spec.minimum, spec.maximum
    if spec.kind not in ("int", "float") or (low is None and high is None):
        return
    if (low is not None and value < low) or (high is not None and value > high):
        raise ParameterError(f"{owner}.{spec.name} cannot be {value}", f"It must be {bounds(spec)}", (spec.name,))


def bounds(spec: Spec) -> str:
    """The allowed range in words: ``from 0 to 1``, ``at least 1``."""
    if spec.minimum is not None and spec.maximum is not None:
        return f"from {spec.minimum:g} to {spec.maximum:g}"
    if spec.minimum is not None:
        return f"at least {spec.minimum:g}"
    return f"at most {spec.maximum:g}" if spec.maximum is not None else "any number"


def _wrong(spec: Spec, value: Any, owner: str) -> ParameterError:
    words = KIND_WORDS[spec.kind]
    if spec.choices:
        words += f" ({', '.join(spec.choices)})"
    return ParameterError(f"{owner}.{spec.name} cannot be {value!r}", f"It must be {words}", (spec.name,))
