"""The source's tables held against the contracts: what is missing, what has another type, what nobody knows."""

import warnings
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SAWarning

from salespipe_dagster.resources.source_sql import dating, own_columns, source_of
from salespipe_spark.contract import Column, Type
from salespipe_spark.tables import Table

DIGITS = 27
"""Decimals of more digits make the scanner panic."""
EXPECTED = {
    Type.STRING: "text",
    Type.TEXT: "text",
    Type.INT: "an integer",
    Type.BIGINT: "an integer",
    Type.DATE: "a DATE",
    Type.PRICE: "a DECIMAL with two decimals",
    Type.MONEY: "a DECIMAL with two decimals",
}
Found = dict[str, sa.types.TypeEngine[Any]]


def read(connection: sa.Connection, tables: Iterable[Table]) -> dict[str, Found | None]:
    """The columns of the tables, and of those that date them, in the source; None for one that is not there."""
    names = {source_of(each).table for table in tables for each in (table, dating(table))}
    inspector = sa.inspect(connection)
    present = {*inspector.get_table_names(), *inspector.get_view_names()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # a type that SQLAlchemy does not know, of a column we do not use
        return {
            name: {c["name"]: c["type"] for c in inspector.get_columns(name)} if name in present else None
            for name in sorted(names)
        }


def deviations(found: dict[str, Found | None], tables: Iterable[Table], dialect: str) -> list[str]:
    """What a scan of the tables would stumble over, as sentences; nothing where it would not."""
    lines: dict[str, None] = {}  # a set that keeps its order: a parent may come up twice
    for each in (one for table in tables for one in (dating(table), table)):
        name = source_of(each).table
        columns = found[name]
        if columns is None:
            lines[f"the table {name} is missing, or the user may not see it"] = None
            continue
        types = {column.casefold(): kind for column, kind in columns.items()}
        lines |= dict.fromkeys(_columns(name, own_columns(each), types, dialect))
    return list(lines)


def unknown(found: dict[str, Found | None], tables: Iterable[Table]) -> list[str]:
    """The columns of the source that no contract has: `orders.foo`."""
    names: list[str] = []
    for table in tables:
        own = {column.source_name.casefold() for column in own_columns(table)}
        name = source_of(table).table
        names += [f"{name}.{column}" for column in found[name] or () if column.casefold() not in own]
    return names


def _columns(name: str, columns: list[Column], types: Found, dialect: str) -> list[str]:
    lines: list[str] = []
    for column in columns:
        kind = types.get(column.source_name.casefold())
        if kind is None:
            lines.append(f"the column {name}.{column.source_name} is missing")
        elif not _fits(column.type, kind, dialect):
            lines.append(f"{name}.{column.source_name} is {kind}, not {EXPECTED[column.type]}")
    return lines


def _fits(expected: Type, found: sa.types.TypeEngine[Any], dialect: str) -> bool:
    if expected in (Type.STRING, Type.TEXT):
        return isinstance(found, sa.String)
    if expected is Type.DATE:
        return isinstance(found, sa.Date)
    if expected in (Type.PRICE, Type.MONEY) and dialect != "sqlite":  # there money is integer cents
        is_decimal = isinstance(found, sa.DECIMAL | sa.NUMERIC)
        return is_decimal and (found.scale or 0) <= 2 and (found.precision or 10) <= DIGITS
    return isinstance(found, sa.Integer)
