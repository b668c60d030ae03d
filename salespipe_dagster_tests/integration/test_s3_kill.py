"""Kill -9 at random moments with lake and files in S3: whole months for readers, and the next run mends everything.

Three seeded kills by default; `make torture` sets SALESPIPE_TORTURE_KILLS_IN_S3=50.
"""

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from salespipe_dagster_tests.integration.killing import assert_whole, ended_before
from salespipe_dagster_tests.integration.pipeline import Contents, change, contents_of, environment, run
from salespipe_dagster_tests.integration.test_s3_lake import in_s3, lake_of
from salespipe_dagster_tests.landing.dropping import HEADER, sale_line
from salespipe_dagster_tests.s3_servers import S3
from salespipe_spark.lake import lease
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.months import between

KILLS = int(os.environ.get("SALESPIPE_TORTURE_KILLS_IN_S3", "3"))
SPAN = {"start_month": "2004-01", "end_month": "2004-03"}
FILES = "files of the scene"
MONTHLY = ("fact_orders", "fact_online_sales", "monthly_revenue")


def drop(server: S3, name: str, numbers: range) -> None:
    """Put a file with sales of each month and one line that is none."""
    sales = [sale_line(f"T{number}", f"2004-0{number % 3 + 1}-09", number) for number in numbers]
    content = "\n".join([HEADER, *sales, "nothing,to,be,sold", ""])
    server.client().put_object(Bucket="tests", Key=f"{FILES}/sales/{name}.csv", Body=content.encode())


def keys_of(lake: Catalogue) -> list[str]:
    """The key of every object, but of the indexes of keys: each landing names its own anew."""
    return [key for key in lake.store.list("", "") if "/_keys/" not in key]


def place_of(server: S3, name: str) -> dict[str, str]:
    """The settings of a run of the three months, with the scene's files, into a lake of this name."""
    return in_s3(server, name) | SPAN | {"files_url": f"s3://tests/{FILES}/"}


@dataclass(frozen=True)
class Scene:
    """A lake of three months whose source has changed in each of them, and what it will be after a run.

    New files wait too, and one of those landed was written over.
    """

    url: str
    before: Contents
    after: Contents
    keys: list[str]
    takes: float


@pytest.fixture(scope="module")
def scene(load_classicmodels: Callable[[], str], seaweedfs: S3, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    home, url = tmp_path_factory.mktemp("scene"), load_classicmodels()
    lake = lake_of(seaweedfs, "scene", home / "scratch")
    for number in range(3):
        drop(seaweedfs, str(number), range(100 * number, 100 * number + 30))
    run(home=home, url=url, **place_of(seaweedfs, "scene"))
    copied(lake, lake_of(seaweedfs, "undisturbed", home / "scratch"))
    for month in between(*SPAN.values()):
        change(url, f"UPDATE orders SET status = 'Cancelled' WHERE orderDate LIKE '{month}%%' LIMIT 1")
    for number in range(2, 9):
        drop(seaweedfs, str(number), range(100 * number - 10, 100 * number + 30))
    begun = time.monotonic()
    run(home=home, url=url, **place_of(seaweedfs, "undisturbed"))
    takes = time.monotonic() - begun
    undisturbed = lake_of(seaweedfs, "undisturbed", home / "scratch")
    found = Scene(url, contents_of(lake), contents_of(undisturbed), keys_of(undisturbed), takes)
    assert all(found.before[table, "2004-02"] != found.after[table, "2004-02"] for table in MONTHLY)
    return found


def copied(lake: Catalogue, other: Catalogue) -> Catalogue:
    """A copy of a lake; an object's ETag is its content's, so that the receipts hold for it."""
    for entry in list(other.store.entries("")):
        other.store.remove(entry.key)
    for entry in lake.store.entries(""):
        other.store.put(entry.key, lake.store.read(entry.key) or b"")
    return other


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_run_leaves_whole_months_in_s3_and_the_next_mends_them(
    seed: int, scene: Scene, seaweedfs: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is killed while it replaces every month: each is as it was or as it will be, nothing between."""
    share, takes = random.Random(seed).uniform(0.2, 1), scene.takes
    origin, place = lake_of(seaweedfs, "scene", tmp_path / "scratch"), place_of(seaweedfs, f"killed {seed}")
    lake = copied(origin, lake_of(seaweedfs, f"killed {seed}", tmp_path / "scratch"))
    while took := ended_before(share * takes, environment(tmp_path, scene.url, **place)):
        share, takes = share * 0.9, took
        copied(origin, lake)

    assert_whole(lake, between(*SPAN.values()), scene.before, scene.after)
    run(home=tmp_path, url=scene.url, **place)
    assert contents_of(lake) == scene.after
    monkeypatch.setattr(lease, "DEAD_AFTER", -2.0)  # as if the killed run's lease were over
    with lake.store.staging():
        pass
    assert lake.store.list("_staging", "") == []
    assert keys_of(lake) == scene.keys, "a file landed otherwise, or something is left over"
    client, root = seaweedfs.client(), f"killed {seed}/"
    assert "Uploads" not in client.list_multipart_uploads(Bucket="tests", Prefix=root)
