"""What is asked of a store: objects under keys, whatever they lie in.

It says what lies at a key (its ETag), replaces one object in one atomic step on condition that what is there
is what the caller saw, and leases a staging folder to a living run. A key is a relative path with slashes; a
prefix is a whole name, as a folder's. `local.py` has the store in a folder, `s3.py` the one in a bucket.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TypeVar

from salespipe_spark.errors import SalespipeError

T = TypeVar("T")
R = TypeVar("R")


class Raced(SalespipeError):
    """Somebody else published the same part in between; theirs stays."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"{key} was published by another run while this one was at work; the other's stays.",
            "run again when no other run is under way",
        )


class Changed(SalespipeError):
    """An object is no longer the one that was listed: it was replaced or removed since."""

    def __init__(self, place: str) -> None:
        super().__init__(f"{place} was replaced or removed while it was read.", "run again: it is read as it is then")


class Denied(SalespipeError):
    """This one object may not be read, or cannot be as it is stored."""


@dataclass(frozen=True)
class Entry:
    """An object as a listing shows it.

    Attributes:
        key: where it lies.
        etag: what identifies its content.
        size: in bytes.
        modified: when it was written, UTC, by the store's own clock.
    """

    key: str
    etag: str
    size: int
    modified: datetime


class Store(ABC):
    """Objects under keys."""

    place: str
    """Where the store is, as a person is shown it."""

    @abstractmethod
    def uri(self, key: str) -> str:
        """Where the object of this key lies, for an engine and for a person: a path, or a URL of S3."""

    @abstractmethod
    def entries(self, prefix: str) -> Iterator[Entry]:
        """All objects below a prefix, in the order of their keys; below an empty one, all that there are."""

    @abstractmethod
    def entry(self, key: str) -> Entry | None:
        """The object at the key; None where there is nothing."""

    @abstractmethod
    def read(self, key: str) -> bytes | None:
        """The bytes of a small object; None where there is nothing."""

    @abstractmethod
    def open(self, entry: Entry) -> BinaryIO:
        """The object for reading at any place of it.

        Raises:
            Changed: it is no longer what was listed; also while it is read.
            Denied: it may not be read.
        """

    @abstractmethod
    def put(self, key: str, content: bytes) -> None:
        """Put a small object in place in one step, whatever is there; the same bytes are left alone."""

    @abstractmethod
    def put_over(self, key: str, content: bytes, seen: str) -> str:
        """Put a small object in place of the one that was seen, in one step; returns its ETag.

        Where nothing was it is to be synced: it may be found in part after a loss of power, what was there may not.

        Raises:
            Raced: what is there is not what was seen; an empty ETag says that nothing was.
        """

    @abstractmethod
    def replace(self, staged: str, key: str, seen: str) -> str:
        """Put a staged object that is synced in place of the one seen, in one step; returns its ETag there.

        Raises:
            Raced: what is there is not what was seen; an empty ETag says that nothing was.
        """

    @abstractmethod
    def sync(self, keys: Iterable[str]) -> None:
        """Return when what lies at the keys would outlast a loss of power: many at once take less time than each.

        What is synced before it gets its name is never found half there.
        """

    @abstractmethod
    def upload(self, file: Path, key: str) -> Entry:
        """Put a file of this machine in place in one step, whatever is there; never the whole of it in memory."""

    @abstractmethod
    def download(self, entry: Entry, target: Path) -> None:
        """Write the object to a file of this machine; never the whole of it in memory.

        Raises:
            Changed: it is no longer what was listed.
            Denied: it may not be read.
        """

    @abstractmethod
    def remove(self, key: str) -> None:
        """Remove the object; where there is nothing, nothing happens."""

    @abstractmethod
    def locked(self, name: str) -> AbstractContextManager[None]:
        """Hold the lock of this name, where the store has locks; S3 has conditions alone."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[None]:
        """Turn a store that cannot be written into an error that says where, and what to do."""

    @abstractmethod
    def staging(self) -> AbstractContextManager[Path]:
        """A fresh staging folder on this machine, leased until the block ends; those of dead runs are removed first.

        What is staged in the store for it lies below the folder's own key, `staged_key(folder)`.
        """

    @abstractmethod
    def staged_key(self, path: Path) -> str:
        """The key that belongs to a path in a staging folder."""

    @abstractmethod
    def confirm(self, folder: Path) -> None:
        """Make sure that a staging folder is still leased.

        Raises:
            SalespipeError: the lease was lost, and with it what was staged.
        """

    @abstractmethod
    def mapped(self, function: Callable[[T], R], items: Iterable[T]) -> Sequence[R]:
        """The function's results over the items, in their order; side by side where each takes a request."""

    def etag(self, key: str) -> str:
        """What identifies the content at the key; empty where there is nothing."""
        found = self.entry(key)
        return found.etag if found else ""

    def list(self, prefix: str, suffix: str) -> list[str]:
        """The keys below a prefix that end in the suffix, sorted."""
        return [entry.key for entry in self.entries(prefix) if entry.key.endswith(suffix)]
