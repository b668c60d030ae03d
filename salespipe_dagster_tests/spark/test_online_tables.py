"""The online channel by literal rows: which of what landed counts, and what it comes to by region and segment."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster_tests.support import Rows, assert_rows, frame, landed_ddl, local, publish_online, sale
from salespipe_spark.core.dim_online_customers import CONTRACT as DIM_CUSTOMERS
from salespipe_spark.core.dim_online_customers import dim_online_customers
from salespipe_spark.core.dim_online_products import CONTRACT as DIM_PRODUCTS
from salespipe_spark.core.dim_online_products import dim_online_products
from salespipe_spark.core.fact_online_sales import CONTRACT as FACTS
from salespipe_spark.core.fact_online_sales import fact_online_sales
from salespipe_spark.lake import audit
from salespipe_spark.lake.lake import Lake
from salespipe_spark.marts.online_revenue_by_segment import CONTRACT as BY_SEGMENT
from salespipe_spark.marts.online_revenue_by_segment import online_revenue_by_segment
from salespipe_spark.marts.online_sales_summary import CONTRACT as SUMMARY
from salespipe_spark.marts.online_sales_summary import online_sales_summary
from salespipe_spark.staging.online_customers import online_customers
from salespipe_spark.staging.online_products import online_products
from salespipe_spark.staging.online_sales import CONTRACT as SALES
from salespipe_spark.staging.online_sales import online_sales
from salespipe_spark.tables import tables

JANUARY, FEBRUARY = date(2024, 1, 1), date(2024, 2, 1)
Row = tuple[Any, ...]


def written(file: str, second: int = 0) -> datetime:
    """When a file of that name was written: files are named after the day."""
    return datetime.fromisoformat(f"{file}T00:00:00").replace(tzinfo=UTC, second=second)


def arrived(number: str, price: str, file: str, *, key: str = "", second: int = 0) -> Row:
    """A sale of a file, as it lies landed."""
    row = sale(number, "2024-01-15", "C1", "Lamp", 1, price, "North")
    return (*row, key or f"sales/{file}.csv", f"version {file}", written(file, second), False)


def moved(number: str, file: str) -> Row:
    """What is left where a newer file has the sale in another month: the key and the month, and nothing else."""
    day = date(2024, 1, 15)
    return (number, None, day, *(None,) * 6, f"sales/{file}.csv", f"version {file}", written(file), True)


class TestNewestFile:
    """Of a transaction in several files the one that was written last counts."""

    @staticmethod
    def prices(spark: SparkSession, *rows: Row) -> list[tuple[str, str]]:
        made = online_sales(frame(spark, landed_ddl(tables()["online_sales"]), list(rows)))
        return sorted((row.transaction_id, str(row.unit_price)) for row in made.collect())

    def test_whatever_landed_first(self, spark: SparkSession) -> None:
        rows = [
            arrived("T1", "1.00", "2024-02-01"),
            arrived("T1", "3.00", "2024-02-03"),
            arrived("T2", "5.00", "2024-02-02"),
        ]
        rows.append(arrived("T1", "2.00", "2024-02-02"))
        for _ in range(4):
            rows = rows[1:] + rows[:1]
            assert self.prices(spark, *rows) == [("T1", "3.00"), ("T2", "5.00")]

    def test_files_of_one_instant_go_by_their_keys(self, spark: SparkSession) -> None:
        """Or the month would depend on how the engine reads it: an object store tells no more than seconds."""
        one = arrived("T1", "1.00", "2024-02-01", key="sales/a.csv")
        other = arrived("T1", "2.00", "2024-02-01", key="sales/b.csv")
        assert self.prices(spark, one, other) == self.prices(spark, other, one) == [("T1", "2.00")]

    def test_sale_that_moved_to_another_month_is_gone(self, spark: SparkSession) -> None:
        """It would count twice, in both its months."""
        assert self.prices(spark, arrived("T1", "1.00", "2024-02-01"), moved("T1", "2024-02-02")) == []

    def test_sale_that_came_back_is_there(self, spark: SparkSession) -> None:
        rows = [arrived("T1", "1.00", "2024-02-01"), moved("T1", "2024-02-02"), arrived("T1", "3.00", "2024-02-03")]
        assert self.prices(spark, *rows) == [("T1", "3.00")]


class TestDimensions:
    def test_profile_is_that_of_the_newest_file_whatever_it_lacks(self, spark: SparkSession) -> None:
        """What a newer profile does not say any more is not known: an older file's tier is not kept."""
        day = date(2023, 12, 1)
        rows: Rows = [
            (
                "C1",
                "25-34",
                "Gold",
                day,
                "Ann",
                "ann@shop.example",
                "France",
                "customers/1",
                "v1",
                written("2024-01-01"),
                False,
            ),
            ("C1", "35-44", None, day, "Zoë", None, None, "customers/2", "v2", written("2024-01-02"), False),
            ("C2", None, "Silver", None, None, None, None, "customers/1", "v1", written("2024-01-01"), False),
        ]
        made = dim_online_customers(online_customers(frame(spark, landed_ddl(tables()["online_customers"]), rows)))
        expected = [("C1", "35-44", None, day, "Zoë", None, None), ("C2", None, "Silver", None, None, None, None)]
        assert_rows(made, DIM_CUSTOMERS.ddl, expected)

    def test_product_is_that_of_the_newest_catalogue(self, spark: SparkSession) -> None:
        rows: Rows = [
            ("Lamp", "Home", Decimal("12.00"), 5, "products/1", "v1", written("2024-01-01"), False),
            ("Lamp", "Light", Decimal("13.00"), None, "products/2", "v2", written("2024-01-02"), False),
        ]
        made = dim_online_products(online_products(frame(spark, landed_ddl(tables()["online_products"]), rows)))
        assert_rows(made, DIM_PRODUCTS.ddl, [("Lamp", "Light", Decimal("13.00"), None)])


def profile(customer: str, age_group: str | None, tier: str | None) -> Row:
    return (customer, age_group, tier, None, None, None, None)


def sold(spark: SparkSession, *rows: Row, profiles: Iterable[Row] = (), catalogue: Iterable[Row] = ()) -> DataFrame:
    """The fact of these sales."""
    return fact_online_sales(
        frame(spark, SALES.ddl, list(rows)),
        frame(spark, DIM_CUSTOMERS.ddl, list(profiles)),
        frame(spark, DIM_PRODUCTS.ddl, list(catalogue)),
    )


class TestFact:
    def test_sale_has_its_products_category_and_its_customers_profile(self, spark: SparkSession) -> None:
        made = sold(
            spark,
            sale("T1", "2024-01-05", "C1", "Lamp", 3, "9.99", "North"),
            profiles=[profile("C1", "25-34", "Gold"), profile("C2", "65+", "Silver")],
            catalogue=[("Lamp", "Home", Decimal("12.00"), 5)],
        )
        at, price = datetime(2024, 1, 5, 12, tzinfo=UTC), Decimal("9.99")
        expected = ("T1", at, at.date(), "C1", "Lamp", "Home", "North", 3, price, Decimal("29.97"), "25-34", "Gold")
        assert_rows(made, FACTS.ddl, [expected])

    def test_sale_without_profile_and_category_is_a_sale(self, spark: SparkSession) -> None:
        """An inner join would lose it, and with it the month's balance."""
        made = sold(
            spark,
            sale("T1", "2024-01-05", "C9", "Sofa", 1, "5.00", "North"),
            sale("T2", "2024-01-05", "C1", "Lamp", 1, "7.00", "North"),
            profiles=[profile("C1", None, "Gold")],
            catalogue=[("Lamp", None, None, None)],
        ).select("transaction_id", "category", "age_group", "membership_tier", "amount")
        ddl = "transaction_id string, category string, age_group string, membership_tier string, amount decimal(18,2)"
        expected = [("T1", None, None, None, Decimal("5.00")), ("T2", None, None, "Gold", Decimal("7.00"))]
        assert_rows(made, ddl, expected)

    def test_month_is_that_of_the_day_as_written_not_of_the_instant(self, spark: SparkSession) -> None:
        """Half past midnight in Berlin is the day before in UTC: the shop's day is what the file says."""
        row = list(sale("T1", "2024-02-01", "C1", "Lamp", 1, "5.00", "North"))
        row[1] = datetime(2024, 1, 31, 23, 30, tzinfo=UTC)
        made = sold(spark, tuple(row))
        assert list(audit.figures(made, FACTS)) == ["2024-02"]
        assert [row.month_start for row in online_sales_summary(made).collect()] == [FEBRUARY]

    def test_instants_lie_in_the_lake_as_utc_microseconds(self, lake: Lake) -> None:
        """Sail writes them in the machine's time zone unless it is told otherwise; INT96 is what Spark would write."""
        at = datetime(2024, 1, 5, 23, 59, 59, 123456, tzinfo=UTC)
        row = list(sale("T1", "2024-01-05", "C1", "Lamp", 1, "5.00", "North"))
        row[1] = at
        publish_online(lake, {"online_sales": [tuple(row)], "online_customers": [], "online_products": []}, ["2024-01"])
        with pq.ParquetFile(local(lake).path(lake.key(tables()["online_sales"], "2024-01"))) as file:
            assert str(file.schema_arrow.field("sold_at").type) == "timestamp[us, tz=UTC]"
            assert file.schema.column(1).physical_type == "INT64"
            assert file.read(["sold_at"]).to_pylist() == [{"sold_at": at}]


def measures(revenue: str, count: int, average: str, units: int) -> Row:
    return (Decimal(revenue), count, Decimal(average), units)


class TestMarts:
    def test_each_region_has_its_own_products(self, spark: SparkSession) -> None:
        facts = sold(
            spark,
            sale("T1", "2024-01-01", "C1", "Lamp", 2, "10.00", "North"),
            sale("T2", "2024-01-31", "C1", "Lamp", 1, "10.01", "North"),
            sale("T3", "2024-01-31", "C2", "Lamp", 1, "5.00", "South"),
            sale("T4", "2024-01-31", "C2", "Chair", 1, "7.00", "South"),
            sale("T5", "2024-02-01", "C2", "Chair", 4, "7.00", "South"),
        )
        expected = [
            (JANUARY, "North", "Lamp", *measures("30.01", 2, "15.005000", 3)),
            (JANUARY, "South", "Lamp", *measures("5.00", 1, "5.000000", 1)),
            (JANUARY, "South", "Chair", *measures("7.00", 1, "7.000000", 1)),
            (FEBRUARY, "South", "Chair", *measures("28.00", 1, "28.000000", 4)),
        ]
        assert_rows(online_sales_summary(facts), SUMMARY.ddl, expected)

    def test_sales_without_a_profile_are_a_segment_of_their_own(self, spark: SparkSession) -> None:
        """Left out, the segments would sell less than the shop; a NULL that is no key would fail the audit."""
        facts = sold(
            spark,
            sale("T1", "2024-01-01", "C1", "Lamp", 1, "1.00", "North"),
            sale("T2", "2024-01-02", "C8", "Lamp", 1, "20.00", "North"),
            sale("T3", "2024-01-03", "C9", "Lamp", 2, "150.00", "South"),
            sale("T4", "2024-01-04", "C2", "Lamp", 1, "4000.00", "South"),
            sale("T5", "2024-01-05", "C3", "Lamp", 1, "50000.00", "South"),
            profiles=[profile("C1", "25-34", "Gold"), profile("C2", "25-34", None), profile("C3", None, "Gold")],
        )
        made = online_revenue_by_segment(facts)
        expected = [
            (JANUARY, "25-34", "Gold", *measures("1.00", 1, "1.000000", 1)),
            (JANUARY, None, None, *measures("320.00", 2, "160.000000", 3)),
            (JANUARY, "25-34", None, *measures("4000.00", 1, "4000.000000", 1)),
            (JANUARY, None, "Gold", *measures("50000.00", 1, "50000.000000", 1)),
        ]
        assert_rows(made, BY_SEGMENT.ddl, expected)
        found = audit.figures(made, BY_SEGMENT)["2024-01"]
        assert (found.rows, found.key_duplicates, found.nulls) == (4, 0, {})

    def test_the_same_segment_twice_repeats_a_key_also_where_it_is_null(self, spark: SparkSession) -> None:
        made = online_revenue_by_segment(sold(spark, sale("T1", "2024-01-01", "C9", "Lamp", 1, "1.00", "North")))
        measured = audit.measure(made.unionByName(made), BY_SEGMENT, ["2024-01"])
        assert measured.figures["2024-01"].key_duplicates == 1
        assert not audit.keys_unique(measured, BY_SEGMENT).passed

    @pytest.mark.parametrize(
        ("prices", "average"),
        [
            (["100.00", "0.00", "0.00"], "33.333333"),
            (["200.00", "0.00", "0.00"], "66.666667"),
            (["0.01", "0.00", "0.00"], "0.003333"),
            (["99999999.99"] * 7, "99999999.990000"),
        ],
    )
    def test_average_is_rounded_at_the_sixth_decimal(
        self, spark: SparkSession, prices: list[str], average: str
    ) -> None:
        """Sail divides decimals to a smaller scale and cuts: 200.00 / 3 is 66.666666 there."""
        rows = [sale(f"T{n}", "2024-01-01", "C1", "Lamp", 1, price, "North") for n, price in enumerate(prices)]
        made = online_sales_summary(sold(spark, *rows)).select("avg_transaction_value")
        assert_rows(made, "avg_transaction_value decimal(18,6)", [(Decimal(average),)])

    def test_units_beyond_the_range_of_an_integer_are_summed_right(self, spark: SparkSession) -> None:
        """Added up as INT, twice 2,000,000,000 is -294,967,296 on Sail."""
        rows = [sale(f"T{n}", "2024-01-01", "C1", "Lamp", 2_000_000_000, "0.01", "North") for n in range(2)]
        made = online_revenue_by_segment(sold(spark, *rows)).select("total_revenue", "units")
        assert_rows(made, "total_revenue decimal(18,2), units bigint", [(Decimal("40000000.00"), 4_000_000_000)])


AGES, TIERS = ("18-24", "25-34", "65+", None), ("Gold", "Silver", None)
REGIONS, GOODS = ("North", "South", "Île-de-France"), ("Lamp", "Chair", "Kettle", "Sofa, large")


def many(number: int) -> tuple[Rows, dict[str, Row]]:
    """So many sales over three months, and the profiles of two thirds of their customers."""
    chance = random.Random(number)
    profiles = {f"C{n}": profile(f"C{n}", chance.choice(AGES), chance.choice(TIERS)) for n in range(60)}
    rows = [
        sale(
            f"T{n}",
            f"2024-{chance.randint(1, 3):02d}-{chance.randint(1, 29):02d}",
            f"C{chance.randrange(90)}",
            chance.choice(GOODS),
            chance.randint(1, 9),
            f"{chance.randint(1, 99_999) / 100:.2f}",
            chance.choice(REGIONS),
        )
        for n in range(number)
    ]
    return rows, profiles


def test_sums_are_those_of_plain_decimals_by_whatever_they_are_cut(spark: SparkSession) -> None:
    """Per month, region, product, age group and tier, to the cent: Python adds the same rows up by itself."""
    rows, profiles = many(3_000)
    facts = sold(spark, *rows, profiles=profiles.values())
    of_profile = {row[0]: profiles.get(row[3], profile(row[3], None, None)) for row in rows}
    by: dict[str, Callable[[Row], Any]] = {
        "region": lambda row: row[7],
        "product": lambda row: row[4],
        "age_group": lambda row: of_profile[row[0]][1],
        "membership_tier": lambda row: of_profile[row[0]][2],
    }
    marts = {"region": online_sales_summary(facts), "age_group": online_revenue_by_segment(facts)}
    marts |= {"product": marts["region"], "membership_tier": marts["age_group"]}
    for name, mart in marts.items():
        expected: Counter[Any] = Counter()
        for row in rows:
            expected[row[2].replace(day=1), by[name](row)] += row[8]
        found: Counter[Any] = Counter()
        for row in mart.collect():
            found[row.month_start, row[name]] += row.total_revenue
        assert found == expected, name
        assert all(isinstance(amount, Decimal) for amount in found.values())


def test_marts_of_the_same_facts_have_the_facts_totals(spark: SparkSession) -> None:
    rows, profiles = many(500)
    facts = sold(spark, *rows, profiles=profiles.values())
    totals = audit.figures(facts, FACTS)
    for made, contract in ((online_sales_summary(facts), SUMMARY), (online_revenue_by_segment(facts), BY_SEGMENT)):
        found = audit.figures(made, contract)
        assert {month: f.sums["total_revenue"] for month, f in found.items()} == {
            month: f.sums["amount"] for month, f in totals.items()
        }
        assert {month: (f.sums["transactions"], f.sums["units"]) for month, f in found.items()} == {
            month: (Decimal(f.rows), f.sums["units"]) for month, f in totals.items()
        }
