"""How engines find S3: by the environment, with no secret in any setting; and how listings are read."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from salespipe_dagster_tests.s3_servers import ACCESS_KEY, CREDENTIALS, SECRET_KEY
from salespipe_spark.apache import SparkEngine, s3a_settings
from salespipe_spark.engine import SailEngine
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.lake.objects import Entry
from salespipe_spark.lake.s3 import S3Store
from salespipe_spark.lake.store import S3Server, environment, open_store

OWN = S3Server("http://127.0.0.1:8333", "eu-central-1")


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_environment_of_an_engine_names_server_and_credentials() -> None:
    assert environment(OWN) == {
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT": "http://127.0.0.1:8333",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }
    assert "AWS_ALLOW_HTTP" not in environment(S3Server("https://s3.example"))
    assert "AWS_ENDPOINT" not in environment(S3Server())


def test_temporary_credentials_are_handed_on_with_their_token(credentials: pytest.MonkeyPatch) -> None:
    credentials.setenv("AWS_SESSION_TOKEN", "for an hour")
    assert environment(OWN)["AWS_SESSION_TOKEN"] == "for an hour"


def test_missing_credentials_are_one_clear_error(credentials: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        credentials.delenv(name)
    with pytest.raises(SalespipeError, match="no credentials") as refused:
        environment(OWN)
    assert "AWS_ACCESS_KEY_ID" in refused.value.hint


def test_settings_of_spark_hold_no_secret() -> None:
    """They stand on the command line of the JVM, in its UI and in its event log."""
    settings = s3a_settings(OWN)
    assert settings["spark.hadoop.fs.s3a.endpoint"] == "http://127.0.0.1:8333"
    assert settings["spark.hadoop.fs.s3a.path.style.access"] == "true"
    assert SECRET_KEY not in str(settings)
    assert "spark.hadoop.fs.s3a.endpoint" not in s3a_settings(S3Server())


def test_each_engine_names_a_place_in_its_own_way(tmp_path: Path) -> None:
    """To Sail a plain path with brackets is a pattern that matches nothing, and a URL is decoded."""
    sail, spark = SailEngine(tmp_path), SparkEngine(lambda settings: pytest.fail("not started"), tmp_path)
    assert (
        sail._named("s3://bucket/a lake/year=2024/x[1].parquet") == "s3://bucket/a%20lake/year%3D2024/x%5B1%5D.parquet"
    )
    assert sail._named("/a lake/x[1].parquet") == "file:///a%20lake/x%5B1%5D.parquet"
    assert spark._named("s3://bucket/a lake/x.parquet") == "s3a://bucket/a lake/x.parquet"
    assert spark._named("/a lake/x.parquet") == "/a lake/x.parquet"


@pytest.mark.parametrize(
    ("url", "place", "uri"),
    [
        ("s3://bucket", "s3://bucket", "s3://bucket/a/b"),
        ("s3://bucket/", "s3://bucket", "s3://bucket/a/b"),
        ("s3://bucket/a lake/", "s3://bucket/a lake", "s3://bucket/a lake/a/b"),
    ],
)
def test_store_of_a_url_is_in_s3(url: str, place: str, uri: str, tmp_path: Path) -> None:
    store = open_store(url, tmp_path, OWN)
    assert isinstance(store, S3Store)
    assert (store.place, store.uri("a/b")) == (place, uri)


def test_store_of_a_path_is_a_folder(tmp_path: Path) -> None:
    assert isinstance(open_store(str(tmp_path), tmp_path, OWN), LocalStore)


def test_server_that_is_not_there_is_one_clear_error_with_the_next_step(tmp_path: Path) -> None:
    store = open_store("s3://bucket/lake", tmp_path, S3Server("http://127.0.0.1:1", "us-east-1"))
    with pytest.raises(SalespipeError, match="cannot be reached") as refused:
        store.read("x")
    assert "SALESPIPE_S3_ENDPOINT_URL" in refused.value.hint


class Answer(io.BytesIO):
    """The body of an answer."""

    def stream(self, **_: Any) -> list[bytes]:
        return [self.read()]


LISTED = """<?xml version="1.0" encoding="UTF-8"?><ListBucketResult{space}><Name>bucket</Name>
    <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>{more}&amp;b</NextContinuationToken>
    {objects}<CommonPrefixes><Prefix>x/</Prefix></CommonPrefixes></ListBucketResult>"""
OBJECT = """<Contents><Key>{key}</Key><LastModified>2024-04-01T12:00:00{fraction}Z</LastModified>
    <ETag>&quot;{key}&quot;</ETag><Size>7</Size><Owner><ID>o</ID></Owner><StorageClass>STANDARD</StorageClass></Contents>"""


@pytest.mark.parametrize("space", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
def test_listing_is_read_page_by_page_as_the_servers_write_it(space: str, tmp_path: Path) -> None:
    """With a namespace or none, keys encoded, milliseconds or none, pages with objects and without."""
    objects = ("", OBJECT.format(key="b%26+c%2520", fraction=".250"), OBJECT.format(key="a%3C%C3%BC", fraction=""))
    pages = [LISTED.format(space=space, more=place, objects=each) for place, each in enumerate(objects)]
    pages[-1] = pages[-1].replace("true", "false")
    asked: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        asked.append(request.url)
        body = pages[len(asked) - 1].encode()
        headers = {"date": "Mon, 01 Apr 2024 12:00:01 GMT", "content-type": "application/xml"}
        return AWSResponse(request.url, 200, headers, Answer(body))

    store = S3Store("s3://bucket", tmp_path, S3Server("http://listing.example", f"region-{len(space)}"))
    store.client.meta.events.register("before-send.s3.ListObjectsV2", answer)
    at = datetime(2024, 4, 1, 12, tzinfo=UTC)
    assert store.listed("") == (
        [
            Entry("a<ü", "a%3C%C3%BC", 7, at),
            Entry("b& c%20", "b%26+c%2520", 7, at.replace(microsecond=250_000)),
        ],
        "Mon, 01 Apr 2024 12:00:01 GMT",
    )
    assert len(asked) == 3
    assert "continuation-token=1%26b" in asked[2]
