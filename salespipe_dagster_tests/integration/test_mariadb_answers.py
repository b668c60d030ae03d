"""What is asked of the source, on MariaDB: the rules of `resources/test_source_db.py`, every one."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster_tests.resources.test_source_db import *  # noqa: F403


@pytest.fixture
def empty(empty_database: Callable[[], str]) -> SourceDatabase:
    """A database without tables, on the server."""
    return SourceDatabase(sa.make_url(empty_database()))
