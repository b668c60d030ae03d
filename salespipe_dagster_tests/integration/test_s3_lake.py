"""The lake in S3, as a run makes it: what a folder would hold, object for object."""

import shutil
from pathlib import Path

import pytest

from salespipe_dagster_tests.integration.conftest import ALL_MONTHS as SPAN
from salespipe_dagster_tests.integration.pipeline import Contents, contents, contents_of, run, salespipe
from salespipe_dagster_tests.s3_servers import REGION, S3, SECRET_KEY
from salespipe_dagster_tests.support import require
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.lake.store import S3Server, open_store
from salespipe_spark.tables import tables


def in_s3(server: S3, name: str) -> dict[str, str]:
    """The settings of a lake of this name."""
    return {"lake_url": f"s3://tests/{name}/", "s3_endpoint_url": server.endpoint_url, "s3_region": REGION}


def lake_of(server: S3, name: str, scratch: Path) -> Catalogue:
    return Catalogue(open_store(f"s3://tests/{name}/", scratch, S3Server(server.endpoint_url, REGION)))


@pytest.fixture(scope="module")
def folder(classicmodels_home: Path) -> Contents:
    """What a run makes of classicmodels in a folder."""
    found = contents(classicmodels_home)
    assert len(found) == sum(30 if table.monthly else 1 for table in tables().values())
    return found


@pytest.mark.parametrize("engine", ["sail", "spark"])
def test_lake_in_s3_differs_in_no_cell_from_a_folder(
    engine: str, folder: Contents, classicmodels: str, seaweedfs: S3, tmp_path: Path
) -> None:
    require(engine == "sail" or shutil.which("java"), "there is no java: Spark needs Java 17")
    lake = lake_of(seaweedfs, f"all by {engine}", tmp_path / "scratch")
    place = in_s3(seaweedfs, f"all by {engine}")
    printed = run(home=tmp_path, url=classicmodels, engine=engine, **place, **SPAN)
    assert contents_of(lake) == folder
    assert "s3://tests/all by" in printed
    assert SECRET_KEY not in printed
    assert lake.store.list("_staging", "") == []
    assert not (tmp_path / "lake").exists()
    if engine == "sail":
        before = list(lake.store.entries(""))
        run(home=tmp_path, url=classicmodels, engine=engine, **place, **SPAN)
        assert list(lake.store.entries("")) == before
        done = salespipe("verify", home=tmp_path, url=classicmodels, engine=engine, **place, **SPAN)
        assert done.returncode == 0, done.stdout + done.stderr
