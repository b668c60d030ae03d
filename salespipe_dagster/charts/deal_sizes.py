"""How large orders are, as a histogram with mean and median."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from plotly.graph_objects import Bar, Figure
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_dagster.charts import _look, _totals, _words
from salespipe_dagster.charts._look import About

FEWEST_BUCKETS, MOST_BUCKETS = 8, 24
MOST_TICKS = 12
OUTLYING = 1.5
"""From how many times the 99th percentile on the largest orders share one open bucket."""

CENTS = 100
HEADROOM = 1.25


@dataclass(frozen=True)
class Sizes:
    """What is known of all orders' amounts; amounts in cents, counts by bucket."""

    orders: int = 0
    mean: Decimal = _totals.ZERO
    median: Decimal = _totals.ZERO
    deviation: Decimal | None = None
    width: int = 1
    first: int = 0
    last: int = 0

    def start(self, bucket: int) -> Decimal:
        """The amount at which a bucket begins."""
        return Decimal(bucket * self.width) / CENTS


def deal_sizes(fact_orders: DataFrame, *, about: About) -> Figure:
    """How many orders, without cancelled ones, are of which size; with mean, median and standard deviation.

    Buckets are equally wide, from zero; where a few orders are far larger than all others, these share the last,
    open one. Everything is counted on the engine.
    """
    live = fact_orders.where("NOT is_cancelled")
    orders = live.groupBy("order_number").agg(F.sum("amount").alias("amount"))
    sizes = _sizes(orders)
    counts = _counts(orders, sizes)
    money = {"mean": sizes.mean, "median": sizes.median, "standard deviation": sizes.deviation}
    told = [f"{name} {about.currency} {_words.short(a)}" for name, a in money.items() if a is not None]
    highest = max(counts.values(), default=1)
    lines, texts = _marks(counts, sizes, about)
    return _look.figure(
        _bars(counts, sizes, about),
        kind="Histogram, a bar chart of orders by amount",
        finding=_finding(sizes, about),
        detail=f"{_words.count(sizes.orders, 'order')} {_words.during(about.months)}: {', '.join(told)}"
        if about.months
        else "",
        source="core/fact_orders",
        about=about,
        layout={
            "xaxis": _amount_axis(counts, sizes, about),
            "yaxis": _look.money_axis([], "Orders")
            | {"range": [0, highest * HEADROOM], "tick0": 0, "dtick": _round_up(highest / 8)},
            "shapes": lines,
        },
        annotations=texts,
    )


def _sizes(orders: DataFrame) -> Sizes:
    """The statistics, and buckets of a round width: more of them for more orders."""
    row = orders.agg(
        F.count(F.lit(1)).alias("orders"),
        F.sum("amount").alias("total"),
        F.min("amount").alias("least"),
        F.max("amount").alias("most"),
        F.expr("percentile(amount, array(0.01, 0.5, 0.99))").alias("percentiles"),
        F.stddev(F.col("amount").cast("double")).alias("deviation"),
    ).collect()[0]
    if not row.orders:
        return Sizes()
    low, median, high = row.percentiles
    least, most = float(row.least), float(row.most)
    low = min(0.0, least if least >= OUTLYING * low else low)
    high = max(0.0, most if most <= OUTLYING * high else high)
    wanted = min(MOST_BUCKETS, max(FEWEST_BUCKETS, math.isqrt(row.orders)))
    width = _round_up((high - low) * CENTS / wanted)
    deviation = row.deviation if row.orders > 1 else None
    return Sizes(
        orders=row.orders,
        mean=row.total / row.orders,
        median=Decimal(str(round(median, 2))),
        deviation=None if deviation is None else Decimal(str(round(deviation, 2))),
        width=width,
        first=math.floor(low * CENTS / width),
        last=math.floor(high * CENTS / width),
    )


def _round_up(number: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50 and so on."""
    power = 10 ** math.floor(math.log10(max(number, 1)))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= number)


def _counts(orders: DataFrame, sizes: Sizes) -> dict[int, int]:
    """Orders by bucket; those before the first and after the last are one bucket each."""
    if not sizes.orders:
        return {}
    cents = (F.col("amount") * CENTS).cast("double")  # whole numbers, which a double divides to the right side
    bucket = F.floor(cents / F.lit(float(sizes.width))).cast("bigint")
    bucket = F.greatest(F.lit(sizes.first - 1), F.least(F.lit(sizes.last + 1), bucket))
    rows = orders.groupBy(bucket.alias("bucket")).agg(F.count(F.lit(1)).alias("orders")).collect()
    found = {row.bucket: row.orders for row in rows}
    inner = range(min(sizes.first, *found), max(sizes.last, *found) + 1)
    return {bucket: found.get(bucket, 0) for bucket in inner}


def _finding(sizes: Sizes, about: About) -> str:
    if not about.months or not sizes.orders:
        return _totals.nothing({}, about)
    median, mean = (f"{about.currency} {_words.short(amount)}" for amount in (sizes.median, sizes.mean))
    if sizes.orders == 1:
        return f"The only order is {mean}"
    return f"The median order is {median}, the mean {mean}"


def _label(bucket: int, sizes: Sizes) -> str:
    start, end = (_words.edge(sizes.start(each)) for each in (bucket, bucket + 1))
    if bucket < sizes.first:
        return f"under {end}"
    return f"{start} and more" if bucket > sizes.last else f"{start} to under {end}"


def _bars(counts: Mapping[int, int], sizes: Sizes, about: About) -> Bar:
    def hover(bucket: int) -> str:
        share = _words.share(Decimal(counts[bucket]), Decimal(sizes.orders))
        return f"{about.currency} {_label(bucket, sizes)}<br>{_words.count(counts[bucket], 'order')} ({share})"

    return Bar(
        x=[_middle(bucket, sizes) for bucket in counts],
        y=list(counts.values()),
        width=0.94 * sizes.width / CENTS,
        text=[_words.tight(Decimal(number)) if number else "" for number in counts.values()],
        textposition="outside",
        textfont={"size": 12},
        textangle=0,
        hovertext=[hover(bucket) for bucket in counts],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={"color": [_look.REVENUE if sizes.first <= b <= sizes.last else _look.OTHER for b in counts]},
        cliponaxis=False,
    )


def _middle(bucket: int, sizes: Sizes) -> float:
    return float(sizes.start(bucket)) + sizes.width / CENTS / 2


def _amount_axis(counts: Mapping[int, int], sizes: Sizes, about: About) -> dict[str, Any]:
    """An axis that is labelled at edges of buckets."""
    edges = [*counts, max(counts) + 1] if counts else [0, 1]
    step = -(-len(edges) // MOST_TICKS)
    ticks = [edge for edge in edges if edge % step == 0 and sizes.first <= edge <= sizes.last + 1]
    return {
        "range": [float(sizes.start(edges[0])), float(sizes.start(edges[-1]))],
        "tickmode": "array",
        "tickvals": [float(sizes.start(edge)) for edge in ticks],
        "ticktext": [_words.edge(sizes.start(edge)) for edge in ticks],
        "tickangle": 0,
        "ticks": "",
        "ticklabelstandoff": 6,
        "showgrid": False,
        "title": {"text": f"Amount of the order, {about.currency}", "standoff": 12},
    }


def _bucket(amount: Decimal, sizes: Sizes) -> int:
    return max(sizes.first - 1, min(sizes.last + 1, math.floor(amount * CENTS / sizes.width)))


def _marks(counts: Mapping[int, int], sizes: Sizes, about: About) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Lines at mean and median, each from above its bar's label to the top, and the texts beside them."""
    lines: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    if not counts:
        return lines, texts
    low, high = (float(sizes.start(bucket)) for bucket in (min(counts), max(counts) + 1))
    for name, amount, top, dash in (("mean", sizes.mean, 1.0, "solid"), ("median", sizes.median, 0.94, "dot")):
        bucket = _bucket(amount, sizes)
        # In an open bucket an amount has no place of its own.
        place = float(amount) if sizes.first <= bucket <= sizes.last else _middle(bucket, sizes)
        bottom = counts[bucket] / max(counts.values()) / HEADROOM + 0.05
        line = {"color": _look.INK, "width": 2, "dash": dash}
        lines.append(
            {
                "type": "line",
                "x0": place,
                "x1": place,
                "yref": "paper",
                "y0": bottom,
                "y1": top,
                "line": line,
                "layer": "below",
            }
        )
        others = sizes.median if name == "mean" else sizes.mean
        left = place > low + 0.8 * (high - low) or (amount < others and place > low + 0.2 * (high - low))
        texts.append(
            {
                "x": place,
                "y": top,
                "yref": "paper",
                "yanchor": "top",
                "xanchor": "right" if left else "left",
                "xshift": -6 if left else 6,
                "text": f"{name} {about.currency} {_words.short(amount)}",
                "bgcolor": "white",
                "showarrow": False,
            }
        )
    return lines, texts
