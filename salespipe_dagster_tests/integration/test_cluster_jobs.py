"""Tables made by jobs on EMR Serverless and Glue: the services' answers are made here, the jobs are real.

A job is what would run there, the zip and the script from the lake, by `spark-submit` in a process of its own.
"""

import itertools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest

from salespipe_dagster.assets.keys import asset_key
from salespipe_dagster.cluster import services
from salespipe_dagster.cluster.services import BY_NAME
from salespipe_dagster.definitions import build_defs
from salespipe_dagster.partitions import range_tags
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.aws_jobs import JobsOfAws
from salespipe_dagster_tests.integration.pipeline import contents_of, run
from salespipe_dagster_tests.integration.test_s3_lake import in_s3, lake_of
from salespipe_dagster_tests.s3_servers import S3
from salespipe_dagster_tests.support import failures, require
from salespipe_spark.lake.catalogue import Catalogue, receipt_key
from salespipe_spark.tables import tables

MONTHS = ["2024-01", "2024-02"]
SPAN = {"start_month": MONTHS[0], "end_month": MONTHS[-1]}
MADE = ("dim_dates", "dim_locations", "fact_payments", "customer_lifetimes")
"""From the calendar; from itself; by month; from all months."""
SERVICE = {
    "emr-serverless": {"emr_application_id": "00f0000000000000", "emr_role_arn": "arn:aws:iam::123456789012:role/jobs"},
    "glue": {"glue_job": "salespipe"},
}


@dataclass(frozen=True)
class Scene:
    """A lake in S3 that Sail made, the services, and the settings that name them."""

    aws: JobsOfAws
    lake: Catalogue
    home: Path
    place: dict[str, str]

    def run(self, service: str, *names: str, minutes: int = 30) -> tuple[dg.ExecuteInProcessResult, list[str]]:
        """Make these tables by jobs; what came of it, and what the run's log says."""
        settings = Settings.checked(home=self.home, engine=service, **SERVICE[service], **self.place, **SPAN)
        settings = settings.model_copy(update={"job_minutes": minutes})
        cluster = BY_NAME[service](settings, self.aws.client)
        job = build_defs(settings, cluster=cluster).resolve_job_def("monthly_refresh")
        with dg.DagsterInstance.ephemeral() as instance:
            result = job.execute_in_process(
                instance=instance,
                asset_selection=[asset_key(tables()[name]) for name in names],
                tags=range_tags(MONTHS),
                raise_on_error=False,
            )
            return result, [entry.user_message for entry in instance.all_logs(result.run_id)]

    def remove(self, *names: str) -> None:
        """Take tables out of the lake, as if they had never been made."""
        for table in (tables()[name] for name in names):
            for part in self.lake.published(table):
                self.lake.store.remove(self.lake.key(table, part))
                self.lake.store.remove(receipt_key(table, part))


@pytest.fixture(scope="module")
def made(seaweedfs: S3, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose lake in S3 holds every table, made by Sail."""
    require(shutil.which("java"), "there is no java: Spark needs Java 17")
    home = tmp_path_factory.mktemp("jobs") / "a home"
    run("--select", "not group:charts", home=home, **in_s3(seaweedfs, "by-jobs"), **SPAN)
    return home


@pytest.fixture
def scene(made: Path, seaweedfs: S3, tmp_path: Path, environment: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The services at that lake; the jars of the jobs are kept beside it."""
    aws = JobsOfAws(seaweedfs, tmp_path, jars=made.parent / "jars")
    place = in_s3(seaweedfs, "by-jobs")
    yield Scene(aws, lake_of(seaweedfs, "by-jobs", tmp_path / "scratch"), made, place)
    aws.stop()


@pytest.mark.parametrize(("service", "names"), [("emr-serverless", MADE), ("glue", MADE[1:3])])
def test_tables_made_by_jobs_differ_in_no_cell(service: str, names: tuple[str, ...], scene: Scene) -> None:
    """One job a table, which is handed the run's months whole; its log, its id and its times are the run's."""
    before = contents_of(scene.lake)
    scene.remove(*names)
    result, log = scene.run(service, *names)
    assert result.success, failures(result)
    assert contents_of(scene.lake) == before
    assert len(scene.aws.runs) == len(names)
    assert any("fact_payments: 2024-01...2024-02 from s3://tests/by-jobs" in line for line in log)
    [told] = [m for m in result.asset_materializations_for_node("core__fact_payments") if m.partition == "2024-02"]
    assert str(told.metadata["job"].value).startswith("run-")
    assert told.metadata["stage_seconds"].value
    assert scene.lake.intact(tables()["fact_payments"], "2024-02").engine == service
    assert scene.lake.store.list("_staging", "") == []


def test_table_that_a_job_makes_again_is_not_replaced(scene: Scene) -> None:
    """Counted by Apache Spark, the digest is the one that Sail counted."""
    before = {entry.key: entry.etag for entry in scene.lake.store.entries("core")}
    result, _ = scene.run("glue", "dim_locations")
    assert result.success, failures(result)
    assert {entry.key: entry.etag for entry in scene.lake.store.entries("core")} == before


@pytest.mark.parametrize(
    ("service", "argument", "value", "said"),
    [
        ("emr-serverless", "--lake", "s3://tests/nowhere", "PATH_NOT_FOUND"),
        ("glue", "--table", "nonsense", "No job makes the table nonsense.\n  next: name one of"),
    ],
)
def test_job_that_fails_fails_its_step_with_its_own_error(
    service: str, argument: str, value: str, said: str, scene: Scene
) -> None:
    """And with its own next step, where it has one: the service says that it failed, and where its log is."""
    scene.aws.changed[argument] = value
    before = contents_of(scene.lake)
    result, _ = scene.run(service, "fact_payments")
    [text] = failures(result)
    assert "The job of fact_payments failed" in text
    assert said in text
    assert "look into its log" in text
    assert contents_of(scene.lake) == before


def test_job_that_cannot_start_says_what_the_service_says(scene: Scene) -> None:
    scene.aws.changed["--months"] = "nonsense"
    result, _ = scene.run("emr-serverless", "fact_payments")
    [text] = failures(result)
    assert "The job of fact_payments failed on emr-serverless: the service's own words" in text


@pytest.mark.parametrize(("service", "cancel"), [("emr-serverless", "CancelJobRun"), ("glue", "BatchStopJobRun")])
def test_job_that_has_had_its_time_is_cancelled(
    service: str, cancel: str, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that waits for workers: the services' own limits count from its start."""
    minutes = itertools.count(0, 61)
    monkeypatch.setattr(services, "time", SimpleNamespace(monotonic=lambda: next(minutes)))
    result, _ = scene.run(service, "fact_payments", minutes=1)
    [text] = failures(result)
    assert "had not ended after 1 minutes" in text
    assert cancel in scene.aws.asked
    assert [job.state for job in scene.aws.runs.values()] == ["CANCELLED"]


@pytest.mark.parametrize("service", ["emr-serverless", "glue"])
def test_run_that_is_interrupted_leaves_no_job_running(service: str, scene: Scene) -> None:
    scene.aws.interrupt = True
    result, _ = scene.run(service, "fact_payments")
    assert not result.success
    assert [job.state for job in scene.aws.runs.values()] == ["CANCELLED"]
