"""The proof: what is published, counted again and held against receipts and source. Changes nothing."""

from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa

from salespipe_dagster.automation import Receipts, is_stale, receipts_of
from salespipe_dagster.checks import unreconciled
from salespipe_dagster.landing.ledger import read_landed
from salespipe_dagster.profiles import FACT, PROFILES, restated
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.synthetic.company import Company
from salespipe_dagster.verify_files import unlanded, unlike_the_ledger, unlike_what_landed
from salespipe_spark.engine import FAILURES, brief
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake import audit
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.objects import Store
from salespipe_spark.lake.receipt import Figures, Receipt
from salespipe_spark.marts.monthly_revenue import WHOLESALE
from salespipe_spark.months import month_of
from salespipe_spark.tables import Table, feeds, sources, tables

_BOOKED = ("monthly_revenue", "fact_orders")
_OF_REVENUE = ("orders", "ordered_amount", "cancelled_amount")
"""What the company's own books are held against."""

_STALE = "an input has changed since"
_STALE_SOURCE = "the source has changed since it was read"
_STALE_FILES = "other files have landed since it was made"
_STALE_PROFILES = "a customer's profile has changed since"


@dataclass
class Verdict:
    """What was found of one table: how many parts and rows were read, and what is wrong."""

    table: Table
    parts: int = 0
    rows: int = 0
    problems: list[str] = field(default_factory=list[str])


def verify(
    lake: Lake, source: SourceDatabase, months: list[str], *, files: Store | None = None, ledgers: bool = False
) -> tuple[list[Verdict], list[str]]:
    """Read lake and source again: a verdict for each table, and the balances that do not hold.

    Args:
        lake: what is published.
        source: what it was made from.
        months: which are looked at.
        files: where the files lie that have landed; where it is not given, they are not looked at.
        ledgers: whether the marts are also held against the books of the synthetic company that made the source.
    """
    source.probe()
    fingerprints = {
        table.name: {part: each.digest for part, each in source.fingerprints(table, _asked(table, months)).items()}
        for table in sources()
    }
    landed = {table.name: read_landed(lake.store, table, table.parts(months)) for table in feeds()}
    fingerprints |= {name: each.fingerprints(each.table.parts(months)) for name, each in landed.items()}
    waiting = unlanded(files, landed) if files else {}
    receipts = receipts_of(lake, whole=False)  # an object that is not its receipt's is named below, once
    verdicts = [_table(lake, table, table.parts(months)) for table in tables().values()]
    for verdict in verdicts:
        table = verdict.table
        reason = _STALE_SOURCE if table.contract.source else _STALE_FILES if table.contract.feed else _STALE
        published = [part for part in table.parts(months) if part in receipts[table.name]]
        stale = [part for part in published if is_stale(table, part, fingerprints, receipts)]
        verdict.problems += [f"{part}: {reason}" for part in stale]
        if table.contract.feed:
            verdict.problems += waiting.get(table.name, []) + unlike_the_ledger(
                lake.store, landed[table.name], table.parts(months)
            )
            fresh = {part: receipts[table.name][part] for part in published if part not in stale}
            verdict.problems += unlike_what_landed(lake, landed[table.name], fresh)
    _add_late_profiles(lake, verdicts, receipts, months)
    unbalanced = unreconciled(lake, months)
    # What is not whole, or not of the source as it is now, is named above.
    broken = any(
        verdict.problems for verdict in verdicts if verdict.table.name in (*_BOOKED, "orders", "order_details")
    )
    if ledgers and not broken and (company := source.made_by()):
        unbalanced += off_the_books(lake, company, months)
    return verdicts, unbalanced


def _add_late_profiles(lake: Lake, verdicts: list[Verdict], receipts: Receipts, months: list[str]) -> None:
    """Name the months of online sales whose customers have other profiles by now."""
    about = {verdict.table.name: verdict for verdict in verdicts if verdict.table.name in (FACT, PROFILES)}
    if any(verdict.problems for verdict in about.values()):
        return  # which are named already, and may not be readable
    late, _ = restated(lake, receipts, {})
    about[FACT].problems += [f"{month}: {_STALE_PROFILES}" for month in sorted(late & set(months))]


def off_the_books(lake: Lake, company: Company, months: list[str]) -> list[str]:
    """Where the published months are not what the company itself has booked, as sentences.

    The company's books are sums of its own integers: neither the database nor the engine has a part in them.
    """
    revenue, facts = (tables()[name] for name in _BOOKED)
    rows = lake.read(revenue, months).where(f"channel = '{WHOLESALE}'").select("month_start", *_OF_REVENUE).collect()
    published = {month_of(row["month_start"]): [row[name] for name in _OF_REVENUE] for row in rows}
    found: list[str] = []
    for month in months:
        booked, receipt = company.ledger(month), lake.intact(facts, month)
        orders, ordered, cancelled = published.get(month, [0, Decimal(0), Decimal(0)])
        for what, given, expected in (
            ("orders", orders, booked.orders),
            ("order lines", receipt.figures.rows, booked.lines),
            ("ordered_amount", ordered, booked.ordered_amount),
            ("cancelled_amount", cancelled, booked.cancelled_amount),
        ):
            if given != expected:
                found.append(f"{month}: {what} {given}, but in the company's own books {expected}")
    return found


def _asked(table: Table, months: list[str]) -> list[str] | None:
    return months if table.monthly else None


def _table(lake: Lake, table: Table, parts: list[str]) -> Verdict:
    verdict = Verdict(table)
    receipts: dict[str, Receipt] = {}
    try:
        receipts = {receipt.part: receipt for receipt in lake.all_intact(table, parts)}
    except SalespipeError:
        for part in parts:  # each that is not is named
            try:
                receipts[part] = lake.intact(table, part)
            except SalespipeError as error:
                verdict.problems.append(error.message)
    found = _counted(lake, table, receipts, verdict)
    for part, figures in found.items():
        verdict.parts += 1
        verdict.rows += figures.rows
        if figures != receipts[part].figures:
            rows = f"{figures.rows} rows, {receipts[part].figures.rows} in the receipt"
            verdict.problems.append(f"{part}: the rows are not those of the receipt: {rows}")
    owned = {lake.key(table, part) for part in lake.published(table)}
    stray = [key for key in lake.store.list(f"{table.layer}/{table.name}", ".parquet") if key not in owned]
    verdict.problems += [f"{key} is nobody's: no receipt names it, and readers would count it" for key in stray]
    return verdict


def _counted(lake: Lake, table: Table, receipts: dict[str, Receipt], verdict: Verdict) -> dict[str, Figures]:
    """The figures of every part that can be read, all in one pass; where that fails, one by one to name the culprit."""
    whole: list[str] = []
    for part, receipt in receipts.items():
        try:
            wrong = lake.deviations(receipt, table)
        except (pa.ArrowException, OSError, SalespipeError) as error:
            wrong = [f"the file cannot be read ({error})"]
        verdict.problems += [f"{part}: {each}" for each in wrong]
        if not wrong:
            whole.append(part)
    try:
        return _figures(lake, table, whole)
    except FAILURES:
        return {part: figures for each in whole for part, figures in _alone(lake, table, each, verdict).items()}


def _alone(lake: Lake, table: Table, part: str, verdict: Verdict) -> dict[str, Figures]:
    try:
        return _figures(lake, table, [part])
    except FAILURES as error:
        verdict.problems.append(f"{part}: the rows cannot be read ({brief(error)})")
        return {}


def _figures(lake: Lake, table: Table, parts: list[str]) -> dict[str, Figures]:
    if not parts:
        return {}
    found = audit.figures(lake.read(table, parts), table.contract, keys_apart=lake.engine.keys_apart)
    return {part: found.get(part, audit.no_rows(table.contract)) for part in parts}
