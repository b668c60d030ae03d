"""A CSV file as batches of records whose values stand in one text, and where in it they stand."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pyarrow as pa

from salespipe_dagster.landing.header import Header, header_of
from salespipe_dagster.landing.reasons import MEANINGS
from salespipe_dagster.landing.records import Records, Spoiled, records
from salespipe_dagster.landing.unpacked import Unreadable, chunks
from salespipe_spark.contract import Contract


@dataclass(frozen=True)
class Batch:
    """Some records of a file, as `typed.Query` reads them, and those of the same lines that were put aside."""

    rows: pa.Table
    quoted: bool
    padded: bool
    spoiled: list[Spoiled]


class CsvFile:
    """A CSV file.

    Attributes:
        places: the place of each column that the contract knows, from 1.
        width: the number of columns.
        unknown: the columns that it does not know.

    Raises:
        Unreadable: the file as a whole cannot be read.
    """

    def __init__(self, file: Path, contract: Contract) -> None:
        self._records = records(chunks(file), quotes=True)
        self._first = next((found for found in self._records if found.spoiled or len(found.texts)), None)
        header = _header(self._first, contract)
        self.places, self.width, self.unknown = header.places, header.width, header.unknown

    def batches(self) -> Iterator[Batch]:
        """The records after the header."""
        skipped = 1
        for found in chain([self._first] if self._first else [], self._records):
            rows = pa.table({"line": found.lines, "text": found.texts, "masked": found.masked}).slice(skipped)
            yield Batch(rows, found.quoted, found.padded, found.spoiled)
            skipped = 0


def _header(first: Records | None, contract: Contract) -> Header:
    if first is None:
        raise Unreadable("is empty: not even a header is in it")
    if first.spoiled and (not len(first.texts) or first.spoiled[0].line < first.lines[0]):
        raise Unreadable(f"has a header that cannot be read: {MEANINGS[first.spoiled[0].reason]}")
    return header_of(first.texts[0].as_py(), contract)
