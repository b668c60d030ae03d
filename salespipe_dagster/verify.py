"""The proof: what is published, counted again and held against receipts and source. Changes nothing."""

from dataclasses import dataclass, field

from salespipe_dagster.checks import unreconciled
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake import audit, schema
from salespipe_spark.lake.lake import Lake
from salespipe_spark.tables import Table, tables


@dataclass
class Verdict:
    """What was found of one table: how many parts and rows were read, and what is wrong."""

    table: Table
    parts: int = 0
    rows: int = 0
    problems: list[str] = field(default_factory=list)


def verify(lake: Lake, source: SourceDatabase, months: list[str]) -> tuple[list[Verdict], list[str]]:
    """Read lake and source again: a verdict for each table, and the balances that do not hold."""
    source.probe()
    verdicts = [_table(lake, source, table, table.parts(months)) for table in tables().values()]
    try:
        return verdicts, unreconciled(lake)
    except SalespipeError:  # an object that is not its receipt's: named in its table's verdict
        return verdicts, []


def _table(lake: Lake, source: SourceDatabase, table: Table, parts: list[str]) -> Verdict:
    verdict = Verdict(table)
    receipts = {}
    for part in parts:
        try:
            receipts[part] = lake.intact(table, part)
        except SalespipeError as error:
            verdict.problems.append(error.message)
    files = [lake.store.path(receipt.key) for receipt in receipts.values()]
    wrong = {deviation for file in files for deviation in schema.deviations(file, table.contract)}
    if wrong:
        verdict.problems.extend(sorted(wrong))
        return verdict
    found = audit.figures(lake.engine.read(files, table.contract.ddl), table.contract) if files else {}
    for part, receipt in receipts.items():
        counted = found.get(part, audit.no_rows(table.contract))
        verdict.parts += 1
        verdict.rows += counted.rows
        if counted != receipt.figures:
            verdict.problems.append(
                f"{part}: the rows are not those of the receipt: {counted.rows}, {receipt.figures.rows}"
            )
    if table.contract.source:
        now = source.fingerprints(table, parts if table.monthly else None)
        changed = [part for part, receipt in receipts.items() if now[part].digest != receipt.provenance.fingerprint]
        verdict.problems.extend(f"{part}: the source has changed since it was read" for part in changed)
    return verdict
