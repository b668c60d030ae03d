"""What the doctor finds, and that it names the next step and no secret."""

from pathlib import Path
from urllib.parse import quote

import pytest

from salespipe_dagster import doctor
from salespipe_dagster.doctor import Finding, examine
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.settings import Settings
from salespipe_dagster.synthetic.configured import company_of
from salespipe_dagster_tests.s3_servers import CREDENTIALS, REGION, moto
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake import s3_object

SECRET = "t0p%secret"


@pytest.fixture(autouse=True)
def home(environment: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    environment.setenv("SALESPIPE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def found(what: str) -> Finding:
    (finding,) = [finding for finding in examine() if finding.what == what]
    return finding


def test_nothing_configured_is_well_and_nothing_is_made(home: Path) -> None:
    findings = examine()
    assert all(finding.ok for finding in findings), findings
    assert {"Python", "home", "lake", "engine", "Java", "charts", "source"} <= {f.what for f in findings}
    assert found("source").found == "not there yet, the first run makes it"
    assert not home.exists()


def test_each_setting_is_shown_with_its_origin(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("SALESPIPE_CURRENCY", "EUR")
    assert found("SALESPIPE_CURRENCY").found == "EUR (environment)"
    assert found("SALESPIPE_HOME").found == f"{home} (environment)"
    assert found("SALESPIPE_ENGINE").found == "sail (default)"
    assert found("SALESPIPE_END_MONTH").found == "2025-12 (default)"


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESPIPE_SOURCE_URL", f"mysql+pymysql://u:{SECRET}@127.0.0.1:1/shop")
    monkeypatch.setenv("SALESPIPE_SOURCE_PASSWORD", SECRET)
    monkeypatch.setenv("SALESPIPE_START_MONTH", "2024-01")
    findings = examine()
    assert SECRET not in str(findings)
    assert "***@127.0.0.1" in str(findings)
    assert found("SALESPIPE_SOURCE_PASSWORD").found == "*** (environment)"


def test_password_among_the_parameters_of_the_url_is_refused_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """`hide_password` hides the one before the @ alone."""
    monkeypatch.setenv("SALESPIPE_SOURCE_URL", f"mysql+pymysql://u@127.0.0.1/shop?password={quote(SECRET)}")
    monkeypatch.setenv("SALESPIPE_START_MONTH", "2024-01")
    findings = examine()
    assert quote(SECRET) not in str(findings)
    assert found("settings").found == "SALESPIPE_SOURCE_URL: salespipe knows no parameter password."


def test_folder_that_may_not_be_looked_into_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever runs as another user than last time: an error that says so, and no traceback."""

    def refused(*_: object) -> object:
        raise PermissionError(13, "Permission denied", "/srv/lake/_receipts")

    monkeypatch.setattr(doctor.Catalogue, "published", refused)
    lake = found("lake")
    assert (lake.ok, "Permission denied" in lake.found) == (False, True)
    assert lake.next


def test_source_that_does_not_answer_is_found_with_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESPIPE_SOURCE_URL", "mysql+pymysql://u@127.0.0.1:1/shop")
    monkeypatch.setenv("SALESPIPE_START_MONTH", "2024-01")
    source = found("source")
    assert not source.ok
    assert "127.0.0.1" in source.found
    assert source.next


def test_setting_that_is_wrong_is_found_with_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESPIPE_ENGINE", "flink")
    settings = found("settings")
    assert not settings.ok
    assert "SALESPIPE_ENGINE" in settings.found


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ('openjdk version "17.0.9" 2023-10-17', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "21" 2023-09-19', 21),
        ("what?", None),
    ],
)
def test_java_is_asked_its_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, version: int | None
) -> None:
    """Java 8 is on many machines, and Spark 4 does not start on it; it calls itself 1.8."""
    monkeypatch.setenv("JAVA_HOME", str(java_home(tmp_path, said)))
    shown = "none" if version is None else str(version)
    assert found("Java").found.partition(";")[0] == shown


def test_spark_needs_a_java_that_is_new_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SALESPIPE_ENGINE", "spark")
    monkeypatch.setenv("JAVA_HOME", str(java_home(tmp_path, 'version "1.8.0_392"')))
    old = found("engine")
    assert (old.ok, old.found) == (False, "spark, but java is version 8")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    none = found("engine")
    assert (none.ok, none.found) == (False, "spark, but there is no java")
    assert "Java 17" in none.next


def test_charts_that_cannot_be_drawn_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may lack a library of the browser inside: better known before the run than at its end."""

    def broken(*_: object) -> list[bytes]:
        raise SalespipeError("A chart could not be drawn: libnss3.so.", "install it")

    monkeypatch.setattr(doctor.Renderer, "to_png", broken)
    assert found("charts") == Finding(
        "charts", ok=False, found="A chart could not be drawn: libnss3.so.", next="install it"
    )


def test_folder_that_cannot_be_made_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.touch()
    monkeypatch.setenv("SALESPIPE_LAKE_URL", str(file / "lake"))
    lake = found("lake")
    assert not lake.ok
    assert "SALESPIPE_LAKE_URL" in lake.next


def test_first_month_of_the_source_is_told_where_it_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to set it to is in the source; without a month the settings cannot be made."""
    monkeypatch.setenv("SALESPIPE_SOURCE_URL", "mysql+pymysql://u@127.0.0.1/shop")
    for name, answer in {
        "probe": None,
        "describe": "MariaDB 11",
        "check_schema": ["orders.weather"],
        "span": ("2003-01", "2005-06"),
        "needless_privileges": ["DELETE"],
        "missing_indexes": ["CREATE INDEX a ON b (c)"],
    }.items():
        monkeypatch.setattr(SourceDatabase, name, lambda *_, answer=answer: answer)
    assert "SALESPIPE_START_MONTH" in found("settings").found
    assert found("source months").found == "orders and payments from 2003-01 to 2005-06"
    assert found("source months").next == "export SALESPIPE_START_MONTH=2003-01 SALESPIPE_END_MONTH=2005-06"
    assert found("source schema").found == "as the contracts say; ignored, as in no contract: orders.weather"
    rights, indexes = found("source rights"), found("source indexes")
    assert (rights.ok, rights.found) == (True, "more than reading: DELETE")
    assert (indexes.ok, indexes.next) == (True, "CREATE INDEX a ON b (c)")


def test_first_month_that_is_none_makes_no_other_company(monkeypatch: pytest.MonkeyPatch) -> None:
    source = SourceDatabase(Settings.load().source)
    source.prepare_company(company_of(Settings.load()))
    monkeypatch.setenv("SALESPIPE_START_MONTH", "2024-13")
    assert not found("settings").ok
    assert found("company").found == "the synthetic company on 2025-12-31"


def java_home(folder: Path, said: str) -> Path:
    program = folder / "jdk" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    program.chmod(0o755)
    return folder / "jdk"


def test_bucket_is_probed_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that cannot be written, or that is not there, is found before the first run."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with moto() as server:
        server.bucket("lake")
        monkeypatch.setenv("SALESPIPE_S3_ENDPOINT_URL", server.endpoint_url)
        monkeypatch.setenv("SALESPIPE_S3_REGION", REGION)
        monkeypatch.setenv("SALESPIPE_LAKE_URL", "s3://lake/here")
        assert found("lake").found == "s3://lake/here, read and written, 0 parts published"
        monkeypatch.setenv("SALESPIPE_LAKE_URL", "s3://other/here")
        lake = found("lake")
        assert not lake.ok
        assert "NoSuchBucket" in lake.found
        assert "SALESPIPE_LAKE_URL" in lake.next


def test_server_that_ignores_conditions_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything seems well with it, until two runs publish one month."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with moto() as server:
        server.bucket("lake")
        monkeypatch.setenv("SALESPIPE_S3_ENDPOINT_URL", server.endpoint_url)
        monkeypatch.setenv("SALESPIPE_LAKE_URL", "s3://lake/here")
        monkeypatch.setattr(s3_object, "_quoted", lambda etag: "")
        lake = found("lake")
    assert (lake.ok, "in spite of its condition" in lake.found) == (False, True)


def test_extraction_that_the_engine_cannot_is_found_with_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESPIPE_EXTRACTION", "jdbc")
    settings = found("settings")
    assert (settings.ok, "SALESPIPE_EXTRACTION=jdbc needs" in settings.found) == (False, True)
    assert "SALESPIPE_ENGINE=spark" in settings.next
