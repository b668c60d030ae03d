"""The source's I/O manager on MariaDB: the rules of `io_managers/test_mysql.py`, every one."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster_tests.io_managers.test_mysql import *  # noqa: F403


@pytest.fixture
def empty(empty_database: Callable[[], str]) -> SourceDatabase:
    """A database without tables, on the server."""
    return SourceDatabase(sa.make_url(empty_database()))
