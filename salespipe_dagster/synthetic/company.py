"""The synthetic company: every table of the source, a month at a time, from a seed alone.

Here rows become Arrow tables in the shape of the source. What the rows are is said in `people`,
`catalogue` and `trade`; words and places are in `vocabulary`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from salespipe_dagster.resources.source_sql import own_columns
from salespipe_dagster.synthetic import catalogue, people, trade, vocabulary
from salespipe_dagster.synthetic.trade import order_numbers
from salespipe_spark.contract import Column, Type
from salespipe_spark.lake.schema import ARROW, of_cents
from salespipe_spark.tables import Table, tables

__all__ = ["Company", "order_numbers"]

_SNAPSHOTS: dict[str, Callable[[int], Sequence[NamedTuple]]] = {
    "customers": people.customers,
    "employees": people.employees,
    "offices": lambda _: vocabulary.OFFICES,
    "products": catalogue.products,
    "product_lines": lambda _: vocabulary.PRODUCT_LINES,
}
_MONTHLY: dict[str, Callable[[int, int, str], Sequence[NamedTuple]]] = {
    "orders": trade.orders,
    "order_details": trade.order_details,
    "payments": trade.payments,
}
_MOST_ORDERS = trade.NUMBERS_PER_MONTH // 6
"""The busiest month that there can be has five times the average."""


@dataclass(frozen=True)
class Company:
    """A company that is the same wherever and whenever it is made (with the locked version of Faker).

    Attributes:
        seed: names the company; another seed is another company.
        orders_per_month: how many orders an average month of 2024 and 2025 has, of six lines on average.
    """

    seed: int = 7
    orders_per_month: int = 160

    def __post_init__(self) -> None:
        """Refuses a size that the order numbers of a month have no room for."""
        if not 0 <= self.orders_per_month <= _MOST_ORDERS:
            raise ValueError(f"orders_per_month={self.orders_per_month} is not within 0 and {_MOST_ORDERS}.")

    def rows(self, table: str, month: str | None = None) -> pa.Table:
        """The rows of a table as the source has them: its column names, in the contract's order.

        Args:
            table: a staging table's name.
            month: which month; None, and only None, for a snapshot.

        Raises:
            ValueError: there is no such table, or it is cut into months and none is given, or the reverse.
            SalespipeError: the text is no month, or one that the company has no order numbers for.
        """
        if month is None and table in _SNAPSHOTS:
            return _arrow(tables()[table], _SNAPSHOTS[table](self.seed))
        if month is not None and table in _MONTHLY:
            rows = _MONTHLY[table](self.seed, self.orders_per_month, trade.in_business(month))
            return _arrow(tables()[table], rows)
        raise ValueError(
            f"rows({table!r}, month={month!r}): the monthly tables are {', '.join(_MONTHLY)}; "
            f"without a month come {', '.join(_SNAPSHOTS)}."
        )


def _arrow(table: Table, rows: Sequence[NamedTuple]) -> pa.Table:
    return pa.table({column.source_name: _array(column, rows) for column in own_columns(table)})


def _array(column: Column, rows: Sequence[NamedTuple]) -> pa.Array:
    values = [getattr(row, column.name) for row in rows]
    if column.type is Type.PRICE:
        return of_cents(pa.array(values, pa.int64())).cast(ARROW[column.type])
    return pa.array(values, ARROW[column.type])
