"""Publishing in S3 through faults, against others, before servers that go away: a whole month, and its receipt."""

import itertools
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from salespipe_dagster_tests.faulty import GONE, KINDS, Proxy, proxy
from salespipe_dagster_tests.s3_servers import REGION, S3
from salespipe_dagster_tests.support import Rows, write_parquet
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake import lease, s3, s3_object
from salespipe_spark.lake.audit import Check
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.objects import Raced
from salespipe_spark.lake.receipt import Figures
from salespipe_spark.lake.s3 import S3Store
from salespipe_spark.lake.schema import arrow_schema
from salespipe_spark.lake.staged import Staged, staged_file
from salespipe_spark.lake.store import S3Server
from salespipe_spark.tables import tables

PAYMENTS = tables()["payments"]
JANUARY = "2024-01"
PASSED = Check("passed", True, "", "")
NUMBERS = itertools.count(1)


class NoEngine:
    """Publishing needs none: rows are staged by hand here, and the server of the engine is no part of it."""

    name = "none"


@pytest.fixture(scope="module")
def before(seaweedfs: S3) -> Iterator[Proxy]:
    with proxy(seaweedfs.endpoint_url) as running:
        yield running


@pytest.fixture
def place() -> str:
    return f"s3://tests/publish/{next(NUMBERS)}"


def lake_at(place: str, scratch: Path, endpoint_url: str) -> Lake:
    return Lake(S3Store(place, scratch, S3Server(endpoint_url, REGION)), NoEngine())


def paid(amount: str) -> Rows:
    return [(103, "A1", date(2024, 1, 1), Decimal(amount))]


@contextmanager
def staged_in(lake: Lake, rows: Rows) -> Generator[Staged]:
    """January with these rows, staged and taken as audited."""
    with lake.staging() as folder:
        opening = lake.open(PAYMENTS, [JANUARY])
        target = staged_file(folder, PAYMENTS, JANUARY)
        write_parquet(target, arrow_schema(PAYMENTS.contract), rows)
        lake.send(folder)
        lake.store.confirm(folder)
        figures = Figures(len(rows), {"amount": sum(r[3] for r in rows)}, 0, {}, "", "", f"digest of {rows[0][3]}")
        files = list(lake.store.entries(lake.store.staged_key(folder / "staging" / "payments")))
        yield Staged(opening, folder / "staging" / "payments", files, {JANUARY: figures}, [PASSED], {}, "sail")


def publish(lake: Lake, rows: Rows, run: str) -> None:
    with staged_in(lake, rows) as staged:
        lake.publish(staged, run)


def published(lake: Lake) -> tuple[str, Any]:
    """The run and the amount of January; its receipt is of the object that is there, and of its rows."""
    receipt = lake.intact(PAYMENTS, JANUARY)
    entry = lake.store.entry(receipt.key)
    assert entry
    with lake.store.open(entry) as file, pq.ParquetFile(file) as parquet:
        (row,) = parquet.read().to_pylist()
    assert receipt.figures.digest == f"digest of {row['amount']}"
    return receipt.run, row["amount"]


@pytest.fixture(params=["sent", "copied by the server"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "sent":
        monkeypatch.setattr(s3, "SMALL", 0)


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("kind", KINDS)
def test_fault_at_any_request_of_a_publish_changes_nothing_of_its_outcome(
    kind: str, before: Proxy, place: str, tmp_path: Path
) -> None:
    """Also the answer that is lost after a PUT that succeeded: repeated, it finds its own object in the way."""
    before.reset()
    publish(lake_at(f"{place}/counted", tmp_path, before.url), paid("10.00"), "first")
    requests = before.requests
    assert requests > 10
    lake = lake_at(place, tmp_path, before.url)
    before.reset()
    publish(lake, paid("1.00"), "first")
    for number in range(requests):
        before.reset(kind, number)
        publish(lake, paid(f"{number + 2}.00"), f"run {number}")
        assert before.happened
        before.reset()
        assert published(lake) == (f"run {number}", Decimal(number + 2))
    assert lake.store.list("_staging", "") == []


@pytest.mark.usefixtures("_way")
def test_server_that_goes_away_at_any_request_leaves_a_whole_month_and_the_next_run_mends_it(
    before: Proxy, seaweedfs: S3, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_object, "ATTEMPTS", 1)
    monkeypatch.setattr(lease, "DEAD_AFTER", -2.0)
    lake, direct = lake_at(place, tmp_path, before.url), lake_at(place, tmp_path, seaweedfs.endpoint_url)
    publish(direct, paid("1.00"), "first")
    before.reset(GONE, -1)
    old, number, ended = Decimal("1.00"), 0, 0
    while ended < 2:
        new = Decimal(number + 2)
        before.reset(GONE, number)
        try:
            publish(lake, paid(str(new) + ".00"), "dying")
        except SalespipeError:
            ended = 0
        else:
            ended += 1
        entry = direct.store.entry(direct.key(PAYMENTS, JANUARY))
        assert entry
        with direct.store.open(entry) as file, pq.ParquetFile(file) as parquet:
            (row,) = parquet.read().to_pylist()
        assert row["amount"] in (old, new)
        publish(direct, paid(str(new) + ".00"), f"mended {number}")
        assert published(direct)[1] == new
        assert direct.store.list("_staging", "") == []
        old, number = new, number + 1
    assert number > 10


@pytest.mark.usefixtures("_way")
def test_of_two_runs_that_publish_a_month_at_once_one_is_published_whole(
    seaweedfs: S3, place: str, tmp_path: Path
) -> None:
    """Rows of one under the receipt of the other would be a month that nobody can prove."""
    publish(lake_at(place, tmp_path, seaweedfs.endpoint_url), paid("1.00"), "first")
    for turn in range(20):
        ready, won = threading.Barrier(2), list[str]()

        def run(name: str, amount: str, ready: threading.Barrier = ready, won: list[str] = won) -> None:
            lake = lake_at(place, tmp_path, seaweedfs.endpoint_url)
            with staged_in(lake, paid(amount)) as staged:
                ready.wait(60)
                try:
                    lake.publish(staged, name)
                    won.append(name)
                except Raced:
                    pass

        names = {f"a{turn}": f"{turn + 2}.10", f"b{turn}": f"{turn + 2}.20"}
        threads = [threading.Thread(target=run, args=each) for each in names.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (winner,) = won
        assert published(lake_at(place, tmp_path, seaweedfs.endpoint_url)) == (winner, Decimal(names[winner]))


@pytest.mark.parametrize("which", ["the receipt's", "the object's"])
def test_receipt_that_comes_in_between_is_replaced_only_by_who_made_the_object(
    which: str, seaweedfs: S3, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = lake_at(place, tmp_path, seaweedfs.endpoint_url)
    publish(lake, paid("1.00"), "first")
    other = lake_at(place, tmp_path, seaweedfs.endpoint_url)
    putting = lake.store.put_over
    interrupted = False

    def interrupt(key: str, content: bytes, seen: str) -> str:
        nonlocal interrupted
        if key.startswith("_receipts") and not interrupted:
            interrupted = True
            if which == "the object's":
                publish(other, paid("3.00"), "other")
            else:
                other.store.put(key, b"another's receipt")
        return putting(key, content, seen)

    monkeypatch.setattr(lake.store, "put_over", interrupt)
    if which == "the object's":
        with pytest.raises(Raced):
            publish(lake, paid("2.00"), "mine")
        assert published(lake) == ("other", Decimal("3.00"))
    else:
        publish(lake, paid("2.00"), "mine")
        assert published(lake) == ("mine", Decimal("2.00"))
