"""Rows that a newer file has in another month than an older one: the older's month must not keep them.

A month is made from the parts of its own month alone, so each month that has a row of a key that a newer
file has elsewhere is given the key by itself, marked as moved. An index of the keys of all that landed
says where each key is. Both directions are covered, so that it does not matter which file landed first.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from salespipe_dagster.landing.parts import landed_schema
from salespipe_spark import months
from salespipe_spark.lake.schema import writer_of
from salespipe_spark.tables import Table

MEMORY = "1GB"
KEYS = "file_keys"
_NEWER = "(n.landed_modified_at, n.landed_file) > (o.landed_modified_at, o.landed_file)"


class Moved(NamedTuple):
    """The keys that the newer of two versions has in other months than the older, of one of the older's months."""

    part: str
    newer: str
    older: str
    file: Path


def write_keys(table: Table, parts: list[Path], target: Path, scratch: Path) -> Path:
    """The keys of the rows of these parts, each with its month and its file: what the index keeps of them."""
    (key,) = table.contract.key
    with _database(scratch) as database:
        database.execute(
            f"COPY (SELECT {key} AS key, strftime({table.contract.month}, '%Y-%m') AS part,"
            " landed_file, landed_version, landed_modified_at FROM read_parquet($parts))"
            " TO $target (FORMAT parquet, COMPRESSION zstd)",
            {"parts": [str(part) for part in parts], "target": str(target)},
        )
    return target


def knows_any(files: list[Path], versions: set[str], scratch: Path) -> bool:
    """Whether files of the index hold a key of any of these versions."""
    with _database(scratch) as database:
        _name(database, "wanted", versions)
        found = "FROM read_parquet($files) WHERE landed_version IN (FROM wanted) LIMIT 1"
        return database.execute(found, {"files": [str(file) for file in files]}).fetchone() is not None


def merged_keys(files: list[Path], without: set[str], target: Path, scratch: Path) -> Path:
    """The keys of several files of the index in one, without those of some versions."""
    with _database(scratch) as database:
        _name(database, "dropped", without)
        database.execute(
            "COPY (SELECT DISTINCT * FROM read_parquet($files) WHERE landed_version NOT IN (FROM dropped))"
            " TO $target (FORMAT parquet, COMPRESSION zstd)",
            {"files": [str(file) for file in files], "target": str(target)},
        )
    return target


def moved(table: Table, index: list[Path], fresh: Path, past: set[str], folder: Path, scratch: Path) -> Iterator[Moved]:
    """The moved keys between fresh versions and all others, and among the fresh ones.

    Args:
        table: the feed's table, a monthly one.
        index: the keys of what landed before, and of what another run may be landing now.
        fresh: the keys of what lands now.
        past: the versions that do not count, once the fresh ones have landed, and never will.
        folder: where the files are written.
        scratch: where the database spills to.
    """
    with _database(scratch) as database:
        _name(database, "past", past)
        database.execute("CREATE TEMP TABLE fresh AS SELECT * FROM read_parquet($fresh)", {"fresh": str(fresh)})
        database.execute("CREATE TEMP TABLE every AS FROM fresh")
        if index:
            database.execute(
                "INSERT INTO every SELECT DISTINCT * FROM read_parquet($index) WHERE key IN (SELECT key FROM fresh)"
                " AND landed_version NOT IN (FROM past) AND landed_version NOT IN (SELECT landed_version FROM fresh)",
                {"index": [str(file) for file in index]},
            )
        database.execute(
            "CREATE TEMP TABLE pairs AS SELECT o.part, n.landed_version AS newer, o.landed_version AS older, n.key,"
            f" n.landed_file, n.landed_modified_at FROM every n JOIN every o"
            f" ON n.key = o.key AND n.part <> o.part AND {_NEWER}"
        )
        found = database.execute("SELECT DISTINCT part, newer, older FROM pairs ORDER BY ALL").fetchall()
        for number, (part, newer, older) in enumerate(found):
            file = folder / f"moved-{number}.parquet"
            rows = database.sql(
                "SELECT key, landed_file, newer, landed_modified_at FROM pairs"
                " WHERE part = $part AND newer = $newer AND older = $older ORDER BY key",
                params={"part": part, "newer": newer, "older": older},
            ).to_arrow_reader(100_000)
            _write(table, part, rows, file)
            yield Moved(part, newer, older, file)


def _write(table: Table, part: str, rows: pa.RecordBatchReader, file: Path) -> None:
    """Rows of which only the key, the month and the file are told."""
    schema = landed_schema(table.contract)
    day = pa.scalar(months.first_day(part), pa.date32())
    with writer_of(file, schema) as writer:
        for batch in rows:
            key, landed_file, version, modified = batch.columns
            given = {
                table.contract.key[0]: key,
                table.contract.month: pa.repeat(day, len(batch)),
                "landed_file": landed_file,
                "landed_version": version,
                "landed_modified_at": modified,
                "is_moved": pa.repeat(pa.scalar(value=True), len(batch)),
            }
            columns = [given.get(field.name, pa.nulls(len(batch), field.type)).cast(field.type) for field in schema]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _name(database: duckdb.DuckDBPyConnection, name: str, versions: set[str]) -> None:
    """Let SQL know the versions as a table of that name."""
    database.register(name, pa.table({"version": pa.array(sorted(versions), pa.string())}))


@contextmanager
def _database(scratch: Path) -> Generator[duckdb.DuckDBPyConnection]:
    """A database in memory that spills to the scratch folder."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "temp_directory": str(scratch / "spill"),
        "autoinstall_known_extensions": False,
    }
    with duckdb.connect(config=settings) as database:
        yield database
