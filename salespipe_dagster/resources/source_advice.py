"""What the owner of the source's database may want to know: rights that are not needed, indexes that would help."""

import re
from collections.abc import Iterable

import sqlalchemy as sa

from salespipe_dagster.resources.source_sql import parent_of, source_of
from salespipe_spark.tables import Table

HARMLESS = {"SELECT", "USAGE", "SHOW VIEW"}


def needless_privileges(connection: sa.Connection) -> list[str]:
    """What the user may do beside reading; of an external source nothing of it is needed."""
    if connection.dialect.name == "sqlite":
        return []
    grants = connection.exec_driver_sql("SHOW GRANTS").scalars().all()
    # What follows ON or TO is left out: it may hold the hash of the password.
    named = (match[1] for grant in grants if (match := re.match(r"GRANT (.+?) ON ", grant)))
    found = {re.sub(r" ?\(.*", "", privilege) for names in named for privilege in re.split(r", (?![^(]*\))", names)}
    # A role is listed by its name, and its rights are not.
    roles = {f"role {match[1]}" for grant in grants if (match := re.match(r"GRANT ([^ ]+) TO ", grant))}
    options = {"GRANT OPTION" for grant in grants if "WITH GRANT OPTION" in grant}
    return sorted((found | roles | options) - HARMLESS)


def missing_indexes(connection: sa.Connection, tables: Iterable[Table]) -> list[str]:
    """Statements for the indexes without which a single month reads a whole table."""
    inspector = sa.inspect(connection)
    present = inspector.get_table_names()  # a view has no index of its own
    statements: list[str] = []
    for table in tables:
        name = source_of(table).table
        if table.monthly and name in present:
            parent = parent_of(table)  # whose rows are found by its date, and these by its key
            column = table.contract.column(parent.contract.key[0] if parent else table.contract.month).source_name
            keys = [inspector.get_pk_constraint(name)["constrained_columns"]]
            keys += [index["column_names"] for index in inspector.get_indexes(name)]
            if not any(key and key[0] and key[0].casefold() == column.casefold() for key in keys):
                statements.append(f"CREATE INDEX {name}_{column} ON {name} ({column})")
    return statements
