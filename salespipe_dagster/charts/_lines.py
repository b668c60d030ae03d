"""Revenue over months as lines, each named beside its end: what the charts of product lines and channels share."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from plotly.graph_objects import Figure, Scatter

from salespipe_dagster.charts import _look, _words
from salespipe_dagster.charts._look import About
from salespipe_dagster.rendering import HEIGHT

LABEL_SIZE = 13
LABEL_HEIGHT = 19
"""Pixels."""

Lines = Mapping[str, Mapping[str, Decimal]]
"""Amounts by line and month."""


def revenue_lines(
    lines: Lines, colours: Mapping[str, str], *, kind: str, finding: str, detail: str, source: str, about: About
) -> Figure:
    """Each line over the months, with a gap where a month is not published; the texts are those of `_look.figure`."""
    amounts = (amount for line in lines.values() for amount in line.values())
    axis = _look.money_axis(amounts, f"Revenue per month, {about.currency}")
    return _look.figure(
        *(_line(name, lines[name], about, colours[name], _dash(name, list(lines), colours)) for name in lines),
        kind=kind,
        finding=finding,
        detail=detail,
        source=source,
        about=about,
        layout={"xaxis": _look.month_axis(about.span), "yaxis": axis, "showlegend": False, "hovermode": "x"},
        annotations=_labels(lines, colours, axis["range"]),
        right=60 + int(max((min(_words.width(name, LABEL_SIZE), _look.LABEL) for name in lines), default=0)),
    )


def _dash(name: str, names: list[str], colours: Mapping[str, str]) -> str:
    """Dashes where a line before it has the colour already: with more lines than colours two may share one."""
    return "dash" if colours[name] in {colours[each] for each in names[: names.index(name)]} else "solid"


def _line(name: str, amounts: Mapping[str, Decimal], about: About, color: str, dash: str) -> Scatter:
    texts = {month: f"{_label(name)}: {about.currency} {_words.exact(amount)}" for month, amount in amounts.items()}
    hover = "%{hovertext}<extra></extra>"
    return _look.line(name, amounts, texts, about.span, color=color, dash=dash, width=2.5, marker=6, hover=hover)


def _label(name: str) -> str:
    return _words.literal(_words.fitted(name, _look.LABEL, LABEL_SIZE))


def _labels(lines: Lines, colours: Mapping[str, str], reach: tuple[float, float]) -> list[dict[str, Any]]:
    """Each line's name beside its end, moved where it would cover another."""
    ends = {name: amounts[max(amounts)] for name, amounts in lines.items() if amounts}
    pixels = HEIGHT - _look.TOP - _look.BOTTOM
    upwards = sorted(ends, key=lambda name: (ends[name], name))
    places = {name: (float(ends[name]) - reach[0]) / (reach[1] - reach[0]) * pixels for name in upwards}
    for below, name in pairwise(upwards):
        places[name] = max(places[name], places[below] + LABEL_HEIGHT)
    highest = float(pixels)
    for name in reversed(upwards):
        places[name] = min(places[name], highest)
        highest = places[name] - LABEL_HEIGHT
    return [
        {
            "xref": "paper",
            "x": 1,
            "xanchor": "left",
            "xshift": 8,
            "yref": "paper",
            "y": place / pixels,
            "yanchor": "middle",
            "text": f"<span style='color:{colours[name]}'>⬤</span> {_label(name)}",
            "font": {"size": LABEL_SIZE},
            "showarrow": False,
        }
        for name, place in places.items()
    ]
