"""What all charts share: colours, fonts, axes of months and money, title, footer, alternative text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from plotly.basedatatypes import BaseTraceType
from plotly.graph_objects import Figure, Scatter

from salespipe_dagster.charts import _words
from salespipe_dagster.rendering import WIDTH
from salespipe_spark import months

# Okabe and Ito's colours, which colour-blind readers tell apart. One for an entity, in every chart.
REVENUE = "#0072B2"
WHOLESALE = "#0072B2"
ONLINE = "#009E73"
AVERAGE = "#56B4E9"
CANCELLED = "#D55E00"
NEW = "#E69F00"
RETURNING = "#0072B2"
OVER_LIMIT = "#D55E00"
OTHER = "#7F7F7F"
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000")

# From nothing to much, and from loss through nothing to gain: light enough for dark figures on all of them.
SHADES = ("#F5F8FB", "#A8D2EE", "#3D9BD9")
TWO_SIDED_SHADES = ("#E8853D", "#FFFFFF", "#3D9BD9")

INK, MUTED, GRID = "#1F2933", "#52606D", "#E4E7EB"
SIZE, SUBTITLE, TITLE = 14, 16, 26
FONT = "Lato, DejaVu Sans, Helvetica, Arial, sans-serif"  # kaleido brings the first two along
LABEL = 190
"""Pixels of a name beside its bar."""

FEWEST_ROWS = 6  # a single bar is a bar, not a wall
MOST_TICKS = 24
LEGEND_TOP = 145
"""The room for title and legend: the legend lies below the line below the title."""

LEGEND = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.01, "yanchor": "bottom"}
TOP, BOTTOM = 120, 110
EDGE = 24
"""Pixels from the picture's edge to its texts."""


@dataclass(frozen=True)
class About:
    """What a chart says of its figures.

    Attributes:
        currency: the label of money.
        months: the published months that the figures cover, in order.
        expected: how many months there should be.
        run: the run that published the newest of the figures, shortened.
    """

    currency: str
    months: list[str]
    expected: int
    run: str

    @property
    def span(self) -> list[str]:
        """All months from the first to the last that is covered, those in between that are not included."""
        return months.between(self.months[0], self.months[-1]) if self.months else []

    @property
    def coverage(self) -> str:
        """Which months are covered, and how many there should be."""
        covered = f"covers {len(self.months)} of {_words.count(self.expected, 'month')}"
        blocks = months.blocks(self.months)
        which = [_words.period(block) for block in blocks[:3]] + ["…"] * (len(blocks) > 3)
        return f"{covered}: {', '.join(which)}" if which else covered


def colours(names: Iterable[str]) -> dict[str, str]:
    """The colour of each entity: the same in every chart that is given all names of its kind."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(sorted(names))}


def month_step(span: Sequence[str]) -> int:
    """How many months lie from one label to the next."""
    return next((step for step in (1, 3, 6) if len(span) <= step * MOST_TICKS), 12)


def month_ticks(span: Sequence[str]) -> list[str]:
    """The months that are labelled: all, or those that begin a quarter, half a year, a year."""
    step = month_step(span)
    return [m for m in span if (int(m[5:]) - 1) % step == 0] or list(span[:1])


def month_axis(span: Sequence[str]) -> dict[str, Any]:
    """An axis of months, labelled as often as there is room, with the year below January."""
    ticks = month_ticks(span)
    names = [_words.month_name(m) for m in ticks]
    text = [n.replace(" ", "<br>") if i == 0 or n.startswith("Jan") else n[:3] for i, n in enumerate(names)]
    return column_axis(span, ticks, text, "Month")


def column_axis(columns: Sequence[str], ticks: Sequence[str], text: Sequence[str], title: str) -> dict[str, Any]:
    """An axis of columns side by side, of which some are labelled."""
    return {
        "type": "category",  # else plotly takes 2024-05 for a date and labels days
        "categoryorder": "array",
        "categoryarray": list(columns),
        "range": [-0.5, max(len(columns), 1) - 0.5],
        "tickmode": "array",
        "tickvals": list(ticks),
        "ticktext": list(text),
        "tickangle": 0,
        "ticks": "",
        "ticklabelstandoff": 6,
        "showgrid": False,
        "title": {"text": title, "standoff": 12},
    }


def line(
    name: str,
    values: Mapping[str, Decimal],
    texts: Mapping[str, str],
    span: Sequence[str],
    *,
    color: str,
    dash: str,
    width: float,
    marker: int,
    hover: str,
) -> Scatter:
    """A line over months, with a gap where there is no value; its points are larger the fewer they are."""
    return Scatter(
        name=name,
        x=list(span),
        y=[float(values[month]) if month in values else None for month in span],
        hovertext=[texts.get(month, "") for month in span],
        hovertemplate=hover,
        mode="lines+markers",
        line={"color": color, "width": width, "dash": dash},
        marker={"size": marker * 2 if len(span) == 1 else marker if len(span) <= 2 * MOST_TICKS else marker // 2},
        connectgaps=False,
        cliponaxis=False,
    )


def name_axis(names: Sequence[str]) -> dict[str, Any]:
    """An axis of names from the top down."""
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": list(names),
        "range": [max(len(names), FEWEST_ROWS) - 0.5, -0.5],
        "tickmode": "array",
        "tickvals": list(names),
        "ticktext": [_words.literal(_words.fitted(name, LABEL, SIZE)) + " " for name in names],
        "ticks": "",
        "showgrid": False,
    }


def money_axis(values: Iterable[Decimal], title: str) -> dict[str, Any]:
    """An axis of money that begins at zero, or below where values do, with room for labels."""
    numbers = [float(value) for value in values]
    low, high = min(numbers, default=0.0), max(numbers, default=0.0)
    low, high = min(low, 0.0), max(high, 0.0)
    room = (high - low) * 0.12 or 1.0
    return {
        "range": [low - room if low < 0 else 0.0, high + room if high > 0 or low == 0 else room],
        "title": {"text": title, "standoff": 12},
        "exponentformat": "B",
        "ticks": "",
        "ticklabelstandoff": 6,
        "gridcolor": GRID,
        "zeroline": True,
        "zerolinecolor": MUTED,
        "zerolinewidth": 1,
    }


def figure(
    *traces: BaseTraceType,
    kind: str,
    finding: str,
    detail: str,
    source: str,
    about: About,
    layout: dict[str, Any],
    annotations: Sequence[dict[str, Any]] = (),
    left: int = 90,
    right: int = 40,
    top: int = TOP,
) -> Figure:
    """The figure with its title, footer, fonts and alternative text.

    Args:
        traces: what is plotted.
        kind: what the picture is, for those who do not see it: "Bar chart of revenue by country".
        finding: the title: what the figures say.
        detail: the line below it.
        source: the table that the figures are from, as layer/name.
        about: what is said of the figures.
        layout: the axes, and what else is the chart's own.
        annotations: texts within the chart.
        left: the room for the labels of the vertical axis.
        right: the room for what is written beside the chart.
        top: the room for title and legend.
    """
    if not about.months:
        detail = "The chart fills as months are published"
    parts = [f"Source: {source}", about.coverage, *([f"run {about.run}"] if about.run else [])]
    shared = {
        "template": "none",
        "title": _title(finding, detail),
        "font": {"family": FONT, "size": SIZE, "color": INK},
        "margin": {"l": left, "r": right, "t": top, "b": BOTTOM, "pad": 0},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "hoverlabel": {"font": {"family": FONT, "size": 14}},
        "annotations": [*annotations, _footer(parts, left)],
        "meta": {"title": finding, "alt": f"{kind}. {finding}. {detail}. {'; '.join(parts)}."},
    }
    return Figure(list(traces), shared | layout)


def _footer(parts: Sequence[str], left: int) -> dict[str, Any]:
    return {
        "text": _words.literal("   ·   ".join(parts)),
        "font": {"size": 12, "color": MUTED},
        "showarrow": False,
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "xshift": EDGE - left,
        "yref": "paper",
        "y": 0,
        "yanchor": "bottom",
        "yshift": -98,
    }


def _title(finding: str, detail: str) -> dict[str, Any]:
    def fit(text: str, size: int) -> int:
        return min(size, int(size * (WIDTH - 2 * EDGE) / max(_words.width(text, size), 1)))

    return {
        "text": f"<b>{_words.literal(finding)}</b>",
        "subtitle": {"text": _words.literal(detail), "font": {"size": fit(detail, SUBTITLE), "color": MUTED}},
        "font": {"size": fit(finding, TITLE), "color": INK},
        "x": 0,
        "xref": "container",
        "y": 0.95,
        "yanchor": "top",
        "pad": {"l": EDGE},
    }
