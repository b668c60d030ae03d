"""The pipeline as its user runs it, and its lake as a reader sees it."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO
from unittest import mock

import dagster as dg
import pyarrow.parquet as pq
import sqlalchemy as sa
from plotly.graph_objects import Figure

from salespipe_dagster import runner
from salespipe_dagster.definitions import build_defs
from salespipe_dagster.io_managers.chart import ChartIOManager
from salespipe_dagster.rendering import Renderers
from salespipe_dagster.resources.lake import lake_store
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.support import local
from salespipe_spark.engine import Engine
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.months import between
from salespipe_spark.tables import tables

COMMAND = Path(sys.executable).parent / "salespipe"
Rows = list[tuple[Any, ...]]
Contents = dict[tuple[str, str], Rows]
"""Rows by table and part."""


def environment(home: Path, url: str = "", **settings: str) -> dict[str, str]:
    """The environment of a run with exactly these settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SALESPIPE_")}
    chosen = {"home": str(home), "source_url": url} | settings
    return kept | {f"SALESPIPE_{name.upper()}": value for name, value in chosen.items()}


def salespipe(*arguments: str, home: Path, url: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """A `salespipe` command run to its end."""
    command = [str(COMMAND), *arguments]
    return subprocess.run(command, env=environment(home, url, **settings), capture_output=True, text=True, check=False)


def run(*arguments: str, home: Path, url: str = "", **settings: str) -> str:
    """A `salespipe run` that must succeed; what it printed."""
    done = salespipe("run", *arguments, home=home, url=url, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Sketches(Renderers):
    """Instead of pictures: of another figure other bytes, of the same one the same."""

    def to_png(self, figure: Figure, scale: float = 1) -> bytes:
        return hashlib.sha256(f"{figure.to_json()} {scale}".encode()).digest()


def run_here(
    engine: Engine, *, home: Path, url: str = "", span: tuple[str, str] | None = None, **settings: str
) -> None:
    """The same in a third of the time, where neither process nor pictures matter: on the tests' engine."""
    with mock.patch.dict(os.environ, environment(home, url, **settings), clear=True):
        configured = Settings.load()
    sketched = dg.IOManagerDefinition.hardcoded_io_manager(ChartIOManager(lake_store(configured), Sketches(1)))
    defs = build_defs(configured, engine=engine, charts_io=sketched)
    with mock.patch.object(runner, "instance", return_value=dg.DagsterInstance.ephemeral()):
        outcome = runner.run(defs, configured, between(*span) if span else configured.months)
    assert outcome.problems == []


def ask(url: str, statement: str) -> Rows:
    """What a query on the source answers."""
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(statement)]


def change(url: str, statement: str) -> None:
    """Change the source; exactly one row, or the test means something else."""
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        assert connection.exec_driver_sql(statement).rowcount == 1


def objects(home: Path) -> dict[str, tuple[int, bytes]]:
    """Every object of the lake, charts included: when it was made, and its bytes."""
    lake = home / "lake"
    files = (file for file in sorted(lake.rglob("*")) if file.is_file() and "_locks" not in file.parts)
    return {str(file.relative_to(lake)): (file.stat().st_mtime_ns, file.read_bytes()) for file in files}


def contents(home: Path) -> Contents:
    """All rows of all tables by (table, part), sorted: what two lakes are compared by."""
    return contents_of(Catalogue(home / "lake"))


def contents_of(catalogue: Catalogue) -> Contents:
    """The same of a lake anywhere."""
    return {
        (table.name, part): sorted(rows_of(catalogue, catalogue.key(table, part)), key=repr)
        for table in tables().values()
        for part in catalogue.published(table)
    }


def rows_of(catalogue: Catalogue, key: str) -> Rows:
    """The rows of one object of a lake."""
    entry = catalogue.store.entry(key)
    assert entry
    with catalogue.store.open(entry) as file:
        return rows(file)


def rows(file: Path | BinaryIO) -> Rows:
    """The rows of one object; read as a file, so that its folders do not become columns."""
    with pq.ParquetFile(file) as parquet:
        return [tuple(row.values()) for row in parquet.read().to_pylist()]


def table_rows(home: Path, name: str) -> list[dict[str, Any]]:
    """All published rows of a table as records."""
    catalogue, table = Catalogue(home / "lake"), tables()[name]
    found: list[dict[str, Any]] = []
    for part in catalogue.published(table):
        with pq.ParquetFile(local(catalogue).path(catalogue.key(table, part))) as parquet:
            found += parquet.read().to_pylist()
    return found
