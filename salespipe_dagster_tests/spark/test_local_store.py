"""The local store: one object replaced in one step and on condition, locks, and leased staging."""

import os
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from salespipe_dagster_tests.support import named_on_disk
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.lake.objects import Changed, Entry, Raced

KEY = "core/fact/year=2024/month=01/data.parquet"

HOLD_STAGING = """
import sys
from pathlib import Path
from salespipe_spark.lake.local import LocalStore
with LocalStore(Path(sys.argv[1])).staging() as folder:
    (folder / "half.parquet").write_text("half of a file")
    print(folder, flush=True)
    sys.stdin.read()
"""

HOLD_LOCK = """
import sys
from pathlib import Path
from salespipe_spark.lake.local import LocalStore
with LocalStore(Path(sys.argv[1])).locked("fact_orders"):
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "a lake")


@contextmanager
def other_process(code: str, store: LocalStore) -> Generator[tuple[subprocess.Popen[str], str]]:
    """A process at work in the same store, and the line by which it said that it is ready."""
    command = [sys.executable, "-c", code, str(store.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def put(store: LocalStore, key: str, text: str, written_ms: int | None = None) -> str:
    """Put an object in the place of whatever is there; its ETag. `written_ms`: the file's time, since 1970."""
    draft = store.root / "draft"
    draft.parent.mkdir(exist_ok=True)
    draft.write_text(text)
    if written_ms is not None:
        os.utime(draft, ns=(written_ms * 1_000_000, written_ms * 1_000_000))
    return store.replace("draft", key, store.etag(key))


class TestObjects:
    def test_where_nothing_is_the_etag_is_empty(self, store: LocalStore) -> None:
        assert (store.etag(KEY), store.read(KEY)) == ("", None)

    def test_first_object_makes_its_folders(self, store: LocalStore) -> None:
        etag = put(store, KEY, "first")
        assert (store.root / KEY).read_text() == "first"
        assert etag == store.etag(KEY) != ""
        assert store.read(KEY) == b"first"

    def test_replacing_changes_the_etag_also_at_the_same_size_and_within_a_second(self, store: LocalStore) -> None:
        """By size and seconds alone, a small correction published at once would not be seen."""
        first = put(store, KEY, "10.00", written_ms=1_700_000_000_000)
        other = put(store, KEY, "10.01", written_ms=1_700_000_000_010)
        assert first != other
        assert store.read(KEY) == b"10.01"

    def test_reading_does_not_change_the_etag(self, store: LocalStore) -> None:
        etag = put(store, KEY, "first")
        store.read(KEY)
        assert store.etag(KEY) == etag

    def test_staged_file_is_moved_not_copied(self, store: LocalStore) -> None:
        put(store, KEY, "first")
        assert [path.name for path in store.root.rglob("*") if path.is_file()] == ["data.parquet"]

    def test_reader_in_the_middle_of_an_object_reads_on_in_the_old_one(self, store: LocalStore) -> None:
        """Written over in place, a reader got the head of one month's file and the tail of another."""
        put(store, KEY, "first object")
        with store.path(KEY).open() as reader:
            head = reader.read(5)
            put(store, KEY, "OTHER OBJECT")
            assert head + reader.read() == "first object"
        assert store.read(KEY) == b"OTHER OBJECT"

    def test_object_that_is_not_what_was_seen_is_left_in_place(self, store: LocalStore) -> None:
        seen = put(store, KEY, "seen")
        put(store, KEY, "the winner's")
        (store.root / "mine").write_text("the loser's")
        with pytest.raises(Raced, match=KEY):
            store.replace("mine", KEY, seen)
        assert store.read(KEY) == b"the winner's"

    def test_object_that_appeared_where_nothing_was_seen_is_left_in_place(self, store: LocalStore) -> None:
        put(store, KEY, "the winner's")
        (store.root / "mine").write_text("the loser's")
        with pytest.raises(Raced):
            store.replace("mine", KEY, "")
        assert store.read(KEY) == b"the winner's"

    def test_object_that_vanished_is_not_put_back(self, store: LocalStore) -> None:
        seen = put(store, KEY, "seen")
        store.path(KEY).unlink()
        (store.root / "mine").write_text("the loser's")
        with pytest.raises(Raced):
            store.replace("mine", KEY, seen)
        assert store.read(KEY) is None

    def test_who_lost_the_race_is_told_what_to_do(self) -> None:
        assert Raced(KEY).hint == "run again when no other run is under way"
        assert isinstance(Raced(KEY), SalespipeError)


class TestList:
    def test_keys_below_the_prefix_with_the_suffix_are_listed_in_order(self, store: LocalStore) -> None:
        for key in ("r/core/a/2024-02.json", "r/core/a/2024-01.json", "r/core/a/x.parquet", "r/core/b/2024-01.json"):
            put(store, key, "")
        assert store.list("r/core/a", ".json") == ["r/core/a/2024-01.json", "r/core/a/2024-02.json"]

    def test_prefix_is_a_whole_name(self, store: LocalStore) -> None:
        """The receipts of `orders` are not those of `orders_archive`."""
        put(store, "r/orders_archive/2024-01.json", "")
        assert store.list("r/orders", ".json") == []

    def test_prefix_where_nothing_is_lists_nothing(self, store: LocalStore) -> None:
        assert store.list("r/core", ".json") == []


class TestLock:
    def test_second_holder_waits_until_the_first_is_done(self, store: LocalStore) -> None:
        entered = threading.Event()

        def enter() -> None:
            with store.locked("fact_orders"):
                entered.set()

        second = threading.Thread(target=enter)
        with store.locked("fact_orders"):
            second.start()
            assert not entered.wait(0.3)
        assert entered.wait(10)
        second.join()

    def test_third_holder_waits_for_the_second(self, store: LocalStore) -> None:
        """Were the lock's file removed with the lock, the second would hold the old file and the third a new one."""
        entered, leave, third_entered = threading.Event(), threading.Event(), threading.Event()

        def second() -> None:
            with store.locked("fact_orders"):
                entered.set()
                leave.wait(10)

        def third() -> None:
            with store.locked("fact_orders"):
                third_entered.set()

        threads = [threading.Thread(target=second), threading.Thread(target=third)]
        with store.locked("fact_orders"):
            threads[0].start()
            assert not entered.wait(0.3)
        assert entered.wait(10)
        threads[1].start()
        assert not third_entered.wait(0.3)
        leave.set()
        assert third_entered.wait(10)
        for thread in threads:
            thread.join()

    def test_locks_of_two_names_do_not_wait_for_each_other(self, store: LocalStore) -> None:
        entered = threading.Event()

        def enter() -> None:
            with store.locked("fact_payments"):
                entered.set()

        with store.locked("fact_orders"):
            second = threading.Thread(target=enter)
            second.start()
            assert entered.wait(10)
        second.join()

    def test_lock_of_a_killed_process_is_free(self, store: LocalStore) -> None:
        """A lock that is a file left behind would stop every run after a kill -9."""
        with other_process(HOLD_LOCK, store) as (process, said):
            assert said == "locked"
            process.kill()
            process.wait()
            with store.locked("fact_orders"):
                pass


class TestStaging:
    def test_staging_is_below_the_lake_and_gone_at_its_end(self, store: LocalStore) -> None:
        with store.staging() as folder:
            (folder / "core").mkdir()
            (folder / "core" / "0.parquet").write_text("staged")
            assert folder.parent == store.root / "_staging"
        assert list((store.root / "_staging").iterdir()) == []

    def test_staging_is_gone_when_the_run_fails(self, store: LocalStore) -> None:
        with pytest.raises(RuntimeError, match="the run failed"), store.staging():
            raise RuntimeError("the run failed")
        assert list((store.root / "_staging").iterdir()) == []

    def test_two_runs_have_staging_of_their_own(self, store: LocalStore) -> None:
        with store.staging() as first:
            (first / "0.parquet").write_text("the first's")
            with store.staging() as second:
                assert first != second
                assert (first / "0.parquet").read_text() == "the first's"
            assert (first / "0.parquet").read_text() == "the first's"

    def test_staging_of_a_killed_process_is_swept_by_the_next_run(self, store: LocalStore) -> None:
        """Without a sweep each kill -9 leaves a copy of what it was writing, for ever."""
        with other_process(HOLD_STAGING, store) as (process, said):
            dead = Path(said)
            process.kill()
            process.wait()
        assert (dead / "half.parquet").exists()
        with store.staging() as mine:
            assert list((store.root / "_staging").iterdir()) == [mine]

    def test_staging_of_a_living_process_is_left_alone(self, store: LocalStore) -> None:
        """Swept by age or by name, a long run lost its files to a short one."""
        with other_process(HOLD_STAGING, store) as (process, said):
            with store.staging():
                pass
            assert (Path(said) / "half.parquet").read_text() == "half of a file"
            process.communicate("")
            assert process.returncode == 0
        assert not Path(said).exists()

    def test_folder_of_a_run_killed_before_it_took_its_lease_is_swept(self, store: LocalStore) -> None:
        (store.root / "_staging" / "no lease yet").mkdir(parents=True)
        with store.staging() as mine:
            assert list((store.root / "_staging").iterdir()) == [mine]

    def test_stray_file_among_the_staging_folders_stops_no_run(self, store: LocalStore) -> None:
        """A file manager leaves its .DS_Store in every folder that it shows."""
        (store.root / "_staging").mkdir(parents=True)
        (store.root / "_staging" / ".DS_Store").write_text("")
        with store.staging() as folder:
            assert folder.is_dir()


class TestLakeThatCannotBeWritten:
    """A file stands where a folder must be: that fails for root too, whom no permission stops."""

    @pytest.mark.parametrize("blocked", [".", "_staging", "_locks"])
    def test_is_one_clear_error_with_the_next_step(self, store: LocalStore, blocked: str) -> None:
        path = store.root / blocked
        path.parent.mkdir(exist_ok=True)
        path.write_text("a file")
        with pytest.raises(SalespipeError, match="cannot be written") as refused, store.staging():
            pass
        assert str(store.root) in refused.value.message
        assert "SALESPIPE_LAKE_URL" in refused.value.hint


class TestEntries:
    def test_all_objects_below_are_listed_in_the_order_of_their_keys(self, store: LocalStore) -> None:
        """By folders first, `a/x` would come before `a-b`, and S3 lists it after: a plan may not depend on it."""
        for key in ("sales/a/x.csv", "sales/a-b.csv", "sales/deep/er/z.csv", "other.csv"):
            put(store, key, key)
        assert [entry.key for entry in store.entries("sales")] == [
            "sales/a-b.csv",
            "sales/a/x.csv",
            "sales/deep/er/z.csv",
        ]
        assert next(store.entries("")).key == "other.csv"

    def test_entry_tells_what_the_object_is(self, store: LocalStore) -> None:
        etag = put(store, KEY, "four", written_ms=1_700_000_000_123)
        expected = Entry(KEY, etag, 4, datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC))
        assert store.entry(KEY) == expected
        assert list(store.entries("core")) == [expected]

    def test_where_nothing_is_or_a_folder_there_is_no_entry(self, store: LocalStore) -> None:
        put(store, KEY, "first")
        assert store.entry("core") is None
        assert store.entry("none") is None
        assert list(store.entries("none")) == []
        assert list(store.entries(KEY)) == []

    def test_links_to_folders_are_not_followed(self, store: LocalStore) -> None:
        """A link to the folder above is a tree without an end."""
        put(store, KEY, "first")
        (store.root / "core" / "again").symlink_to(store.root)
        assert [entry.key for entry in store.entries("")] == [KEY]


class TestSmallObjects:
    def test_put_replaces_whatever_is_there(self, store: LocalStore) -> None:
        put(store, KEY, "first")
        store.put(KEY, b"second")
        assert store.read(KEY) == b"second"

    def test_same_bytes_are_left_alone(self, store: LocalStore) -> None:
        etag = put(store, KEY, "first", written_ms=1_700_000_000_000)
        store.put(KEY, b"first")
        assert store.etag(KEY) == etag

    def test_put_over_replaces_what_was_seen_and_nothing_else(self, store: LocalStore) -> None:
        etag = store.put_over(KEY, b"first", "")
        assert etag == store.etag(KEY)
        store.put_over(KEY, b"second", etag)
        for seen in (etag, ""):
            with pytest.raises(Raced):
                store.put_over(KEY, b"third", seen)
        assert store.read(KEY) == b"second"

    def test_of_many_who_put_at_once_where_nothing_is_one_succeeds(self, store: LocalStore) -> None:
        def succeeds(number: int, content: bytes) -> bool:
            try:
                store.put_over(f"r/{number}.json", content, "")
            except Raced:
                return False
            return True

        for number in range(20):
            with ThreadPoolExecutor(4) as pool:
                put_ones = list(pool.map(succeeds, [number] * 3, [b"a", b"bb", b"c"]))
            assert sum(put_ones) == 1
        assert len(list(store.entries("r"))) == 20

    def test_removed_object_is_gone_also_twice(self, store: LocalStore) -> None:
        put(store, KEY, "first")
        store.remove(KEY)
        store.remove(KEY)
        assert store.read(KEY) is None


class TestFiles:
    def test_uploaded_file_stays_and_its_copy_is_the_object(self, store: LocalStore, tmp_path: Path) -> None:
        (tmp_path / "mine").write_text("mine")
        entry = store.upload(tmp_path / "mine", KEY)
        assert (entry, store.read(KEY)) == (store.entry(KEY), b"mine")
        assert (tmp_path / "mine").read_text() == "mine"
        assert list((store.root / "_staging").iterdir()) == []

    def test_content_is_on_the_disk_before_it_has_its_name(
        self, store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        on_disk = named_on_disk(monkeypatch)
        (tmp_path / "mine").write_text("mine")
        store.upload(tmp_path / "mine", KEY)
        store.put(KEY, b"other")
        assert on_disk == [True, True]

    def test_file_that_is_staged_in_the_store_is_uploaded_already(self, store: LocalStore) -> None:
        with store.staging() as folder:
            (folder / "0.parquet").write_text("staged")
            entry = store.upload(folder / "0.parquet", store.staged_key(folder / "0.parquet"))
            assert entry.key == f"_staging/{folder.name}/0.parquet"

    def test_download_is_the_object_that_was_listed(self, store: LocalStore, tmp_path: Path) -> None:
        put(store, KEY, "first")
        entry = store.entry(KEY)
        assert entry
        store.download(entry, tmp_path / "copy")
        assert (tmp_path / "copy").read_text() == "first"

    @pytest.mark.parametrize("then", ["replaced", "removed"])
    def test_download_of_an_object_that_is_another_now_is_refused(
        self, store: LocalStore, tmp_path: Path, then: str
    ) -> None:
        """Landed under the version that was listed, the new content would never be read again."""
        put(store, KEY, "first")
        entry = store.entry(KEY)
        assert entry
        put(store, KEY, "other") if then == "replaced" else store.remove(KEY)
        with pytest.raises(Changed, match="replaced or removed"):
            store.download(entry, tmp_path / "copy")

    def test_object_is_read_at_any_place(self, store: LocalStore) -> None:
        put(store, KEY, "0123456789")
        entry = store.entry(KEY)
        assert entry
        with store.open(entry) as file:
            file.seek(-3, os.SEEK_END)
            assert file.read() == b"789"
