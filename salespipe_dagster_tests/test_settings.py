"""The settings: what each means, what is refused and by which name, and that no error tells a password."""

import traceback
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

import pytest

from salespipe_dagster import settings as module
from salespipe_dagster.settings import Settings
from salespipe_dagster.synthetic.business import MOST_ORDERS
from salespipe_dagster.synthetic.company import Company
from salespipe_dagster.synthetic.configured import company_of
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.store import S3Server

MYSQL = "mysql+pymysql://shop@db.example:3307/classicmodels"
SECRET = "s3cret-word"


class InMay(datetime):
    """The clock stands in the last second of May 2026."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "InMay":
        assert tz is UTC
        return cls(2026, 5, 31, 23, 59, 59, tzinfo=tz)


@pytest.fixture(autouse=True)
def _nothing_set(environment: pytest.MonkeyPatch) -> None:
    """What is set on the machine of the developer is not what is tested."""


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    """The settings of an environment in which these variables are set, written without their prefix."""
    for name, value in variables.items():
        monkeypatch.setenv(f"SALESPIPE_{name}", value)
    return Settings.load()


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    """The error of such an environment, as it is printed with everything that led to it."""
    with pytest.raises(SalespipeError) as caught:
        load(monkeypatch, **variables)
    return str(caught.value)


def test_embedded_default_needs_no_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    found = Settings.load()
    assert found.is_default
    assert found.root == tmp_path / ".salespipe"
    assert found.dagster_home == tmp_path / ".salespipe" / "dagster"
    assert found.lake == tmp_path / ".salespipe" / "lake"
    assert found.source.render_as_string() == f"sqlite:///{tmp_path}/.salespipe/source.db"
    assert (found.synthetic, found.engine, found.currency) == (True, "sail", "USD")
    assert (found.first_month, found.last_month, len(found.months)) == ("2024-01", "2025-12", 24)


def test_every_field_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = load(
        monkeypatch,
        HOME=str(tmp_path / "h"),
        SOURCE_URL=MYSQL,
        SOURCE_PASSWORD=SECRET,
        SOURCE_MODE="synthetic",
        LAKE_URL=str(tmp_path / "l"),
        ENGINE="spark",
        START_MONTH="2023-11",
        END_MONTH="2024-02",
        CURRENCY="EUR",
    )
    assert (found.root, found.lake) == (tmp_path / "h", tmp_path / "l")
    assert (found.source.host, found.source.port, found.source.database) == ("db.example", 3307, "classicmodels")
    assert (found.source.username, found.source.password) == ("shop", SECRET)
    assert (found.synthetic, found.engine, found.currency) == (True, "spark", "EUR")
    assert found.months == ["2023-11", "2023-12", "2024-01", "2024-02"]
    assert not found.is_default


def test_places_in_s3_and_their_server_are_as_set(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(
        monkeypatch,
        LAKE_URL="s3://bucket/a lake",
        FILES_URL="s3://bucket/raw/",
        S3_ENDPOINT_URL="http://127.0.0.1:8333",
        S3_REGION="eu-central-1",
        MAX_REJECTED_SHARE="0.2",
    )
    assert (found.lake_place, found.files_place) == ("s3://bucket/a lake", "s3://bucket/raw/")
    assert found.s3_server == S3Server("http://127.0.0.1:8333", "eu-central-1")
    assert found.max_rejected_share == 0.2


def test_company_drops_files_only_where_nobody_named_a_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A place that somebody named may hold real files."""
    home = load(monkeypatch, HOME=str(tmp_path))
    assert (home.files_place, home.drops_files) == (str(tmp_path / "files"), True)
    named = load(monkeypatch, FILES_URL=str(tmp_path / "raw"))
    assert (named.files_place, named.drops_files) == (str(tmp_path / "raw"), False)


@pytest.mark.parametrize("name", ["LAKE_URL", "FILES_URL", "S3_ENDPOINT_URL"])
def test_credentials_in_the_url_of_a_store_are_refused_unseen(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    scheme = "http" if name == "S3_ENDPOINT_URL" else "s3"
    with pytest.raises(SalespipeError) as caught:
        load(monkeypatch, **{name: f"{scheme}://key:{SECRET}@bucket/prefix"})
    assert f"SALESPIPE_{name}" in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files and CI pass a variable on that is empty where nobody set it."""
    assert load(monkeypatch, SOURCE_URL="", START_MONTH="", ENGINE="").is_default


def test_relative_paths_are_relative_to_where_the_command_is_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    found = load(monkeypatch, HOME="here", LAKE_URL="there/lake")
    assert (found.root, found.lake) == (tmp_path / "here", tmp_path / "there" / "lake")


def test_unknown_variable_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing mistake must not run the defaults."""
    text = refusal(monkeypatch, STRAT_MONTH="2024-01", LAKE="x")
    assert "SALESPIPE_LAKE, SALESPIPE_STRAT_MONTH: salespipe knows no such setting." in text
    assert "SALESPIPE_START_MONTH" in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENGINE", "duckdb"),
        ("SOURCE_MODE", "extrenal"),
        ("START_MONTH", "2024-13"),
        ("START_MONTH", "2024-1"),
        ("END_MONTH", "May 2024"),
        ("SOURCE_URL", "postgresql://shop@db.example/shop"),
        ("SOURCE_URL", "jdbc:mariadb://db.example/shop"),
        ("SOURCE_URL", "mysql+pymysql://shop@db.example:port/shop"),
        ("SOURCE_URL", "classicmodels"),
        ("LAKE_URL", "gs://bucket/prefix"),
        ("FILES_URL", "s3://"),
        ("FILES_URL", "s3://Bucket/raw"),
        ("S3_ENDPOINT_URL", "127.0.0.1:8333"),
        ("MAX_REJECTED_SHARE", "5%"),
        ("MAX_REJECTED_SHARE", "1.5"),
    ],
)
def test_value_that_cannot_be_used_is_refused_by_the_variables_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """An error that says only what is wrong leaves the user to guess which of twelve variables it is."""
    text = refusal(monkeypatch, **{name: value})
    assert f"SALESPIPE_{name}" in text
    assert "next: " in text


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://shop:{SECRET}@db.example/shop",
        f"mysql+pymysql://shop:{SECRET}@db.example:port/shop",
        f"mysql+pymysql:/shop:{SECRET}@db.example/shop",
        f"mysql+pymysql://shop:with@sign:{SECRET}@db.example/shop",
    ],
)
def test_error_never_tells_the_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Nor does what led to it: Dagster prints an error with all its causes."""
    with pytest.raises(SalespipeError) as caught:
        load(monkeypatch, SOURCE_URL=url, START_MONTH="2024-01")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_password_shows_in_no_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(
        monkeypatch,
        SOURCE_URL=f"mysql+pymysql://shop:{SECRET}@db.example/shop",
        SOURCE_PASSWORD=SECRET,
        START_MONTH="2024-01",
    )
    assert SECRET not in f"{found!r} {found} {found.source!r}"


@pytest.mark.parametrize(("start", "end"), [("2024-03", "2024-02"), ("2026-01", "")])
def test_end_before_start_is_refused(monkeypatch: pytest.MonkeyPatch, start: str, end: str) -> None:
    """2026-01 lies after the default's last month, 2025-12."""
    text = refusal(monkeypatch, START_MONTH=start, END_MONTH=end)
    assert f"is before the first month {start}" in text
    assert "SALESPIPE_START_MONTH or SALESPIPE_END_MONTH" in text


def test_one_month_alone_is_a_range(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, START_MONTH="2024-03", END_MONTH="2024-03").months == ["2024-03"]


def test_source_with_a_url_is_external_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the company would be written over somebody's shop."""
    assert not load(monkeypatch, SOURCE_URL=MYSQL, START_MONTH="2024-01").synthetic
    assert load(monkeypatch, SOURCE_MODE="synthetic").synthetic


def test_external_source_needs_a_first_month(monkeypatch: pytest.MonkeyPatch) -> None:
    text = refusal(monkeypatch, SOURCE_URL=MYSQL)
    assert "SALESPIPE_START_MONTH is not set" in text
    assert "salespipe doctor" in text


def test_external_source_without_an_end_ends_with_the_current_month(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "datetime", InMay)
    found = load(monkeypatch, SOURCE_URL=MYSQL, START_MONTH="2026-04")
    assert found.months == ["2026-04", "2026-05"]


def test_synthetic_source_with_an_end_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "datetime", InMay)
    assert load(monkeypatch, END_MONTH="2024-02").months == ["2024-01", "2024-02"]


def test_password_file_gives_the_password_without_its_line_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    found = load(monkeypatch, SOURCE_URL=MYSQL, SOURCE_PASSWORD_FILE=str(file), START_MONTH="2024-01")
    assert found.source.password == SECRET


def test_password_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "none"
    found = load(monkeypatch, SOURCE_URL=MYSQL, SOURCE_PASSWORD_FILE=str(file), START_MONTH="2024-01")
    with pytest.raises(SalespipeError, match=r"none(.|\n)*SALESPIPE_SOURCE_PASSWORD_FILE"):
        _ = found.source


def test_embedded_ignores_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The demo must harm nothing, whatever is configured: not the shop, not the lake, not even be refused."""
    for name, value in {
        "SOURCE_URL": MYSQL,
        "LAKE_URL": "/srv/lake",
        "ENGINE": "nonsense",
        "END_MONTH": "2024-05",
        "STRAT_MONTH": "2024-01",
    }.items():
        monkeypatch.setenv(f"SALESPIPE_{name}", value)
    found = Settings.embedded(tmp_path)
    assert (found.synthetic, found.engine, found.currency) == (True, "sail", "USD")
    assert (found.lake, found.source.database) == (tmp_path / "lake", str(tmp_path / "source.db"))
    assert (found.first_month, found.last_month) == ("2024-01", "2025-12")


def test_child_process_is_given_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    given = load(monkeypatch, HOME="here", CURRENCY="EUR").environment()
    assert given["SALESPIPE_HOME"] == str(tmp_path / "here")
    assert given["DAGSTER_HOME"] == str(tmp_path / "here" / "dagster")
    assert given["SALESPIPE_CURRENCY"] == "EUR"


def test_the_company_is_set_by_three_variables_and_begins_with_the_first_month(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = company_of(load(monkeypatch))
    assert plain == Company(seed=7, orders_per_month=165, quirks=True, first_month="2024-01", today=date(2025, 12, 31))
    found = load(
        monkeypatch,
        COMPANY_SEED="-3",
        COMPANY_ORDERS_PER_MONTH="700000",
        COMPANY_QUIRKS="false",
        START_MONTH="2023-12",
        END_MONTH="2024-02",
    )
    assert company_of(found) == Company(
        seed=-3, orders_per_month=700_000, quirks=False, first_month="2023-12", today=date(2024, 2, 29)
    )


@pytest.mark.parametrize("size", ["-1", str(MOST_ORDERS + 1), "many", "1.5"])
def test_a_size_that_the_company_cannot_have_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    assert "SALESPIPE_COMPANY_ORDERS_PER_MONTH" in refusal(monkeypatch, COMPANY_ORDERS_PER_MONTH=size)


@pytest.mark.parametrize("engine", ["sail", "sc://spark.example:15002"])
def test_extraction_by_jdbc_needs_a_spark_session_of_this_process(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    said = refusal(monkeypatch, EXTRACTION="jdbc", ENGINE=engine, SOURCE_URL=MYSQL, START_MONTH="2024-01")
    assert "SALESPIPE_EXTRACTION=jdbc needs" in said
    assert "next: set SALESPIPE_ENGINE=spark" in said


@pytest.mark.parametrize("engine", ["spark", "local[2]", "spark://host:7077", "yarn"])
def test_extraction_by_jdbc_goes_with_every_such_session(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    found = load(monkeypatch, EXTRACTION="jdbc", ENGINE=engine, SOURCE_URL=MYSQL, START_MONTH="2024-01")
    assert found.extraction == "jdbc"


@pytest.mark.parametrize("url", ["", "sqlite:////srv/source.db"])
def test_extraction_by_jdbc_cannot_read_sqlite(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    said = refusal(
        monkeypatch, EXTRACTION="jdbc", ENGINE="spark", SOURCE_URL=url, SOURCE_MODE="synthetic", START_MONTH="2024-01"
    )
    assert "SALESPIPE_EXTRACTION=jdbc cannot read SQLite" in said
    assert "next: set SALESPIPE_SOURCE_URL" in said


def test_extraction_is_stream_or_jdbc(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).extraction == "stream"
    assert "SALESPIPE_EXTRACTION" in refusal(monkeypatch, EXTRACTION="odbc")
