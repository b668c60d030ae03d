"""The catalogue: which parts are published, where they lie, and what their receipts say. No engine."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.objects import Store
from salespipe_spark.lake.receipt import Receipt
from salespipe_spark.lake.store import LocalStore
from salespipe_spark.tables import Table, tables


class Catalogue:
    """What is published in the lake of a store."""

    def __init__(self, store: Store | Path) -> None:
        """The catalogue of a store, or of the folder of a local one."""
        self.store = LocalStore(store) if isinstance(store, Path) else store

    def key(self, table: Table, part: str) -> str:
        """Where a part's object lies. Its name never changes, so that one step replaces it."""
        folder = f"{table.layer}/{table.name}"
        return f"{folder}/year={part[:4]}/month={part[5:]}/data.parquet" if table.monthly else f"{folder}/data.parquet"

    def receipt(self, table: Table, part: str) -> Receipt | None:
        """The receipt of a part; None where it was never published, or the receipt cannot be read."""
        text = self.store.read(receipt_key(table, part))
        try:
            return Receipt.from_json(text) if text else None
        except (ValueError, TypeError, KeyError):
            return None  # as good as none: the next run publishes the part anew

    def published(self, table: Table) -> list[str]:
        """The parts of a table that have a receipt, in order."""
        keys = self.store.list(f"_receipts/{table.layer}/{table.name}", ".json")
        return [Path(key).stem for key in keys]

    def covered(self, table: Table) -> set[str] | None:
        """The months that a table is published for, or that its snapshot was made from; None where it is over none."""
        if table.monthly:
            return set(self.published(table))
        over = [name for name in table.upstream if table.spans(tables()[name])]
        receipt = self.receipt(table, SNAPSHOT)
        taken = receipt.provenance.inputs if receipt else {}
        return set[str].intersection(*(set(taken.get(name, ())) for name in over)) if over else None

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
        return sum((self.intact(tables()[table], each).figures.figure(figure) for each in parts), Decimal(0))

    def intact(self, table: Table, part: str) -> Receipt:
        """The receipt of a part whose object is the one that the receipt names.

        Raises:
            SalespipeError: the part was never published, or a run died while it published it.
        """
        receipt = self.receipt(table, part)
        months_option = f" --months {part}" if table.monthly else ""
        hint = f"salespipe run{months_option} --select {table.layer}/{table.name}"
        where = f"{table.layer}/{table.name} {part} in {self.store.place}"
        if receipt is None:
            raise SalespipeError(f"Not published: {where}.", hint)
        if self.store.etag(receipt.key) != receipt.etag:
            raise SalespipeError(f"Not the object that its receipt names: {where}.", hint)
        return receipt


def receipt_key(table: Table, part: str) -> str:
    """Where the receipt of a part lies."""
    return f"_receipts/{table.layer}/{table.name}/{part}.json"
