"""The assets of the tables that a transform makes: one for each, all from `salespipe_spark.tables`.

What every table's asset shares (key, description, columns, checks, how the outcome of an audit is
told to Dagster) is here too; staging tables use it from `assets/staging.py`.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pyspark.sql import DataFrame

from salespipe_dagster.assets.keys import asset_key
from salespipe_dagster.io_managers.lake import PUBLISHED
from salespipe_dagster.partitions import monthly_partitions
from salespipe_dagster.settings import Settings
from salespipe_spark import dictionary, lineage, months
from salespipe_spark.contract import SPARK, Column
from salespipe_spark.lake.audit import CHECKS, Check
from salespipe_spark.lake.staged import Staged
from salespipe_spark.tables import CALENDAR, Table, sources, tables

OWNERS = ["team:data-engineering"]
SINGLE_RUN = dg.BackfillPolicy.single_run()


def table_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """One asset for each table that is made from tables."""
    made = [table for table in tables().values() if table.transform and not table.contract.feed]
    return [_table_asset(table, settings) for table in made]


def asset_in(table: Table, *, months_of_run: bool) -> dg.AssetIn:
    """A table as an input: the run's months of it, or whatever months are published."""
    published = table.monthly and not months_of_run
    return dg.AssetIn(key=asset_key(table), metadata=PUBLISHED if published else {})


def declaration(table: Table) -> dict[str, Any]:
    """What Dagster shows of a table, for `asset` and `AssetOut` alike."""
    contract = table.contract
    return {
        "description": f"{contract.grain}\n\n{table.description}",
        "group_name": table.layer,
        "io_manager_key": "lake_io",
        "owners": OWNERS,
        "code_version": table.code_version,
        "tags": tags(table),
        "metadata": {
            "dagster/column_schema": _column_schema(table),
            "dagster/table_name": f"{table.layer}.{table.name}",
            "dictionary": dg.MetadataValue.md(dictionary.entry(table)),
            "key": ", ".join(contract.key),
        },
    }


def tags(table: Table) -> dict[str, str]:
    """How it is partitioned, and whether it holds personal data."""
    personal = {"personal_data": ""} if any(column.personal for column in table.contract.columns) else {}
    return {"partitioning": "monthly" if table.monthly else "snapshot"} | personal


def shown(column: Column, name: str, description: str, key: tuple[str, ...]) -> dg.TableColumn:
    """What Dagster shows of a column, under the name that it has there."""
    return dg.TableColumn(
        name,
        SPARK[column.type],
        description,
        constraints=dg.TableColumnConstraints(nullable=column.nullable, unique=key == (column.name,)),
        tags={"personal_data": ""} if column.personal else {},
    )


def check_specs(table: Table, *more: tuple[str, str]) -> list[dg.AssetCheckSpec]:
    """The checks of a table's audit, and further ones as (name, description)."""
    audited = [(name, text) for name, text in CHECKS.items() if name != "balance" or table.contract.balances]
    key = asset_key(table)
    return [dg.AssetCheckSpec(name, asset=key, description=text) for name, text in [*audited, *more]]


def outcome(made: dict[str, Staged]) -> Iterator[dg.AssetCheckResult | dg.Output[Staged]]:
    """Tell Dagster what the audits of one step found, and hand on its tables, by output, if all passed.

    Raises:
        dagster.Failure: a check failed; nothing is handed on, so nothing is published.
    """
    for staged in made.values():
        yield from (_check_result(staged.opening.table, check) for check in staged.checks)
    failed = [staged for staged in made.values() if not staged.passed]
    if failed:
        raise dg.Failure("\n".join(_failure(staged) for staged in failed), allow_retries=False)
    for output, staged in made.items():
        digests = [figures.digest for figures in staged.figures.values()]
        version = dg.DataVersion(digests[0]) if len(digests) == 1 else None
        yield dg.Output(staged, output_name=output, data_version=version)


def _table_asset(table: Table, settings: Settings) -> dg.AssetsDefinition:
    # Not before the source was read: where it cannot be, nothing at all is published.
    after = [t for t in sources() if t.monthly] if CALENDAR in table.inputs else []

    @dg.asset(  # pyright: ignore[reportUntypedFunctionDecorator]
        key=asset_key(table),
        deps=[asset_key(earlier) for earlier in after],
        ins={name: asset_in(tables()[name], months_of_run=table.monthly) for name in table.upstream},
        partitions_def=monthly_partitions(settings) if table.monthly else None,
        backfill_policy=SINGLE_RUN,
        kinds={"spark", "parquet"},
        check_specs=check_specs(table),
        required_resource_keys={"lake", "maker"},
        **declaration(table),
    )
    def body(
        context: dg.AssetExecutionContext, **inputs: DataFrame
    ) -> Iterator[dg.AssetCheckResult | dg.Output[Staged]]:
        lake = context.resources.lake.lake
        opening = lake.open(table, table.parts(list(context.partition_keys) if table.monthly else []))
        yield from outcome({"result": context.resources.maker.make(context, opening, inputs)})

    assert isinstance(body, dg.AssetsDefinition)
    return body


def _column_schema(table: Table) -> dg.TableSchema:
    """The columns, each with what it is made from: the UI shows no column lineage but this."""
    columns: list[dg.TableColumn] = []
    for name, found in lineage.origins(table).items():
        column = table.contract.column(name)
        made_from = f" From {', '.join(f'{o.table}.{o.column}' for o in found)}." if found else ""
        columns.append(shown(column, name, column.description + made_from, table.contract.key))
    return dg.TableSchema(columns)


def _check_result(table: Table, check: Check) -> dg.AssetCheckResult:
    found = {"expected": check.expected, "actual": check.actual}
    if check.parts:
        found["months"] = months.describe(check.parts) if table.monthly else ", ".join(check.parts)
    if check.sample:
        found["rows"] = "\n".join(str(row) for row in check.sample)
    return dg.AssetCheckResult(
        asset_key=asset_key(table), check_name=check.name, passed=check.passed, metadata=dict(found)
    )


def _failure(staged: Staged) -> str:
    lines = [
        f"{check.name}: found {check.actual}; expected {check.expected}"
        + (f"; in {', '.join(check.parts)}" if check.parts else "")
        + "".join(f"\n    {row}" for row in check.sample)
        for check in staged.checks
        if not check.passed
    ]
    table, parts = staged.opening.table, staged.opening.parts
    told = f"{table.layer}/{table.name} did not pass its audit, nothing of it is published."
    # Not of this table alone: what is mended may lie in the source, and what is made of it is not made yet.
    span = f" --months {parts[0]}...{parts[-1]}" if table.monthly else ""
    return "\n  ".join([told, *lines, f"next: mend what is named, then salespipe run{span}"])
