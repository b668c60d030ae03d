"""Publishing: what was staged and passed its audit replaces what is in place, part by part. No engine."""

import contextlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake import schema
from salespipe_spark.lake.catalogue import Catalogue, receipt_key
from salespipe_spark.lake.objects import Entry, Raced
from salespipe_spark.lake.receipt import Provenance, Receipt
from salespipe_spark.lake.staged import Opening, Staged, by_part
from salespipe_spark.tables import Table, tables

RECEIPT_ATTEMPTS = 10
"""More runs than these do not publish one month in the same moment."""


@dataclass(frozen=True)
class Published:
    """A part after publishing: its receipt, and whether its object was replaced."""

    receipt: Receipt
    replaced: bool


class Publisher(Catalogue):
    """Replaces the objects of a lake on behalf of a run, and writes their receipts.

    A reader sees a part as it was or as it is, never half of one; a part whose rows did not change is not
    touched. How an object is replaced is the store's business.
    """

    def open(self, table: Table, parts: list[str]) -> Opening:
        """Note what is in place before the table is made: publishing holds on to it."""
        there = self.etags(table)
        etags = {part: there.get(self.key(table, part), "") for part in parts}
        return Opening(table, parts, etags, self._inputs(table, parts))

    def size_of_inputs(self, opening: Opening) -> int:
        """Bytes of the objects that a table is made from."""
        given = ((tables()[name], list(digests)) for name, digests in opening.inputs.items())
        return sum(receipt.size for table, parts in given for receipt in self.receipts(table, parts).values())

    def publish(self, staged: Staged, run: str) -> list[Published]:
        """Replace the objects of all parts whose rows changed, each in one atomic step.

        Raises:
            Raced: another run published the table, or one of its inputs, in between; nothing is replaced, but in S3
                parts that the other run had not reached may be.
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
            # A disk may say only now that it is full.
            self.store.sync(objects[part].key for part in opening.parts if not _same(staged, part, held.get(part)))
            publish = partial(self._publish_part, staged, run)
            done = list(self.store.mapped(lambda part: publish(part, objects[part], held.get(part)), opening.parts))
            # Together: a first receipt that a loss of power leaves in part is as good as none, and made anew.
            self.store.sync(receipt_key(table, part) for part in opening.parts if part not in held)
            return done

    def _publish_part(self, staged: Staged, run: str, part: str, given: Entry, held: Receipt | None) -> Published:
        table, figures = staged.opening.table, staged.figures[part]
        key, seen = self.key(table, part), staged.opening.etags[part]
        provenance = Provenance(
            {name: _belonging(digests, part) for name, digests in staged.opening.inputs.items()},
            staged.fingerprints.get(part, ""),
        )
        if held is not None and _same(staged, part, held):
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
            engine=staged.engine,
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
        if self._staged(folder) != staged.files:
            hint = "see that no other job writes there, then run again"
            raise SalespipeError(f"What is staged of {table.name} is not what was audited.", hint)
        files = by_part(staged.files, table)

        def one(part: str) -> Entry:
            found = files.get(part, [])
            if len(found) == 1:
                return found[0]
            target = folder.with_name(f"{folder.name}-merged") / f"{part}.parquet"
            merged = schema.merged(map(self.store.open, found), table.contract, target)
            return self.store.upload(merged, self.store.staged_key(merged))

        return {part: one(part) for part in staged.opening.parts}

    def _staged(self, folder: Path) -> list[Entry]:
        """The Parquet files that lie staged in a folder, wherever the store keeps them."""
        entries = self.store.entries(self.store.staged_key(folder))
        return [entry for entry in entries if entry.key.endswith(".parquet")]

    def _inputs(self, table: Table, parts: list[str]) -> dict[str, dict[str, str]]:
        """The digests of what a table is made from: its months of monthly inputs, the whole of others."""
        common = table.common_months(self.published)
        given = [tables()[name] for name in table.upstream]
        return {each.name: self._digests(each, common if table.spans(each) else each.parts(parts)) for each in given}

    def _digests(self, given: Table, parts: list[str]) -> dict[str, str]:
        return {receipt.part: receipt.figures.digest for receipt in self.all_intact(given, parts)}


def _same(staged: Staged, part: str, held: Receipt | None) -> bool:
    """Whether what is in place of a part, by its receipt, are the rows that were staged."""
    seen, digest = staged.opening.etags[part], staged.figures[part].digest
    return held is not None and (held.etag, held.figures.digest) == (seen, digest)


def _belonging(digests: dict[str, str], part: str) -> dict[str, str]:
    return {part: digests[part]} if part in digests else digests
