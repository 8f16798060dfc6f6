"""Recipes: a YAML file that says which stages run, with which parameters; every mistake is shown where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from vbtools.config.params import ParameterError
from vbtools.errors import RecipeError, nearest

VERSION = 1
KEYS = ("version", "video", "project", "stages", "profile")
NOT_YAML = (YAMLError, ValueError, TypeError, LookupError, AttributeError, NotImplementedError, RecursionError)
"""What ruamel.yaml raises for a text that it cannot read; it lets its own mistakes through (a date with month 13)."""
P = TypeVar("P")


@dataclass(slots=True)
class Recipe:
    """A recipe that has been read; its stages' values are checked by :meth:`parameters`.

    Attributes:
        origin: the file, as the user named it.
        stages: stage -> given values, in the file's order.
        overrides: what ``--set`` changed: (stage, key) -> the option's text.
    """

    origin: str
    video: str | None = None
    project: str | None = None
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    overrides: dict[tuple[str, str], str] = field(default_factory=dict)
    _text: Sequence[str] = ()
    _tree: Any = None

    def parameters(self, stage: str, make: Callable[[Mapping[str, Any]], P]) -> P:
        """Build a stage's parameters from its values.

        Args:
            stage: its name.
            make: turns given values into parameters, raising ParameterError.

        Raises:
            RecipeError: with the place in the file, or the ``--set`` that is wrong.
        """
        try:
            return make(self.stages.get(stage, {}))
        except ParameterError as error:
            option = self.overrides.get((stage, str(next(iter(error.path), ""))))
            if option is not None:
                raise RecipeError(f"--set {option}: {error.fact}", error.hint) from error
            if self._tree is None:  # made in Python: there is no line to show
                raise RecipeError(f"{self.origin}: {error.fact}", error.hint) from error
            raise self._error_at(self._place(stage, error.path, error.at_key), error.fact, error.hint) from error

    def set(self, option: str, stage_names: Sequence[str]) -> None:
        """Apply one ``--set stage.key=value``; the value is YAML, deeper keys reach into a step's options."""
        name, equals, text = option.partition("=")
        keys = name.strip().split(".")
        if not equals or len(keys) < 2 or not all(keys):
            raise RecipeError(f"--set {option}: not of the form stage.key=value", "For example: --set extract.fps=15")
        stage, key, *deeper = keys
        if stage not in stage_names:
            raise RecipeError(f"--set {option}: there is no stage '{stage}'", nearest(stage, list(stage_names)))
        try:
            value = parse_value(text)
        except ValueError as error:
            raise RecipeError(f"--set {option}: the value is not YAML ({error})", "Quote it") from error
        values = self.stages.setdefault(stage, {})
        if deeper:
            _set_in_step(values, key, deeper, value, option)
            key = "steps"
        else:
            values[key] = value
        self.overrides[stage, key] = option

    def _place(self, stage: str, path: Sequence[str | int], at_key: bool) -> tuple[int, int]:
        """Line and column (from 0) of a value inside a stage, or of the nearest thing that has a place."""
        stages = self._tree["stages"]
        place = _key_place(stages, stage, _key_place(self._tree, "stages"))
        return _place_of(stages.get(stage), path, at_key, place)

    def _error_at(self, place: tuple[int, int], fact: str, hint: str) -> RecipeError:
        return error_at(self.origin, self._text, place, fact, hint)


@dataclass(frozen=True, slots=True)
class ProfileSection:
    """The ``profile`` of a recipe: a product's blur as the user defines it, for ``vbtools simulate``.

    Attributes:
        origin: the file, as the user named it.
        values: its values; ``base`` names the built-in profile that it starts from.
    """

    origin: str
    values: dict[str, Any]
    _text: Sequence[str]
    _tree: Any

    def parameters(self, make: Callable[[Mapping[str, Any]], P]) -> P:
        """Build something from the values.

        Raises:
            RecipeError: ``make`` raised ParameterError; with the place in the file.
        """
        try:
            return make(self.values)
        except ParameterError as error:
            start = _key_place(self._tree, "profile")
            place = _place_of(self._tree["profile"], error.path, error.at_key, start)
            raise error_at(self.origin, self._text, place, error.fact, error.hint) from error


def load_profile(path: Path) -> ProfileSection:
    """Read the ``profile`` of a recipe; its ``stages``, if any, are left alone.

    Raises:
        RecipeError: as :func:`load` does, or there is no ``profile``.
    """
    lines, tree = _read_tree(path)
    origin = str(path)
    _head(origin, lines, tree)
    if "profile" not in tree:
        raise error_at(origin, lines, (0, 0), "the recipe has no profile", "For example: profile: {base: lfbw}")
    return ProfileSection(origin, plain(tree["profile"]), lines, tree)


def load(path: Path, stage_names: Sequence[str]) -> Recipe:
    """Read a recipe and check its outline: version, keys, stage names.

    Raises:
        RecipeError: for a missing file, a YAML mistake, an unknown key or stage, a wrong type; with its place.
    """
    lines, tree = _read_tree(path)
    return _outline(str(path), lines, tree, stage_names)


def error_at(origin: str, lines: Sequence[str], place: tuple[int, int], fact: str, hint: str) -> RecipeError:
    """A RecipeError that shows FILE:LINE:COLUMN, the message, and the line with a mark under the column."""
    line, column = place
    shown = lines[line] if line < len(lines) else ""
    gutter = f"{line + 1:5d} | "
    sentence = f"{fact}. {hint}" if hint else fact
    indent = "".join("\t" if c == "\t" else " " for c in shown[:column].ljust(column))
    return RecipeError(
        f"{origin}:{line + 1}:{column + 1}: {sentence}\n{gutter}{shown}\n{' ' * (len(gutter) - 2)}| {indent}^"
    )


def parse_value(text: str) -> Any:
    """The value of an option that is written in YAML, as plain Python ones.

    Raises:
        ValueError: it is not YAML; the message says why.
    """
    try:
        return plain(YAML(typ="safe", pure=True).load(text))
    except NOT_YAML as error:
        raise ValueError(_problem(error)) from error


def plain(value: Any) -> Any:
    """YAML's own containers and scalars as plain Python ones."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def _read_tree(path: Path) -> tuple[list[str], CommentedMap]:
    """The lines and the mapping of a YAML file."""
    origin = str(path)
    text = _read(path)
    lines = text.splitlines()
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line, mark.column) if mark else (0, 0)
        raise error_at(origin, lines, place, f"not valid YAML: {_problem(error)}", "") from error
    except NOT_YAML as error:
        place = _place_in(text, getattr(error, "position", 0))
        raise error_at(origin, lines, place, f"not valid YAML: {_problem(error)}", "") from error
    if not isinstance(tree, CommentedMap):
        raise error_at(origin, lines, (0, 0), "a recipe is a mapping", f"It has the keys {', '.join(KEYS)}")
    return lines, tree


def _head(origin: str, lines: Sequence[str], tree: CommentedMap) -> None:
    """Check the keys, the version, and the types of what is not in the stages."""
    for key in tree:
        if key not in KEYS:
            raise error_at(origin, lines, _key_place(tree, key), f"unknown key '{key}'", nearest(str(key), KEYS))
    if "version" not in tree:
        raise error_at(origin, lines, (0, 0), "the recipe has no version", f"Begin with: version: {VERSION}")
    if tree["version"] != VERSION or isinstance(tree["version"], bool):
        raise error_at(
            origin, lines, _value_place(tree, "version"), f"version {tree['version']!r} is not known",
            f"This vbtools reads version {VERSION}",
        )  # fmt: skip
    for key in ("video", "project"):
        if not isinstance(tree.get(key), (str, type(None))):
            raise error_at(origin, lines, _value_place(tree, key), f"{key} must be a file path", "Quote it")
    if not isinstance(tree.get("profile", CommentedMap()), CommentedMap):
        raise error_at(
            origin, lines, _value_place(tree, "profile"), "profile must be a mapping",
            "For example: profile: {base: lfbw}",
        )  # fmt: skip


def _outline(origin: str, lines: Sequence[str], tree: CommentedMap, stage_names: Sequence[str]) -> Recipe:
    _head(origin, lines, tree)
    stages = tree.get("stages")
    if not isinstance(stages, CommentedMap) or not stages:
        place = _key_place(tree, "stages") if "stages" in tree else (0, 0)
        raise error_at(origin, lines, place, "stages must be a mapping of stages", f"Stages: {', '.join(stage_names)}")
    for name, values in stages.items():
        if name not in stage_names:
            raise error_at(
                origin, lines, _key_place(stages, name), f"there is no stage '{name}'", nearest(str(name), stage_names)
            )
        if not isinstance(values, (CommentedMap, type(None))):
            raise error_at(
                origin, lines, _value_place(stages, name), f"{name} must be a mapping of parameters",
                f"For example: {name}: {{}}",
            )  # fmt: skip
    try:
        given = {name: plain(values or {}) for name, values in stages.items()}
    except RecursionError as error:
        raise error_at(
            origin, lines, _key_place(tree, "stages"), "something in the stages contains itself", "Write it out"
        ) from error
    video = None if tree.get("video") is None else str(tree["video"])
    project = None if tree.get("project") is None else str(tree["project"])
    return Recipe(origin, video, project, given, {}, lines, tree)


def _set_in_step(values: dict[str, Any], step: str, keys: Sequence[str], value: Any, option: str) -> None:
    """Set an option of one step in the stage's list of steps."""
    steps = values.get("steps")
    entries = [{e: {}} if isinstance(e, str) else e for e in steps] if isinstance(steps, list) else []
    names = [str(name) for entry in entries if isinstance(entry, Mapping) for name in entry]
    if step not in names:
        stage = option.partition(".")[0]
        hint = nearest(step, names) if names else f"Write {stage}.key=value, or set the whole list of steps"
        raise RecipeError(f"--set {option}: the recipe's {stage} lists no step '{step}'", hint)
    if len(keys) != 1:
        raise RecipeError(f"--set {option}: too many keys", "Write stage.step.option=value")
    position = next(n for n, entry in enumerate(entries) if isinstance(entry, Mapping) and step in entry)
    given = entries[position][step]
    entries[position] = {step: {**(given if isinstance(given, Mapping) else {}), keys[0]: value}}
    values["steps"] = entries


def _place_of(node: Any, path: Sequence[str | int], at_key: bool, place: tuple[int, int]) -> tuple[int, int]:
    """Line and column (from 0) of what ``path`` leads to below a node, or of the last thing on the way to it."""
    for depth, key in enumerate(path):
        last = depth == len(path) - 1
        if isinstance(node, CommentedMap):
            own: Any = next((k for k in node if str(k) == str(key)), None)
            if own is None:
                break
            place = _key_place(node, own, place) if last and at_key else _value_place(node, own, place)
            node = node[own]
        elif isinstance(node, CommentedSeq) and isinstance(key, int):
            place = node.lc.item(key)
            node = node[key]
    return place


def _key_place(node: CommentedMap, key: Any, otherwise: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    """Where a key stands; one that a merge key (``<<``) brings in stands elsewhere."""
    try:
        line, column = node.lc.key(key)
    except (LookupError, TypeError):
        return otherwise
    return line, column


def _value_place(node: CommentedMap, key: Any, otherwise: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    """Where a key's value stands; see :func:`_key_place`."""
    try:
        line, column = node.lc.value(key)
    except (LookupError, TypeError):
        return otherwise
    return line, column


def _place_in(text: str, position: int) -> tuple[int, int]:
    """Line and column (from 0) of a character."""
    before = text[:position].splitlines() or [""]
    return len(before) - 1, len(before[-1])


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise RecipeError(f"There is no recipe '{path}'", "Name a YAML file, or one of vbtools run --list") from None
    except OSError as error:
        raise RecipeError(f"The recipe '{path}' cannot be read ({error.strerror})", "Name a YAML file") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        shown = content.decode("utf-8", "replace")
        place = _place_in(shown, len(content[: error.start].decode()))
        lines = ["".join(c if c.isprintable() else "\ufffd" for c in line)[:60] for line in shown.splitlines()]
        raise error_at(str(path), lines, place, "this is not a text in UTF-8", "Name a YAML file") from error


def _problem(error: BaseException) -> str:
    text = getattr(error, "problem", None) or str(error).strip() or type(error).__name__
    return " ".join(str(text).split())
