"""The plots of a report, as SVG that stands in the page and takes its colours, light or dark."""

from __future__ import annotations

import html
import io
import re
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vbtools.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {
    "ink": "#010203", "muted": "#040506", "rule": "#070809", "series-1": "#0a0b0c", "series-2": "#0d0e0f",
    "series-3": "#111213",
}  # fmt: skip
"""What stands in a drawing for each of the page's colours (page.css); chosen so that nothing else has them."""
SIZE_IN = (7.2, 3.3)
LABEL_LETTERS = 34
"""A setting's words are broken after so many letters, so that there is room for its bar."""
APART = 0.012
"""Lines of one panel are set apart by so much of its width, so that their intervals do not cover each other."""
_STYLES = ("-", "--", ":", "-.")
_MARKERS = ("o", "s", "^", "D")
_SETTINGS = {
    "svg.fonttype": "none", "svg.hashsalt": "vbtools", "text.parse_math": False, "font.size": 10.5,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": COLOURS["muted"],
    "axes.labelcolor": COLOURS["ink"],
    "xtick.color": COLOURS["muted"], "ytick.color": COLOURS["muted"], "xtick.labelcolor": COLOURS["ink"],
    "ytick.labelcolor": COLOURS["ink"], "text.color": COLOURS["ink"], "axes.titlecolor": COLOURS["ink"],
    "axes.grid": True, "grid.color": COLOURS["rule"], "axes.axisbelow": True, "legend.frameon": False,
    "axes.titlesize": 10.5, "axes.titlelocation": "left", "figure.facecolor": "none", "axes.facecolor": "none",
}  # fmt: skip


def check() -> None:
    """Raise where what a report needs is not installed.

    Raises:
        MissingDependencyError: with the command that mends it.
    """
    try:
        import jinja2
        import matplotlib as mpl
    except ImportError as error:
        raise MissingDependencyError(
            f"A report needs {error.name}, which is not installed", "Install it: pip install 'vbtools[report]'"
        ) from error
    del jinja2, mpl


def power_plot(curve: Sequence[Mapping[str, Any]], readable: float) -> str:
    """Share of injected words that were read, by size; one panel a channel, one line a contrast.

    Args:
        curve: rows of ``/power/curve``.
        readable: share from which a size counts as readable, 0-1; drawn as a line.
    """
    channels = list(dict.fromkeys(row["channel"] for row in curve))
    told = {"fringe": "at the person's edge", "blur": "through the blur"}
    with _figure(max(1, len(channels))) as (figure, panels):
        for number, (channel, axes) in enumerate(zip(channels, panels, strict=True)):
            rows = [row for row in curve if row["channel"] == channel]
            apart = APART * max(row["cap_height"] for row in rows)
            contrasts = sorted({row["contrast"] for row in rows})
            for style, contrast in enumerate(contrasts):
                line = sorted((r for r in rows if r["contrast"] == contrast), key=lambda r: r["cap_height"])
                aside = apart * (style - (len(contrasts) - 1) / 2)
                _line_with_interval(axes, line, aside, style, f"series-{number % 2 + 1}", f"{contrast:.0f}")
            axes.axhline(readable, color=COLOURS["muted"], linewidth=0.8, linestyle=(0, (1, 2)))
            axes.set(ylim=(-0.04, 1.04), xlabel="height of capitals, px", title=told.get(channel, channel))
            axes.legend(title="contrast, levels", fontsize=9, title_fontsize=9)
        panels[0].set_ylabel("words read, share")
    return _svg(figure, "power", "Share of injected words that were read, by the height of their capitals")


def exposure_plot(exposure: Sequence[Mapping[str, Any]]) -> str:
    """Share of the room shown sharp by the length of the call: measured as a line, extrapolated dashed with a band.

    Args:
        exposure: rows of ``/timeline/exposure``.
    """
    rows = sorted(exposure, key=lambda row: row["seconds"])
    measured = [row for row in rows if row["measured"]]
    beyond = [*measured[-1:], *(row for row in rows if not row["measured"])]
    with _figure(1) as (figure, (axes,)):
        colour = COLOURS["series-1"]
        seconds = _column(measured, "seconds")
        axes.plot(seconds, _percent(measured, "share"), color=colour, marker="o", markersize=4, label="measured")
        if len(beyond) > 1 or not measured:
            seconds = _column(beyond, "seconds")
            axes.fill_between(
                seconds, _percent(beyond, "low"), _percent(beyond, "high"), color=colour, alpha=0.25, linewidth=0,
                label="95 % interval",
            )  # fmt: skip
            axes.plot(
                seconds, _percent(beyond, "share"), color=colour, linestyle="--", marker="o", markerfacecolor="none",
                label="extrapolated",
            )  # fmt: skip
        axes.set(xlabel="length of the call, s", ylabel="room shown at least once, %")
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.legend()
    return _svg(figure, "exposure-over-time", "Share of the room that was shown sharp, by the length of the call")


def advice_plot(settings: Sequence[Mapping[str, Any]]) -> str:
    """Share of the room's detail that each setting would have shown, with its interval.

    Args:
        settings: rows of ``/advice/settings``, the call's own first.
    """
    names = [textwrap.fill(row["setting"], LABEL_LETTERS) for row in settings]
    lines = sum(name.count("\n") + 1 for name in names)
    with _figure(1, height=0.8 + 0.25 * (lines + len(names))) as (figure, (axes,)):
        places = list(range(len(settings)))[::-1]
        shown = _percent(settings, "shown")
        low = [max(0.0, s - v) for s, v in zip(shown, _percent(settings, "low"), strict=True)]
        high = [max(0.0, v - s) for s, v in zip(shown, _percent(settings, "high"), strict=True)]
        colours = [COLOURS["series-2"] if n == 0 else COLOURS["series-1"] for n in range(len(settings))]
        axes.barh(places, shown, color=colours, height=0.6)
        axes.errorbar(shown, places, xerr=[low, high], fmt="none", ecolor=COLOURS["ink"], elinewidth=1, capsize=3)
        axes.set_yticks(places, names)
        axes.set(xlabel="of the room's detail, %")
        axes.set_xlim(left=0)
        axes.grid(visible=False, axis="y")
    return _svg(figure, "advice", "Share of the room's detail that each setting would have shown")


def _line_with_interval(
    axes: Axes, rows: Sequence[Mapping[str, Any]], aside: float, style: int, colour: str, label: str
) -> None:
    share = _column(rows, "share")
    low = [max(0.0, s - v) for s, v in zip(share, _column(rows, "low"), strict=True)]
    high = [max(0.0, v - s) for s, v in zip(share, _column(rows, "high"), strict=True)]
    axes.errorbar(
        [px + aside for px in _column(rows, "cap_height")],
        share, yerr=[low, high], color=COLOURS[colour], linestyle=_STYLES[style % len(_STYLES)],
        marker=_MARKERS[style % len(_MARKERS)], markersize=5, elinewidth=0.8, capsize=2, label=label,
    )  # fmt: skip


def _column(rows: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    return [float("nan") if row[key] is None else float(row[key]) for row in rows]


def _percent(rows: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    return [100.0 * value for value in _column(rows, key)]


@contextmanager
def _figure(panels: int, height: float = SIZE_IN[1]) -> Iterator[tuple[Figure, list[Axes]]]:
    """A figure with panels side by side, drawn without a display."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context(_SETTINGS):
        figure = Figure(figsize=(SIZE_IN[0], height), layout="constrained")
        FigureCanvasSVG(figure)
        made = figure.subplots(1, panels, sharey=True, squeeze=False)
        yield figure, list(made[0])


def _svg(figure: Figure, name: str, title: str) -> str:
    """The figure as an SVG element for a page: described, with ids of its own and the page's colours and font."""
    from matplotlib import rc_context

    text = io.StringIO()
    with rc_context(_SETTINGS):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r'xlink:href="#([^"]+)"', rf'xlink:href="#{name}-\1"', svg)
    svg = re.sub(r"font: ([\d.]+)px [^;\"]+", r"font: \1px var(--font)", svg)
    svg = svg.replace("*{stroke-linejoin", ".plot *{stroke-linejoin")  # matplotlib means its own drawing
    for key, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{key})")
    opening = re.compile(r'<svg[^>]*?viewBox="([^"]+)"[^>]*>')
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="\\1" role="img" '
        f'aria-labelledby="{name}-title" class="plot"><title id="{name}-title">{html.escape(title)}</title>'
    )
    return opening.sub(head, svg, count=1)
