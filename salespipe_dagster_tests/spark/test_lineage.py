"""Lineage: declared in contracts, and held against what the transforms do when a column's values change."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from salespipe_dagster.settings import Settings
from salespipe_spark.contract import Column, Type
from salespipe_spark.dictionary import dictionary
from salespipe_spark.engine import Engine
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lineage import Origin, origins, roots
from salespipe_spark.tables import CALENDAR, Table, tables

Rows = list[dict[str, Any]]
KEYS = ("_number", "_key", "_code", "reports_to")
NOTHING: dict[Type, Any] = {
    **dict.fromkeys((Type.STRING, Type.TEXT), ""),
    **dict.fromkeys((Type.INT, Type.BIGINT), 0),
    **dict.fromkeys((Type.MONEY, Type.PRICE, Type.AVERAGE), Decimal(0)),
    Type.DATE: date(2024, 1, 1),
    Type.BOOLEAN: False,
}
MADE = [table for table in tables().values() if table.upstream]


def origin_names(table: str, column: str) -> set[str]:
    return {f"{origin.table}.{origin.column}" for origin in origins(tables()[table])[column]}


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        ("orders", "order_date", {"orders.orderDate"}),
        ("order_details", "order_date", {"orders.orderDate"}),
        ("products", "msrp", {"products.MSRP"}),
        ("dim_customers", "customer_name", {"customers.customer_name"}),
        ("dim_locations", "city", {"customers.city", "offices.city"}),
        ("fact_orders", "amount", {"order_details.quantity_ordered", "order_details.price_each"}),
        ("revenue_by_country", "country", {"dim_locations.country"}),
        ("customer_lifetimes", "revenue", {"receivables.revenue"}),
        ("dim_dates", "year", set()),
        ("monthly_revenue", "channel", set()),
    ],
)
def test_origins_are_columns_of_the_inputs(table: str, column: str, expected: set[str]) -> None:
    assert origin_names(table, column) == expected


def test_roots_are_columns_of_the_source() -> None:
    """From a mart through facts, dimensions and staging."""
    assert roots(tables()["revenue_by_country"], "margin_amount") == [
        Origin("orderdetails", "priceEach"),
        Origin("orderdetails", "quantityOrdered"),
        Origin("orders", "status"),
        Origin("products", "buyPrice"),
    ]


@pytest.mark.parametrize("text", ["fact_orders.amuont", "orders.status", "amuont"])
def test_origin_that_does_not_exist_is_an_error(text: str) -> None:
    """A typing mistake, or a table that is no input."""
    table = tables()["revenue_by_customer"]
    column = Column("amount", Type.MONEY, "", of=(text,))
    with pytest.raises(ValueError, match=r"no column of an input|There is no column amuont"):
        origins(replace(table, contract=replace(table.contract, columns=(column,))))


def test_what_is_made_from_personal_data_is_personal_data() -> None:
    """A tag that is lost on the way to a mart would let it out."""
    for table in MADE:
        for name, found in origins(table).items():
            made_from = [o for o in found if tables()[o.table].contract.column(o.column).personal]
            assert not made_from or table.contract.column(name).personal, (table.name, name, made_from)


@pytest.mark.parametrize("table", MADE, ids=lambda table: table.name)
def test_lineage_is_what_the_transform_does(table: Table, filled: Settings, engine: Engine) -> None:
    """The values of each column of each input are changed, all else stays.

    Nothing moves that is not said to be made from it, as long as the same rows come out; and what is said to
    be made from it moves. Keys join and group, so that everything may move with them: they are left out.
    """
    lake = Lake(filled.lake, engine)
    given = {name: rows_of(lake, tables()[name]) for name in table.upstream}
    before = made(engine, table, given)
    found = origins(table)
    keys = {key for name in table.upstream for key in tables()[name].contract.key}
    for name in table.upstream:
        for column in tables()[name].contract.columns:
            if column.name in keys or column.name.endswith(KEYS):
                continue
            declared = {own for own, of in found.items() if Origin(name, column.name) in of}
            shared = sum(column.name in tables()[other].contract.names for other in table.upstream) > 1
            said = {c.name for c in table.contract.columns if c.of or not shared}
            moved: set[str] = set()
            for turn, rows in enumerate(changed(given[name], column)):
                after = made(engine, table, given | {name: rows})
                moved |= {n for n in table.contract.names if values(before, n) != values(after, n)}
                assert turn or len(after) != len(before) or moved <= declared, (name, column.name)
                if declared & said <= moved:
                    break
            else:
                pytest.fail(f"{name}.{column.name} moves {moved} only, of {declared & said}")


def test_dictionary_of_the_docs_is_current() -> None:
    """`salespipe dictionary > docs/data-dictionary.md` makes it so."""
    file = Path(__file__).parents[2] / "docs" / "data-dictionary.md"
    assert file.read_text(encoding="utf-8") == dictionary()


def rows_of(lake: Lake, table: Table) -> Rows:
    """The table's rows; the literal shop has no credit limit, beside which nothing would show."""
    rows = [row.asDict() for row in lake.read_published(table).collect()]
    return [row | {"credit_limit": Decimal("60.00")} if "credit_limit" in row else row for row in rows]


def made(engine: Engine, table: Table, given: dict[str, Rows]) -> Rows:
    frames = {
        name: engine.session.createDataFrame([tuple(row.values()) for row in rows], tables()[name].contract.ddl)
        for name, rows in given.items()
    }
    if table.name in table.inputs:
        frames[table.name] = engine.session.createDataFrame([], table.contract.ddl)
    assert CALENDAR not in table.inputs
    assert table.transform
    return [row.asDict() for row in table.transform(**frames).collect()]


def values(rows: Rows, column: str) -> Counter[Any]:
    return Counter(row[column] for row in rows)


def changed(rows: Rows, column: Column) -> list[Rows]:
    """The rows with other values of the column: one for each, one for all, and nothing at all."""
    each = [other(row[column.name], column) for row in rows]
    return [
        [row | {column.name: value} for row, value in zip(rows, found, strict=True)]
        for found in (each, each[:1] * len(rows), [NOTHING.get(column.type) for _ in rows])
    ]


def other(value: Any, column: Column) -> Any:
    match value:
        case None:
            return {Type.INT: 7, Type.PRICE: Decimal("0.07"), Type.DATE: date(2024, 1, 2)}.get(column.type, "new")
        case bool():
            return not value
        case str():
            return "Cancelled" if column.name == "status" else value + "x"
        case date():
            return value + timedelta(days=31)
        case _:
            return value * 2 + 1
