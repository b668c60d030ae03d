"""The store in S3 on SeaweedFS, a server as people run it."""

import itertools
from pathlib import Path

import pytest

from salespipe_dagster_tests.s3_servers import REGION, S3
from salespipe_dagster_tests.s3_store import ConditionTests, FileTests, LeaseTests, ObjectTests, RaceTests
from salespipe_spark.lake import s3
from salespipe_spark.lake.s3 import S3Store
from salespipe_spark.lake.store import S3Server

NUMBERS = itertools.count(1)


@pytest.fixture
def server(seaweedfs: S3) -> S3:
    return seaweedfs


@pytest.fixture
def store(server: S3, tmp_path: Path) -> S3Store:
    """An empty store below a prefix with a blank in it, in the one bucket: each takes volumes of its own."""
    return S3Store(f"s3://tests/a store/{next(NUMBERS)}/", tmp_path / "scratch", S3Server(server.endpoint_url, REGION))


class TestObjects(ObjectTests):
    pass


class TestConditions(ConditionTests):
    pass


class TestCopyingServer(ConditionTests):
    """The same where the server copies: what is large is never sent through this machine."""

    @pytest.fixture(autouse=True)
    def _nothing_is_small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(s3, "SMALL", 0)


class TestRaces(RaceTests):
    pass


class TestFiles(FileTests):
    pass


class TestLeases(LeaseTests):
    pass
