"""What is asked of the source, as SQL made from the contracts.

Pure: nothing here opens a connection. What comes back is labelled with the contract's names.
"""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, sqlite

from salespipe_dagster.resources.source_functions import FIRST_DATE, IsNoDate, RowsDigest
from salespipe_dagster.resources.source_sql import Cents, column_of, dating, day_of, mirror, parent_of, source_of
from salespipe_spark import months as calendar
from salespipe_spark.contract import Type
from salespipe_spark.tables import Table

ONE = sa.literal_column("1")


def scan(table: Table, months: list[str] | None) -> sa.Select[Any]:
    """All columns of the contract; of these months, an unbroken range, or of the whole table."""
    columns = [column_of(table, name).label(name) for name in table.contract.names]
    statement = sa.select(*columns).select_from(_joined(table))
    return statement if months is None else statement.where(_within(table, months))


def fingerprints(table: Table, months: list[str] | None) -> sa.Select[Any]:
    """Rows, amount and digest by month (as the number that `months.from_index` reads), or of the whole table."""
    digest = RowsDigest(*(column_of(table, name) for name in table.contract.names)).label("digest")
    if not table.monthly:
        return sa.select(sa.literal_column("0").label("month"), *_counted(table), digest).select_from(_joined(table))
    day = day_of(table)
    month = (sa.extract("year", day) * 12 + sa.extract("month", day) - 1).label("month")
    window = day >= FIRST_DATE if months is None else _within(table, months)
    return sa.select(month, *_counted(table), digest).select_from(_joined(table)).where(window).group_by(month)


def any_dated_outside(table: Table, first: str, last: str) -> sa.Select[Any]:
    """A row if any date lies outside the months; asked of the table that has the dates alone, and so cheap."""
    return sa.select(ONE).where(_outside(table, first, last)).limit(1)


def dated_outside(table: Table, first: str, last: str) -> sa.Select[Any]:
    """Rows and amount of what is dated outside the months, or not at all."""
    return sa.select(*_counted(table)).select_from(_joined(table)).where(_outside(table, first, last))


def orphans(table: Table) -> sa.Select[Any]:
    """Rows and amount of what would have its parent's date, and has no parent."""
    parent = sa.select(ONE).where(_belongs(table)).correlate(mirror(table))
    return sa.select(*_counted(table)).select_from(mirror(table)).where(~parent.exists())


def no_dates(table: Table, months: list[str] | None) -> sa.Select[Any]:
    """For each of `dates`: how many that a scan would read are no dates, and the least key of these.

    What can belong to no month is looked at for all months: 0000-00-00 lies before each of them.
    """
    owner = dating(table)
    key = column_of(owner, owner.contract.key[0])
    wrong = [IsNoDate(column) for column in dates(table)]
    figures: list[sa.ColumnElement[Any]] = []
    for is_no_date in wrong:
        figures += [sa.func.sum(sa.case((is_no_date, 1), else_=0)), sa.func.min(sa.case((is_no_date, key)))]
    # Most often there are none, and then nothing is counted.
    statement = sa.select(*figures).where(sa.or_(*wrong))
    if months is None:
        return statement
    day = day_of(table)
    before = calendar.first_day(months[0]) - timedelta(days=1)  # 2025-02-00 comes after it
    window = (day > before) & (day < calendar.end_day(months[-1]))
    return statement.where(window | (day < FIRST_DATE))


def dates(table: Table) -> list[sa.Column[Any]]:
    """The DATE columns that a scan of the table reads."""
    return [column_of(table, c.name) for c in table.contract.columns if c.type is Type.DATE]


def span(table: Table) -> sa.Select[Any, Any]:
    """The first and the last date of a table that has dates."""
    day = day_of(table)
    return sa.select(sa.func.min(day), sa.func.max(day)).where(~IsNoDate(day))


def integer_key(table: Table) -> str:
    """The first integer of the key by which a table's rows are dated: what a scan is cut by; empty without one."""
    columns = (table.contract.column(name) for name in dating(table).contract.key)
    return next((column.name for column in columns if column.type in (Type.INT, Type.BIGINT)), "")


def key_bounds(table: Table, name: str, months: list[str] | None) -> sa.Select[Any, Any]:
    """The least and the greatest value of such a key; asked of the table that has the dates alone."""
    key = column_of(dating(table), name)
    statement = sa.select(sa.func.min(key), sa.func.max(key))
    return statement if months is None else statement.where(_within(table, months))


def text(statement: sa.Select[Any], dialect: str) -> str:
    """The statement with its values written out, for a driver that takes no parameters."""
    # The named style leaves percent signs alone.
    rendered = mysql.dialect(paramstyle="named") if dialect == "mysql" else sqlite.dialect()
    return str(statement.compile(dialect=rendered, compile_kwargs={"literal_binds": True}))


def _joined(table: Table) -> sa.FromClause:
    parent = parent_of(table)
    return mirror(table).join(mirror(parent), _belongs(table)) if parent else mirror(table)


def _belongs(table: Table) -> sa.ColumnElement[bool]:
    parent = dating(table)
    return sa.and_(*(column_of(table, name) == column_of(parent, name) for name in parent.contract.key))


def _counted(table: Table) -> list[sa.ColumnElement[Any]]:
    """The number of rows and, of a table that has one, the amount of money."""
    rows, factors = sa.func.count().label("rows"), [column_of(table, name) for name in source_of(table).amount]
    if not factors:
        return [rows, sa.null().label("amount")]
    product: sa.ColumnElement[Any] = factors[0]
    for factor in factors[1:]:
        product = product * factor
    # The type says how to read the sum: on SQLite the product of units and cents is cents.
    return [rows, sa.func.sum(product, type_=Cents(38, 2)).label("amount")]


def _within(table: Table, months: list[str]) -> sa.ColumnElement[bool]:
    day, blocks = day_of(table), calendar.blocks(months)
    windows = [(day >= calendar.first_day(b[0])) & (day < calendar.end_day(b[-1])) for b in blocks]
    return sa.or_(sa.false(), *windows)


def _outside(table: Table, first: str, last: str) -> sa.ColumnElement[bool]:
    day = day_of(table)
    return (day < calendar.first_day(first)) | (day >= calendar.end_day(last)) | day.is_(None)
