"""Stores in which a landing dies, or in which another one comes between."""

import random
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from salespipe_dagster.landing.ledger import INDEX
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.lake.objects import Entry

T = TypeVar("T")
R = TypeVar("R")

PART, ENTRY = "_landed/online_sales/2", "_receipts/_landed/"
"""What the keys of a month's part, and of the ledger's entries, begin with."""


class Crash(BaseException):
    """What kill -9 is to a test."""


class DyingStore(LocalStore):
    """A store in which the n-th change does not return, of those to keys that begin in a certain way.

    With `chance` what may go side by side goes in any order, as in S3.
    """

    def __init__(self, root: Path, at: int, among: str = "", chance: random.Random | None = None) -> None:
        super().__init__(root)
        self.left, self.among, self.chance = at, among, chance

    def upload(self, file: Path, key: str) -> Entry:
        self._count(key)
        return super().upload(file, key)

    def put(self, key: str, content: bytes) -> None:
        self._count(key)
        super().put(key, content)

    def remove(self, key: str) -> None:
        self._count(key)
        super().remove(key)

    def mapped(self, function: Callable[[T], R], items: Iterable[T]) -> Sequence[R]:
        given = list(enumerate(items))
        if self.chance:
            self.chance.shuffle(given)
        made = {place: function(item) for place, item in given}
        return [made[place] for place in sorted(made)]

    def _count(self, key: str) -> None:
        if key.startswith(self.among):
            self.left -= 1
            if self.left < 0:
                raise Crash


class SharedStore(LocalStore):
    """As in S3 a store without locks; at the first look at the index of keys something else happens."""

    def __init__(self, root: Path, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__(root)
        self.meanwhile = meanwhile

    @contextmanager
    def locked(self, name: str) -> Generator[None]:
        yield

    def entries(self, prefix: str) -> Iterator[Entry]:
        if prefix.endswith(INDEX):
            happens, self.meanwhile = self.meanwhile, lambda: None
            happens()
        return super().entries(prefix)
