"""The lake: read what is published, stage what is new, audit it, publish it.

A reader sees a part as it was or as it is, never half of one; a part whose rows did not change is
not touched. What a table's parts are is its contract's business, how an object is replaced the
store's.
"""

import contextlib
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pyarrow.parquet import FileMetaData
from pyspark.sql import DataFrame

from salespipe_spark import months
from salespipe_spark.engine import FAILURES, Engine, failed
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake import audit, schema
from salespipe_spark.lake.audit import Check, Measured
from salespipe_spark.lake.catalogue import Catalogue, receipt_key
from salespipe_spark.lake.objects import Entry, Raced, Store
from salespipe_spark.lake.receipt import Figures, Provenance, Receipt
from salespipe_spark.tables import Table, tables

RECEIPT_ATTEMPTS = 10
"""More runs than these do not publish one month in the same moment."""


@dataclass(frozen=True)
class Opening:
    """What a run saw before it began to make a table: objects in place, and the inputs' receipts."""

    table: Table
    parts: list[str]
    etags: dict[str, str]
    inputs: dict[str, dict[str, str]]


@dataclass(frozen=True)
class Staged:
    """A table's staged parts after their audit.

    Attributes:
        opening: what the run saw before it began.
        folder: where they are staged.
        files: the staged objects that the audit is of: these are published, or none.
        figures: of each part.
        checks: what the audit found.
        fingerprints: of the source, by part; empty but for staging.
        engine: who made them, where it was not the lake's own.
    """

    opening: Opening
    folder: Path
    files: list[Entry]
    figures: dict[str, Figures]
    checks: list[Check]
    fingerprints: dict[str, str]
    engine: str = ""

    @property
    def passed(self) -> bool:
        """Whether every check passed, and with it whether the table may be published."""
        return all(check.passed for check in self.checks)


@dataclass(frozen=True)
class Published:
    """A part after publishing: its receipt, and whether its object was replaced."""

    receipt: Receipt
    replaced: bool


class Lake(Catalogue):
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

    def open(self, table: Table, parts: list[str]) -> Opening:
        """Note what is in place before the inputs are read: publishing holds on to it."""
        there = self.etags(table)
        etags = {part: there.get(self.key(table, part), "") for part in parts}
        return Opening(table, parts, etags, self._inputs(table, parts))

    def stage(self, opening: Opening, frame: DataFrame, folder: Path) -> Staged:
        """Write a transform's rows into staging, in one job of the engine, and audit them."""
        return self.audit(opening, self.write(opening.table, frame, folder, self.size_of_inputs(opening)))

    def write(self, table: Table, frame: DataFrame, folder: Path, size: int) -> Path:
        """Write rows into staging, cut by part, in one job of the engine; `size` is about how many bytes they are.

        Returns the folder that an audit is handed.
        """
        target = folder / table.layer / table.name
        rows = audit.cut(frame, table.contract)
        key = self.store.staged_key(target)
        self.engine.write(rows, self.store.uri(key), audit.folders(table.contract), size)
        if not self._staged(key) and not rows.isEmpty():
            hint = "an engine on other machines needs a lake in S3, or in a folder that all of them share"
            raise SalespipeError(f"What the engine wrote is not to be found at {self.store.uri(key)}.", hint)
        return target

    def read_staged(self, table: Table, folder: Path) -> DataFrame:
        """The rows of a table that lie staged for a run's folder, before their audit."""
        files = self._staged(self.store.staged_key(folder / table.layer / table.name))
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
        files = self._staged(self.store.staged_key(folder))
        footers = dict(zip(files, self.store.mapped(self._footer, files), strict=True))
        wrong = sorted({deviation for footer in footers.values() for deviation in schema.deviations(footer, contract)})
        expected = f"{len(contract.columns)} columns of the contract"
        shape = Check("schema", not wrong, expected, "; ".join(wrong) or "as expected")
        if wrong:
            return Staged(opening, folder, files, {}, [shape], {})
        if measured is None:
            measured = self._measured(opening, files)
        found = measured.figures
        written, counted = _rows_by_part(footers, opening.table), {part: f.rows for part, f in found.items()}
        total, read = sum(written.values()), sum(counted.values())
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
        return Staged(opening, folder, files, owned, checks, fingerprints or {})

    def _measured(self, opening: Opening, files: list[Entry]) -> Measured:
        contract = opening.table.contract
        rows = self.engine.read([self.store.uri(file.key) for file in files], contract.ddl)
        try:
            return audit.measure(rows, contract, opening.parts)
        except FAILURES as error:
            raise failed(self.engine.name, f"count what it staged of {opening.table.name}", error) from error

    def publish(self, staged: Staged, run: str) -> list[Published]:
        """Replace the objects of all parts whose rows changed, each in one atomic step.

        Raises:
            Raced: another run published the table, or one of its inputs, in between; nothing is replaced.
        """
        if not staged.passed:
            raise ValueError("What has not passed its audit is not published.")
        opening = staged.opening
        table = opening.table
        with self.store.writing():
            # Whatever needs room on the disk comes before the first month is replaced.
            objects = self._merged(staged)
        with self.store.writing(), self.store.locked(table.name):
            if self._inputs(table, opening.parts) != opening.inputs:
                raise Raced(f"An input of {table.layer}/{table.name}")
            there, held = self.etags(table), self.receipts(table, opening.parts)
            for part, etag in opening.etags.items():
                if etag != there.get(self.key(table, part), ""):
                    raise Raced(self.key(table, part))
            publish = partial(self._publish_part, staged, run)
            return list(self.store.mapped(lambda part: publish(part, objects[part], held.get(part)), opening.parts))

    def _publish_part(self, staged: Staged, run: str, part: str, given: Entry, held: Receipt | None) -> Published:
        table, figures = staged.opening.table, staged.figures[part]
        key, seen = self.key(table, part), staged.opening.etags[part]
        provenance = Provenance(
            {name: _belonging(digests, part) for name, digests in staged.opening.inputs.items()},
            staged.fingerprints.get(part, ""),
        )
        if held is not None and seen == held.etag and held.figures.digest == figures.digest:
            if (held.provenance, held.figures) != (provenance, figures):
                held = replace(held, provenance=provenance, figures=figures)
                self._write_receipt(held, table)
            return Published(held, replaced=False)
        etag = self.store.replace(given.key, key, seen)
        receipt = Receipt(
            table=f"{table.layer}/{table.name}",
            part=part,
            figures=figures,
            provenance=provenance,
            engine=staged.engine or self.engine.name,
            code_version=table.code_version,
            run=run,
            published_at=datetime.now(UTC).isoformat(timespec="seconds"),
            key=key,
            size=given.size,
            etag=etag,
        )
        self._write_receipt(receipt, table)
        return Published(receipt, replaced=True)

    def _write_receipt(self, receipt: Receipt, table: Table) -> None:
        """Put the receipt in place as long as its object is: over another run's, should one have come in between.

        Raises:
            Raced: the object in place is another run's; its receipt is or will be.
        """
        key, content = receipt_key(table, receipt.part), receipt.to_json().encode()
        for _ in range(RECEIPT_ATTEMPTS):
            there = self.store.etag(key)
            if self.store.etag(receipt.key) != receipt.etag:
                break
            with contextlib.suppress(Raced):
                self.store.put_over(key, content, there)
                return
        raise Raced(receipt.key)

    def _merged(self, staged: Staged) -> dict[str, Entry]:
        """The one staged object of each part; outside the folder that the audit read: nothing is counted twice."""
        table, folder = staged.opening.table, staged.folder
        files: dict[str, list[Entry]] = {part: [] for part in staged.opening.parts}
        if self._staged(self.store.staged_key(folder)) != staged.files:
            hint = "see that no other job writes there, then run again"
            raise SalespipeError(f"What is staged of {table.name} is not what was audited.", hint)
        for file in staged.files:
            files[_part_in(file.key, table)].append(file)

        def one(part: str) -> Entry:
            if len(files[part]) == 1:
                return files[part][0]
            target = folder.with_name(f"{folder.name}-merged") / f"{part}.parquet"
            merged = schema.merged(map(self.store.open, files[part]), table.contract, target)
            return self.store.upload(merged, self.store.staged_key(merged))

        return {part: one(part) for part in files}

    def _staged(self, prefix: str) -> list[Entry]:
        return [entry for entry in self.store.entries(prefix) if entry.key.endswith(".parquet")]

    def _footer(self, entry: Entry) -> FileMetaData:
        with self.store.open(entry) as file:
            return schema.footer(file)

    def _inputs(self, table: Table, parts: list[str]) -> dict[str, dict[str, str]]:
        """The digests of what a table is made from: its months of monthly inputs, the whole of others."""
        return {name: self._digests(tables()[name], table, parts) for name in table.upstream}

    def size_of_inputs(self, opening: Opening) -> int:
        """Bytes of the objects that a table is made from."""
        given = ((tables()[name], list(digests)) for name, digests in opening.inputs.items())
        return sum(receipt.size for table, parts in given for receipt in self.receipts(table, parts).values())

    def _digests(self, given: Table, table: Table, parts: list[str]) -> dict[str, str]:
        needed = self.published(given) if table.spans(given) else given.parts(parts)
        return {receipt.part: receipt.figures.digest for receipt in self.all_intact(given, needed)}


def staged_file(folder: Path, table: Table, part: str) -> Path:
    """Where a file of a part is staged by those who write without an engine."""
    return _folder_of(folder / table.layer / table.name, table, part) / "0.parquet"


def _folder_of(folder: Path, table: Table, part: str) -> Path:
    """Where the files of a part lie below a table's staged folder."""
    return folder / f"{audit.PART}={months.index(part)}" if table.monthly else folder


def _rows_by_part(footers: Mapping[Entry, FileMetaData], table: Table) -> dict[str, int]:
    """The rows that the files' footers declare, by the part whose folder they lie in."""
    rows: Counter[str] = Counter()
    for file, footer in footers.items():
        rows[_part_in(file.key, table)] += footer.num_rows
    return {part: number for part, number in rows.items() if number}


def _part_in(key: str, table: Table) -> str:
    """The part that a staged file belongs to, by the folder that it lies in."""
    number = key.split("/")[-2].partition("=")[2]
    return audit.part_name(table.contract, int(number) if number.isdecimal() else None)


def _belonging(digests: dict[str, str], part: str) -> dict[str, str]:
    return {part: digests[part]} if part in digests else digests
