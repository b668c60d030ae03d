"""The store in S3 on moto, a server inside Python."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from salespipe_dagster_tests.s3_servers import CREDENTIALS, REGION, S3, moto
from salespipe_dagster_tests.s3_store import ConditionTests, FileTests, LeaseTests, ObjectTests
from salespipe_spark.lake.s3 import S3Store
from salespipe_spark.lake.store import S3Server

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with moto() as server:
        yield server


@pytest.fixture
def store(server: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """An empty bucket's store below a prefix with a blank in it."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    bucket = server.bucket(f"lake-{next(NUMBERS)}")
    return S3Store(f"s3://{bucket}/a lake/", tmp_path / "scratch", S3Server(server.endpoint_url, REGION))


class TestObjects(ObjectTests):
    pass


class TestConditions(ConditionTests):
    pass


class TestFiles(FileTests):
    pass


class TestLeases(LeaseTests):
    pass
