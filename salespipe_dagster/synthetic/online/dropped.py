"""A file that the shop drops: its bytes in pieces, and what the shop itself knows of each."""

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from salespipe_dagster.synthetic.streams import Ints

Render = Callable[[], bytes]


@dataclass(frozen=True)
class Book:
    """What the shop knows of the records in its files: every one is in exactly one of the three.

    Attributes:
        landed: that are as they should be, each once.
        duplicates: that are equal to another record of the same file.
        quarantined: that are spoilt, by the code of the reason.
    """

    landed: int = 0
    duplicates: int = 0
    quarantined: Counter[str] = field(default_factory=Counter[str])

    @property
    def records(self) -> int:
        """All of them, the header not counted."""
        return self.landed + self.duplicates + self.quarantined.total()

    def __add__(self, other: "Book") -> "Book":
        """Both together."""
        quarantined = self.quarantined + other.quarantined
        return Book(self.landed + other.landed, self.duplicates + other.duplicates, quarantined)


@dataclass(frozen=True)
class Piece:
    """Some records of a file: what is known of them, and what makes their bytes."""

    book: Book
    render: Render


@dataclass(frozen=True)
class OnlineFile:
    """A file: where it is dropped, when it was written, and its records piece by piece.

    Attributes:
        key: below FILES_URL.
        written: the instant that its store is to give it: of two files with the same record the newest counts.
        made: what makes its pieces, each time anew.
        packed: whether it is a gzip archive.
        months: those of the sales in it.
    """

    key: str
    written: datetime
    made: Callable[[], Iterable[Piece]]
    packed: bool = False
    months: tuple[str, ...] = ()

    def chunks(self) -> Iterator[bytes]:
        """Its bytes."""
        return self._chunks(self.made())

    def book(self) -> Book:
        """What the shop knows of its records; nothing is rendered for that."""
        return sum((piece.book for piece in self.made()), Book())

    def write(self, target: BinaryIO) -> Book:
        """Write its bytes, made once; returns what the shop knows of its records."""
        books: list[Book] = []

        def booked() -> Iterator[Piece]:
            for piece in self.made():
                books.append(piece.book)
                yield piece

        target.writelines(self._chunks(booked()))
        return sum(books, Book())

    def _chunks(self, pieces: Iterable[Piece]) -> Iterator[bytes]:
        chunks = (piece.render() for piece in pieces)
        return _packed(chunks) if self.packed else chunks


def text(content: str) -> Piece:
    """A piece without records: a header."""
    return Piece(Book(), content.encode)


def joined(lines: pa.Array) -> bytes:
    """The bytes of all lines, one after the other."""
    flat = pa.concat_arrays([lines]) if lines.offset else lines
    _, offsets, content = flat.buffers()
    if content is None or not len(flat):
        return b""
    end = int.from_bytes(offsets[len(flat) * 4 : len(flat) * 4 + 4].to_pybytes(), "little")
    return content[:end].to_pybytes()


def woven(lines: pa.Array, again: Ints, spoilt: list[bytes], after: Ints) -> pa.Array:
    """The lines with some of them repeated where they stand, and spoilt ones between them.

    Args:
        lines: as binary.
        again: how often each line comes.
        spoilt: lines of their own.
        after: for each of these the place of the line that it follows.
    """
    order = np.repeat(np.arange(len(lines)), again)
    ends = np.cumsum(again)[after]
    order = np.insert(order, ends, len(lines) + np.arange(len(spoilt)))
    return pa.concat_arrays([lines, pa.array(spoilt, pa.binary())]).take(pa.array(order))


def _packed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(6, wbits=31)  # a gzip archive, without a name or an hour in its header
    for chunk in chunks:
        yield packer.compress(chunk)
    yield packer.flush()
