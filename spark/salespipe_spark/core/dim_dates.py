"""The calendar: every day of the years that the lake covers and of the year after.

The year after is there because orders are required and shipped after the last month.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Contract, Type

CONTRACT = Contract(
    grain="One row per day.",
    key=("date",),
    columns=(
        Column("date", Type.DATE, "The day."),
        Column("year", Type.INT, "Calendar year."),
        Column("quarter", Type.INT, "Quarter of the year, 1 to 4."),
        Column("month", Type.INT, "Month of the year, 1 to 12."),
        Column("month_start", Type.DATE, "The first day of the month."),
        Column("month_name", Type.STRING, "The month's English name."),
        Column("week", Type.INT, "ISO week; the first days of January may lie in week 52 or 53."),
        Column("day_of_week", Type.INT, "ISO day of the week: Monday is 1, Sunday 7."),
        Column("day_name", Type.STRING, "The day's English name."),
        Column("is_weekend", Type.BOOLEAN, "Whether the day is a Saturday or a Sunday."),
    ),
)


def dim_dates(calendar: DataFrame) -> DataFrame:
    """One row per day from `first_date` to `last_date` of the calendar's only row."""
    # By number: a sequence of dates goes by nanoseconds on Sail, and so does F.trunc; both fail before 1677.
    numbers = F.sequence(F.unix_date("first_date"), F.unix_date("last_date"))
    days = calendar.select(F.explode(numbers).alias("day")).select(F.date_from_unix_date("day").alias("date"))
    day_of_week = (F.dayofweek("date") + F.lit(5)) % F.lit(7) + F.lit(1)  # F.weekday of a Sunday is -1 on Sail
    columns = {
        "year": F.year("date"),
        "quarter": F.quarter("date"),
        "month": F.month("date"),
        "month_start": F.make_date(F.year("date"), F.month("date"), F.lit(1)),
        "month_name": F.date_format("date", "MMMM"),
        "week": F.weekofyear("date"),
        "day_of_week": day_of_week,
        "day_name": F.date_format("date", "EEEE"),
        "is_weekend": day_of_week >= F.lit(6),
    }
    return days.withColumns(columns).select(*CONTRACT.names)
