"""What the tests of charts share: what is said of figures, rows as frames, charts as plain values."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster import charts
from salespipe_dagster.charts import About
from salespipe_spark import months

DIMENSIONS = {
    "top_products": "product_code string, product_name string",
    "top_customers": "customer_number string, customer_name string",
    "sales_by_rep": "employee_number string, full_name string",
    "credit_limit_and_sales": "customer_number string, customer_name string",
}


def about(*covered: str, expected: int = 24, currency: str = "USD", run: str = "1a2b3c4d") -> About:
    return About(currency=currency, months=list(covered), expected=expected, run=run)


def frame(spark: SparkSession, ddl: str, *rows: tuple[str, ...]) -> DataFrame:
    """Rows of text: a month, then names, then amounts."""
    texts = ddl.count("string")
    values = [(months.first_day(r[0]), *r[1 : 1 + texts], *map(Decimal, r[1 + texts :])) for r in rows]
    return spark.createDataFrame(values, ddl)


def draw(name: str, data: DataFrame, says: About, names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The chart as the plain values that plotly gets; `names` are those of its dimension, by key."""
    inputs = [data]
    if name in DIMENSIONS:
        inputs.append(data.sparkSession.createDataFrame(list((names or {}).items()), DIMENSIONS[name]))
    return charts.charts()[name].draw(*inputs, about=says).to_plotly_json()


def title(drawn: dict[str, Any]) -> str:
    return drawn["layout"]["meta"]["title"]


def detail(drawn: dict[str, Any]) -> str:
    """The line below the title."""
    return drawn["layout"]["title"]["subtitle"]["text"]


def footer(drawn: dict[str, Any]) -> str:
    return drawn["layout"]["annotations"][-1]["text"]
