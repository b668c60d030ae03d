"""Runs of `monthly_refresh` in this process, as the command line starts them: the same job as in the UI."""

import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

import dagster as dg

from salespipe_dagster.assets.keys import asset_key, landed_key
from salespipe_dagster.assets.landing_report import notes as landing_notes
from salespipe_dagster.partitions import range_tags
from salespipe_dagster.records import explained, instance
from salespipe_dagster.resources.lake import lake_store
from salespipe_dagster.settings import Settings
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.lake.receipt import Figures
from salespipe_spark.tables import Table, feeds, tables

OURS = "salespipe_spark."
AMOUNTS = ("ordered_amount", "amount", "total_amount", "total_revenue")
"""The figures of which a table's first is its amount; of monthly_revenue that is the amount of all channels."""

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class TableOutcome:
    """What a run did to a table: its parts, how many objects were replaced, its rows and amount now."""

    table: Table
    parts: int = 0
    replaced: int = 0
    rows: int = 0
    amount: Decimal | None = None

    def add(self, figures: Figures, *, replaced: bool) -> None:
        """Count in one part."""
        self.parts += 1
        self.replaced += replaced
        self.rows += figures.rows
        name = next((name for name in AMOUNTS if name in figures.sums), None)
        if name:
            self.amount = (self.amount or Decimal("0.00")) + figures.sums[name]


@dataclass
class Outcome:
    """What a run did: whether all is published and reconciled, and if not, why, as sentences."""

    run_id: str
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tables: dict[str, TableOutcome] = field(default_factory=dict)


def selected(defs: dg.Definitions, select: str) -> list[dg.AssetKey]:
    """The assets that a selection names, in Dagster's own selection syntax.

    Raises:
        SalespipeError: it cannot be read, or names nothing.
    """
    hint = "for example core/fact_orders, or 'key:\"core/fact_orders\"+' with all that follows from it"
    try:
        keys = dg.AssetSelection.from_string(select).resolve(defs.resolve_asset_graph())
    except dg.DagsterError as error:
        raise SalespipeError(f"--select {select}: {error}", hint) from error
    if not keys:
        raise SalespipeError(f"--select {select} names no asset.", hint)
    return sorted(keys)


def run(
    defs: dg.Definitions,
    settings: Settings,
    months: list[str],
    select: str = "*",
    on_step: Callable[[str, int], None] = lambda step, steps: None,
) -> Outcome:
    """Make an unbroken range of months in one run.

    Args:
        defs: made of the settings.
        settings: what is configured.
        months: the range.
        select: assets, in Dagster's selection syntax.
        on_step: is told of each step begun, and of how many there are.
    """
    job = defs.resolve_job_def("monthly_refresh")
    keys = selected(defs, select)
    steps = len(job.get_subset(asset_selection=set(keys)).nodes)
    with explained(settings.dagster_home), instance(settings) as records:
        run_id = str(uuid.uuid4())

        def listen(event: dg.EventLogEntry) -> None:
            happened = event.dagster_event
            if happened and happened.event_type == dg.DagsterEventType.STEP_START and happened.step_key:
                on_step(happened.step_key, steps)

        records.add_event_listener(run_id, listen)
        result = job.execute_in_process(
            run_config=QUIET,
            instance=records,
            asset_selection=keys,
            tags=range_tags(months),
            run_id=run_id,
            raise_on_error=False,
        )
    return _outcome(result, Catalogue(lake_store(settings)))


def _outcome(result: dg.ExecuteInProcessResult, catalogue: Catalogue) -> Outcome:
    outcome = Outcome(result.run_id)
    by_key = {asset_key(table): table for table in tables().values()}
    feed_of = {landed_key(table): table for table in feeds()}
    receipts_of = cache(lambda name: catalogue.receipts(tables()[name]))
    for event in result.all_events:
        table = by_key.get(event.asset_key) if event.asset_key else None
        if event.event_type == dg.DagsterEventType.STEP_FAILURE:
            outcome.problems.append(_reason(event))
        elif event.event_type == dg.DagsterEventType.RUN_FAILURE and not outcome.problems:
            outcome.problems.append(_told(event.job_failure_data.error) or str(event.message))
        elif event.event_type == dg.DagsterEventType.ASSET_OBSERVATION and table:
            outcome.notes += _outside(table, event.asset_observation_data.asset_observation.metadata)
        elif event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION and event.asset_key in feed_of:
            outcome.notes += landing_notes(feed_of[event.asset_key], event.materialization.metadata)
        elif event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION and table:
            receipt = receipts_of(table.name).get(event.partition or SNAPSHOT)
            entry = outcome.tables.setdefault(table.name, TableOutcome(table))
            if receipt:
                entry.add(receipt.figures, replaced=bool(event.materialization.metadata["replaced"].value))
    outcome.notes = list(dict.fromkeys(outcome.notes))
    if result.success:
        _add_checks(outcome, result)
    elif not outcome.problems:
        outcome.problems.append("The run was ended before it was done.")
    return outcome


def _outside(table: Table, metadata: Mapping[str, dg.MetadataValue[Any]]) -> list[str]:
    rows, amount = metadata["rows_outside"].value, metadata["amount_outside"].value
    note = f"{table.name}: {rows} rows lie outside the configured months"
    return [f"{note}, amount {amount}" if amount else note] if rows else []


def _add_checks(outcome: Outcome, result: dg.ExecuteInProcessResult) -> None:
    """What did not pass of the checks over several tables: those of one table have failed their step.

    A note that holds for many tables, as when a run makes a few months, is one note.
    """
    noted: dict[str, list[str]] = defaultdict(list)
    for check in result.get_asset_check_evaluations():
        if not check.passed:
            name, said = check.asset_key.to_user_string(), f"{check.check_name}: {check.metadata['actual'].value}"
            if check.severity == dg.AssetCheckSeverity.ERROR:
                outcome.problems.append(f"{name} {said}")
            else:
                noted[said].append(name)
    outcome.notes += [f"{', '.join(names)} {said}" for said, names in noted.items()]


def _reason(event: dg.DagsterEvent) -> str:
    """Why a step failed, without the stack: the failure's own words, else the innermost error's."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    return _told(data.error) or str(event.message)


def _told(error: Any) -> str:
    """What a chain of errors comes to: the one that is meant to be read, else the innermost."""
    chain = [error]
    while chain[-1] is not None and chain[-1].cause is not None:
        chain.append(chain[-1].cause)
    ours = (e for e in chain if e is not None and e.message.startswith(OURS))
    chosen = next(ours, chain[-1])
    return re.sub(rf"^{OURS}[\w.]*: ", "", chosen.message.strip()) if chosen else ""
