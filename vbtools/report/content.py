"""What a report says, as plain JSON values: the content of report.json, from which the page is made too.

``report.schema.json`` beside this file describes it; ``docs/report.md`` explains it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from vbtools import __version__
from vbtools.config.recipe import VERSION as RECIPE_VERSION
from vbtools.evidence import all_parts, all_with_evidence
from vbtools.evidence.answer import stored_answer
from vbtools.pipeline.pictures import words_of

if TYPE_CHECKING:
    from vbtools.pipeline.pictures import Shown
    from vbtools.report.redaction import Redaction
    from vbtools.store import Record

FORMAT, VERSION = "vbtools-report", 1
LEAK_ONLY = "only aggregate with --method leak tells it, and this project's method is {method}"
NOT_RUN = "{stage} has not been run"
LIMITS = (
    "'Not observed' and 'none found' hold for this recording, the pixels observed, these methods and this power.",
    "Another method, a longer call or another reader may find more.",
    "What the person's edge shows is light and dark, not colour.",
    "The power was measured with letters in other rooms, behind masks and blur as they were identified from the clip.",
    "Where those were identified wrongly, the power is wrong too.",
    "The interval of an extrapolation holds for a person who goes on moving as in this clip.",
    "An enhanced picture can show what was never in the room: believe of it only what is marked supported.",
    "Detail that moves with the person and was not taken for the person (a chair, a helmet) can leave traces.",
)
"""What holds for every report."""


def gather(shown: Shown, redaction: Redaction) -> dict[str, Any]:
    """Everything that a report says, as JSON values; what is absent is None, and ``absent`` says why.

    Args:
        shown: what of the project may be shown, evidence included.
        redaction: what must not be.
    """
    found: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "vbtools": __version__,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "redacted": list(redaction.kinds),
        "project": redaction.path(str(shown.reader.path)),
        "recording": _recording(shown, redaction),
        "observed": float(shown.observed.mean()) if shown.has("aggregate", "coverage") else None,
        "verdict": _verdict(shown, redaction),
        "summary": [redaction.prose(sentence) for sentence in words_of(shown)],
        "unprotected": shown.unprotected if shown.has("extract", "unprotected") else None,
        "findings": _rows(shown, "control", "findings", redaction, "what"),
        "words": _rows(shown, "inspect", "ocr", redaction, "text"),
        "objects": _rows(shown, "inspect", "detections", redaction, "label"),
        "enhanced": _rows(shown, "gate", "findings", redaction, "what"),
        "blur": next(iter(_rows(shown, "aggregate", "blur") or ()), None),
        "power": _power(shown),
        "replays": _rows(shown, "replay", "replays"),
        "exposure": _rows(shown, "timeline", "exposure"),
        "advice": _rows(shown, "advice", "settings"),
        "trail": next(iter(_rows(shown, "advice", "trail") or ()), None),
        "limits": [*LIMITS, *(f"{text[0].upper()}{text[1:]}." for text in shown.left_out())],
        "stages": [_stage(record, redaction) for record in _records(shown)],
        "recipe": recipe(shown, redaction),
    }
    found["absent"] = _absent(shown, found)
    plain: dict[str, Any] = finite(found)
    return plain


def finite(value: Any) -> Any:
    """The same with null for what JSON has no number for."""
    if isinstance(value, Mapping):
        return {str(key): finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def recipe(shown: Shown, redaction: Redaction) -> str:
    """The recipe that makes this project again from the recording: every stage with every parameter, as YAML."""
    from ruamel.yaml import YAML

    extract = shown.reader.record("extract")
    source = extract.source if extract else None
    tree: dict[str, Any] = {"version": RECIPE_VERSION}
    if source is not None:
        tree["video"] = redaction.path(source.path)
    tree["project"] = PurePath(shown.reader.path).name
    tree["stages"] = {record.stage: _parameters(record, redaction) for record in _records(shown)}
    text = StringIO()
    yaml = YAML()  # keeps the order of keys
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.dump(tree, text)
    return text.getvalue()


def _recording(shown: Shown, redaction: Redaction) -> dict[str, Any] | None:
    record = shown.reader.record("extract")
    if record is None or record.source is None:
        return None
    times = shown.reader.array("extract", "time") if shown.has("extract", "time") else None
    size = shown.reader.dataset("aggregate", "coverage").shape if shown.has("aggregate", "coverage") else (None, None)
    return {
        "path": redaction.path(record.source.path),
        "sha256": record.source.sha256,
        "bytes": record.source.size,
        "frames": None if times is None else int(times.size),
        "seconds": None if times is None or not times.size else float(times[-1] - times[0]),
        "height": size[0],
        "width": size[1],
    }


def _verdict(shown: Shown, redaction: Redaction) -> dict[str, Any] | None:
    if not shown.has("verdict", "verdict"):
        return None
    told = stored_answer(shown.reader)
    record = shown.reader.record("verdict")
    hidden = {key: redaction.prose(told[key]) for key in ("sentence", "power")}
    reasons = [redaction.prose(reason) for reason in told["reasons"]]
    return {**told, **hidden, "reasons": reasons, "thresholds": dict(record.parameters) if record else {}}


def _rows(
    shown: Shown, stage: str, name: str, redaction: Redaction | None = None, key: str = ""
) -> list[dict[str, Any]] | None:
    """A table's rows; None where it is absent."""
    if not shown.has(stage, name):
        return None
    rows = shown.table(stage, name)
    if redaction is None:
        return rows
    rows = redaction.rows(rows, key)
    return [row | {"why": redaction.prose(row["why"])} if "why" in row else row for row in rows]


def _power(shown: Shown) -> dict[str, Any] | None:
    curve, limits = _rows(shown, "power", "curve"), _rows(shown, "power", "limits")
    return None if curve is None or limits is None else {"curve": curve, "limits": limits}


def _records(shown: Shown) -> list[Record]:
    """Every stored stage in the order in which it runs, fresh ones only."""
    found = []
    for one in all_with_evidence():
        record = shown.reader.record(one.name)
        if record is not None and one.name not in shown.stale:
            found.append(record)
    return found


def _stage(record: Record, redaction: Redaction) -> dict[str, Any]:
    """One stage's provenance; without user, machine and command line where anything is redacted."""
    told: dict[str, Any] = {
        "stage": record.stage,
        "version": record.version,
        "fingerprint": record.fingerprint,
        "parameters": _parameters(record, redaction),
        "backend": list(record.backend),
        "weights": dict(record.weights),
        "seed": record.seed,
        "started": record.started,
        "duration": record.duration,
        "software": dict(record.software),
        "notes": [redaction.prose(note) for note in record.notes],
    }
    return told if redaction.kinds else told | {"user": record.user, "host": record.host, "command": record.command}


def _parameters(record: Record, redaction: Redaction) -> dict[str, Any]:
    """Parameters, of weights files only the names where anything is redacted."""

    def hide(key: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {k: hide(k, v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [hide(key, v) for v in value]
        return redaction.path(value) if key == "weights" and isinstance(value, str) else value

    return {key: hide(key, value) for key, value in record.parameters.items()}


def _absent(shown: Shown, found: Mapping[str, Any]) -> dict[str, str]:
    """Section -> why it is not there."""
    parts = {
        "verdict": "verdict", "unprotected": "extract", "findings": "control", "words": "inspect",
        "objects": "inspect", "enhanced": "gate", "power": "power", "replays": "replay", "exposure": "timeline",
        "advice": "advice",
    }  # fmt: skip
    why = {key: _why(shown, stage) for key, stage in parts.items() if found[key] is None}
    if found["enhanced"] is None and shown.reader.record("enhance") is None:
        why["enhanced"] = "nothing was enhanced: there is no enhanced picture to judge"
    if not shown.has("aggregate", "exposure"):
        why["maps"] = _not_a_leak(shown)
    if found["blur"] is None:
        why["blur"] = _not_a_leak(shown)
    return why


def _not_a_leak(shown: Shown) -> str:
    record = shown.reader.record("aggregate")
    if record is None or "aggregate" in shown.stale:
        return _why(shown, "aggregate")
    return LEAK_ONLY.format(method=record.parameters.get("method", "another"))


def _why(shown: Shown, stage: str) -> str:
    if stage in shown.stale:
        return f"{stage} is out of date ({shown.stale[stage]})"
    if shown.reader.record(stage) is None:
        is_part = any(part.name == stage for part in all_parts())
        told = NOT_RUN.format(stage=stage)
        return f"{told}; vbtools report -p PROJECT -o report.html runs it" if is_part else told
    return f"/{stage} does not hold it"


def csv_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV with a line of headings; empty where there is none."""
    import csv

    text = StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()
