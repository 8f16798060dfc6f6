"""Typed descriptions of what a stage stores; the project format and its documentation derive from them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a stored table.

    ``dtype`` is ``"str"`` (UTF-8, any length) or a numpy dtype name; booleans are stored as ``uint8`` 0/1.
    ``default`` is what a row gets that lacks the column; where it is None, every row must have it.
    """

    name: str
    dtype: str
    description: str
    unit: str = ""
    default: float | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """One dataset of a stage's group.

    Args:
        name: dataset name; ``"<step>"`` in angle brackets stands for any name.
        dtype: numpy dtype name; ignored for tables.
        dims: axis names; a number is a fixed length (``("T", "H", "W", "3")``).
        description: what it holds, value range included.
        unit: of the values.
        bulk: lives in a write-once file beside the project, joined by an external link.
        optional: a stage may leave it out.
        columns: given for tables, which have the one axis ``N``.
    """

    name: str
    dtype: str
    dims: tuple[str, ...]
    description: str
    unit: str = ""
    bulk: bool = False
    optional: bool = False
    columns: tuple[Column, ...] = ()

    @property
    def is_pattern(self) -> bool:
        """Whether the name stands for any name."""
        return self.name.startswith("<")


def table(name: str, description: str, *columns: Column, optional: bool = False) -> Element:
    """Describe a table: a one-dimensional dataset of records."""
    return Element(name, "record", ("N",), description, optional=optional, columns=columns)
