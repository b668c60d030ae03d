"""A contract and what follows from it: names in the source, schema strings, figures of the audit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salespipe_spark.contract import SPARK, Column, Contract, Source, Type
from salespipe_spark.lake.schema import ARROW

WORDS = st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("name", "source_name"),
    [
        ("city", "city"),
        ("order_number", "orderNumber"),
        ("sales_rep_employee_number", "salesRepEmployeeNumber"),
        ("address_line1", "addressLine1"),
    ],
)
def test_source_name_is_the_camel_case_of_the_name(name: str, source_name: str) -> None:
    assert Column(name, Type.STRING, "").source_name == source_name


def test_source_name_that_is_given_is_taken_as_it_is() -> None:
    """MSRP is MSRP in classicmodels: the camelCase of msrp names no column there."""
    assert Column("msrp", Type.PRICE, "", source="MSRP").source_name == "MSRP"


@given(WORDS)
def test_source_name_keeps_every_letter_and_no_underscore(words: list[str]) -> None:
    found = Column("_".join(words), Type.STRING, "").source_name
    assert "_" not in found
    assert found.lower() == "".join(words)
    assert sum(letter.isupper() for letter in found) == len(words) - 1


def test_schema_string_has_all_columns_in_order_with_their_types() -> None:
    columns = tuple(Column(f"a_{type.value}", type, "") for type in Type)
    assert Contract("", columns, ("a_int",)).ddl == (
        "a_string string, a_text string, a_int int, a_bigint bigint, a_boolean boolean, a_date date, "
        "a_instant timestamp, a_price decimal(10,2), a_money decimal(18,2), a_average decimal(18,6)"
    )


def test_every_type_has_a_name_in_every_target() -> None:
    assert set(SPARK) == set(ARROW) == set(Type)


def test_files_types_are_those_of_the_schema_string() -> None:
    """Two type maps stand side by side: a DECIMAL of another width in one fails every audit."""
    assert {type.value: str(arrow) for type, arrow in ARROW.items()} == {
        "string": "string",
        "text": "string",
        "int": "int32",
        "bigint": "int64",
        "boolean": "bool",
        "date": "date32[day]",
        "instant": "timestamp[us, tz=UTC]",
        "price": "decimal128(10, 2)",
        "money": "decimal128(18, 2)",
        "average": "decimal128(18, 6)",
    }


def test_figures_are_the_sum_of_each_money_column_and_no_other() -> None:
    """A sum of unit prices or of averages says nothing, and would be held against something."""
    columns = tuple(Column(f"a_{type.value}", type, "") for type in Type)
    assert Contract("", columns, ("a_int",)).aggregates() == {"a_money": "sum(a_money)"}


def test_amount_of_a_source_is_the_sum_of_the_product_of_its_columns() -> None:
    contract = Contract(
        "",
        (Column("quantity_ordered", Type.INT, ""), Column("price_each", Type.PRICE, "")),
        ("quantity_ordered",),
        source=Source("orderdetails", amount=("quantity_ordered", "price_each")),
    )
    assert contract.aggregates() == {"amount": "sum(quantity_ordered * price_each)"}


def test_source_without_amount_has_no_figure() -> None:
    contract = Contract("", (Column("city", Type.STRING, ""),), ("city",), source=Source("offices"))
    assert contract.aggregates() == {}


def test_declared_figures_stand_beside_the_sums() -> None:
    columns = (Column("units", Type.BIGINT, ""), Column("revenue", Type.MONEY, ""))
    contract = Contract("", columns, ("units",), figures={"units": "sum(units)"})
    assert contract.aggregates() == {"revenue": "sum(revenue)", "units": "sum(units)"}
