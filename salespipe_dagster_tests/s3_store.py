"""What holds of the store in S3 on every server: the tests that moto and SeaweedFS both pass."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from salespipe_dagster_tests.s3_servers import S3
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake import lease, s3_object
from salespipe_spark.lake.objects import Changed, Entry, Raced
from salespipe_spark.lake.s3 import S3Store

KEY = "core/fact/year=2024/month=01/data.parquet"
ODD = "raw/a b/ü+%[1]{2}=&?#.csv"


def entry_of(store: S3Store, key: str) -> Entry:
    found = store.entry(key)
    assert found
    return found


def keys(store: S3Store, prefix: str = "") -> list[str]:
    return [entry.key for entry in store.entries(prefix)]


class ObjectTests:
    def test_where_nothing_is_there_is_nothing(self, store: S3Store) -> None:
        assert (store.etag(KEY), store.read(KEY), store.entry(KEY), keys(store)) == ("", None, None, [])

    def test_entry_tells_what_the_object_is(self, store: S3Store) -> None:
        store.put(KEY, b"four")
        found = entry_of(store, KEY)
        assert (found.key, found.etag, found.size) == (KEY, store.etag(KEY), 4)
        assert abs(found.modified - datetime.now(UTC)) < timedelta(minutes=1)
        assert list(store.entries("core")) == [found]

    @pytest.mark.parametrize("key", [ODD, "x.csv", "ends with a blank /y"])
    def test_any_name_can_be_written_listed_and_read(self, store: S3Store, key: str, tmp_path: Path) -> None:
        store.put(key, b"1")
        assert keys(store) == [key]
        store.download(entry_of(store, key), tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == store.read(key) == b"1"
        assert store.replace(key, "core/copy", "") == store.etag("core/copy")
        store.remove(key)
        assert keys(store) == ["core/copy"]

    def test_objects_are_listed_in_the_order_of_their_keys_without_marks_of_folders(self, store: S3Store) -> None:
        """A folder's mark, as consoles and Hadoop make them, is no file; and one server lists folders first."""
        for key in ("sales/a/x.csv", "sales/a-b.csv", "sales/", "sales/a/", "sales_archive/z.csv"):
            store.put(key, b"")
        assert keys(store, "sales") == ["sales/a-b.csv", "sales/a/x.csv"]
        assert keys(store) == ["sales/a-b.csv", "sales/a/x.csv", "sales_archive/z.csv"]

    def test_more_objects_than_a_page_holds_are_all_listed(self, store: S3Store) -> None:
        names = [f"many/{number:04}" for number in range(1005)]
        store.mapped(lambda name: store.put(name, b""), names)
        assert keys(store, "many") == names

    def test_removed_object_is_gone_also_twice(self, store: S3Store) -> None:
        store.put(KEY, b"first")
        store.remove(KEY)
        store.remove(KEY)
        assert store.read(KEY) is None

    def test_bucket_that_is_not_there_is_named_with_the_next_step(self, store: S3Store) -> None:
        store.bucket = "none-such"
        with pytest.raises(SalespipeError, match="none-such") as refused:
            store.put_over(KEY, b"1", "")
        assert "SALESPIPE_LAKE_URL" in refused.value.hint


class ConditionTests:
    def test_put_over_replaces_what_was_seen_and_nothing_else(self, store: S3Store) -> None:
        first = store.put_over(KEY, b"first", "")
        assert first == store.etag(KEY)
        second = store.put_over(KEY, b"second", first)
        for seen in (first, ""):
            with pytest.raises(Raced, match=KEY):
                store.put_over(KEY, b"third", seen)
        assert (store.read(KEY), store.etag(KEY)) == (b"second", second)

    def test_object_that_vanished_is_not_put_back(self, store: S3Store) -> None:
        etag = store.put_over(KEY, b"first", "")
        store.remove(KEY)
        with pytest.raises(Raced):
            store.put_over(KEY, b"second", etag)
        assert store.read(KEY) is None

    def test_staged_object_takes_the_place_of_what_was_seen(self, store: S3Store) -> None:
        store.put("_staging/run/0.parquet", b"staged")
        etag = store.replace("_staging/run/0.parquet", KEY, "")
        assert (store.read(KEY), store.etag(KEY)) == (b"staged", etag)
        store.put("_staging/run/0.parquet", b"again")
        with pytest.raises(Raced):
            store.replace("_staging/run/0.parquet", KEY, "")
        store.replace("_staging/run/0.parquet", KEY, etag)
        assert store.read(KEY) == b"again"

    def test_staged_object_that_is_gone_replaces_nothing(self, store: S3Store) -> None:
        etag = store.put_over(KEY, b"first", "")
        with pytest.raises(SalespipeError, match="is gone"):
            store.replace("_staging/run/0.parquet", KEY, etag)
        assert store.read(KEY) == b"first"

    def test_probe_says_that_the_place_is_read_and_written_and_leaves_nothing(self, store: S3Store) -> None:
        assert store.probe() == f"{store.place}, read and written"
        assert keys(store) == []


class RaceTests:
    """Of servers that look at a condition and put in one step; moto takes two."""

    def test_of_many_who_put_at_once_one_succeeds(self, store: S3Store) -> None:
        etag = ""
        for turn in range(10):
            results: list[str] = []

            def put(content: bytes, seen: str = etag, won: list[str] = results) -> None:
                try:
                    won.append(store.put_over(KEY, content, seen))
                except Raced:
                    won.append("")

            with ThreadPoolExecutor(6) as pool:
                list(pool.map(put, [b"%d of turn %d" % (who, turn) for who in range(6)]))
            (etag,) = filter(None, results)
            assert store.etag(KEY) == etag


class FileTests:
    def test_uploaded_file_is_the_object(self, store: S3Store, tmp_path: Path) -> None:
        (tmp_path / "mine").write_bytes(b"mine")
        assert store.upload(tmp_path / "mine", KEY) == store.entry(KEY)
        assert store.read(KEY) == b"mine"

    @pytest.mark.parametrize("size", [0, 1, 5 * 1024**2, 5 * 1024**2 + 1, 12 * 1024**2])
    def test_file_of_any_size_goes_up_and_comes_down_and_is_copied_whole(
        self, store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
    ) -> None:
        """Parts of five megabytes, the smallest that S3 takes: at their edges a byte is lost most easily."""
        monkeypatch.setattr(s3_object, "SENT", 5 * 1024**2)
        monkeypatch.setattr(s3_object, "COPIED", 5 * 1024**2)
        content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        (tmp_path / "mine").write_bytes(content)
        entry = store.upload(tmp_path / "mine", "_staging/run/0.parquet")
        assert entry.size == size
        store.download(entry, tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == content
        etag = store.replace(entry.key, KEY, "")
        assert etag == store.etag(KEY)
        assert store.read(KEY) == content

    @pytest.mark.parametrize("then", ["replaced", "removed"])
    @pytest.mark.parametrize("content", [b"first", b""])
    def test_object_that_is_another_now_is_not_read(
        self, store: S3Store, tmp_path: Path, then: str, content: bytes
    ) -> None:
        """Landed under the version that was listed, the new content would never be read again."""
        store.put(KEY, content)
        entry = entry_of(store, KEY)
        store.put(KEY, b"other") if then == "replaced" else store.remove(KEY)
        with pytest.raises(Changed, match="replaced or removed"):
            store.download(entry, tmp_path / "copy")
        if content:
            with store.open(entry) as file, pytest.raises(Changed):
                file.read()

    def test_object_is_read_at_any_place(self, store: S3Store) -> None:
        store.put(KEY, b"0123456789")
        with store.open(entry_of(store, KEY)) as file:
            file.seek(-3, 2)
            assert file.read() == b"789"
            file.seek(0)
            assert (file.read(2), file.read(100), file.read()) == (b"01", b"23456789", b"")


class LeaseTests:
    def test_staging_is_leased_and_gone_at_its_end(self, store: S3Store) -> None:
        with store.staging() as folder:
            key = store.staged_key(folder)
            assert (folder.is_dir(), keys(store)) == (True, [f"{key}/lease"])
            store.put(f"{key}/core/0.parquet", b"staged")
            store.confirm(folder)
            store.confirm(folder / "core" / "fact")
        assert (folder.exists(), keys(store)) == (False, [])

    def test_staging_is_gone_when_the_run_fails(self, store: S3Store) -> None:
        with pytest.raises(RuntimeError, match="the run failed"), store.staging():
            raise RuntimeError("the run failed")
        assert keys(store) == []

    def test_staging_of_a_dead_run_is_swept_and_of_a_living_one_is_not(
        self, store: S3Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Swept by age alone, a long run lost its files to a short one."""
        monkeypatch.setattr(lease, "DEAD_AFTER", 3.0)
        monkeypatch.setattr(lease, "RENEWED_EVERY", 1.0)
        store.put("_staging/20260101T000000Z-dead/lease", b"1")
        store.put("_staging/20260101T000000Z-dead/core/0.parquet", b"staged")
        store.put("_staging/swept but for this/0.parquet", b"staged")
        with store.staging() as living:
            key = store.staged_key(living)
            store.put(f"{key}/core/0.parquet", b"staged")
            assert len(keys(store)) == 5
            threading.Event().wait(6)
            with store.staging() as other:
                store.confirm(living)
                assert keys(store) == sorted(
                    [f"{key}/core/0.parquet", f"{key}/lease", f"{store.staged_key(other)}/lease"]
                )

    def test_run_whose_lease_is_gone_is_told(self, store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was swept under a laptop that slept would be published as a month without rows."""
        monkeypatch.setattr(lease, "RENEWED_EVERY", 0.1)
        with store.staging() as folder:
            store.remove(f"{store.staged_key(folder)}/lease")
            threading.Event().wait(0.5)
            with pytest.raises(SalespipeError, match="was swept"):
                store.confirm(folder)
        assert keys(store) == []

    def test_renewal_whose_answer_was_lost_is_not_the_last(
        self, store: S3Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The lease is another object then than the run knows of; a minute later a living run was swept."""
        put_over = store.put_over

        def losing(key: str, content: bytes, seen: str) -> str:
            etag = put_over(key, content, seen)
            if content == b"2":
                raise SalespipeError("S3 did not answer.", "run again")
            return etag

        monkeypatch.setattr(lease, "RENEWED_EVERY", 0.1)
        monkeypatch.setattr(store, "put_over", losing)
        with store.staging() as folder:
            key, end = f"{store.staged_key(folder)}/lease", time.monotonic() + 30
            while store.read(key) in (b"1", b"2") and time.monotonic() < end:
                threading.Event().wait(0.1)
            assert store.read(key) not in (b"1", b"2")

    def test_unfinished_uploads_of_dead_runs_are_aborted_and_nobody_elses(
        self, store: S3Store, server: S3, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They are in no listing, and cost for ever."""
        monkeypatch.setattr(lease, "DEAD_AFTER", 1.0)
        client = server.client()
        for key in (KEY, "raw/somebody's.csv"):
            client.create_multipart_upload(**store.at(key))
        threading.Event().wait(3)
        with store.staging():
            left = client.list_multipart_uploads(Bucket=store.bucket, Prefix=store.at("")["Key"]).get("Uploads", [])
        assert [upload["Key"] for upload in left] == [store.at("raw/somebody's.csv")["Key"]]
