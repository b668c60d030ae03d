"""Which engine a setting means, what each is started with, when it ends, and what it says when it cannot start."""

import os
import time
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster.definitions import build_defs
from salespipe_dagster.partitions import range_tags
from salespipe_dagster.resources.engine import open_engine
from salespipe_dagster.runner import QUIET
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.s3_servers import free_ports
from salespipe_dagster_tests.support import FakeSource, StandInEngine, failures, frame
from salespipe_spark.apache import SQL_SETTINGS, ConnectEngine, SparkEngine, driver_memory, shuffle_partitions
from salespipe_spark.engine import Engine, SailEngine, failed
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.store import S3Server
from salespipe_spark.tables import tables

SECRET = "s3cret-t0ken"
MONTHS = ["2024-01", "2024-02", "2024-03"]


def not_started(_: dict[str, str]) -> SparkSession:
    pytest.fail("a session was started")


def spark_at(master: str, scratch: Path, server: S3Server | None = None) -> SparkEngine:
    return SparkEngine(not_started, scratch, master=master, server=server)


class TestWhichEngine:
    @pytest.mark.parametrize(
        ("named", "engine", "master"),
        [
            ("sail", SailEngine, ""),
            ("spark", SparkEngine, "local[*]"),
            ("local[2]", SparkEngine, "local[2]"),
            ("spark://host:7077", SparkEngine, "spark://host:7077"),
            ("spark://one:7077,two:7077", SparkEngine, "spark://one:7077,two:7077"),
            ("yarn", SparkEngine, "yarn"),
            ("k8s://https://host:6443", SparkEngine, "k8s://https://host:6443"),
            ("sc://host:15002", ConnectEngine, ""),
            ("sc://host:15002/;use_ssl=true", ConnectEngine, ""),
        ],
    )
    def test_setting_names_an_engine(
        self, environment: pytest.MonkeyPatch, tmp_path: Path, named: str, engine: type[Engine], master: str
    ) -> None:
        """Opened and closed again, none of them has started anything, or asked whether anybody is there."""
        settings = Settings.checked(home=tmp_path, engine=named)
        with open_engine(settings) as opened:
            assert type(opened) is engine
            assert type(opened.counter_of([1])) is SailEngine, "what is little is counted by the embedded engine"
            assert not master or (isinstance(opened, SparkEngine) and opened.settings()["spark.master"] == master)
        assert opened._session is None

    @pytest.mark.parametrize(
        "value",
        [
            "duckdb",
            "Sail",
            "spark:/host",
            "local[two]",
            f"sc://host:15002/;token={SECRET}",
            f"sc://host:15002/;use_ssl=true;token={SECRET}",
            f"sc://{SECRET}@host:15002",
            f"spark://user:{SECRET}@host:7077",
            f"k8s://https://host:6443?token={SECRET}",
            "spark://host:7077 --conf x=y",
            "sc://",
        ],
    )
    def test_what_is_no_engine_is_refused_and_a_secret_in_it_is_not_repeated(
        self, environment: pytest.MonkeyPatch, value: str
    ) -> None:
        """A token in the setting would stand in plans, logs and the UI."""
        with pytest.raises(SalespipeError) as raised:
            Settings.checked(engine=value)
        assert "SALESPIPE_ENGINE" in str(raised.value)
        assert SECRET not in str(raised.value)
        assert "SPARK_CONNECT_AUTHENTICATE_TOKEN" in raised.value.hint


class TestSettings:
    @pytest.mark.parametrize("master", ["local[*]", "spark://host:7077"])
    def test_settings_of_a_session_hold_no_secret(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, master: str
    ) -> None:
        """Spark hands them on by the command line, which all users of the machine can read."""
        for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "SPARK_CONNECT_AUTHENTICATE_TOKEN"):
            monkeypatch.setenv(name, SECRET)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
        text = str(spark_at(master, tmp_path, S3Server("http://127.0.0.1:8333", None)).settings())
        assert SECRET not in text
        assert "an-id" not in text

    def test_place_of_a_jvm_is_said_only_of_one_that_does_all_the_work(self, tmp_path: Path) -> None:
        """On a cluster it is its own configuration, which the session's settings would override."""
        here = spark_at("local[2]", tmp_path).settings()
        there = spark_at("spark://host:7077", tmp_path).settings()
        own = {"spark.local.dir", "spark.driver.host", "spark.driver.bindAddress"}
        assert own <= set(here)
        assert own.isdisjoint(there)
        assert SQL_SETTINGS.items() <= here.items()
        assert SQL_SETTINGS.items() <= there.items()
        assert "spark.driver.memory" not in here | there  # which would override it as well

    @pytest.mark.parametrize(
        ("size", "partitions"), [(0, 8), (2**27, 8), (2**30, 64), (100 * 2**30, 4_000), (9 * 2**24, 9)]
    )
    def test_shuffles_are_sized_to_the_data(self, size: int, partitions: int) -> None:
        """200, which is Spark's own number, is 200 tasks for a table of ten rows, and too few for 100 GB."""
        assert shuffle_partitions(size) == partitions


class TestEnd:
    class Watched(Engine):
        """An engine whose session says when it was stopped."""

        name = "watched"

        def __init__(self) -> None:
            super().__init__()
            self.stopped = 0

        def _start(self) -> SparkSession:
            return self  # pyright: ignore[reportReturnType]

        def stop(self) -> None:
            self.stopped += 1

    @pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt, SystemExit])
    def test_session_ends_with_its_run_however_that_ends(
        self, monkeypatch: pytest.MonkeyPatch, settings: Settings, error: type[BaseException] | None
    ) -> None:
        """Else a failed run leaves a JVM behind, and a cluster keeps its executors for it."""
        watched = self.Watched()
        monkeypatch.setattr("salespipe_dagster.resources.engine._engine", lambda *_: watched)
        with pytest.raises(error) if error else nullcontext(), open_engine(settings) as engine:
            assert engine.session is engine.session
            [folder] = [each for each in (settings.scratch / "_staging").iterdir() if each.is_dir()]
            (folder / "spilled").touch()
            if error:
                raise error
        assert watched.stopped == 1
        assert list(settings.scratch.rglob("spilled")) == []

    def test_one_session_serves_every_step_of_a_run_and_ends_when_one_fails(
        self, monkeypatch: pytest.MonkeyPatch, settings: Settings, spark: SparkSession
    ) -> None:
        """By the job that production runs: a step of staging, one that transforms, and one whose input is gone."""
        started: list[SparkSession] = []
        ended: list[int] = []

        class Borrowed(Engine):
            name = "borrowed"

            def _start(self) -> SparkSession:
                started.append(spark)
                return spark

            def close(self) -> None:
                ended.append(len(started))

        monkeypatch.setattr("salespipe_dagster.resources.engine._engine", lambda *_: Borrowed())
        keys = [["staging", "payments"], ["staging", "offices"], ["core", "fact_payments"], ["core", "dim_customers"]]
        run = (
            build_defs(settings, source_db=FakeSource())
            .resolve_job_def("monthly_refresh")
            .execute_in_process(
                run_config=QUIET,
                asset_selection=[dg.AssetKey(key) for key in keys],
                tags=range_tags(MONTHS),
                raise_on_error=False,
            )
        )
        assert [text for text in failures(run) if "staging/customers" in text]
        done = {event.step_key for event in run.all_events if event.is_step_success}
        assert "core__fact_payments" in done
        assert len(done) >= 2
        assert (len(started), ended) == (1, [1])


class ElsewhereEngine(StandInEngine):
    """An engine that writes on another machine: here nothing comes to be."""

    def write(self, frame: DataFrame, target: str, by: str = "", size: int = 0) -> None:
        """Done, says the cluster."""


class TestElsewhere:
    PAYMENTS = tables()["payments"]

    def test_engine_that_writes_where_the_lake_is_not_is_found_out(self, tmp_path: Path, spark: SparkSession) -> None:
        """Nothing staged would be audited as no rows, and an empty month published over a full one."""
        lake = Lake(tmp_path, ElsewhereEngine(spark))
        rows = frame(spark, self.PAYMENTS.contract.ddl, [(103, "A1", date(2024, 1, 10), None)])
        with lake.staging() as folder, pytest.raises(SalespipeError, match="What the engine wrote is not to be found"):
            lake.stage(lake.open(self.PAYMENTS, MONTHS), rows, folder)
        assert lake.published(self.PAYMENTS) == []

    def test_frame_without_rows_is_written_as_no_file_and_is_no_error(
        self, tmp_path: Path, spark: SparkSession
    ) -> None:
        lake = Lake(tmp_path, ElsewhereEngine(spark))
        rows = frame(spark, self.PAYMENTS.contract.ddl, [])
        with lake.staging() as folder:
            assert lake.stage(lake.open(self.PAYMENTS, MONTHS), rows, folder).passed


@pytest.fixture
def dead_address() -> str:
    (port,) = free_ports(1)
    return f"sc://127.0.0.1:{port}"


def test_connect_server_that_is_not_there_is_one_clear_error_within_half_a_minute(dead_address: str) -> None:
    """Spark's own patience is ten minutes."""
    begun = time.monotonic()
    with pytest.raises(SalespipeError) as raised:
        _ = ConnectEngine(dead_address).session
    assert time.monotonic() - begun < 45
    assert raised.value.message.startswith(f"No session from {dead_address}: ")
    assert len(raised.value.message.splitlines()) == 1
    assert "SALESPIPE_ENGINE" in raised.value.hint


@pytest.mark.parametrize(("configured", "expected"), [(None, f"{driver_memory()}m"), ("9g", "9g")])
@pytest.mark.parametrize("master", ["local[*]", "spark://host:7077"])
def test_driver_has_a_quarter_of_the_machines_memory_unless_somebody_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, master: str, configured: str | None, expected: str
) -> None:
    """With Spark's own gigabyte two million customers, 12 MB in a file, are too many to be broadcast on a cluster."""
    monkeypatch.setenv("SPARK_CONNECT_MODE_ENABLED", "1")
    monkeypatch.setenv("SPARK_DRIVER_MEMORY", configured or "")
    if not configured:
        monkeypatch.delenv("SPARK_DRIVER_MEMORY")

    def fails(_: dict[str, str]) -> SparkSession:
        raise RuntimeError(os.environ["SPARK_DRIVER_MEMORY"])

    with pytest.raises(SalespipeError, match=f"did not start: {expected}"):
        _ = SparkEngine(fails, tmp_path, master=master).session


@pytest.mark.parametrize(
    ("error", "cause", "hint"),
    [
        (
            "An error occurred while calling o1.parquet.\n: org.apache.spark.SparkException: Not enough memory to "
            "build and broadcast the table\n\tat org.apache",
            "org.apache.spark.SparkException: Not enough memory",
            "fewer months",
        ),
        (
            "An error occurred while calling o1.parquet.\n: java.lang.Exception: Job aborted\n\tat org.apache\n"
            "Caused by: java.io.IOException: No space left on device\n\tat org",
            "java.io.IOException: No space",
            "make room",
        ),
        (
            "[UNRESOLVED_COLUMN] no such column\n'Project\n:  +- Relation t",
            "[UNRESOLVED_COLUMN] no such column",
            "run again",
        ),
        ("[CAST_OVERFLOW] The value cannot be cast.", "[CAST_OVERFLOW] The value", "run again"),
    ],
)
def test_error_of_an_engine_is_its_cause_and_the_next_step(error: str, cause: str, hint: str) -> None:
    """Py4J begins with what it called, which tells nobody anything."""
    told = failed("spark", "write a table", RuntimeError(error))
    assert told.message.startswith(f"The engine spark could not write a table: {cause}")
    assert "\n" not in told.message
    assert hint in told.hint


def test_spark_that_does_not_start_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_CONNECT_MODE_ENABLED", "1")  # it is removed here, and the tests' own engine needs it

    def fails(_: dict[str, str]) -> SparkSession:
        raise RuntimeError("[JAVA_GATEWAY_EXITED] Java gateway process exited\n  at org.apache\nCaused by: no Java")

    for master, hint in (("local[*]", "install Java 17"), ("spark://host:7077", "a master answers at spark://host")):
        with pytest.raises(SalespipeError) as raised:
            _ = SparkEngine(fails, tmp_path, master=master).session
        assert raised.value.message == "Apache Spark did not start: no Java"
        assert hint in raised.value.hint
