"""The dimensions, by literal rows: customers, products, places, employees, offices, days."""

import hashlib
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster_tests.support import Rows, assert_rows, frame
from salespipe_spark.core.dim_customers import CONTRACT as DIM_CUSTOMERS
from salespipe_spark.core.dim_customers import dim_customers
from salespipe_spark.core.dim_dates import CONTRACT as DIM_DATES
from salespipe_spark.core.dim_dates import dim_dates
from salespipe_spark.core.dim_employees import CONTRACT as DIM_EMPLOYEES
from salespipe_spark.core.dim_employees import dim_employees
from salespipe_spark.core.dim_locations import CONTRACT as DIM_LOCATIONS
from salespipe_spark.core.dim_locations import dim_locations
from salespipe_spark.core.dim_offices import CONTRACT as DIM_OFFICES
from salespipe_spark.core.dim_offices import dim_offices
from salespipe_spark.core.dim_products import CONTRACT as DIM_PRODUCTS
from salespipe_spark.core.dim_products import dim_products
from salespipe_spark.staging.customers import CONTRACT as CUSTOMERS
from salespipe_spark.staging.employees import CONTRACT as EMPLOYEES
from salespipe_spark.staging.offices import CONTRACT as OFFICES
from salespipe_spark.staging.product_lines import CONTRACT as PRODUCT_LINES
from salespipe_spark.staging.products import CONTRACT as PRODUCTS

Place = tuple[str | None, str | None, str | None, str | None]

NANTES: Place = ("Nantes", None, "44000", "France")
BOSTON: Place = ("Boston", "MA", "02107", "USA")


def key(text: str) -> str:
    """The location key of a place whose parts are written as the encoding has them: length:part, or - for NULL."""
    return hashlib.sha256(text.encode()).hexdigest()


NANTES_KEY = key("6:Nantes-5:440006:France")
BOSTON_KEY = key("6:Boston2:MA5:021073:USA")


def customer(number: int, place: Place = NANTES, rep: int | None = None, credit: str | None = "21000.00") -> Any:
    city, state, postal_code, country = place
    limit = None if credit is None else Decimal(credit)
    street, phone = "54, rue Royale", "40.32.2555"
    return (
        *(number, f"Customer {number}", "Schmitt", "Carine", phone, street, None),
        *(city, state, postal_code, country, rep, limit),
    )


def employee(number: int, first: str, last: str, office: str = "1", boss: int | None = None) -> Any:
    return (number, last, first, "x5800", f"{first.strip().lower()}@example.com", office, boss, "Sales Rep")


def office(code: str, place: Place = BOSTON) -> Any:
    city, state, postal_code, country = place
    return (code, city, "+1 215 837 0825", "1550 Court Place", "Suite 102", state, country, postal_code, "NA")


def customers_made(spark: SparkSession, customers: Rows, employees: Rows) -> DataFrame:
    return dim_customers(frame(spark, CUSTOMERS.ddl, customers), frame(spark, EMPLOYEES.ddl, employees))


def locations_made(spark: SparkSession, customers: Rows, offices: Rows, published: Rows) -> DataFrame:
    return dim_locations(
        frame(spark, CUSTOMERS.ddl, customers),
        frame(spark, OFFICES.ddl, offices),
        frame(spark, DIM_LOCATIONS.ddl, published),
    )


def key_of(spark: SparkSession, place: Place) -> str:
    rows = customers_made(spark, [customer(1, place)], []).collect()
    return str(rows[0]["location_key"])


class TestCustomers:
    def test_customer_has_its_place_contact_and_rep(self, spark: SparkSession) -> None:
        made = customers_made(
            spark,
            [customer(119, BOSTON, rep=1370, credit="118200.00")],
            [employee(1370, "Gerard", "Hernandez"), employee(1401, "Pamela", "Castillo")],
        )
        expected = (
            *(119, "Customer 119", "Carine Schmitt", "40.32.2555"),
            *("Boston", "MA", "02107", "USA", BOSTON_KEY),
            *(Decimal("118200.00"), 1370, "Gerard Hernandez"),
        )
        assert_rows(made, DIM_CUSTOMERS.ddl, [expected])

    def test_customer_without_rep_or_credit_limit_stays(self, spark: SparkSession) -> None:
        """22 customers of classicmodels have no rep: an inner join loses them and their sales."""
        made = customers_made(spark, [customer(125, credit=None)], [employee(1370, "Gerard", "Hernandez")])
        expected = (
            *(125, "Customer 125", "Carine Schmitt", "40.32.2555"),
            *("Nantes", None, "44000", "France", NANTES_KEY, None, None, None),
        )
        assert_rows(made, DIM_CUSTOMERS.ddl, [expected])

    def test_rep_who_is_no_employee_keeps_its_number_and_has_no_name(self, spark: SparkSession) -> None:
        made = customers_made(spark, [customer(1, rep=9999)], [])
        ddl = "customer_number int, sales_rep_number int, sales_rep_name string"
        assert_rows(made.select("customer_number", "sales_rep_number", "sales_rep_name"), ddl, [(1, 9999, None)])

    def test_one_rep_of_many_customers_multiplies_nothing(self, spark: SparkSession) -> None:
        made = customers_made(
            spark,
            [customer(1, rep=1370), customer(2, rep=1370), customer(3, rep=1401)],
            [employee(1370, "Gerard", "Hernandez"), employee(1401, "Pamela", "Castillo")],
        )
        expected = [(1, "Gerard Hernandez"), (2, "Gerard Hernandez"), (3, "Pamela Castillo")]
        names = made.select("customer_number", "sales_rep_name")
        assert_rows(names, "customer_number int, sales_rep_name string", expected)

    def test_names_are_trimmed(self, spark: SparkSession) -> None:
        row = list(customer(1, rep=1))
        row[2:4] = "  Schmitt ", " Carine "
        made = customers_made(spark, [tuple(row)], [employee(1, " Gerard ", " Hernandez  ")])
        names = made.select("contact_name", "sales_rep_name")
        assert_rows(names, "contact_name string, sales_rep_name string", [("Carine Schmitt", "Gerard Hernandez")])

    def test_quotes_and_letters_of_any_language_pass_unchanged(self, spark: SparkSession) -> None:
        row = list(customer(1))
        row[1] = 'O\'Hara "& Søn", Ltd; 東京 \\ 100%'
        names = customers_made(spark, [tuple(row)], []).select("customer_name")
        assert_rows(names, "customer_name string", [('O\'Hara "& Søn", Ltd; 東京 \\ 100%',)])


class TestLocationKey:
    @pytest.mark.parametrize(
        ("place", "encoded"),
        [
            (NANTES, "6:Nantes-5:440006:France"),
            (BOSTON, "6:Boston2:MA5:021073:USA"),
            (("Singapore", None, None, "Singapore"), "9:Singapore--9:Singapore"),
            (("München", "", "80686", "Germany"), "7:München0:5:806867:Germany"),
        ],
    )
    def test_key_is_the_sha256_of_each_part_with_its_length(
        self, spark: SparkSession, place: Place, encoded: str
    ) -> None:
        """Old months keep their keys: an encoding that changes unnoticed leaves them without a place."""
        assert key_of(spark, place) == hashlib.sha256(encoded.encode()).hexdigest()

    def test_blanks_around_a_part_do_not_make_another_place(self, spark: SparkSession) -> None:
        """Padded places are in the source: ' Boston' and 'Boston' were two cities in a chart."""
        assert key_of(spark, ("  Boston ", " MA", "02107  ", "USA ")) == BOSTON_KEY

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (("Boston", "MA", "02107", "USA"), ("boston", "MA", "02107", "USA")),
            (("Boston", None, "02107", "USA"), ("Boston", "", "02107", "USA")),
            (("Boston", None, "MA", "USA"), ("Boston", "MA", None, "USA")),
            (("ab", "c", "1", "X"), ("a", "bc", "1", "X")),
            (("Boston", "-", "02107", "USA"), ("Boston", None, "02107", "USA")),
            (("Boston", "MA", "02107", "USA"), ("Boston", "MA", "02108", "USA")),
        ],
        ids=["case", "NULL and empty", "NULL moved", "shifted letters", "dash and NULL", "postal code"],
    )
    def test_different_places_have_different_keys(self, spark: SparkSession, one: Place, other: Place) -> None:
        """Joined with a separator or with NULLs left out, two places got one key and their sales one row."""
        assert key_of(spark, one) != key_of(spark, other)

    def test_customer_and_office_of_one_place_have_one_key(self, spark: SparkSession) -> None:
        made = dim_offices(frame(spark, OFFICES.ddl, [office("2", BOSTON)]))
        assert_rows(made.select("location_key"), "location_key string", [(key_of(spark, BOSTON),)])


class TestLocations:
    def test_places_of_customers_and_offices_are_places(self, spark: SparkSession) -> None:
        made = locations_made(spark, [customer(1, NANTES)], [office("2", BOSTON)], [])
        assert_rows(made, DIM_LOCATIONS.ddl, [(NANTES_KEY, *NANTES), (BOSTON_KEY, *BOSTON)])

    def test_customers_and_offices_of_one_place_make_one_row(self, spark: SparkSession) -> None:
        """Each further row of a place multiplies the sales of all who live there."""
        padded = (" Boston", "MA ", "02107", "USA")
        made = locations_made(spark, [customer(1, BOSTON), customer(2, padded)], [office("2", BOSTON)], [])
        assert_rows(made, DIM_LOCATIONS.ddl, [(BOSTON_KEY, *BOSTON)])

    def test_cities_of_one_postal_code_are_different_places(self, spark: SparkSession) -> None:
        lyon = ("Lyon", None, "44000", "France")
        made = locations_made(spark, [customer(1, NANTES), customer(2, lyon)], [], [])
        lyon_key = key("4:Lyon-5:440006:France")
        assert_rows(made, DIM_LOCATIONS.ddl, [(NANTES_KEY, *NANTES), (lyon_key, *lyon)])

    def test_place_from_which_the_last_customer_moved_stays(self, spark: SparkSession) -> None:
        """An old month's facts still name it: without it they have no country."""
        made = locations_made(spark, [customer(1, BOSTON)], [], [(NANTES_KEY, *NANTES)])
        assert_rows(made, DIM_LOCATIONS.ddl, [(NANTES_KEY, *NANTES), (BOSTON_KEY, *BOSTON)])

    def test_place_that_is_published_already_is_not_doubled(self, spark: SparkSession) -> None:
        published = [(NANTES_KEY, *NANTES), (BOSTON_KEY, *BOSTON)]
        made = locations_made(spark, [customer(1, NANTES)], [office("2", BOSTON)], published)
        assert_rows(made, DIM_LOCATIONS.ddl, published)


class TestProducts:
    @staticmethod
    def product(code: str, line: str) -> Any:
        return (code, "1969 Harley", line, "1:10", "Min Lin", "A bike.", 7933, Decimal("48.81"), Decimal("95.70"))

    def made(self, spark: SparkSession, products: Rows, lines: Rows) -> DataFrame:
        return dim_products(frame(spark, PRODUCTS.ddl, products), frame(spark, PRODUCT_LINES.ddl, lines))

    def test_product_has_the_description_of_its_line(self, spark: SparkSession) -> None:
        lines = [("Motorcycles", "Our motorcycles", "<b>"), ("Ships", "Our ships", None)]
        expected = (
            *("S10_1678", "1969 Harley", "Motorcycles", "Our motorcycles", "1:10", "Min Lin"),
            *(Decimal("48.81"), Decimal("95.70"), 7933),
        )
        assert_rows(self.made(spark, [self.product("S10_1678", "Motorcycles")], lines), DIM_PRODUCTS.ddl, [expected])

    def test_product_of_an_unknown_line_stays_without_description(self, spark: SparkSession) -> None:
        made = self.made(spark, [self.product("S10_1678", "Kites")], [("Ships", "Our ships", None)])
        columns = made.select("product_code", "product_line", "product_line_description")
        ddl = "product_code string, product_line string, product_line_description string"
        assert_rows(columns, ddl, [("S10_1678", "Kites", None)])


class TestEmployeesAndOffices:
    def test_employee_has_manager_and_office(self, spark: SparkSession) -> None:
        offices = dim_offices(frame(spark, OFFICES.ddl, [office("1", BOSTON), office("4", NANTES)]))
        people = [employee(1002, " Diane", "Murphy "), employee(1102, "Gerard", "Bondur", office="4", boss=1002)]
        made = dim_employees(frame(spark, EMPLOYEES.ddl, people), offices)
        expected = [
            (1002, "Diane Murphy", "diane@example.com", "Sales Rep", None, None, "1", "Boston", "USA", "NA"),
            (
                *(1102, "Gerard Bondur", "gerard@example.com", "Sales Rep", 1002, "Diane Murphy"),
                *("4", "Nantes", "France", "NA"),
            ),
        ]
        assert_rows(made, DIM_EMPLOYEES.ddl, expected)

    def test_manager_who_left_keeps_the_number_and_has_no_name(self, spark: SparkSession) -> None:
        offices = dim_offices(frame(spark, OFFICES.ddl, [office("1")]))
        made = dim_employees(frame(spark, EMPLOYEES.ddl, [employee(1102, "Gerard", "Bondur", boss=1)]), offices)
        columns = made.select("employee_number", "manager_number", "manager_name")
        assert_rows(columns, "employee_number int, manager_number int, manager_name string", [(1102, 1, None)])

    def test_office_is_cleaned_and_keyed(self, spark: SparkSession) -> None:
        made = dim_offices(frame(spark, OFFICES.ddl, [office("2", (" Boston ", "MA", "02107 ", " USA"))]))
        expected = ("2", "+1 215 837 0825", "Boston", "MA", "02107", "USA", BOSTON_KEY, "NA")
        assert_rows(made, DIM_OFFICES.ddl, [expected])


class TestDates:
    def made(self, spark: SparkSession, first: date, last: date) -> DataFrame:
        return dim_dates(frame(spark, "first_date date, last_date date", [(first, last)]))

    def test_day_is_described_in_full(self, spark: SparkSession) -> None:
        day = date(2024, 2, 29)
        expected = (day, 2024, 1, 2, date(2024, 2, 1), "February", 9, 4, "Thursday", False)
        assert_rows(self.made(spark, day, day), DIM_DATES.ddl, [expected])

    def test_every_day_is_there_once_both_ends_included(self, spark: SparkSession) -> None:
        days = self.made(spark, date(2024, 1, 1), date(2024, 12, 31)).select("date")
        expected = [(date(2024, 1, 1) + timedelta(days=n),) for n in range(366)]
        assert_rows(days, "date date", expected)

    @pytest.mark.parametrize(
        ("day", "week", "day_of_week"),
        [
            (date(2021, 1, 1), 53, 5),
            (date(2021, 1, 4), 1, 1),
            (date(2023, 1, 1), 52, 7),
            (date(2024, 12, 29), 52, 7),
            (date(2024, 12, 30), 1, 1),
        ],
    )
    def test_week_and_day_of_week_are_those_of_iso(
        self, spark: SparkSession, day: date, week: int, day_of_week: int
    ) -> None:
        """On Sail weekday() of a Sunday is -1; the first days of January may lie in week 52 or 53."""
        columns = self.made(spark, day, day).select("week", "day_of_week")
        assert_rows(columns, "week int, day_of_week int", [(week, day_of_week)])

    @pytest.mark.parametrize(
        ("day", "quarter"),
        [
            (date(2024, 3, 31), 1),
            (date(2024, 4, 1), 2),
            (date(2024, 6, 30), 2),
            (date(2024, 7, 1), 3),
            (date(2024, 9, 30), 3),
            (date(2024, 10, 1), 4),
        ],
    )
    def test_quarters_change_with_april_july_and_october(self, spark: SparkSession, day: date, quarter: int) -> None:
        assert_rows(self.made(spark, day, day).select("quarter"), "quarter int", [(quarter,)])

    def test_saturday_and_sunday_are_the_weekend(self, spark: SparkSession) -> None:
        """Counted by Sail's weekday(), no Sunday was one."""
        days = self.made(spark, date(2024, 1, 5), date(2024, 1, 8)).select("day_name", "is_weekend")
        expected = [("Friday", False), ("Saturday", True), ("Sunday", True), ("Monday", False)]
        assert_rows(days, "day_name string, is_weekend boolean", expected)
