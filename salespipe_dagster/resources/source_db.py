"""The `source_db` resource: the shop's database, opened for each question and each change.

What is read out of the answers is in `source_answers`, how the database is reached in `source_connection`. Only
the synthetic company's tables are ever written (`source_write`), and never over tables of somebody else.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa

from salespipe_dagster.resources import source_advice as advice
from salespipe_dagster.resources import source_answers as answers
from salespipe_dagster.resources import source_marker as marker
from salespipe_dagster.resources import source_queries as queries
from salespipe_dagster.resources import source_schema as schema
from salespipe_dagster.resources.source_answers import Fingerprint, Outside
from salespipe_dagster.resources.source_connection import TIMEOUT, engine, explained, place
from salespipe_dagster.resources.source_scan import conformed, stream
from salespipe_dagster.resources.source_sql import MARKER
from salespipe_dagster.resources.source_write import TableSlice, replace
from salespipe_dagster.synthetic.company import Company
from salespipe_spark.errors import SalespipeError
from salespipe_spark.tables import Table

Rows = Callable[[Company], Iterable[pa.Table]]
"""What makes the rows of a slice, of the company as it is there when they are written."""
WRITERS_WAIT = 60
"""Seconds until one who waits for another writer of a SQLite file gives up; servers have their own setting."""


class SourceDatabase:
    """The shop's database, MySQL, MariaDB or SQLite. Connects when it is asked something, not before."""

    def __init__(self, url: sa.URL) -> None:
        """A database by its URL, password included."""
        self.url = url
        self.dialect = url.get_backend_name()

    def __repr__(self) -> str:
        """Without the password."""
        return f"SourceDatabase({self.url.render_as_string(hide_password=True)!r})"

    def describe(self) -> str:
        """Which server answers, its version, and how the connection is encrypted."""
        with self._reading() as connection:
            if self.dialect == "sqlite":
                return f"SQLite {connection.scalar(sa.text('SELECT sqlite_version()'))}, a file, TLS none"
            version = str(connection.scalar(sa.text("SELECT VERSION()")))
            cipher = connection.execute(sa.text("SHOW SESSION STATUS LIKE 'Ssl_cipher'")).one()[1] or "none"
        server = "MariaDB" if "MariaDB" in version else "MySQL"
        return f"{server} {version.partition('-')[0]}, TLS {cipher}"

    def probe(self) -> None:
        """Reach the database, within seconds; the scanner would try for half a minute.

        Raises:
            SalespipeError: it cannot be reached, or refuses the user, or is a file that is not the company's.
        """
        with self._reading(engine(self.url, read_timeout=TIMEOUT)) as connection:
            connection.exec_driver_sql("SELECT 1")
            if self.dialect == "sqlite" and not sa.inspect(connection).has_table(MARKER):
                hint = f"set SALESPIPE_SOURCE_URL to MySQL, or to a file made by salespipe (it has a table {MARKER})"
                raise SalespipeError(f"{place(self.url)} is not a database of the synthetic company.", hint)

    def check_schema(self, wanted: Iterable[Table]) -> list[str]:
        """Hold the tables against their contracts; returns the columns that no contract knows, as `orders.foo`.

        Raises:
            SalespipeError: names every missing table and column and every column of another type.
        """
        chosen = list(wanted)
        with self._reading() as connection:
            found = schema.read(connection, chosen)
        wrong = schema.deviations(found, chosen, self.dialect)
        if wrong:
            hint = "correct the tables or SALESPIPE_SOURCE_URL; then `salespipe doctor`"
            raise SalespipeError(f"{place(self.url)} does not fit the contracts: {'; '.join(wrong)}.", hint)
        return schema.unknown(found, chosen)

    def needless_privileges(self) -> list[str]:
        """What the user may do beside reading."""
        with self._reading() as connection:
            return advice.needless_privileges(connection)

    def missing_indexes(self, wanted: Iterable[Table]) -> list[str]:
        """Statements for the indexes without which a single month reads a whole table."""
        with self._reading() as connection:
            return advice.missing_indexes(connection, wanted)

    def fingerprints(self, table: Table, months: list[str] | None) -> dict[str, Fingerprint]:
        """What the server counts of each part, in one statement.

        Args:
            table: of the source.
            months: of a monthly table, in any order, also those that it has no rows of; None for all that it has.
        """
        with self._reading() as connection:
            return answers.fingerprints(connection, self.url, table, months)

    def outside(self, table: Table, first: str, last: str) -> Outside:
        """What a monthly table has before the first month, after the last, or undated, as lines without their order."""
        with self._reading() as connection:
            return answers.outside(connection, table, first, last)

    def span(self) -> tuple[str, str] | None:
        """The first and the last month that anything is dated in; None without any."""
        with self._reading() as connection:
            return answers.span(connection)

    def scan(self, table: Table, months: list[str] | None) -> Iterator[pa.RecordBatch]:
        """The rows as batches of the contract, from one streaming statement.

        Args:
            table: of the source.
            months: an unbroken range; None for a snapshot.

        Raises:
            SalespipeError: a date is none, a value does not fit its type, or the connection broke off.
        """
        statement = queries.text(queries.scan(table, months), self.dialect)
        try:
            batches = stream(self.url, statement)  # for which the server is at work, while the dates are looked at
        finally:
            self.refuse_no_dates(table, months)
        for batch in batches:
            yield conformed(batch, table.contract, cents=self.dialect == "sqlite")

    def refuse_no_dates(self, table: Table, months: list[str] | None) -> None:
        """Hold the dates that a scan would read to be dates.

        Raises:
            SalespipeError: names the columns that hold something else, such as 0000-00-00, and a key.
        """
        if queries.dates(table):
            with self._reading() as connection:
                answers.refuse_no_dates(connection, self.url, table, months)

    def key_bounds(self, table: Table, months: list[str] | None) -> tuple[int, int] | None:
        """The least and the greatest integer key of what a scan would read; None without any."""
        name = queries.integer_key(table)
        if not name:
            return None
        with self._reading() as connection:
            return answers.key_bounds(connection, table, name, months)

    def prepare_company(self, configured: Company) -> None:
        """Make the company's tables where they are not there yet.

        Raises:
            SalespipeError: there are tables, and no marker says that they are the company's, or the marker names
                another company; nothing is written.
        """
        if self.dialect == "sqlite":
            _make_folder(Path(self.url.database or ""))
        with self._writing() as connection:  # all tables or none; MySQL commits each
            marker.prepare(connection, self.url, configured)

    def made_by(self) -> Company | None:
        """The company whose tables these are, at its day; None where no marker says so."""
        with self._reading() as connection:
            return marker.read(connection, self.url)

    def replace(self, owned: TableSlice, rows: Rows) -> int:
        """Make the rows all that the slice holds, in one transaction; returns how many they are.

        Raises:
            SalespipeError: the database is not the company's, or the rows are not what the slice may hold;
                nothing is changed.
        """
        with self._writing() as connection:
            there = marker.read(connection, self.url, "share")
            if there is None:
                raise marker.foreign(self.url)
            return replace(connection, owned, rows(there))

    @contextmanager
    def advancing(self, configured: Company) -> Generator[tuple[sa.Connection, Company]]:
        """One transaction in which the company moves forward: all of it, or none; nobody else writes meanwhile.

        Raises:
            SalespipeError: there is no company yet, or another one.
        """
        missing = marker.missing(self.url)
        if self.dialect == "sqlite" and not Path(self.url.database or "").is_file():  # connecting would make it
            raise missing
        with self._writing() as connection:
            there = marker.read(connection, self.url, "change")
            if there is None:
                raise missing
            marker.require_same(there, configured, self.url)
            yield connection, there

    @cached_property
    def _engine(self) -> sa.Engine:
        return engine(self.url)

    @cached_property
    def _writing_engine(self) -> sa.Engine:
        return engine(self.url, local_infile=True, patience=WRITERS_WAIT)

    @contextmanager
    def _writing(self) -> Generator[sa.Connection]:
        with explained(self.url), self._writing_engine.begin() as connection:
            if self.dialect == "sqlite":  # it would begin with the first change, after what was read
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def _reading(self, using: sa.Engine | None = None) -> Generator[sa.Connection]:
        file = Path(self.url.database or "")
        if self.dialect == "sqlite" and self.url.database and not file.is_file():  # connecting would make it
            hint = "correct SALESPIPE_SOURCE_URL; the synthetic company's database is made by `salespipe run`"
            raise SalespipeError(f"{place(self.url)} does not exist.", hint)
        read_only = "PRAGMA query_only = ON" if self.dialect == "sqlite" else "SET SESSION TRANSACTION READ ONLY"
        with explained(self.url), (using or self._engine).connect() as connection:
            connection.exec_driver_sql(read_only)
            yield connection


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = "set SALESPIPE_HOME or SALESPIPE_SOURCE_URL to a place that you may write"
        raise SalespipeError(f"{file.parent} cannot be made: {error}.", hint) from None
