"""The charts' assets, materialised in isolation: the tables and the place of the pictures are replaced."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from plotly.graph_objects import Figure
from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster.assets.charts import chart_assets
from salespipe_dagster.assets.tables import asset_key
from salespipe_dagster.charts import charts
from salespipe_dagster.settings import Settings
from salespipe_spark.contract import Type
from salespipe_spark.lake.catalogue import Catalogue, receipt_key
from salespipe_spark.lake.receipt import Figures, Provenance, Receipt
from salespipe_spark.tables import tables

READ = sorted({name for chart in charts().values() for name in chart.inputs})
VALUES = {
    Type.STRING: "Ships",
    Type.TEXT: "Ships",
    Type.INT: 1,
    Type.BIGINT: 1,
    Type.DATE: date(2024, 2, 1),
    Type.PRICE: Decimal(1),
    Type.MONEY: Decimal(5),
    Type.AVERAGE: Decimal(5),
}


class FewRows(dg.IOManager):
    """Hands every chart the same row, and keeps what it drew."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self.drawn: dict[str, Figure] = {}

    def handle_output(self, context: dg.OutputContext, obj: Figure) -> None:
        self.drawn[context.asset_key.path[-1]] = obj

    def load_input(self, context: dg.InputContext) -> DataFrame:
        table = tables()[context.asset_key.path[-1]]
        assert context.definition_metadata.get("months") == ("published" if table.monthly else None)
        row = tuple(VALUES[column.type] for column in table.contract.columns)
        return self.spark.createDataFrame([row], table.contract.ddl)


def publish(lake: Catalogue, table: str, month: str, run: str, at: str) -> None:
    """Leave a receipt, as if the month had been published."""
    found = tables()[table]
    figures = Figures(rows=1, sums={}, key_duplicates=0, nulls={}, first_date="", last_date="", digest="")
    receipt = Receipt(
        table=f"{found.layer}/{table}",
        part=month,
        figures=figures,
        provenance=Provenance(),
        engine="sail",
        code_version="",
        run=run,
        published_at=at,
        key=lake.key(found, month),
        size=0,
        etag="",
    )
    path = lake.store.path(receipt_key(found, month))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(receipt.to_json())


def materialize(lake: Catalogue, io: FewRows) -> dg.ExecuteInProcessResult:
    settings = Settings.checked(start_month="2024-01", end_month="2024-12", currency="EUR")
    upstream = [dg.AssetSpec(asset_key(tables()[name])) for name in READ]
    return dg.materialize(
        [*chart_assets(settings), *upstream],
        resources={"lake": SimpleNamespace(lake=lake), "lake_io": io, "io_manager": io, "charts_io": io},
    )


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """A lake in which every table that a chart reads has two months, the newer one published first."""
    lake = Catalogue(tmp_path)
    for table in map(tables().__getitem__, READ):
        for month, run, at in (("2024-03", "aaaaaaaa-1", "2025-01-01"), ("2024-02", "bbbbbbbb-2", "2025-01-02")):
            for part in table.parts([month]):
                publish(lake, table.name, part, run, f"{at}T00:00:00+00:00")
    return lake


def test_every_chart_is_drawn_from_its_marts(spark: SparkSession, catalogue: Catalogue) -> None:
    io = FewRows(spark)
    assert materialize(catalogue, io).success
    assert set(io.drawn) == set(charts())


def test_footer_names_the_published_months_and_the_run_that_published_last(
    spark: SparkSession, catalogue: Catalogue
) -> None:
    """Not the run that draws: a chart whose figures did not change must not change its bytes."""
    first, second = FewRows(spark), FewRows(spark)
    materialize(catalogue, first)
    materialize(catalogue, second)
    drawn = first.drawn["revenue_by_country"]
    alt = drawn.to_plotly_json()["layout"]["meta"]["alt"]
    assert alt.endswith("covers 2 of 12 months: Feb 2024 to Mar 2024; run bbbbbbbb.")
    assert drawn.to_json() == second.drawn["revenue_by_country"].to_json()


def test_month_outside_the_settings_is_covered_and_expected(spark: SparkSession, catalogue: Catalogue) -> None:
    """Else the footer would say that the lake covers 13 of 12 months."""
    publish(catalogue, "revenue_by_country", "2023-12", "cccccccc-3", "2025-01-03T00:00:00+00:00")
    io = FewRows(spark)
    materialize(catalogue, io)
    assert "covers 3 of 13 months: Dec 2023" in io.drawn["revenue_by_country"].to_plotly_json()["layout"]["meta"]["alt"]


def test_asset_says_what_it_is(tmp_path: Path) -> None:
    asset = {a.key.path[-1]: a for a in chart_assets(Settings.embedded(tmp_path))}["revenue_by_country"]
    spec = asset.get_asset_spec()
    assert spec.key == dg.AssetKey(["charts", "revenue_by_country"])
    assert [dep.asset_key for dep in spec.deps] == [dg.AssetKey(["marts", "revenue_by_country"])]
    assert (spec.group_name, spec.kinds, spec.owners) == ("charts", {"plotly"}, ["team:data-engineering"])
    assert "Revenue of each country" in str(spec.description)
    assert spec.partitions_def is None
    assert asset.backfill_policy == dg.BackfillPolicy.single_run()
