"""The synthetic company: every table of the source, a month at a time, from a seed alone.

Here rows become Arrow tables in the shape of the source. What the rows are is said in `people`,
`catalogue` and `trade`; words and places are in `vocabulary`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from salespipe_dagster.synthetic import catalogue, people, trade, vocabulary
from salespipe_dagster.synthetic.trade import order_numbers
from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.lake.schema import ARROW
from salespipe_spark.tables import tables

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
            return _arrow(tables()[table].contract, _SNAPSHOTS[table](self.seed))
        if month is not None and table in _MONTHLY:
            rows = _MONTHLY[table](self.seed, self.orders_per_month, trade.in_business(month))
            return _arrow(tables()[table].contract, rows)
        raise ValueError(
            f"rows({table!r}, month={month!r}): the monthly tables are {', '.join(_MONTHLY)}; "
            f"without a month come {', '.join(_SNAPSHOTS)}."
        )


def _arrow(contract: Contract, rows: Sequence[NamedTuple]) -> pa.Table:
    columns = [column for column in contract.columns if not _is_of_parent(contract, column)]
    return pa.table({column.source_name: _array(column, rows) for column in columns})


def _is_of_parent(contract: Contract, column: Column) -> bool:
    """Whether staging takes the column from the table that dates this one."""
    return contract.source is not None and bool(contract.source.dated_by) and column.name == contract.month


def _array(column: Column, rows: Sequence[NamedTuple]) -> pa.Array:
    values = [getattr(row, column.name) for row in rows]
    if column.type is not Type.PRICE:
        return pa.array(values, ARROW[column.type])
    cents = pa.array(values, pa.int64()).cast(pa.decimal128(19))
    hundredth = pa.scalar(Decimal("0.01"), pa.decimal128(3, 2))
    return pc.call_function("multiply", [cents, hundredth]).cast(ARROW[column.type])
