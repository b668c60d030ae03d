"""Revenue by country as bars."""

from decimal import Decimal

from plotly.graph_objects import Bar, Figure
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _look, _totals, _words
from salespipe_dagster.charts._look import About

MOST_BARS = 15


def revenue_by_country(revenue_by_country: DataFrame, *, about: About) -> Figure:
    """Revenue of each country over all months; the smallest together where there are many."""
    found = _totals.sums(revenue_by_country, ("country",), ("revenue",))
    totals = {country: amounts[0] for (country,), amounts in found.items()}
    names, rest = _totals.ranked(totals, MOST_BARS)
    bars = {name: totals[name] for name in names}
    if rest:
        bars[f"{len(rest)} other countries"] = sum((totals[name] for name in rest), _totals.ZERO)
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
        kind="Bar chart of revenue by country",
        finding=_totals.leader(totals, about, makes="makes", many="countries"),
        detail=f"{about.currency} {_words.short(total)} of revenue "
        f"from {_words.count(len(totals), 'country', 'countries')} in {_words.count(len(about.months), 'month')}",
        source="marts/revenue_by_country",
        about=about,
        layout={
            "xaxis": _look.money_axis(bars.values(), f"Revenue, {about.currency}"),
            "yaxis": _look.name_axis(list(bars)),
            "bargap": 0.3,
        },
        left=220,
    )


def _label(amount: Decimal, bars: dict[str, Decimal], total: Decimal) -> str:
    """The amount and, where shares mean something, its share."""
    shares = total > 0 and min(bars.values()) >= 0
    return f"{_words.short(amount)}  ({_words.share(amount, total)})" if shares else _words.short(amount)
