"""The store below the lake: a local folder.

What is asked of a store: say what lies at a key (its ETag), replace one object in one atomic step on
condition that what is there is what the caller saw, and lease a staging folder to a living run.
"""

import contextlib
import fcntl
import os
import shutil
import uuid
from collections.abc import Generator
from pathlib import Path

from salespipe_spark.errors import SalespipeError


class Raced(SalespipeError):
    """Somebody else published the same part in between; theirs stays."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"{key} was published by another run while this one was at work; the other's stays.",
            "run again when no other run is under way",
        )


class LocalStore:
    """Objects as files below a root folder; a key is a relative path."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str) -> Path:
        """Where the object of this key lies."""
        return self.root / key

    def etag(self, key: str) -> str:
        """What identifies the content at the key; empty where there is nothing."""
        try:
            stat = self.path(key).stat()
        except FileNotFoundError:
            return ""
        return f"{stat.st_size:x}-{stat.st_mtime_ns:x}"

    def read(self, key: str) -> bytes | None:
        """The object's bytes; None where there is nothing."""
        try:
            return self.path(key).read_bytes()
        except FileNotFoundError:
            return None

    def replace(self, staged: Path, key: str, seen: str) -> str:
        """Put a staged file in the object's place in one step; returns its ETag.

        Raises:
            Raced: what is there is not what was seen.
        """
        if self.etag(key) != seen:
            raise Raced(key)
        target = self.path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        with staged.open("rb") as file:
            os.fsync(file.fileno())  # the content is on the disk before its name is
        staged.replace(target)
        return self.etag(key)

    def put(self, key: str, content: bytes) -> None:
        """Put bytes in place in one step, under a lock that the caller holds; the same ones are left alone."""
        if self.read(key) == content:
            return
        path = self.path(key)
        # One name for all drafts, under the lock: what a killed run left is overwritten by the next.
        draft = path.with_name(f"_{path.name}.draft")
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        self.replace(draft, key, self.etag(key))

    def list(self, prefix: str, suffix: str) -> list[str]:
        """The keys below a prefix that end in the suffix, sorted."""
        return sorted(str(p.relative_to(self.root)) for p in self.path(prefix).rglob(f"*{suffix}"))

    @contextlib.contextmanager
    def locked(self, name: str) -> Generator[None]:
        """Hold the lock of this name; it is free again when the holder's process dies."""
        file = self.path(f"_locks/{name}")
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def writing(self) -> Generator[None]:
        """Turn a full disk, or a folder that may not be written, into an error that says where."""
        try:
            yield
        except OSError as error:
            hint = "make room, or set SALESPIPE_LAKE_URL or SALESPIPE_HOME to a folder that you may write"
            raise SalespipeError(f"{self.root} cannot be written: {error}.", hint) from error

    @contextlib.contextmanager
    def staging(self) -> Generator[Path]:
        """A fresh staging folder, leased until the block ends; those of dead runs are removed first.

        The lease is a lock that the system drops with the process, so that a killed run's folder is
        known as dead at once and a living one's never is.
        """
        folder = self.path(f"_staging/{uuid.uuid4().hex}")
        # The lock: nobody sweeps between the folder's making and its lease.
        with self.writing(), self.locked("staging"):
            folder.parent.mkdir(parents=True, exist_ok=True)
            self._sweep(folder.parent)
            folder.mkdir()
            handle = (folder / "lease").open("w")
            fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            handle.close()

    @staticmethod
    def _sweep(staging: Path) -> None:
        for folder in staging.iterdir():
            with (
                contextlib.suppress(BlockingIOError, FileNotFoundError, NotADirectoryError),
                (folder / "lease").open("a") as lease,
            ):
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
