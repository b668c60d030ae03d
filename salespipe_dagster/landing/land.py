"""Landing: what is there and not in the ledger is parsed and put into the lake, the ledger's entry last.

Files are landed in batches: all of a batch is parsed, then what moved between months is found at once,
then the objects are uploaded, then the entries. A crash anywhere leaves no file that counts in part, and no
row that counts twice.
"""

import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa

from salespipe_dagster.landing.berth import Berth
from salespipe_dagster.landing.ledger import Ledger, entries_of, landed_of, read_landed, read_ledger
from salespipe_dagster.landing.parse import parse
from salespipe_dagster.landing.parsed import Parsed, Status
from salespipe_dagster.landing.survey import Survey, settled, survey
from salespipe_dagster.landing.version import Version, shown
from salespipe_dagster.settings import Settings
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.lake.objects import Changed, Denied, Entry, Store
from salespipe_spark.tables import feeds, tables

BATCH_FILES, BATCH_BYTES = 500, 256 * 1024**2
RUN_FILES, RUN_BYTES = 5_000, 20 * 1024**3
"""How much one run lands at most, the oldest first: what is left is the next run's."""

LANDING = "landing"
"""The lock under which files land, and decisions about them are taken."""

NAMED = 50
"""How many files are told by name where there may be any number."""

OnFile = Callable[[str, float], None]
"""Is told of each file that was landed, and of how much of the step that makes."""


@dataclass(frozen=True)
class Dock:
    """Where files come from, where they land, and by which rules.

    Attributes:
        files: the store of the files.
        lake: the store of the lake.
        scratch: a local folder; each landing has a folder of its own in it, which is gone afterwards.
        first_month: rows dated before it are put aside.
        last_month: rows dated after it are.
        max_rejected_share: a file of which more is put aside is held.
        run: which run it is.
    """

    files: Store
    lake: Store
    scratch: Path
    first_month: str
    last_month: str
    max_rejected_share: float
    run: str


@dataclass
class Landing:
    """What a run landed, and what it did not.

    Attributes:
        found: what was there when it began.
        results: what came of each file.
        waiting: how many files are left for the next run, as this one has had its share.
        gone: the keys of some files that were deleted and whose rows count still, by table.
        changed: the keys of files that changed or went while they were read: they are the next run's, too.
        touched: the months, or snapshots, that are made from something else by now, where files were parsed again.
        broken: why a file could not be read or parsed at all, by key: that is not decided for ever.
    """

    found: Survey
    results: list[Parsed] = field(default_factory=list[Parsed])
    waiting: int = 0
    gone: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    changed: list[str] = field(default_factory=list[str])
    touched: list[str] = field(default_factory=list[str])
    broken: dict[str, str] = field(default_factory=dict[str, str])

    def of(self, table: str) -> list[Parsed]:
        """The results of one feed."""
        return [result for result in self.results if result.version.table == table]


def dock_of(settings: Settings, files: Store, lake: Store, run: str) -> Dock:
    """Where files land and by which rules, as configured."""
    first, last = settings.first_month, settings.last_landed_month
    return Dock(files, lake, settings.scratch, first, last, settings.max_rejected_share, run)


def look(files: Store, lake: Store) -> tuple[Survey, dict[str, Ledger]]:
    """What is there, and the ledgers that it is held against; both are listed side by side."""
    with ThreadPoolExecutor(1) as pool:
        there = pool.submit(lambda: list(files.entries("")))
        ledgers = {table.name: read_ledger(lake, table) for table in feeds()}
        return survey(there.result(), ledgers), ledgers


def land(dock: Dock, *, only_settled: bool = False, on_file: OnFile = lambda said, share: None) -> Landing:
    """Land what is there and not in the ledger, the oldest first.

    Args:
        dock: where from and where to.
        only_settled: whether files are left alone that somebody may be writing still.
        on_file: is told of each file.
    """
    with _alone(dock) as scratch:
        found, ledgers = look(dock.files, dock.lake)
        pending = settled(found.pending, datetime.now(UTC)) if only_settled else found.pending
        chosen = _within(pending, RUN_FILES, RUN_BYTES)
        landing = Landing(found, waiting=len(pending) - len(chosen))
        for name, versions in found.gone.items():
            entries = entries_of(dock.lake, tables()[name], ledgers[name], versions[:NAMED])
            landing.gone[name] = [shown(entry["file"]) for entry in entries.values()]
        with _room(dock.scratch):
            _land(dock, ledgers, scratch, chosen, landing, on_file)
    return landing


def land_again(dock: Dock, versions: list[Version], *, max_rejected_share: float | None = None) -> Landing:
    """Parse files again as they are there now; where that comes out no better, what the ledger says stays.

    Args:
        dock: where from and where to.
        versions: what is there now of these files.
        max_rejected_share: another share for these files; 1 lands whatever can be landed.
    """
    with _alone(dock) as scratch:
        before = {table.name: read_landed(dock.lake, table) for table in feeds()}
        ledgers = {name: landed.ledger for name, landed in before.items()}
        landing = Landing(Survey(versions, {}, []))
        with _room(dock.scratch):
            _land(dock, ledgers, scratch, versions, landing, lambda said, share: None, max_rejected_share)
        after = {name: landed_of(dock.lake, tables()[name], ledger) for name, ledger in ledgers.items()}
        landing.touched = sorted({part for name, landed in before.items() for part in landed.unlike(after[name])})
    return landing


@contextmanager
def _alone(dock: Dock) -> Generator[Path]:
    """One landing at a time where the store has locks: two would do the same work. Yields a scratch folder."""
    with dock.lake.locked(LANDING), LocalStore(dock.scratch).staging() as scratch:
        yield scratch


@contextmanager
def _room(scratch: Path) -> Generator[None]:
    """Turn a full disk into an error that says where: it is no fault of the file at hand."""
    try:
        with LocalStore(scratch).writing():
            yield
    except duckdb.IOException as error:
        hint = "make room on the disk of SALESPIPE_HOME, then run again"
        raise SalespipeError(f"Landing could not go on in {scratch}: {error}.", hint) from error


def _land(
    dock: Dock,
    ledgers: dict[str, Ledger],
    scratch: Path,
    chosen: list[Version],
    landing: Landing,
    on_file: OnFile,
    max_rejected_share: float | None = None,
) -> None:
    berth = Berth(dock.lake, scratch, dock.run)
    share = dock.max_rejected_share if max_rejected_share is None else max_rejected_share
    done = 0
    for number, batch in enumerate(_batches(chosen)):
        parsed: list[Parsed] = []
        for place, version in enumerate(batch):
            done += 1
            folder = scratch / f"batch-{number}" / str(place)
            result = _parsed(dock, ledgers[version.table], version, folder, share, landing)
            if result is not None:
                parsed.append(result)
                said = f"{version.shown_key}, {done} of {len(chosen)} ({result.landed:,} rows)"
                on_file(f"{result.status.value} {said}", done / len(chosen))
        for name in ledgers:
            mine = [result for result in parsed if result.version.table == name]
            ledgers[name] = berth.commit(tables()[name], ledgers[name], mine)
        landing.results += parsed
        shutil.rmtree(scratch / f"batch-{number}")


def _parsed(
    dock: Dock, ledger: Ledger, version: Version, folder: Path, share: float, landing: Landing
) -> Parsed | None:
    """What came of a file; None where it is left for the next time, and the landing told why."""
    folder.mkdir(parents=True)
    file = folder / "file"
    try:
        dock.files.download(Entry(version.key, version.etag, version.size, version.modified), file)
    except Changed:
        landing.changed.append(version.shown_key)
        return None
    except Denied as error:
        landing.broken[version.shown_key] = f"{error.message} Next: {error.hint}"
        return None
    lands_as = ledger.landing(version)
    parts = folder / "parts"
    try:
        result = parse(file, lands_as, tables()[version.table], dock.first_month, dock.last_month, parts, share)
    except duckdb.IOException:
        raise  # a full disk; memory has a bound that one file alone may reach
    except (duckdb.Error, pa.ArrowException, ValueError) as error:
        landing.broken[version.shown_key] = f"{type(error).__name__}: {error}"
        return None
    file.unlink()
    has_landed = ledger.knows(version) and ledger.newest_status(version) is Status.LANDED
    if has_landed and result.status is not Status.LANDED:
        landing.broken[version.shown_key] = f"parsed again it would be {result.status.value}: {result.reason}"
        return None
    return result


def _within(pending: list[Version], most_files: int, most_bytes: int) -> list[Version]:
    """The first of them that are together no more than this; one at least."""
    chosen: list[Version] = []
    size = 0
    for version in islice(pending, most_files):
        size += version.size
        if chosen and size > most_bytes:
            break
        chosen.append(version)
    return chosen


def _batches(chosen: Iterable[Version]) -> Iterator[list[Version]]:
    left = list(chosen)
    while left:
        batch = _within(left, BATCH_FILES, BATCH_BYTES)
        yield batch
        left = left[len(batch) :]
