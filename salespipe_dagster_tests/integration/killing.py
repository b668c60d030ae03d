"""Runs that are killed at some moment, and what a reader finds then."""

import signal
import subprocess
import time
from contextlib import suppress

from salespipe_dagster_tests.integration.pipeline import COMMAND, Contents, rows_of
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.tables import tables


def ended_before(seconds: float, settings: dict[str, str]) -> float:
    """Start a run and kill it; how long it took if it had ended: it may be quicker than the undisturbed one."""
    command, begun = [str(COMMAND), "run"], time.monotonic()
    process = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
    took = time.monotonic() - begun
    process.send_signal(signal.SIGKILL)
    return 0 if process.wait() == -signal.SIGKILL else took


def assert_whole(lake: Catalogue, months: list[str], before: Contents, after: Contents) -> None:
    """Every object in place, with or without a receipt, is as it was or as it will be."""
    for table in tables().values():
        for part in table.parts(months):
            key = lake.key(table, part)
            if lake.store.etag(key):
                found = sorted(rows_of(lake, key), key=repr)
                was, will_be = before[table.name, part], after[table.name, part]
                assert found in (was, will_be), f"{key} is neither the old month nor the new one"
