"""Kill -9 at random moments: readers see whole months, the next run mends everything, no staging is left.

Three seeded kills by default; `make torture` sets SALESPIPE_TORTURE_KILLS=30.
"""

import os
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from salespipe_dagster_tests.integration.killing import assert_whole, ended_before
from salespipe_dagster_tests.integration.pipeline import Contents, change, contents, environment, run
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.months import between

KILLS = int(os.environ.get("SALESPIPE_TORTURE_KILLS", "3"))
SPAN = {"start_month": "2004-01", "end_month": "2004-06"}


@dataclass(frozen=True)
class Scene:
    """A lake of six months whose source has changed in each of them, and what it will be after a run."""

    home: Path
    url: str
    before: Contents
    after: Contents
    takes: float


@pytest.fixture(scope="module")
def scene(load_classicmodels: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Scene:
    home, undisturbed = tmp_path_factory.mktemp("scene") / "before", tmp_path_factory.mktemp("scene") / "after"
    url = load_classicmodels()
    run(home=home, url=url, **SPAN)
    for month in between(*SPAN.values()):
        change(url, f"UPDATE orders SET status = 'Cancelled' WHERE orderDate LIKE '{month}%%' LIMIT 1")
    begun = time.monotonic()
    run(home=undisturbed, url=url, **SPAN)
    takes = time.monotonic() - begun
    found = Scene(home, url, contents(home), contents(undisturbed), takes)
    assert found.before != found.after
    return found


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_run_leaves_whole_months_and_the_next_mends_them(seed: int, scene: Scene, tmp_path: Path) -> None:
    """The run is killed while it replaces every month: each is as it was or as it will be, nothing between."""
    share, takes = random.Random(seed).uniform(0.3, 1), scene.takes
    home = Path(shutil.copytree(scene.home, tmp_path / "killed"))
    while took := ended_before(share * takes, environment(home, scene.url, **SPAN)):
        share, takes = share * 0.9, took
        shutil.rmtree(home)
        shutil.copytree(scene.home, home)

    assert_whole(Catalogue(home / "lake"), between(*SPAN.values()), scene.before, scene.after)
    run(home=home, url=scene.url, **SPAN)
    assert contents(home) == scene.after
    assert list((home / "lake" / "_staging").iterdir()) == []
    assert list((home / "scratch" / "_staging").iterdir()) == []
