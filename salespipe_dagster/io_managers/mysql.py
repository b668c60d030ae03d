"""The source's I/O manager: writes the synthetic company's tables slice by slice, and reads them back."""

from collections.abc import Callable, Iterable

import dagster as dg
import pyarrow as pa

from salespipe_dagster.resources.source_db import Rows, SourceDatabase
from salespipe_dagster.resources.source_sql import parent_of, source_of
from salespipe_dagster.resources.source_write import TableSlice
from salespipe_dagster.synthetic.company import Company, order_numbers
from salespipe_spark import months
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.schema import arrow_schema
from salespipe_spark.tables import Table, tables

OnPart = Callable[[str, float], None]
"""Is told of each part of the source that a step has written, and of how much of the step that makes."""


class MySQLIOManager(dg.IOManager):
    """Writes and reads the tables of the source; an asset's key ends in its table's name there.

    A stored value is an iterable of (part, rows): a function that makes tables of rows of the company, as the
    source has them, its columns' names included, so that never a whole month need be in memory. Each part
    replaces its slice in one transaction.
    """

    def __init__(self, source: SourceDatabase, company: Company, on_part: OnPart = lambda said, share: None) -> None:
        """An I/O manager of a company's database, which is not touched before something is written or read."""
        self.source = source
        self.company = company
        self.on_part = on_part

    def handle_output(self, context: dg.OutputContext, obj: Iterable[tuple[str, Rows]]) -> None:
        """Replace the slice of every part, and tell Dagster of each part's rows.

        Raises:
            SalespipeError: the database is not this company's, rows are not what their slice may hold, or a part
                that the run owns was not made.
        """
        table = _table(context.asset_key)
        owned = list(context.asset_partition_keys) if context.has_asset_partitions else [SNAPSHOT]
        self.source.prepare_company(self.company)
        written: set[str] = set()
        for part, rows in obj:
            if part not in owned:
                raise SalespipeError(f"{table.name}: the run does not own {part}.", "correct what makes the rows")
            count = self.source.replace(slice_of(table, part), rows)
            written.add(part)
            said = f"written {part}, {len(written)} of {len(owned)} ({count:,} rows)"
            context.log.info(said)
            self.on_part(said, len(written) / len(owned))
            context.step_context.add_asset_metadata(
                {"rows": count, "dagster/partition_row_count": count},
                asset_key=context.asset_key,
                partition_key=None if part == SNAPSHOT else part,
            )
        if missing := [part for part in owned if part not in written]:
            raise SalespipeError(f"{table.name}: {', '.join(missing)} was not made.", "correct what makes the rows")

    def load_input(self, context: dg.InputContext) -> pa.Table:
        """The rows of the run's months, or the snapshot, under the contract's names."""
        table = _table(context.asset_key)
        keys = list(context.asset_partition_keys) if context.has_asset_partitions else []
        blocks = months.blocks(keys) if table.monthly else [None]
        batches = [batch for block in blocks for batch in self.source.scan(table, block)]
        return pa.Table.from_batches(batches, schema=arrow_schema(table.contract))


def slice_of(table: Table, part: str) -> TableSlice:
    """The slice of a part: an order's number lies in the range of its month, its lines go with it; else the date."""
    if part == SNAPSHOT:
        return TableSlice(table, part)
    parent = parent_of(table)
    if parent or any(source_of(other).dated_by == table.name for other in tables().values() if other.contract.source):
        numbers = order_numbers(part)
        return TableSlice(table, part, (parent or table).contract.key[0], numbers.start, numbers.stop)
    return TableSlice(table, part, table.contract.month, months.first_day(part), months.end_day(part))


def _table(key: dg.AssetKey) -> Table:
    return next(t for t in tables().values() if t.contract.source and source_of(t).table == key.path[-1])
