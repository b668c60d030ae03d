"""The jobs and the nightly schedule; what the schedule asks for is decided by a pure function."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import dagster as dg

from salespipe_dagster.assets.keys import landed_key
from salespipe_dagster.charts import Chart, charts, compared
from salespipe_dagster.io_managers.report import KEY as REPORT
from salespipe_dagster.landing.ledger import read_landed
from salespipe_dagster.partitions import range_tags
from salespipe_dagster.profiles import restated
from salespipe_dagster.report import INPUTS as REPORT_INPUTS
from salespipe_dagster.resources.lake import lake_store
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.settings import Settings
from salespipe_spark import months
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.lake.receipt import Receipt
from salespipe_spark.tables import Table, feeds, sources, tables

Receipts = Mapping[str, Mapping[str, Receipt]]
Fingerprints = Mapping[str, Mapping[str, str]]

monthly_refresh = dg.define_asset_job(
    "monthly_refresh",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="Every table and chart for the months asked for; a range of months is one run.",
)

land_files = dg.define_asset_job(
    "land_files",
    selection=dg.AssetSelection.assets(*map(landed_key, feeds())),
    executor_def=dg.in_process_executor,
    description="Lands the files that are there and have not landed, and nothing else.",
)


def changed_months(fingerprints: Fingerprints, receipts: Receipts, configured: list[str]) -> list[str]:
    """The months that are not what they would be if they were made now.

    A month counts as changed where the source's fingerprint is not its receipt's, where a table of
    it is not published, and where a table was made from an input that has since been replaced: so a
    month whose run failed midway is asked for again.
    """
    monthly = [table for table in tables().values() if table.monthly]
    return [month for month in configured if any(is_stale(table, month, fingerprints, receipts) for table in monthly)]


def plan(
    fingerprints: Fingerprints, receipts: Receipts, undrawn: set[str], configured: list[str], current: str
) -> list[list[str]]:
    """The runs that the night needs, each an unbroken range: the changed months, the undrawn and the current one.

    Where none is there, and a snapshot is not what it would be or a chart over all months is undrawn, the
    last month alone: a run of any month makes the snapshots and these charts anew. `undrawn` is as of
    `undrawn_charts`; what shows a changed month beside its own is drawn by that month's run.
    """
    due = set(changed_months(fingerprints, receipts, configured)) | ({current, *undrawn} & set(configured))
    snapshots = [table for table in tables().values() if not table.monthly]
    stale = any(is_stale(table, SNAPSHOT, fingerprints, receipts) for table in snapshots)
    if not due and (stale or SNAPSHOT in undrawn):
        due = {configured[-1]}
    return months.blocks(sorted(due))


def observe(
    source: SourceDatabase, catalogue: Catalogue, settings: Settings
) -> tuple[Fingerprints, Receipts, set[str]]:
    """What the plan decides by: the fingerprints of source and files now, the lake's receipts, what is undone.

    Undone are charts, as of `undrawn_charts`, and months of customers whose profiles are others now.
    """
    source.probe()
    fingerprints = {
        table.name: {
            part: fingerprint.digest
            for part, fingerprint in source.fingerprints(table, settings.months if table.monthly else None).items()
        }
        for table in sources()
    }
    for table in feeds():
        parts = table.parts(settings.months)
        fingerprints[table.name] = read_landed(catalogue.store, table, parts).fingerprints(parts)
    receipts = receipts_of(catalogue)
    late, _ = restated(catalogue, receipts, {})
    return fingerprints, receipts, undrawn_charts(catalogue, receipts) | late


def nightly(settings: Settings) -> dg.ScheduleDefinition:
    """At midnight UTC: one run for each unbroken range of months that need one."""

    @dg.schedule(
        job=monthly_refresh,
        cron_schedule="0 0 * * *",
        name="nightly",
        description="The current month, the months whose source changed, and what an earlier run left undone.",
        required_resource_keys={"source_db"},
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        current = months.month_of(context.scheduled_execution_time.date())
        observed = observe(context.resources.source_db, Catalogue(lake_store(settings)), settings)
        blocks = plan(*observed, settings.months, current)
        if not blocks:
            yield dg.SkipReason("Every month is what its source is, and every chart is drawn.")
        for block in blocks:
            # The time is in the key, so that a month whose run failed is asked for again the next night.
            key = f"{context.scheduled_execution_time.isoformat()} {block[0]}"
            yield dg.RunRequest(run_key=key, tags=range_tags(block))

    return schedule


def is_stale(table: Table, part: str, fingerprints: Fingerprints, receipts: Receipts) -> bool:
    """Whether a part would be another if it were made now; `fingerprints` are those of the source and the files."""
    receipt = receipts[table.name].get(part)
    if receipt is None:
        return True
    if table.contract.source or table.contract.feed:
        return receipt.provenance.fingerprint != fingerprints[table.name][part]
    common = table.common_months(lambda given: receipts[given.name])
    for name in table.upstream:
        taken = receipt.provenance.inputs.get(name, {})
        now = {each: given.figures.digest for each, given in receipts[name].items()}
        if table.spans(tables()[name]):
            if taken != {each: now[each] for each in common}:
                return True
        elif part in taken and now.get(part) != taken[part]:  # of snapshots a month keeps what it took
            return True
    return False


def undrawn_charts(catalogue: Catalogue, receipts: Receipts) -> set[str]:
    """What is missing of the charts and the report, or older than a table that it shows: its own step failed.

    A month of a chart of each month; SNAPSHOT for a chart over all months, and for the report.
    """
    found: set[str] = set()
    for chart in charts().values():
        # Of snapshots a month keeps what it took, here too: a new name redraws no old month.
        taken = [receipts[name] for name in chart.inputs if tables()[name].monthly or not chart.monthly]
        parts = set[str].intersection(*map(set, taken)) if chart.monthly else {SNAPSHOT}
        found |= {part for part in parts if _is_undrawn(catalogue, chart, part, taken)}
    if _is_older(catalogue, REPORT, (r for name in REPORT_INPUTS for r in receipts[name].values())):
        found.add(SNAPSHOT)
    return found


def _is_undrawn(catalogue: Catalogue, chart: Chart, part: str, taken: list[Mapping[str, Receipt]]) -> bool:
    picture = f"charts/{chart.name}/{part}.png" if chart.monthly else f"charts/{chart.name}.png"
    shown = [r for given in taken for each, r in given.items() if not chart.monthly or each in compared(part)]
    return _is_older(catalogue, picture, shown)


def _is_older(catalogue: Catalogue, key: str, shown: Iterable[Receipt]) -> bool:
    """Whether a file is older than what it shows, or missing."""
    newest = max((receipt.published_at for receipt in shown), default="")
    file = catalogue.store.entry(key) if newest else None
    return bool(newest) and (file is None or file.modified < datetime.fromisoformat(newest))


def receipts_of(catalogue: Catalogue, *, whole: bool = True, among: Iterable[Table] | None = None) -> Receipts:
    """The receipts of all parts, or only of those whose object is the one that the receipt names.

    One that is not was left by a run that died over it: it is as good as none.
    """
    found: dict[str, dict[str, Receipt]] = {}
    for table in tables().values() if among is None else among:
        receipts, etags = catalogue.receipts(table), catalogue.etags(table) if whole else {}
        found[table.name] = {
            part: receipt for part, receipt in receipts.items() if not whole or etags.get(receipt.key) == receipt.etag
        }
    return found
