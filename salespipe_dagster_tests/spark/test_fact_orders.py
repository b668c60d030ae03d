"""fact_orders by literal rows: joins that lose and double nothing, money to the cent, what is cancelled."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster_tests.support import Rows, assert_rows, frame
from salespipe_spark.core.dim_customers import CONTRACT as CUSTOMERS
from salespipe_spark.core.dim_products import CONTRACT as PRODUCTS
from salespipe_spark.core.fact_orders import CONTRACT, fact_orders
from salespipe_spark.lake import audit
from salespipe_spark.staging.order_details import CONTRACT as LINES
from salespipe_spark.staging.orders import CONTRACT as ORDERS

JANUARY_15 = date(2024, 1, 15)


def line(
    number: int = 1, order: int = 10100, product: str = "S10", quantity: int = 1, price: str = "1.00"
) -> tuple[Any, ...]:
    return (order, product, quantity, Decimal(price), number, JANUARY_15)


def order(
    number: int = 10100, status: str | None = "Shipped", shipped: date | None = date(2024, 1, 20), customer: int = 103
) -> tuple[Any, ...]:
    return (number, JANUARY_15, date(2024, 1, 25), shipped, status, "Call first.", customer)


def customer(number: int = 103, place: str = "place of 103", rep: int | None = 1370) -> tuple[Any, ...]:
    where = ("Nantes", None, "44000", "France", place)
    return (number, f"Customer {number}", "Carine Schmitt", "40.32.2555", *where, Decimal("21000.00"), rep, "A Rep")


def product(code: str = "S10", buy: str = "0.40", msrp: str = "2.00") -> tuple[Any, ...]:
    return (code, "1969 Harley", "Motorcycles", "Bikes", "1:10", "Min Lin", Decimal(buy), Decimal(msrp), 7933)


def facts(
    spark: SparkSession,
    lines: Rows,
    orders: Rows | None = None,
    customers: Rows | None = None,
    products: Rows | None = None,
) -> DataFrame:
    """The facts of these lines; where nothing else is said, of one shipped order of one customer."""
    return fact_orders(
        frame(spark, LINES.ddl, lines),
        frame(spark, ORDERS.ddl, [order()] if orders is None else orders),
        frame(spark, CUSTOMERS.ddl, [customer()] if customers is None else customers),
        frame(spark, PRODUCTS.ddl, [product()] if products is None else products),
    )


def test_line_takes_dates_and_status_from_its_order_place_and_rep_from_its_customer(spark: SparkSession) -> None:
    made = facts(
        spark,
        [line(3, order=10101, product="S18", quantity=25, price="108.06")],
        [order(10100), order(10101, status="Resolved", customer=128)],
        [customer(103), customer(128, place="place of 128", rep=1504)],
        [product("S10"), product("S18", buy="95.34", msrp="194.57")],
    )
    expected = (
        *(10101, 3, "S18", 128, "place of 128", 1504),
        *(date(2024, 1, 15), date(2024, 1, 25), date(2024, 1, 20), "Resolved"),
        *(25, Decimal("108.06")),
        # 25 x 108.06, 25 x 95.34, the difference, 25 x 194.57
        *(Decimal("2701.50"), Decimal("2383.50"), Decimal("318.00"), Decimal("4864.25")),
        False,
    )
    assert_rows(made, CONTRACT.ddl, [expected])


def test_every_line_is_there_once(spark: SparkSession) -> None:
    """Customers that share a place, lines that share a product: a join that is not unique counts sales twice."""
    made = facts(
        spark,
        [line(1), line(2, product="S18"), line(1, order=10101), line(1, order=10102)],
        [order(10100), order(10101, customer=128), order(10102, customer=103)],
        [customer(103, place="shared"), customer(128, place="shared")],
        [product("S10"), product("S18")],
    )
    ddl = "order_number int, order_line_number int, customer_number int"
    expected = [(10100, 1, 103), (10100, 2, 103), (10101, 1, 128), (10102, 1, 103)]
    assert_rows(made.select("order_number", "order_line_number", "customer_number"), ddl, expected)


def test_order_that_has_not_left_has_no_shipped_date(spark: SparkSession) -> None:
    made = facts(spark, [line()], [order(shipped=None)])
    assert_rows(made.select("shipped_date", "quantity"), "shipped_date date, quantity int", [(None, 1)])


def test_line_of_a_customer_without_rep_stays(spark: SparkSession) -> None:
    made = facts(spark, [line()], customers=[customer(rep=None)])
    assert_rows(
        made.select("customer_number", "sales_rep_number"), "customer_number int, sales_rep_number int", [(103, None)]
    )


def test_product_that_was_never_ordered_makes_no_line(spark: SparkSession) -> None:
    made = facts(spark, [line()], products=[product("S10"), product("never sold")])
    assert_rows(made.select("product_code"), "product_code string", [("S10",)])


class TestCancelled:
    @pytest.mark.parametrize("status", ["Cancelled", "cancelled", "CANCELLED", " Cancelled", "Cancelled  "])
    def test_cancelled_is_cancelled_in_any_case_and_padding(self, spark: SparkSession, status: str) -> None:
        """MySQL compares without case and trailing blanks, Spark does not: ' cancelled' counted as revenue."""
        made = facts(spark, [line()], [order(status=status)])
        assert_rows(made.select("is_cancelled"), "is_cancelled boolean", [(True,)])

    @pytest.mark.parametrize("status", ["Shipped", "Resolved", "On Hold", "Disputed", "In Process", "Refunded?", ""])
    def test_every_other_status_counts_also_one_never_seen(self, spark: SparkSession, status: str) -> None:
        """A list of statuses that count leaves out the sales of the next one."""
        made = facts(spark, [line()], [order(status=status)])
        assert_rows(made.select("is_cancelled"), "is_cancelled boolean", [(False,)])

    def test_status_is_trimmed_and_keeps_its_case(self, spark: SparkSession) -> None:
        made = facts(spark, [line()], [order(status="  On Hold ")])
        assert_rows(made.select("status"), "status string", [("On Hold",)])

    def test_cancelled_line_keeps_its_amounts(self, spark: SparkSession) -> None:
        """What was ordered is counted whatever became of it."""
        made = facts(spark, [line(quantity=3)], [order(status="Cancelled")])
        columns = made.select("amount", "cost_amount")
        ddl = "amount decimal(18,2), cost_amount decimal(18,2)"
        assert_rows(columns, ddl, [(Decimal("3.00"), Decimal("1.20"))])


class TestMoney:
    @pytest.mark.parametrize(
        ("quantity", "price", "buy", "amount", "cost", "margin"),
        [
            (1, "0.01", "0.00", "0.01", "0.00", "0.01"),
            (3, "33.33", "33.34", "99.99", "100.02", "-0.03"),
            (7, "0.07", "0.01", "0.49", "0.07", "0.42"),
            (99_999_999, "99999999.99", "0.01", "9999999899000000.01", "999999.99", "9999999898000000.02"),
            (2_000_000_000, "1234567.89", "1.00", "2469135780000000.00", "2000000000.00", "2469133780000000.00"),
            (-2, "10.05", "4.01", "-20.10", "-8.02", "-12.08"),
            (0, "10.05", "4.01", "0.00", "0.00", "0.00"),
        ],
        ids=["one cent", "loss", "cents", "sixteen digits", "two billions", "return", "nothing"],
    )
    def test_money_is_exact(
        self, spark: SparkSession, quantity: int, price: str, buy: str, amount: str, cost: str, margin: str
    ) -> None:
        """Through a float the cent of 9,999,999,899,000,000.01 is lost; INT arithmetic wraps on Sail."""
        made = facts(spark, [line(quantity=quantity, price=price)], products=[product(buy=buy)])
        columns = made.select("quantity", "amount", "cost_amount", "margin_amount")
        ddl = "quantity int, amount decimal(18,2), cost_amount decimal(18,2), margin_amount decimal(18,2)"
        assert_rows(columns, ddl, [(quantity, Decimal(amount), Decimal(cost), Decimal(margin))])

    def test_list_amount_takes_the_suggested_price_not_the_agreed_one(self, spark: SparkSession) -> None:
        made = facts(spark, [line(quantity=4, price="1.00")], products=[product(msrp="95.70")])
        assert_rows(made.select("list_amount"), "list_amount decimal(18,2)", [(Decimal("382.80"),)])


class TestWhatIsMissing:
    """Nothing is dropped or guessed in silence: the audit names what does not fit together."""

    @staticmethod
    def nulls(spark: SparkSession, made: DataFrame) -> dict[str, int]:
        return audit.figures(made, CONTRACT)["2024-01"].nulls

    def test_line_of_an_unknown_product_has_no_cost_and_fails_the_audit(self, spark: SparkSession) -> None:
        """With an inner join the line, with COALESCE 0 its cost would be gone, and the margin too high."""
        made = facts(spark, [line(product="S99")])
        columns = made.select("amount", "cost_amount", "margin_amount", "list_amount")
        ddl = "amount decimal(18,2), cost_amount decimal(18,2), margin_amount decimal(18,2), list_amount decimal(18,2)"
        assert_rows(columns, ddl, [(Decimal("1.00"), None, None, None)])
        assert self.nulls(spark, made) == {"cost_amount": 1, "margin_amount": 1, "list_amount": 1}

    def test_line_of_an_unknown_customer_has_no_place_and_fails_the_audit(self, spark: SparkSession) -> None:
        made = facts(spark, [line()], customers=[])
        columns = made.select("customer_number", "location_key")
        assert_rows(columns, "customer_number int, location_key string", [(103, None)])
        assert self.nulls(spark, made) == {"location_key": 1}

    def test_order_without_status_fails_the_audit(self, spark: SparkSession) -> None:
        made = facts(spark, [line()], [order(status=None)])
        assert self.nulls(spark, made) == {"status": 1, "is_cancelled": 1}

    def test_line_without_its_order_is_missed_by_the_balance(self, spark: SparkSession) -> None:
        """It has no customer and no status; the balance with order_details names its month."""
        made = facts(spark, [line(1), line(1, order=10999)])
        assert_rows(made.select("order_number"), "order_number int", [(10100,)])
        assert ("rows", "order_details.rows") in CONTRACT.balances
        assert ("amount", "order_details.amount") in CONTRACT.balances


def test_figures_leave_the_cancelled_lines_out_of_revenue_margin_and_units(spark: SparkSession) -> None:
    """Marts are held against these figures: were they wrong, a wrong mart would pass."""
    made = facts(
        spark,
        [line(1, quantity=3), line(2, quantity=5, price="2.00"), line(1, order=10101, quantity=100)],
        [order(10100), order(10101, status="Cancelled")],
    )
    assert audit.figures(made, CONTRACT)["2024-01"].sums == {
        "amount": Decimal("113.00"),
        "cancelled": Decimal("100.00"),
        "revenue_cost": Decimal("3.20"),
        "cost_amount": Decimal("43.20"),
        "margin_amount": Decimal("69.80"),
        "list_amount": Decimal("216.00"),
        "revenue": Decimal("13.00"),
        "revenue_margin": Decimal("9.80"),
        "units": Decimal(8),
    }
