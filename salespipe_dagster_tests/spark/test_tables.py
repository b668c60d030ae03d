"""All tables at once: how they are found, and what each declaration must keep to."""

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import salespipe_spark
from salespipe_dagster_tests.support import frame, landed_ddl
from salespipe_spark.contract import SNAPSHOT, Type
from salespipe_spark.tables import CALENDAR, LANDED, Table, feeds, tables

ALL = list(tables().values())
TRANSFORMED = [table for table in ALL if table.transform]
STAGED = [table for table in ALL if table.contract.source]


def name_of(table: Table) -> str:
    return table.name


each_table = pytest.mark.parametrize("table", ALL, ids=name_of)
each_staged = pytest.mark.parametrize("table", STAGED, ids=name_of)
each_transformed = pytest.mark.parametrize("table", TRANSFORMED, ids=name_of)


def in_another_process(package: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code with the package of this folder in the place of the installed one."""
    environment = os.environ | {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment, cwd=package.parent
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the package to which a test may add a table."""
    source = Path(inspect.getfile(salespipe_spark)).parent
    return shutil.copytree(source, tmp_path / source.name, ignore=shutil.ignore_patterns("__pycache__"))


TABLE_FILE = '''"""A table made for a test."""

from salespipe_spark.contract import Column, Contract, Type

CONTRACT = Contract("One row.", (Column("date", Type.DATE, "The day."),), ("date",))


def {name}({given}):
    return {given}
'''


def test_layers_and_tables_of_the_design_are_there() -> None:
    found = {(table.layer, table.name) for table in ALL}
    assert found >= {
        *(("staging", n) for n in ("customers", "employees", "offices", "products", "product_lines")),
        *(("staging", n) for n in ("orders", "order_details", "payments")),
        *(("staging", n) for n in ("online_sales", "online_customers", "online_products")),
        *(("core", n) for n in ("dim_customers", "dim_products", "dim_locations", "dim_employees")),
        *(("core", n) for n in ("dim_offices", "dim_dates", "fact_orders", "fact_payments")),
        *(("marts", n) for n in ("monthly_revenue", "revenue_by_customer", "revenue_by_product")),
        *(("core", n) for n in ("dim_online_customers", "dim_online_products", "fact_online_sales")),
        *(("marts", n) for n in ("revenue_by_country", "revenue_by_country_and_product_line")),
        *(("marts", n) for n in ("online_sales_summary", "online_revenue_by_segment")),
    }


def test_monthly_tables_are_those_of_the_design() -> None:
    """A snapshot of dimensions, a month at a time of facts and marts."""
    monthly = {table.name for table in ALL if table.monthly and table.layer != "marts"}
    wholesale = {"orders", "order_details", "payments", "fact_orders", "fact_payments"}
    assert monthly == wholesale | {"online_sales", "fact_online_sales"}
    snapshots = {table.name for table in ALL if not table.monthly and table.layer == "marts"}
    assert snapshots == {"customer_lifetimes", "cohort_revenue", "receivables_ageing"}  # they need all months


def test_run_of_months_owns_the_months_of_a_monthly_table() -> None:
    assert tables()["payments"].parts(["2024-01", "2024-02"]) == ["2024-01", "2024-02"]


def test_run_of_months_owns_the_one_snapshot_of_any_other_table() -> None:
    assert tables()["offices"].parts(["2024-01", "2024-02"]) == [SNAPSHOT]


def test_inputs_are_the_names_of_the_functions_parameters() -> None:
    assert tables()["fact_orders"].inputs == ("order_details", "orders", "dim_customers", "dim_products")


def test_every_table_stands_after_its_inputs() -> None:
    order = [table.name for table in ALL]
    for table in ALL:
        for given in set(table.inputs) - {table.name, CALENDAR, LANDED}:
            assert order.index(given) < order.index(table.name)


def test_new_table_is_found_by_its_file_alone(copied: Path) -> None:
    """Adding a table touches one file: a list of tables somewhere would be forgotten."""
    (copied / "marts" / "busy_days.py").write_text(TABLE_FILE.format(name="busy_days", given="dim_dates"))
    code = "import json; from salespipe_spark.tables import tables as t; b = t()['busy_days']; "
    done = in_another_process(copied, code + "print(json.dumps([b.layer, b.inputs, b.description]))")
    assert json.loads(done.stdout) == ["marts", ["dim_dates"], "A table made for a test."], done.stderr


def test_two_tables_of_one_name_are_refused(copied: Path) -> None:
    """A table's name is its folder and the name by which others ask for it."""
    (copied / "marts" / "dim_dates.py").write_text(TABLE_FILE.format(name="dim_dates", given="orders"))
    done = in_another_process(copied, "from salespipe_spark.tables import tables; tables()")
    assert "ValueError: Two tables are called dim_dates: marts and core." in done.stderr


def test_input_that_is_no_table_is_refused_by_name(copied: Path) -> None:
    (copied / "marts" / "busy_days.py").write_text(TABLE_FILE.format(name="busy_days", given="dim_datse"))
    done = in_another_process(copied, "from salespipe_spark.tables import tables; tables()")
    assert "ValueError: No such table: dim_datse (an input of busy_days)" in done.stderr


def test_changed_file_changes_the_code_version(copied: Path) -> None:
    file = copied / "core" / "fact_payments.py"
    file.write_text(file.read_text() + "\n# a change\n")
    code = "from salespipe_spark.tables import tables as t; print(t()['{}'].code_version)"
    changed = in_another_process(copied, code.format("fact_payments")).stdout.strip()
    untouched = in_another_process(copied, code.format("fact_orders")).stdout.strip()
    assert re.fullmatch("[0-9a-f]{12}", changed)
    assert changed != tables()["fact_payments"].code_version
    assert untouched == tables()["fact_orders"].code_version


def test_change_of_a_shared_measure_changes_the_code_version_of_its_tables(copied: Path) -> None:
    """What revenue means stands in marts/_measures.py: a receipt would name the same code before and after."""
    file = copied / "marts" / "_measures.py"
    file.write_text(file.read_text() + "\n# a change\n")
    code = "from salespipe_spark.tables import tables as t; print(t()['monthly_revenue'].code_version)"
    done = in_another_process(copied, code)
    assert done.stdout.strip() != tables()["monthly_revenue"].code_version, done.stderr


def test_package_ships_alone(copied: Path) -> None:
    """It goes to a cluster by itself: there is no Dagster there, and no embedded engine."""
    code = (
        "import sys; from salespipe_spark.tables import tables; from salespipe_spark.lake import lake; tables(); "
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'dagster', 'salespipe_dagster', 'pysail'}))"
    )
    done = in_another_process(copied, code)
    assert done.stdout.strip() == "[]", done.stderr


@each_table
def test_table_and_all_its_columns_are_described(table: Table) -> None:
    texts = [table.contract.grain, table.description, *(column.description for column in table.contract.columns)]
    assert all(text.endswith((".", "!", "?")) for text in texts), texts


@each_table
def test_column_names_are_unique_snake_case(table: Table) -> None:
    names = table.contract.names
    assert len({name.lower() for name in names}) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) for name in names)


@each_table
def test_key_columns_exist_and_are_never_null(table: Table) -> None:
    columns = {column.name: column for column in table.contract.columns}
    assert table.contract.key
    nullable = [name for name in table.contract.key if columns[name].nullable]
    # The customers without a rep are a row of their own, and so are those without a profile.
    own = {"revenue_by_sales_rep": ["sales_rep_number"], "online_revenue_by_segment": ["age_group", "membership_tier"]}
    assert nullable == own.get(table.name, [])


@each_table
def test_month_of_a_row_is_a_date_that_is_never_null(table: Table) -> None:
    columns = {column.name: column for column in table.contract.columns}
    dated = [columns[table.contract.month]] if table.monthly else []
    assert [(column.type, column.nullable) for column in dated] == [(Type.DATE, False)] * table.monthly


@each_table
def test_money_columns_have_the_width_of_money(table: Table) -> None:
    """An amount summed up in DECIMAL(10,2) overflows at a hundred million. The source's own column stays as it is."""
    amounts = [c for c in table.contract.columns if c.name.endswith("_amount") or c.name in ("amount", "revenue")]
    assert {column.type for column in amounts} <= {Type.PRICE if table.contract.source else Type.MONEY}


@each_table
def test_balances_name_a_figure_of_the_table_and_one_of_its_inputs(table: Table) -> None:
    """A misspelt figure would raise in the middle of a run, after everything was computed."""
    for own, other in table.contract.balances:
        given, _, figure = other.partition(".")
        assert own in {"rows", *table.contract.aggregates()}
        assert given in table.inputs
        assert figure in {"rows", *tables()[given].contract.aggregates()}


@pytest.mark.parametrize("table", [t for t in ALL if t.monthly and t.upstream], ids=name_of)
def test_every_month_of_money_is_held_against_its_input(table: Table) -> None:
    """Every month is reconciled from source to mart: a monthly table without a balance would be a gap."""
    assert table.contract.balances


@each_staged
def test_staging_table_only_mirrors(table: Table) -> None:
    assert (table.layer, table.transform, table.inputs) == ("staging", None, ())


@pytest.mark.parametrize("table", feeds(), ids=name_of)
def test_table_of_a_feed_takes_what_landed_and_nothing_else(table: Table) -> None:
    assert (table.layer, table.inputs, table.contract.source) == ("staging", (LANDED,), None)


def test_names_in_the_source_are_those_of_classicmodels() -> None:
    products = tables()["products"].contract
    assert [column.source_name for column in products.columns] == [
        "productCode",
        "productName",
        "productLine",
        "productScale",
        "productVendor",
        "productDescription",
        "quantityInStock",
        "buyPrice",
        "MSRP",
    ]
    assert {t.contract.source.table for t in STAGED if t.contract.source} == {
        "customers",
        "employees",
        "offices",
        "orders",
        "orderdetails",
        "payments",
        "productlines",
        "products",
    }


@each_transformed
def test_transform_returns_the_columns_and_types_of_its_contract(table: Table, spark: SparkSession) -> None:
    """Also of nothing: an empty month has the full schema, and no literal may widen a decimal."""
    calendar = frame(spark, "first_date date, last_date date", [(date(2024, 1, 1), date(2024, 1, 1))])
    ddl = {LANDED: landed_ddl(table)} | {name: given.contract.ddl for name, given in tables().items()}
    given = {name: calendar if name == CALENDAR else frame(spark, ddl[name], []) for name in table.inputs}
    assert table.transform is not None
    made = table.transform(**given)
    assert ", ".join(f"{field.name} {field.dataType.simpleString()}" for field in made.schema) == table.contract.ddl
    assert made.count() == (1 if CALENDAR in table.inputs else 0)
