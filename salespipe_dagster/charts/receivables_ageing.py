"""What customers owe by the age of the order, as bars."""

from decimal import Decimal

from plotly.graph_objects import Bar, Figure
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_dagster.charts import _bars, _look, _totals, _words
from salespipe_dagster.charts._look import About
from salespipe_spark.marts.receivables_ageing import BUCKETS, CREDIT

PAID_AHEAD = "Paid ahead"


def receivables_ageing(receivables_ageing: DataFrame, *, about: About) -> Figure:
    """What all customers together owe by days since the order, and apart from it what was paid ahead."""
    sums = (F.sum("amount").alias("amount"), F.max("as_of_date").alias("as_of"))
    rows = receivables_ageing.groupBy("bucket").agg(*sums).collect()
    found: dict[str, Decimal] = {row.bucket: row.amount for row in rows}
    owing = receivables_ageing.where(F.col("bucket") != F.lit(CREDIT)).select("customer_number").distinct().count()
    owed = {bucket: found.get(bucket, _totals.ZERO) for bucket in BUCKETS}
    ahead = found.get(CREDIT, _totals.ZERO)
    bars = owed | {PAID_AHEAD: ahead}
    total = sum(owed.values(), _totals.ZERO)
    as_of = f" on {_words.day_name(max(row.as_of for row in rows))}" if rows else ""
    paid = f"{about.currency} {_words.short(-ahead)}" if ahead else "nothing"
    return _look.figure(
        Bar(
            x=list(bars),
            y=[float(amount) for amount in bars.values()],
            text=[*(_bars.label(amount, owed, total) for amount in owed.values()), _words.short(ahead)],
            textposition="outside",
            hovertext=[f"{bucket}<br>{about.currency} {_words.exact(bars[bucket])}" for bucket in bars],
            hovertemplate="%{hovertext}<extra></extra>",
            marker={"color": [_look.REVENUE] * len(owed) + [_look.OTHER]},
            cliponaxis=False,
        ),
        kind="Bar chart of what customers owe by the age of the order",
        finding=_finding(owed, about),
        detail=f"{_words.count(owing, 'customer')} {'owes' if owing == 1 else 'owe'} {about.currency} "
        f"{_words.short(total)}{as_of}; {paid} is paid ahead",
        source="marts/receivables_ageing",
        about=about,
        layout={
            "xaxis": {
                "type": "category",
                "ticks": "",
                "ticklabelstandoff": 6,
                "showgrid": False,
                "title": {"text": "Age of the order; payments settle the oldest orders first", "standoff": 12},
            },
            "yaxis": _look.money_axis(bars.values(), f"Open amount, {about.currency}"),
            "bargap": 0.35,
        },
    )


def _finding(owed: dict[str, Decimal], about: About) -> str:
    if not about.months:
        return _totals.nothing({}, about)
    total, oldest = sum(owed.values(), _totals.ZERO), owed[BUCKETS[-1]]
    if not total:
        return f"Nothing is owed at the end of {_words.month_name(about.months[-1])}"
    if min(owed.values()) < 0:  # a part of that says nothing
        return f"Customers owe {about.currency} {_words.short(total)}"
    part = {_totals.ZERO: "Nothing that", total: "All that"}.get(oldest)
    part = part or f"{_words.share(oldest, total).capitalize()} of what"
    return f"{part} customers owe is {BUCKETS[-1].replace('over', 'older than')}"
