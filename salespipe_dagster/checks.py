"""Checks over several tables or months, run after everything is published.

What concerns one table and the months of one run is its audit (`salespipe_spark.lake.audit`), and
keeps it from being published; what is here tells that published tables do not fit together.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

import dagster as dg
from pyspark.sql import functions as F

from salespipe_dagster.assets.keys import asset_key
from salespipe_dagster.settings import Settings
from salespipe_spark import months
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.receipt import Receipt
from salespipe_spark.tables import Table, tables

SHOWN = 5


def asset_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """All checks over several tables or months."""
    marts = [table for table in tables().values() if table.layer == "marts"]
    across = [table for table in tables().values() if table.monthly and table.contract.month not in table.contract.key]
    return [_reconciliation(marts), _keys_over_all_months(across), _coverage(marts, settings)]


def unreconciled(catalogue: Catalogue, parts: list[str] | None = None) -> list[str]:
    """Where a balance between published tables does not hold today, as sentences; in all parts, or in these.

    A table's audit held it against its inputs when it was published; an input that was published
    later, and the table not, shows up here.
    """
    found: list[str] = []
    receipts = {table.name: catalogue.receipts(table) for table in tables().values()}
    for table in tables().values():
        if not table.contract.balances:
            continue
        common = table.common_months(lambda given: receipts[given.name])
        for part in catalogue.published(table) if parts is None else table.parts(parts):
            for name, other in table.contract.balances:
                given, _, figure = other.partition(".")
                own = _figure(receipts[table.name], [part], name)
                taken = common if table.spans(tables()[given]) else [part]
                expected = _figure(receipts[given], taken, figure)
                if own != expected:
                    found.append(f"{part}: {table.name}.{name} {own} is not {other} {expected}")
    return found


def _figure(receipts: Mapping[str, Receipt], parts: list[str], figure: str) -> Decimal | None:
    """The sum of a figure over the parts; None where one of them has no receipt."""
    values = [receipts[part].figures.figure(figure) for part in parts if part in receipts]
    return sum(values, Decimal(0)) if len(values) == len(parts) else None


def _reconciliation(marts: list[Table]) -> dg.AssetChecksDefinition:
    last = tables()["monthly_revenue"]

    @dg.asset_check(
        asset=asset_key(last),
        name="reconciliation",
        description="Source = facts = marts in every published month, to the cent.",
        additional_deps=[asset_key(table) for table in marts if table is not last]
        + [asset_key(tables()["fact_payments"])],
        required_resource_keys={"lake"},
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        found = unreconciled(context.resources.lake.lake)
        actual = "; ".join(found[:SHOWN]) or "every balance holds"
        return _result(not found, "every balance of every month holds", actual)

    return check


def _keys_over_all_months(among: list[Table]) -> dg.AssetChecksDefinition:
    def check(catalogue: Lake, table: Table) -> dg.AssetCheckResult:
        expected = f"unique ({', '.join(table.contract.key)})"
        rows = catalogue.read_published(table)
        # Grouped by a hash, which is cheap; only where one repeats are the keys themselves counted.
        repeated = rows.groupBy(F.xxhash64(*table.contract.key)).agg(F.count(F.lit(1)).alias("rows")).where("rows > 1")
        if not repeated.limit(1).count():
            return _result(True, expected, "unique")
        doubled = rows.groupBy(*table.contract.key).agg(F.count(F.lit(1)).alias("rows")).where("rows > 1")
        sample = [str(row.asDict()) for row in doubled.orderBy(*table.contract.key).limit(SHOWN).collect()]
        return _result(not sample, expected, "; ".join(sample) or "unique")

    description = "The key is unique over all published months: an order that moved left its old month."
    return _check_of_each(among, "keys_over_all_months", description, check)


def _coverage(among: list[Table], settings: Settings) -> dg.AssetChecksDefinition:
    def check(catalogue: Lake, table: Table) -> dg.AssetCheckResult:
        published = catalogue.covered(table) or set()
        missing = [month for month in settings.months if month not in published]
        covered = f"covers {len(settings.months) - len(missing)} of {len(settings.months)} months"
        actual = f"{covered}, missing {months.describe(missing)}" if missing else covered
        expected = f"covers {len(settings.months)} of {len(settings.months)} months"
        # A lake that is being filled month by month is not wrong.
        return _result(not missing, expected, actual, dg.AssetCheckSeverity.WARN)

    return _check_of_each(among, "coverage", "Every configured month is published, or is in the snapshot.", check)


def _check_of_each(
    among: list[Table], name: str, description: str, check: Callable[[Lake, Table], dg.AssetCheckResult]
) -> dg.AssetChecksDefinition:
    """The same check of each of these tables, all in one step: to start a step takes longer than to check."""
    keys = {dg.AssetCheckKey(asset_key(table), name): table for table in among}

    @dg.multi_asset_check(
        name=name,
        specs=[dg.AssetCheckSpec(name, asset=key.asset_key, description=description) for key in keys],
        can_subset=True,
        required_resource_keys={"lake"},
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        for key, table in keys.items():
            if key in context.selected_asset_check_keys:
                result = check(context.resources.lake.lake, table)
                yield result._replace(asset_key=key.asset_key, check_name=name)

    return checks


def _result(
    passed: bool, expected: str, actual: str, severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=passed, severity=severity, metadata={"expected": expected, "actual": actual})
