"""Random rows by contract, for property tests: whatever a contract allows, and little that is usual.

Values come from small pools, so that keys meet: joins hit and miss, groups have many rows, and the same
shrinks to the plainest value first.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from salespipe_dagster_tests.support import Rows
from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.staging._landed import PROVENANCE
from salespipe_spark.tables import CALENDAR, LANDED, Table, tables

MOST_ROWS = 12
TEXTS = (
    "a",
    "b",
    " a",
    "A",
    "",
    "  ",
    "a b",
    "Zoë",
    "Zoe\u0308",
    "名前",
    "🚲",
    "ß",
    "İ",
    "\u00a0a",
    "a\tb\n",
    "%_'\"\\",
)
STATUSES = ("Shipped", "Cancelled", " cancelled ", "CANCELLED", "On Hold", "Storniert", "", "cancelled\u00a0")
DAYS = (
    *(date(2024, 1, 31), date(2024, 2, 29), date(2024, 2, 1), date(2024, 12, 31), date(2023, 1, 1)),
    *(date(1969, 12, 31), date(1900, 3, 1), date(1582, 10, 4), date(1582, 10, 15), date(1, 1, 2), date(9998, 12, 31)),
)
DAY = timedelta(days=1)
NUMBERS: dict[Type, Sequence[Any]] = {
    Type.INT: (1, 2, 3, 0, 30, 999, 2**31 - 1, -1, -(2**31)),
    Type.BIGINT: (1, 2, 0, 7, 10**9, 2**40, -3),
    Type.PRICE: tuple(map(Decimal, ("1.00", "0.01", "0.00", "12.34", "33.33", "99.99", "99999999.99", "-0.05"))),
    Type.MONEY: tuple(map(Decimal, ("1.00", "0.01", "0.00", "100.00", "66.67", "-7.77", "9999999999.99"))),
    Type.AVERAGE: tuple(map(Decimal, ("1.000000", "0.000001", "0.000000", "-2.500000", "999999999999.999999"))),
}


def inputs_of(table: Table) -> st.SearchStrategy[dict[str, Rows]]:
    """Rows of everything that a table is made from, by input."""
    return st.fixed_dictionaries({name: rows_of(contract_of(table, name)) for name in table.inputs})


def contract_of(table: Table, name: str) -> Contract:
    """The contract of one of a table's inputs; what is no table has one here."""
    if name == CALENDAR:
        days = tuple(Column(each, Type.DATE, each) for each in ("first_date", "last_date"))
        return Contract("One row.", days, ("first_date",))
    if name == LANDED:
        own = table.contract
        # A key stands in a file once, and with it in each version of the file.
        return replace(own, columns=own.columns + PROVENANCE, key=(*own.key, "landed_file"), month="")
    return tables()[name].contract


def rows_of(contract: Contract) -> st.SearchStrategy[Rows]:
    """Rows that an audit of the contract would pass: keys differ, and NULL is only where it may be."""
    if contract.names == ["first_date", "last_date"]:
        return st.tuples(st.sampled_from(DAYS), st.integers(0, 800)).map(lambda d: [(d[0], d[0] + d[1] * DAY)])
    places = [contract.names.index(name) for name in contract.key]
    row = st.tuples(*map(_values, contract.columns))
    return st.lists(row, max_size=MOST_ROWS, unique_by=lambda row: tuple(row[place] for place in places))


def _values(column: Column) -> st.SearchStrategy[Any]:
    values = _not_null(column)
    return st.one_of(values, st.none()) if column.nullable else values


def _not_null(column: Column) -> st.SearchStrategy[Any]:
    match column.type:
        case Type.BOOLEAN:
            return st.booleans()
        case Type.DATE if column.name == "month_start":
            return st.sampled_from([day.replace(day=1) for day in DAYS])
        case Type.DATE:
            return st.one_of(st.sampled_from(DAYS), st.dates(date(2024, 1, 1), date(2024, 4, 30)))
        case Type.INSTANT:
            instants = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001 - they get theirs below
            return st.one_of(instants, st.just(datetime(2024, 4, 1, 12, 0, 0, 1))).map(  # noqa: DTZ001
                lambda instant: instant.replace(tzinfo=UTC)
            )
        case Type.STRING | Type.TEXT:
            few = STATUSES if column.name == "status" else TEXTS
            return st.one_of(st.sampled_from(few[:4]), st.sampled_from(few), st.text(max_size=5))
        case _:
            pool = NUMBERS[column.type]
            # What hardly fits is rare: else most examples overflow, and then nothing is compared.
            return st.one_of(st.sampled_from(pool[:5]), st.sampled_from(pool[:5]), st.sampled_from(pool))
