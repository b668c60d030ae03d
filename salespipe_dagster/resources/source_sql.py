"""SQL from contracts: the source's tables as SQLAlchemy sees them, and the questions asked of them.

Pure: nothing here opens a connection. Names of the source (camelCase) are on the side of the database,
the contract's names are the labels of what comes back.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import sqlalchemy as sa
from salespipe_spark import months as calendar
from salespipe_spark.contract import Column, Source, Type
from salespipe_spark.tables import Table, tables
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

MARKER = "salespipe_company"
"""The table that says that the synthetic company may write here."""
FIRST_DATE = date.min


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


class RowsDigest(FunctionElement[Any]):
    """An aggregate over whole rows that does not depend on their order: the sum of 60 bits of each row's SHA-256.

    BIT_XOR of CRC32 is blind where two rows change alike: CRC32 is affine, and the two differences cancel.
    Two sums over CRC32 are not, but the server computes it once for each mention: 3.0 s for a million joined
    lines instead of 1.6 s (no digest: 0.6 s). MySQL 9.6 has neither MD5 nor SHA1 any more.
    """

    inherit_cache = True
    type = sa.Numeric()
    name = "rows_digest"


class PythonRowsDigest:
    """The same for SQLite, as an aggregate in Python. Its digests are not those of a MySQL server."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self.total = 0

    def step(self, *values: str | float | None) -> None:
        """Take in a row."""
        self.total += int.from_bytes(hashlib.sha256(repr(values).encode()).digest()[:8])

    def finalize(self) -> str:
        """The digest, as text: SQLite's integers end at 63 bits."""
        return str(self.total % 2**64)


class IsNoDate(FunctionElement[bool]):
    """Whether a DATE column holds what is no date: 0000-00-00, 2025-02-00, 2025-02-30, the year 0."""

    inherit_cache = True
    type = sa.Boolean()
    name = "is_no_date"


@compiles(RowsDigest, "mysql")
def _rows_digest_mysql(element: RowsDigest, compiler: Any, **kw: Any) -> str:
    parts = [_unambiguous(column, compiler.process(column, **kw)) for column in element.clauses]
    return f"SUM(CAST(CONV(LEFT(SHA2(CONCAT({",',',".join(parts)}), 256), 15), 16, 10) AS UNSIGNED))"


def _unambiguous(column: sa.ColumnElement[Any], name: str) -> str:
    """A value's text, told apart from NULL and, by its length, from the text of its neighbours.

    Converted column by column: a table may mix character sets, and the digest is of bytes.
    """
    if not isinstance(column.type, sa.String):
        return f"IFNULL({name},'N')"
    text = f"CONVERT({name} USING utf8mb4)"
    return f"IFNULL(CHAR_LENGTH({text}),'N'),',',IFNULL({text},'')"


@compiles(RowsDigest, "sqlite")
def _rows_digest_sqlite(element: RowsDigest, compiler: Any, **kw: Any) -> str:
    return f"rows_digest({compiler.process(element.clauses, **kw)})"


@compiles(IsNoDate, "mysql")
def _is_no_date_mysql(element: IsNoDate, compiler: Any, **kw: Any) -> str:
    d = compiler.process(element.clauses, **kw)
    beyond = f"DAYOFMONTH({d}) = 0 OR DAYOFMONTH({d}) > DAYOFMONTH(LAST_DAY({d}))"
    return f"({d} IS NOT NULL AND ({d} < '{FIRST_DATE}' OR LAST_DAY({d}) IS NULL OR {beyond}))"


@compiles(IsNoDate, "sqlite")
def _is_no_date_sqlite(element: IsNoDate, compiler: Any, **kw: Any) -> str:
    d = compiler.process(element.clauses, **kw)
    return f"({d} IS NOT NULL AND ({d} < '{FIRST_DATE}' OR date({d}) IS NULL OR date({d}) <> {d}))"


@cache
def company() -> sa.MetaData:
    """The source's tables, as the synthetic company makes them and as queries name them.

    No foreign keys: whether tables fit together is a check, and a slice is replaced without asking others.
    """
    metadata = sa.MetaData()
    # The collation tells apart what differs, so that keys are equal here exactly if they are in the lake.
    utf8 = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin", "mysql_engine": "InnoDB"}
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


def scan(table: Table, months: list[str] | None) -> sa.Select[Any]:
    """All columns of the contract; of these months, an unbroken range, or of the whole table."""
    columns = [column.label(name) for name, column in _columns(table).items()]
    statement = sa.select(*columns).select_from(_joined(table))
    return statement if months is None else statement.where(_within(table, months))


def fingerprints(table: Table, months: list[str] | None) -> sa.Select[Any]:
    """Rows, amount and digest by month (as the number YYYYMM), or of the whole table."""
    figures = [*_counted(table), RowsDigest(*_columns(table).values()).label("digest")]
    if not table.monthly:
        return sa.select(sa.literal_column("0").label("month"), *figures).select_from(_joined(table))
    day = _day(table)
    month = (sa.extract("year", day) * 100 + sa.extract("month", day)).label("month")
    window = day >= FIRST_DATE if months is None else _within(table, months)
    return sa.select(month, *figures).select_from(_joined(table)).where(window).group_by(month)


def any_dated_outside(table: Table, first: str, last: str) -> sa.Select[Any]:
    """A row if any date lies outside the months; asked of the table that has the dates, and so cheap."""
    return sa.select(sa.literal_column("1")).where(_outside(table, first, last)).limit(1)


def dated_outside(table: Table, first: str, last: str) -> sa.Select[Any]:
    """Rows and amount of what is dated outside the months, or not at all."""
    return sa.select(*_counted(table)).select_from(_joined(table)).where(_outside(table, first, last))


def orphans(table: Table) -> sa.Select[Any]:
    """Rows and amount of what would have its parent's date, and has no parent."""
    parent = sa.select(sa.literal_column("1")).where(_belongs(table)).correlate(mirror(table))
    return sa.select(*_counted(table)).select_from(mirror(table)).where(~parent.exists())


def no_dates(table: Table, months: list[str] | None) -> sa.Select[Any]:
    """For each date that a scan reads: how many are no dates, and the least key of these.

    Also what cannot belong to any month is looked at: 0000-00-00 lies before all of them.
    """
    key = mirror(dating(table)).c[_source_name(dating(table), dating(table).contract.key[0])]
    found: list[sa.ColumnElement[Any]] = []
    for column in dates(table):
        found.append(sa.func.coalesce(sa.func.sum(sa.case((IsNoDate(column), 1), else_=0)), 0))
        found.append(sa.func.min(sa.case((IsNoDate(column), key))))
    statement = sa.select(*found)
    if months is None:
        return statement
    day = _day(table)
    before = calendar.first_day(months[0]) - timedelta(days=1)  # 2025-02-00 comes after it
    window = (day > before) & (day < calendar.end_day(months[-1]))
    return statement.where(window | (day < FIRST_DATE))


def dates(table: Table) -> list[sa.Column[Any]]:
    """The DATE columns that a scan of the table reads and that can be asked of the table that dates it."""
    if parent_of(table):
        return [_day(table)]
    return [mirror(table).c[c.source_name] for c in table.contract.columns if c.type is Type.DATE]


def span(table: Table) -> sa.Select[Any]:
    """The first and the last date of a table that has dates."""
    day = _day(table)
    return sa.select(sa.func.min(day), sa.func.max(day)).where(~IsNoDate(day))


def text(statement: sa.Select[Any], dialect: str) -> str:
    """The statement with its values written out, for a driver that takes no parameters."""
    # The named style leaves percent signs alone.
    rendered = mysql.dialect(paramstyle="named") if dialect == "mysql" else sqlite.dialect()
    return str(statement.compile(dialect=rendered, compile_kwargs={"literal_binds": True}))


def _columns(table: Table) -> dict[str, sa.Column[Any]]:
    """The contract's columns by name, the date of a parent among them."""
    own = {c.name: mirror(table).c[c.source_name] for c in own_columns(table)}
    return {c.name: own[c.name] if c.name in own else _day(table) for c in table.contract.columns}


def _day(table: Table) -> sa.Column[Any]:
    owner = dating(table)
    return mirror(owner).c[_source_name(owner, owner.contract.month)]


def _source_name(table: Table, name: str) -> str:
    return next(c.source_name for c in table.contract.columns if c.name == name)


def _joined(table: Table) -> sa.FromClause:
    parent = parent_of(table)
    return mirror(table).join(mirror(parent), _belongs(table)) if parent else mirror(table)


def _belongs(table: Table) -> sa.ColumnElement[bool]:
    parent = dating(table)
    names = [(_source_name(table, name), _source_name(parent, name)) for name in parent.contract.key]
    return sa.and_(*(mirror(table).c[own] == mirror(parent).c[theirs] for own, theirs in names))


def _counted(table: Table) -> Sequence[sa.ColumnElement[Any]]:
    """The number of rows and, of a table that has one, the amount of money."""
    factors = [mirror(table).c[_source_name(table, name)] for name in source_of(table).amount]
    if not factors:
        return [sa.func.count().label("rows"), sa.null().label("amount")]
    product = factors[0]
    for factor in factors[1:]:
        product = product * factor
    # The type says how to read the sum: on SQLite the product of a number of units and cents is cents.
    return [sa.func.count().label("rows"), sa.func.sum(product, type_=Cents(38, 2)).label("amount")]


def _within(table: Table, months: list[str]) -> sa.ColumnElement[bool]:
    day, blocks = _day(table), calendar.blocks(months)
    return sa.or_(
        sa.false(), *((day >= calendar.first_day(b[0])) & (day < calendar.end_day(b[-1])) for b in blocks)
    )


def _outside(table: Table, first: str, last: str) -> sa.ColumnElement[bool]:
    day = _day(table)
    return (day < calendar.first_day(first)) | (day >= calendar.end_day(last)) | day.is_(None)
