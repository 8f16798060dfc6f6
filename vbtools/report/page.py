"""The page: one HTML file that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from vbtools.report.album import data_uri
from vbtools.report.content import csv_of
from vbtools.report.plots import advice_plot, exposure_plot, power_plot

if TYPE_CHECKING:
    from vbtools.report.album import Album

HERE = Path(__file__).parent
SECTIONS = (
    ("pictures", "Pictures"), ("maps", "Maps"), ("findings", "Findings"), ("blur", "Blur"), ("power", "Resolution"),
    ("exposure-time", "Over time"), ("advice", "Advice"), ("made", "How it was made"), ("limits", "Limits"),
    ("again", "Do it again"),
)  # fmt: skip
FINDING_COLUMNS = (
    ("kind", "kind"), ("what", "what"), ("follows", "follows the room"), ("confidence", "confidence"),
    ("exposure", "exposure"), ("passages", "passages"), ("first", "first, s"), ("last", "last, s"),
    ("returned", "came back"), ("rooms", "of rooms"), ("likeness", "likeness"), ("x", "x, px"), ("y", "y, px"),
    ("width", "width, px"), ("height", "height, px"),
)  # fmt: skip
_BOX_COLUMNS = (
    ("image", "picture"), ("confidence", "reader's confidence"), ("exposure", "exposure"),
    ("room", "room's confidence"),
    ("overlay", "drawn over"), ("also_on_raw", "also on raw"), ("x", "x, px"), ("y", "y, px"), ("width", "width, px"),
    ("height", "height, px"),
)  # fmt: skip
DEFAULT_READABLE = 0.5


def render(content: Mapping[str, Any], album: Album, json_name: str) -> str:
    """The whole page.

    Args:
        content: from :func:`vbtools.report.content.gather`.
        album: its pictures.
        json_name: what the JSON beside the page is called.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "said": _said, "percent": _percent, "letters": _letters, "when": _when, "basename": lambda p: PurePath(p).name,
        "csv_uri": lambda rows: data_uri(csv_of(rows).encode(), "text/csv;charset=utf-8"),
        "text_uri": lambda text: data_uri(text.encode(), "text/yaml;charset=utf-8"),
        "said_parameters": lambda values: ", ".join(f"{k} {json.dumps(v)}" for k, v in values.items()) or "none",
    }  # fmt: skip
    verdict = content["verdict"]
    first, second = _compared(album)
    return environment.get_template("page.html.j2").render(
        title=f"vbtools: {verdict['answer']}" if verdict else "vbtools: no verdict",
        css=(HERE / "page.css").read_text(encoding="utf-8"),
        script=(HERE / "page.js").read_text(encoding="utf-8"),
        content=content, verdict=verdict, album=album, first=first, second=second, sections=SECTIONS,
        plots=_plots(content),
        unprotected_frames=len({row["row"] for row in content["unprotected"] or ()}),
        enhanced_was_read=_asked(content, "inspect").get("on", "raw") != "raw",
        finding_columns=FINDING_COLUMNS, word_columns=(("text", "word"), *_BOX_COLUMNS),
        object_columns=(("label", "object"), *_BOX_COLUMNS),
        json_name=json_name, json_uri=data_uri(to_json(content).encode(), "application/json"),
    )  # fmt: skip


def to_json(content: Mapping[str, Any]) -> str:
    """The text of report.json."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _compared(album: Album) -> tuple[Any, Any]:
    """What the slider shows first: the frame, and beside it the leak image."""
    by_name = {one.name: one for one in album.compared}
    left = by_name.get("frame") or next(iter(album.compared), None)
    right = by_name.get("leak") or by_name.get("background") or next(iter(album.compared[::-1]), None)
    return left, right


def _asked(content: Mapping[str, Any], stage: str) -> Mapping[str, Any]:
    """A stage's parameters; none where it is not shown."""
    stages: Sequence[Mapping[str, Any]] = content["stages"]
    return next((one["parameters"] for one in stages if one["stage"] == stage), {})


def _plots(content: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    if content["power"] and content["power"]["curve"]:
        readable = _asked(content, "power").get("readable", DEFAULT_READABLE)
        found["power"] = power_plot(content["power"]["curve"], readable)
    if content["exposure"]:
        found["exposure"] = exposure_plot(content["exposure"])
    if content["advice"]:
        found["advice"] = advice_plot(content["advice"])
    return found


def _said(value: Any, nothing: str = "") -> str:
    if value is None:
        return nothing
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _percent(share: float | None) -> str:
    return "not known" if share is None else f"{100 * share:.1f} %"


def _letters(px: float | None) -> str:
    return "no size that was tried" if px is None else f"letters of {px:.0f} px and more"


def _when(row: Mapping[str, Any]) -> str:
    first, last = row["first"], row["last"]
    if first is None:
        return "not known"
    return f"{first:.2f} s" if last is None or last == first else f"{first:.2f} s to {last:.2f} s"
