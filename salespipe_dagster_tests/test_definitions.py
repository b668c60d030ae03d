"""The definitions: they load with nothing there, and every table is in them by its module alone."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from salespipe_dagster.charts import charts
from salespipe_dagster.definitions import build_defs
from salespipe_dagster.io_managers.lake import column_lineage
from salespipe_dagster.settings import Settings
from salespipe_spark.tables import feeds, tables

LOAD = """
import importlib.abc, json, socket, subprocess, sys

class NoSocket(socket.socket):
    def __init__(self, *args, **kwargs):
        raise AssertionError("a socket was opened")

class NoEngine(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pysail", "connectorx"):
            raise AssertionError(f"{name} was imported")

class NoJava(subprocess.Popen):
    def __init__(self, args, *more, **options):
        if "java" in str(args) or "spark" in str(args):
            raise AssertionError(f"{args} was started")
        super().__init__(args, *more, **options)

socket.socket = NoSocket
subprocess.Popen = NoJava
sys.meta_path.insert(0, NoEngine())
"""

IMPORT = """
from salespipe_dagster import definitions
loaded = definitions.defs()
print(json.dumps(sorted(key.to_user_string() for key in loaded.resolve_asset_graph().get_all_asset_keys())))
"""

NEW_TABLE = '''"""Payments of the month by customer."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Contract, Type

CONTRACT = Contract(
    grain="One row per month and customer who paid.",
    key=("month_start", "customer_number"),
    month="month_start",
    columns=(
        Column("month_start", Type.DATE, "The month."),
        Column("customer_number", Type.INT, "The customer."),
        Column("paid_amount", Type.MONEY, "What was paid."),
    ),
)


def paid_by_customer(fact_payments: DataFrame) -> DataFrame:
    """The sum of the payments."""
    raise NotImplementedError
'''

ADD = """
import importlib.util
from salespipe_spark import tables
spec = importlib.util.spec_from_file_location("salespipe_spark.marts.paid_by_customer", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)
there = tables._modules
tables._modules = lambda layer: there(layer) + ([module] if layer == "marts" else [])

from salespipe_dagster import definitions
graph = definitions.defs().resolve_asset_graph()
key = next(key for key in graph.get_all_asset_keys() if key.path == ["marts", "paid_by_customer"])
job = definitions.defs().resolve_job_def("monthly_refresh")
print(json.dumps({
    "parents": [parent.to_user_string() for parent in graph.get(key).parent_keys],
    "group": graph.get(key).group_name,
    "checks": sorted(check.name for check in graph.get_check_keys_for_assets({key})),
    "in job": key in job.asset_layer.executable_asset_keys,
}))
"""


def in_a_process(script: str, folder: Path, *arguments: str) -> object:
    """What a script prints, run where nothing is configured and every way out is barred."""
    root = Path(__file__).parents[1]
    given = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": f"{root}:{root / 'spark'}"}
    command = [sys.executable, "-W", "ignore", "-c", script, *arguments]
    done = subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def synthetic(tmp_path: Path) -> dg.Definitions:
    return build_defs(Settings.embedded(tmp_path))


@pytest.fixture
def external(settings: Settings) -> dg.Definitions:
    return build_defs(settings)


BOTH = pytest.mark.parametrize("mode", ["synthetic", "external"])


def definitions(request: pytest.FixtureRequest, mode: str) -> dg.Definitions:
    return request.getfixturevalue(mode)


def specs(defs: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def test_definitions_load_with_no_network_and_no_engine_and_write_nothing(tmp_path: Path) -> None:
    """Dagster loads them in every process; one that opens a database there hangs the UI when it is down."""
    keys = in_a_process(LOAD + IMPORT, tmp_path)
    assert isinstance(keys, list)
    assert {f"{table.layer}/{table.name}" for table in tables().values()} <= set(keys)
    assert list(tmp_path.iterdir()) == []


def test_new_table_module_is_an_asset_with_its_checks_and_in_the_job(tmp_path: Path) -> None:
    """To add a table touches one file and its test: nothing lists the tables."""
    file = tmp_path / "paid_by_customer.py"
    file.write_text(NEW_TABLE)
    assert in_a_process(LOAD + ADD, tmp_path, str(file)) == {
        "parents": ["core/fact_payments"],
        "group": "marts",
        "checks": ["coverage", "keys_unique", "not_null", "parts_owned", "rows_written", "schema"],
        "in job": True,
    }


@BOTH
def test_definitions_are_loadable(request: pytest.FixtureRequest, mode: str) -> None:
    dg.Definitions.validate_loadable(definitions(request, mode))


@BOTH
def test_keys_are_layer_and_name(request: pytest.FixtureRequest, mode: str) -> None:
    """As the folders in the lake, so that a selection and a path are one."""
    found = set(specs(definitions(request, mode)))
    source = {f"source/{t.contract.source.table}" for t in tables().values() if t.contract.source}
    made = {f"{table.layer}/{table.name}" for table in tables().values()}
    files = {f"files/{table.contract.feed.folder}" for table in feeds() if table.contract.feed}
    landed = {f"landed/{table.name}" for table in feeds()}
    assert found == source | made | files | landed | {f"charts/{name}" for name in charts()} | {"report"}
    assert {"source/orderdetails", "staging/order_details", "core/fact_orders", "marts/monthly_revenue"} <= found


@BOTH
def test_every_asset_says_what_and_whose_it_is(request: pytest.FixtureRequest, mode: str) -> None:
    for key, spec in specs(definitions(request, mode)).items():
        assert spec.group_name == key.partition("/")[0], key
        assert spec.owners == ["team:data-engineering"], key
        assert spec.kinds, key
        assert spec.tags["partitioning"] in ("monthly", "snapshot"), key
        assert len(str(spec.description)) > 20, key


@BOTH
def test_every_column_leads_back_to_columns_of_assets_that_show_them(request: pytest.FixtureRequest, mode: str) -> None:
    """A dependency on a column that its asset does not have is a dead end in the UI."""
    found = specs(definitions(request, mode))
    columns = {
        key: {column.name for column in spec.metadata["dagster/column_schema"].columns}
        for key, spec in found.items()
        if "dagster/column_schema" in spec.metadata
    }
    for table in tables().values():
        lineage = column_lineage(table)
        assert list(lineage.deps_by_column) == table.contract.names
        for name, deps in lineage.deps_by_column.items():
            for dep in deps:
                assert dep.column_name in columns[dep.asset_key.to_user_string()], (table.name, name, dep)


def test_column_says_what_it_is_made_from(synthetic: dg.Definitions) -> None:
    """The UI shows column lineage nowhere else."""
    schema = specs(synthetic)["core/fact_orders"].metadata["dagster/column_schema"]
    shown = {column.name: column.description for column in schema.columns}
    assert shown["amount"] == ("quantity x unit_price. From order_details.quantity_ordered, order_details.price_each.")


def test_personal_data_is_tagged(synthetic: dg.Definitions) -> None:
    found = specs(synthetic)
    tagged = {key for key, spec in found.items() if "personal_data" in spec.tags}
    assert {"source/customers", "staging/customers", "core/dim_customers", "core/dim_employees"} <= tagged
    assert not {key for key in tagged if key.startswith(("marts/", "charts/"))}


def test_every_table_shows_its_columns_key_and_code_version(synthetic: dg.Definitions) -> None:
    found = specs(synthetic)
    for table in tables().values():
        spec = found[f"{table.layer}/{table.name}"]
        schema = spec.metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema)
        assert [column.name for column in schema.columns] == table.contract.names
        assert all(column.description for column in schema.columns)
        assert spec.metadata["key"] == ", ".join(table.contract.key)
        assert spec.code_version == table.code_version
        assert table.contract.grain in str(spec.description)
    amount = next(c for c in found["core/fact_orders"].metadata["dagster/column_schema"].columns if c.name == "amount")
    assert (amount.type, amount.constraints.nullable) == ("decimal(18,2)", False)


def test_personal_data_is_marked(synthetic: dg.Definitions) -> None:
    schema = specs(synthetic)["core/dim_customers"].metadata["dagster/column_schema"]
    marked = {column.name for column in schema.columns if "personal_data" in column.tags}
    assert marked == {"contact_name", "phone", "sales_rep_name"}


@BOTH
def test_every_asset_of_the_job_takes_a_range_as_one_run(request: pytest.FixtureRequest, mode: str) -> None:
    """One without that policy, and Dagster refuses the range, or makes a run of every month."""
    defs = definitions(request, mode)
    graph = defs.resolve_asset_graph()
    keys = defs.resolve_job_def("monthly_refresh").asset_layer.executable_asset_keys
    assert {dg.AssetKey([table.layer, table.name]) for table in tables().values()} <= set(keys)
    assert {key for key in keys if graph.get(key).backfill_policy != dg.BackfillPolicy.single_run()} == set()


def test_source_is_made_in_synthetic_mode_and_never_in_external_mode(
    synthetic: dg.Definitions, external: dg.Definitions
) -> None:
    orders = dg.AssetKey(["source", "orders"])
    assert synthetic.resolve_asset_graph().get(orders).is_executable
    assert not external.resolve_asset_graph().get(orders).is_executable
    assert not external.resolve_asset_graph().get(orders).is_materializable


def test_months_are_partitions_and_snapshots_have_none(external: dg.Definitions) -> None:
    graph = external.resolve_asset_graph()
    for table in tables().values():
        partitions = graph.get(dg.AssetKey([table.layer, table.name])).partitions_def
        found = partitions.get_partition_keys() if partitions else None
        assert found == (["2024-01", "2024-02", "2024-03"] if table.monthly else None), table.name


def test_assets_follow_their_inputs(external: dg.Definitions) -> None:
    graph = external.resolve_asset_graph()
    parents = graph.get(dg.AssetKey(["core", "fact_orders"])).parent_keys
    assert {key.path[-1] for key in parents} == {"order_details", "orders", "dim_customers", "dim_products"}
    places = graph.get(dg.AssetKey(["core", "dim_locations"])).parent_keys
    assert {key.path[-1] for key in places} == {"customers", "offices"}
    # A snapshot is read after the facts: an order that was read has its customer there.
    assert dg.AssetKey(["staging", "orders"]) in graph.get(dg.AssetKey(["staging", "customers"])).parent_keys


def test_every_table_has_the_checks_of_its_audit(external: dg.Definitions) -> None:
    graph = external.resolve_asset_graph()
    audited = {"schema", "rows_written", "parts_owned", "keys_unique", "not_null"}
    for table in tables().values():
        key = dg.AssetKey([table.layer, table.name])
        found = {check.name for check in graph.get_check_keys_for_assets({key})}
        assert audited <= found, table.name
        assert ("balance" in found) == bool(table.contract.balances), table.name
        assert ("source" in found) == bool(table.contract.source), table.name
        assert ("landed" in found) == bool(table.contract.feed), table.name


def test_resource_is_replaced_by_its_name(settings: Settings) -> None:
    """Tests and production go through the same function."""
    replaced = build_defs(settings, engine="another", lake="another").resources
    assert replaced
    assert replaced["engine"] == replaced["lake"] == "another"
    managers = {"lake_io", "charts_io", "report_io", "mysql_io"}
    assert set(replaced) == {"engine", "lake", "cluster", "maker", "source_db", "files"} | managers
