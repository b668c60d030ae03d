"""The lake: read what is published, stage what is new, audit it, publish it.

A reader sees a part as it was or as it is, never half of one; a part whose rows did not change is
not touched. What a table's parts are is its contract's business, how an object is replaced the
store's.
"""

from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pyspark.sql import DataFrame

from salespipe_spark import months
from salespipe_spark.engine import Engine
from salespipe_spark.lake import audit, schema
from salespipe_spark.lake.audit import Check
from salespipe_spark.lake.catalogue import Catalogue, receipt_key
from salespipe_spark.lake.receipt import Figures, Provenance, Receipt
from salespipe_spark.lake.store import Raced
from salespipe_spark.tables import Table, tables

PART = "salespipe_part"
"""The column by which staged rows are cut into parts: the month's number. It is not in the files."""


@dataclass(frozen=True)
class Opening:
    """What a run saw before it began to make a table: objects in place, and the inputs' receipts."""

    table: Table
    parts: list[str]
    etags: dict[str, str]
    inputs: dict[str, dict[str, str]]


@dataclass(frozen=True)
class Staged:
    """A table's staged parts after their audit."""

    opening: Opening
    folder: Path
    figures: dict[str, Figures]
    checks: list[Check]
    fingerprints: dict[str, str]

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
    """The lake in a folder, read and written by one engine on behalf of one run."""

    def __init__(self, root: Path, engine: Engine) -> None:
        super().__init__(root)
        self.engine = engine

    def read(self, table: Table, parts: list[str]) -> DataFrame:
        """The rows of published parts.

        Raises:
            SalespipeError: one of them is not published.
        """
        files = [self.store.path(self.intact(table, part).key) for part in parts]
        return self.engine.read(files, table.contract.ddl)

    def read_published(self, table: Table) -> DataFrame:
        """The rows of whatever parts are published: none, where none is."""
        return self.read(table, self.published(table))

    def read_own(self, table: Table) -> DataFrame:
        """What a table that is its own input holds so far, receipts unseen.

        An object is whole even where a run died before its receipt: asking for the receipt here would keep
        the one run away that can mend it.
        """
        keys = [self.key(table, part) for part in self.published(table)]
        return self.engine.read([self.store.path(key) for key in keys if self.store.etag(key)], table.contract.ddl)

    def staging(self) -> AbstractContextManager[Path]:
        """A staging folder for one run; it is gone when the block ends."""
        return self.store.staging()

    def open(self, table: Table, parts: list[str]) -> Opening:
        """Note what is in place before the inputs are read: publishing holds on to it."""
        etags = {part: self.store.etag(self.key(table, part)) for part in parts}
        return Opening(table, parts, etags, self._inputs(table, parts))

    def stage(self, opening: Opening, frame: DataFrame, folder: Path) -> Staged:
        """Write a transform's rows into staging, in one job of the engine, and audit them."""
        target = folder / opening.table.layer / opening.table.name
        by = PART if opening.table.monthly else ""
        rows = frame.withColumn(PART, audit.part_of(opening.table.contract)) if by else frame
        self.engine.write(rows, target, by)
        return self.audit(opening, target)

    def audit(self, opening: Opening, folder: Path, fingerprints: dict[str, str] | None = None) -> Staged:
        """Hold what lies staged in a folder against the contract and the receipts of the inputs."""
        contract = opening.table.contract
        files = _staged_files(folder)
        wrong = sorted({deviation for file in files for deviation in schema.deviations(file, contract)})
        expected = f"{len(contract.columns)} columns of the contract"
        shape = Check("schema", not wrong, expected, "; ".join(wrong) or "as expected")
        if wrong:
            return Staged(opening, folder, {}, [shape], {})
        rows = self.engine.read(files, contract.ddl)
        found = audit.figures(rows, contract)
        written, counted = _rows_by_part(files, opening.table), {part: f.rows for part, f in found.items()}
        total, read = sum(written.values()), sum(counted.values())
        # In a month's object lie that month's rows: the month is read off the rows, the object off the folder.
        misplaced = [part for part in opening.parts if total == read and written.get(part) != counted.get(part)]
        checks = [
            shape,
            Check("rows_written", total == read, f"{total} rows in the files", f"{read} rows read"),
            audit.parts_owned(found, opening.parts, misplaced, rows, contract),
            audit.keys_unique(found, rows, contract),
            audit.not_null(found, rows, contract),
        ]
        owned = {part: found.get(part, audit.no_rows(contract)) for part in opening.parts}
        if contract.balances:
            checks.append(audit.balance(owned, contract, partial(self.figure_of_input, opening.inputs)))
        return Staged(opening, folder, owned, checks, fingerprints or {})

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
            files = {part: self._merged(staged, part) for part in opening.parts}
        with self.store.writing(), self.store.locked(table.name):
            if self._inputs(table, opening.parts) != opening.inputs:
                raise Raced(f"An input of {table.layer}/{table.name}")
            for part, seen in opening.etags.items():
                if self.store.etag(self.key(table, part)) != seen:
                    raise Raced(self.key(table, part))
            return [self._publish_part(staged, part, files[part], run) for part in opening.parts]

    def _publish_part(self, staged: Staged, part: str, file: Path, run: str) -> Published:
        table, figures = staged.opening.table, staged.figures[part]
        key, seen = self.key(table, part), staged.opening.etags[part]
        provenance = Provenance(
            {name: _belonging(digests, part) for name, digests in staged.opening.inputs.items()},
            staged.fingerprints.get(part, ""),
        )
        held = self.receipt(table, part)
        if held is not None and seen == held.etag and held.figures.digest == figures.digest:
            if (held.provenance, held.figures) != (provenance, figures):
                held = replace(held, provenance=provenance, figures=figures)
                self._write_receipt(held, table, staged.folder)
            return Published(held, replaced=False)
        size = file.stat().st_size
        etag = self.store.replace(self.store.staged_key(file), key, seen)
        receipt = Receipt(
            table=f"{table.layer}/{table.name}",
            part=part,
            figures=figures,
            provenance=provenance,
            engine=self.engine.name,
            code_version=table.code_version,
            run=run,
            published_at=datetime.now(UTC).isoformat(timespec="seconds"),
            key=key,
            size=size,
            etag=etag,
        )
        self._write_receipt(receipt, table, staged.folder)
        return Published(receipt, replaced=True)

    def _write_receipt(self, receipt: Receipt, table: Table, folder: Path) -> None:
        key = receipt_key(table, receipt.part)
        self.store.put_over(key, receipt.to_json().encode(), self.store.etag(key))

    @staticmethod
    def _merged(staged: Staged, part: str) -> Path:
        """The one file of a part; outside the folder that the audit read, so that nothing is counted twice."""
        table, folder = staged.opening.table, staged.folder
        files = _staged_files(_folder_of(folder, table, part))
        return schema.merged(files, table.contract, folder.with_name(f"{folder.name}-merged") / f"{part}.parquet")

    def _inputs(self, table: Table, parts: list[str]) -> dict[str, dict[str, str]]:
        """The digests of what a table is made from: its months of monthly inputs, the whole of others."""
        return {name: self._digests(tables()[name], table, parts) for name in table.upstream}

    def _digests(self, given: Table, table: Table, parts: list[str]) -> dict[str, str]:
        needed = self.published(given) if table.spans(given) else given.parts(parts)
        return {part: self.intact(given, part).figures.digest for part in needed}


def staged_file(folder: Path, table: Table, part: str) -> Path:
    """Where a file of a part is staged by those who write without an engine."""
    return _folder_of(folder / table.layer / table.name, table, part) / "0.parquet"


def _folder_of(folder: Path, table: Table, part: str) -> Path:
    """Where the files of a part lie below a table's staged folder."""
    return folder / f"{PART}={months.index(part)}" if table.monthly else folder


def _rows_by_part(files: list[Path], table: Table) -> dict[str, int]:
    """The rows that the files' footers declare, by the part whose folder they lie in."""
    rows: Counter[str] = Counter()
    for file in files:
        number = file.parent.name.partition("=")[2]
        part = audit.part_name(table.contract, int(number) if number.isdecimal() else None)
        rows[part] += schema.rows_in(file)
    return {part: number for part, number in rows.items() if number}


def _belonging(digests: dict[str, str], part: str) -> dict[str, str]:
    return {part: digests[part]} if part in digests else digests


def _staged_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.parquet"))
