"""What arrivals call for: which runs, decided by a pure plan over what is there, landed and published.

What has landed is the ledger, what was made of it stands in the receipts: nothing is remembered of what
was asked for. A run that failed, a lost cursor or a clock that jumps can delay a file, never lose one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from salespipe_dagster.landing.ledger import Landed
from salespipe_spark import months as calendar
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.lake.receipt import Receipt
from salespipe_spark.tables import Table, feeds, tables

RUN_TAG = "salespipe/asked_for"
"""The tag of the runs that arrivals ask for: for what."""

LAND = "land"
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(minutes=30)
"""How long a run that failed is not asked for again; twice as long after each further failure."""

STUCK = timedelta(days=1)
"""A run that has been under way for longer was killed: nobody could say that it ended."""


@dataclass(frozen=True)
class Past:
    """A run of what arrivals ask for: by which name, when it began, and when it ended, if it has; whether it failed."""

    name: str
    begun: datetime
    ended: datetime | None = None
    failed: bool = False


@dataclass(frozen=True)
class Asked:
    """A run to ask for.

    Attributes:
        name: the same for the same work, so that its failures are counted.
        months: the unbroken range that it makes; none where it lands files or makes snapshots alone.
        whole: whether it makes everything, and not only what is made from files.
    """

    name: str
    months: list[str] = field(default_factory=list[str])
    whole: bool = False


@dataclass(frozen=True)
class Due:
    """What is not made from what has landed: months, those that need more than what files make, and snapshots."""

    months: list[str]
    whole: set[str]
    snapshots: bool


def plan(pending: int, most: int, due: Due, runs: Iterable[Past], now: datetime) -> list[Asked]:
    """The runs to ask for: none while one is under way, and none again too soon after it failed.

    Where more is pending than one run lands, what was landed waits to be made until the rest is there.

    Args:
        pending: how many files are there that have not landed.
        most: how many one run lands.
        due: what has landed and is not made.
        runs: what was asked for before, and whatever else makes the same tables.
        now: by this machine's clock.
    """
    known = list(runs)
    if under_way(known, now):
        return []
    asked = [Asked(LAND)] if pending else []
    if pending <= most:
        for whole in (True, False):
            chosen = [month for month in due.months if (month in due.whole) is whole]
            asked += [Asked(_name(block, whole=whole), block, whole) for block in calendar.blocks(chosen)]
        if due.snapshots and not due.months:
            asked.append(Asked(SNAPSHOT))
    return [each for each in asked if not is_held_back(each.name, known, now)]


def under_way(runs: Iterable[Past], now: datetime) -> Past | None:
    """A run that makes what files call for; none that is stuck."""
    return next((run for run in runs if run.ended is None and not now - run.begun > STUCK), None)


def is_held_back(name: str, runs: Iterable[Past], now: datetime) -> bool:
    """Whether the last runs of this name failed so lately that it is too soon for another; newest first."""
    ended = [(run.ended, run.failed) for run in runs if run.name == name and run.ended]
    ended.sort(key=lambda each: each[0], reverse=True)  # of two that ended at once the first given is the newer
    failures = next((number for number, (_, failed) in enumerate(ended) if not failed), len(ended))
    if not failures:
        return False
    wait = min(SHORTEST * 2 ** min(failures - 1, 10), LONGEST)
    return timedelta(0) <= now - ended[0][0] < wait  # an end in the future is a clock's mistake


def made_from_files() -> list[Table]:
    """The tables made from files, and all that are made of these, each after its inputs."""
    chain = {table.name for table in feeds()}
    for table in tables().values():
        if chain & set(table.upstream):
            chain.add(table.name)
    return [table for table in tables().values() if table.name in chain]


def due_of(
    landed: Mapping[str, Landed],
    receipts: Mapping[str, Mapping[str, Receipt]],
    published: Mapping[str, set[str]],
    restated: set[str],
    configured: list[str],
) -> Due:
    """What is not what it would be if it were made now of what has landed.

    Args:
        landed: what has landed, by the feed's table.
        receipts: those of `made_from_files`, whose objects are whole.
        published: which parts of the other inputs of these are published, by table.
        restated: the months whose customers' profiles are others now.
        configured: the months of the lake.
    """
    chain = made_from_files()
    monthly, snapshots = [t for t in chain if t.monthly], [t for t in chain if not t.monthly]
    months = [
        month
        for month in configured
        if month in restated or any(_is_behind(table, month, landed, receipts) for table in monthly)
    ]
    return Due(
        months,
        {month for month in months if _lacks(chain, month, published)},
        any(_is_behind(table, SNAPSHOT, landed, receipts) for table in snapshots),
    )


def other_inputs() -> list[Table]:
    """The inputs of what is made from files that are not made from files themselves."""
    chain = {table.name for table in made_from_files()}
    return [tables()[name] for name in {n for t in chain for n in tables()[t].upstream} - chain]


def _name(block: list[str], *, whole: bool) -> str:
    return f"{'all' if whole else 'files'} {block[0]}...{block[-1]}"


def _is_behind(
    table: Table, part: str, landed: Mapping[str, Landed], receipts: Mapping[str, Mapping[str, Receipt]]
) -> bool:
    """Whether files call for the part to be made: what never had a file is somebody else's to make."""
    receipt = receipts[table.name].get(part)
    if table.name in landed:
        files = landed[table.name]
        made_from = receipt.provenance.fingerprint if receipt else Landed(table, files.ledger, {}).fingerprint(part)
        return files.fingerprint(part) != made_from
    given = [name for name in table.upstream if name in receipts and tables()[name].monthly == table.monthly]
    for name in given:
        now = receipts[name].get(part)
        if now and receipt is None and _has_files(part, landed):
            return True  # a run ended between the two
        if now and receipt and receipt.provenance.inputs.get(name, {}).get(part) != now.figures.digest:
            return True
    return False


def _has_files(part: str, landed: Mapping[str, Landed]) -> bool:
    return any(part in files.parts for files in landed.values())


def _lacks(chain: list[Table], month: str, published: Mapping[str, set[str]]) -> bool:
    """Whether a month cannot be made of files alone: another input of it was never published."""
    needed = {name for table in chain if table.monthly for name in table.upstream if name in published}
    return any(part not in published[name] for name in needed for part in tables()[name].parts([month]))
