"""The event log: what Dagster's own would hold, over connections that stay open, also when files go away."""

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.storage.event_log import EventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy import event

from salespipe_dagster.event_log import KEPT, EventLog
from salespipe_dagster.records import instance
from salespipe_dagster.settings import Settings

MADE = str(dg.DagsterEventType.ASSET_MATERIALIZATION)


@dg.asset(
    partitions_def=dg.StaticPartitionsDefinition(list("abcdefgh")), backfill_policy=dg.BackfillPolicy.single_run()
)
def letters() -> None: ...


def folder(records: dg.DagsterInstance) -> Path:
    """Where the log's databases lie."""
    return Path(records.root_directory, "history", "runs")


@pytest.fixture
def records(tmp_path: Path, environment: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    with instance(Settings.embedded(tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def connects() -> Iterator[list[str]]:
    """The files of all SQLite connections opened from here on."""
    opened: list[str] = []

    def note(connection: Any, _: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            opened.append(connection.execute("PRAGMA database_list").fetchone()[2])

    event.listen(sa.Engine, "connect", note)
    yield opened
    event.remove(sa.Engine, "connect", note)


def materialise(records: dg.DagsterInstance, last: str = "h") -> str:
    tags = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": last}
    return dg.materialize([letters], instance=records, tags=tags).run_id


def logged(log: EventLogStorage, run: str) -> list[str]:
    return [str(entry.dagster_event_type) for entry in log.get_logs_for_run(run)]


def test_instance_of_a_home_uses_it(records: dg.DagsterInstance) -> None:
    assert type(records.event_log_storage) is EventLog


def test_dagsters_own_log_reads_the_same(records: dg.DagsterInstance) -> None:
    """Whoever takes the entry out of dagster.yaml keeps the history."""
    run = materialise(records)
    own = SqliteEventLogStorage(str(folder(records)))
    assert logged(own, run) == logged(records.event_log_storage, run)
    assert own.get_materialized_partitions(letters.key) == set("abcdefgh")


def test_more_events_take_no_more_connections(records: dg.DagsterInstance, connects: list[str]) -> None:
    """Dagster's own opens one for each event, and more for those of assets."""
    materialise(records)  # the index is open now
    counts: list[int] = []
    for last in ("a", "h"):
        connects.clear()
        materialise(records, last)
        counts.append(len(connects))
    assert counts[0] == counts[1] > 0


@pytest.fixture
def commits() -> Iterator[list[str]]:
    """A line for each transaction that ends well from here on."""
    ended: list[str] = []

    def note(_: sa.Connection) -> None:
        ended.append("commit")

    event.listen(sa.Engine, "commit", note)
    yield ended
    event.remove(sa.Engine, "commit", note)


def test_what_a_step_says_of_many_partitions_is_one_transaction(
    records: dg.DagsterInstance, commits: list[str]
) -> None:
    """One for each event and database took a quarter of the time of a run over many months."""
    materialise(records)
    counts: list[int] = []
    for last in ("a", "h"):
        commits.clear()
        materialise(records, last)
        counts.append(len(commits))
    assert counts[1] - counts[0] < 7, "eight partitions instead of one: planned and materialised"


def test_batch_that_fails_is_not_half_there(records: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster stores the events one by one then: what were there already would be there twice."""
    seen: list[str] = []
    store = SqliteEventLogStorage.store_event

    def fails_once(self: SqliteEventLogStorage, entry: dg.EventLogEntry) -> None:
        store(self, entry)
        seen.append(str(entry.dagster_event_type))
        if seen.count(MADE) == 3 and seen[-1] == MADE:
            raise OSError("no room")

    monkeypatch.setattr(SqliteEventLogStorage, "store_event", fails_once)
    run = materialise(records)
    assert seen.count(MADE) == 3 + 8
    assert logged(records.event_log_storage, run).count(MADE) == 8


def test_runs_of_long_ago_are_closed(records: dg.DagsterInstance) -> None:
    for _ in range(KEPT + 2):
        materialise(records)
    assert isinstance(records.event_log_storage, EventLog)
    assert len(records.event_log_storage._kept) == KEPT
    assert "index" in records.event_log_storage._kept


def test_a_wiped_log_starts_anew(records: dg.DagsterInstance) -> None:
    """A connection to a file that is gone would write where nobody reads."""
    run = materialise(records)
    records.event_log_storage.wipe()
    assert logged(records.event_log_storage, run) == []
    run = materialise(records)
    assert "ASSET_MATERIALIZATION" in str(logged(records.event_log_storage, run))


@pytest.mark.parametrize("anew", [False, True])
def test_another_process_removes_a_run(records: dg.DagsterInstance, *, anew: bool) -> None:
    """`make clean demo` beside an open UI: the files are gone, or others of the same name are there."""
    run = materialise(records)
    home = folder(records)
    shutil.rmtree(home)
    home.mkdir()
    if anew:
        other = SqliteEventLogStorage(str(home))
        assert logged(other, run) == []
        assert other.get_materialized_partitions(letters.key) == set()
    assert logged(records.event_log_storage, run) == []
    run = materialise(records)
    assert "ASSET_MATERIALIZATION" in str(logged(SqliteEventLogStorage(str(home)), run))


def test_who_watches_a_run_sees_its_events(records: dg.DagsterInstance) -> None:
    """The run's page in the UI: it is another process, and looks when the run's file is touched."""
    run = materialise(records)
    heard = threading.Event()

    def callback(entry: dg.EventLogEntry, _: str) -> None:
        if entry.user_message == "last":
            heard.set()

    watcher = EventLog(str(records.root_directory))
    watcher.watch(run, None, callback)
    entry = next(iter(records.all_logs(run)))
    for message in ("first", "last"):
        records.event_log_storage.store_event(entry._replace(user_message=message, dagster_event=None))
    arrived = heard.wait(20)
    watcher.end_watch(run, callback)
    watcher.dispose()
    assert arrived


def test_run_that_is_opened_again_is_not_set_up_again(
    records: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Setting up takes 50 ms, and a page of the UI opens many runs in turn."""
    runs = [materialise(records, "a") for _ in range(KEPT + 1)]
    monkeypatch.setattr(EventLog, "_initdb", lambda *_: pytest.fail("set up again"))
    assert all(logged(records.event_log_storage, run) for run in (*runs, *runs))
