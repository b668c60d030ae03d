"""Horizontal bars of revenue, the longest on top: what the charts by country, product, customer and others share."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from plotly.graph_objects import Bar, Figure

from salespipe_dagster.charts import _look, _totals, _words
from salespipe_dagster.charts._look import About
from salespipe_dagster.charts._totals import Channel

MOST_BARS = 15
ROOM = 1.3
"""How much longer an axis is in a panel than in a chart of its own, for labels beside shorter bars."""


def revenue_bars(
    totals: Mapping[str, Decimal],
    *,
    one: str,
    many: str,
    source: str,
    about: About,
    channel: Channel,
    nobody: str | None = None,
    rest_as_bar: bool = True,
) -> Figure:
    """Revenue by name, with its share; the smallest together where there are many.

    Args:
        totals: revenue of each name over all months.
        one: what a bar is: "country".
        many: several of them.
        source: the table that the figures are from, as layer/name.
        about: what is said of the figures.
        channel: whose revenue it is.
        nobody: the bar of what belongs to none of them; it leads in no title and is not counted.
        rest_as_bar: whether the smallest have a bar; in a list of the largest it would dwarf them, and is told instead.
    """
    unnamed = [nobody] if nobody is not None and nobody in totals else []
    named = {name: amount for name, amount in totals.items() if name != nobody}
    names, rest = _totals.ranked(named, MOST_BARS - len(unnamed))
    shown = {name: totals[name] for name in names + unnamed}
    bars = {name: shown[name] for name in _totals.ranked(shown, MOST_BARS)[0]}
    if rest and rest_as_bar:
        bars[f"{len(rest)} other {many}"] = sum((totals[name] for name in rest), _totals.ZERO)
    total = sum(totals.values(), _totals.ZERO)
    money = f"{about.currency} {_words.short(total)} of {channel.revenue}"
    detail = f"{money} from {_words.count(len(named), one, many)} in {_words.count(len(about.months), 'month')}"
    if rest and not rest_as_bar:
        others = sum((totals[name] for name in rest), _totals.ZERO)
        detail += f"; {about.currency} {_words.short(others)} of it from the {len(rest)} that are not shown"
    leading = named if any(named.values()) else totals
    for name in unnamed:
        detail += f"; {about.currency} {_words.short(totals[name])} of it from {name.lower()}"
    return _look.figure(
        trace(bars, total, about, channel, others=set(bars) - set(named)),
        kind=f"Bar chart of {channel.revenue} by {one}",
        finding=_totals.leader(
            leading, about, makes="makes" if leading is named else "make", many=many, whole=total, channel=channel
        ),
        detail=detail,
        source=source,
        about=about,
        layout=axes(bars, about) | {"bargap": 0.3},
        left=220,
    )


def trace(
    bars: Mapping[str, Decimal], total: Decimal, about: About, channel: Channel, others: Collection[str] = ()
) -> Bar:
    """The bars with their amounts and shares of the total; those of `others` are grey."""
    return Bar(
        orientation="h",
        y=list(bars),
        x=[float(amount) for amount in bars.values()],
        text=[label(amount, bars, total) for amount in bars.values()],
        textposition="outside",
        hovertext=[f"{_words.literal(name)}<br>{about.currency} {_words.exact(bars[name])}" for name in bars],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={"color": [_look.OTHER if name in others else channel.color for name in bars]},
        cliponaxis=False,
    )


def axes(bars: Mapping[str, Decimal], about: About) -> dict[str, Any]:
    """The axes of the bars: money, and names from the top down."""
    money = _look.money_axis(bars.values(), f"Revenue, {about.currency}")
    return {"xaxis": money, "yaxis": _look.name_axis(list(bars))}


def panel(axes: Mapping[str, Any], across: list[float], up: list[float], number: str = "") -> dict[str, Any]:
    """The axes of bars that share a figure with others, which take these parts of its width and height."""
    money = axes["xaxis"] | {"range": [end * ROOM for end in axes["xaxis"]["range"]], "nticks": 5}
    return {
        f"xaxis{number}": money | {"domain": across, "anchor": f"y{number}"},
        f"yaxis{number}": axes["yaxis"] | {"domain": up, "anchor": f"x{number}"},
    }


def label(amount: Decimal, bars: Mapping[str, Decimal], total: Decimal) -> str:
    """The amount and, where shares mean something, its share."""
    shares = total > 0 and min(bars.values()) >= 0
    return f"{_words.short(amount)}  ({_words.share(amount, total)})" if shares else _words.short(amount)
