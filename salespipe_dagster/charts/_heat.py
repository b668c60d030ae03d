"""A heatmap of amounts with the figures in its cells: what the charts by product line and by cohort share."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from plotly.graph_objects import Heatmap

from salespipe_dagster.charts import _look, _totals, _words
from salespipe_dagster.charts._look import About

MOST_COLUMNS_WITH_TEXT = 24
MOST_ROWS_WITH_TEXT = 24

Cells = Mapping[tuple[str, str], Decimal]


def heatmap(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Cells,
    about: About,
    hover: Callable[[str, str], str],
) -> Heatmap:
    """The amounts by row and column; a cell that is not given is blank. `hover` says what a cell is."""
    texts = len(columns) <= MOST_COLUMNS_WITH_TEXT and len(rows) <= MOST_ROWS_WITH_TEXT

    def hovered(row: str, column: str) -> str:
        known = (row, column) in cells
        amount = f"{about.currency} {_words.exact(cells[row, column])}" if known else "not published"
        return f"{hover(row, column)}<br>{amount}"

    return Heatmap(
        x=list(columns),
        y=list(rows),
        z=[[float(cells[row, c]) if (row, c) in cells else None for c in columns] for row in rows],
        text=[[_words.tight(cells[row, c]) if (row, c) in cells else "" for c in columns] for row in rows],
        texttemplate="%{text}" if texts else "",
        textfont={"size": 12, "color": _look.INK},
        hovertext=[[hovered(row, c) for c in columns] for row in rows],
        hovertemplate="%{hovertext}<extra></extra>",
        hoverongaps=False,
        xgap=2 if texts else 0.5,
        ygap=2 if texts else 0.5,
        colorbar={
            "title": {"text": f"{about.currency}<br>per month<br>&nbsp;", "side": "top", "font": {"size": 13}},
            "exponentformat": "B",
            "outlinewidth": 0,
            "thickness": 16,
        },
        **_colours(cells),
    )


def _colours(cells: Cells) -> dict[str, Any]:
    """From zero to the largest amount; where one is negative, both ways from zero as far as the furthest."""
    low, high = min(cells.values(), default=_totals.ZERO), max(cells.values(), default=_totals.ZERO)
    if low < 0:
        furthest = float(max(-low, high))
        return {"zmin": -furthest, "zmax": furthest, "colorscale": _look.TWO_SIDED_SHADES}
    return {"zmin": 0, "zmax": float(high) or 1, "colorscale": _look.SHADES}
