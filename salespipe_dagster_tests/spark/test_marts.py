"""The marts by literal rows: what counts as revenue, whom it is counted for, and in which month."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster_tests.support import Rows, assert_rows, frame, sale
from salespipe_spark.core.dim_locations import CONTRACT as LOCATIONS
from salespipe_spark.core.dim_products import CONTRACT as PRODUCTS
from salespipe_spark.core.fact_online_sales import CONTRACT as ONLINE_FACTS
from salespipe_spark.core.fact_orders import CONTRACT as FACTS
from salespipe_spark.lake import audit
from salespipe_spark.marts.monthly_revenue import CONTRACT as MONTHLY_REVENUE
from salespipe_spark.marts.monthly_revenue import monthly_revenue
from salespipe_spark.marts.revenue_by_country import CONTRACT as BY_COUNTRY
from salespipe_spark.marts.revenue_by_country import revenue_by_country
from salespipe_spark.marts.revenue_by_country_and_product_line import CONTRACT as BY_COUNTRY_AND_LINE
from salespipe_spark.marts.revenue_by_country_and_product_line import revenue_by_country_and_product_line
from salespipe_spark.marts.revenue_by_customer import CONTRACT as BY_CUSTOMER
from salespipe_spark.marts.revenue_by_customer import revenue_by_customer
from salespipe_spark.marts.revenue_by_product import CONTRACT as BY_PRODUCT
from salespipe_spark.marts.revenue_by_product import revenue_by_product
from salespipe_spark.marts.revenue_by_sales_rep import CONTRACT as BY_SALES_REP
from salespipe_spark.marts.revenue_by_sales_rep import revenue_by_sales_rep
from salespipe_spark.tables import tables

JANUARY, FEBRUARY, MARCH = date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)
MEASURES_DDL = (
    "ordered_amount decimal(18,2), cancelled_amount decimal(18,2), revenue decimal(18,2), "
    "orders bigint, units bigint, margin_amount decimal(18,2)"
)


def fact(
    order: int = 1,
    number: int = 1,
    *,
    amount: str = "10.00",
    cost: str = "4.00",
    quantity: int = 1,
    customer: int = 103,
    place: str = "Nantes",
    product: str = "S10",
    rep: int | None = 1370,
    day: date = date(2024, 1, 15),
    cancelled: bool = False,
) -> tuple[Any, ...]:
    """An order line. No mart reads the unit price: it is 1 cent, so that it cannot be taken for the amount."""
    money = Decimal(amount), Decimal(cost), Decimal(amount) - Decimal(cost), Decimal("99.00")
    status = "Cancelled" if cancelled else "Shipped"
    return (
        *(order, number, product, customer, place, rep, day, day, None),
        *(status, quantity, Decimal("0.01"), *money, cancelled),
    )


def facts(spark: SparkSession, *lines: tuple[Any, ...]) -> DataFrame:
    return frame(spark, FACTS.ddl, list(lines))


def online(spark: SparkSession, *sales: tuple[Any, ...]) -> DataFrame:
    """Online sales, by the rows of their files; what is no mart's business of months is NULL."""
    rows: Rows = [
        (number, at, day, customer, product, None, region, quantity, price, amount, None, None)
        for number, at, day, customer, product, quantity, price, region, amount in sales
    ]
    return frame(spark, ONLINE_FACTS.ddl, rows)


def monthly(spark: SparkSession, *lines: tuple[Any, ...], sales: Rows = ()) -> DataFrame:
    """monthly_revenue of these order lines and online sales."""
    return monthly_revenue(facts(spark, *lines), online(spark, *sales))


def places(spark: SparkSession, *rows: tuple[str, str, str]) -> DataFrame:
    """Places from (key, postal code, country)."""
    full: Rows = [(key, key, None, postal_code, country) for key, postal_code, country in rows]
    return frame(spark, LOCATIONS.ddl, full)


def products(spark: SparkSession, *rows: tuple[str, str]) -> DataFrame:
    """Products from (code, line)."""
    price = Decimal("1.00")
    return frame(spark, PRODUCTS.ddl, [(code, code, line, None, "1:10", "V", price, price, 5) for code, line in rows])


def measures(ordered: str, cancelled: str, revenue: str, orders: int, units: int, margin: str) -> tuple[Any, ...]:
    return (Decimal(ordered), Decimal(cancelled), Decimal(revenue), orders, units, Decimal(margin))


class TestMeasures:
    """The six measures that all marts share, read from revenue_by_customer."""

    @staticmethod
    def made(spark: SparkSession, *lines: tuple[Any, ...]) -> DataFrame:
        return revenue_by_customer(facts(spark, *lines)).drop("month_start", "customer_number")

    def test_cancelled_lines_are_ordered_but_no_revenue(self, spark: SparkSession) -> None:
        made = self.made(
            spark,
            fact(1, amount="100.00", cost="60.00", quantity=2),
            fact(2, amount="30.00", cost="10.00", quantity=5, cancelled=True),
        )
        assert_rows(made, MEASURES_DDL, [measures("130.00", "30.00", "100.00", 1, 2, "40.00")])

    def test_order_of_several_lines_is_one_order(self, spark: SparkSession) -> None:
        made = self.made(spark, fact(1, 1), fact(1, 2), fact(1, 3), fact(2, 1))
        assert_rows(made, MEASURES_DDL, [measures("40.00", "0.00", "40.00", 2, 4, "24.00")])

    def test_nothing_but_cancelled_orders_makes_zeros_not_nulls(self, spark: SparkSession) -> None:
        """SUM of nothing is NULL: revenue NULL would fail the audit, or vanish from a chart's total."""
        made = self.made(spark, fact(1, amount="30.00", cancelled=True), fact(2, amount="5.00", cancelled=True))
        assert_rows(made, MEASURES_DDL, [measures("35.00", "35.00", "0.00", 0, 0, "0.00")])

    def test_units_beyond_the_range_of_an_integer_are_summed_right(self, spark: SparkSession) -> None:
        """Added up as INT, twice 2,000,000,000 is -294,967,296 on Sail."""
        made = self.made(spark, fact(1, 1, quantity=2_000_000_000), fact(1, 2, quantity=2_000_000_000))
        assert_rows(made.select("units"), "units bigint", [(4_000_000_000,)])

    def test_returns_flow_through_as_negative_units_and_amounts(self, spark: SparkSession) -> None:
        made = self.made(
            spark,
            fact(1, amount="50.00", cost="20.00", quantity=5),
            fact(2, amount="-20.00", cost="-8.00", quantity=-2),
        )
        assert_rows(made, MEASURES_DDL, [measures("30.00", "0.00", "30.00", 2, 3, "18.00")])

    def test_cents_and_billions_are_added_exactly(self, spark: SparkSession) -> None:
        """Summed as floats, ten times 0.10 is 0.9999999999999999, and the cent beside a trillion is gone."""
        tens = [fact(1, n, amount="0.10", cost="0.00") for n in range(10)]
        made = self.made(spark, *tens, fact(2, 1, amount="9999999999999.98", cost="0.01"), fact(2, 2, amount="0.01"))
        expected = measures("10000000000000.99", "0.00", "10000000000000.99", 2, 12, "9999999999996.98")
        assert_rows(made, MEASURES_DDL, [expected])


class TestMonths:
    def test_first_and_last_day_belong_to_their_own_month(self, spark: SparkSession) -> None:
        days = [date(2024, 1, 1), date(2024, 1, 31), date(2024, 2, 1), date(2024, 2, 29), date(2024, 3, 1)]
        lines = [fact(n, amount=f"{10**n}.00", day=day) for n, day in enumerate(days)]
        made = revenue_by_customer(facts(spark, *lines)).select("month_start", "revenue")
        expected = [(JANUARY, Decimal("11.00")), (FEBRUARY, Decimal("1100.00")), (MARCH, Decimal("10000.00"))]
        assert_rows(made, "month_start date, revenue decimal(18,2)", expected)

    def test_same_month_of_another_year_is_another_month(self, spark: SparkSession) -> None:
        made = monthly(spark, fact(1, day=date(2023, 1, 15)), fact(2, day=date(2024, 1, 15)))
        expected = [(date(2023, 1, 1), Decimal("10.00")), (date(2024, 1, 1), Decimal("10.00"))]
        assert_rows(made.select("month_start", "revenue"), "month_start date, revenue decimal(18,2)", expected)


class TestMonthlyRevenue:
    def test_month_has_one_row_with_all_measures(self, spark: SparkSession) -> None:
        made = monthly(
            spark,
            fact(1, 1, amount="100.00", cost="60.00", quantity=2, customer=103),
            fact(1, 2, amount="50.00", cost="25.50", quantity=1, customer=103),
            fact(2, 1, amount="10.00", cost="2.00", quantity=4, customer=103),
            fact(3, 1, amount="40.00", cost="40.00", quantity=1, customer=112),
            fact(4, 1, amount="7.00", cost="3.00", quantity=9, customer=114, cancelled=True),
        )
        expected = (
            *(JANUARY, "wholesale"),
            *measures("207.00", "7.00", "200.00", 3, 8, "72.50"),
            *(2, Decimal("127.50"), Decimal("66.666667")),
        )
        assert_rows(made, MONTHLY_REVENUE.ddl, [expected])

    @pytest.mark.parametrize(
        ("amounts", "average"),
        [
            (["100.00", "0.00", "0.00"], "33.333333"),
            (["200.00", "0.00", "0.00"], "66.666667"),
            (["0.01", "0.00", "0.00"], "0.003333"),
            (["-200.00", "0.00", "0.00"], "-66.666667"),
            (["0.01"], "0.010000"),
            (["99999999999.99", "0.00"], "49999999999.995000"),
        ],
    )
    def test_average_order_value_is_rounded_at_the_sixth_decimal(
        self, spark: SparkSession, amounts: list[str], average: str
    ) -> None:
        """Sail divides decimals to a smaller scale and cuts: 200.00 / 3 is 66.666666 there."""
        made = monthly(spark, *(fact(n, amount=amount) for n, amount in enumerate(amounts)))
        assert_rows(made.select("average_order_value"), "average_order_value decimal(18,6)", [(Decimal(average),)])

    def test_average_is_of_orders_not_of_lines(self, spark: SparkSession) -> None:
        made = monthly(spark, fact(1, 1), fact(1, 2), fact(1, 3), fact(2, 1))
        assert_rows(made.select("average_order_value"), "average_order_value decimal(18,6)", [(Decimal("20.000000"),)])

    def test_month_of_cancelled_orders_has_no_customers_and_no_average(self, spark: SparkSession) -> None:
        """Division by zero is an error under ANSI, and infinity elsewhere."""
        made = monthly(spark, fact(1, amount="30.00", cancelled=True))
        expected = (
            *(JANUARY, "wholesale"),
            *measures("30.00", "30.00", "0.00", 0, 0, "0.00"),
            *(0, Decimal("0.00"), None),
        )
        assert_rows(made, MONTHLY_REVENUE.ddl, [expected])

    def test_customer_of_many_orders_and_countries_is_counted_once(self, spark: SparkSession) -> None:
        made = monthly(spark, fact(1, customer=103), fact(2, customer=103, place="Boston"), fact(3, customer=112))
        assert_rows(made.select("orders", "customers"), "orders bigint, customers bigint", [(3, 2)])

    def test_online_channel_has_a_row_of_its_own_without_cost_and_margin(self, spark: SparkSession) -> None:
        """Zero would be a margin; added to the wholesale row, no channel would balance against its fact."""
        made = monthly(
            spark,
            fact(1, amount="100.00", cost="60.00"),
            fact(2, amount="5.00", cancelled=True),
            sales=[
                sale("T1", "2024-01-01", "C1", "Lamp", 2, "10.00", "North"),
                sale("T2", "2024-01-31", "C1", "Lamp", 1, "20.01", "South"),
                sale("T3", "2024-01-31", "C2", "Sofa", 3, "20.00", "South"),
            ],
        )
        expected = [
            (
                *(JANUARY, "wholesale"),
                *measures("105.00", "5.00", "100.00", 1, 1, "40.00"),
                *(1, Decimal("60.00"), Decimal("100.000000")),
            ),
            (
                *(JANUARY, "online", Decimal("100.01"), Decimal("0.00"), Decimal("100.01"), 3, 6, None),
                *(2, None, Decimal("33.336667")),
            ),
        ]
        assert_rows(made, MONTHLY_REVENUE.ddl, expected)

    def test_month_of_one_channel_has_no_row_of_the_other(self, spark: SparkSession) -> None:
        lamp = sale("T1", "2024-02-29", "C1", "Lamp", 1, "10.00", "North")
        made = monthly(spark, fact(1, day=date(2024, 3, 1)), sales=[lamp]).select("month_start", "channel")
        assert_rows(made, "month_start date, channel string", [(FEBRUARY, "online"), (MARCH, "wholesale")])

    @pytest.mark.parametrize("name", ["online_revenue", "online_orders", "online_units", "wholesale_revenue"])
    def test_each_channel_is_balanced_by_itself(self, spark: SparkSession, name: str) -> None:
        """What one channel lacks and the other has too much would balance together."""
        lamp = sale("T1", "2024-01-05", "C1", "Lamp", 4, "2.50", "North")
        figures = audit.figures(monthly(spark, fact(1, amount="10.00"), sales=[lamp]), MONTHLY_REVENUE)
        expected = {"online_revenue": "10", "online_orders": "1", "online_units": "4", "wholesale_revenue": "10"}
        assert figures["2024-01"].figure(name) == Decimal(expected[name])
        assert name in dict(MONTHLY_REVENUE.balances)


class TestByCustomer:
    def test_each_customer_has_its_own_months(self, spark: SparkSession) -> None:
        made = revenue_by_customer(
            facts(
                spark,
                fact(1, customer=103, amount="10.00"),
                fact(2, customer=112, amount="20.00", cancelled=True),
                fact(3, customer=103, amount="40.00", day=date(2024, 2, 15)),
            )
        )
        expected = [
            (JANUARY, 103, *measures("10.00", "0.00", "10.00", 1, 1, "6.00")),
            (JANUARY, 112, *measures("20.00", "20.00", "0.00", 0, 0, "0.00")),
            (FEBRUARY, 103, *measures("40.00", "0.00", "40.00", 1, 1, "36.00")),
        ]
        assert_rows(made, BY_CUSTOMER.ddl, expected)


class TestByProduct:
    def test_product_has_its_line_and_the_lines_of_all_customers(self, spark: SparkSession) -> None:
        made = revenue_by_product(
            facts(
                spark,
                fact(1, 1, product="S10", customer=103),
                fact(2, 1, product="S10", customer=112),
                fact(2, 2, product="S18", customer=112, amount="7.00"),
            ),
            products(spark, ("S10", "Motorcycles"), ("S18", "Ships"), ("never sold", "Ships")),
        )
        expected = [
            (JANUARY, "S10", "Motorcycles", *measures("20.00", "0.00", "20.00", 2, 2, "12.00")),
            (JANUARY, "S18", "Ships", *measures("7.00", "0.00", "7.00", 1, 1, "3.00")),
        ]
        assert_rows(made, BY_PRODUCT.ddl, expected)

    def test_order_has_a_product_on_one_line(self) -> None:
        """Its lines are counted for it: with another key an order would count as often as it has lines."""
        assert tables()["order_details"].contract.key == ("order_number", "product_code")

    def test_order_of_two_products_is_an_order_of_each(self, spark: SparkSession) -> None:
        """Orders by product add up to more than there are: they are never summed."""
        made = revenue_by_product(
            facts(spark, fact(1, 1, product="S10"), fact(1, 2, product="S18")),
            products(spark, ("S10", "Ships"), ("S18", "Ships")),
        )
        columns = made.select("product_code", "orders")
        assert_rows(columns, "product_code string, orders bigint", [("S10", 1), ("S18", 1)])

    def test_product_that_is_not_known_keeps_its_sales_and_fails_the_audit(self, spark: SparkSession) -> None:
        made = revenue_by_product(facts(spark, fact(product="S99")), products(spark, ("S10", "Ships")))
        columns = made.select("product_code", "product_line", "revenue")
        ddl = "product_code string, product_line string, revenue decimal(18,2)"
        assert_rows(columns, ddl, [("S99", None, Decimal("10.00"))])
        assert audit.figures(made, BY_PRODUCT)["2024-01"].nulls == {"product_line": 1}


class TestByCountry:
    def test_places_that_share_a_postal_code_are_not_multiplied(self, spark: SparkSession) -> None:
        """A known pipeline joins on the postal code and reports four times the sales of the USA."""
        shared = "94217"
        made = revenue_by_country(
            facts(spark, fact(1, place="SF"), fact(2, place="Burlingame"), fact(3, place="San Jose")),
            places(
                spark,
                ("SF", shared, "USA"),
                ("Burlingame", shared, "USA"),
                ("San Jose", shared, "USA"),
                ("Nowhere", shared, "Spain"),
            ),
        )
        expected = [(JANUARY, "USA", *measures("30.00", "0.00", "30.00", 3, 3, "18.00"))]
        assert_rows(made, BY_COUNTRY.ddl, expected)

    def test_each_country_has_its_own_row_a_month(self, spark: SparkSession) -> None:
        made = revenue_by_country(
            facts(
                spark,
                fact(1, place="Nantes", amount="10.00"),
                fact(2, place="Boston", amount="20.00", cancelled=True),
                fact(3, place="Boston", amount="40.00", day=date(2024, 2, 1)),
                fact(4, place="Lyon", amount="80.00"),
            ),
            places(spark, ("Nantes", "44000", "France"), ("Lyon", "69004", "France"), ("Boston", "02107", "USA")),
        )
        expected = [
            (JANUARY, "France", *measures("90.00", "0.00", "90.00", 2, 2, "82.00")),
            (JANUARY, "USA", *measures("20.00", "20.00", "0.00", 0, 0, "0.00")),
            (FEBRUARY, "USA", *measures("40.00", "0.00", "40.00", 1, 1, "36.00")),
        ]
        assert_rows(made, BY_COUNTRY.ddl, expected)

    def test_sales_of_a_place_that_is_not_known_are_kept_and_fail_the_audit(self, spark: SparkSession) -> None:
        made = revenue_by_country(facts(spark, fact(place="Atlantis")), places(spark, ("Nantes", "44000", "France")))
        columns = made.select("country", "revenue")
        assert_rows(columns, "country string, revenue decimal(18,2)", [(None, Decimal("10.00"))])
        assert audit.figures(made, BY_COUNTRY)["2024-01"].nulls == {"country": 1}


class TestByCountryAndProductLine:
    def test_order_over_two_product_lines_is_an_order_of_each(self, spark: SparkSession) -> None:
        made = revenue_by_country_and_product_line(
            facts(
                spark,
                fact(1, 1, place="Boston", product="S10", amount="10.00"),
                fact(1, 2, place="Boston", product="S18", amount="20.00"),
                fact(2, 1, place="SF", product="S18", amount="40.00"),
                fact(3, 1, place="Nantes", product="S18", amount="80.00", cancelled=True),
            ),
            places(spark, ("Boston", "1", "USA"), ("SF", "1", "USA"), ("Nantes", "1", "France")),
            products(spark, ("S10", "Motorcycles"), ("S18", "Ships")),
        )
        expected = [
            (JANUARY, "USA", "Motorcycles", *measures("10.00", "0.00", "10.00", 1, 1, "6.00")),
            (JANUARY, "USA", "Ships", *measures("60.00", "0.00", "60.00", 2, 2, "52.00")),
            (JANUARY, "France", "Ships", *measures("80.00", "80.00", "0.00", 0, 0, "0.00")),
        ]
        assert_rows(made, BY_COUNTRY_AND_LINE.ddl, expected)


class TestBySalesRep:
    def test_customers_without_a_rep_have_a_row_of_their_own(self, spark: SparkSession) -> None:
        """Left out, the reps would sell less than the shop."""
        made = revenue_by_sales_rep(
            facts(
                spark,
                fact(1, amount="10.00", rep=1370),
                fact(2, amount="20.00", rep=None),
                fact(3, amount="40.00", rep=None, cancelled=True),
            )
        )
        expected = [
            (JANUARY, 1370, *measures("10.00", "0.00", "10.00", 1, 1, "6.00")),
            (JANUARY, None, *measures("60.00", "40.00", "20.00", 1, 1, "16.00")),
        ]
        assert_rows(made, BY_SALES_REP.ddl, expected)
        assert audit.figures(made, BY_SALES_REP)["2024-01"].nulls == {}


def test_every_mart_of_the_same_facts_has_the_same_totals(spark: SparkSession) -> None:
    """Amounts and units add up to the facts' whatever they are cut by; distinct counts do not."""
    lines = facts(
        spark,
        fact(1, 1, amount="10.10", cost="3.03", quantity=2, place="Boston"),
        fact(1, 2, amount="20.20", cost="30.00", quantity=3, place="Boston", product="S18", rep=None),
        fact(2, 1, amount="40.40", cost="0.01", quantity=5, customer=112, cancelled=True),
        fact(3, 1, amount="80.80", cost="0.00", quantity=-7, customer=112, product="S18"),
    )
    where = places(spark, ("Nantes", "1", "France"), ("Boston", "1", "USA"))
    what = products(spark, ("S10", "Motorcycles"), ("S18", "Ships"))
    marts = {
        "monthly": (monthly_revenue(lines, online(spark)), MONTHLY_REVENUE),
        "customer": (revenue_by_customer(lines), BY_CUSTOMER),
        "product": (revenue_by_product(lines, what), BY_PRODUCT),
        "country": (revenue_by_country(lines, where), BY_COUNTRY),
        "rep": (revenue_by_sales_rep(lines), BY_SALES_REP),
        "both": (revenue_by_country_and_product_line(lines, where, what), BY_COUNTRY_AND_LINE),
    }
    names = ("ordered_amount", "cancelled_amount", "revenue", "margin_amount", "units")
    totals = {
        mart: [audit.figures(made, contract)["2024-01"].sums[name] for name in names]
        for mart, (made, contract) in marts.items()
    }
    expected = [Decimal("151.50"), Decimal("40.40"), Decimal("111.10"), Decimal("78.07"), Decimal(-2)]
    assert totals == dict.fromkeys(marts, expected)
