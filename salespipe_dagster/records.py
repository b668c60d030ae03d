"""Dagster's own records in the home folder: runs, events, schedules."""

import fcntl
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from sqlalchemy.exc import DBAPIError

from salespipe_dagster.arrivals import STUCK
from salespipe_dagster.event_log import BATCH
from salespipe_dagster.settings import Settings
from salespipe_spark.errors import SalespipeError

INSTANCE = f"""\
# Written by salespipe. One run at a time: runs of one lake would only wait for one another.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1
# A run that was killed is under way for Dagster, and holds the queue: after a day it counts as failed.
run_monitoring:
  enabled: true
  max_runtime_seconds: {int(STUCK.total_seconds())}
event_log_storage:
  module: salespipe_dagster.event_log
  class: EventLog
  config:
    dagster_home:
      env: DAGSTER_HOME
"""


def instance(settings: Settings) -> dg.DagsterInstance:
    """Dagster's own records in the home folder.

    Raises:
        SalespipeError: the folder cannot be written, or its name cannot be used.
    """
    home = settings.dagster_home
    require_usable(settings.root)
    with explained(home):
        home.mkdir(parents=True, exist_ok=True)
        # Two first runs at once would both make the databases, and leave them with two versions.
        with (home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (home / "dagster.yaml").exists():
                (home / "dagster.yaml").write_text(INSTANCE)
            os.environ.update(BATCH, DAGSTER_HOME=str(home))  # dagster.yaml refers to it
            return dg.DagsterInstance.from_config(str(home))


def require_usable(home: Path) -> None:
    """Refuse a home in which Dagster's databases would lie elsewhere, or Sail would not start.

    Raises:
        SalespipeError: its path has a ? or a " in it, or what looks like an escape, as %20.
    """
    odd = re.search(r'["?]|%[0-9A-Fa-f]{2}', str(home))
    if odd:
        hint = "set SALESPIPE_HOME to another folder"
        raise SalespipeError(f"The home {home} cannot be used: Dagster and Sail misread {odd[0]} in a path.", hint)


@contextmanager
def explained(home: Path) -> Generator[None]:
    """Turn what happens to Dagster's records into an error that says where and the next step."""
    try:
        yield
    except OSError as error:
        hint = "make room, or set SALESPIPE_HOME to a folder that you may write"
        raise SalespipeError(f"The home folder cannot be written: {error}.", hint) from error
    except DBAPIError as error:
        hint = "make room on its disk, or set SALESPIPE_HOME elsewhere; then run again"
        raise SalespipeError(f"Dagster's records in {home} cannot be written: {error.orig}.", hint) from error
