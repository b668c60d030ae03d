"""What the server answers about a table's rows without sending them: counts, digests, dates that are none, bounds.

The questions are in `source_queries`. Here each answer is read, and one that nobody can go on with is an error.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from salespipe_dagster.resources import source_queries as queries
from salespipe_dagster.resources.source_connection import place
from salespipe_dagster.resources.source_sql import column_of, dating, mirror, parent_of, source_of
from salespipe_spark import months as calendar
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.errors import SalespipeError
from salespipe_spark.tables import Table, tables

NO_ROWS = "0-0"
ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Fingerprint:
    """What the server counts of one part: rows, amount where the table has one, a digest of all columns in use."""

    rows: int
    amount: Decimal | None
    digest: str


@dataclass(frozen=True)
class Outside:
    """Rows of a monthly table that no month asked for holds, and their amount where the table has one."""

    rows: int
    amount: Decimal | None

    def __str__(self) -> str:
        """As a run's summary says it."""
        rows = f"{self.rows} row" if self.rows == 1 else f"{self.rows} rows"
        return rows if self.amount is None else f"{rows}, amount {self.amount}"


def fingerprints(
    connection: sa.Connection, url: sa.URL, table: Table, months: list[str] | None
) -> dict[str, Fingerprint]:
    """What the server counts of each part, in one statement.

    Args:
        connection: to the database.
        url: of it, for errors.
        table: of the source.
        months: of a monthly table, in any order, also those that it has no rows of; None for all that it has.

    Raises:
        SalespipeError: the server computes no digest.
    """
    amount = ZERO if source_of(table).amount else None
    found = dict.fromkeys(months or [], Fingerprint(0, amount, NO_ROWS)) if table.monthly else {}
    for row in connection.execute(queries.fingerprints(table, months)).all():
        part = calendar.from_index(row.month) if table.monthly else SNAPSHOT
        if row.rows and row.digest is None:
            raise SalespipeError(f"{place(url)} computes no SHA-256.", "use a MySQL or MariaDB with SHA2()")
        if months is None or part in found:
            found[part] = Fingerprint(row.rows, _amount(table, row), f"{row.rows:x}-{int(row.digest or 0):x}")
    return found


def outside(connection: sa.Connection, table: Table, first: str, last: str) -> Outside:
    """What a monthly table has before the first month, after the last, or undated, as lines without their order."""
    asked = [queries.orphans(table)] if parent_of(table) else []
    if connection.execute(queries.any_dated_outside(table, first, last)).first():
        asked.append(queries.dated_outside(table, first, last))
    counted = [connection.execute(statement).one() for statement in asked]
    amount = sum((_amount(table, row) or ZERO for row in counted), ZERO) if source_of(table).amount else None
    return Outside(sum(row.rows for row in counted), amount)


def span(connection: sa.Connection) -> tuple[str, str] | None:
    """The first and the last month that anything is dated in; None without any."""
    dated = [t for t in tables().values() if t.contract.source and t.monthly and not parent_of(t)]
    spans = [connection.execute(queries.span(table)).one() for table in dated]
    days = [day for span in spans for day in span if day is not None]
    return (calendar.month_of(min(days)), calendar.month_of(max(days))) if days else None


def refuse_no_dates(connection: sa.Connection, url: sa.URL, table: Table, months: list[str] | None) -> None:
    """Hold the dates that a scan would read to be dates.

    Raises:
        SalespipeError: names the columns that hold something else, such as 0000-00-00, and a key.
    """
    found = connection.execute(queries.no_dates(table, months)).one()
    owner = dating(table)
    name, key = mirror(owner).name, column_of(owner, owner.contract.key[0]).name
    lines = [
        f"{name}.{column.name} holds {found[2 * i]} values that are no dates, such as 0000-00-00"
        f" (for example at {key} {found[2 * i + 1]})"
        for i, column in enumerate(queries.dates(table))
        if found[2 * i]
    ]
    if lines:
        hint = "set them to a date, or to NULL where the contract allows it; then run again"
        raise SalespipeError(f"{place(url)}: {'; '.join(lines)}.", hint)


def key_bounds(connection: sa.Connection, table: Table, name: str, months: list[str] | None) -> tuple[int, int] | None:
    """The least and the greatest value of an integer key in what a scan would read; None without any."""
    found = connection.execute(queries.key_bounds(table, name, months)).one()
    return None if found[0] is None else (int(found[0]), int(found[1]))


def _amount(table: Table, row: sa.Row[Any]) -> Decimal | None:
    return (row.amount or ZERO) if source_of(table).amount else None
