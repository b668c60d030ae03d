"""A CSV file as batches of records whose values stand in columns of text."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from salespipe_dagster.landing.header import Header, header_of
from salespipe_dagster.landing.reasons import MEANINGS
from salespipe_dagster.landing.records import Records, records
from salespipe_dagster.landing.typed import Batch
from salespipe_dagster.landing.unpacked import Unreadable, chunks
from salespipe_dagster.landing.values import cut
from salespipe_spark.contract import Contract


class CsvFile:
    """A CSV file.

    Attributes:
        names: the columns that it has of the contract's, as files call them.

    Raises:
        Unreadable: the file as a whole cannot be read.
    """

    def __init__(self, file: Path, contract: Contract) -> None:
        self._records = records(chunks(file), quotes=True)
        self._first = next((found for found in self._records if found.spoiled or len(found.texts)), None)
        header = _header(self._first, contract)
        self._columns, self._unknown = header.columns, header.unknown
        self.names = [name for name in header.columns if name]

    def records(self) -> Iterator[Records]:
        """The records after the header."""
        return chain([self._first.after_first()] if self._first else [], self._records)

    def cut(self, found: Records) -> Batch:
        """Some of them, cut into values."""
        rows, ragged = cut(found, self._columns)
        return Batch(rows, [*found.spoiled, *ragged], self._unknown)


def _header(first: Records | None, contract: Contract) -> Header:
    if first is None:
        raise Unreadable("is empty: not even a header is in it")
    if first.spoiled and (not len(first.texts) or first.spoiled[0].line < first.lines[0]):
        raise Unreadable(f"has a header that cannot be read: {MEANINGS[first.spoiled[0].reason]}")
    return header_of(first.texts[0].as_py(), contract)
