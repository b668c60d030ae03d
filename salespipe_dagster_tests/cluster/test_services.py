"""What is asked of the settings before a service runs jobs, and what `doctor` and `bundle` say of it."""

import zipfile
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from salespipe_dagster.cli import main
from salespipe_dagster.cluster.services import EmrServerless, Glue, Service, service_of
from salespipe_dagster.doctor import Finding, examine
from salespipe_dagster.resources.engine import open_engine
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.aws_jobs import JobsOfAws
from salespipe_dagster_tests.s3_servers import S3
from salespipe_spark.engine import SailEngine
from salespipe_spark.errors import SalespipeError

EMR = {"emr_application_id": "00f0", "emr_role_arn": "arn:aws:iam::123456789012:role/jobs"}
IN_S3 = {"lake_url": "s3://bucket/lake"}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"engine": "emr-serverless", **IN_S3}, "SALESPIPE_EMR_APPLICATION_ID and SALESPIPE_EMR_ROLE_ARN"),
        ({"engine": "emr-serverless", **IN_S3, "emr_role_arn": "arn"}, "SALESPIPE_EMR_APPLICATION_ID"),
        ({"engine": "glue", **IN_S3}, "SALESPIPE_GLUE_JOB"),
        ({"engine": "glue", "glue_job": "salespipe"}, "a lake in S3"),
    ],
)
def test_what_a_service_needs_is_asked_for(environment: pytest.MonkeyPatch, values: dict[str, str], named: str) -> None:
    with pytest.raises(SalespipeError, match=named):
        Settings.checked(**values)


def test_service_is_the_one_that_is_configured(environment: pytest.MonkeyPatch) -> None:
    assert isinstance(service_of(Settings.checked(engine="emr-serverless", **EMR, **IN_S3)), EmrServerless)
    assert isinstance(service_of(Settings.checked(engine="glue", glue_job="salespipe", **IN_S3)), Glue)
    assert service_of(Settings.checked(engine="spark")) is None


def test_beside_a_service_the_embedded_engine_reads(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It makes the staging tables and reads what charts show; nothing of it starts before it is asked."""
    settings = Settings.checked(home=tmp_path, engine="glue", glue_job="salespipe", **IN_S3)
    with open_engine(settings) as engine:
        assert isinstance(engine, SailEngine)


@pytest.mark.parametrize(
    ("service", "said"),
    [("emr-serverless", "emr-serverless: emr-spark-8.0.0, started"), ("glue", "glue: job salespipe, Glue 5.1")],
)
def test_doctor_asks_the_service(environment: pytest.MonkeyPatch, tmp_path: Path, service: str, said: str) -> None:
    found = _examined(environment, tmp_path, service)
    assert found == Finding("engine", ok=True, found=said)


def test_doctor_says_why_a_service_does_not_answer(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ClientError({"Error": {"Code": "EntityNotFoundException", "Message": "no such job"}}, "GetJob")

    environment.setattr(JobsOfAws, "_glue_GetJob", refuse)
    found = _examined(environment, tmp_path, "glue")
    assert not found.ok
    assert "no such job" in found.found
    assert "SALESPIPE_ENGINE" in found.next


def test_bundle_writes_what_spark_submit_takes(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["bundle", "--to", str(tmp_path / "a folder")])
    assert done.exit_code == 0, done.output
    assert zipfile.is_zipfile(tmp_path / "a folder" / "salespipe_spark.zip")
    assert "salespipe_spark.job" in (tmp_path / "a folder" / "salespipe_job.py").read_text()
    assert "spark-submit --py-files" in done.output


def _examined(environment: pytest.MonkeyPatch, home: Path, service: str) -> Finding:
    aws = JobsOfAws(S3(""), home, home)
    environment.setattr(Service, "_aws_client", lambda _, name, *more: aws.client(name))
    given = {
        "home": home,
        "engine": service,
        "glue_job": "salespipe",
        **EMR,
        **IN_S3,
        "s3_endpoint_url": "http://127.0.0.1:1",
    }
    for name, value in given.items():
        environment.setenv(f"SALESPIPE_{name.upper()}", str(value))
    [found] = [each for each in examine() if each.what == "engine"]
    return found
