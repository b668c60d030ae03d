"""Landing from S3 into S3 on moto, a server inside Python."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from salespipe_dagster_tests.landing.s3_landing import LandingTests, MakeStore
from salespipe_dagster_tests.s3_servers import CREDENTIALS, REGION, S3, moto
from salespipe_spark.lake.s3 import S3Store
from salespipe_spark.lake.store import S3Server

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with moto() as server:
        yield server


@pytest.fixture
def make_store(server: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeStore:
    """Stores in a bucket of their own, by name."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    bucket = server.bucket(f"landing-{next(NUMBERS)}")
    return lambda name: S3Store(f"s3://{bucket}/{name}", tmp_path / "s3", S3Server(server.endpoint_url, REGION))


class TestLanding(LandingTests):
    pass
