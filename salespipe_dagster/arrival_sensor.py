"""The sensor of arrivals: asks for the runs that files call for. What it decides is in `arrivals`."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from salespipe_dagster.arrivals import (
    LAND,
    RUN_TAG,
    Asked,
    Due,
    Past,
    due_of,
    made_from_files,
    other_inputs,
    plan,
    under_way,
)
from salespipe_dagster.assets.keys import asset_key
from salespipe_dagster.automation import land_files, monthly_refresh, receipts_of
from salespipe_dagster.charts import charts
from salespipe_dagster.landing.land import RUN_FILES, look
from salespipe_dagster.landing.ledger import Ledger, landed_of
from salespipe_dagster.landing.survey import settled
from salespipe_dagster.partitions import range_tags
from salespipe_dagster.profiles import restated
from salespipe_dagster.report import INPUTS as REPORT_INPUTS
from salespipe_dagster.resources.lake import lake_store
from salespipe_dagster.settings import Settings
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.tables import feeds

SECONDS = 30
REMEMBERED = 100
"""How many past runs are looked at: enough to see how often the last ones failed."""

UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def arrivals_sensor(settings: Settings) -> dg.SensorDefinition:
    """Every half minute: land what is there and has not landed, then make the months that it touches.

    It is on where FILES_URL is set: who names a place for files wants them to land.
    """

    @dg.sensor(
        name="arrivals",
        jobs=[land_files, monthly_refresh],
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.files_url else dg.DefaultSensorStatus.STOPPED,
        description="Files that have not landed, and months that are not made of what has.",
        required_resource_keys={"files"},
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now, runs = datetime.now(UTC), list(_runs(context.instance))
        files, catalogue = context.resources.files, Catalogue(lake_store(settings))
        found, ledgers = look(files, catalogue.store)
        # A store of objects shows none before it is whole; a file of a folder is seen while it is written.
        pending = settled(found.pending, now) if isinstance(files, LocalStore) else found.pending
        due, cursor = Due([], set(), snapshots=False), context.cursor
        if len(pending) <= RUN_FILES:
            due, cursor = _due(catalogue, ledgers, settings, context.cursor)
        asked = plan(len(pending), RUN_FILES, due, runs, now)
        told = f"{len(pending)} files to land, {len(due.months)} months to make; {_reason(runs, now)}."
        return dg.SensorResult(
            run_requests=[_request(each) for each in asked],
            skip_reason=None if asked else dg.SkipReason(told),
            cursor=cursor,
        )

    return sensor


def _reason(runs: list[Past], now: datetime) -> str:
    """Why nothing is asked for."""
    run = under_way(runs, now)
    if run is None:
        return "nothing to ask for now"
    begun = run.begun.isoformat(" ", "seconds")
    return f"a run of {begun} is under way: if it was killed, terminate it in Dagster, or it is waited for a day"


def _due(
    catalogue: Catalogue, ledgers: dict[str, Ledger], settings: Settings, cursor: str | None
) -> tuple[Due, str | None]:
    """What is to be made, and the new cursor: what was looked at and need not be again. Lost, it costs time alone."""
    known, seen = _known(cursor), _digest(ledgers, settings.months)
    nothing = Due([], set(), snapshots=False)
    if known.get("made") == seen:
        return nothing, cursor  # nothing was landed or decided since all of it was made
    landed = {
        table.name: landed_of(catalogue.store, table, ledgers[table.name], table.parts(settings.months))
        for table in feeds()
    }
    receipts = receipts_of(catalogue, among=made_from_files())
    published = {table.name: set(catalogue.published(table)) for table in other_inputs()}
    compared = known.get("agreed")
    late, agreed = restated(catalogue, receipts, compared if isinstance(compared, dict) else {})
    due = due_of(landed, receipts, published, late, settings.months)
    return due, json.dumps({"agreed": agreed, "made": seen if due == nothing else ""}, sort_keys=True)


def _known(cursor: str | None) -> dict[str, Any]:
    try:
        found = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _digest(ledgers: dict[str, Ledger], configured: list[str]) -> str:
    """Tells whether anything was landed or decided, or a month has begun."""
    names = (f"{version}.{status}" for ledger in ledgers.values() for version, status in ledger.statuses.items())
    return hashlib.sha256("\n".join([*configured, *sorted(names)]).encode()).hexdigest()[:32]


def _request(asked: Asked) -> dg.RunRequest:
    """The run; without a key, for one that failed must be asked for again under the same name."""
    tags = {RUN_TAG: asked.name}
    if asked.name == LAND:
        return dg.RunRequest(job_name=land_files.name, tags=tags)
    if asked.months:
        tags |= range_tags(asked.months)
    return dg.RunRequest(
        job_name=monthly_refresh.name,
        tags=tags,
        asset_selection=None if asked.whole else of_files(monthly=bool(asked.months)),
    )


def of_files(*, monthly: bool) -> list[dg.AssetKey]:
    """The assets made from files, charts included; without months, those that have none."""
    chain = [table for table in made_from_files() if monthly or not table.monthly]
    made = {table.name for table in made_from_files()}
    drawn = [
        dg.AssetKey(["charts", chart.name])
        for chart in charts().values()
        if made & set(chart.inputs) and (monthly or not chart.monthly)
    ]
    report = [dg.AssetKey(["report"])] if made & set(REPORT_INPUTS) else []
    return [*map(asset_key, chain), *drawn, *report]


def _runs(instance: dg.DagsterInstance) -> Iterator[Past]:
    """The runs under way that make the same, and the last ones that were asked for."""
    found = {}
    for job in (land_files.name, monthly_refresh.name):
        for filters in (dg.RunsFilter(job_name=job, statuses=UNDER_WAY), dg.RunsFilter(job_name=job)):
            records = instance.get_run_records(filters, limit=REMEMBERED)
            found |= {record.dagster_run.run_id: record for record in records}
    for record in found.values():
        run = record.dagster_run
        ended = None if run.status in UNDER_WAY else record.end_time or record.update_timestamp.timestamp()
        yield Past(
            run.tags.get(RUN_TAG, ""),
            record.create_timestamp,
            None if ended is None else datetime.fromtimestamp(ended, UTC),
            failed=run.status is not dg.DagsterRunStatus.SUCCESS,
        )
