"""The JSON schema of report.json, from the same descriptions as the project file's format."""

from __future__ import annotations

from typing import Any

from vbtools.config.element import Column
from vbtools.evidence import all_with_evidence
from vbtools.evidence.verdict import ANSWERS
from vbtools.pipeline.recipes import SCHEMA_DIALECT
from vbtools.report.content import FORMAT, VERSION
from vbtools.report.redaction import KINDS

SECTIONS = {
    "unprotected": ("inspect", "unprotected", "frames without blur, sharpest first; of a frame one region or more"),
    "findings": ("control", "findings", "what was held against other rooms"),
    "words": ("inspect", "ocr", "all words that were read"),
    "objects": ("inspect", "detections", "all objects that were found"),
    "enhanced": ("gate", "findings", "what was found on the enhanced picture: supported or invented"),
    "replays": ("replay", "replays", "the call before other rooms"),
    "exposure": ("timeline", "exposure", "room shown by the length of the call"),
    "advice": ("advice", "settings", "what other settings would have shown"),
}
"""Section -> stage, table, meaning."""
_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}


def report_schema() -> dict[str, Any]:
    """The schema of report.json; null stands for what is absent, or what could not be told."""
    properties: dict[str, Any] = {
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        "vbtools": _said("string", "the version that made it"),
        "made": _said("string", "when, UTC, ISO 8601"),
        "redacted": {"type": "array", "items": {"enum": list(KINDS)}, "description": "what was taken out"},
        "project": _said("string", "the project file"),
        "recording": _nullable(_recording() | {"description": "what was examined"}),
        "observed": _said(["number", "null"], "share of the picture that was ever observed, 0-1"),
        "verdict": _nullable(_verdict() | {"description": "the answer"}),
        "summary": _texts("what was found, in sentences"),
        **{name: _rows(*where) for name, where in SECTIONS.items()},
        "blur": _nullable(_row("aggregate", "blur") | {"description": "the product's blur, from the clip alone"}),
        "trail": _nullable(_row("advice", "trail") | {"description": "how the product's mask trails the person"}),
        "power": _nullable(_power()),
        "limits": _texts("what holds for all of this, and what was left out"),
        "stages": {"type": "array", "items": _stage(), "description": "what was run, in order"},
        "recipe": _said("string", "YAML that makes the project again"),
        "absent": {
            "type": "object", "additionalProperties": _TEXT,
            "description": "section that is null (and maps, for the page's) -> why",
        },
    }  # fmt: skip
    return {"$schema": SCHEMA_DIALECT, "title": "vbtools report", **_object(properties)}


def _recording() -> dict[str, Any]:
    return _object({
        "path": _said("string", "as it was named; only its name where anything is redacted"),
        "sha256": _TEXT,
        "bytes": {"type": "integer"},
        "frames": _said(["integer", "null"], "frames that were looked at"),
        "seconds": _said(["number", "null"], "from the first to the last of them"),
        "height": _said(["integer", "null"], "of the plate, px"),
        "width": _said(["integer", "null"], "of the plate, px"),
    })  # fmt: skip


def _power() -> dict[str, Any]:
    tables = {
        "curve": _rows("power", "curve", "share of injected words that were read"),
        "limits": _rows("power", "limits", "smallest readable letters"),
    }
    return _object(tables) | {"description": "what would have been readable"}


def _verdict() -> dict[str, Any]:
    row = _row("verdict", "verdict")
    more = {
        "reasons": _texts("what speaks for and against"),
        "exit_code": _said("integer", "that vbtools verdict ends with"),
        "thresholds": {"type": "object", "description": "the parameters of verdict"},
        "answer": {"enum": list(ANSWERS)},
    }
    return _object(row["properties"] | more)


def _stage() -> dict[str, Any]:
    made = {
        "stage": _TEXT, "version": {"type": "integer"}, "fingerprint": _TEXT, "parameters": {"type": "object"},
        "backend": {"type": "array", "items": _TEXT}, "weights": {"type": "object", "additionalProperties": _TEXT},
        "seed": {"type": "integer"}, "started": _TEXT, "duration": _NUMBER | {"description": "s"},
        "software": {"type": "object", "additionalProperties": _TEXT}, "notes": {"type": "array", "items": _TEXT},
    }  # fmt: skip
    private = {"user": _TEXT, "host": _TEXT, "command": _TEXT}
    return _object(made | private) | {"required": list(made)}


def _rows(stage: str, table: str, meaning: str) -> dict[str, Any]:
    return {"type": ["array", "null"], "description": meaning, "items": _row(stage, table)}


def _row(stage: str, table: str) -> dict[str, Any]:
    elements = next(one.elements for one in all_with_evidence() if one.name == stage)
    columns = next(one.columns for one in elements if one.name == table)
    return _object({column.name: _column(column) for column in columns})


def _column(column: Column) -> dict[str, Any]:
    kind: str | list[str] = "string" if column.dtype == "str" else "integer"
    if column.dtype.startswith("float"):
        kind = ["number", "null"]
    return _said(kind, column.description + (f" [{column.unit}]" if column.unit else ""))


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has all of these, and may have more: new columns break no reader."""
    return {"type": "object", "required": list(properties), "properties": properties}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _said(kind: str | list[str], description: str) -> dict[str, Any]:
    return {"type": kind, "description": description}


def _texts(description: str) -> dict[str, Any]:
    return {"type": "array", "items": _TEXT, "description": description}
