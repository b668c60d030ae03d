"""The lake as an engine reads and fills it: read what is published, stage what is new, audit it.

What a table's parts are is its contract's business; how they are published, the publisher's.
"""

import contextlib
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from pyarrow.parquet import FileMetaData
from pyspark.sql import DataFrame

from salespipe_spark.engine import FAILURES, Engine, failed
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake import audit, schema
from salespipe_spark.lake.audit import Check, Measured
from salespipe_spark.lake.objects import Entry, Store
from salespipe_spark.lake.publish import Publisher
from salespipe_spark.lake.receipt import Receipt
from salespipe_spark.lake.staged import Opening, Staged, by_part
from salespipe_spark.tables import Table


class Lake(Publisher):
    """The lake in a store, read and written by one engine on behalf of one run."""

    def __init__(self, store: Store | Path, engine: Engine) -> None:
        super().__init__(store)
        self.engine = engine

    def read(self, table: Table, parts: list[str]) -> DataFrame:
        """The rows of published parts.

        Raises:
            SalespipeError: one of them is not published.
        """
        receipts = self.all_intact(table, parts)
        return self.engine.read([self.store.uri(receipt.key) for receipt in receipts], table.contract.ddl)

    def read_published(self, table: Table) -> DataFrame:
        """The rows of whatever parts are published: none, where none is."""
        return self.read(table, self.published(table))

    def read_own(self, table: Table) -> DataFrame:
        """What a table that is its own input holds so far, receipts unseen.

        An object is whole even where a run died before its receipt: asking for the receipt here would keep
        the one run away that can mend it.
        """
        keys = [self.key(table, part) for part in self.own_parts(table)]
        return self.engine.read([self.store.uri(key) for key in keys], table.contract.ddl)

    def own_parts(self, table: Table) -> list[str]:
        """The parts that a table holds so far, receipts unseen."""
        there = self.etags(table)
        return [part for part in self.published(table) if self.key(table, part) in there]

    def deviations(self, receipt: Receipt, table: Table) -> list[str]:
        """How the columns of a published object differ from the contract's.

        Raises:
            ArrowException: it is no Parquet file.
        """
        found = self.store.entry(receipt.key)
        return schema.deviations(self._footer(found), table.contract) if found else ["the object is not there"]

    def staging(self) -> AbstractContextManager[Path]:
        """A staging folder on this machine for one run; it is gone when the block ends, as is what it stages."""
        return self.store.staging()

    def send(self, folder: Path) -> None:
        """Stage in the store what was written into a staging folder without an engine."""
        files = sorted(folder.rglob("*.parquet"))
        self.store.mapped(lambda file: self.store.upload(file, self.store.staged_key(file)), files)

    def stage(self, opening: Opening, frame: DataFrame, folder: Path) -> Staged:
        """Write a transform's rows into staging, in one job of the engine, and audit them."""
        return self.audit(opening, self.write(opening.table, frame, folder, self.size_of_inputs(opening)))

    def write(self, table: Table, frame: DataFrame, folder: Path, size: int) -> Path:
        """Write rows into staging, cut by part, in one job of the engine; `size` is about how many bytes they are.

        Returns the folder that an audit is handed.
        """
        target = folder / table.layer / table.name
        rows = audit.cut(frame, table.contract)
        place = self.store.uri(self.store.staged_key(target))
        self.engine.write(rows, place, audit.PART, size)
        if not self._staged(target) and not rows.isEmpty():
            hint = "an engine on other machines needs a lake in S3, or in a folder that all of them share"
            raise SalespipeError(f"What the engine wrote is not to be found at {place}.", hint)
        return target

    def read_staged(self, table: Table, folder: Path) -> DataFrame:
        """The rows of a table that lie staged for a run's folder, before their audit."""
        files = self._staged(folder / table.layer / table.name)
        return self.engine.read([self.store.uri(file.key) for file in files], table.contract.ddl)

    def audit(
        self,
        opening: Opening,
        folder: Path,
        fingerprints: dict[str, str] | None = None,
        measured: Measured | None = None,
    ) -> Staged:
        """Hold what lies staged in a folder against the contract and the receipts of the inputs.

        Args:
            opening: what the run saw before it began.
            folder: where the table is staged.
            fingerprints: of the source, for the receipts.
            measured: what was counted where the rows were made; else the engine counts it here.
        """
        contract = opening.table.contract
        files = self._staged(folder)
        footers = dict(zip(files, self.store.mapped(self._footer, files), strict=True))
        wrong = sorted({deviation for footer in footers.values() for deviation in schema.deviations(footer, contract)})
        expected = f"{len(contract.columns)} columns of the contract"
        shape = Check("schema", not wrong, expected, "; ".join(wrong) or "as expected")
        if wrong:
            return Staged(opening, folder, files, {}, [shape], {}, self.engine.name)
        written = _rows_by_part(footers, opening.table)
        total = sum(written.values())
        if measured is None:
            measured = self._measured(opening, files)
        found = measured.figures
        counted = {part: figures.rows for part, figures in found.items()}
        read = sum(counted.values())
        # In a month's object lie that month's rows: the month is read off the rows, the object off the folder.
        misplaced = [part for part in opening.parts if total == read and written.get(part) != counted.get(part)]
        checks = [
            shape,
            Check("rows_written", total == read, f"{total} rows in the files", f"{read} rows read"),
            audit.parts_owned(measured, opening.parts, misplaced),
            audit.keys_unique(measured, contract),
            audit.not_null(measured),
        ]
        owned = {part: found.get(part, audit.no_rows(contract)) for part in opening.parts}
        if contract.balances:
            checks.append(audit.balance(owned, contract, partial(self.figure_of_input, opening.inputs)))
        self.store.confirm(folder)  # what was swept meanwhile would be audited as no rows
        return Staged(opening, folder, files, owned, checks, fingerprints or {}, self.engine.name)

    def _measured(self, opening: Opening, files: list[Entry]) -> Measured:
        """What lies staged, counted by the engine, or by another one for it."""
        parts = list(by_part(files, opening.table).values())
        counter = self.engine.counter_of(list(map(_size, parts)))
        if counter is not self.engine:
            # Where that one cannot, be it that its credentials have run out, who wrote the files can read them.
            with contextlib.suppress(*FAILURES):
                return self._counted(counter, opening, parts)
        try:
            return self._counted(self.engine, opening, parts)
        except FAILURES as error:
            raise failed(self.engine.name, f"count what it staged of {opening.table.name}", error) from error

    def _counted(self, engine: Engine, opening: Opening, parts: list[list[Entry]]) -> Measured:
        """Some parts at a time: the keys of a whole table may take gigabytes."""
        contract = opening.table.contract

        def measured(files: list[Entry]) -> Measured:
            rows = engine.read([self.store.uri(file.key) for file in files], contract.ddl)
            return audit.measure(rows, contract, opening.parts, keys_apart=engine.keys_apart)

        batches = [measured(batch) for batch in _batches(parts, engine.counted_at_once)]
        found = Measured.of(batches)
        if len(found.figures) == sum(len(batch.figures) for batch in batches):
            return found
        return measured([file for files in parts for file in files])  # rows lie in the files of another part

    def _footer(self, entry: Entry) -> FileMetaData:
        with self.store.open(entry) as file:
            return schema.footer(file)


def _rows_by_part(footers: Mapping[Entry, FileMetaData], table: Table) -> dict[str, int]:
    """The rows that the files' footers declare, by the part whose folder they lie in."""
    rows = {part: sum(footers[file].num_rows for file in files) for part, files in by_part(footers, table).items()}
    return {part: number for part, number in rows.items() if number}


def _size(files: list[Entry]) -> int:
    return sum(file.size for file in files)


def _batches(parts: Iterable[list[Entry]], most: int) -> list[list[Entry]]:
    """The parts' files, in batches of so many bytes, or of one part that is larger."""
    batches: list[list[Entry]] = []
    room = 0
    for files in parts:
        size = _size(files)
        if not batches or size > room:
            batches.append([])
            room = most
        batches[-1] += files
        room -= size
    return batches
