"""The report: one HTML file of all figures, with filters, that needs no server and no network.

`figures.py` takes from the marts what the page holds, `page.py` puts it into `report.html` with the
style and the scripts that lie beside it. The page adds up additive measures and nothing else.
"""

from pyspark.sql import DataFrame

from salespipe_dagster.charts import About, _totals, inputs_of
from salespipe_dagster.report import figures, page
from salespipe_spark.marts.monthly_revenue import WHOLESALE

__all__ = ["INPUTS", "report"]


def report(
    monthly_revenue: DataFrame,
    revenue_by_country: DataFrame,
    revenue_by_country_and_product_line: DataFrame,
    revenue_by_product: DataFrame,
    revenue_by_customer: DataFrame,
    receivables_ageing: DataFrame,
    dim_products: DataFrame,
    dim_customers: DataFrame,
    *,
    about: About,
) -> bytes:
    """One page with the key figures, the charts and the tables behind them, for any months, countries and lines.

    The same figures make the same bytes. The run that the page names is the one that published the
    newest of them.

    Raises:
        SalespipeError: the marts do not agree, or an amount is beyond what a browser adds up to the cent.
    """
    monthly = figures.rows(monthly_revenue.where(f"channel = '{WHOLESALE}'"), about, *figures.COUNTS)
    cube = figures.rows(
        revenue_by_country_and_product_line, about, "country", "product_line", *figures.ADDITIVE, "orders"
    )
    by_country = figures.rows(revenue_by_country, about, "country", "orders")
    product_names = _totals.names(dim_products, "product_code", "product_name")
    customer_names = _totals.names(dim_customers, "customer_number", "customer_name")
    products = figures.ranking(revenue_by_product, about, "product_code", product_names, "product_line")
    customers = figures.ranking(revenue_by_customer, about, "customer_number", customer_names)
    for name, found in {
        "revenue_by_country_and_product_line": [row[:1] + row[3:] for row in cube],
        "revenue_by_product": products.sums,
        "revenue_by_customer": customers.sums,
    }.items():
        figures.hold_against(monthly, found, name)
    ageing = figures.ageing(receivables_ageing, customer_names)
    return page.page(figures.payload(monthly, by_country, cube, products, customers, ageing, about))


INPUTS = inputs_of(report)
