"""Customers by credit limit and revenue, as a scatter."""

from decimal import Decimal
from typing import Any, NamedTuple

from plotly.graph_objects import Figure, Scatter
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from salespipe_dagster.charts import _look, _totals, _words
from salespipe_dagster.charts._look import About
from salespipe_dagster.rendering import HEIGHT, WIDTH

MOST_POINTS = 1000
MOST_NAMES = 5
"""Of those over their limit, and of the others."""

NAME_SIZE, LINE, GAP = 13, 20, 10
"""Pixels of a name's font, of its line, and from its point."""


class Point(NamedTuple):
    """A customer with a credit limit."""

    name: str
    limit: Decimal
    revenue: Decimal
    balance: Decimal
    is_over: bool


def credit_limit_and_sales(customer_lifetimes: DataFrame, dim_customers: DataFrame, *, about: About) -> Figure:
    """Credit limit and revenue of each customer over all months; who owes more than the limit is marked.

    Customers without a limit are told in words. Where there are very many, those who buy most are shown.
    """
    counted = customer_lifetimes.agg(
        F.count(F.lit(1)).alias("customers"),
        F.count("credit_limit").alias("limited"),
        F.count(F.when(F.col("is_over_credit_limit"), F.lit(1))).alias("over"),
    ).collect()[0]
    most = customer_lifetimes.where("credit_limit IS NOT NULL").orderBy(F.desc("revenue"), "customer_number")
    names = dim_customers.select("customer_number", "customer_name")
    rows = most.limit(MOST_POINTS).join(names, on="customer_number", how="left").collect()
    points = sorted(map(_point, rows), key=lambda p: (-p.revenue, p.name))
    unlimited = counted.customers - counted.limited
    detail = f"{_words.count(counted.limited, 'customer')} with a credit limit" + (
        f", the {len(points):,} who buy most of them are shown" if counted.limited > len(points) else ""
    )
    axes = {
        "xaxis": _look.money_axis([p.limit for p in points], f"Credit limit, {about.currency}"),
        "yaxis": _look.money_axis([p.revenue for p in points], f"Revenue, {about.currency}"),
    }
    axes["xaxis"] |= {"showgrid": True}
    return _look.figure(
        _scatter("Within the limit", [p for p in points if not p.is_over], about, _look.REVENUE, "circle"),
        _scatter("Owes more than the limit", [p for p in points if p.is_over], about, _look.OVER_LIMIT, "diamond"),
        kind="Scatter chart of customers by credit limit and revenue",
        finding=_finding(counted, points, about),
        detail=f"{detail}; {f'{unlimited:,}' if unlimited else 'none'} without one",
        source="marts/customer_lifetimes",
        about=about,
        layout=axes | {"legend": _look.LEGEND},
        annotations=_names(points, axes["xaxis"]["range"], axes["yaxis"]["range"]),
        top=_look.LEGEND_TOP,
    )


def _point(row: Row) -> Point:
    name = row.customer_name or f"Customer {row.customer_number}"
    return Point(name, row.credit_limit, row.revenue, row.balance, bool(row.is_over_credit_limit))


def _finding(counted: Row, points: list[Point], about: About) -> str:
    if not about.months:
        return _totals.nothing({}, about)
    if not counted.limited:
        return "No customer has a credit limit"
    if counted.over == 0:
        return "No customer owes more than the credit limit"
    if counted.over == counted.limited:
        return "Every customer with a credit limit owes more than it"
    if counted.over == 1 and (over := [p.name for p in points if p.is_over]):
        return f"{_words.clipped(over[0], 40)} owes more than its credit limit"
    owe = "owes" if counted.over == 1 else "owe"
    return f"{counted.over:,} of {counted.limited:,} customers {owe} more than their credit limit"


def _scatter(name: str, points: list[Point], about: About, color: str, symbol: str) -> Scatter:
    def hover(p: Point) -> str:
        money = [("revenue", p.revenue), ("credit limit", p.limit), ("owes", p.balance)]
        return "<br>".join([_words.literal(p.name), *(f"{t} {about.currency} {_words.exact(a)}" for t, a in money)])

    return Scatter(
        name=name,
        x=[float(p.limit) for p in points],
        y=[float(p.revenue) for p in points],
        hovertext=[hover(p) for p in points],
        hovertemplate="%{hovertext}<extra></extra>",
        mode="markers",
        marker={"color": color, "symbol": symbol, "size": 9, "opacity": 0.75, "line": {"color": "white", "width": 1}},
        cliponaxis=False,
        showlegend=True,
    )


def _names(points: list[Point], across: list[float], up: list[float]) -> list[dict[str, Any]]:
    """The names of those who buy most, of those over their limit and of the others; as far as there is room.

    A name may not cover another one, a point or the edge.
    """
    width, height = WIDTH - 130, HEIGHT - _look.LEGEND_TOP - _look.BOTTOM

    def pixels(p: Point) -> tuple[float, float]:
        return (
            (float(p.limit) - across[0]) / (across[1] - across[0]) * width,
            (float(p.revenue) - up[0]) / (up[1] - up[0]) * height,
        )

    places = [pixels(p) for p in points]
    over, within = ([p for p in points if p.is_over is is_over and p.revenue] for is_over in (True, False))
    taken: list[tuple[float, float, float]] = []
    found: list[dict[str, Any]] = []
    for p in [*over[:MOST_NAMES], *within[:MOST_NAMES]]:
        x, y = pixels(p)
        text = _words.fitted(p.name, _look.LABEL, NAME_SIZE)
        length = _words.width(text, NAME_SIZE)
        for side, start in (("left", x + GAP), ("right", x - GAP - length)):
            end = start + length
            covers = any(abs(y - other) < LINE and start < right and left < end for left, right, other in taken)
            covers = covers or any(abs(y - other) < LINE * 0.7 and start < each < end for each, other in places)
            if start >= 0 and end <= width and not covers:
                taken.append((start, end, y))
                found.append(_name(p, text, side))
                break
    return found


def _name(p: Point, text: str, side: str) -> dict[str, Any]:
    return {
        "x": float(p.limit),
        "y": float(p.revenue),
        "text": _words.literal(text),
        "xanchor": side,
        "xshift": GAP - 2 if side == "left" else 2 - GAP,
        "showarrow": False,
        "font": {"size": NAME_SIZE},
    }
