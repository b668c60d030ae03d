"""The synthetic company: every table of the source, a month at a time, from a seed alone.

Here rows become Arrow tables in the shape of the source. Who the company is and how much it does is said in
`business`, what the rows are in `people`, `catalogue`, `orders`, `lines` and `payments`; words and places
are in `vocabulary`, the nasty parts of real data in `quirks`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from salespipe_dagster.resources.source_sql import own_columns
from salespipe_dagster.synthetic import business, catalogue, orders, people, vocabulary
from salespipe_dagster.synthetic.business import Firm, day_number, order_numbers
from salespipe_dagster.synthetic.lines import lines
from salespipe_dagster.synthetic.payments import SUFFIXES, payments
from salespipe_dagster.synthetic.quirks import tidied
from salespipe_dagster.synthetic.streams import Flags, Ints
from salespipe_spark import months
from salespipe_spark.contract import Column, Type
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.schema import ARROW, of_cents
from salespipe_spark.tables import Table, tables

__all__ = ["Company", "Ledger", "order_numbers"]

ROWS_AT_ONCE = 200_000
"""How many rows of the source are at least handed over at once, where there are as many."""
_LETTERS = ("ABEHIMNOPQ", "ABDGJLMPS")

_SNAPSHOTS: dict[str, Callable[[Firm], Sequence[NamedTuple]]] = {
    "customers": people.customers,
    "employees": people.employees,
    "offices": lambda _: vocabulary.OFFICES,
    "products": catalogue.products,
    "product_lines": lambda _: vocabulary.PRODUCT_LINES,
}


@dataclass(frozen=True)
class Ledger:
    """What the company itself knows of its month, summed as its rows are made: no database, no engine.

    Attributes:
        orders: that are not cancelled.
        lines: of all orders.
        ordered_amount: of all lines, in units of money.
        cancelled_amount: of the lines of cancelled orders.
    """

    orders: int
    lines: int
    ordered_amount: Decimal
    cancelled_amount: Decimal


@dataclass(frozen=True)
class Company(Firm):
    """A company that is the same wherever and whenever it is made (with the locked version of Faker).

    Attributes:
        seed: names the company; another seed is another company.
        orders_per_month: how many orders an average month of 2024 and 2025 has, of six lines on average.
        quirks: whether it has the nasty parts of real data.
        first_month: in which its books are opened: payments of orders from before it are not in them.
        today: the day that it has come to. What lies after it is not there: orders and payments of later
            days, and what becomes of orders later on.
    """

    today: date = date(2025, 12, 31)

    @property
    def firm(self) -> Firm:
        """The company whatever day it is."""
        return Firm(self.seed, self.orders_per_month, self.quirks, self.first_month)

    def after(self, days: int) -> Self:
        """The company some days on.

        Raises:
            SalespipeError: that is after the last day that the company does business.
        """
        last = months.end_day(business.LAST_MONTH) - timedelta(days=1)
        if days > (last - self.today).days:
            raise SalespipeError(f"The synthetic company does no business after {last}.", "advance by fewer days")
        return replace(self, today=self.today + timedelta(days=days))

    def rows(self, table: str, month: str | None = None) -> pa.Table:
        """The rows of a table as the source has them: its column names, in the contract's order.

        Args:
            table: a staging table's name.
            month: which month; None, and only None, for a snapshot.

        Raises:
            ValueError: there is no such table, or it is cut into months and none is given, or the reverse.
            SalespipeError: the text is no month, or one that the company has no order numbers for.
        """
        return pa.concat_tables(self.batches(table, month)).combine_chunks()

    def batches(self, table: str, month: str | None = None) -> Iterator[pa.Table]:
        """The same rows some 200,000 at a time, and one table without rows where there are none."""
        if month is None and table in _SNAPSHOTS:
            return iter([_snapshot(tables()[table], _SNAPSHOTS[table](self.firm), quirks=self.quirks)])
        if month is not None and table in _MONTHLY:
            business.in_business(month)
            made = _MONTHLY[table](self.firm, month, day_number(self.today))
            return _gathered(tables()[table], made)
        raise ValueError(
            f"rows({table!r}, month={month!r}): the monthly tables are {', '.join(_MONTHLY)}; "
            f"without a month come {', '.join(_SNAPSHOTS)}."
        )

    def ledger(self, month: str) -> Ledger:
        """What was ordered in the month, and of it cancelled by today."""
        kept = count = ordered = cancelled = 0
        today = day_number(self.today)
        for placed in orders.orders(self.firm, business.in_business(month), today):
            is_cancelled = placed.cancelled <= today
            found = lines(self.firm, month, placed)
            kept += int((~is_cancelled).sum())
            count += len(found.order)
            ordered += int(found.amount.sum())
            cancelled += int(found.amount[is_cancelled[found.order]].sum())
        return Ledger(kept, count, Decimal(ordered).scaleb(-2), Decimal(cancelled).scaleb(-2))


def _orders(firm: Firm, month: str, today: int) -> Iterator[dict[str, pa.Array]]:
    numbers = people.buyers(firm).numbers
    for placed in orders.orders(firm, month, today):
        yield {
            "order_number": _ints(placed.number),
            "order_date": _dates(placed.day),
            "required_date": _dates(placed.required),
            "shipped_date": _dates(placed.ships, missing=placed.ships > today),
            "status": _taken(orders.statuses(firm), placed.status(today)),
            "comments": _taken(orders.comments(firm), placed.comment),
            "customer_number": _ints(numbers[placed.customer]),
        }


def _order_details(firm: Firm, month: str, today: int) -> Iterator[dict[str, pa.Array]]:
    codes = [product.product_code for product in catalogue.products(firm)]
    for placed in orders.orders(firm, month, today):
        found = lines(firm, month, placed)
        yield {
            "order_number": _ints(placed.number[found.order]),
            "product_code": _taken(codes, found.product),
            "quantity_ordered": _ints(found.quantity),
            "price_each": _money(found.price),
            "order_line_number": _ints(found.line),
        }


def _payments(firm: Firm, month: str, today: int) -> Iterator[dict[str, pa.Array]]:
    numbers = people.buyers(firm).numbers
    first, second = (list(letters) for letters in _LETTERS)
    for paid in payments(firm, month, today):
        letters = _taken(first, paid.order % len(first)), _taken(second, paid.order // 16 % len(second))
        number, suffix = _ints(paid.order).cast(pa.string()), _taken(SUFFIXES, paid.cheque)
        yield {
            "customer_number": _ints(numbers[paid.customer]),
            "check_number": pc.call_function("binary_join_element_wise", [*letters, number, suffix, pa.scalar("")]),
            "payment_date": _dates(paid.day),
            "amount": _money(paid.amount),
        }


_MONTHLY: dict[str, Callable[[Firm, str, int], Iterator[dict[str, pa.Array]]]] = {
    "orders": _orders,
    "order_details": _order_details,
    "payments": _payments,
}


def _gathered(table: Table, made: Iterable[dict[str, pa.Array]]) -> Iterator[pa.Table]:
    """The columns as tables of the source, small ones put together."""
    waiting: list[pa.Table] = []
    handed = False
    for columns in made:
        waiting.append(_arrow(table, columns))
        if sum(each.num_rows for each in waiting) >= ROWS_AT_ONCE:
            yield pa.concat_tables(waiting)
            waiting, handed = [], True
    if waiting or not handed:
        yield pa.concat_tables(waiting) if waiting else _arrow(table, {})


def _arrow(table: Table, columns: dict[str, pa.Array]) -> pa.Table:
    own = own_columns(table)
    return pa.table({c.source_name: columns.get(c.name, pa.array([], ARROW[c.type])) for c in own})


def _snapshot(table: Table, rows: Sequence[NamedTuple], *, quirks: bool) -> pa.Table:
    return _arrow(table, {column.name: _array(column, rows, quirks=quirks) for column in own_columns(table)})


def _array(column: Column, rows: Sequence[NamedTuple], *, quirks: bool) -> pa.Array:
    values: list[Any] = [getattr(row, column.name) for row in rows]
    if column.type is Type.PRICE:
        return of_cents(pa.array(values, pa.int64())).cast(ARROW[column.type])
    if not quirks:
        values = [tidied(value) if isinstance(value, str) else value for value in values]
    return pa.array(values, ARROW[column.type])


def _ints(values: Ints) -> pa.Array:
    return pa.array(values.astype(np.int32))


def _dates(days: Ints, missing: Flags | None = None) -> pa.Array:
    return pa.array(days.astype(np.int32), mask=missing).view(pa.date32())


def _money(cents: Ints) -> pa.Array:
    return of_cents(pa.array(cents)).cast(ARROW[Type.PRICE])


def _taken(texts: Sequence[str | None], places: Ints) -> pa.Array:
    return pa.array(texts, pa.string()).take(pa.array(places))
