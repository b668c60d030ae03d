"""What the tests of the source database on a real server share."""

from typing import Any

import sqlalchemy as sa

from salespipe_dagster.resources.source_db import SourceDatabase


def open_source(url: str, **changes: Any) -> SourceDatabase:
    """A source by its URL, with parts of the URL changed."""
    return SourceDatabase(sa.make_url(url).set(**changes))


def execute(url: str, *statements: str) -> None:
    """Run SQL on the server, outside of everything that is tested."""
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
