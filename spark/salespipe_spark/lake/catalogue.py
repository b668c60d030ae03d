"""The catalogue: which parts are published, where they lie, and what their receipts say. No engine."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.lake.objects import Entry, Store
from salespipe_spark.lake.receipt import Receipt
from salespipe_spark.tables import Table, tables

RECEIPT = ".json"


class Catalogue:
    """What is published in the lake of a store."""

    def __init__(self, store: Store | Path) -> None:
        """The catalogue of a store, or of the folder of a local one."""
        self.store = LocalStore(store) if isinstance(store, Path) else store
        self._read: dict[str, tuple[str, Receipt | None]] = {}  # receipts by key, each with the ETag it was read by

    def key(self, table: Table, part: str) -> str:
        """Where a part's object lies. Its name never changes, so that one step replaces it."""
        return object_key(table, part)

    def receipt(self, table: Table, part: str) -> Receipt | None:
        """The receipt of a part; None where it was never published, or the receipt cannot be read."""
        there = self.store.entry(receipt_key(table, part))
        return self._receipt(there) if there else None

    def receipts(self, table: Table, parts: Iterable[str] | None = None) -> dict[str, Receipt]:
        """The receipts of these parts, or of all, by part; what has none that can be read is left out.

        One listing tells which have changed since they were last read: in S3 each request takes its time.
        """
        entries = self.store.entries(f"_receipts/{table.layer}/{table.name}")
        # The draft that a killed run left is none: its object may never have come into place.
        there = {Path(entry.key).stem: entry for entry in entries if entry.key.endswith(RECEIPT)}
        wanted = [there[part] for part in (there if parts is None else parts) if part in there]
        found = {receipt.part: receipt for receipt in self.store.mapped(self._receipt, wanted) if receipt}
        return dict(sorted(found.items()))

    def _receipt(self, entry: Entry) -> Receipt | None:
        etag, receipt = self._read.get(entry.key, ("", None))
        if etag != entry.etag:
            text = self.store.read(entry.key)
            try:
                receipt = Receipt.from_json(text) if text else None
            except (ValueError, TypeError, KeyError):
                receipt = None  # as good as none: the next run publishes the part anew
            self._read[entry.key] = (entry.etag, receipt)
        return receipt

    def etags(self, table: Table) -> dict[str, str]:
        """What is in place of a table: the ETags of its objects by key."""
        return {entry.key: entry.etag for entry in self.store.entries(f"{table.layer}/{table.name}")}

    def published(self, table: Table) -> list[str]:
        """The parts of a table that have a receipt, in order."""
        keys = self.store.list(f"_receipts/{table.layer}/{table.name}", RECEIPT)
        return [Path(key).stem for key in keys]

    def covered(self, table: Table) -> set[str] | None:
        """The months that a table is published for, or that its snapshot was made from; None where it is over none."""
        if table.monthly:
            return set(self.published(table))
        receipt = self.receipt(table, SNAPSHOT)
        taken = receipt.provenance.inputs if receipt else {}
        over = [set(taken.get(given.name, ())) for given in table.spanned]
        return set.intersection(*over) if over else None

    def figure_of_input(self, inputs: Mapping[str, Mapping[str, str]], table: str, part: str, figure: str) -> Decimal:
        """A figure of an input as a part was made from it: of the same part, or of all months that a snapshot took.

        Args:
            inputs: the parts taken of each input, with their digests.
            table: the input.
            part: the part that was made.
            figure: the figure's name.

        Raises:
            SalespipeError: one of the input's parts is not published.
        """
        taken = inputs[table]
        parts = [part] if part in taken else list(taken)
        known = {each: self._read.get(receipt_key(tables()[table], each), ("", None))[1] for each in parts}
        lacking = [each for each, receipt in known.items() if not receipt or receipt.figures.digest != taken[each]]
        found = known | {receipt.part: receipt for receipt in self.all_intact(tables()[table], lacking)}
        return sum((receipt.figures.figure(figure) for receipt in found.values() if receipt), Decimal(0))

    def intact(self, table: Table, part: str) -> Receipt:
        """The receipt of a part whose object is the one that the receipt names.

        Raises:
            SalespipeError: the part was never published, or a run died while it published it.
        """
        key = self.key(table, part)
        return self._intact(table, part, self.receipt(table, part), {key: self.store.etag(key)})

    def all_intact(self, table: Table, parts: list[str]) -> list[Receipt]:
        """The receipts of parts whose objects are those that the receipts name, in the order of the parts.

        Raises:
            SalespipeError: one of the parts was never published, or a run died while it published it.
        """
        if not parts:
            return []
        receipts, etags = self.receipts(table, parts), self.etags(table)
        return [self._intact(table, part, receipts.get(part), etags) for part in parts]

    def _intact(self, table: Table, part: str, receipt: Receipt | None, etags: Mapping[str, str]) -> Receipt:
        months_option = f" --months {part}" if table.monthly else ""
        hint = f"salespipe run{months_option} --select {table.layer}/{table.name}"
        where = f"{table.layer}/{table.name} {part} in {self.store.place}"
        if receipt is None:
            raise SalespipeError(f"Not published: {where}.", hint)
        if etags.get(receipt.key) != receipt.etag:
            raise SalespipeError(f"Not the object that its receipt names: {where}.", hint)
        return receipt


def object_key(table: Table, part: str) -> str:
    """Where the object of a part lies."""
    folder = f"{table.layer}/{table.name}"
    return f"{folder}/year={part[:4]}/month={part[5:]}/data.parquet" if table.monthly else f"{folder}/data.parquet"


def receipt_key(table: Table, part: str) -> str:
    """Where the receipt of a part lies."""
    return f"_receipts/{table.layer}/{table.name}/{part}{RECEIPT}"
