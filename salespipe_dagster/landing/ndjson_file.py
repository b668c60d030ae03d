"""An NDJSON file as batches of records whose values stand in columns of text.

Values are taken as they are written: a number never becomes a float on its way, and one of any length keeps
its digits. Python reads the lines, because no reader of the engines tells of a name that stands twice.
"""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from salespipe_dagster.landing.header import in_files, normal
from salespipe_dagster.landing.reasons import Reason
from salespipe_dagster.landing.records import Records, Spoiled, records, shown
from salespipe_dagster.landing.typed import Batch
from salespipe_dagster.landing.unpacked import Unreadable, chunks
from salespipe_dagster.landing.values import trimmed
from salespipe_spark.contract import Contract

_ONE_A_LINE = "and must have one object a line, such as `jq -c '.[]?'` writes"


class _Bad(Exception):
    """A record that is put aside."""

    def __init__(self, reason: Reason, column: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.column = reason, column


class _Object(list[tuple[str, Any]]):
    """An object's names and values, in order, a name as often as it is written."""


class NdjsonFile:
    """An NDJSON file.

    Attributes:
        names: the columns of the contract, as files call them.

    Raises:
        Unreadable: the file as a whole cannot be read.
    """

    def __init__(self, file: Path, contract: Contract) -> None:
        self.names = list(dict.fromkeys(in_files(column) for column in contract.columns))
        self._known = {normal(name): name for name in self.names}
        self._records = records(chunks(file), quotes=False)
        self._first = next((found for found in self._records if found.spoiled or len(found.texts)), None)
        start = self._first.texts[0].as_py().strip() if self._first and len(self._first.texts) else ""
        if start.startswith("["):
            raise Unreadable(f"is a JSON array, {_ONE_A_LINE}")
        if start == "{":
            raise Unreadable(f"has objects over several lines, {_ONE_A_LINE}")

    def records(self) -> Iterator[Records]:
        """All records."""
        return chain([self._first] if self._first else [], self._records)

    def cut(self, found: Records) -> Batch:
        """Some of them, cut into values."""
        spoiled, unknown = list(found.spoiled), dict[str, None]()
        lines: list[int] = []
        texts: list[str] = []
        values: list[list[str | None]] = []
        for line, text in zip(found.lines.tolist(), found.texts.to_pylist(), strict=True):
            try:
                values.append(self._values(text, unknown))
            except _Bad as bad:
                spoiled.append(Spoiled(line, bad.reason, shown(text.encode()), bad.column))
            else:
                lines.append(line)
                texts.append(text)
        columns = {
            f"t_{name}": trimmed(pa.array([row[i] for row in values], pa.string())) for i, name in enumerate(self.names)
        }
        rows = pa.table({"line": pa.array(lines, pa.int64()), "text": pa.array(texts, pa.string()), **columns})
        return Batch(rows, spoiled, list(unknown))

    def _values(self, text: str, unknown: dict[str, None]) -> list[str | None]:
        """The values of a record in the order of the contract, each as it is written; notes names that are unknown."""
        found: dict[str, str | None] = {}
        for written, value in _object(text):
            name = self._known.get(written) or self._known.get(normal(written))
            if name is None:
                unknown[written.encode(errors="backslashreplace").decode()] = None
            elif name in found:
                raise _Bad(Reason.DUPLICATE_KEY, name)
            elif value is not None and not isinstance(value, str):
                raise _Bad(Reason.NESTED_VALUE, name)
            else:
                found[name] = _checked(value, name)
        return [found.get(name) for name in self.names]


def _object(text: str) -> _Object:
    try:
        found = json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_constant, object_pairs_hook=_Object)
    except (ValueError, RecursionError):
        raise _Bad(Reason.BAD_JSON) from None
    if not isinstance(found, _Object):
        raise _Bad(Reason.NOT_AN_OBJECT)
    return found


def _no_constant(name: str) -> str:
    raise ValueError(f"{name} is not JSON")


def _checked(value: str | None, name: str) -> str | None:
    """The value, if it can be kept as text: escapes can write a NUL, and half of a pair that is no character."""
    if value is None or (value.isascii() and "\0" not in value):
        return value
    if "\0" in value:
        raise _Bad(Reason.CONTROL_CHARACTER, name)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Bad(Reason.BAD_ENCODING, name) from None
    return value
