"""Revenue of each product line over time, as lines."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from plotly.graph_objects import Figure, Scatter
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _look, _totals, _words
from salespipe_dagster.charts._look import About
from salespipe_dagster.rendering import HEIGHT

MOST_LINES = 7
LABEL_SIZE = 13
LABEL_HEIGHT = 19
"""Pixels."""

Lines = Mapping[str, Mapping[str, Decimal]]
"""Amounts by line and month."""


def product_lines_over_time(revenue_by_product: DataFrame, *, about: About) -> Figure:
    """Revenue of each product line in each month; the smallest lines together where there are more than seven.

    A published month in which a line sold nothing is zero; a month that is not published is a gap.
    """
    found = _totals.sums(revenue_by_product, ("product_line", "month_start"), ("revenue",))
    known = sorted({line for line, _ in found})
    every = {line: {m: found.get((line, m), (_totals.ZERO,))[0] for m in about.months} for line in known}
    totals = {line: sum(amounts.values(), _totals.ZERO) for line, amounts in every.items()}
    names, rest = _totals.ranked(totals, MOST_LINES)
    shown = {name: every[name] for name in names}
    colours = _look.colours(known)
    if rest:
        others = f"{len(rest)} other lines"
        shown[others] = {m: sum((every[line][m] for line in rest), _totals.ZERO) for m in about.months}
        colours[others] = _look.OTHER
    amounts = (amount for line in shown.values() for amount in line.values())
    axis = _look.money_axis(amounts, f"Revenue per month, {about.currency}")
    return _look.figure(
        *(_line(name, shown[name], about, colours[name], dash=_dash(name, names, colours)) for name in shown),
        kind="Line chart of revenue by product line and month",
        finding=_finding(every, about),
        detail=f"{about.currency} {_words.short(sum(totals.values(), _totals.ZERO))} of revenue from "
        f"{_words.count(len(totals), 'product line')} in {_words.count(len(about.months), 'month')}",
        source="marts/revenue_by_product",
        about=about,
        layout={"xaxis": _look.month_axis(about.span), "yaxis": axis, "showlegend": False, "hovermode": "x"},
        annotations=_labels(shown, colours, axis["range"]),
        right=60 + int(max((min(_words.width(name, LABEL_SIZE), _look.LABEL) for name in shown), default=0)),
    )


def _finding(every: Lines, about: About) -> str:
    """Who is ahead in most months; a month without revenue has no one ahead."""
    totals = {f"{line} {month}": amount for line, amounts in every.items() for month, amount in amounts.items()}
    if empty := _totals.nothing(totals, about):
        return empty
    ahead = dict.fromkeys(every, 0)
    for month in about.months:
        top = max(amounts[month] for amounts in every.values())
        for line in every:
            ahead[line] += every[line][month] == top and any(amounts[month] for amounts in every.values())
    most = max(ahead.values())
    leaders = [line for line in ahead if ahead[line] == most]
    who, each = _words.enumeration(leaders, "product lines"), " each" if len(leaders) > 1 else ""
    if len(about.months) == 1:
        return f"{who}{each} sell most {_words.during(about.months)}"
    whole = most == len(about.months)
    return f"{who}{each} sell most in {f'all {most}' if whole else f'{most} of {len(about.months)}'} months"


def _dash(name: str, names: list[str], colours: Mapping[str, str]) -> str:
    """Dashes where a larger line has the colour already: with more lines than colours two may share one."""
    before = names[: names.index(name)] if name in names else []
    return "dash" if colours[name] in {colours[each] for each in before} else "solid"


def _line(name: str, amounts: Mapping[str, Decimal], about: About, color: str, dash: str) -> Scatter:
    texts = {month: f"{_label(name)}: {about.currency} {_words.exact(amount)}" for month, amount in amounts.items()}
    hover = "%{hovertext}<extra></extra>"
    return _look.line(name, amounts, texts, about.span, color=color, dash=dash, width=2.5, marker=6, hover=hover)


def _label(name: str) -> str:
    return _words.literal(_words.fitted(name, _look.LABEL, LABEL_SIZE))


def _labels(shown: Lines, colours: Mapping[str, str], reach: tuple[float, float]) -> list[dict[str, Any]]:
    """Each line's name beside its end, moved where it would cover another."""
    ends = {name: amounts[max(amounts)] for name, amounts in shown.items() if amounts}
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
