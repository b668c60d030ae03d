"""Where each column's values come from: what the contracts declare, followed to the source or the files.

A contract says it (`Column.of`) only where the names differ; a column that is called as in an input
comes from there. What decides which rows there are, such as a join's key, is not lineage.
"""

from typing import NamedTuple

from salespipe_spark.tables import Table, tables

FILES = "files"
"""What stands before a feed's folder where its files are named as an origin."""


class Origin(NamedTuple):
    """A column that values come from: of a table of the lake or, for a staging table, of the source or of files."""

    table: str
    column: str


def origins(table: Table) -> dict[str, list[Origin]]:
    """The origins of each column, in the table's inputs.

    Raises:
        ValueError: a contract names a column that does not exist.
    """
    return {column.name: list(dict.fromkeys(_of(table, column.name))) for column in table.contract.columns}


def roots(table: Table, column: str) -> list[Origin]:
    """The columns of the source and of the files that a column's values come from in the end."""
    found = origins(table)[column]
    if not (table.contract.source or table.contract.feed):
        found = [root for origin in found for root in roots(tables()[origin.table], origin.column)]
    return sorted(set(found))


def _of(table: Table, name: str) -> list[Origin]:
    column = table.contract.column(name)
    if table.contract.source:
        dated = table.contract.source.dated_by
        owner = tables()[dated].contract if dated and name == table.contract.month else table.contract
        assert owner.source
        return [Origin(owner.source.table, owner.column(name).source_name)]
    if table.contract.feed and not column.of:
        return [Origin(f"{FILES}/{table.contract.feed.folder}", column.source or name)]
    inputs = {given: tables()[given].contract for given in table.upstream}
    if not column.of:
        return [Origin(given, name) for given, contract in inputs.items() if name in contract.names]
    found: list[Origin] = []
    for text in column.of:
        given, _, origin = text.rpartition(".")
        if not given:
            found += _of(table, origin)
        elif given in inputs and origin in inputs[given].names:
            found.append(Origin(given, origin))
        else:
            raise ValueError(f"{table.name}.{name} is said to be made from {text}, which is no column of an input.")
    return found
