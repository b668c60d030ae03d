"""The source's tables as SQLAlchemy sees them, made from the contracts.

Pure: nothing here opens a connection. What is asked of the tables is in `source_queries`.
"""

from decimal import Decimal
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from salespipe_spark.contract import Column, Source, Type
from salespipe_spark.tables import Table, tables

MARKER = "salespipe_company"
"""The table that says that the synthetic company may write here."""


class Cents(sa.TypeDecorator[Decimal]):
    """Money: DECIMAL, but integer cents on SQLite, whose NUMERIC is a float and loses some."""

    impl = sa.Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """INTEGER on SQLite."""
        return dialect.type_descriptor(sa.Integer() if dialect.name == "sqlite" else self.impl_instance)

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> Decimal | int | None:
        """The number as the database has it; more than two decimals are refused, not rounded."""
        if value is None or dialect.name != "sqlite":
            return value
        if value != round(value, 2):
            raise ValueError(f"{value} has more than two decimals.")
        return int(value * 100)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Decimal | None:
        """The exact amount."""
        return value if value is None or dialect.name != "sqlite" else Decimal(value).scaleb(-2)


SQL: dict[Type, sa.types.TypeEngine[Any]] = {
    Type.STRING: sa.String(255),
    Type.TEXT: sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"),
    Type.INT: sa.Integer(),
    Type.BIGINT: sa.BigInteger(),
    Type.DATE: sa.Date(),
    Type.PRICE: Cents(10, 2),
    Type.MONEY: Cents(18, 2),
}


@cache
def company() -> sa.MetaData:
    """The source's tables, as the synthetic company makes them and as queries name them.

    No foreign keys: whether tables fit together is a check, and a slice is replaced without asking others.
    """
    metadata = sa.MetaData()
    # The collation tells apart what differs, so that keys are equal here exactly if they are in the lake.
    utf8: dict[str, Any] = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin", "mysql_engine": "InnoDB"}
    for table in tables().values():
        if table.contract.source:
            sa.Table(source_of(table).table, metadata, *(_column(table, c) for c in own_columns(table)), **utf8)
    sa.Table(MARKER, metadata, sa.Column("note", sa.String(255), primary_key=True), **utf8)
    return metadata


def _column(table: Table, column: Column) -> sa.Column[Any]:
    return sa.Column(
        column.source_name,
        SQL[column.type],
        primary_key=column.name in table.contract.key,
        autoincrement=False,
        nullable=column.nullable,
        index=column.name == table.contract.month,
    )


def source_of(table: Table) -> Source:
    """Where a staging table comes from."""
    assert table.contract.source is not None, f"{table.name} is not a table of the source."
    return table.contract.source


def parent_of(table: Table) -> Table | None:
    """The table whose date gives this one's rows their month, if it has none of its own."""
    return tables().get(source_of(table).dated_by)


def dating(table: Table) -> Table:
    """The table that holds the date of this one's rows: its parent, or itself."""
    return parent_of(table) or table


def own_columns(table: Table) -> list[Column]:
    """The columns that the source's table has: all but the date that is its parent's."""
    of_parent = parent_of(table) is not None
    return [c for c in table.contract.columns if not (of_parent and c.name == table.contract.month)]


def mirror(table: Table) -> sa.Table:
    """The source's table."""
    return company().tables[source_of(table).table]


def column_of(table: Table, name: str) -> sa.Column[Any]:
    """The source's column of the contract's name; a date that is the parent's is the parent's column."""
    if name == table.contract.month:
        table = dating(table)
        name = table.contract.month
    return mirror(table).c[next(c.source_name for c in table.contract.columns if c.name == name)]


def day_of(table: Table) -> sa.Column[Any]:
    """The date that gives a row its month."""
    return column_of(table, table.contract.month)
