"""The charts' assets, materialised in isolation: the tables and the place of the pictures are replaced."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from plotly.graph_objects import Figure
from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster.assets.charts import chart_assets, undisturbed
from salespipe_dagster.assets.keys import asset_key
from salespipe_dagster.charts import charts
from salespipe_dagster.partitions import monthly_partitions, range_tags
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.support import local
from salespipe_spark.contract import SNAPSHOT, Type
from salespipe_spark.lake.catalogue import Catalogue, receipt_key
from salespipe_spark.lake.objects import Raced
from salespipe_spark.lake.receipt import Figures, Provenance, Receipt
from salespipe_spark.tables import tables

READ = sorted({name for chart in charts().values() for name in chart.inputs})
VALUES = {
    Type.STRING: "Ships",
    Type.TEXT: "Ships",
    Type.INT: 1,
    Type.BIGINT: 1,
    Type.DATE: date(2024, 2, 1),
    Type.INSTANT: datetime(2024, 2, 1, tzinfo=UTC),
    Type.BOOLEAN: False,
    Type.PRICE: Decimal(1),
    Type.MONEY: Decimal(5),
    Type.AVERAGE: Decimal(5),
}


class FewRows(dg.IOManager):
    """Hands every chart the same row, and keeps what it drew."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self.drawn: dict[str, Figure] = {}
        self.months: dict[str, Figure] = {}

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        if isinstance(obj, dict):
            self.months = obj
        else:
            self.drawn[context.asset_key.path[-1]] = obj

    def load_input(self, context: dg.InputContext) -> DataFrame:
        table = tables()[context.asset_key.path[-1]]
        assert context.definition_metadata.get("months") == ("published" if table.monthly else None)
        row = tuple(VALUES[column.type] for column in table.contract.columns)
        return self.spark.createDataFrame([row], table.contract.ddl)


def publish(
    lake: Catalogue, table: str, month: str, run: str, at: str, made_from: tuple[str, ...] = ("2024-02", "2024-03")
) -> None:
    """Leave a receipt, as if the month had been published, or a snapshot been made from these months."""
    found = tables()[table]
    figures = Figures(rows=1, sums={}, key_duplicates=0, nulls={}, first_date="", last_date="", digest="")
    receipt = Receipt(
        table=f"{found.layer}/{table}",
        part=month,
        figures=figures,
        provenance=Provenance(
            {name: dict.fromkeys(made_from, "") for name in found.upstream if found.spans(tables()[name])}
        ),
        engine="sail",
        code_version="",
        run=run,
        published_at=at,
        key=lake.key(found, month),
        size=0,
        etag="",
    )
    path = local(lake).path(receipt_key(found, month))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(receipt.to_json())


def materialize(lake: Catalogue, io: FewRows, *asked: str) -> dg.ExecuteInProcessResult:
    """Draw every chart; the one of each month for these months, or for March."""
    settings = Settings.checked(start_month="2024-01", end_month="2024-12", currency="EUR")
    upstream = [dg.AssetSpec(asset_key(tables()[name])) for name in READ]
    return dg.materialize(
        [*chart_assets(settings), *upstream],
        tags=range_tags(list(asked or ["2024-03"])),
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
    assert {*io.drawn, "month_in_review"} == set(charts())
    assert set(io.months) == {"2024-03"}


def test_run_of_a_month_draws_what_shows_it_too(spark: SparkSession, catalogue: Catalogue) -> None:
    """A corrected February would else stand uncorrected in March's review, and a year later."""
    for table in (tables()[name] for name in charts()["month_in_review"].inputs):
        if table.monthly:
            publish(catalogue, table.name, "2025-02", "aaaaaaaa-1", "2025-01-01T00:00:00+00:00")
    io = FewRows(spark)
    materialize(catalogue, io, "2024-02")
    assert list(io.months) == ["2024-02", "2024-03", "2025-02"]


def test_range_of_months_is_one_step_and_a_month_not_published_says_so(
    spark: SparkSession, catalogue: Catalogue
) -> None:
    io = FewRows(spark)
    materialize(catalogue, io, "2024-01", "2024-02")
    titles = {month: figure.layout.meta["title"] for month, figure in io.months.items()}
    assert titles == {
        "2024-01": "Jan 2024 is not published yet",
        "2024-02": "Revenue was USD 5 in Feb 2024".replace("USD", "EUR"),
        "2024-03": "No revenue in Mar 2024",
    }


def test_chart_of_a_month_names_the_months_and_the_run_of_what_it_shows(
    spark: SparkSession, catalogue: Catalogue
) -> None:
    """A month published since changes no review but those that show it."""
    publish(catalogue, "revenue_by_product", "2024-05", "cccccccc-3", "2025-01-03T00:00:00+00:00")
    for name in ("revenue_by_customer", "monthly_revenue"):
        publish(catalogue, name, "2024-05", "cccccccc-3", "2025-01-03T00:00:00+00:00")
    io = FewRows(spark)
    materialize(catalogue, io, "2024-03", "2024-05")
    alt = {month: figure.layout.meta["alt"] for month, figure in io.months.items()}
    assert alt["2024-03"].endswith("covers 2 of 2 months: Feb 2024 to Mar 2024; run bbbbbbbb.")
    assert alt["2024-05"].endswith("covers 1 of 2 months: May 2024; run cccccccc.")


def test_chart_of_a_snapshot_covers_the_months_that_it_was_made_from(spark: SparkSession, catalogue: Catalogue) -> None:
    """The monthly table has two months, and the snapshot of it was made when there was one."""
    at = "2025-01-03T00:00:00+00:00"
    publish(catalogue, "customer_lifetimes", SNAPSHOT, "dddddddd-4", at, made_from=("2024-02",))
    io = FewRows(spark)
    materialize(catalogue, io)
    alt = io.drawn["credit_limit_and_sales"].layout.meta["alt"]
    assert alt.endswith("covers 1 of 12 months: Feb 2024; run dddddddd.")


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


def chart_of(home: Path, name: str) -> dg.AssetsDefinition:
    return {asset.key.path[-1]: asset for asset in chart_assets(Settings.embedded(home))}[name]


def test_asset_says_what_it_is(tmp_path: Path) -> None:
    asset = chart_of(tmp_path, "revenue_by_country")
    spec = asset.get_asset_spec()
    assert spec.key == dg.AssetKey(["charts", "revenue_by_country"])
    assert [dep.asset_key for dep in spec.deps] == [dg.AssetKey(["marts", "revenue_by_country"])]
    assert (spec.group_name, spec.kinds, spec.owners) == ("charts", {"plotly"}, ["team:data-engineering"])
    assert "Wholesale revenue of each country" in str(spec.description)
    assert spec.partitions_def is None
    assert chart_of(tmp_path, "month_in_review").partitions_def == monthly_partitions(Settings.embedded(tmp_path))
    assert asset.backfill_policy == dg.BackfillPolicy.single_run()


def test_chart_of_tables_that_were_published_meanwhile_is_not_drawn(settings: Settings) -> None:
    """An older run that draws last would leave its figures over those of the newer one, and no night would know."""
    lake, table = Catalogue(settings.lake), tables()["monthly_revenue"]
    publish(lake, "monthly_revenue", "2024-02", "one", "2024-03-01T00:00:00+00:00")
    with undisturbed(lake, [table]):
        pass

    def other_run(rows: bytes) -> None:
        publish(lake, "monthly_revenue", "2024-03", "two", "2024-04-01T00:00:00+00:00")
        lake.store.put(lake.key(table, "2024-03"), rows)

    for rows in (b"a new month", b"another one"):
        with pytest.raises(Raced, match="monthly_revenue/year=2024/month=03"), undisturbed(lake, [table]):
            other_run(rows)
