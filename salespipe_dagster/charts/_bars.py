"""Horizontal bars of revenue, the longest on top: what the charts by country, product, customer and rep share."""

from collections.abc import Mapping
from decimal import Decimal

from plotly.graph_objects import Bar, Figure

from salespipe_dagster.charts import _look, _totals, _words
from salespipe_dagster.charts._look import About

MOST_BARS = 15


def revenue_bars(
    totals: Mapping[str, Decimal], *, by: str, one: str, many: str, source: str, about: About, makes: str = "makes"
) -> Figure:
    """Revenue by name, with its share; the smallest together where there are many.

    Args:
        totals: revenue of each name over all months.
        by: what the bars are by: "country".
        one: one of them.
        many: several of them.
        source: the table that the figures are from, as layer/name.
        about: what is said of the figures.
        makes: the verb of one of them: a country makes, Classic Cars make.
    """
    names, rest = _totals.ranked(totals, MOST_BARS)
    bars = {name: totals[name] for name in names}
    if rest:
        bars[f"{len(rest)} other {many}"] = sum((totals[name] for name in rest), _totals.ZERO)
    total = sum(totals.values(), _totals.ZERO)
    return _look.figure(
        Bar(
            orientation="h",
            y=list(bars),
            x=[float(amount) for amount in bars.values()],
            text=[_label(amount, bars, total) for amount in bars.values()],
            textposition="outside",
            hovertext=[
                f"{_words.literal(name)}<br>{about.currency} {_words.exact(amount)}" for name, amount in bars.items()
            ],
            hovertemplate="%{hovertext}<extra></extra>",
            marker={"color": [_look.REVENUE] * len(names) + [_look.OTHER] * bool(rest)},
            cliponaxis=False,
        ),
        kind=f"Bar chart of revenue by {by}",
        finding=_totals.leader(totals, about, makes=makes, many=many),
        detail=f"{about.currency} {_words.short(total)} of revenue "
        f"from {_words.count(len(totals), one, many)} in {_words.count(len(about.months), 'month')}",
        source=source,
        about=about,
        layout={
            "xaxis": _look.money_axis(bars.values(), f"Revenue, {about.currency}"),
            "yaxis": _look.name_axis(list(bars)),
            "bargap": 0.3,
        },
        left=220,
    )


def _label(amount: Decimal, bars: Mapping[str, Decimal], total: Decimal) -> str:
    """The amount and, where shares mean something, its share."""
    shares = total > 0 and min(bars.values()) >= 0
    return f"{_words.short(amount)}  ({_words.share(amount, total)})" if shares else _words.short(amount)
