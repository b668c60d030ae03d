"""The store in a local folder: objects are files, replaced by a rename. What is asked of it is in `objects.py`."""

import contextlib
import fcntl
import os
import shutil
import stat
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, TypeVar

from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.objects import Changed, Denied, Entry, Raced, Store

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DRAFTS = "drafts"
"""The lock under which small objects are written: one name for all drafts of a key is enough."""

SYNCED_AT_ONCE = 8

T = TypeVar("T")
R = TypeVar("R")


class LocalStore(Store):
    """Objects as files below a root folder; a key is a relative path."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = str(root)

    def path(self, key: str) -> Path:
        """Where the object of this key lies."""
        return self.root / key

    def uri(self, key: str) -> str:
        """The path of the object."""
        return f"{self.place}/{key}"

    def etag(self, key: str) -> str:
        """What identifies the content at the key; empty where there is nothing."""
        try:
            return _etag(self.path(key).stat())
        except FileNotFoundError:
            return ""

    def entry(self, key: str) -> Entry | None:
        """The object at the key; None where there is nothing."""
        try:
            found = self.path(key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return _entry(key, found) if stat.S_ISREG(found.st_mode) else None

    def entries(self, prefix: str) -> Iterator[Entry]:
        """All files below a prefix, in the order of their keys."""
        yield from sorted(_below(self.uri(prefix), f"{prefix}/" if prefix else ""), key=lambda entry: entry.key)

    def list(self, prefix: str, suffix: str) -> list[str]:
        """The keys below a prefix that end in the suffix, sorted."""
        return sorted(str(p.relative_to(self.root)) for p in self.path(prefix).rglob(f"*{suffix}"))

    def read(self, key: str) -> bytes | None:
        """The object's bytes; None where there is nothing."""
        try:
            return self.path(key).read_bytes()
        except FileNotFoundError:
            return None

    def open(self, entry: Entry) -> BinaryIO:
        """The object for reading; what is replaced meanwhile is read to its end as it was.

        Raises:
            Changed: it is no longer what was listed.
            Denied: it may not be read.
        """
        try:
            file = self.path(entry.key).open("rb")
        except FileNotFoundError:
            raise Changed(self.uri(entry.key)) from None
        except PermissionError:
            hint = "let the user who runs salespipe read it, or move it elsewhere; then run again"
            raise Denied(f"{self.uri(entry.key)} may not be read.", hint) from None
        if _etag(os.fstat(file.fileno())) != entry.etag:
            file.close()
            raise Changed(self.uri(entry.key))
        return file

    def replace(self, staged: str, key: str, seen: str) -> str:
        """Move a staged object into the object's place in one step; returns its ETag. It is synced already.

        Raises:
            Raced: what is there is not what was seen.
        """
        if self.etag(key) != seen:
            raise Raced(key)
        return self._move(self.path(staged), key)

    def put(self, key: str, content: bytes) -> None:
        """Put bytes in place in one step; the same ones are left alone."""
        if self.read(key) == content:
            return
        with self.locked(DRAFTS):
            draft = self._draft(key, content)
            _sync(draft)
            self._move(draft, key)

    def put_over(self, key: str, content: bytes, seen: str) -> str:
        """Put bytes in place of what was seen, in one step; returns their ETag. The first are to be synced.

        Raises:
            Raced: what is there is not what was seen.
        """
        with self.locked(DRAFTS):
            if self.etag(key) != seen:
                raise Raced(key)
            draft = self._draft(key, content)
            if seen:
                _sync(draft)
            return self._move(draft, key)

    def sync(self, keys: Iterable[str]) -> None:
        """Bring what lies at the keys to the disk; side by side it takes half the time of one after the other."""
        with ThreadPoolExecutor(SYNCED_AT_ONCE) as pool:
            list(pool.map(_sync, map(self.path, keys)))

    def upload(self, file: Path, key: str) -> Entry:
        """Put a copy of a file in place in one step; a file that lies there already is left there."""
        if file != self.path(key):
            with self.staging() as folder:  # which is swept, should this be killed
                copy = Path(shutil.copyfile(file, folder / "upload"))
                _sync(copy)
                self._move(copy, key)
        found = self.entry(key)
        if found is None:
            raise Changed(self.uri(key))
        return found

    def download(self, entry: Entry, target: Path) -> None:
        """Copy the object to a file.

        Raises:
            Changed: it is no longer what was listed, or was written to meanwhile.
        """
        with self.open(entry) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1024**2)
            if _etag(os.fstat(source.fileno())) != entry.etag:
                raise Changed(self.uri(entry.key))

    def remove(self, key: str) -> None:
        """Remove the object; where there is nothing, nothing happens."""
        self.path(key).unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self, name: str) -> Generator[None]:
        """Hold the lock of this name; it is free again when the holder's process dies."""
        with _opened(self.path(f"_locks/{name}")) as handle:
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

    def staged_key(self, path: Path) -> str:
        """The key of a path in a staging folder: it lies in the store already."""
        return str(path.relative_to(self.root))

    def confirm(self, folder: Path) -> None:
        """A lock that is held cannot be lost."""

    def mapped(self, function: Callable[[T], R], items: Iterable[T]) -> Sequence[R]:
        """The results in order, one after the other: there is nothing to wait for."""
        return [function(item) for item in items]

    def _draft(self, key: str, content: bytes) -> Path:
        path = self.path(key)
        # One name for all drafts, under the lock: what a killed run left is overwritten by the next.
        draft = path.with_name(f"_{path.name}.draft")
        with _opened(draft) as file:
            file.write(content)
        return draft

    def _move(self, file: Path, key: str) -> str:
        target = self.path(key)
        try:
            file.replace(target)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)
        return self.etag(key)

    @staticmethod
    def _sweep(staging: Path) -> None:
        for folder in staging.iterdir():
            with (
                contextlib.suppress(BlockingIOError, FileNotFoundError, NotADirectoryError),
                (folder / "lease").open("a") as lease,
            ):
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)


def _opened(file: Path) -> BinaryIO:
    """A file opened to be written anew; its folder is made where there is none yet."""
    try:
        return file.open("wb")
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
        return file.open("wb")


def _sync(file: Path) -> None:
    """Bring a file's content to the disk."""
    with file.open("rb") as handle:
        os.fsync(handle.fileno())


def _etag(found: os.stat_result) -> str:
    return f"{found.st_size:x}-{found.st_mtime_ns:x}"


def _entry(key: str, found: os.stat_result) -> Entry:
    modified = EPOCH + timedelta(microseconds=found.st_mtime_ns // 1000)  # through a float, microseconds are lost
    return Entry(key, _etag(found), found.st_size, modified)


def _below(folder: str, prefix: str) -> Iterator[Entry]:
    """Every file below a folder; links to folders are not followed: they may lead in a circle."""
    try:
        with os.scandir(folder) as found:
            for each in found:
                if each.is_dir(follow_symlinks=False):
                    yield from _below(each.path, f"{prefix}{each.name}/")
                elif each.is_file():
                    with contextlib.suppress(FileNotFoundError):  # removed since
                        yield _entry(prefix + each.name, each.stat())
    except (FileNotFoundError, NotADirectoryError):
        return
