"""Revenue of each channel over time, as lines."""

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _lines, _look, _totals, _words
from salespipe_dagster.charts._lines import Lines
from salespipe_dagster.charts._look import About
from salespipe_spark import months
from salespipe_spark.marts.monthly_revenue import ONLINE, WHOLESALE

COLOURS = {WHOLESALE: _look.WHOLESALE, ONLINE: _look.ONLINE}


def revenue_by_channel(monthly_revenue: DataFrame, *, about: About) -> Figure:
    """Revenue of each channel in each month; the line below the title says what part is online.

    A channel has a line as soon as it has sold anything. A published month in which it sold nothing is zero; a month
    that is not published is a gap.
    """
    found = _totals.sums(monthly_revenue, ("channel", "month_start"), ("revenue",))
    sold = sorted({channel for channel, _ in found})
    every = {c: {month: found.get((c, month), (_totals.ZERO,))[0] for month in about.months} for c in sold}
    totals = {channel: sum(amounts.values(), _totals.ZERO) for channel, amounts in every.items()}
    total = sum(totals.values(), _totals.ZERO)
    colours = _look.colours(sold) | COLOURS
    return _lines.revenue_lines(
        {channel.capitalize(): every[channel] for channel in _totals.ranked(totals, len(totals))[0]},
        {channel.capitalize(): color for channel, color in colours.items()},
        kind="Line chart of revenue by channel and month",
        finding=_totals.leader(totals, about, makes="makes", many="channels", named=str.capitalize),
        detail=f"{about.currency} {_words.short(total)} of revenue in {_words.count(len(about.months), 'month')}"
        f"{_share(every)}",
        source="marts/monthly_revenue",
        about=about,
    )


def _share(lines: Lines) -> str:
    """What part is sold online in the last month, and was the year before, where shares mean something."""
    last = max(lines.get(ONLINE, {}), default="")
    if not last:
        return ""
    parts = {month: _part(month, lines) for month in (last, months.shifted(last, -12))}
    told = ", ".join(f"{part} in {_words.month_name(month)}" for month, part in parts.items() if part)
    return f"; online makes {told}" if told else ""


def _part(month: str, lines: Lines) -> str:
    amounts = {name: line[month] for name, line in lines.items() if month in line}
    whole = sum(amounts.values(), _totals.ZERO)
    return _words.share(amounts[ONLINE], whole) if whole > 0 and min(amounts.values()) >= 0 else ""
