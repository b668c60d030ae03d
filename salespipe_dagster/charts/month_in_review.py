"""One month's key figures against the month and the year before, with its top wholesale products and customers."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from salespipe_dagster.charts import _bars, _look, _totals, _words
from salespipe_dagster.charts._look import About
from salespipe_spark import months

TOP = 5
COUNTS = ("Orders", "Customers")
MARGIN = "Wholesale margin"
ADDITIVE = ("revenue", "orders", "customers", "margin_amount", "cancelled_amount")
BARS = 0.66
"""The share of the height that the bars take, below the key figures."""

LEFT, TILE = 220, 192
"""Pixels left of the first bars, and of a key figure."""


@dataclass(frozen=True)
class Leaders:
    """The largest of a month by name, and the amount of all."""

    amounts: Mapping[str, Decimal]
    whole: Decimal


def month_in_review(
    monthly_revenue: DataFrame,
    revenue_by_product: DataFrame,
    revenue_by_customer: DataFrame,
    dim_products: DataFrame,
    dim_customers: DataFrame,
    *,
    abouts: Mapping[str, About],
) -> dict[str, Figure]:
    """For each month its key figures, beside them those of the month and of the year before, and who led in it.

    Orders and customers are added up over the channels, which share none; margin, products and customers by name
    are those of the wholesale channel alone. A dash stands for what is not known, and for a change from zero, or
    from or to less.
    """
    shown = sorted({month for about in abouts.values() for month in about.months})
    sums = _totals.sums(_of(monthly_revenue, shown), ("month_start",), ADDITIVE)
    figures = {month: _figures(sums.get((month,))) for month in shown}
    products = _leaders(_of(revenue_by_product, list(abouts)), dim_products, "product_code", "product_name")
    customers = _leaders(_of(revenue_by_customer, list(abouts)), dim_customers, "customer_number", "customer_name")
    none = Leaders({}, _totals.ZERO)
    return {
        month: _review(month, figures, products.get(month, none), customers.get(month, none), about)
        for month, about in abouts.items()
    }


def _of(frame: DataFrame, wanted: list[str]) -> DataFrame:
    return frame.where(F.col("month_start").isin([months.first_day(month) for month in wanted]))


def _figures(sums: tuple[Decimal | int | None, ...] | None) -> dict[str, Decimal]:
    """A month's key figures; a month without rows has sold nothing, and is without an average."""
    amounts = [Decimal(amount or 0) for amount in sums or [0] * len(ADDITIVE)]
    revenue, orders, customers, margin, cancelled = amounts
    average = {"Average order": revenue / orders} if orders else {}
    found = {"Revenue": revenue, "Orders": orders} | average
    return found | {"Customers": customers, MARGIN: margin, "Cancelled": cancelled}


def _leaders(frame: DataFrame, dimension: DataFrame, key: str, name: str) -> dict[str, Leaders]:
    """The largest of each month, ranked on the engine, with the revenue of all."""
    month = Window.partitionBy("month_start")
    rows = (
        frame.where("revenue <> 0")
        .withColumn("place", F.row_number().over(month.orderBy(F.desc("revenue"), key)))
        .withColumn("whole", F.sum("revenue").over(month))
        .where(F.col("place") <= TOP)
        .join(dimension.select(key, name), on=key, how="left")
        .orderBy("month_start", "place")
        .collect()
    )
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(months.month_of(row.month_start), []).append(row)
    return {
        month: Leaders(
            _totals.named({str(r[key]): r.revenue for r in rows}, {str(r[key]): r[name] for r in rows}),
            rows[0].whole,
        )
        for month, rows in found.items()
    }


def _review(
    month: str, figures: Mapping[str, dict[str, Decimal]], products: Leaders, customers: Leaders, about: About
) -> Figure:
    before = {other: figures.get(other, {}) if other in about.months else {} for other in _before(month)}
    now = figures[month] if about.months else {}
    left, right, up = [0.0, 0.37], [0.63, 1.0], [0.0, BARS]
    one = _bars.trace(products.amounts, products.whole, about, _totals.WHOLESALE)
    other = _bars.trace(customers.amounts, customers.whole, about, _totals.WHOLESALE).update(xaxis="x2", yaxis="y2")
    return _look.figure(
        one,
        other,
        kind="Key figures, and bar charts of the month's top products and customers",
        finding=_finding(month, now, before, about),
        detail="All channels together; below each figure its change "
        f"on {' and on '.join(map(_words.month_name, before))}; a dash where no percentage makes sense",
        source="marts/monthly_revenue, revenue_by_product, revenue_by_customer",
        about=about,
        layout={
            **_bars.panel(_five(products, about), left, up),
            **_bars.panel(_five(customers, about), right, up, "2"),
            "bargap": 0.3,
            "showlegend": False,
        },
        annotations=[
            *_tiles(now, before, about),
            _heading("Top wholesale products", left[0]),
            _heading("Top wholesale customers", right[0]),
        ],
        left=LEFT,
    )


def _five(leaders: Leaders, about: About) -> dict[str, Any]:
    """The axes of the leaders, with room for five also where there are fewer."""
    axes = _bars.axes(leaders.amounts, about)
    return axes | {"yaxis": axes["yaxis"] | {"range": [TOP - 0.5, -0.5]}}


def _before(month: str) -> list[str]:
    return [months.shifted(month, -1), months.shifted(month, -12)]


def _finding(month: str, now: Mapping[str, Decimal], before: Mapping[str, dict[str, Decimal]], about: About) -> str:
    name = _words.month_name(month)
    if not now:
        return f"{name} is not published yet"
    if not now["Revenue"]:
        return _totals.nothing({}, About(about.currency, [month], 1, about.run))
    text = f"Revenue was {about.currency} {_words.short(now['Revenue'])} in {name}"
    change = _words.change(now["Revenue"], before[months.shifted(month, -1)].get("Revenue"))
    return text if change == _words.DASH else f"{text}, {change} on the month before"


def _tiles(now: Mapping[str, Decimal], before: Mapping[str, dict[str, Decimal]], about: About) -> list[dict[str, Any]]:
    """The key figures side by side over the whole width, each between its name and its changes."""
    names = ("Revenue", "Orders", "Average order", "Customers", MARGIN, "Cancelled") if now else ()
    big = f"<span style='color:{_look.INK};font-size:{_look.TITLE}px'>"
    found: list[dict[str, Any]] = []
    for place, name in enumerate(names):
        amount = now.get(name)
        unit = "" if name in COUNTS else f", {about.currency}"
        figure = _words.DASH if amount is None else _words.short(amount)
        changes = [f"{_change(amount, each.get(name))} on {_words.month_name(m)}" for m, each in before.items()]
        # A blank line: a line is as high as the smaller font.
        text = f"{name}{_words.literal(unit)}<br><br>{big}<b>{figure}</b></span><br>{'<br>'.join(changes)}"
        found.append(
            {
                "text": text,
                "font": {"size": _look.SIZE, "color": _look.MUTED},
                "align": "left",
                "showarrow": False,
                "xref": "paper",
                "x": 0,
                "xanchor": "left",
                "xshift": _look.EDGE - LEFT + place * TILE,
                "yref": "paper",
                "y": 1,
                "yanchor": "top",
            }
        )
    return found


def _change(now: Decimal | None, before: Decimal | None) -> str:
    return _words.DASH if now is None else _words.change(now, before)


def _heading(text: str, x: float) -> dict[str, Any]:
    return {
        "text": f"<b>{text}</b>",
        "font": {"size": 16},
        "showarrow": False,
        "xref": "paper",
        "x": x,
        "xanchor": "left",
        "yref": "paper",
        "y": BARS,
        "yanchor": "bottom",
        "yshift": 6,
    }
