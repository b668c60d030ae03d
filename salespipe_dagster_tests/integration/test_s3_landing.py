"""Landing from S3 into S3 on SeaweedFS, a server as people run it."""

import itertools
from pathlib import Path

import pytest

from salespipe_dagster_tests.landing.s3_landing import LandingTests, MakeStore
from salespipe_dagster_tests.s3_servers import REGION, S3
from salespipe_spark.lake.s3 import S3Store
from salespipe_spark.lake.store import S3Server

NUMBERS = itertools.count(1)


@pytest.fixture
def make_store(seaweedfs: S3, tmp_path: Path) -> MakeStore:
    """Stores below a prefix of their own, by name."""
    where, server = f"s3://tests/landing-{next(NUMBERS)}", S3Server(seaweedfs.endpoint_url, REGION)
    return lambda name: S3Store(f"{where}/{name}", tmp_path / "s3", server)


class TestLanding(LandingTests):
    pass
