"""Revenue by product line and month as a heatmap."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from plotly.graph_objects import Figure, Heatmap
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _look, _totals, _words
from salespipe_dagster.charts._look import About

MOST_LINES = 15
MOST_MONTHS_WITH_TEXT = 24

Cells = Mapping[tuple[str, str], Decimal]


def product_line_by_month(revenue_by_country_and_product_line: DataFrame, *, about: About) -> Figure:
    """Revenue of each product line in each month; the smallest lines together where there are many.

    A published month in which a line sold nothing is zero; a month that is not published is blank.
    """
    found = _totals.sums(revenue_by_country_and_product_line, ("product_line", "month_start"), ("revenue",))
    totals: dict[str, Decimal] = {}
    for (line, _), (amount,) in found.items():
        totals[line] = totals.get(line, _totals.ZERO) + amount
    names, rest = _totals.ranked(totals, MOST_LINES)
    rows = {name: [name] for name in names} | ({f"{len(rest)} other lines": rest} if rest else {})
    cells = {
        (row, month): sum((found.get((line, month), (_totals.ZERO,))[0] for line in lines), _totals.ZERO)
        for row, lines in rows.items()
        for month in about.months
    }
    total = sum(totals.values(), _totals.ZERO)
    return _look.figure(
        _heatmap(list(rows), cells, about),
        kind="Heatmap of revenue by product line and month",
        finding=_totals.leader(totals, about, makes="make", many="product lines"),
        detail=f"{about.currency} {_words.short(total)} of revenue "
        f"from {_words.count(len(totals), 'product line')} in {_words.count(len(about.months), 'month')}, "
        "the largest line on top",
        source="marts/revenue_by_country_and_product_line",
        about=about,
        layout={"xaxis": _look.month_axis(about.span), "yaxis": _look.name_axis(list(rows))},
        left=220,
    )


def _heatmap(rows: list[str], cells: Cells, about: About) -> Heatmap:
    span = about.span
    texts = len(span) <= MOST_MONTHS_WITH_TEXT
    return Heatmap(
        x=span,
        y=rows,
        z=[[float(cells[row, m]) if (row, m) in cells else None for m in span] for row in rows],
        text=[[_words.tight(cells[row, m]) if (row, m) in cells else "" for m in span] for row in rows],
        texttemplate="%{text}" if texts else "",
        textfont={"size": 12, "color": _look.INK},
        hovertext=[[_hover(row, m, cells, about) for m in span] for row in rows],
        hovertemplate="%{hovertext}<extra></extra>",
        hoverongaps=False,
        xgap=2,
        ygap=2,
        colorbar={
            "title": {"text": f"{about.currency}<br>per month<br>&nbsp;", "side": "top", "font": {"size": 13}},
            "exponentformat": "B",
            "outlinewidth": 0,
            "thickness": 16,
        },
        **_colours(cells),
    )


def _hover(row: str, month: str, cells: Cells, about: About) -> str:
    amount = f"{about.currency} {_words.exact(cells[row, month])}" if (row, month) in cells else "not published"
    return f"{_words.literal(row)}, {_words.month_name(month)}<br>{amount}"


def _colours(cells: Cells) -> dict[str, Any]:
    """From zero to the largest amount; where one is negative, both ways from zero as far as the furthest."""
    low, high = min(cells.values(), default=_totals.ZERO), max(cells.values(), default=_totals.ZERO)
    if low < 0:
        furthest = float(max(-low, high))
        return {"zmin": -furthest, "zmax": furthest, "colorscale": _look.TWO_SIDED_SHADES}
    return {"zmin": 0, "zmax": float(high) or 1, "colorscale": _look.SHADES}
