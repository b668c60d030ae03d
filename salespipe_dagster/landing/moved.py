"""Rows that a newer file has in another month than an older one: the older's month must not keep them.

A month is made from the parts of its own month alone, so each month that has a row of a key that a newer
file has elsewhere is given the key by itself, marked as moved. The index of keys says where each key is.
Both directions are covered, so that it does not matter which file landed first.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from salespipe_dagster.landing.parts import landed_schema
from salespipe_dagster.landing.spilling import spilling
from salespipe_spark import months
from salespipe_spark.lake.schema import writer_of
from salespipe_spark.tables import Table

_NEWER = "(n.landed_modified_at, n.landed_file) > (o.landed_modified_at, o.landed_file)"
_FRESH = "SELECT landed_version FROM fresh"


class Moved(NamedTuple):
    """The keys that the newer of two versions has in other months than the older, of one of the older's months."""

    part: str
    newer: str
    older: str
    file: Path


def moved(
    table: Table, others: list[Path], fresh: Path, past: set[str], folder: Path, scratch: Path
) -> Iterator[Moved]:
    """The moved keys between fresh versions and all others, and among the fresh ones.

    Two others are left alone: what is noted between them has more keys than those that a fresh one has, too.

    Args:
        table: the feed's table, a monthly one.
        others: the keys of what landed before, and of what another run may be landing now.
        fresh: the keys of what lands now.
        past: the versions that do not count and never will. Those that the fresh ones overtake are not past yet: a
            run that is killed while it enters them leaves some that count beside others that they overtake.
        folder: where the files are written.
        scratch: where the database spills to.
    """
    with spilling(scratch, past=past) as database:
        database.execute("CREATE TEMP TABLE fresh AS SELECT * FROM read_parquet($fresh)", {"fresh": str(fresh)})
        database.execute("CREATE TEMP TABLE every AS FROM fresh")
        if others:
            database.execute(
                "INSERT INTO every SELECT DISTINCT * FROM read_parquet($others) WHERE key IN (SELECT key FROM fresh)"
                f" AND landed_version NOT IN (FROM past) AND landed_version NOT IN ({_FRESH})",
                {"others": [str(file) for file in others]},
            )
        database.execute(
            "CREATE TEMP TABLE pairs AS SELECT o.part, n.landed_version AS newer, o.landed_version AS older, n.key,"
            " n.landed_file, n.landed_modified_at FROM every n JOIN every o"
            f" ON n.key = o.key AND n.part <> o.part AND n.landed_file <> o.landed_file AND {_NEWER}"
            f" WHERE n.landed_version IN ({_FRESH}) OR o.landed_version IN ({_FRESH})"
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
