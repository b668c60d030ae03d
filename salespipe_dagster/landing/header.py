"""The first record of a CSV file: which column of the contract stands where, by name."""

import csv
from dataclasses import dataclass

from salespipe_dagster.landing.unpacked import Unreadable
from salespipe_spark.contract import Column, Contract


@dataclass(frozen=True)
class Header:
    """Where the columns of a file are.

    Attributes:
        columns: the name of each column in their order, as files give it; empty where the contract does not know it.
        unknown: the columns that the contract does not know, as the file writes them.
    """

    columns: list[str]
    unknown: list[str]


def in_files(column: Column) -> str:
    """The name that files give a column."""
    return column.source or column.name


def normal(name: str) -> str:
    """A column's name as names are compared: case and blanks around it are forgiven."""
    return name.strip().casefold()


def header_of(text: str, contract: Contract) -> Header:
    """The header that the file's first record is.

    Raises:
        Unreadable: it is none, names a column twice, or lacks one that needs a value.
    """
    try:
        names = next(csv.reader([text], strict=True, skipinitialspace=True))
    except csv.Error as error:
        raise Unreadable(f"has a header that cannot be read: {error}") from error
    known = {in_files(column): column for column in contract.columns}
    columns: list[str] = []
    unknown: list[str] = []
    seen: set[str] = set()
    for written in names:
        name = normal(written)
        if name and name in seen:
            raise Unreadable(f"has two columns called {name}")
        seen.add(name)
        columns.append(name if name in known else "")
        if name and name not in known:
            unknown.append(written.strip())
    missing = [in_files(c) for c in contract.columns if not c.nullable and in_files(c) not in columns]
    if missing:
        raise Unreadable(f"has no column {', '.join(dict.fromkeys(missing))}{_guess(text)}")
    return Header(columns, unknown)


def _guess(text: str) -> str:
    """What the first line looks like, where a header is not to be found."""
    for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")):
        if text.count(separator) > text.count(","):
            return f"; its columns seem to be separated by {name}, and must be by commas"
    return f": its first line is {text[:200]!r}"
