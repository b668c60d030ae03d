"""Dagster's event log on SQLite, with its connections kept open from one event to the next.

Dagster opens a connection, compiles its SQL and closes the connection, which moves the whole log into
the database file, for each event: 25 of the 42 seconds of a run over 30 months and next to no rows.
`dagster.yaml` in the home folder names this class; see docs/decisions/0008-event-log.md.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import dagster as dg
import sqlalchemy as sa
from dagster._config import UserConfigSchema
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import event

KEPT = 4
"""Databases kept open: the index of all runs, and the runs last looked at. Each run has one of its own."""

BATCH = {"DAGSTER_EVENT_BATCH_SIZE": "1000"}
"""The environment in which Dagster hands over events by the batch: a step's materialisations, a run's plans."""

Identity = tuple[int, int] | None


class EventLog(SqliteEventLogStorage):
    """The same tables in the same files, read and written over connections that stay open."""

    def __init__(self, dagster_home: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._kept: OrderedDict[str, tuple[sa.Engine, Identity]] = OrderedDict()
        self._tables: set[str] = set()
        self._batch: ExitStack | None = None
        self._batched: dict[str, sa.Connection] = {}
        super().__init__(str(Path(dagster_home, "history", "runs")), inst_data)
        self._db_lock = threading.RLock()  # a batch holds it from its first event to its last

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """What `dagster.yaml` says: the folder that it lies in, so that a home may be moved."""
        return {"dagster_home": dg.StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """As Dagster makes it from `dagster.yaml`."""
        return cls(inst_data=inst_data, **config_value)

    def dispose(self) -> None:
        """Close what was kept open."""
        super().dispose()
        with self._db_lock:
            while self._kept:
                self._close_oldest()

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store it, and wake who watches the run: they look at the file, and events go to the log beside it."""
        super().store_event(event)
        os.utime(self.path_for_shard(event.run_id))

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store them all or none, in one transaction of each database: to begin and end one costs more than an event.

        Dagster hands over what a step says of many partitions at once, if `BATCH` lets it.
        """
        with self._db_lock:
            try:
                with ExitStack() as self._batch:
                    for each in events:
                        super().store_event(each)
            finally:
                self._batch = None
                self._batched.clear()
        for run in {each.run_id for each in events}:
            os.utime(self.path_for_shard(run))

    def has_table(self, table_name: str) -> bool:
        """Whether there is such a table. Dagster asks for each event; no table is ever dropped."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    @contextmanager
    def _connect(self, shard: str) -> Generator[sa.Connection]:
        with self._db_lock:
            if self._batch is None:
                with self._engine(shard).begin() as connection:
                    yield connection
                return
            if shard not in self._batched:
                self._batched[shard] = self._batch.enter_context(self._engine(shard).begin())
            yield self._batched[shard]

    def _engine(self, shard: str) -> sa.Engine:
        path = Path(self.path_for_shard(shard))
        engine, identity = self._kept.pop(shard, (None, None))
        if engine is not None and identity != _identity(path):
            engine.dispose()  # the file is gone, or another by now: what is written to it nobody reads
            engine = None
            self._initialized_dbs.discard(shard)
        if engine is None:
            url = self.conn_string_for_shard(shard)
            engine = sa.create_engine(url, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
            event.listen(engine, "connect", _relaxed)
        if shard not in self._initialized_dbs or not path.exists():
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        self._kept[shard] = engine, _identity(path)
        if len(self._kept) > KEPT:
            self._close_oldest()
        return engine

    def _close_oldest(self) -> None:
        engine, _ = self._kept.popitem(last=False)[1]
        engine.dispose()


def _identity(path: Path) -> Identity:
    """Which file lies there, whatever its name."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _relaxed(connection: Any, _: object) -> None:
    # With the log written ahead, a power cut may cost the last events, never the database.
    connection.execute("PRAGMA synchronous = NORMAL")
