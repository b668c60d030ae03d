"""The `maker` resource: has a table made and staged, by the run's engine or by a job on a cluster.

An asset hands over what it was given and gets back what was staged and audited; it never asks where.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import dagster as dg
from pyspark.sql import DataFrame

from salespipe_dagster.assets.keys import asset_key
from salespipe_dagster.cluster import bundle
from salespipe_dagster.cluster.services import Service
from salespipe_dagster.resources.lake import RunLake
from salespipe_dagster.settings import Settings
from salespipe_spark import months
from salespipe_spark.errors import SalespipeError
from salespipe_spark.job import Order
from salespipe_spark.lake.audit import Measured
from salespipe_spark.lake.staged import Opening, Staged
from salespipe_spark.tables import CALENDAR, CALENDAR_DDL

Frames = dict[str, DataFrame]


@dataclass(frozen=True)
class SessionMaker:
    """Makes tables on the engine of the run."""

    run: RunLake
    calendar: tuple[date, date]

    def make(self, context: dg.AssetExecutionContext, opening: Opening, inputs: Frames) -> Staged:
        """Stage and audit a table made from these frames."""
        table, lake = opening.table, self.run.lake
        assert table.transform is not None
        # A snapshot's inputs were loaded one after the other: months may have been published in between.
        for given in table.spanned:
            inputs[given.name] = lake.read(given, list(opening.inputs[given.name]))
        if table.name in table.inputs:
            inputs[table.name] = lake.read_own(table)
        if CALENDAR in table.inputs:
            inputs[CALENDAR] = lake.engine.session.createDataFrame([self.calendar], CALENDAR_DDL)
        return lake.stage(opening, table.transform(**inputs), self.run.staging)


@dataclass(frozen=True)
class JobMaker:
    """Makes tables by a job each, which reads the lake itself and counts what it staged."""

    run: RunLake
    calendar: tuple[date, date]
    service: Service

    def make(self, context: dg.AssetExecutionContext, opening: Opening, inputs: Frames) -> Staged:
        """Have the table staged, and audit it by what the job counted.

        Raises:
            SalespipeError: the job failed, with its own error where it told one.
        """
        lake, table = self.run.lake, opening.table
        target = self.run.staging / table.layer / table.name
        key = lake.store.staged_key(target)
        result = f"{key}-result"
        given = {name: list(digests) for name, digests in opening.inputs.items()}
        if table.name in table.inputs:
            given[table.name] = lake.own_parts(table)
        order = Order(
            lake=lake.store.place,
            table=table.name,
            months=opening.parts if table.monthly else [],
            target=lake.store.uri(key),
            result=lake.store.uri(result),
            inputs=given,
            calendar=self.calendar,
            size=lake.size_of_inputs(opening),
        )
        try:
            shown = self.service.run(context, order, bundle.put(lake.store))
        except SalespipeError as error:
            told = self._result(result)
            if "error" in told:
                message = f"The job of {table.name} failed: {told['error']}"
                hints = [hint for hint in (told.get("hint"), error.hint) if hint]
                raise SalespipeError(message, "; ".join(hints)) from error
            raise
        told = self._result(result)
        if "measured" not in told:
            raise SalespipeError(f"The job of {table.name} ended without a result at {order.result}.", "run again")
        metadata = {**shown, **{f"{name}_seconds": seconds for name, seconds in told["seconds"].items()}}
        for part in opening.parts:
            context.add_asset_metadata(metadata, asset_key(table), part if table.monthly else None)
        staged = lake.audit(opening, target, measured=Measured.from_values(told["measured"]))
        return replace(staged, engine=self.service.name)

    def _result(self, key: str) -> dict[str, Any]:
        """What the job said at its end; nothing where it could not."""
        store = self.run.lake.store
        texts = [store.read(each) for each in store.list(key, ".txt")]
        return json.loads(texts[0]) if texts and texts[0] else {}


def maker_resource(settings: Settings) -> dg.ResourceDefinition:
    """What makes the tables of a run."""

    @dg.resource(required_resource_keys={"lake", "cluster"}, description="Makes tables where the engine is.")
    def maker(context: dg.InitResourceContext) -> Iterator[SessionMaker | JobMaker]:
        lake, service = context.resources.lake, context.resources.cluster
        calendar = _years(settings)
        yield JobMaker(lake, calendar, service) if service else SessionMaker(lake, calendar)

    return maker


def _years(settings: Settings) -> tuple[date, date]:
    """The first and last day of the years that the lake covers, and of the one after."""
    first, last = months.first_day(settings.first_month), months.first_day(settings.last_month)
    return date(first.year, 1, 1), date(last.year + 1, 12, 31)
