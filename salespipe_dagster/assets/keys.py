"""The keys of the tables' assets."""

import dagster as dg

from salespipe_spark.tables import Table


def asset_key(table: Table) -> dg.AssetKey:
    """A table's key: its layer and name, as its folder in the lake."""
    return dg.AssetKey([table.layer, table.name])


def source_key(table: Table) -> dg.AssetKey:
    """The key of the source's table that a staging table mirrors."""
    assert table.contract.source is not None
    return dg.AssetKey(["source", table.contract.source.table])


def files_key(table: Table) -> dg.AssetKey:
    """The key of the files that a staging table is made from."""
    assert table.contract.feed is not None
    return dg.AssetKey(["files", table.contract.feed.folder])


def landed_key(table: Table) -> dg.AssetKey:
    """The key of what has landed of these files."""
    return dg.AssetKey(["landed", table.name])
