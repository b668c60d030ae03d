"""The marker: the row that says that the tables are a company's, which company's, and what day it is there.

It is read in the same transaction as whatever is written of the company, so that a slice is always of
the day that the marker says, also where somebody moves the company forward meanwhile.
"""

import json
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from salespipe_dagster.resources.source_connection import place
from salespipe_dagster.resources.source_sql import MARKER, company
from salespipe_dagster.settings import DEMO_HOME, Settings
from salespipe_dagster.synthetic.company import Company
from salespipe_spark.errors import SalespipeError

NOTE = "Made by the synthetic company of salespipe, which replaces whatever is in its tables: "
_SETTINGS = {
    "seed": "COMPANY_SEED",
    "orders_per_month": "COMPANY_ORDERS_PER_MONTH",
    "quirks": "COMPANY_QUIRKS",
    "first_month": "START_MONTH",
}


def read(connection: sa.Connection, url: sa.URL, lock: Literal["none", "share", "change"] = "none") -> Company | None:
    """The company whose tables these are; None without a marker.

    Args:
        connection: to the database.
        url: of it, for errors.
        lock: until the transaction ends it stays as it is for those who share; who changes it is alone.

    Raises:
        SalespipeError: the marker is of another version of salespipe.
    """
    if not sa.inspect(connection).has_table(MARKER):
        return None
    statement = sa.select(company().tables[MARKER].c.note)
    found = connection.scalar(statement if lock == "none" else statement.with_for_update(read=lock == "share"))
    if found is None:
        return None
    try:
        says = json.loads(str(found).removeprefix(NOTE))
        return Company(**says | {"today": date.fromisoformat(says["today"])})
    except (ValueError, TypeError, KeyError):
        raise SalespipeError(f"{place(url)} was made by another version of salespipe.", _empty(url)) from None


def prepare(connection: sa.Connection, url: sa.URL, configured: Company) -> None:
    """Make the company's tables where they are not there yet, and sign them.

    Raises:
        SalespipeError: there are tables, and no marker says that they are the company's, or it names another one.
    """
    present = sa.inspect(connection).get_table_names() + sa.inspect(connection).get_view_names()
    if present and MARKER not in present:
        raise foreign(url)
    if not present:  # first of all, so that tables that were only begun are not taken for foreign ones
        company().tables[MARKER].create(connection)
    there = read(connection, url)
    if there:
        require_same(there, configured, url)
    company().create_all(connection)
    if not there:
        write(connection, configured)


def write(connection: sa.Connection, made_by: Company) -> None:
    """Say that the tables are this company's, at its day."""
    table = company().tables[MARKER]
    says = json.dumps(asdict(made_by), default=str)
    connection.execute(table.delete())
    connection.execute(table.insert().values(note=NOTE + says))


def require_same(there: Company, configured: Company, url: sa.URL) -> None:
    """Refuse tables that another company has made, whatever day it is, and whichever of its months are configured.

    Raises:
        SalespipeError: they differ in seed, size or quirks, or months are configured from before its first one.
    """
    expected = replace(configured, today=there.today, first_month=min(configured.first_month, there.first_month))
    if expected != there:
        settings = ", ".join(
            f"SALESPIPE_{setting}={str(getattr(there, name)).lower()}"
            for name, setting in _SETTINGS.items()
            if getattr(there, name) != getattr(expected, name)
        )
        hint = f"set {settings} to go on with it; or {_empty(url)}"
        raise SalespipeError(f"{place(url)} holds another company than the configured one.", hint)


def foreign(url: sa.URL) -> SalespipeError:
    """What is said of tables that no marker names."""
    hint = "set SALESPIPE_SOURCE_MODE=external to read it, or SALESPIPE_SOURCE_URL to an empty database"
    return SalespipeError(f"{place(url)} has tables that are not the synthetic company's.", hint)


def missing(url: sa.URL) -> SalespipeError:
    """What is said where a company should be."""
    demo = Settings.embedded(DEMO_HOME).source.database or ""
    if Path(demo).is_file() and url.database != demo:
        hint = f"set SALESPIPE_HOME={DEMO_HOME} for the demo's company, or make one of your own: `salespipe run`"
    else:
        hint = "make it first: `salespipe demo`, or `salespipe run` where something is configured"
    return SalespipeError(f"{place(url)} holds no synthetic company.", hint)


def _empty(url: sa.URL) -> str:
    if url.get_backend_name() == "sqlite":
        return f"remove {url.database}, and the next run makes it anew"
    return "set SALESPIPE_SOURCE_URL to an empty database"
