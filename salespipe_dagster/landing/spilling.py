"""A database in memory that spills, for what is asked of keys: there may be more of them than memory holds."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

MEMORY = "1GB"


@contextmanager
def spilling(scratch: Path, **versions: Iterable[str]) -> Generator[duckdb.DuckDBPyConnection]:
    """A database that spills to the scratch folder and installs nothing.

    Args:
        scratch: a folder of this machine.
        versions: versions of files, which SQL knows as a table of that name.
    """
    with connected(scratch, memory_limit=MEMORY) as database:
        for name, some in versions.items():
            database.register(name, pa.table({"version": pa.array(sorted(some), pa.string())}))
        yield database


def connected(scratch: Path, **settings: str | int) -> duckdb.DuckDBPyConnection:
    """Such a database, to be closed, with further settings of DuckDB's."""
    own = {"temp_directory": str(scratch / "spill"), "autoinstall_known_extensions": False}
    return duckdb.connect(config={**own, **settings})
