"""The data dictionary, in Markdown: what each table promises, made from its contract."""

from collections.abc import Iterable

from salespipe_spark import lineage
from salespipe_spark.contract import SPARK, Column
from salespipe_spark.lineage import Origin
from salespipe_spark.tables import LAYERS, Table, tables

HEAD = """\
# Data dictionary

Made by `salespipe dictionary` from the contracts in [spark/salespipe_spark](../spark/salespipe_spark); do not edit.

Tables that are partitioned by month lie in the lake as `<layer>/<table>/year=YYYY/month=MM/`, others as
`<layer>/<table>/`.
*From* is the columns of the shop's database, and of the `files` that land, that values come from in the end.
"""


def dictionary() -> str:
    """The whole dictionary: an overview, then each table, layer by layer."""
    ordered = [table for layer in LAYERS for table in tables().values() if table.layer == layer]
    overview = ["| Table | One row is | Partitioned |", "|---|---|---|"]
    for table in ordered:
        name = f"{table.layer}.{table.name}"
        partitioned = "by month" if table.monthly else "snapshot"
        overview.append(f"| [{name}](#{name.replace('.', '')}) | {table.contract.grain} | {partitioned} |")
    entries = [f"## {table.layer}.{table.name}\n\n{entry(table)}" for table in ordered]
    return "\n".join([HEAD, *overview, "", "\n".join(entries)])


def entry(table: Table) -> str:
    """What is said of one table, below its name."""
    contract = table.contract
    facts = [
        f"Key: {_code(contract.key)}.",
        f"Partitioned by the month of `{contract.month}`." if contract.month else "A snapshot.",
    ]
    if table.upstream:
        facts.append(f"Made from {_code(f'{tables()[name].layer}.{name}' for name in table.upstream)}.")
    if contract.source:
        facts.append(f"Mirrors the source's table `{contract.source.table}`.")
    if contract.feed:
        facts.append(f"Made from the {contract.feed.format.upper()} files that land in `{contract.feed.folder}/`.")
    if contract.balances:
        facts.append("Held to the cent: " + ", ".join(f"`{own}` = `{other}`" for own, other in contract.balances) + ".")
    rows = ["| Column | Type | What it holds | From |", "|---|---|---|---|"]
    rows += [_row(column, lineage.roots(table, column.name)) for column in contract.columns]
    return "\n\n".join([contract.grain, table.description, " ".join(facts), "\n".join(rows)]) + "\n"


def _row(column: Column, roots: list[Origin]) -> str:
    marks = ["may be NULL"] * column.nullable + ["personal data"] * column.personal
    text = f"{column.description} *{', '.join(marks)}*" if marks else column.description
    return f"| `{column.name}` | {SPARK[column.type]} | {text} | {_code(f'{o.table}.{o.column}' for o in roots)} |"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
